// What the fused kernels compute with: the network as they see it, and the parts of a step that a warp does for its rows.
//
// A block trains one network. Its batch goes through it in tiles of rows; a tile has a column of numbers for every input, every
// activation and every derivative, one number a row and 16 bytes more that keep columns in different banks. Warp (segment, part) works
// for the WARP rows of that segment: alone where there is one part, and then layer after layer without a barrier of the block; with
// others, each for groups of units in turns, where layers are wider than a batch has rows.
//
// Lanes of a warp share rows and units of a layer: a lane computes HALF_UNITS units for 2 rows, or for 4 where layers are wide. A
// number costs as much on its way from shared memory whether one lane gets it or all, so what a lane reads bounds a step: for 8
// multiply-adds of 4 bytes 6 numbers with 2 rows and 4 with 4 rows, where one row and 8 units are 9.
#pragma once
#include "activation.cuh"
#include "loss.cuh"
#include "philox.cuh"

// Units of a group, at least, and of a lane. Rows of weights are padded to the latter.
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
    long long at_steps;    // two entries of the step table
};

// What a step drops: a unit's activation is multiplied by 0 where its word is below the threshold, else by the scale.
struct Dropping {
    bool any;
    const FusedPlan* plan;
    long long replica;
    const long long* step;  // its number

    // Each element makes the words of four for itself: a thread goes along units, of which rarely four in a row are one counter's.
    template <typename T>
    __device__ __forceinline__ T factor(int layer, long long element) const {
        Words counter = {(unsigned int)(element / 4), (unsigned int)layer, (unsigned int)*step, (unsigned int)(*step >> 32)};
        Words words = philox(counter, (unsigned long long)plan->dropout_seed + (unsigned long long)replica);
        int place = (int)(element % 4);
        unsigned int word = place == 0 ? words.x : place == 1 ? words.y : place == 2 ? words.z : words.w;
        return (long long)word >= plan->dropout_threshold ? T(plan->dropout_scale) : T(0);
    }
};

// Where a thread works.
template <typename T>
struct Seat {
    const FusedLayer* layers;
    int layer_count;
    const T* parameters;
    const T* transposed;
    T* rows;      // of the tile, from the first of the warp's rows on
    int pitch;    // from one column to the next
    int part;
    int parts;
    bool active;  // whether there is a row for the warp

    // Before what other lanes, or other parts of the warp's rows, wrote is read.
    __device__ __forceinline__ void wait() const {
        if (parts > 1) {
            __syncthreads();
        } else {
            __syncwarp();
        }
    }

    // How many units a warp takes at once of a layer that has so many; few, where other parts would have none.
    __device__ __forceinline__ int group(int units) const {
        return units > UNITS * parts ? 2 * UNITS : (int)UNITS;
    }
};

// What a lane computes of a group of ROWS * HALF_UNITS units: HALF_UNITS of them for ROWS of its warp's rows, which are LANES apart.
template <int ROWS, typename T>
struct LaneTile {
    enum { LANES = WARP / ROWS, SWAPS = ROWS == 4 && sizeof(T) == 4 };
    int even;   // added to the places of its first and third row, and subtracted from those of the others
    int row;    // the first one, of the warp's, but for that
    int unit;   // the first one, of the layer's
    int count;  // units that exist; 0 or less for a lane without any

    __device__ __forceinline__ LaneTile(int group, int units) {
        int lane = threadIdx.x % WARP;
        // Columns that are HALF_UNITS apart are 64 bytes apart in the banks. With 4 rows of floats the warp's halves would be in the same
        // banks.
        even = SWAPS ? lane / (WARP / 2) * LANES : 0;
        row = lane % LANES;
        unit = group + lane / LANES * HALF_UNITS;
        count = units - unit;
    }

    // The lane's row r.
    __device__ __forceinline__ int row_at(int r) const {
        return row + r * LANES + (r % 2 == 0 ? even : -even);
    }

    // The lane's unit j, or where there is none the first one. What is stored for units from the last to the first needs no branch.
    __device__ __forceinline__ int existing(int j) const {
        return j < count ? j : 0;
    }
};

// HALF_UNITS neighboring numbers.
template <typename T>
__device__ __forceinline__ void read_half(const T* from, T* values) {
    const Pack<T>* packs = (const Pack<T>*)from;
#pragma unroll
    for (int j = 0; j < HALF_UNITS; j += Pack<T>::SIZE) {
        Pack<T> pack = packs[j / Pack<T>::SIZE];
#pragma unroll
        for (int i = 0; i < Pack<T>::SIZE; i++) {
            values[j + i] = pack.of[i];
        }
    }
}

template <typename T>
__device__ __forceinline__ void write_half(const T* values, T* to) {
    Pack<T>* packs = (Pack<T>*)to;
#pragma unroll
    for (int j = 0; j < HALF_UNITS; j += Pack<T>::SIZE) {
        Pack<T> pack;
#pragma unroll
        for (int i = 0; i < Pack<T>::SIZE; i++) {
            pack.of[i] = values[j + i];
        }
        packs[j / Pack<T>::SIZE] = pack;
    }
}

// sums[r][j] += in[k][r] * matrix[k][j] for TERMS k in turn. odd: as in, for the second and fourth row.
template <int ROWS, int TERMS, typename T>
__device__ __forceinline__ void add_terms(
    const T*& in, const T*& odd, int pitch, const T*& matrix, int row_length, T (*sums)[HALF_UNITS]) {
#pragma unroll
    for (int k = 0; k < TERMS; k++, in += pitch, odd += pitch, matrix += row_length) {
        T factors[ROWS];
        T weights[HALF_UNITS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            factors[r] = (LaneTile<ROWS, T>::SWAPS && r % 2 ? odd : in)[r * LaneTile<ROWS, T>::LANES];
        }
        read_half(matrix, weights);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                sums[r][j] += factors[r] * weights[j];
            }
        }
    }
}

// As above for all terms.
template <int ROWS, typename T>
__device__ __forceinline__ void add_products(
    const LaneTile<ROWS, T>& own, const T* columns, int pitch, int terms, const T* matrix, int row_length, T (*sums)[HALF_UNITS]) {
    const T* in = columns + own.row + own.even;
    const T* odd = columns + own.row - own.even;
    int left = terms;
#pragma unroll 1
    for (; left >= UNITS; left -= UNITS) {
        add_terms<ROWS, UNITS>(in, odd, pitch, matrix, row_length, sums);
    }
    if (left & 4) {
        add_terms<ROWS, 4>(in, odd, pitch, matrix, row_length, sums);
    }
    if (left & 2) {
        add_terms<ROWS, 2>(in, odd, pitch, matrix, row_length, sums);
    }
    if (left & 1) {
        add_terms<ROWS, 1>(in, odd, pitch, matrix, row_length, sums);
    }
}

// A of the lane's units, and f'(Z) where SLOPES asks for it; for activations that are a comparison or less.
template <int ACTIVATION, bool SLOPES, int ROWS, typename T>
__device__ __forceinline__ void store_activated(
    const T (*z)[HALF_UNITS], const LaneTile<ROWS, T>& own, int pitch, T* out, T* slopes) {
#pragma unroll
    for (int j = HALF_UNITS - 1; j >= 0; j--) {
        int unit = own.existing(j) * pitch;
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int at = unit + own.row_at(r);
            out[at] = activate(z[r][j], (int)ACTIVATION);
            if (SLOPES) {
                slopes[at] = derivative(z[r][j], (int)ACTIVATION);
            }
        }
    }
}

// As above, for activations that are long: several units at a time, so that their instructions overlap. The others move up.
template <int ACTIVATION, bool SLOPES, int ROWS, typename T>
__device__ __forceinline__ void store_long_activated(
    T (*z)[HALF_UNITS], const LaneTile<ROWS, T>& own, int pitch, T* out, T* slopes) {
    enum { AT_ONCE = sizeof(T) == 4 ? HALF_UNITS : 1, TURNS = HALF_UNITS / AT_ONCE };
    T* values = &z[ROWS - 1][HALF_UNITS - AT_ONCE];
#pragma unroll 1
    for (int turn = ROWS * TURNS - 1; turn >= 0; turn--) {
        T a[AT_ONCE];
        T slope[AT_ONCE];
#pragma unroll
        for (int j = 0; j < AT_ONCE; j++) {
            if (SLOPES) {
                activate_and_derive(values[j], (int)ACTIVATION, a + j, slope + j);
            } else {
                a[j] = activate(values[j], (int)ACTIVATION);
            }
        }
#pragma unroll
        for (int j = AT_ONCE - 1; j >= 0; j--) {
            int at = own.existing(turn % TURNS * AT_ONCE + j) * pitch + own.row_at(turn / TURNS);
            out[at] = a[j];
            if (SLOPES) {
                slopes[at] = slope[j];
            }
        }
#pragma unroll
        for (int i = ROWS * HALF_UNITS - 1; i >= AT_ONCE; i--) {
            (&z[0][0])[i] = (&z[0][0])[i - AT_ONCE];
        }
    }
}

// A group of units of layer l: leaves A in the next layer's input and, in training, f'(Z) where the unit's delta will be, both with
// what is dropped; in the last layer Z in its delta. first_row: of the warp's, in the batch.
template <bool TRAINING, int ROWS, typename T>
__device__ __forceinline__ void units_forward(
    const Seat<T>& seat, int l, int group, const Dropping& dropping, T* taps, long long batch, long long first_row) {
    const FusedLayer& layer = seat.layers[l];
    bool last = l + 1 == seat.layer_count;
    int pitch = seat.pitch;
    LaneTile<ROWS, T> own(group, layer.out);
    if (own.count <= 0) {
        return;
    }
    T z[ROWS][HALF_UNITS];
    read_half(seat.parameters + layer.bias + own.unit, z[0]);
#pragma unroll
    for (int r = 1; r < ROWS; r++) {
#pragma unroll
        for (int j = 0; j < HALF_UNITS; j++) {
            z[r][j] = z[0][j];
        }
    }
    add_products(own, seat.rows + layer.input * pitch, pitch, layer.in, seat.transposed + layer.transposed + own.unit, layer.out_padded,
                 z);
    if (taps) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            long long row = first_row + own.row_at(r);
#pragma unroll
            for (int j = 0; j < HALF_UNITS; j++) {
                if (j < own.count && row < batch) {
                    taps[layer.first_unit * batch + row * layer.out + own.unit + j] = z[r][j];
                }
            }
        }
    }
    T* slopes = seat.rows + (layer.delta + own.unit) * pitch;
    if (last) {
        store_activated<LINEAR, false>(z, own, pitch, slopes, slopes);
        return;
    }
    T* out = seat.rows + (seat.layers[l + 1].input + own.unit) * pitch;
    switch (layer.activation) {
        case RELU: store_activated<RELU, TRAINING>(z, own, pitch, out, slopes); break;
        case LEAKY_RELU: store_activated<LEAKY_RELU, TRAINING>(z, own, pitch, out, slopes); break;
        case SIGMOID: store_long_activated<SIGMOID, TRAINING>(z, own, pitch, out, slopes); break;
        case TANH: store_long_activated<TANH, TRAINING>(z, own, pitch, out, slopes); break;
        case SOFTPLUS: store_long_activated<SOFTPLUS, TRAINING>(z, own, pitch, out, slopes); break;
        case ELU: store_long_activated<ELU, TRAINING>(z, own, pitch, out, slopes); break;
        case GELU: store_long_activated<GELU, TRAINING>(z, own, pitch, out, slopes); break;
        case SILU: store_long_activated<SILU, TRAINING>(z, own, pitch, out, slopes); break;
        default: store_activated<LINEAR, TRAINING>(z, own, pitch, out, slopes);
    }
    if (TRAINING && dropping.any) {
#pragma unroll 1
        for (int i = 0; i < ROWS * HALF_UNITS; i++) {
            int unit = i / ROWS;
            int row = own.row_at(i % ROWS);
            if (unit < own.count) {
                T factor = dropping.template factor<T>(l, (first_row + row) * layer.out + own.unit + unit);
                out[unit * pitch + row] *= factor;
                slopes[unit * pitch + row] *= factor;
            }
        }
    }
}

// All layers. taps: Z of each layer as [batch x units], or null. first_row: of the warp's, in the batch.
template <bool TRAINING, typename T>
__device__ __forceinline__ void forward(
    const Seat<T>& seat, const Dropping& dropping, T* taps, long long batch, long long first_row) {
    for (int l = 0; l < seat.layer_count; l++) {
        seat.wait();
        int units = seat.layers[l].out;
        int group = seat.group(units);
        for (int unit = group * seat.part; seat.active && unit < units; unit += group * seat.parts) {
            if (group > UNITS && units - unit > UNITS) {
                units_forward<TRAINING, 4>(seat, l, unit, dropping, taps, batch, first_row);
            } else {
                units_forward<TRAINING, 2>(seat, l, unit, dropping, taps, batch, first_row);
            }
        }
    }
    seat.wait();
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

// dLoss/dZ of a group of units of the layer below, times f', which is in its place. f' is read ahead of the sums that it multiplies
// where there are registers for it.
template <int ROWS, typename T>
__device__ __forceinline__ void units_backward(const Seat<T>& seat, const FusedLayer& layer, int group, T* below) {
    enum { AHEAD = ROWS * sizeof(T) <= 16 };
    LaneTile<ROWS, T> own(group, layer.in);
    if (own.count <= 0) {
        return;
    }
    T* to = below + own.unit * seat.pitch;
    T slopes[ROWS][HALF_UNITS];
    T sums[ROWS][HALF_UNITS] = {};
#pragma unroll
    for (int j = 0; AHEAD && j < HALF_UNITS; j++) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            slopes[r][j] = to[own.existing(j) * seat.pitch + own.row_at(r)];
        }
    }
    add_products(own, seat.rows + layer.delta * seat.pitch, seat.pitch, layer.out, seat.parameters + layer.weights + own.unit,
                 layer.in_padded, sums);
#pragma unroll
    for (int j = 0; !AHEAD && j < HALF_UNITS; j++) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            slopes[r][j] = to[own.existing(j) * seat.pitch + own.row_at(r)];
        }
    }
#pragma unroll
    for (int j = HALF_UNITS - 1; j >= 0; j--) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            to[own.existing(j) * seat.pitch + own.row_at(r)] = slopes[r][j] * sums[r][j];
        }
    }
}

// From dLoss/dZ of the last layer to that of all others.
template <typename T>
__device__ __forceinline__ void backward(const Seat<T>& seat) {
    seat.wait();
    for (int l = seat.layer_count - 1; l > 0; l--) {
        const FusedLayer& layer = seat.layers[l];
        T* below = seat.rows + seat.layers[l - 1].delta * seat.pitch;
        int group = seat.group(layer.in);
        for (int unit = group * seat.part; seat.active && unit < layer.in; unit += group * seat.parts) {
            if (group > UNITS && layer.in - unit > UNITS) {
                units_backward<4>(seat, layer, unit, below);
            } else {
                units_backward<2>(seat, layer, unit, below);
            }
        }
        seat.wait();
    }
}

// What a step shows of its inside: A and delta of every layer, as [batch x units], behind Z. Each part shows its own units.
template <typename T>
__device__ __forceinline__ void show(const Seat<T>& seat, T* taps, long long batch, long long row, long long units) {
    int lane = threadIdx.x % WARP;
    for (int l = 0; row < batch && l < seat.layer_count; l++) {
        const FusedLayer& layer = seat.layers[l];
        for (int u = seat.part; u < layer.out; u += seat.parts) {
            long long at = layer.first_unit * batch + row * layer.out + u;
            bool last = l + 1 == seat.layer_count;
            taps[units * batch + at] = last ? taps[at] : seat.rows[(seat.layers[l + 1].input + u) * seat.pitch + lane];
            taps[2 * units * batch + at] = seat.rows[(layer.delta + u) * seat.pitch + lane];
        }
    }
}
