// What the fused kernels compute with: the network as they see it, and the parts of a step that a thread does for its row.
//
// A block trains one network. Its batch goes through it in tiles of rows; a tile has a column of numbers for every input, every
// activation and every derivative, one number a row and one more that keeps columns in different banks. Thread (slot, part) works
// for the row in that slot: alone where there is one part, and then layer after layer without a barrier; with others, each for
// UNITS units in turns, where layers are wider than a batch has rows. Lanes of a warp are rows, so what they read of a tile lies
// side by side, and what they read of the weights is the same number for all.
#pragma once
#include "activation.cuh"
#include "loss.cuh"
#include "philox.cuh"

// Units of which one thread sums at once, or half as many where no more are left. Rows of weights are padded to the half.
enum { UNITS = 8, HALF_UNITS = UNITS / 2 };

// A layer's sizes and places; FusedPlan.java writes it. Places count elements.
struct FusedLayer {
    int in;
    int out;
    int in_padded;       // to HALF_UNITS
    int out_padded;
    int weights;         // in a vector of shared memory: W [out x in_padded], padded with 0
    int bias;            // there too: b [out_padded]
    int transposed;      // W again, as [in x out_padded]: forward reads it this way, backward the other
    int input;           // the first column of what the layer reads
    int delta;           // the first column of dLoss/dZ, and of f'(Z) before
    int first_item;      // of the items of gradients, which are HALF_UNITS units by HALF_UNITS inputs each
    int first_unit;      // units of all layers below
    int global_weights;  // in the replica's vector of global memory: W [out x in]
    int global_bias;
    int activation;
};

// What does not change in a training; FusedPlan.java writes it. Places at_* are bytes of shared memory.
struct FusedPlan {
    double clip_norm;     // 0 for none
    double decay1;        // sgd's momentum, adam's beta1, rmsprop's alpha
    double decay2;        // adam's beta2
    double epsilon;
    double weight_decay;
    double dropout_scale;  // of what is kept; 1 for no dropout
    long long dropout_threshold;
    long long dropout_seed;  // replica 0's
    long long optimizer;  // the order of dev.plumb.model.OptimizerSpec.Kind
    long long nesterov;
    long long loss;
    long long layers;
    long long items;      // of gradients
    long long vector;     // elements of a vector of shared memory
    long long units;      // of all layers
    long long columns;    // of a tile
    long long slots;      // rows of a tile, of all blocks of a cluster together
    long long parts;
    long long stride;     // elements from one replica's vector to the next one's in global memory
    long long replicas;
    long long data_rows;
    long long at_norms;
    long long at_losses;
    long long at_not_finite;
    long long at_parameters;
    long long at_gradients;
    long long at_partials;  // of the segments after the first, or -1 where each has them in its own columns of the tile; in a cluster
                            // of blocks the block's share of all segments
    long long at_moment1;
    long long at_moment2;
    long long at_transposed;
    long long at_tile;
    long long at_x;        // the data, or -1 where they stay in global memory
    long long at_targets;
};

// What a step drops: a unit's activation is multiplied by 0 where its word is below the threshold, else by the scale.
template <typename T>
struct Dropping {
    T scale;
    long long threshold;
    unsigned long long key;
    unsigned long long step;

    __device__ __forceinline__ bool any() const {
        return scale != T(1);
    }

    // Each element makes the words of four for itself: a thread goes along units, of which rarely four in a row are one counter's.
    __device__ __forceinline__ T factor(int layer, long long element) const {
        Words counter = {(unsigned int)(element / 4), (unsigned int)layer, (unsigned int)step, (unsigned int)(step >> 32)};
        Words words = philox(counter, key);
        int place = (int)(element % 4);
        unsigned int word = place == 0 ? words.x : place == 1 ? words.y : place == 2 ? words.z : words.w;
        return (long long)word >= threshold ? scale : T(0);
    }
};

// Where a thread works.
template <typename T>
struct Seat {
    const FusedLayer* layers;
    int layer_count;
    const T* parameters;
    const T* transposed;
    T* columns;   // of the tile, from the thread's row on
    int pitch;    // from one column to the next
    int part;
    int parts;
    bool active;  // whether there is a row for it

    // Before what other parts of the row wrote is read.
    __device__ __forceinline__ void wait_for_parts() const {
        if (parts > 1) {
            __syncthreads();
        }
    }
};

// sums[j] += in[k] * matrix[k][j] for COUNT neighbouring j, over all k in turn.
template <int COUNT, typename T>
__device__ __forceinline__ void add_products(const T* in, int pitch, int terms, const T* matrix, int row_length, T* sums) {
    for (int k = 0; k < terms; k++) {
        T factor = in[k * pitch];
        const Pack<T>* row = (const Pack<T>*)(matrix + k * row_length);
#pragma unroll
        for (int j = 0; j < COUNT; j += Pack<T>::SIZE) {
            Pack<T> weights = row[j / Pack<T>::SIZE];
#pragma unroll
            for (int i = 0; i < Pack<T>::SIZE; i++) {
                sums[j + i] += factor * weights.of[i];
            }
        }
    }
}

// A of COUNT units, and f'(Z) where SLOPES asks for it, from Z in registers; for activations that are a comparison or less.
template <int ACTIVATION, bool SLOPES, int COUNT, typename T>
__device__ __forceinline__ void store_activated(const T* z, int count, int pitch, T* out, T* slopes) {
    if (count >= COUNT) {
        // No question for each unit.
#pragma unroll
        for (int j = 0; j < COUNT; j++) {
            out[j * pitch] = activate(z[j], (int)ACTIVATION);
            if (SLOPES) {
                slopes[j * pitch] = derivative(z[j], (int)ACTIVATION);
            }
        }
        return;
    }
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
        if (j < count) {
            out[j * pitch] = activate(z[j], (int)ACTIVATION);
            if (SLOPES) {
                slopes[j * pitch] = derivative(z[j], (int)ACTIVATION);
            }
        }
    }
}

// COUNT units of layer l, or as many as there are, from the first one on: leaves A in the next layer's input and, in training, f'(Z)
// where the unit's delta will be, both with what is dropped; in the last layer Z in its delta.
template <bool TRAINING, int COUNT, typename T>
__device__ __forceinline__ void units_forward(
    const Seat<T>& seat, int l, int unit, const Dropping<T>& dropping, T* taps, long long batch, long long row) {
    const FusedLayer& layer = seat.layers[l];
    bool last = l + 1 == seat.layer_count;
    int count = layer.out - unit;
    int pitch = seat.pitch;
    T z[COUNT];
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
        z[j] = seat.parameters[layer.bias + unit + j];
    }
    add_products<COUNT>(seat.columns + layer.input * pitch, pitch, layer.in, seat.transposed + layer.transposed + unit,
                        layer.out_padded, z);
    if (taps) {
#pragma unroll
        for (int j = 0; j < COUNT; j++) {
            if (j < count) {
                taps[layer.first_unit * batch + row * layer.out + unit + j] = z[j];
            }
        }
    }
    T* out = seat.columns + ((last ? layer.delta : seat.layers[l + 1].input) + unit) * pitch;
    T* slopes = seat.columns + (layer.delta + unit) * pitch;
    bool drops = TRAINING && dropping.any();
    int activation = layer.activation;
    if (!last && !drops && activation == RELU) {
        store_activated<RELU, TRAINING, COUNT>(z, count, pitch, out, slopes);
    } else if (!last && !drops && activation == LEAKY_RELU) {
        store_activated<LEAKY_RELU, TRAINING, COUNT>(z, count, pitch, out, slopes);
    } else {
        store_activated<LINEAR, false, COUNT>(z, count, pitch, out, slopes);
        // The sums go through the tile, so that the long functions are in the code once and not for every unit.
#pragma unroll 1
        for (int j = 0; !last && j < count && j < COUNT; j++) {
            T a = out[j * pitch];
            if (TRAINING) {
                T factor = drops ? dropping.factor(l, row * layer.out + unit + j) : T(1);
                T slope;
                activate_and_derive(a, activation, &a, &slope);
                out[j * pitch] = a * factor;
                slopes[j * pitch] = slope * factor;
            } else {
                out[j * pitch] = activate(a, activation);
            }
        }
    }
}

// All layers. taps: Z of each layer as [batch x units], or null.
template <bool TRAINING, typename T>
__device__ __forceinline__ void forward(
    const Seat<T>& seat, const Dropping<T>& dropping, T* taps, long long batch, long long row) {
    for (int l = 0; l < seat.layer_count; l++) {
        int units = seat.layers[l].out;
        for (int unit = UNITS * seat.part; seat.active && unit < units; unit += UNITS * seat.parts) {
            if (units - unit > HALF_UNITS) {
                units_forward<TRAINING, UNITS>(seat, l, unit, dropping, taps, batch, row);
            } else {
                units_forward<TRAINING, HALF_UNITS>(seat, l, unit, dropping, taps, batch, row);
            }
        }
        seat.wait_for_parts();
    }
}

// The loss of one row, the sum over its outputs z, of which it leaves dLoss/dZ. terms: of which the loss is the mean.
template <typename T>
__device__ __forceinline__ double row_loss(T* z, int pitch, int outputs, const T* targets, int label, int loss, T terms) {
    if (loss != CROSS_ENTROPY) {
        double sum = 0;
        for (int j = 0; j < outputs; j++) {
            T output = z[j * pitch];
            sum += loss_term(output, targets[j], loss);
            z[j * pitch] = loss_term_derivative(output, targets[j], loss) / terms;
        }
        return sum;
    }
    // The largest z is taken out, so that nothing overflows. A NaN makes the sum one.
    T largest = z[0];
    for (int j = 1; j < outputs; j++) {
        largest = z[j * pitch] > largest ? z[j * pitch] : largest;
    }
    T exponentials = T(0);
    for (int j = 0; j < outputs; j++) {
        exponentials += exp(z[j * pitch] - largest);
    }
    double of_label = (double)z[label * pitch] - (double)largest;
    for (int j = 0; j < outputs; j++) {
        T probability = exp(z[j * pitch] - largest) / exponentials;
        z[j * pitch] = (probability - (j == label ? T(1) : T(0))) / terms;
    }
    return (double)log(exponentials) - of_label;
}

// dLoss/dZ of COUNT units of the layer below, or as many as there are, times f', which is in its place and is read ahead of the sums.
template <int COUNT, typename T>
__device__ __forceinline__ void units_backward(const Seat<T>& seat, const FusedLayer& layer, int unit, T* below) {
    T* to = below + unit * seat.pitch;
    int count = layer.in - unit;
    T slopes[COUNT];
    T sums[COUNT] = {};
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
        slopes[j] = to[(j < count ? j : 0) * seat.pitch];
    }
    add_products<COUNT>(seat.columns + layer.delta * seat.pitch, seat.pitch, layer.out,
                        seat.parameters + layer.weights + unit, layer.in_padded, sums);
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
        if (j < count) {
            to[j * seat.pitch] = slopes[j] * sums[j];
        }
    }
}

// From dLoss/dZ of the last layer to that of all others.
template <typename T>
__device__ __forceinline__ void backward(const Seat<T>& seat) {
    seat.wait_for_parts();
    for (int l = seat.layer_count - 1; l > 0; l--) {
        const FusedLayer& layer = seat.layers[l];
        T* below = seat.columns + seat.layers[l - 1].delta * seat.pitch;
        for (int unit = UNITS * seat.part; seat.active && unit < layer.in; unit += UNITS * seat.parts) {
            if (layer.in - unit > HALF_UNITS) {
                units_backward<UNITS>(seat, layer, unit, below);
            } else {
                units_backward<HALF_UNITS>(seat, layer, unit, below);
            }
        }
        seat.wait_for_parts();
    }
}

// What a step shows of its inside: A and delta of every layer, as [batch x units], behind Z. Each part shows its own units.
template <typename T>
__device__ __forceinline__ void show(const Seat<T>& seat, T* taps, long long batch, long long row, long long units) {
    for (int l = 0; seat.active && l < seat.layer_count; l++) {
        const FusedLayer& layer = seat.layers[l];
        for (int u = seat.part; u < layer.out; u += seat.parts) {
            long long at = layer.first_unit * batch + row * layer.out + u;
            bool last = l + 1 == seat.layer_count;
            taps[units * batch + at] = last ? taps[at] : seat.columns[(seat.layers[l + 1].input + u) * seat.pitch];
            taps[2 * units * batch + at] = seat.columns[(layer.delta + u) * seat.pitch];
        }
    }
}
