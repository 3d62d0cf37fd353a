// A tile of a product: its division among warps and lanes, the loads of its factors, and the reduction of its sums
// (product_kernels.cuh).
#pragma once
#include "activation.cuh"

template <typename T, typename D, bool A_BY_ROW, bool B_BY_ROW, bool PACKED, bool A_GATHERED, bool B_GATHERED>
struct Tile;

// The division of a product. A tile has OWN_ROWS * DOWN rows and OWN_COLUMNS * ACROSS columns of the result. The terms of each sum are
// divided among WARPS * GROUPS partial sums. A warp has TERMS terms of both factors in shared memory at once.
template <typename T, int OWN_ROWS_, int OWN_COLUMNS_, int DOWN_, int ACROSS_, int WARPS_>
struct Division {
    enum {
        OWN_ROWS = OWN_ROWS_,
        OWN_COLUMNS = OWN_COLUMNS_,
        DOWN = DOWN_,
        ACROSS = ACROSS_,
        GROUPS = WARP / (DOWN_ * ACROSS_),
        WARPS = WARPS_,
        THREADS = WARP * WARPS_,
        ROWS = OWN_ROWS_ * DOWN_,
        COLUMNS = OWN_COLUMNS_ * ACROSS_,
        TERMS = 64 / sizeof(T)
    };
    template <bool A_BY_ROW, bool B_BY_ROW, bool PACKED, bool A_GATHERED = false, bool B_GATHERED = false>
    using Product = Tile<T, Division, A_BY_ROW, B_BY_ROW, PACKED, A_GATHERED, B_GATHERED>;
};

// An offset within a tile, or within the data.
template <bool OF_DATA>
struct Offset {
    typedef int Type;
};
template <>
struct Offset<true> {
    typedef long long Type;
};

// The lines of a factor in packs, and the order in which lanes load them: a warp's packs are adjacent.
template <int SIZE, int LENGTH>
struct AdjacentPacks {
    // The line, and the place in it, of a lane's i-th pack.
    static __device__ __forceinline__ int line(int i) {
        return (int)(i * WARP + threadIdx.x % WARP) * SIZE / LENGTH;
    }
    static __device__ __forceinline__ int place(int i) {
        return (int)(i * WARP + threadIdx.x % WARP) * SIZE % LENGTH;
    }
};

// Loads one factor of a product: COUNT rows (or columns) of the result by TERMS terms at a time. BY_ROW: the terms of a row are
// adjacent; otherwise the rows of a term are. PACKED: 16 bytes are loaded at once, so lines begin at multiples of 16 bytes and have
// whole packs. GATHERED: lines in memory may be in any order, which a list of their numbers gives. Packs: which pack a lane loads.
template <typename T, typename D, int COUNT, bool BY_ROW, bool PACKED, bool GATHERED, typename Packs>
struct Loader {
    enum { SIZE = Pack<T>::SIZE, LOADS = COUNT * D::TERMS / SIZE / WARP };
    struct Held {
        Pack<T> of[LOADS];
    };
    const T* next;  // of the tile's first row, the next term that is loaded
    long long step;
    typename Offset<GATHERED && BY_ROW>::Type offsets[LOADS];  // or the numbers of the lines that are loaded next
    int pitch;
    int rows;
    int terms;
    const int* numbers;

    // from: the tile's first row, term 0. pitch: of lines in memory. rows: number of rows from the tile's first one to the end; loads
    // beyond it read the last rows again, and their results are discarded. numbers: of the lines, where GATHERED and not null; `from` is
    // then in line 0.
    __device__ __forceinline__ Loader(const T* from, int pitch_, int rows_, int terms_, const int* numbers_ = 0)
        : pitch(pitch_), rows(rows_), terms(terms_), numbers(numbers_) {
        long long line_step = BY_ROW ? 1 : GATHERED ? 0 : pitch;
        next = from + threadIdx.x / WARP * D::TERMS * line_step;
        step = (int)(D::WARPS * D::TERMS) * line_step;
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            if (GATHERED && BY_ROW) {
                offsets[i] = (numbers ? numbers[row(i)] : row(i)) * (long long)pitch + Packs::place(i);
            } else if (!GATHERED) {
                offsets[i] = BY_ROW ? row(i) * pitch + Packs::place(i) : Packs::line(i) * pitch + row(i);
            }
        }
        find_lines(threadIdx.x / WARP * D::TERMS);
    }

    // Reads the numbers of the lines that are loaded next, so early that load() does not wait for them.
    __device__ __forceinline__ void find_lines(int first) {
        if (GATHERED && !BY_ROW) {
#pragma unroll
            for (int i = 0; i < LOADS; i++) {
                int at = first + Packs::line(i) < terms ? first + Packs::line(i) : terms - 1;
                offsets[i] = numbers ? numbers[at] : at;
            }
        }
    }

    __device__ __forceinline__ int row(int i) const {
        int of_tile = BY_ROW ? Packs::line(i) : Packs::place(i);
        int last = rows - (PACKED && !BY_ROW ? SIZE : 1);
        return of_tile < last ? of_tile : last;
    }

    // WHOLE: all terms are there.
    template <bool WHOLE>
    __device__ __forceinline__ void load_pack(int i, int first, Pack<T>* pack) {
        const T* from = next + (GATHERED && !BY_ROW ? offsets[i] * (long long)pitch + row(i) : offsets[i]);
        if (PACKED) {
            if (WHOLE || first + (BY_ROW ? Packs::place(i) : Packs::line(i)) < terms) {
                *pack = *(const Pack<T>*)from;
            }
        } else {
#pragma unroll
            for (int s = 0; s < SIZE; s++) {
                int at = BY_ROW || row(i) + s < rows ? s : 0;
                if (WHOLE || first + (BY_ROW ? Packs::place(i) + s : Packs::line(i)) < terms) {
                    pack->of[s] = from[at];
                }
            }
        }
    }

    // Starts loading the warp's next terms, which begin with `first`; there are 0s after the last term.
    __device__ __forceinline__ void load(int first, Held* held) {
        if (first + D::TERMS <= terms) {
#pragma unroll
            for (int i = 0; i < LOADS; i++) {
                load_pack<true>(i, first, held->of + i);
            }
        } else {
#pragma unroll
            for (int i = 0; i < LOADS; i++) {
                held->of[i] = {};
                load_pack<false>(i, first, held->of + i);
            }
        }
        next += step;
        find_lines(first + D::WARPS * D::TERMS);
    }
};

// A factor in shared memory, in lines as in memory.
template <typename T, typename D, int COUNT, bool BY_ROW, bool PACKED, bool GATHERED>
struct Factor : Loader<T, D, COUNT, BY_ROW, PACKED, GATHERED, AdjacentPacks<Pack<T>::SIZE, BY_ROW ? (int)D::TERMS : COUNT>> {
    typedef AdjacentPacks<Pack<T>::SIZE, BY_ROW ? (int)D::TERMS : COUNT> Packs;
    typedef Loader<T, D, COUNT, BY_ROW, PACKED, GATHERED, Packs> Base;
    typedef typename Base::Held Held;
    enum {
        SIZE = Base::SIZE,
        LOADS = Base::LOADS,
        LENGTH = BY_ROW ? D::TERMS : COUNT,
        // Lines of different groups of lanes are in different banks.
        PITCH = LENGTH + (BY_ROW || (int)D::GROUPS == 1 ? 0 : 128 / (int)D::GROUPS / (int)sizeof(T)),
        LINES = BY_ROW ? COUNT : D::TERMS,
        ELEMENTS = LINES * PITCH
    };
    using Base::Base;

    // Stores what load() has loaded.
    static __device__ __forceinline__ void store(const Held& held, T* tile) {
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            *(Pack<T>*)(tile + Packs::line(i) * PITCH + Packs::place(i)) = held.of[i];
        }
    }

    // The tile's row that is number i of a lane's own ones; lanes: along this factor.
    static __device__ __forceinline__ int row_of(int lane, int lanes, int i) {
        return BY_ROW ? i * lanes + lane : (i / SIZE * lanes + lane) * SIZE + i % SIZE;
    }

    // A group's SIZE terms of turn p, of a lane's OWN rows. With ADJACENT terms one pack has all of them.
    template <int OWN, bool ADJACENT>
    static __device__ __forceinline__ void read(const T* tile, int lane, int lanes, int group, int p, T (&values)[OWN][SIZE]) {
        if (ADJACENT) {
#pragma unroll
            for (int i = 0; i < OWN; i++) {
                Pack<T> pack = *(const Pack<T>*)(tile + (i * lanes + lane) * PITCH + (p * D::GROUPS + group) * SIZE);
#pragma unroll
                for (int s = 0; s < SIZE; s++) {
                    values[i][s] = pack.of[s];
                }
            }
        } else {
#pragma unroll
            for (int s = 0; s < SIZE; s++) {
                int term = (p * SIZE + s) * D::GROUPS + group;
                if (BY_ROW) {
#pragma unroll
                    for (int i = 0; i < OWN; i++) {
                        values[i][s] = tile[(i * lanes + lane) * PITCH + term];
                    }
                } else {
#pragma unroll
                    for (int i = 0; i < OWN; i += SIZE) {
                        Pack<T> pack = *(const Pack<T>*)(tile + term * PITCH + i * lanes + lane * SIZE);
#pragma unroll
                        for (int k = 0; k < SIZE; k++) {
                            values[i + k][s] = pack.of[k];
                        }
                    }
                }
            }
        }
    }
};

// The sums of a tile in shared memory, those of each warp [ROWS][PITCH], ELEMENTS apart.
template <typename T, typename D, int ELEMENTS_>
struct Sums {
    enum {
        PITCH = D::COLUMNS + 4,
        ELEMENTS = ELEMENTS_,
        RESULTS = D::ROWS * D::COLUMNS / D::THREADS  // per thread
    };

    // A thread's i-th place in the tile.
    static __device__ __forceinline__ int row(int i) {
        return (i * D::THREADS + threadIdx.x) / D::COLUMNS;
    }
    static __device__ __forceinline__ int column(int i) {
        return (i * D::THREADS + threadIdx.x) % D::COLUMNS;
    }

    // The sum there, added over the warps that had terms.
    static __device__ __forceinline__ T total(const T* shared, int terms, int i) {
        const T* own = shared + row(i) * PITCH + column(i);
        T sum = *own;
#pragma unroll
        for (int warp = 1; warp < D::WARPS; warp++) {
            if (warp * D::TERMS < terms) {
                sum += own[warp * ELEMENTS];
            }
        }
        return sum;
    }
};

// Elements of shared memory that a warp has for its factors, and then for its sums.
template <typename A, typename B, typename D>
struct TileElements {
    enum { STAGED = A::ELEMENTS + B::ELEMENTS, SUMS = D::ROWS * (D::COLUMNS + 4), VALUE = (int)STAGED > (int)SUMS ? STAGED : SUMS };
};

// A product by multiply-adds of each lane.
template <typename T, typename D, bool A_BY_ROW, bool B_BY_ROW, bool PACKED, bool A_GATHERED, bool B_GATHERED>
struct Tile : Sums<T, D, TileElements<Factor<T, D, D::ROWS, A_BY_ROW, PACKED, A_GATHERED>,
                                      Factor<T, D, D::COLUMNS, B_BY_ROW, PACKED, B_GATHERED>, D>::VALUE> {
    typedef Factor<T, D, D::ROWS, A_BY_ROW, PACKED, A_GATHERED> A;
    typedef Factor<T, D, D::COLUMNS, B_BY_ROW, PACKED, B_GATHERED> B;
    typedef Sums<T, D, TileElements<A, B, D>::VALUE> Base;
    enum { SIZE = Pack<T>::SIZE, ADJACENT = A_BY_ROW && B_BY_ROW };

    // Adds the sums of lanes that differ only in their group. Each keeps a GROUPS-th of them, the first ones in `sums`; returns
    // which one that is first.
    template <int DISTANCE, int COUNT>
    static __device__ __forceinline__ int add_groups(T* sums, int group) {
        if constexpr (DISTANCE >= D::GROUPS) {
            return 0;
        } else {
            bool upper = (group & DISTANCE) != 0;
#pragma unroll
            for (int i = 0; i < COUNT; i++) {
                T given = upper ? sums[i] : sums[i + COUNT];
                T own = upper ? sums[i + COUNT] : sums[i];
                sums[i] = own + __shfl_xor_sync(0xffffffffu, given, DISTANCE);
            }
            return (upper ? COUNT : 0) + add_groups<2 * DISTANCE, COUNT / 2>(sums, group);
        }
    }

    // Writes the sums of each warp that has terms to shared memory [WARPS][ELEMENTS], then waits for the other warps.
    static __device__ __forceinline__ void multiply(A a, B b, int terms, T* shared) {
        int lane = threadIdx.x % WARP;
        int group = lane % D::GROUPS;
        int across = lane / D::GROUPS % D::ACROSS;
        int down = lane / (D::GROUPS * D::ACROSS);
        T* tile_a = shared + threadIdx.x / WARP * Base::ELEMENTS;
        T* tile_b = tile_a + A::ELEMENTS;
        int first = (int)threadIdx.x / WARP * D::TERMS;
        if (first < terms) {
            T sums[D::OWN_ROWS * D::OWN_COLUMNS];
#pragma unroll
            for (int i = 0; i < D::OWN_ROWS * D::OWN_COLUMNS; i++) {
                sums[i] = T(0);
            }
            typename A::Held held_a;
            typename B::Held held_b;
            a.load(first, &held_a);
            b.load(first, &held_b);
#pragma unroll 1
            for (; first < terms; first += D::WARPS * D::TERMS) {
                __syncwarp();  // the terms before are read
                A::store(held_a, tile_a);
                B::store(held_b, tile_b);
                __syncwarp();
                int next = first + D::WARPS * D::TERMS;
                if (next < terms) {
                    a.load(next, &held_a);
                    b.load(next, &held_b);
                }
#pragma unroll
                for (int p = 0; p < D::TERMS / (D::GROUPS * SIZE); p++) {
                    T of_a[D::OWN_ROWS][SIZE];
                    T of_b[D::OWN_COLUMNS][SIZE];
                    A::template read<D::OWN_ROWS, ADJACENT>(tile_a, down, D::DOWN, group, p, of_a);
                    B::template read<D::OWN_COLUMNS, ADJACENT>(tile_b, across, D::ACROSS, group, p, of_b);
#pragma unroll
                    for (int s = 0; s < SIZE; s++) {
#pragma unroll
                        for (int i = 0; i < D::OWN_ROWS; i++) {
#pragma unroll
                            for (int j = 0; j < D::OWN_COLUMNS; j++) {
                                sums[i * D::OWN_COLUMNS + j] += of_a[i][s] * of_b[j][s];
                            }
                        }
                    }
                }
            }
            int kept = add_groups<1, D::OWN_ROWS * D::OWN_COLUMNS / 2>(sums, group);
            __syncwarp();  // the last terms are read
#pragma unroll
            for (int i = 0; i < D::OWN_ROWS * D::OWN_COLUMNS / D::GROUPS; i++) {
                int row = A::row_of(down, D::DOWN, (kept + i) / D::OWN_COLUMNS);
                tile_a[row * Base::PITCH + B::row_of(across, D::ACROSS, i % D::OWN_COLUMNS)] = sums[i];
            }
        }
        __syncthreads();
    }
};
