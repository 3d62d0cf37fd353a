// Bias, activation and dropout of a layer around cuBLAS's products, in single and double precision.

#include "activation_kernels.cuh"

KERNEL(bias_activation,
       (const T* z, T* a, const T* bias, T* used, int batch, int units, long long bias_stride, int replicas, int activation,
        int packed),
       (z, a, bias, used, batch, units, bias_stride, replicas, activation, packed))
KERNEL(bias_activation_dropout,
       (const int* cursor, const Step* steps, const T* z, T* a, unsigned char* kept, const T* bias, T* used, int batch, int units,
        long long bias_stride, int replicas, int activation, int layer, long long seed, long long threshold, double scale),
       (cursor, steps, z, a, kept, bias, used, batch, units, units, bias_stride, replicas, activation, layer, seed, threshold, scale))
KERNEL(activation_backward,
       (T* delta, const T* z, const T* bias, const unsigned char* kept, T* sums, long long batch, int units,
        long long rows_per_segment, long long bias_stride, long long sums_stride, int replicas, int activation, double scale),
       ((const T*)0, delta, z, (const T*)0, bias, kept, sums, batch, units, units, units, rows_per_segment, bias_stride, sums_stride, replicas,
        activation, scale))
KERNEL(sum_segments,
       (const T* sums, T* bias_gradient, int units, int segments, long long gradient_stride, int replicas),
       (sums, bias_gradient, units, segments, gradient_stride, replicas))
