// Trains a narrow network with a thread block cluster: several multiprocessors per network, for sessions with few networks. A separate
// module, for compute capability 9.0 and newer. ClusterPlan chooses between them and one block.
//
// A batch's segments of WARP rows are dealt to the blocks in turn. Each takes its segments through the network as fused_narrow.cu does,
// and sends a segment's gradients, in shares, to the blocks: each adds up its share of the elements over all segments, in their order,
// and sends the sums to all blocks. Then each block has all gradients and does the same as a single block: norms, clipping, the update
// of its own copy of parameters and moments. So nothing is rounded differently, and the results have the same bits (ClusterTest). The
// first block adds up the losses and writes the results.
//
// There are two cluster barriers per tile of rows: after the segments' gradients were sent, and after the sums were sent. They also
// protect what a block reads: its sums are complete before the next tile's gradients arrive, and its update before the next sums arrive.
//
// The cost, in estimated clocks of an H200, for 3-8x8-1 with 400 rows, whose gradients are 2,592 bytes per segment. scripts/kernel-report
// computes 3,900 for the 2 segments of a block, limited by a warp's own instructions, and 20,200 for the 13 segments of one block.
//   Sending to the owner of a share:   2 x 2,592 bytes, 320 clocks at an assumed 16 bytes per clock.
//   A barrier, twice:                  700 each. Its release is a MEMBAR.ALL.GPU in machine code, a round trip to the second-level cache,
//                                      and its acquire empties the first-level cache, from which rows come (CCTL.IVALL): 270 more.
//   Sums over 13 segments:             180, from the block's own shared memory.
//   Sending the sums to 8 blocks:      8 x 324 bytes, 160 clocks.
// Together 6,200 clocks, 3.1 us, of which 2,300 are this exchange. An H200 took 9,500 clocks, 4.80 us (sigmoid: 5.5 us), and one block
// 9.2 us: something costs 3,300 clocks more than estimated, probably the barriers. Alternatives:
//   Each block reads the gradients of all segments and adds them up itself, with one barrier: 12 x 2,592 bytes from other blocks are 1,900
//   clocks, after the latency of a remote read, about 200. With a barrier and reloading 3,100.
//   The owner of a share updates it and sends parameters: twice the bytes, since weights are kept in both orders. Norms would need a
//   third barrier.
//   Waiting for bytes instead of for a barrier (mbarrier, st.async) needs no fence, and would save about 1,000 clocks. It is the next step
//   of these kernels.

#include "fused_narrow_train.cuh"

// Blocks are never larger; 8 warps per block have 255 registers per thread.
enum { MAX_CLUSTER_THREADS = 256 };

// The kernel of an activation of the hidden layers, by the word that dev.plumb.model.Activation has for it.
#define CLUSTER_KERNEL(word, ACTIVATION)                                                                                           \
    extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(MAX_CLUSTER_THREADS, 1)                          \
        fused_cluster_##word##_f32(                                                                                                \
            const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,   \
            const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, float* p, float* g, float* m,         \
            float* v, float* before, double* metrics, long long* first_not_finite) {                                               \
        fused_narrow<ACTIVATION, CLUSTER, false>(cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v,     \
                                                 before, metrics, first_not_finite, (const float*)0, (const double*)0);            \
    }
CLUSTER_KERNEL(linear, LINEAR)
CLUSTER_KERNEL(relu, RELU)
CLUSTER_KERNEL(leaky_relu, LEAKY_RELU)
CLUSTER_KERNEL(sigmoid, SIGMOID)
CLUSTER_KERNEL(tanh, TANH)
