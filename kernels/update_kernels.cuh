// The optimizers' updates, by the formulas of update.cuh: p is a parameter, g its gradient, m and v its moments. All buffers are
// [replica][stride]; size is the number of parameters per replica, including padding.
// The learning rate, Adam's bias corrections and the clipping factor are read from device memory.
// Bound by memory: each of p, g, m and v is read once, p, m and v written once.
#pragma once
#include "bf16.cuh"
#include "update.cuh"

// Stores no rounded copy of updated parameters.
struct NoFactors {
    template <typename V>
    __device__ __forceinline__ void put(long long, const V&) const {}
};

// Stores a copy of updated parameters, rounded for the products of the next step, at the same index of another buffer.
struct Bf16Factors {
    Bf16* of;

    __device__ __forceinline__ void put(long long at, float parameter) const {
        store(of + at, parameter);
    }

    template <int SIZE>
    __device__ __forceinline__ void put(long long at, const Pack<float, SIZE>& parameters) const {
        Pack<Bf16, SIZE> stored;
#pragma unroll
        for (int k = 0; k < SIZE; k++) {
            store(stored.of + k, parameters.of[k]);
        }
        ((Pack<Bf16, SIZE>*)of)[at] = stored;
    }
};

// Records that a gradient is not finite. Several threads may store the same 1.
template <typename T>
__device__ __forceinline__ T watched(T gradient, double scale, int* not_finite) {
    if (!isfinite(gradient)) {
        *not_finite = 1;
    }
    return clipped(gradient, scale);
}

// Without momentum m is null. Blocks: x over packs of parameters, y over replicas; size is a whole number of packs.
template <typename T, typename F>
__device__ __forceinline__ void update_sgd(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
    long long size, int replicas, double momentum, int nesterov, double weight_decay, F factors) {
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
            factors.put(at, parameter);
            if (m) {
                ((Pack<T>*)m)[at] = moment;
            }
        }
    }
}

// Blocks, here and below: x over parameters, y over replicas.
template <typename T, typename F>
__device__ __forceinline__ void update_adam(
    const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, T* p,
    const T* g, T* m, T* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
    int decoupled, F factors) {
    Step step = steps[*cursor];
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        AdamStep<T> adam(step, learning_rates[(long long)*cursor * replicas + replica], weight_decay);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T gradient = watched(g[at], scale, not_finite + replica);
            T parameter = adam_step(p[at], gradient, m + at, v + at, adam, beta1, beta2, epsilon, weight_decay, decoupled);
            p[at] = parameter;
            factors.put(at, parameter);
        }
    }
}

template <typename T, typename F>
__device__ __forceinline__ void update_rmsprop(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* v,
    long long size, int replicas, double alpha, double epsilon, double weight_decay, F factors) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        T learning_rate = T(learning_rates[(long long)*cursor * replicas + replica]);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T gradient = watched(g[at], scale, not_finite + replica);
            T parameter = rmsprop_step(p[at], gradient, v + at, learning_rate, alpha, epsilon, weight_decay);
            p[at] = parameter;
            factors.put(at, parameter);
        }
    }
}
