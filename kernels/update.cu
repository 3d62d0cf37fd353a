// The optimizers' updates in single and double precision.

#include "update_kernels.cuh"

KERNEL(update_sgd,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
        long long size, int replicas, double momentum, int nesterov, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, m, size, replicas, momentum, nesterov, weight_decay, NoFactors()))
KERNEL(update_adam,
       (const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, T* p,
        const T* g, T* m, T* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
        int decoupled),
       (cursor, steps, learning_rates, clip_scales, not_finite, p, g, m, v, size, replicas, beta1, beta2, epsilon, weight_decay,
        decoupled, NoFactors()))
KERNEL(update_rmsprop,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* v,
        long long size, int replicas, double alpha, double epsilon, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, v, size, replicas, alpha, epsilon, weight_decay, NoFactors()))
