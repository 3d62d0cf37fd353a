// A lane's part of a layer: the products of its rows and units, and their activations.
#pragma once
#include "fused_network.cuh"

// A lane's part of a group of ROWS * HALF_UNITS units: HALF_UNITS units for ROWS of its warp's rows, which are LANES apart.
template <int ROWS, typename T>
struct LaneTile {
    enum { LANES = WARP / ROWS, SWAPS = ROWS == 4 && sizeof(T) == 4 };
    int even;   // added to the index of its first and third row, subtracted from those of the others
    int row;    // its first row within the warp's rows, without `even`
    int unit;   // its first unit within the layer
    int count;  // number of its units that exist; 0 or less if none does

    __device__ __forceinline__ LaneTile(int group, int units) {
        int lane = threadIdx.x % WARP;
        // Columns that are HALF_UNITS apart are 64 bytes apart in the banks. Without `even`, with 4 rows of floats both halves of the
        // warp would access the same banks.
        even = SWAPS ? lane / (WARP / 2) * LANES : 0;
        row = lane % LANES;
        unit = group + lane / LANES * HALF_UNITS;
        count = units - unit;
    }

    // The lane's row r.
    __device__ __forceinline__ int row_at(int r) const {
        return row + r * LANES + (r % 2 == 0 ? even : -even);
    }

    // The lane's unit j, or its first unit if it has no unit j. So stores that go from the last unit to the first need no branch.
    __device__ __forceinline__ int existing(int j) const {
        return j < count ? j : 0;
    }
};

// HALF_UNITS adjacent numbers.
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

// sums[r][j] += in[k][r] * matrix[k][j] for TERMS values of k, in order. odd: like `in`, for the second and fourth row.
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

// A of the lane's units and, with SLOPES, f'(Z), for activations that are at most a comparison.
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

// As above, for longer activations: several units at a time, so that their instructions overlap. The remaining units move up.
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
