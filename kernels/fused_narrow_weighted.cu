// The kernels of fused_narrow.cu for rows with weights. A separate module, because it is rarely needed and takes a driver as long to
// compile. A row's weight stays in global memory and is read once per step, next to its target. Not measured. With
// tanh, ptxas 13.0 spills one register, outside of the loops over layers and rows.

#include "fused_narrow_train.cuh"

// The kernel of an activation of the hidden layers, by the word that dev.plumb.model.Activation has for it.
#define NARROW_WEIGHTED_KERNEL(word, ACTIVATION)                                                                                   \
    extern "C" __global__ void __launch_bounds__(MAX_FUSED_THREADS, 1) fused_narrow_##word##_weighted_f32(                         \
        const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,       \
        const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, float* p, float* g, float* m, float* v,   \
        float* before, double* metrics, long long* first_not_finite, const float* weights, const double* divisors) {               \
        fused_narrow<ACTIVATION, ONE_BLOCK, true>(cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v,    \
                                                  before, metrics, first_not_finite, weights, divisors);                           \
    }
NARROW_WEIGHTED_KERNEL(linear, LINEAR)
NARROW_WEIGHTED_KERNEL(relu, RELU)
NARROW_WEIGHTED_KERNEL(leaky_relu, LEAKY_RELU)
NARROW_WEIGHTED_KERNEL(sigmoid, SIGMOID)
NARROW_WEIGHTED_KERNEL(tanh, TANH)
