// The whole training of small networks: one block trains one network, through many steps in one launch, without the host and
// without any other launch between them. Parameters, moments and gradients stay in shared memory for all of its steps, and so does
// what a step computes on its way, in a tile of rows (fused_mlp.cuh).
//
// Why it may: a sum over units is one thread's, and a sum over rows is made of segments of WARP rows, each summed row after row by one
// thread, and added up in their order. Neither the length of tiles, the number of threads nor how many networks there are shows in a
// single bit.
//
// Networks of at most UNITS units per layer have kernels of their own in single precision (fused_narrow.cu), which are about twice as
// fast and give the same results. fused_train is for all others, and shows the inside of a step for both; what follows is about it.
//
// What bounds it: waiting from one instruction to the next that needs its result. The notebook's 3-8x8-1 with 400 rows has 3 x 480
// weights x 400 = 576,000 multiply-adds a step, 2.3 us of one multiprocessor of an H200 in single precision and 4.5 us in double; a step
// takes several times as long (MEASURED.md). By Nsight Compute, single precision, 13 warps: 6,700 instructions per warp and step, 2.1
// of at most 4 per clock; 1,475 accesses of shared memory per warp, of at most one per clock; of the time between a warp's
// instructions 28 % waits for the one before, 18 % for shared memory, 13 % for a turn, 8 % at barriers.
//
// By the compiler at most MOST_FUSED_THREADS threads, which leaves 128 registers to each (scripts/kernel-report), so registers allow 16
// warps per multiprocessor; shared memory allows fewer. 3-8x8-1, 400 rows, sgd: in double a row takes 1,056 bytes, and a block has place
// for 160 rows at a time (5 warps, three tiles a step), in single for 416 (13 warps, one tile).
//
// Versions, 3-8x8-1, relu, fp32, us a step of one network on an H200:
//   42.3  a thread sums an item of gradients over all rows of the tile; activations go through the tile
//   23.3  a warp sums the gradients of its rows; relu in registers; two barriers a step instead of three
//   21.1  lanes whose columns are in the same bank begin with different ones (the loop over rows unrolled by 2)
//   20.4  that loop unrolled by 8 (by 1: 21.4, by 4: 20.5)
//   17.8  f' read ahead of the sums that it multiplies; no questions about units where a group of them is whole
// Several blocks per multiprocessor with shorter tiles train fewer networks than one block: FusedPlan.java.
//
// Tried and left: f' from A instead of a column of its own would halve a tile, and lose digits where f saturates (activation.cu),
// except with the activations that the narrow kernels take.
// Networks of several shapes in one launch: a session has one shape, so each shape has its launch. Padding the shallow to the
// deepest with masks would waste most of the work (1 layer beside 16); a table of plans, one a block, would need no more than
// another index here, but all blocks of a launch have as much shared memory and as many threads as the largest. A tile in global memory
// for networks that leave no room for it: the layered planner is faster there.

#include "fused_steps.cuh"

template <typename T>
__device__ __forceinline__ Seat<T> take_seat(
    const FusedPlan& plan, const FusedLayer* layers, unsigned char* shared, T* tile, int slot) {
    Seat<T> seat;
    seat.layers = layers;
    seat.layer_count = (int)plan.layers;
    seat.parameters = (const T*)(shared + plan.at_parameters);
    seat.transposed = (const T*)(shared + plan.at_transposed);
    seat.columns = tile + slot;
    seat.pitch = (int)plan.slots + 1;
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
// cursor: the first step of the table, and the one after the last. p, g, m, v, before: [replica][stride], m and v 0 where the
// optimizer has none; before takes the parameters that the last step began with.
// taps: where one replica's last step is to be shown instead of training; it starts from `before` then, and leaves nothing else.
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
    // Whether a gradient is not finite: in steps of even and odd number in the table, in turns.
    int* not_finite = (int*)(shared + plan.at_not_finite);
    T* parameters = (T*)(shared + plan.at_parameters);
    T* gradients = (T*)(shared + plan.at_gradients);
    T* moment1 = (T*)(shared + plan.at_moment1);
    T* moment2 = (T*)(shared + plan.at_moment2);
    T* transposed = (T*)(shared + plan.at_transposed);
    T* tile = (T*)(shared + plan.at_tile);
    // The sums of the tile's second segment, and from one segment's to the next one's.
    bool in_tile = plan.at_partials < 0;
    Rows<T> partials = {in_tile ? tile + WARP : (T*)(shared + plan.at_partials), in_tile ? slots + 1 : (int)WARP};
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
    Place kept[PLACES_KEPT] = {{-1, -1}, {-1, -1}};
    for (int i = threadIdx.x, n = 0, l = 0; i < vector; i += blockDim.x, n++) {
        Place place = place_of(layers, layer_count, i, &l);
#pragma unroll
        for (int k = 0; k < PLACES_KEPT; k++) {
            kept[k] = n == k ? place : kept[k];
        }
        T parameter = place.global < 0 ? T(0) : first_parameters[place.global];
        parameters[i] = parameter;
        gradients[i] = T(0);
        if (place.transposed >= 0) {
            transposed[place.transposed] = parameter;
        }
        if (m && place.global >= 0) {
            moment1[i] = m[replica * plan.stride + place.global];
        }
        if (v && place.global >= 0) {
            moment2[i] = v[replica * plan.stride + place.global];
        }
    }
    if (threadIdx.x == 0) {
        not_finite[0] = not_finite[1] = 0;
    }
    long long first_bad_step = first_not_finite[replica];
    __syncthreads();

    int end = cursor[1];
    for (int entry = cursor[0]; entry < end; entry++) {
        Step step = steps[entry];
        double learning_rate = learning_rates[entry * plan.replicas + replica];
        int batch = step.batch > 0 ? step.batch : (int)plan.data_rows;
        const int* batch_rows = step.batch > 0 ? rows + step.rows_at + replica * step.rows_stride : (const int*)0;
        double terms = loss == CROSS_ENTROPY ? batch : (double)batch * outputs;
        double loss_sum = 0;  // thread 0's

        Dropping<T> dropping = {T(plan.dropout_scale), plan.dropout_threshold,
                                (unsigned long long)plan.dropout_seed + (unsigned long long)replica, (unsigned long long)step.number};

        for (int base = 0; base < batch; base += slots) {
            int row = base + slot;
            seat.active = row < batch;
            long long from = seat.active ? row_of_data(batch_rows, row) : 0;
            for (int k = seat.part; seat.active && k < inputs; k += seat.parts) {
                seat.columns[k * seat.pitch] = data_x[from * inputs + k];
            }
            seat.wait_for_parts();
            forward<true>(seat, dropping, taps, batch, row);
            if (seat.part == 0) {
                double of_row = 0;
                if (seat.active) {
                    of_row = row_loss(seat.columns + layers[layer_count - 1].delta * seat.pitch, seat.pitch, outputs,
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
                __syncthreads();  // before the next rows
                continue;
            }
            // With one part a segment's rows are those of this warp alone.
            __syncwarp();
            int rows_here = batch - base - segment * WARP < WARP ? batch - base - segment * WARP : (int)WARP;
            if (rows_here > 0) {
                segment_gradients(layers, layer_count, items, tile + segment * WARP, seat.pitch, rows_here, seat.part, seat.parts,
                                  segment == 0 && base > 0, own);
            }
            __syncthreads();
            int rows_of_tile = batch - base < slots ? batch - base : slots;
            int segments = (rows_of_tile + WARP - 1) / WARP;
            add_partials(partials, distance, segments, vector, gradients);
            for (int i = 0; threadIdx.x == 0 && i < segments; i++) {
                loss_sum += losses[i];
            }
            if (base + slots < batch) {
                __syncthreads();  // before the next rows' sums
            }
        }
        if (taps) {
            return;
        }

        double squares = 0;
        if (step.record_at >= 0 || plan.clip_norm > 0) {
            __syncthreads();
            square_gradients(layers, layer_count, gradients, norms);
            __syncthreads();
            for (int tensor = 0; tensor < 2 * layer_count; tensor++) {
                squares += norms[tensor];
            }
        }
        double scale = clip_scale(plan.clip_norm, squares);
        double mean_loss = loss_sum / terms;
        if (step.record_at >= 0) {
            double* recorded = metrics + (step.record_at * plan.replicas + replica) * (1 + layer_count);
            for (int i = threadIdx.x; i <= layer_count; i += blockDim.x) {
                recorded[i] = i == 0 ? mean_loss : sqrt(norms[2 * i - 2]);
            }
        }

        // Each thread updates those elements whose gradients it has added up.
        AdamStep<T> adam;
        if (plan.optimizer == ADAM || plan.optimizer == ADAMW) {
            adam = AdamStep<T>(step, learning_rate, plan.weight_decay);
        }
        bool finite = true;
        for (int i = threadIdx.x, n = 0, l = 0; i < vector; i += blockDim.x, n++) {
            Place place = n == 0 ? kept[0] : n == 1 ? kept[1] : place_of(layers, layer_count, i, &l);
            if (place.global < 0) {
                continue;
            }
            T gradient = gradients[i];
            T parameter = parameters[i];
            finite = finite && isfinite(gradient);
            gradient = clipped(gradient, scale);
            if (before && entry + 1 == end) {
                before[replica * plan.stride + place.global] = parameter;
            }
            parameter = updated(plan, parameter, gradient, m ? moment1 + i : m, moment2 + i, T(learning_rate), adam);
            parameters[i] = parameter;
            if (place.transposed >= 0) {
                transposed[place.transposed] = parameter;
            }
        }
        if (!finite) {
            not_finite[entry & 1] = 1;
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            if (first_bad_step < 0 && (!isfinite(mean_loss) || not_finite[entry & 1])) {
                first_bad_step = step.number;
            }
            not_finite[entry & 1] = 0;
        }
    }

    for (int i = threadIdx.x, l = 0; i < vector; i += blockDim.x) {
        Place place = place_of(layers, layer_count, i, &l);
        if (place.global < 0) {
            continue;
        }
        long long at = replica * plan.stride + place.global;
        p[at] = parameters[i];
        g[at] = gradients[i];
        if (m) {
            m[at] = moment1[i];
        }
        if (v) {
            v[at] = moment2[i];
        }
    }
    if (threadIdx.x == 0) {
        first_not_finite[replica] = first_bad_step;
    }
}
KERNEL_OF(__launch_bounds__(MOST_FUSED_THREADS, 1), fused_train,
          (const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y,
           const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, T* p, T* g, T* m, T* v, T* before,
           double* metrics, long long* first_not_finite, T* taps, int tapped_replica),
          (cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v, before, metrics, first_not_finite, taps,
           tapped_replica))

// The outputs [replica][rows x outputs] for X [rows x inputs], with the parameters of the replicas from the first on. Blocks: x over
// tiles of rows, y over replicas; threads and shared memory as in training, with the tile there.
template <typename T>
__device__ void fused_outputs(
    const FusedPlan* plan, const FusedLayer* layer_table, const T* p, const T* x, T* z, int rows, int replicas) {
    DYNAMIC_SHARED(shared);
    int layer_count = (int)plan->layers;
    int slots = (int)plan->slots;
    int inputs = layer_table[0].in;
    int outputs = layer_table[layer_count - 1].out;
    int slot = threadIdx.x % slots;
    const FusedLayer* layers = copy_layers(shared, layer_table, layer_count);
    T* parameters = (T*)(shared + plan->at_parameters);
    T* transposed = (T*)(shared + plan->at_transposed);
    Seat<T> seat = take_seat<T>(*plan, layers, shared, (T*)(shared + plan->at_tile), slot);
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        for (int i = threadIdx.x, l = 0; i < (int)plan->vector; i += blockDim.x) {
            Place place = place_of(layers, layer_count, i, &l);
            parameters[i] = place.global < 0 ? T(0) : p[replica * plan->stride + place.global];
            if (place.transposed >= 0) {
                transposed[place.transposed] = parameters[i];
            }
        }
        __syncthreads();
        for (long long base = (long long)blockIdx.x * slots; base < rows; base += (long long)gridDim.x * slots) {
            long long row = base + slot;
            seat.active = row < rows;
            for (int k = seat.part; seat.active && k < inputs; k += seat.parts) {
                seat.columns[k * seat.pitch] = x[row * inputs + k];
            }
            seat.wait_for_parts();
            forward<false>(seat, Dropping<T>(), (T*)0, rows, row);
            for (int u = seat.part; seat.active && u < outputs; u += seat.parts) {
                z[(replica * rows + row) * outputs + u] = seat.columns[(layers[layer_count - 1].delta + u) * seat.pitch];
            }
        }
        __syncthreads();  // before the next replica's parameters
    }
}
KERNEL_OF(__launch_bounds__(MOST_FUSED_THREADS, 1), fused_outputs,
          (const FusedPlan* __restrict__ plan, const FusedLayer* layers, const T* p, const T* x, T* z, int rows, int replicas),
          (plan, layers, p, x, z, rows, replicas))
