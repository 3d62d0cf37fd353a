// The general training kernel of fused_mlp.cu and fused_mlp_weighted.cu: one block trains one network.
#pragma once
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

// Trains. One block per replica, plan.slots * plan.parts threads, whole warps. weights [rows] of the data, divisors: only if WEIGHTED.
// cursor: the table's first step, and the one after the last. p, g, m, v, before: [replica][stride]; m and v are 0 if the optimizer has
// none; before receives the parameters at the start of the last step.
// taps: if not null, the kernel recomputes one replica's last step from `before` and writes only its taps.
template <bool WEIGHTED, typename T>
__device__ __forceinline__ void train_network(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y, const int* labels,
    const FusedPlan& plan, const FusedLayer* layer_table, T* p, T* g, T* m, T* v, T* before, double* metrics,
    long long* first_not_finite, const T* weights, const double* divisors, T* taps, int tapped_replica) {
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
        double terms = WEIGHTED ? divisors[entry * plan.replicas + replica] : loss == CROSS_ENTROPY ? batch : (double)batch * outputs;
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
                    of_row = row_loss<WEIGHTED>(seat.rows + lane + layers[layer_count - 1].delta * seat.pitch, seat.pitch, outputs,
                                                data_y + from * outputs, loss == CROSS_ENTROPY ? data_labels[from] : 0, loss, T(terms),
                                                WEIGHTED ? weights[from] : T(1));
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
