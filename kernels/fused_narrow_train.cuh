// The training kernel of narrow networks, with one block per network (fused_narrow.cu) or a cluster of blocks (fused_cluster.cu).
#pragma once
#include "fused_narrow_shares.cuh"
#include "fused_steps.cuh"

// Processes the block's rows of a tile, from their inputs to the gradients and the loss of each segment.
template <int ACTIVATION, int BLOCKS, bool WEIGHTED>
__device__ __forceinline__ void narrow_tile(
    const NarrowNetwork& network, float terms, const float* x, const float* y, const int* labels, const float* weights,
    const int* batch_rows, int base, int rows_of_tile, float* tile, int row_length, const NarrowItem& item,
    const NarrowShare<BLOCKS>& share, float* gradients, double* losses) {
    int slot = threadIdx.x;
    int segment = slot / WARP * BLOCKS + share.rank;
    if (segment * WARP >= rows_of_tile) {
        return;
    }
    int place = BLOCKS > ONE_BLOCK ? segment * WARP + slot % WARP : slot;
    double loss = 0;
    if (place < rows_of_tile) {
        long long from = row_of_data(batch_rows, base + place);
        float target = network.single ? y[from] : 0.0f;
        NarrowRow row = {tile + slot * row_length, narrow_swizzle(slot)};
        float a[NARROW];
        float sums[NARROW];
        narrow_forward<ACTIVATION>(network, row, x + from * network.inputs, a);
        loss = narrow_loss<WEIGHTED>(network, row, target, y + from * network.outputs,
                                     network.loss == CROSS_ENTROPY ? labels[from] : 0, terms, WEIGHTED ? weights[from] : 1.0f, a,
                                     sums);
        narrow_backward<ACTIVATION>(network, row, a, sums);
    }
    loss = warp_sum(loss);
    if (slot % WARP == 0) {
        if (BLOCKS > ONE_BLOCK) {
            write_remote(loss, remote(losses + segment, 0));
        } else {
            losses[segment] = loss;
        }
    }
    __syncwarp();
    float* own = tile + slot / WARP * WARP * row_length;
    int rows = rows_of_tile - segment * WARP < WARP ? rows_of_tile - segment * WARP : (int)WARP;
    NarrowSums sums = sum_narrow_rows(item, own, row_length, rows);
    if (BLOCKS > ONE_BLOCK) {
        share.send(item, segment, sums);
    } else {
        keep_narrow_sums(item, sums, segment == 0 && base > 0, segment == 0 ? gradients : own);
    }
}

// Same results as fused_train, for networks without dropout whose layers have at most NARROW units. The data stay in global memory, and a
// tile need not be a whole number of segments. Several blocks take the segments of a tile in turn. Each block has all parameters,
// gradients and moments, sums the gradients of its share of the elements, and sends the sums to all blocks; then each does the whole
// update. The first block has the losses and reports them. weights, divisors: only if WEIGHTED.
template <int ACTIVATION, int BLOCKS, bool WEIGHTED>
__device__ __forceinline__ void fused_narrow(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,
    const int* labels, const FusedPlan& plan, const FusedLayer* layer_table, float* p, float* g, float* m, float* v, float* before,
    double* metrics, long long* first_not_finite, const float* weights, const double* divisors) {
    DYNAMIC_SHARED(shared);
    int layer_count = (int)plan.layers;
    int vector = (int)plan.vector;
    int slots = (int)plan.slots;
    int row_length = (int)plan.columns;
    long long replica = blockIdx.x / BLOCKS;
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
                             (int)plan.loss, false, false};
    network.single = network.outputs == 1 && network.loss != CROSS_ENTROPY;
    for (int l = 0; l + 1 < layer_count; l++) {
        network.padded = network.padded || layers[l].out < NARROW;
    }
    NarrowItem item = narrow_item(layers, layer_count, (int)plan.items);
    NarrowShare<BLOCKS> share(layers, vector, item, (float*)(shared + plan.at_partials));
    bool first_block = share.rank == 0;
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
    // A thread of the last warp, which has the fewest rows.
    bool reports = first_block && threadIdx.x == blockDim.x - 1;
    double clip_norm = plan.clip_norm;
    double weight_decay = plan.weight_decay;
    bool plain_sgd = plan.optimizer == SGD && !m;
    cluster_sync<BLOCKS>();  // also because a block must not write to one that has not started

    int end = cursor[1];
    Step next_step = steps[cursor[0]];
    double next_rate = learning_rates[cursor[0] * plan.replicas + replica];
    for (int entry = cursor[0]; entry < end; entry++) {
        Step step = next_step;
        double learning_rate = next_rate;
        if (entry + 1 < end) {
            // Loaded a step ahead, to hide the latency.
            next_step = steps[entry + 1];
            next_rate = learning_rates[(entry + 1) * plan.replicas + replica];
        }
        int batch = step.batch > 0 ? step.batch : (int)plan.data_rows;
        const int* batch_rows = step.batch > 0 ? rows + step.rows_at + replica * step.rows_stride : (const int*)0;
        double terms = WEIGHTED ? divisors[entry * plan.replicas + replica]
                                : network.loss == CROSS_ENTROPY ? batch : (double)batch * network.outputs;
        double loss_sum = 0;  // of the reporting thread only

        // If a batch has several tiles, each is a whole number of segments.
        int tile_rows = batch <= slots ? batch : slots / WARP * WARP;
        for (int base = 0; base < batch; base += tile_rows) {
            int rows_of_tile = batch - base < tile_rows ? batch - base : tile_rows;
            bool last_tile = base + tile_rows >= batch;
            narrow_tile<ACTIVATION, BLOCKS, WEIGHTED>(network, (float)terms, x, y, labels, weights, batch_rows, base, rows_of_tile, tile,
                                                      row_length, item, share, gradients, losses);
            cluster_sync<BLOCKS>();
            int segments = (rows_of_tile + WARP - 1) / WARP;
            if (BLOCKS > ONE_BLOCK) {
                share.add(segments, base > 0, last_tile, gradients);
            } else {
                for (int i = threadIdx.x * HALF_UNITS, n = 0; i < vector; i += stride, n++) {
                    NarrowPlace place = n == 0 ? kept[0] : n == 1 ? kept[1] : narrow_place(layers, i);
                    float sums[HALF_UNITS];
                    read4(gradients + place.element, sums);
                    add_narrow_partials(partials + place.element, WARP * row_length, segments - 1, sums);
                    clear_padding<HALF_UNITS>(place.count, sums);
                    write4(sums, gradients + place.element);
                }
            }
            if (reports) {
                loss_sum = added_losses(losses, segments, loss_sum);
            }
            if (BLOCKS > ONE_BLOCK || !last_tile) {
                cluster_sync<BLOCKS>();  // before the next rows' sums, and for the gradients that were sent
            }
        }

        double squares = 0;
        if (step.norms || clip_norm > 0) {
            if (BLOCKS == ONE_BLOCK) {
                __syncthreads();
            }
            square_narrow_gradients(layers, layer_count, gradients, norms);
            __syncthreads();
            for (int tensor = 0; tensor < 2 * layer_count; tensor++) {
                squares += norms[tensor];
            }
        }
        double scale = clip_scale(clip_norm, squares);
        if (step.record_at >= 0 && first_block) {
            double mean_loss = loss_sum / terms;
            double* recorded = metrics + (step.record_at * plan.replicas + replica) * (1 + layer_count);
            for (int i = blockDim.x - 1 - threadIdx.x; i <= (step.norms ? layer_count : 0); i += blockDim.x) {
                recorded[i] = i == 0 ? mean_loss : sqrt(norms[2 * i - 2]);
            }
        }

        // Each thread updates the elements whose gradients it has summed.
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
            if (before && first_block && entry + 1 == end) {
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
    for (int i = threadIdx.x * HALF_UNITS; first_block && i < vector; i += stride) {
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
