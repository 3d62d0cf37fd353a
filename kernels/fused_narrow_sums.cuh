// The reductions of the narrow kernels: the gradients of a segment, the sums over segments, norms.
#pragma once
#include "fused_narrow.cuh"

// A lane's share of the gradients: HALF_UNITS units by HALF_UNITS inputs of one layer, and the units' biases together with the first
// inputs. Offsets count elements.
struct NarrowItem {
    bool exists;
    // Offsets of the units' deltas and of the inputs in a row, for rows with swizzle 0 and 1.
    int delta[2];
    int input[2];
    int weights;  // offset in a vector of gradients
    int bias;     // likewise, or -1
};

__device__ __forceinline__ NarrowItem narrow_item(const FusedLayer* layers, int layer_count, int items) {
    NarrowItem of;
    int lane = threadIdx.x % WARP;
    of.exists = lane < items;
    // A lane without an item computes the last one and discards it.
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

// A lane's sums over the rows of a segment: of its item's products, and of its units' deltas.
struct NarrowSums {
    float weights[HALF_UNITS][HALF_UNITS];
    float bias[HALF_UNITS];
};

// The gradients of a segment, row after row. segment: its first row in the tile.
__device__ __forceinline__ NarrowSums sum_narrow_rows(const NarrowItem& item, const float* segment, int row_length, int rows) {
    enum { ROUND = 8 };
    const float* delta[2] = {segment + item.delta[0], segment + item.delta[1]};
    const float* input[2] = {segment + item.input[0], segment + item.input[1]};
    NarrowSums sums;
#pragma unroll
    for (int i = 0; i < HALF_UNITS; i++) {
        sums.bias[i] = 0.0f;
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            sums.weights[i][j] = 0.0f;
        }
    }
    int row = 0;
#pragma unroll 1
    for (; row + ROUND <= rows; row += ROUND) {
#pragma unroll
        for (int i = 0; i < ROUND; i++) {
            int swizzle = narrow_swizzle(i);
            add_narrow_row(delta[swizzle] + i * row_length, input[swizzle] + i * row_length, sums.weights, sums.bias);
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
        add_narrow_row((second ? delta[1] : delta[0]) + at, (second ? input[1] : input[0]) + at, sums.weights, sums.bias);
    }
    return sums;
}

// Adds a segment's gradients to `to`, or overwrites `to`, which may be the segment itself.
__device__ __forceinline__ void keep_narrow_sums(const NarrowItem& item, NarrowSums& sums, bool add, float* to) {
    __syncwarp();  // before the rows are overwritten, if `to` is the segment
    if (item.exists) {
#pragma unroll
        for (int i = 0; i < HALF_UNITS; i++) {
            float* weights = to + item.weights + i * NARROW;
            if (add) {
                float present[HALF_UNITS];
                read4(weights, present);
#pragma unroll
                for (int j = 0; j < HALF_UNITS; j++) {
                    sums.weights[i][j] += present[j];
                }
            }
            write4(sums.weights[i], weights);
        }
        if (item.bias >= 0) {
#pragma unroll
            for (int i = 0; i < HALF_UNITS; i++) {
                to[item.bias + i] = add ? to[item.bias + i] + sums.bias[i] : sums.bias[i];
            }
        }
    }
}

// HALF_UNITS adjacent elements of a vector in shared memory.
struct NarrowPlace {
    int element;     // index of the first
    int count;       // how many are not padding
    int global;      // index of the first in the replica's vector in global memory
    int transposed;  // index of the first in transposed W; the others are NARROW apart; -1 for biases
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

// Adds the gradients of `count` segments, which are `distance` elements apart, to HALF_UNITS sums, segment by segment.
__device__ __forceinline__ void add_narrow_partials(const float* partial, int distance, int count, float* sums) {
#pragma unroll 4
    for (int segment = 0; segment < count; segment++, partial += distance) {
        float values[HALF_UNITS];
        read4(partial, values);
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            sums[j] += values[j];
        }
    }
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
