// Gradients become updates, by the formulas of update.cuh: p a parameter, g its gradient, m and v its moments. All buffers are
// [replica][stride]; size is the number of parameters a replica, padding included.
// The learning rate, adam's corrections and the factor of clipping are read from device memory.
// Bound by memory: each of p, g, m and v is read once, p, m and v written once.

#include "update.cuh"

// A gradient that is not finite is remembered. Several threads may store the same 1.
template <typename T>
__device__ __forceinline__ T watched(T gradient, double scale, int* not_finite) {
    if (!isfinite(gradient)) {
        *not_finite = 1;
    }
    return clipped(gradient, scale);
}

// Elements of a thread that update_sgd has under way at once.
enum { SGD_ELEMENTS = 4 };

// Without momentum m is null. Blocks, here and below: x over parameters, y over replicas.
template <typename T>
__device__ void update_sgd(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
    long long size, int replicas, double momentum, int nesterov, double weight_decay) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        T learning_rate = T(learning_rates[(long long)*cursor * replicas + replica]);
        double scale = clip_scales[replica];
        // Several elements are loaded before the first is stored.
        long long step = (long long)gridDim.x * blockDim.x;
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += SGD_ELEMENTS * step) {
            long long first = replica * size + i;
            T gradient[SGD_ELEMENTS];
            T parameter[SGD_ELEMENTS];
#pragma unroll
            for (int k = 0; k < SGD_ELEMENTS; k++) {
                long long at = i + k * step < size ? first + k * step : first;
                gradient[k] = g[at];
                parameter[k] = p[at];
            }
#pragma unroll
            for (int k = 0; k < SGD_ELEMENTS; k++) {
                if (i + k * step < size) {
                    long long at = first + k * step;
                    p[at] = sgd_step(parameter[k], watched(gradient[k], scale, not_finite + replica), m ? m + at : m,
                                     learning_rate, momentum, nesterov, weight_decay);
                }
            }
        }
    }
}
KERNEL(update_sgd,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
        long long size, int replicas, double momentum, int nesterov, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, m, size, replicas, momentum, nesterov, weight_decay))

template <typename T>
__device__ void update_adam(
    const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, T* p,
    const T* g, T* m, T* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
    int decoupled) {
    Step step = steps[*cursor];
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        AdamStep<T> adam(step, learning_rates[(long long)*cursor * replicas + replica], weight_decay);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T gradient = watched(g[at], scale, not_finite + replica);
            p[at] = adam_step(p[at], gradient, m + at, v + at, adam, beta1, beta2, epsilon, weight_decay, decoupled);
        }
    }
}
KERNEL(update_adam,
       (const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, T* p,
        const T* g, T* m, T* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
        int decoupled),
       (cursor, steps, learning_rates, clip_scales, not_finite, p, g, m, v, size, replicas, beta1, beta2, epsilon, weight_decay,
        decoupled))

template <typename T>
__device__ void update_rmsprop(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* v,
    long long size, int replicas, double alpha, double epsilon, double weight_decay) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        T learning_rate = T(learning_rates[(long long)*cursor * replicas + replica]);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T gradient = watched(g[at], scale, not_finite + replica);
            p[at] = rmsprop_step(p[at], gradient, v + at, learning_rate, alpha, epsilon, weight_decay);
        }
    }
}
KERNEL(update_rmsprop,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* v,
        long long size, int replicas, double alpha, double epsilon, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, v, size, replicas, alpha, epsilon, weight_decay))
