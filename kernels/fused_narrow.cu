// Trains a network whose layers have at most NARROW units, in single precision: a thread takes one row through all layers and keeps its
// activations and deltas in registers from one layer to the next. There is one kernel per activation. Here one block trains one network;
// in fused_cluster.cu several blocks do.
//
// In shared memory a tile is stored row by row, each row in groups of NARROW numbers: the inputs with the last layer's delta, A of each
// hidden layer, delta of each hidden layer. They are written for the sums over rows; only A is read back, for f'. A row has an odd number
// of groups, and some rows swap the two halves of their groups (narrow_swizzle), so that the same half of a group is in different banks
// in 8 adjacent rows.
//
// Weights are NARROW x NARROW per layer in both orders, padded with 0 (FusedLayers.narrow), so that loops over units have constant
// bounds. Padded units have A and delta 0. Sums over units and over rows have the order of the general kernel, and padding adds 0 at
// their ends, which changes only the sign of a sum that is 0: results are the same (NarrowTest).
//
// Bound by the bandwidth from shared memory to registers, 128 bytes per clock and multiprocessor. 16 bytes of weights for all lanes
// of a warp take 4 clocks, although the lanes read the same 16 bytes. 3-8x8-1 fills 1,480 registers per segment and step: for the 13
// segments of 400 rows 1,480 x 13 x 128 bytes, which is 19,240 clocks; an H200 took 19,190 per step with a kernel per activation, and
// 20,900 with one kernel that branched on the activation in each layer. The busiest of the four schedulers has about 11,400
// instructions to issue. Since rows are stored in one instruction, these kernels take 9.2 us per step with relu, 18,200 clocks, and 11.0
// with sigmoid, and train 14.0 million steps per second of 16,384 networks; so the count above is some percent too high.
//
// Versions, 3-8x8-1, 400 rows, fp32, on an H200 (general kernel: 17.7 us with relu, 27.7 us with sigmoid), measured in a probe outside the
// repository. The first version is the one in this file:
//
//                                           a kernel per activation      one kernel
//   rows per thread                          1        2        4                 1
//   threads, registers                 416, 126  224, 192  128, 244          416, 128
//   one network, relu: us per step          9.36     9.03     10.7              10.3
//   one network, sigmoid: us per step       11.7     12.0     14.7              11.9
//   16,384 networks: 10^6 steps per s      13.62    13.82    11.71             12.49
//
// With two rows per thread weights are loaded half as often, but there are only 7 warps to hide latency; with four rows too few. One row
// is nearly as fast, wastes nothing in small batches, and is the simplest. Two lanes that share two rows, each with half of the units,
// were no faster (MEASURED.md). What is left to try: less shared memory per row, for two blocks per multiprocessor.

#include "fused_narrow_train.cuh"

// The kernel of an activation of the hidden layers, by the word that dev.plumb.model.Activation has for it.
#define NARROW_KERNEL(word, ACTIVATION)                                                                                            \
    extern "C" __global__ void __launch_bounds__(MAX_FUSED_THREADS, 1) fused_narrow_##word##_f32(                                 \
        const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,       \
        const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, float* p, float* g, float* m, float* v,   \
        float* before, double* metrics, long long* first_not_finite) {                                                             \
        fused_narrow<ACTIVATION, ONE_BLOCK, false>(cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v,   \
                                                   before, metrics, first_not_finite, (const float*)0, (const double*)0);          \
    }
NARROW_KERNEL(linear, LINEAR)
NARROW_KERNEL(relu, RELU)
NARROW_KERNEL(leaky_relu, LEAKY_RELU)
NARROW_KERNEL(sigmoid, SIGMOID)
NARROW_KERNEL(tanh, TANH)
