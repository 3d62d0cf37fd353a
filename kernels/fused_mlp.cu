// Trains small networks: one block trains one network for many steps in one launch, without the host and without other launches in
// between. Parameters, moments and gradients stay in shared memory for all steps, and so do a step's intermediate values, in a tile of
// rows (fused_mlp.cuh).
//
// Results do not depend on the length of tiles, the number of threads or the number of networks, not in a single bit: a sum over units is
// computed by one thread. A sum over rows is made of segments of WARP rows; one thread sums a segment row by row, and segments are added
// in order.
//
// Networks of at most UNITS units per layer have kernels of their own in single precision (fused_narrow.cu), which are about twice as
// fast and give the same results. fused_train is for all others, and computes the taps of a step for both. The rest is about fused_train.
//
// Bound by the bandwidth from shared memory to registers, 128 bytes per clock and multiprocessor, and by the latency of dependent
// instructions. The notebook's 3-8x8-1 with 400 rows has 3 x 480 weights x 400 = 576,000 multiply-adds per step: 2.3 us of one
// multiprocessor of an H200 in single precision and 4.5 us in double. A step takes several times as long (MEASURED.md).
//
// Launch bounds are MAX_FUSED_THREADS threads, which leaves 128 registers to each (scripts/kernel-report). So registers allow 16 warps per
// multiprocessor; shared memory allows fewer. 3-8x8-1, 400 rows, sgd: in double a row takes 1,056 bytes, and a block has room for 160 rows
// (5 warps, three tiles per step); in single precision for 416 (13 warps, one tile).
//
// Versions, 3-8x8-1, relu, fp32, us per step of one network on an H200:
//   42.3  a thread sums an item of gradients over all rows of the tile; activations are stored in the tile
//   23.3  a warp sums the gradients of its rows; relu in registers; two barriers a step instead of three
//   21.1  lanes whose columns are in the same bank begin with different ones (the loop over rows unrolled by 2)
//   20.4  that loop unrolled by 8 (by 1: 21.4, by 4: 20.5)
//   17.8  f' loaded before the sums that it multiplies; no bounds checks of units in complete groups
//
// Later versions, estimated by the model of scripts/kernel-report and not measured; us per step of 400 rows, relu unless named. The
// model omits the update, sums over segments, barriers and bank conflicts, so the last measured version is listed for comparison:
//                                                          3-8x8-1, fp64   3-32-32-1   tanh   3-16-16-1
//   the last one above, measured                                    51.4        45.4      -        13.9
//   the same, estimated                                             32.2        28.0   33.1         8.6
//   gradients of 16 bytes of rows at a time                         29.1        27.1      -         8.4
//   lanes share rows and units, activations in registers            21.2        18.1   19.8         6.0
//   LaneTile::even, which the model does not count                 21.2        18.8   20.3         6.2
// By a count of bank accesses, the gradients of 3-8x8-1 in fp64 occupy the path from shared memory for 17 clocks per row (before: 32).
// Without LaneTile::even each number that lanes with 4 rows of floats store would take 2 clocks, 11 % more shared-memory time for
// 3-32-32-1. For a single warp on a multiprocessor, the loop over 8 rows of gradients takes 236 clocks in fp32 (before: 328) and 508 in
// fp64 (before: 1,281, because its loads waited for registers). An activation with its derivative takes 25 (sigmoid) to 28 (tanh)
// instructions in fp32; in a loop over single units it took 110 and 95.
//
// Several blocks per multiprocessor with shorter tiles have a lower throughput than one block: FusedPlan.java.
//
// Tried and rejected:
// - Two iterations of fp64's gradients at once, or 4 terms of fp64's wide layers at once: slower, or no faster and with more spills.
// - Keeping each thread's index from step to step: more spills, to save one division per step.
// Rejected on paper:
// - Gradient items of 8 units by 4 inputs read 12 numbers for 40 operations instead of 8 for 20, but layers of 32 units have too few
//   items to fill warps.
// - f' from A instead of from a column of its own would halve a tile, but lose digits where f saturates (activation.cu), except with the
//   activations of the narrow kernels.
// - Networks of several shapes in one launch: a session has one shape. Padding shallow networks to the deepest would waste most of the
//   work (1 layer next to 16). A table of plans, one per block, would need only another index here, but all blocks of a launch have the
//   shared memory and the threads of the largest.
// - A tile in global memory for networks that leave no room for it in shared memory: the layered planner is faster there.

#include "fused_train.cuh"

template <typename T>
__device__ __forceinline__ void fused_train(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y, const int* labels,
    const FusedPlan& plan, const FusedLayer* layers, T* p, T* g, T* m, T* v, T* before, double* metrics, long long* first_not_finite,
    T* taps, int tapped_replica) {
    train_network<false>(cursor, steps, learning_rates, rows, x, y, labels, plan, layers, p, g, m, v, before, metrics, first_not_finite,
                         (const T*)0, (const double*)0, taps, tapped_replica);
}
KERNEL_OF(__launch_bounds__(MAX_FUSED_THREADS, 1), fused_train,
          (const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y,
           const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, T* p, T* g, T* m, T* v, T* before,
           double* metrics, long long* first_not_finite, T* taps, int tapped_replica),
          (cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v, before, metrics, first_not_finite, taps,
           tapped_replica))

// The outputs [replica][rows x outputs] for X [rows x inputs], with the replicas' parameters. Blocks: x over tiles of rows, y over
// replicas; threads and shared memory as in training, including the tile.
template <typename T>
__device__ void fused_outputs(
    const FusedPlan* plan, const FusedLayer* layer_table, const T* p, const T* x, T* z, int rows, int replicas) {
    DYNAMIC_SHARED(shared);
    int layer_count = (int)plan->layers;
    int slots = (int)plan->slots;
    int inputs = layer_table[0].in;
    int outputs = layer_table[layer_count - 1].out;
    int slot = threadIdx.x % slots;
    int lane = threadIdx.x % WARP;
    const FusedLayer* layers = copy_layers(shared, layer_table, layer_count);
    T* parameters = (T*)(shared + plan->at_parameters);
    T* transposed = (T*)(shared + plan->at_transposed);
    Seat<T> seat = take_seat<T>(*plan, layers, shared, (T*)(shared + plan->at_tile), slot);
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
#pragma unroll 1
        for (int i = threadIdx.x * HALF_UNITS, l = 0; i < (int)plan->vector; i += blockDim.x * HALF_UNITS) {
            Place place = place_of(layers, layer_count, i, &l);
#pragma unroll 1
            for (int j = 0; j < HALF_UNITS; j++) {
                T parameter = j < place.count ? p[replica * plan->stride + place.global + j] : T(0);
                parameters[i + j] = parameter;
                if (j < place.count && place.transposed >= 0) {
                    transposed[place.transposed + j * place.apart] = parameter;
                }
            }
        }
        __syncthreads();
        for (long long base = (long long)blockIdx.x * slots; base < rows; base += (long long)gridDim.x * slots) {
            long long row = base + slot;
            seat.active = row - lane < rows;
            for (int k = seat.part; row < rows && k < inputs; k += seat.parts) {
                seat.rows[k * seat.pitch + lane] = x[row * inputs + k];
            }
            forward<false>(seat, Dropping(), (T*)0, rows, row - lane);
            for (int u = seat.part; row < rows && u < outputs; u += seat.parts) {
                z[(replica * rows + row) * outputs + u] = seat.rows[(layers[layer_count - 1].delta + u) * seat.pitch + lane];
            }
        }
        __syncthreads();  // before the next replica's parameters
    }
}
KERNEL_OF(__launch_bounds__(MAX_FUSED_THREADS, 1), fused_outputs,
          (const FusedPlan* __restrict__ plan, const FusedLayer* layers, const T* p, const T* x, T* z, int rows, int replicas),
          (plan, layers, p, x, z, rows, replicas))
