// The building blocks of the narrow kernels: their view of the network, and the forward and backward pass of a row.
#pragma once
#include "fused_sums.cuh"

// The largest number of units of a layer, and of inputs. At most HALF_UNITS outputs.
enum { NARROW = UNITS };
// Elements of a layer in the vectors of shared memory: W [NARROW x NARROW] and b; W again, transposed, elsewhere.
enum { NARROW_WEIGHTS = NARROW * NARROW, NARROW_LAYER = NARROW_WEIGHTS + NARROW };

typedef Pack<float> Pack4;

// Which half of a group a row stores first: 0 for the first, 1 for the second.
__device__ __forceinline__ int narrow_swizzle(int row) {
    return row >> 2 & 1;
}

// HALF_UNITS adjacent numbers in shared memory.
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

// The same in one instruction; nvcc compiles write4 to four stores in some places, each with bank conflicts.
__device__ __forceinline__ void write4_at_once(const float* values, float* to) {
    asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};"
                 :
                 : "r"((unsigned)__cvta_generic_to_shared(to)), "f"(values[0]), "f"(values[1]), "f"(values[2]), "f"(values[3])
                 : "memory");
}

// A thread's row in the tile.
struct NarrowRow {
    float* groups;
    int swizzle;

    // Half a group, starting at element `first`, which is 0 or HALF_UNITS.
    __device__ __forceinline__ float* half(int group, int first) const {
        return groups + group + (first ^ swizzle * HALF_UNITS);
    }

    __device__ __forceinline__ void read(int group, float* values) const {
        read4(half(group, 0), values);
        read4(half(group, HALF_UNITS), values + HALF_UNITS);
    }

    __device__ __forceinline__ void write(int group, const float* values) const {
        write4_at_once(values, half(group, 0));
        write4_at_once(values + HALF_UNITS, half(group, HALF_UNITS));
    }
};

// A thread's view of the network, the same in all steps.
struct NarrowNetwork {
    const FusedLayer* layers;
    int layer_count;
    const float* parameters;
    const float* transposed;
    int inputs;
    int outputs;
    int loss;
    bool single;  // whether there is one output, and no classes
    bool padded;  // whether a hidden layer has fewer than NARROW units
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

// f of a layer's Z, for the activations that NarrowPlan.java accepts.
template <int ACTIVATION>
__device__ __forceinline__ void narrow_activate(float* values) {
#pragma unroll
    for (int j = 0; j < NARROW; j++) {
        values[j] = activate(values[j], ACTIVATION);
    }
}

// sums *= f', computed from A: the same bits as derivative(z), for these activations. If A is NaN, relu's f' is not, but the sums are,
// because A is part of every output.
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

// Keeps padding 0 if f(0) is not 0, or if padding was multiplied by an infinite factor.
template <int COUNT>
__device__ __forceinline__ void clear_padding(int units, float* values) {
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
        values[j] = j < units ? values[j] : 0.0f;
    }
}

// The forward pass: from a row's inputs to A of the last hidden layer.
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
            clear_padding<NARROW>(network.layers[l].out, a);
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

// From A of the last hidden layer: the loss of a row, the last layer's delta, and the sums for the layer below.
// target: for a single output. targets, label: for several. terms, weight: as for row_loss.
template <bool WEIGHTED>
__device__ __forceinline__ double narrow_loss(
    const NarrowNetwork& network, const NarrowRow& row, float target, const float* targets, int label, float terms, float weight,
    const float* a, float* sums) {
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
        if (WEIGHTED) {
            of_unit *= weight;
        }
        float values[HALF_UNITS] = {of_unit};
        write4(values, delta);
        add_narrow_products(of_unit, weights, sums);
        double of_row = loss_term(z, target, network.loss);
        return WEIGHTED ? (double)weight * of_row : of_row;
    }
#pragma unroll 1
    for (int u = 0; u < HALF_UNITS; u++) {
        delta[u] = u < network.outputs ? narrow_output(weights + u * NARROW, weights[NARROW_WEIGHTS + u], a) : 0.0f;
    }
    double loss = row_loss<WEIGHTED>(delta, 1, network.outputs, targets, label, network.loss, terms, weight);
#pragma unroll 1
    for (int u = 0; u < network.outputs; u++) {
        add_narrow_products(delta[u], weights + u * NARROW, sums);
    }
    return loss;
}

// The backward pass: from the last layer's sums to the deltas of all hidden layers. a: A of the last hidden layer.
template <int ACTIVATION>
__device__ __forceinline__ void narrow_backward(const NarrowNetwork& network, const NarrowRow& row, float* a, float* sums) {
    int l = network.layer_count - 2;
    int group = network.layers[l].delta;
    int group_below = network.layers[l].input;  // A of the layer below
    const float* weights = network.parameters + l * NARROW_LAYER;
    for (;; l--, group -= NARROW, group_below -= NARROW, weights -= NARROW_LAYER) {
        narrow_derive<ACTIVATION>(a, sums);
        if (network.padded) {
            clear_padding<NARROW>(network.layers[l].out, sums);
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
