// The losses of single outputs and their derivatives.
#pragma once
#include "common.cuh"

// The order of dev.plumb.model.Loss.
enum Loss { MSE, MAE, HUBER, CROSS_ENTROPY, BINARY_CROSS_ENTROPY };

// The loss of one output; the loss of a batch is the mean over outputs and rows.
template <typename T>
__device__ T loss_term(T z, T y, int loss) {
    T d = z - y;
    switch (loss) {
        case MSE: return d * d;
        case MAE: return fabs(d);
        case HUBER: return fabs(d) <= T(1) ? T(0.5) * d * d : fabs(d) - T(0.5);
        default: return (z > T(0) ? z : T(0)) + log1p(exp(-fabs(z))) - z * y;  // BINARY_CROSS_ENTROPY, on logits
    }
}

template <typename T>
__device__ T loss_term_derivative(T z, T y, int loss) {
    T d = z - y;
    T sign = d > T(0) ? T(1) : d < T(0) ? T(-1) : d;  // 0 for 0, NaN for NaN
    switch (loss) {
        case MSE: return T(2) * d;
        case MAE: return sign;
        case HUBER: return fabs(d) <= T(1) ? d : sign;
        default: {
            T e = exp(-fabs(z));
            return (z >= T(0) ? T(1) : e) / (T(1) + e) - y;
        }
    }
}
