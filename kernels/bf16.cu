// The kernels of mixed precision with bfloat16: cuBLAS multiplies matrices of bfloat16 (X, W, A, delta) and sums in single precision;
// parameters, moments, gradients, Z, losses and norms stay in single precision, in which the kernels of the other files compute them.
// Each matrix is rounded by the kernel that makes it: A and delta here, W by the update of its parameters. Gradients need no loss
// scaling, which fp16 needs for its smallest numbers: bfloat16 has a float's exponents.
//
// Rows of these matrices are a multiple of 8 elements apart (the pitch), that is, aligned to 16 bytes, for cuBLAS's fastest loads.

#include "activation_kernels.cuh"
#include "update_kernels.cuh"

extern "C" __global__ void bias_activation_bf16(
    const float* z, Bf16* a, const float* bias, float* used, int batch, int pitch, long long bias_stride, int replicas, int activation) {
    bias_activation(z, a, bias, used, batch, pitch, bias_stride, replicas, activation, 1);
}

extern "C" __global__ void bias_activation_dropout_bf16(
    const int* cursor, const Step* steps, const float* z, Bf16* a, unsigned char* kept, const float* bias, float* used, int batch,
    int units, int pitch, long long bias_stride, int replicas, int activation, int layer, long long seed, long long threshold,
    double scale) {
    bias_activation_dropout(
        cursor, steps, z, a, kept, bias, used, batch, units, pitch, bias_stride, replicas, activation, layer, seed, threshold, scale);
}

extern "C" __global__ void activation_backward_bf16(
    const float* incoming, Bf16* delta, const float* z, const Bf16* a, const float* bias, const unsigned char* kept, float* sums,
    long long batch, int units, int pitch, int delta_pitch, long long rows_per_segment, long long bias_stride, long long sums_stride,
    int replicas, int activation, double scale) {
    activation_backward(incoming, delta, z, a, bias, kept, sums, batch, units, pitch, delta_pitch, rows_per_segment, bias_stride,
                        sums_stride, replicas, activation, scale);
}

extern "C" __global__ void update_sgd_bf16(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, float* p, const float* g, float* m,
    long long size, int replicas, double momentum, int nesterov, double weight_decay, Bf16* factors) {
    update_sgd(cursor, learning_rates, clip_scales, not_finite, p, g, m, size, replicas, momentum, nesterov, weight_decay,
               Bf16Factors{factors});
}

extern "C" __global__ void update_adam_bf16(
    const int* cursor, const Step* steps, const double* learning_rates, const double* clip_scales, int* not_finite, float* p,
    const float* g, float* m, float* v, long long size, int replicas, double beta1, double beta2, double epsilon, double weight_decay,
    int decoupled, Bf16* factors) {
    update_adam(cursor, steps, learning_rates, clip_scales, not_finite, p, g, m, v, size, replicas, beta1, beta2, epsilon, weight_decay,
                decoupled, Bf16Factors{factors});
}

extern "C" __global__ void update_rmsprop_bf16(
    const int* cursor, const double* learning_rates, const double* clip_scales, int* not_finite, float* p, const float* g, float* v,
    long long size, int replicas, double alpha, double epsilon, double weight_decay, Bf16* factors) {
    update_rmsprop(cursor, learning_rates, clip_scales, not_finite, p, g, v, size, replicas, alpha, epsilon, weight_decay,
                   Bf16Factors{factors});
}
