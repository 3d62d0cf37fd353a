// The forward and backward pass of a warp's rows, for the fused kernels.
//
// A block trains one network and processes its batch in tiles of rows. A tile has a column for every input, every activation and every
// derivative, with one number per row and 16 bytes of padding that keep columns in different banks. Warp (segment, part) processes the
// WARP rows of that segment. With one part it goes through all layers without a block barrier. With several parts (for layers that are
// wider than a batch has rows) the warps of a segment take groups of units in turn.
//
// The lanes of a warp share the rows and units of a layer: a lane computes HALF_UNITS units for 2 rows, or for 4 if layers are wide. A
// load from shared memory costs the same whether one lane or all lanes receive the number, so the loads per lane bound a step: for 8
// multiply-adds, 6 numbers with 2 rows and 4 with 4 rows; one row and 8 units would need 9.
#pragma once
#include "fused_lanes.cuh"

// Computes a group of units of layer l: writes A to the next layer's input and, in training, f'(Z) to the place of the unit's delta, both
// after dropout. The last layer writes Z to its delta. first_row: the warp's first row in the batch.
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

// The forward pass through all layers. taps: Z of each layer as [batch x units], or null. first_row: the warp's first row in the batch.
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

// dLoss/dZ of a group of units of the layer below: replaces f', which is stored there. f' is loaded before the sums that it multiplies
// if there are enough registers.
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

// The backward pass: from dLoss/dZ of the last layer to that of all others.
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

// Writes the taps of a step: A and delta of every layer, as [batch x units], after Z. Each part writes its own units.
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
