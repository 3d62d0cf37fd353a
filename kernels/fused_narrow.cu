// The steps of a network whose layers have at most NARROW units, in single precision: a thread takes one row through all layers and
// keeps its activations and deltas in registers from one layer to the next. There is a kernel for each activation.
//
// In shared memory a tile has the numbers of one row after the other, in groups of NARROW: the inputs with the last layer's delta, A
// of each hidden layer, delta of each hidden layer. They are written for the sums over rows; only A is read back, for f'. A row has an
// odd number of groups, and rows exchange the two halves of their groups by narrow_swizzle, so that 8 neighboring rows have the same
// half of a group in different banks.
//
// Weights are NARROW x NARROW per layer in both orders, padded with 0 (FusedLayers.narrow), so that loops over units have constant
// bounds. Padded units have A and delta 0. Sums over units and over rows have the order of the general kernel, and padding adds 0 at
// their ends, which changes nothing but the sign of a sum that is 0: results are the same (NarrowTest).
//
// What bounds it: the way from shared memory to registers, 128 bytes per clock and multiprocessor. 16 bytes of weights for all lanes
// of a warp take 4 clocks, although the lanes read the same 16 bytes. 3-8x8-1 fills 1,480 registers per segment and step: for the 13
// segments of 400 rows 1,480 x 13 x 128 bytes, which is 19,240 clocks; an H200 took 19,190 per step with a kernel per activation, and
// 20,900 with one kernel that branched on the activation in each layer. The busiest of the four schedulers has about 11,400
// instructions to issue.
//
// Versions, 3-8x8-1, 400 rows, fp32, on an H200; 17.7 us and 27.7 us per step by the general kernel. The first version is the one
// here. It was measured in a probe outside the repository; these kernels themselves have not been measured:
//
//                                           a kernel per activation      one kernel
//   rows per thread                          1        2        4                 1
//   threads, registers                 416, 126  224, 192  128, 244          416, 128
//   one network, relu: us per step          9.36     9.03     10.7              10.3
//   one network, sigmoid: us per step       11.7     12.0     14.7              11.9
//   16,384 networks: 10^6 steps per s      13.62    13.82    11.71             12.49
//
// Two rows per thread read weights half as often, but have 7 warps, which wait for results; four have too few to fill any wait.
// One row is nearly as fast, wastes nothing in small batches, and is the simplest.

#include "fused_narrow_sums.cuh"
#include "fused_steps.cuh"

// The rows of a tile, from their inputs to the gradients and the loss of each segment.
template <int ACTIVATION>
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
        narrow_forward<ACTIVATION>(network, row, x + from * network.inputs, a);
        loss = narrow_loss(network, row, target, y + from * network.outputs, network.loss == CROSS_ENTROPY ? labels[from] : 0, terms,
                           a, sums);
        narrow_backward<ACTIVATION>(network, row, a, sums);
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
template <int ACTIVATION>
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
                             (int)plan.loss, false, false};
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
            narrow_tile<ACTIVATION>(network, (float)terms, x, y, labels, batch_rows, base, rows_of_tile, tile, row_length, item,
                                    gradients, losses);
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
// The kernel of an activation of the hidden layers, by the word that dev.plumb.model.Activation has for it.
#define NARROW_KERNEL(word, ACTIVATION)                                                                                            \
    extern "C" __global__ void __launch_bounds__(MOST_FUSED_THREADS, 1) fused_narrow_##word##_f32(                                 \
        const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const float* x, const float* y,       \
        const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, float* p, float* g, float* m, float* v,   \
        float* before, double* metrics, long long* first_not_finite) {                                                             \
        fused_narrow<ACTIVATION>(cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v, before, metrics,    \
                                 first_not_finite);                                                                                \
    }
NARROW_KERNEL(linear, LINEAR)
NARROW_KERNEL(relu, RELU)
NARROW_KERNEL(leaky_relu, LEAKY_RELU)
NARROW_KERNEL(sigmoid, SIGMOID)
NARROW_KERNEL(tanh, TANH)
