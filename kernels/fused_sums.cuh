// What the fused kernels sum over rows and over gradients, and the way between the vectors of shared and of global memory.
#pragma once
#include "fused_mlp.cuh"

// Sums over the rows of a tile, onto those of the tiles before. One item is the gradients of 2 units by 4 inputs, and by the two
// biases for the first of the inputs: 6 numbers are read of each row for 8 products. The item behind the last is the loss. A sum is
// one thread's, row after row, so neither the rows of a tile nor the number of threads has a part in its rounding.
template <typename T>
__device__ __forceinline__ void add_gradients(
    const FusedLayer* layers, int layer_count, int items, const T* tile, int pitch, int rows, bool first_tile, T* gradients,
    const double* row_losses, double* loss) {
    int l = 0;
    for (int item = threadIdx.x; item <= items; item += blockDim.x) {
        if (item == items) {
            double sum = first_tile ? 0 : *loss;
            for (int row = 0; row < rows; row++) {
                sum += row_losses[row];
            }
            *loss = sum;
            return;
        }
        while (l + 1 < layer_count && item >= layers[l + 1].first_item) {
            l++;
        }
        const FusedLayer& layer = layers[l];
        int groups = layer.in_padded / HALF_UNITS;
        int unit = (item - layer.first_item) / groups * 2;
        int first_input = (item - layer.first_item) % groups * HALF_UNITS;
        // What is one too many repeats the last one, and is not kept.
        int units = layer.out - unit < 2 ? 1 : 2;
        int inputs = layer.in - first_input < HALF_UNITS ? layer.in - first_input : (int)HALF_UNITS;
        const T* delta[2];
        T* to[2];
        T sums[2][HALF_UNITS];
        T bias[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int of = unit + (i < units ? i : 0);
            delta[i] = tile + (layer.delta + of) * pitch;
            to[i] = gradients + layer.weights + of * layer.in_padded + first_input;
            bias[i] = first_tile || first_input > 0 ? T(0) : gradients[layer.bias + of];
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                sums[i][j] = first_tile ? T(0) : to[i][j];
            }
        }
        const T* input[HALF_UNITS];
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            input[j] = tile + (layer.input + first_input + (j < inputs ? j : 0)) * pitch;
        }
        for (int row = 0; row < rows; row++) {
#pragma unroll
            for (int i = 0; i < 2; i++) {
                T d = delta[i][row];
                bias[i] += d;
#pragma unroll
                for (int j = 0; j < HALF_UNITS; j++) {
                    sums[i][j] += d * input[j][row];
                }
            }
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                if (i < units && j < inputs) {
                    to[i][j] = sums[i][j];
                }
            }
            if (i < units && first_input == 0) {
                gradients[layer.bias + unit + i] = bias[i];
            }
        }
    }
}

// Sums of squared gradients, one a tensor, W and b of layer 0, of layer 1, and so on; a warp sums one.
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

// Where an element of a vector of shared memory stands elsewhere; -1 for nowhere.
struct Place {
    int global;      // in the replica's vector of global memory; padding is not there
    int transposed;  // biases are not there
};

// l: the layer of an element before this one; becomes this one's.
__device__ __forceinline__ Place place_of(const FusedLayer* layers, int layer_count, int element, int* l) {
    while (*l + 1 < layer_count && element >= layers[*l + 1].weights) {
        ++*l;
    }
    const FusedLayer& layer = layers[*l];
    if (element >= layer.bias) {
        int unit = element - layer.bias;
        return {unit < layer.out ? layer.global_bias + unit : -1, -1};
    }
    int unit = (element - layer.weights) / layer.in_padded;
    int input = (element - layer.weights) % layer.in_padded;
    if (input >= layer.in) {
        return {-1, -1};
    }
    return {layer.global_weights + unit * layer.in + input, layer.transposed + input * layer.out_padded + unit};
}
