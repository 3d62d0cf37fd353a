// The parts of a step of fused_narrow.cu: a row's passes through the layers, the gradients of a segment, their sums and norms.
#pragma once
#include "fused_sums.cuh"

// Units of a layer, at most; inputs too. HALF_UNITS outputs at most.
enum { NARROW = UNITS };
// Elements of a layer in the vectors of shared memory: W [NARROW x NARROW] and b; W again, transposed, elsewhere.
enum { NARROW_WEIGHTS = NARROW * NARROW, NARROW_LAYER = NARROW_WEIGHTS + NARROW };

typedef Pack<float> Pack4;

// Which half of a group a row has first: 0 for the first, 1 for the second.
__device__ __forceinline__ int narrow_swizzle(int row) {
    return row >> 2 & 1;
}

// HALF_UNITS neighboring numbers of shared memory.
__device__ __forceinline__ void read4(const float* from, float* values) {
    Pack4 pack = *(const Pack4*)from;
#pragma unroll
    for (int i = 0; i < HALF_UNITS; i++) {
        values[i] = pack.of[i];
    }
}

__device__ __forceinline__ void write4(const float* values, float* to) {
    Pack4 pack;
#pragma unroll
    for (int i = 0; i < HALF_UNITS; i++) {
        pack.of[i] = values[i];
    }
    *(Pack4*)to = pack;
}

// A thread's row in the tile.
struct NarrowRow {
    float* groups;
    int swizzle;

    // Half a group, from its element `first` on, which is 0 or HALF_UNITS.
    __device__ __forceinline__ float* half(int group, int first) const {
        return groups + group + (first ^ swizzle * HALF_UNITS);
    }

    __device__ __forceinline__ void read(int group, float* values) const {
        read4(half(group, 0), values);
        read4(half(group, HALF_UNITS), values + HALF_UNITS);
    }

    __device__ __forceinline__ void write(int group, const float* values) const {
        write4(values, half(group, 0));
        write4(values + HALF_UNITS, half(group, HALF_UNITS));
    }
};

// A network as a thread sees it in all steps.
struct NarrowNetwork {
    const FusedLayer* layers;
    int layer_count;
    const float* parameters;
    const float* transposed;
    int inputs;
    int outputs;
    int loss;
    bool single;  // whether there is one output, and no class
    bool padded;  // whether a hidden layer has less than NARROW units
};

// sums[j] += factor * weights[j] for all NARROW units j.
__device__ __forceinline__ void add_narrow_products(float factor, const float* weights, float* sums) {
    float row[NARROW];
    read4(weights, row);
    read4(weights + HALF_UNITS, row + HALF_UNITS);
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        sums[j] += factor * row[j];
    }
}

// sigmoid(z) with the same bits. The division has the instructions that nvcc makes of one, but for its branch on operands that need
// more, so that several overlap. These need no more: the denominator is 1 to 2, and exactly 1, which makes all steps exact, where the
// numerator is below 2^-25. Otherwise no intermediate result is below the normal numbers.
__device__ __forceinline__ float narrow_sigmoid(float z) {
    float e = exp(-fabs(z));
    float numerator = z >= 0.0f ? 1.0f : e;
    float denominator = 1.0f + e;
    float reciprocal;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(reciprocal) : "f"(denominator));
    reciprocal = fmaf(fmaf(-denominator, reciprocal, 1.0f), reciprocal, reciprocal);
    float quotient = numerator * reciprocal;
    return fmaf(fmaf(-denominator, quotient, numerator), reciprocal, quotient);
}

// f of a layer's Z, for the activations that NarrowPlan.java takes.
template <int ACTIVATION>
__device__ __forceinline__ void narrow_activate(float* values) {
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        values[j] = ACTIVATION == SIGMOID ? narrow_sigmoid(values[j]) : activate(values[j], ACTIVATION);
    }
}

// sums *= f', made from A: the same bits as derivative(z), for these activations. Where A is NaN relu's f' is not, but the sums are:
// A is in every output.
template <int ACTIVATION>
__device__ __forceinline__ void narrow_derive(const float* a, float* sums) {
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        switch (ACTIVATION) {
            case RELU: sums[j] = (a[j] > 0.0f ? 1.0f : 0.0f) * sums[j]; break;
            case LEAKY_RELU: sums[j] = (a[j] > 0.0f ? 1.0f : 0.01f) * sums[j]; break;
            case SIGMOID: sums[j] = a[j] * (1.0f - a[j]) * sums[j]; break;
            case TANH: sums[j] = (1.0f - a[j] * a[j]) * sums[j]; break;
        }
    }
}

// Padding stays 0 where f(0) is not, or where an infinite factor met it.
__device__ __forceinline__ void clear_padding(int units, float* values) {
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        values[j] = j < units ? values[j] : 0.0f;
    }
}

// From a row's inputs to A of the last hidden layer.
template <int ACTIVATION>
__device__ __forceinline__ void narrow_forward(const NarrowNetwork& network, const NarrowRow& row, const float* x, float* a) {
    int inputs = network.inputs;
    read4(network.parameters + NARROW_WEIGHTS, a);
    read4(network.parameters + NARROW_WEIGHTS + HALF_UNITS, a + HALF_UNITS);
    for (int first = 0; first < inputs; first += HALF_UNITS) {
        float in[HALF_UNITS];
#pragma unroll
        for (int k = 0; k < HALF_UNITS; k++) {
            in[k] = first + k < inputs ? x[first + k] : 0.0f;
        }
#pragma unroll
        for (int k = 0; k < HALF_UNITS; k++) {
            add_narrow_products(in[k], network.transposed + (first + k) * NARROW, a);
        }
        write4(in, row.half(network.layers[0].input, first));
    }
    const float* transposed = network.transposed;
    const float* biases = network.parameters + NARROW_WEIGHTS;
    int group = network.layers[1].input;
    for (int l = 0;; l++, group += NARROW) {
        narrow_activate<ACTIVATION>(a);
        if (network.padded) {
            clear_padding(network.layers[l].out, a);
        }
        row.write(group, a);
        if (l + 2 == network.layer_count) {
            return;
        }
        transposed += NARROW_WEIGHTS;
        biases += NARROW_LAYER;
        float z[NARROW];
        read4(biases, z);
        read4(biases + HALF_UNITS, z + HALF_UNITS);
#pragma unroll
        for (int k = 0; k < NARROW; k++) {
            add_narrow_products(a[k], transposed + k * NARROW, z);
        }
#pragma unroll
        for (int j = 0; j < NARROW; j++) {
            a[j] = z[j];
        }
    }
}

// Z of one unit of the last layer.
__device__ __forceinline__ float narrow_output(const float* weights, float bias, const float* a) {
    float row[NARROW];
    read4(weights, row);
    read4(weights + HALF_UNITS, row + HALF_UNITS);
    float z = bias;
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        z += a[j] * row[j];
    }
    return z;
}

// The loss of a row, and from A of the last hidden layer the last layer's delta, with the sums that it gives the layer below.
// target: of a single output. targets, label: of others.
__device__ __forceinline__ double narrow_loss(
    const NarrowNetwork& network, const NarrowRow& row, float target, const float* targets, int label, float terms, const float* a,
    float* sums) {
    const FusedLayer& last = network.layers[network.layer_count - 1];
    const float* weights = network.parameters + (network.layer_count - 1) * NARROW_LAYER;
    // The last layer's delta is the second half of the first group, or the first half of the second one.
    float* delta = row.half(last.delta / NARROW * NARROW, last.delta % NARROW);
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        sums[j] = 0.0f;
    }
    if (network.single) {
        float z = narrow_output(weights, weights[NARROW_WEIGHTS], a);
        float of_unit = loss_term_derivative(z, target, network.loss) / terms;
        float values[HALF_UNITS] = {of_unit};
        write4(values, delta);
        add_narrow_products(of_unit, weights, sums);
        return loss_term(z, target, network.loss);
    }
#pragma unroll 1
    for (int u = 0; u < HALF_UNITS; u++) {
        delta[u] = u < network.outputs ? narrow_output(weights + u * NARROW, weights[NARROW_WEIGHTS + u], a) : 0.0f;
    }
    double loss = row_loss(delta, 1, network.outputs, targets, label, network.loss, terms);
#pragma unroll 1
    for (int u = 0; u < network.outputs; u++) {
        add_narrow_products(delta[u], weights + u * NARROW, sums);
    }
    return loss;
}

// From the last layer's sums to the deltas of all hidden layers. a: A of the last hidden layer.
template <int ACTIVATION>
__device__ __forceinline__ void narrow_backward(const NarrowNetwork& network, const NarrowRow& row, float* a, float* sums) {
    int l = network.layer_count - 2;
    int group = network.layers[l].delta;
    int group_below = network.layers[l].input;  // A of the layer below
    const float* weights = network.parameters + l * NARROW_LAYER;
    for (;; l--, group -= NARROW, group_below -= NARROW, weights -= NARROW_LAYER) {
        narrow_derive<ACTIVATION>(a, sums);
        if (network.padded) {
            clear_padding(network.layers[l].out, sums);
        }
        row.write(group, sums);
        if (l == 0) {
            return;
        }
        row.read(group_below, a);
        float below[NARROW];
#pragma unroll
        for (int j = 0; j < NARROW; j++) {
            below[j] = 0.0f;
        }
#pragma unroll
        for (int u = 0; u < NARROW; u++) {
            add_narrow_products(sums[u], weights + u * NARROW, below);
        }
#pragma unroll
        for (int j = 0; j < NARROW; j++) {
            sums[j] = below[j];
        }
    }
}

// A lane's share of the gradients: HALF_UNITS units by HALF_UNITS inputs of one layer, and the units' biases with the first inputs.
// Places count elements.
struct NarrowItem {
    bool exists;
    // Of the units' deltas and of the inputs in a row: as rows have them whose swizzle is 0, and 1.
    int delta[2];
    int input[2];
    int weights;  // in a vector of gradients
    int bias;     // there too, or -1
};

__device__ __forceinline__ NarrowItem narrow_item(const FusedLayer* layers, int layer_count, int items) {
    NarrowItem of;
    int lane = threadIdx.x % WARP;
    of.exists = lane < items;
    // A lane without an item repeats the last one, and keeps nothing.
    int item = of.exists ? lane : items - 1;
    int l = 0;
    while (l + 1 < layer_count && item >= layers[l + 1].first_item) {
        l++;
    }
    const FusedLayer& layer = layers[l];
    int halves = layer.in > HALF_UNITS ? 2 : 1;
    int unit = (item - layer.first_item) / halves * HALF_UNITS;
    int input = (item - layer.first_item) % halves * HALF_UNITS;
#pragma unroll
    for (int swizzle = 0; swizzle < 2; swizzle++) {
        of.delta[swizzle] = (layer.delta + unit) ^ swizzle * HALF_UNITS;
        of.input[swizzle] = (layer.input + input) ^ swizzle * HALF_UNITS;
    }
    of.weights = layer.weights + unit * NARROW + input;
    of.bias = input == 0 ? layer.bias + unit : -1;
    return of;
}

__device__ __forceinline__ void add_narrow_row(
    const float* delta, const float* input, float (*sums)[HALF_UNITS], float* bias) {
    float d[HALF_UNITS];
    float in[HALF_UNITS];
    read4(input, in);
    read4(delta, d);
#pragma unroll
    for (int i = 0; i < HALF_UNITS; i++) {
        bias[i] += d[i];
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            sums[i][j] += d[i] * in[j];
        }
    }
}

// The gradients of a segment, row after row. segment: its first row in the tile. They are added to what is in `to`, or replace it.
// `to` may be the segment itself.
__device__ __forceinline__ void narrow_gradients(
    const NarrowItem& item, const float* segment, int row_length, int rows, bool add, float* to) {
    enum { ROUND = 8 };
    const float* delta[2] = {segment + item.delta[0], segment + item.delta[1]};
    const float* input[2] = {segment + item.input[0], segment + item.input[1]};
    float sums[HALF_UNITS][HALF_UNITS];
    float bias[HALF_UNITS];
#pragma unroll
    for (int i = 0; i < HALF_UNITS; i++) {
        bias[i] = 0.0f;
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            sums[i][j] = 0.0f;
        }
    }
    int row = 0;
#pragma unroll 1
    for (; row + ROUND <= rows; row += ROUND) {
#pragma unroll
        for (int i = 0; i < ROUND; i++) {
            int swizzle = narrow_swizzle(i);
            add_narrow_row(delta[swizzle] + i * row_length, input[swizzle] + i * row_length, sums, bias);
        }
#pragma unroll
        for (int swizzle = 0; swizzle < 2; swizzle++) {
            delta[swizzle] += ROUND * row_length;
            input[swizzle] += ROUND * row_length;
        }
    }
#pragma unroll 1
    for (int at = 0; row < rows; row++, at += row_length) {
        bool second = narrow_swizzle(row) == 1;
        add_narrow_row((second ? delta[1] : delta[0]) + at, (second ? input[1] : input[0]) + at, sums, bias);
    }
    __syncwarp();  // before the rows are overwritten, where the sums go there
    if (item.exists) {
#pragma unroll
        for (int i = 0; i < HALF_UNITS; i++) {
            float* weights = to + item.weights + i * NARROW;
            if (add) {
                float present[HALF_UNITS];
                read4(weights, present);
#pragma unroll
                for (int j = 0; j < HALF_UNITS; j++) {
                    sums[i][j] += present[j];
                }
            }
            write4(sums[i], weights);
        }
        if (item.bias >= 0) {
#pragma unroll
            for (int i = 0; i < HALF_UNITS; i++) {
                to[item.bias + i] = add ? to[item.bias + i] + bias[i] : bias[i];
            }
        }
    }
}

// HALF_UNITS neighboring elements of a vector of shared memory.
struct NarrowPlace {
    int element;     // the first one
    int count;       // of them that are not padding
    int global;      // the first one's, in the replica's vector of global memory
    int transposed;  // the first one's; the others' are NARROW apart; -1 for biases
};

__device__ __forceinline__ NarrowPlace narrow_place(const FusedLayer* layers, int element) {
    const FusedLayer& layer = layers[element / NARROW_LAYER];
    int of_layer = element % NARROW_LAYER;
    int first = of_layer % NARROW;
    int unit = of_layer / NARROW;
    bool bias = of_layer >= NARROW_WEIGHTS;
    int end = bias ? layer.out : unit < layer.out ? layer.in : 0;
    NarrowPlace place;
    place.element = element;
    place.count = end < first ? 0 : end - first < HALF_UNITS ? end - first : (int)HALF_UNITS;
    place.global = bias ? layer.global_bias + first : layer.global_weights + unit * layer.in + first;
    place.transposed = bias ? -1 : element / NARROW_LAYER * NARROW_WEIGHTS + first * NARROW + unit;
    return place;
}

// Adds the gradients of a tile's segments after the first, which are `distance` elements apart, to those of the first. Padding
// becomes 0.
__device__ __forceinline__ void add_narrow_partials(
    const NarrowPlace& place, const float* second, int distance, int segments, float* gradients) {
    float sums[HALF_UNITS];
    read4(gradients + place.element, sums);
    const float* partial = second + place.element;
#pragma unroll 4
    for (int segment = 1; segment < segments; segment++, partial += distance) {
        float values[HALF_UNITS];
        read4(partial, values);
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            sums[j] += values[j];
        }
    }
#pragma unroll
    for (int j = 0; j < HALF_UNITS; j++) {
        sums[j] = j < place.count ? sums[j] : 0.0f;
    }
    write4(sums, gradients + place.element);
}

// A sum, and what the segments of a tile add to it, one after the other; several are read ahead.
__device__ __forceinline__ double added_losses(const double* losses, int segments, double sum) {
    enum { AHEAD = 16 };
    for (int first = 0; first < segments; first += AHEAD) {
        double terms[AHEAD];
#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            terms[i] = first + i < segments ? losses[first + i] : 0;
        }
#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            sum = first + i < segments ? sum + terms[i] : sum;
        }
    }
    return sum;
}

// As square_gradients, in the order of rows of weights that are padded to HALF_UNITS.
__device__ __forceinline__ void square_narrow_gradients(
    const FusedLayer* layers, int layer_count, const float* gradients, double* norms) {
    for (int tensor = threadIdx.x / WARP; tensor < 2 * layer_count; tensor += blockDim.x / WARP) {
        const FusedLayer& layer = layers[tensor / 2];
        bool bias = tensor % 2 == 1;
        const float* first = gradients + (bias ? layer.bias : layer.weights);
        int row = bias || layer.in > HALF_UNITS ? (int)NARROW : (int)HALF_UNITS;
        int count = bias ? layer.out : layer.out * row;
        double sum = 0;
#pragma unroll 1
        for (int i = threadIdx.x % WARP; i < count; i += WARP) {
            double gradient = first[i / row * NARROW + i % row];
            sum += gradient * gradient;
        }
        sum = warp_sum(sum);
        if (threadIdx.x % WARP == 0) {
            norms[tensor] = sum;
        }
    }
}
