// The activation functions and their derivatives.
#pragma once
#include "common.cuh"

// The order of dev.plumb.model.Activation.
enum Activation { LINEAR, RELU, LEAKY_RELU, SIGMOID, TANH, SOFTPLUS, ELU, GELU, SILU };

// numerator / denominator, where the numerator is at most 1 and the denominator 1 to 2, and exactly 1 where the numerator is below
// 2^-25 and not 0.
__device__ __forceinline__ double quotient(double numerator, double denominator) {
    return numerator / denominator;
}

// The same bits as numerator / denominator. These are the instructions that nvcc generates for a division, without its branch for
// operands that need more steps, so that several divisions overlap. These operands do not need them: with a denominator of 1 all steps
// are exact, and otherwise no intermediate result is subnormal.
__device__ __forceinline__ float quotient(float numerator, float denominator) {
    float reciprocal;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(reciprocal) : "f"(denominator));
    reciprocal = fmaf(fmaf(-denominator, reciprocal, 1.0f), reciprocal, reciprocal);
    float product = numerator * reciprocal;
    return fmaf(fmaf(-denominator, product, numerator), reciprocal, product);
}

// 1 / (1 + e^-z), in the form whose exponential does not overflow; e is e^-|z|.
template <typename T>
__device__ __forceinline__ T sigmoid(T z, T e) {
    return quotient(z >= T(0) ? T(1) : e, T(1) + e);
}

template <typename T>
__device__ __forceinline__ T sigmoid(T z) {
    return sigmoid(z, exp(-fabs(z)));
}

template <typename T>
__device__ __forceinline__ T softplus(T z) {
    return (z > T(0) ? z : T(0)) + log1p(exp(-fabs(z)));
}

// The normal distribution's Phi(z), without cancellation for negative z.
template <typename T>
__device__ __forceinline__ T normal_cdf(T z) {
    return T(0.5) * erfc(-z * T(0.70710678118654752));
}

// f(z). All of them propagate NaN: a comparison with NaN is false, and the branches for "false" compute with z.
template <typename T>
__device__ T activate(T z, int activation) {
    switch (activation) {
        case RELU: return z <= T(0) ? T(0) : z;
        case LEAKY_RELU: return z > T(0) ? z : T(0.01) * z;
        case SIGMOID: return sigmoid(z);
        case TANH: return tanh(z);
        case SOFTPLUS: return softplus(z);
        case ELU: return z > T(0) ? z : expm1(z);
        case GELU: return z * normal_cdf(z);
        case SILU: return z * sigmoid(z);
        default: return z;
    }
}

// f'(z).
template <typename T>
__device__ T derivative(T z, int activation) {
    switch (activation) {
        case RELU: return z != z ? z : z > T(0) ? T(1) : T(0);
        case LEAKY_RELU: return z != z ? z : z > T(0) ? T(1) : T(0.01);
        case SIGMOID: {
            T s = sigmoid(z);
            return s * (T(1) - s);
        }
        case TANH: {
            T t = tanh(z);
            return T(1) - t * t;
        }
        case SOFTPLUS: return sigmoid(z);
        case ELU: return z > T(0) ? T(1) : exp(z);
        case GELU: return normal_cdf(z) + z * exp(T(-0.5) * z * z) * T(0.39894228040143268);
        case SILU: {
            T s = sigmoid(z);
            return s + z * s * (T(1) - s);
        }
        default: return T(1);
    }
}

// Both, sharing their expensive parts; the same bits as from activate and derivative.
template <typename T>
__device__ __forceinline__ void activate_and_derive(T z, int activation, T* a, T* slope) {
    switch (activation) {
        case SIGMOID: {
            T s = sigmoid(z);
            *a = s;
            *slope = s * (T(1) - s);
            return;
        }
        case TANH: {
            T t = tanh(z);
            *a = t;
            *slope = T(1) - t * t;
            return;
        }
        case SOFTPLUS: {
            T e = exp(-fabs(z));
            *a = (z > T(0) ? z : T(0)) + log1p(e);
            *slope = sigmoid(z, e);
            return;
        }
        case GELU: {
            T cdf = normal_cdf(z);
            *a = z * cdf;
            *slope = cdf + z * exp(T(-0.5) * z * z) * T(0.39894228040143268);
            return;
        }
        case SILU: {
            T s = sigmoid(z);
            *a = z * s;
            *slope = s + z * s * (T(1) - s);
            return;
        }
        default:
            *a = activate(z, activation);
            *slope = derivative(z, activation);
    }
}
