// The reductions of the fused kernels over rows and over gradients, and copies between vectors in shared and in global memory.
#pragma once
#include "fused_mlp.cuh"

// A vector of gradients in rows of WARP elements, a pitch apart: linear, or across the columns of a tile's segment.
template <typename T>
struct Rows {
    T* first;
    int pitch;

    __device__ __forceinline__ T* at(int element) const {
        return first + element / WARP * pitch + element % WARP;
    }
};

// In wide layers adjacent items have columns 4 apart, and every second item starts elsewhere; in layers of 8 units items have columns 16
// apart, and those of every second layer start elsewhere.
__device__ __forceinline__ int turn_of(int column) {
    return column / 8 + column / 32;
}

// The gradients of a segment, which is the WARP rows that the calling warp (or the warps of its parts) processed. An item is the
// gradients of HALF_UNITS units by HALF_UNITS inputs and, with the first inputs, of the units' biases; each lane computes one item.
// columns: the tile, starting at the segment's first row. rows: number of rows in the segment. sums: the gradients are added to them or
// replace them; if they are in the segment's own columns, there are no more items than lanes.
//
// A lane loads 16 bytes of a column at once, and eight lanes are served together. A pitch is a multiple of all banks plus 16 bytes, so
// columns whose distance is a multiple of 8 are in the same banks. So lanes start with different ones of their HALF_UNITS columns
// (turn_of).
//
// A segment's rows are summed one by one, and segments in order (add_partials). A tile is a whole number of segments, so rounding depends
// neither on its length nor on the number of threads.
template <typename T>
__device__ __forceinline__ void segment_gradients(
    const FusedLayer* layers, int layer_count, int items, const T* columns, int pitch, int rows, int part, int parts, bool add,
    Rows<T> to) {
    enum { PACK = Pack<T>::SIZE, AT_ONCE = sizeof(T) == 4 ? 2 : 1 };
    int l = 0;
    for (int first = WARP * part; first < items; first += WARP * parts) {
        // A lane without an item computes the last one and discards it.
        int item = first + (int)threadIdx.x % WARP;
        bool kept = item < items;
        item = kept ? item : items - 1;
        while (l + 1 < layer_count && item >= layers[l + 1].first_item) {
            l++;
        }
        const FusedLayer& layer = layers[l];
        int groups = layer.in_padded / HALF_UNITS;
        int unit = (item - layer.first_item) / groups * HALF_UNITS;
        int first_input = (item - layer.first_item) % groups * HALF_UNITS;
        int turn_of_units = turn_of(layer.delta + unit);
        int turn_of_inputs = turn_of(layer.input + first_input);
        const T* delta[HALF_UNITS];
        const T* input[HALF_UNITS];
        T sums[HALF_UNITS][HALF_UNITS];
        T bias[HALF_UNITS];
#pragma unroll
        for (int i = 0; i < HALF_UNITS; i++) {
            // A column beyond the last one is replaced by the first; its sums are padding.
            int of_unit = unit + (i + turn_of_units) % HALF_UNITS;
            int of_input = first_input + (i + turn_of_inputs) % HALF_UNITS;
            delta[i] = columns + (layer.delta + (of_unit < layer.out ? of_unit : unit)) * pitch;
            input[i] = columns + (layer.input + (of_input < layer.in ? of_input : first_input)) * pitch;
            bias[i] = T(0);
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                sums[i][j] = T(0);
            }
        }
        int row = 0;
#pragma unroll(AT_ONCE)
        for (; row + PACK <= rows; row += PACK) {
            Pack<T> in[HALF_UNITS];
            Pack<T> d[HALF_UNITS];
#pragma unroll
            for (int i = 0; i < HALF_UNITS; i++) {
                in[i] = *(const Pack<T>*)input[i];
                d[i] = *(const Pack<T>*)delta[i];
                input[i] += PACK;
                delta[i] += PACK;
            }
#pragma unroll
            for (int k = 0; k < PACK; k++) {
#pragma unroll
                for (int i = 0; i < HALF_UNITS; i++) {
                    bias[i] += d[i].of[k];
#pragma unroll
                    for (int j = 0; j < HALF_UNITS; j++) {
                        sums[i][j] += d[i].of[k] * in[j].of[k];
                    }
                }
            }
        }
#pragma unroll 1
        for (int k = 0; row < rows; row++, k++) {
#pragma unroll
            for (int i = 0; i < HALF_UNITS; i++) {
                T d = delta[i][k];
                bias[i] += d;
#pragma unroll
                for (int j = 0; j < HALF_UNITS; j++) {
                    sums[i][j] += d * input[j][k];
                }
            }
        }
        __syncwarp();  // before the columns are overwritten, if the sums are stored there
#pragma unroll
        for (int i = 0; i < HALF_UNITS; i++) {
            int of_unit = unit + (i + turn_of_units) % HALF_UNITS;
            if (kept && of_unit < layer.out) {
                T* weights = to.at(layer.weights + of_unit * layer.in_padded + first_input);
#pragma unroll
                for (int j = 0; j < HALF_UNITS; j++) {
                    int of_input = (j + turn_of_inputs) % HALF_UNITS;
                    T sum = first_input + of_input < layer.in ? sums[i][j] : T(0);
                    weights[of_input] = add ? weights[of_input] + sum : sum;
                }
            }
            if (kept && first_input == 0) {
                T* of_bias = to.at(layer.bias + of_unit);
                T sum = of_unit < layer.out ? bias[i] : T(0);
                *of_bias = add ? *of_bias + sum : sum;
            }
        }
    }
}

// Adds the gradients of a tile's segments after the first, which are `distance` elements apart, to those of the first.
template <typename T>
__device__ __forceinline__ void add_partials(Rows<T> second, int distance, int segments, int vector, T* gradients) {
    for (int i = threadIdx.x * HALF_UNITS; segments > 1 && i < vector; i += blockDim.x * HALF_UNITS) {
        T sums[HALF_UNITS];
        read_half(gradients + i, sums);
        const T* partial = second.at(i);
#pragma unroll 4
        for (int segment = 1; segment < segments; segment++, partial += distance) {
            T values[HALF_UNITS];
            read_half(partial, values);
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                sums[j] += values[j];
            }
        }
        write_half(sums, gradients + i);
    }
}

// Adds the segments of a tile to a sum, in order; several are loaded ahead.
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

// Sums of squared gradients, one per tensor, W and b of layer 0, of layer 1, and so on; a warp sums one.
template <typename T>
__device__ __forceinline__ void square_gradients(const FusedLayer* layers, int layer_count, const T* gradients, double* norms) {
    for (int tensor = threadIdx.x / WARP; tensor < 2 * layer_count; tensor += blockDim.x / WARP) {
        const FusedLayer& layer = layers[tensor / 2];
        const T* first = gradients + (tensor % 2 ? layer.bias : layer.weights);
        int count = tensor % 2 ? layer.out : layer.out * layer.in_padded;
        double sum = 0;
        for (int i = threadIdx.x % WARP; i < count; i += WARP) {
            sum += (double)first[i] * (double)first[i];
        }
        sum = warp_sum(sum);
        if (threadIdx.x % WARP == 0) {
            norms[tensor] = sum;
        }
    }
}

// The other locations of HALF_UNITS adjacent elements of a vector in shared memory.
struct Place {
    int count;       // how many are not padding
    int global;      // index of the first in the replica's vector in global memory
    int transposed;  // index of the first in transposed W; -1 for biases
    int apart;       // distance between them there
};

// l: the layer of preceding elements; becomes the layer of these.
__device__ __forceinline__ Place place_of(const FusedLayer* layers, int layer_count, int element, int* l) {
    while (*l + 1 < layer_count && element >= layers[*l + 1].weights) {
        ++*l;
    }
    const FusedLayer& layer = layers[*l];
    bool bias = element >= layer.bias;
    int unit = bias ? 0 : (element - layer.weights) / layer.in_padded;
    int first = bias ? element - layer.bias : element - layer.weights - unit * layer.in_padded;
    int count = (bias ? layer.out : layer.in) - first;
    return {count < HALF_UNITS ? count : (int)HALF_UNITS,
            bias ? layer.global_bias + first : layer.global_weights + unit * layer.in + first,
            bias ? -1 : layer.transposed + first * layer.out_padded + unit, layer.out_padded};
}
