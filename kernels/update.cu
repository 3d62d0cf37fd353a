// Gradients become updates: PyTorch's formulas (torch.optim of SGD, Adam, AdamW, RMSprop), p a parameter, g its gradient after
// clipping, m and v its moments. All buffers are [replica][stride]; size is the number of parameters a replica, padding included.
// The learning rate, adam's corrections and the factor of clipping are read from device memory.
// Bound by memory: each of p, g, m and v is read once, p, m and v written once.

#include "common.cuh"

// A gradient that is not finite is remembered. Several threads may store the same 1.
template <typename T>
__device__ __forceinline__ T clipped(T gradient, double scale, int* not_finite) {
    if (!isfinite(gradient)) {
        *not_finite = 1;
    }
    return scale == 1 ? gradient : gradient * T(scale);
}

// m = momentum*m + g; p -= lr*m, or lr*(g + momentum*m) with Nesterov's look ahead. m may be null without momentum.
// Blocks, here and below: x over parameters, y over replicas.
template <typename T>
__device__ void update_sgd(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
    long long size, int replicas, double momentum, int nesterov, double weight_decay) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        T learning_rate = T(learning_rates[(long long)*cursor * replicas + replica]);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T parameter = p[at];
            T gradient = clipped(g[at], scale, not_finite + replica) + T(weight_decay) * parameter;
            T direction = gradient;
            if (m) {
                T moment = T(momentum) * m[at] + gradient;
                m[at] = moment;
                direction = nesterov ? gradient + T(momentum) * moment : moment;
            }
            p[at] = parameter - learning_rate * direction;
        }
    }
}
KERNEL(update_sgd,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* m,
        long long size, int replicas, double momentum, int nesterov, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, m, size, replicas, momentum, nesterov, weight_decay))

// m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*g^2; p -= lr/correction1 * m / (sqrt(v)/sqrt(correction2) + epsilon).
// Weight decay goes into g, or shrinks p itself where it is decoupled (adamw).
template <typename T>
__device__ void update_adam(
    const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, T* p,
    const T* g, T* m, T* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
    int decoupled) {
    Step step = steps[*cursor];
    T root2 = T(sqrt(step.correction2));
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        double learning_rate = learning_rates[(long long)*cursor * replicas + replica];
        T rate1 = T(learning_rate / step.correction1);
        T shrink = T(1 - learning_rate * weight_decay);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T parameter = p[at];
            T gradient = clipped(g[at], scale, not_finite + replica);
            if (decoupled) {
                parameter *= shrink;
            } else {
                gradient += T(weight_decay) * parameter;
            }
            T moment1 = T(beta1) * m[at] + T(1 - beta1) * gradient;
            T moment2 = T(beta2) * v[at] + T(1 - beta2) * gradient * gradient;
            m[at] = moment1;
            v[at] = moment2;
            p[at] = parameter - rate1 * moment1 / (sqrt(moment2) / root2 + T(epsilon));
        }
    }
}
KERNEL(update_adam,
       (const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, T* p,
        const T* g, T* m, T* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
        int decoupled),
       (cursor, steps, learning_rates, clip_scales, not_finite, p, g, m, v, size, replicas, beta1, beta2, epsilon, weight_decay,
        decoupled))

// v = alpha*v + (1-alpha)*g^2; p -= lr*g / (sqrt(v) + epsilon).
template <typename T>
__device__ void update_rmsprop(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* v,
    long long size, int replicas, double alpha, double epsilon, double weight_decay) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        T learning_rate = T(learning_rates[(long long)*cursor * replicas + replica]);
        double scale = clip_scales[replica];
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * size + i;
            T parameter = p[at];
            T gradient = clipped(g[at], scale, not_finite + replica) + T(weight_decay) * parameter;
            T moment2 = T(alpha) * v[at] + T(1 - alpha) * gradient * gradient;
            v[at] = moment2;
            p[at] = parameter - learning_rate * gradient / (sqrt(moment2) + T(epsilon));
        }
    }
}
KERNEL(update_rmsprop,
       (const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, T* p, const T* g, T* v,
        long long size, int replicas, double alpha, double epsilon, double weight_decay),
       (cursor, learning_rates, clip_scales, not_finite, p, g, v, size, replicas, alpha, epsilon, weight_decay))
