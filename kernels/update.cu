// The optimizers' updates, by the formulas of update.cuh: p is a parameter, g its gradient, m and v its moments. All buffers are
// [replica][stride]; size is the number of parameters per replica, including padding.
// The learning rate, Adam's bias corrections and the clipping factor are read from device memory.
// Bound by memory: each of p, g, m and v is read once, p, m and v written once.

#include "update.cuh"

// Records that a gradient is not finite. Several threads may store the same 1.
template <typename T>
__device__ __forceinline__ T watched(T gradient, double scale, int* not_finite) {
    if (!isfinite(gradient)) {
        *not_finite = 1;
    }
    return clipped(gradient, scale);
}

// Without momentum m is null. Blocks: x over packs of parameters, y over replicas; size is a whole number of packs.
template <typename T>
__device__ void update_sgd(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
    long long size, int replicas, double momentum, int nesterov, double weight_decay) {
    long long packs = size / Pack<T>::SIZE;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < packs; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * packs + i;
            Pack<T> gradient = ((const Pack<T>*)g)[at];
            Pack<T> parameter = ((const Pack<T>*)p)[at];
            Pack<T> moment = {};
            if (m) {
                moment = ((const Pack<T>*)m)[at];
            }
            // Loaded last: it waits for the load of its address.
            T learning_rate = T(learning_rates[(long long)*cursor * replicas + replica]);
            double scale = clip_scales[replica];
#pragma unroll
            for (int k = 0; k < Pack<T>::SIZE; k++) {
                parameter.of[k] = sgd_step(parameter.of[k], watched(gradient.of[k], scale, not_finite + replica),
                                           m ? &moment.of[k] : m, learning_rate, momentum, nesterov, weight_decay);
            }
            ((Pack<T>*)p)[at] = parameter;
            if (m) {
                ((Pack<T>*)m)[at] = moment;
            }
        }
    }
}
KERNEL(update_sgd,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
        long long size, int replicas, double momentum, int nesterov, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, m, size, replicas, momentum, nesterov, weight_decay))

// Blocks, here and below: x over parameters, y over replicas.
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
