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

#include "fused_steps.cuh"

// An entry of the step table in shared memory, followed by the replica's learning rate.
struct OwnStep {
    Step step;
    double learning_rate;
};

// Word `word` of an entry.
__device__ __forceinline__ int word_of_step(const Step* steps, const double* learning_rates, long long replicas, long long replica,
                                            int entry, int word) {
    const int* from_steps = (const int*)(steps + entry) + word;
    const int* from_rates = (const int*)(learning_rates + entry * replicas + replica) + (word - (int)(sizeof(Step) / sizeof(int)));
    return *(word < (int)(sizeof(Step) / sizeof(int)) ? from_steps : from_rates);
}

template <typename T>
__device__ __forceinline__ Seat<T> take_seat(
    const FusedPlan& plan, const FusedLayer* layers, unsigned char* shared, T* tile, int slot) {
    Seat<T> seat;
    seat.layers = layers;
    seat.layer_count = (int)plan.layers;
    seat.parameters = (const T*)(shared + plan.at_parameters);
    seat.transposed = (const T*)(shared + plan.at_transposed);
    seat.rows = tile + slot / WARP * WARP;
    seat.pitch = (int)plan.slots + (int)Pack<T>::SIZE;
    seat.part = threadIdx.x / (int)plan.slots;
    seat.parts = (int)plan.parts;
    seat.active = false;
    return seat;
}

// A copy of global memory in shared memory.
template <typename T>
__device__ __forceinline__ const T* copied(const T* from, long long count, unsigned char* to) {
    for (long long i = threadIdx.x; i < count; i += blockDim.x) {
        ((T*)to)[i] = from[i];
    }
    return (const T*)to;
}

// Trains. One block per replica, plan->slots * plan->parts threads, whole warps.
// cursor: the table's first step, and the one after the last. p, g, m, v, before: [replica][stride]; m and v are 0 if the optimizer has
// none; before receives the parameters at the start of the last step.
// taps: if not null, the kernel recomputes one replica's last step from `before` and writes only its taps.
template <typename T>
__device__ void fused_train(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y, const int* labels,
    const FusedPlan& plan, const FusedLayer* layer_table, T* p, T* g, T* m, T* v, T* before, double* metrics,
    long long* first_not_finite, T* taps, int tapped_replica) {
    DYNAMIC_SHARED(shared);
    int layer_count = (int)plan.layers;
    int vector = (int)plan.vector;
    int slots = (int)plan.slots;
    int items = (int)plan.items;
    int inputs = layer_table[0].in;
    int outputs = layer_table[layer_count - 1].out;
    int loss = (int)plan.loss;
    int slot = threadIdx.x % slots;
    int segment = slot / WARP;
    int lane = threadIdx.x % WARP;
    long long replica = taps ? tapped_replica : blockIdx.x;
    const FusedLayer* layers = copy_layers(shared, layer_table, layer_count);
    double* norms = (double*)(shared + plan.at_norms);
    double* losses = (double*)(shared + plan.at_losses);
    // Flags for a gradient that is not finite: one for steps with an even index in the table, one for odd.
    int* not_finite = (int*)(shared + plan.at_not_finite);
    T* parameters = (T*)(shared + plan.at_parameters);
    T* gradients = (T*)(shared + plan.at_gradients);
    T* moment1 = (T*)(shared + plan.at_moment1);
    T* moment2 = (T*)(shared + plan.at_moment2);
    T* transposed = (T*)(shared + plan.at_transposed);
    T* tile = (T*)(shared + plan.at_tile);
    // The sums of the tile's second segment, and the distance between segments' sums.
    bool in_tile = plan.at_partials < 0;
    Rows<T> partials = {in_tile ? tile + WARP : (T*)(shared + plan.at_partials), in_tile ? slots + (int)Pack<T>::SIZE : (int)WARP};
    int distance = in_tile ? (int)WARP : (vector + WARP - 1) / WARP * WARP;
    Rows<T> own = {segment == 0 ? gradients : partials.first + (segment - 1) * distance, segment == 0 ? (int)WARP : partials.pitch};
    Seat<T> seat = take_seat<T>(plan, layers, shared, tile, slot);
    const T* data_x = x;
    const T* data_y = y;
    const int* data_labels = labels;
    if (plan.at_x >= 0) {
        data_x = copied(x, plan.data_rows * inputs, shared + plan.at_x);
        data_y = y ? copied(y, plan.data_rows * outputs, shared + plan.at_targets) : y;
        data_labels = labels ? copied(labels, plan.data_rows, shared + plan.at_targets) : labels;
    }
    const T* first_parameters = (taps ? before : p) + replica * plan.stride;
    OwnStep* own_steps = (OwnStep*)(shared + plan.at_steps);
    int stride = blockDim.x * HALF_UNITS;
#pragma unroll 1
    for (int i = threadIdx.x * HALF_UNITS, l = 0; i < vector; i += stride) {
        Place place = place_of(layers, layer_count, i, &l);
#pragma unroll 1
        for (int j = 0; j < HALF_UNITS; j++) {
            bool exists = j < place.count;
            long long at = replica * plan.stride + place.global + j;
            T parameter = exists ? first_parameters[place.global + j] : T(0);
            parameters[i + j] = parameter;
            gradients[i + j] = T(0);
            if (exists && place.transposed >= 0) {
                transposed[place.transposed + j * place.apart] = parameter;
            }
            if (m && exists) {
                moment1[i + j] = m[at];
            }
            if (v && exists) {
                moment2[i + j] = v[at];
            }
        }
    }
    if (threadIdx.x == 0) {
        not_finite[0] = not_finite[1] = 0;
    }
    int end = cursor[1];
    // One thread per word loads the table one step ahead, to hide the latency.
    bool reads_steps = threadIdx.x < sizeof(OwnStep) / sizeof(int);
    if (reads_steps && cursor[0] < end) {
        ((int*)(own_steps + (cursor[0] & 1)))[threadIdx.x] =
            word_of_step(steps, learning_rates, plan.replicas, replica, cursor[0], threadIdx.x);
    }
    // A thread of the last warp, which has the fewest rows.
    bool reports = threadIdx.x == blockDim.x - 1;
    __syncthreads();

    for (int entry = cursor[0]; entry < end; entry++) {
        const Step& step = own_steps[entry & 1].step;
        int batch = step.batch > 0 ? step.batch : (int)plan.data_rows;
        double terms = loss == CROSS_ENTROPY ? batch : (double)batch * outputs;
        double loss_sum = 0;  // of the reporting thread only

        Dropping dropping = {T(plan.dropout_scale) != T(1), &plan, replica, &step.number};

        for (int base = 0; base < batch; base += slots) {
            int row = base + slot;
            bool has_row = row < batch;
            seat.active = row - lane < batch;
            const int* batch_rows = step.batch > 0 ? rows + step.rows_at + replica * step.rows_stride : (const int*)0;
            long long from = has_row ? row_of_data(batch_rows, row) : 0;
            for (int k = seat.part; has_row && k < inputs; k += seat.parts) {
                seat.rows[k * seat.pitch + lane] = data_x[from * inputs + k];
            }
            forward<true>(seat, dropping, taps, batch, row - lane);
            if (seat.part == 0) {
                double of_row = 0;
                if (has_row) {
                    of_row = row_loss(seat.rows + lane + layers[layer_count - 1].delta * seat.pitch, seat.pitch, outputs,
                                      data_y + from * outputs, loss == CROSS_ENTROPY ? data_labels[from] : 0, loss, T(terms));
                }
                of_row = warp_sum(of_row);
                if (lane == 0) {
                    losses[segment] = of_row;
                }
            }
            backward(seat);
            if (taps) {
                show(seat, taps, batch, row, plan.units);
                continue;
            }
            int rows_here = batch - base - segment * WARP < WARP ? batch - base - segment * WARP : (int)WARP;
            if (rows_here > 0) {
                segment_gradients(layers, layer_count, items, tile + segment * WARP, seat.pitch, rows_here, seat.part, seat.parts,
                                  segment == 0 && base > 0, own);
            }
            __syncthreads();
            int rows_of_tile = batch - base < slots ? batch - base : slots;
            int segments = (rows_of_tile + WARP - 1) / WARP;
            add_partials(partials, distance, segments, vector, gradients);
            if (reports) {
                loss_sum = added_losses(losses, segments, loss_sum);
            }
            if (base + slots < batch) {
                __syncthreads();  // before the next rows' sums
            }
        }
        if (taps) {
            return;
        }

        int word_ahead = 0;
        if (reads_steps && entry + 1 < end) {
            word_ahead = word_of_step(steps, learning_rates, plan.replicas, replica, entry + 1, threadIdx.x);
        }

        double squares = 0;
        if (step.norms || plan.clip_norm > 0) {
            __syncthreads();
            square_gradients(layers, layer_count, gradients, norms);
            __syncthreads();
            for (int tensor = 0; tensor < 2 * layer_count; tensor++) {
                squares += norms[tensor];
            }
        }
        double scale = clip_scale(plan.clip_norm, squares);
        if (step.record_at >= 0) {
            double mean_loss = loss_sum / terms;
            double* recorded = metrics + (step.record_at * plan.replicas + replica) * (1 + layer_count);
            for (int i = blockDim.x - 1 - threadIdx.x; i <= (step.norms ? layer_count : 0); i += blockDim.x) {
                recorded[i] = i == 0 ? mean_loss : sqrt(norms[2 * i - 2]);
            }
        }

        // Each thread updates the elements whose gradients it has summed.
        double learning_rate = own_steps[entry & 1].learning_rate;
        AdamStep<T> adam;
        if (plan.optimizer == ADAM || plan.optimizer == ADAMW) {
            adam = AdamStep<T>(step, learning_rate, plan.weight_decay);
        }
        bool finite = true;
        for (int i = threadIdx.x * HALF_UNITS, l = 0; i < vector; i += stride) {
            Place place = place_of(layers, layer_count, i, &l);
#pragma unroll 1
            for (int j = 0; j < place.count; j++) {
                T gradient = gradients[i + j];
                T parameter = parameters[i + j];
                finite = finite && isfinite(gradient);
                gradient = clipped(gradient, scale);
                if (before && entry + 1 == end) {
                    before[replica * plan.stride + place.global + j] = parameter;
                }
                parameter = updated(plan, parameter, gradient, m ? moment1 + i + j : m, moment2 + i + j, T(learning_rate), adam);
                parameters[i + j] = parameter;
                if (place.transposed >= 0) {
                    transposed[place.transposed + j * place.apart] = parameter;
                }
            }
        }
        if (!finite) {
            not_finite[entry & 1] = 1;
        }
        if (reads_steps) {
            ((int*)(own_steps + (entry + 1 & 1)))[threadIdx.x] = word_ahead;
        }
        __syncthreads();
        if (reports) {
            if ((!isfinite(loss_sum) || not_finite[entry & 1]) && first_not_finite[replica] < 0) {
                first_not_finite[replica] = own_steps[entry & 1].step.number;
            }
            not_finite[entry & 1] = 0;
        }
    }

#pragma unroll 1
    for (int i = threadIdx.x * HALF_UNITS, l = 0; i < vector; i += stride) {
        Place place = place_of(layers, layer_count, i, &l);
#pragma unroll 1
        for (int j = 0; j < place.count; j++) {
            long long at = replica * plan.stride + place.global + j;
            p[at] = parameters[i + j];
            g[at] = gradients[i + j];
            if (m) {
                m[at] = moment1[i + j];
            }
            if (v) {
                v[at] = moment2[i + j];
            }
        }
    }
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
