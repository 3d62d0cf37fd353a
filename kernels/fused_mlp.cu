// The whole training of small networks: one block trains one network, through many steps in one launch, without the host and
// without any other launch between them. Parameters, moments and gradients stay in shared memory for all of its steps, and so does
// what a step computes on its way, in a tile of rows (fused_mlp.cuh).
//
// Why it may: a sum over units is one thread's, and a sum over rows is made of segments of WARP rows, each summed row after row by one
// thread, and added up in their order. Neither the length of tiles, the number of threads nor how many networks there are shows in a
// single bit.
//
// Networks of at most NARROW units per layer have a kernel of their own in single precision, fused_narrow (fused_narrow.cuh), which is
// about twice as fast and gives the same results. fused_train is for all others, and shows the inside of a step for both; what follows
// is about it.
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
// except with the activations that the narrow kernel takes.
// Networks of several shapes in one launch: a session has one shape, so each shape has its launch. Padding the shallow to the
// deepest with masks would waste most of the work (1 layer beside 16); a table of plans, one a block, would need no more than
// another index here, but all blocks of a launch have as much shared memory and as many threads as the largest. A tile in global memory
// for networks that leave no room for it: the layered planner is faster there.

#include "fused_narrow.cuh"
#include "update.cuh"

// Blocks are never larger.
enum { MOST_FUSED_THREADS = 512 };

// The index of a thread's row in the data: the batch's own list, or none for all rows in their order.
__device__ __forceinline__ long long row_of_data(const int* batch_rows, int row) {
    return batch_rows ? batch_rows[row] : row;
}

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

// Copies the layers' table to the beginning of shared memory.
__device__ __forceinline__ const FusedLayer* copy_layers(unsigned char* shared, const FusedLayer* layers, int count) {
    for (int i = threadIdx.x; i < count * (int)(sizeof(FusedLayer) / sizeof(int)); i += blockDim.x) {
        ((int*)shared)[i] = ((const int*)layers)[i];
    }
    __syncthreads();
    return (const FusedLayer*)shared;
}

// A copy of global memory in shared memory.
template <typename T>
__device__ __forceinline__ const T* copied(const T* from, long long count, unsigned char* to) {
    for (long long i = threadIdx.x; i < count; i += blockDim.x) {
        ((T*)to)[i] = from[i];
    }
    return (const T*)to;
}

// A parameter after a step, from its clipped gradient. m, v: its moments; m may be null without momentum.
template <typename T>
__device__ __forceinline__ T updated(
    const FusedPlan& plan, T parameter, T gradient, T* m, T* v, T learning_rate, const AdamStep<T>& adam) {
    switch (plan.optimizer) {
        case SGD: return sgd_step(parameter, gradient, m, learning_rate, plan.decay1, (int)plan.nesterov, plan.weight_decay);
        case RMSPROP: return rmsprop_step(parameter, gradient, v, learning_rate, plan.decay1, plan.epsilon, plan.weight_decay);
        default:
            return adam_step(parameter, gradient, m, v, adam, plan.decay1, plan.decay2, plan.epsilon, plan.weight_decay,
                             plan.optimizer == ADAMW);
    }
}

// Elements of a vector whose places a thread remembers from step to step.
enum { PLACES_KEPT = 2 };

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

// The rows of a tile, from their inputs to the gradients and the loss of each segment.
__device__ __forceinline__ void narrow_tile(
    const NarrowNetwork& network, float terms, const float* x, const float* y, const int* labels, const int* batch_rows, int base,
    int rows_of_tile, float* tile, int row_length, const NarrowItem& item, float* gradients, double* losses) {
    int slot = threadIdx.x;
    int segment = slot / WARP;
    if (segment * WARP >= rows_of_tile) {
        return;
    }
    double loss = 0;
    if (slot < rows_of_tile) {
        long long from = row_of_data(batch_rows, base + slot);
        float target = network.single ? y[from] : 0.0f;
        NarrowRow row = {tile + slot * row_length, narrow_swizzle(slot)};
        float a[NARROW];
        float sums[NARROW];
        narrow_forward(network, row, x + from * network.inputs, a);
        loss = narrow_loss(network, row, target, y + from * network.outputs, network.loss == CROSS_ENTROPY ? labels[from] : 0, terms,
                           a, sums);
        narrow_backward(network, row, a, sums);
    }
    loss = warp_sum(loss);
    if (slot % WARP == 0) {
        losses[segment] = loss;
    }
    __syncwarp();
    float* own = tile + segment * WARP * row_length;
    int rows = rows_of_tile - segment * WARP < WARP ? rows_of_tile - segment * WARP : (int)WARP;
    narrow_gradients(item, own, row_length, rows, segment == 0 && base > 0, segment == 0 ? gradients : own);
}

// As fused_train, with the same results, where no layer has more than NARROW units and there is no dropout. The data stay in global
// memory, and a tile need not be whole segments.
__device__ __forceinline__ void fused_narrow(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,
    const int* labels, const FusedPlan& plan, const FusedLayer* layer_table, float* p, float* g, float* m, float* v, float* before,
    double* metrics, long long* first_not_finite) {
    DYNAMIC_SHARED(shared);
    int layer_count = (int)plan.layers;
    int vector = (int)plan.vector;
    int slots = (int)plan.slots;
    int row_length = (int)plan.columns;
    long long replica = blockIdx.x;
    long long first_parameter = replica * plan.stride;
    const FusedLayer* layers = copy_layers(shared, layer_table, layer_count);
    double* norms = (double*)(shared + plan.at_norms);
    double* losses = (double*)(shared + plan.at_losses);
    int* not_finite = (int*)(shared + plan.at_not_finite);  // as in fused_train
    float* parameters = (float*)(shared + plan.at_parameters);
    float* gradients = (float*)(shared + plan.at_gradients);
    float* moment1 = (float*)(shared + plan.at_moment1);
    float* moment2 = (float*)(shared + plan.at_moment2);
    float* transposed = (float*)(shared + plan.at_transposed);
    float* tile = (float*)(shared + plan.at_tile);
    const float* partials = tile + WARP * row_length;

    NarrowNetwork network = {layers, layer_count, parameters, transposed, layers[0].in, layers[layer_count - 1].out,
                             layers[0].activation, (int)plan.loss, false, false};
    network.single = network.outputs == 1 && network.loss != CROSS_ENTROPY;
    for (int l = 0; l + 1 < layer_count; l++) {
        network.padded = network.padded || layers[l].out < NARROW;
    }
    NarrowItem item = narrow_item(layers, layer_count, (int)plan.items);
    int stride = blockDim.x * HALF_UNITS;
    NarrowPlace kept[PLACES_KEPT] = {};
#pragma unroll
    for (int k = 0; k < PLACES_KEPT; k++) {
        int element = threadIdx.x * HALF_UNITS + k * stride;
        if (element < vector) {
            kept[k] = narrow_place(layers, element);
        }
    }
#pragma unroll 1
    for (int i = threadIdx.x * HALF_UNITS; i < vector; i += stride) {
        NarrowPlace place = narrow_place(layers, i);
        for (int j = 0; j < HALF_UNITS; j++) {
            bool exists = j < place.count;
            long long at = first_parameter + place.global + j;
            float parameter = exists ? p[at] : 0.0f;
            parameters[i + j] = parameter;
            gradients[i + j] = 0.0f;
            if (place.transposed >= 0) {
                transposed[place.transposed + j * NARROW] = parameter;
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
    long long first_bad_step = first_not_finite[replica];
    // One of the last warp, which has the fewest rows.
    bool reports = threadIdx.x == blockDim.x - 1;
    double clip_norm = plan.clip_norm;
    double weight_decay = plan.weight_decay;
    bool plain_sgd = plan.optimizer == SGD && !m;
    __syncthreads();

    int end = cursor[1];
    Step next_step = steps[cursor[0]];
    double next_rate = learning_rates[cursor[0] * plan.replicas + replica];
    for (int entry = cursor[0]; entry < end; entry++) {
        Step step = next_step;
        double learning_rate = next_rate;
        if (entry + 1 < end) {
            // A step ahead, because the answer takes long.
            next_step = steps[entry + 1];
            next_rate = learning_rates[(entry + 1) * plan.replicas + replica];
        }
        int batch = step.batch > 0 ? step.batch : (int)plan.data_rows;
        const int* batch_rows = step.batch > 0 ? rows + step.rows_at + replica * step.rows_stride : (const int*)0;
        double terms = network.loss == CROSS_ENTROPY ? batch : (double)batch * network.outputs;
        double loss_sum = 0;  // of the thread that reports

        // Tiles of a batch that has several are whole segments.
        int tile_rows = batch <= slots ? batch : slots / WARP * WARP;
        for (int base = 0; base < batch; base += tile_rows) {
            int rows_of_tile = batch - base < tile_rows ? batch - base : tile_rows;
            narrow_tile(network, (float)terms, x, y, labels, batch_rows, base, rows_of_tile, tile, row_length, item, gradients, losses);
            __syncthreads();
            int segments = (rows_of_tile + WARP - 1) / WARP;
            for (int i = threadIdx.x * HALF_UNITS, n = 0; i < vector; i += stride, n++) {
                NarrowPlace place = n == 0 ? kept[0] : n == 1 ? kept[1] : narrow_place(layers, i);
                add_narrow_partials(place, partials, WARP * row_length, segments, gradients);
            }
            if (reports) {
                loss_sum = added_losses(losses, segments, loss_sum);
            }
            if (base + tile_rows < batch) {
                __syncthreads();  // before the next rows' sums
            }
        }

        double squares = 0;
        if (step.record_at >= 0 || clip_norm > 0) {
            __syncthreads();
            square_narrow_gradients(layers, layer_count, gradients, norms);
            __syncthreads();
            for (int tensor = 0; tensor < 2 * layer_count; tensor++) {
                squares += norms[tensor];
            }
        }
        double scale = clip_scale(clip_norm, squares);
        if (step.record_at >= 0) {
            double mean_loss = loss_sum / terms;
            double* recorded = metrics + (step.record_at * plan.replicas + replica) * (1 + layer_count);
            for (int i = blockDim.x - 1 - threadIdx.x; i <= layer_count; i += blockDim.x) {
                recorded[i] = i == 0 ? mean_loss : sqrt(norms[2 * i - 2]);
            }
        }

        // Each thread updates those elements whose gradients it has added up.
        AdamStep<float> adam;
        if (plan.optimizer == ADAM || plan.optimizer == ADAMW) {
            adam = AdamStep<float>(step, learning_rate, weight_decay);
        }
        bool finite = true;
        bool plain = plain_sgd && scale == 1;
        for (int i = threadIdx.x * HALF_UNITS, n = 0; i < vector; i += stride, n++) {
            NarrowPlace place = n == 0 ? kept[0] : n == 1 ? kept[1] : narrow_place(layers, i);
            float gradient[HALF_UNITS];
            float parameter[HALF_UNITS];
            read4(gradients + i, gradient);
            read4(parameters + i, parameter);
            if (before && entry + 1 == end) {
                for (int j = 0; j < HALF_UNITS; j++) {
                    if (j < place.count) {
                        before[first_parameter + place.global + j] = parameter[j];
                    }
                }
            }
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                finite = finite && (j >= place.count || isfinite(gradient[j]));
            }
            if (plain) {
#pragma unroll
                for (int j = 0; j < HALF_UNITS; j++) {
                    float stepped = sgd_step(parameter[j], gradient[j], (float*)0, (float)learning_rate, 0, 0, weight_decay);
                    parameter[j] = j < place.count ? stepped : 0.0f;
                    if (place.transposed >= 0) {
                        transposed[place.transposed + j * NARROW] = parameter[j];
                    }
                }
                write4(parameter, parameters + i);
            } else {
#pragma unroll 1
                for (int j = 0; j < place.count; j++) {
                    float stepped = updated(plan, parameters[i + j], clipped(gradients[i + j], scale), m ? moment1 + i + j : m,
                                            moment2 + i + j, (float)learning_rate, adam);
                    parameters[i + j] = stepped;
                    if (place.transposed >= 0) {
                        transposed[place.transposed + j * NARROW] = stepped;
                    }
                }
            }
        }
        if (!finite) {
            not_finite[entry & 1] = 1;
        }
        __syncthreads();
        if (reports) {
            if (first_bad_step < 0 && (!isfinite(loss_sum) || not_finite[entry & 1])) {
                first_bad_step = step.number;
            }
            not_finite[entry & 1] = 0;
        }
    }

#pragma unroll 1
    for (int i = threadIdx.x * HALF_UNITS; i < vector; i += stride) {
        NarrowPlace place = narrow_place(layers, i);
#pragma unroll 1
        for (int j = 0; j < place.count; j++) {
            long long at = first_parameter + place.global + j;
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
    if (reports) {
        first_not_finite[replica] = first_bad_step;
    }
}
extern "C" __global__ void __launch_bounds__(MOST_FUSED_THREADS, 1) fused_narrow_f32(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,
    const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, float* p, float* g, float* m, float* v,
    float* before, double* metrics, long long* first_not_finite) {
    fused_narrow(cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v, before, metrics, first_not_finite);
}

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
