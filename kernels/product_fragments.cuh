// A tile of a product by tensor cores: mma.m16n8k8, factors in TF32, sums in single precision.
//
// Each lane loads its elements of both factors from global memory in packs of 16 bytes, directly into the registers that mma reads. The
// terms of a product may be in any order: a lane's four adjacent terms are two terms of each of two mma instructions. If a factor's rows
// (or columns) are adjacent in memory, a lane's four of them belong to four fragments. Only the sums go through shared memory.
#pragma once
#include "product_tile.cuh"

// A lane's elements of a factor: SLOTS rows (or columns) by the four terms of its group of lanes.
template <bool BY_ROW>
struct FragmentPacks {
    enum { GROUP = 4 };  // lanes that have the terms of the same rows
    static __device__ __forceinline__ int line(int i) {
        int lane = threadIdx.x % WARP;
        return BY_ROW ? i * (WARP / GROUP) + lane / GROUP : lane % GROUP * GROUP + i;
    }
    static __device__ __forceinline__ int place(int) {
        int lane = threadIdx.x % WARP;
        return (BY_ROW ? lane % GROUP : lane / GROUP) * GROUP;
    }
};

template <typename D, int COUNT, bool BY_ROW, bool PACKED, bool GATHERED>
struct FragmentFactor : Loader<float, D, COUNT, BY_ROW, PACKED, GATHERED, FragmentPacks<BY_ROW>> {
    typedef Loader<float, D, COUNT, BY_ROW, PACKED, GATHERED, FragmentPacks<BY_ROW>> Base;
    enum { SLOTS = COUNT / 8 };
    static_assert(BY_ROW || COUNT == WARP, "a warp's packs are the terms of WARP adjacent rows");
    using Base::Base;

    // The row of the tile that is in a slot of the lanes of a group.
    static __device__ __forceinline__ int row_of(int slot, int group) {
        return BY_ROW ? slot * 8 + group : group * 4 + slot;
    }

    static __device__ __forceinline__ unsigned int element(const typename Base::Held& held, int slot, int term) {
        unsigned int rounded;
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(BY_ROW ? held.of[slot].of[term] : held.of[term].of[slot]));
        return rounded;
    }
};

// sums += a . b of 16 rows, 8 columns and 8 terms.
__device__ __forceinline__ void multiply_add(const unsigned int (&a)[4], const unsigned int (&b)[2], float (&sums)[4]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

template <typename D, bool A_BY_ROW, bool B_BY_ROW, bool PACKED, bool A_GATHERED, bool B_GATHERED>
struct FragmentTile : Sums<float, D, D::ROWS * (D::COLUMNS + 4)> {
    typedef FragmentFactor<D, D::ROWS, A_BY_ROW, PACKED, A_GATHERED> A;
    typedef FragmentFactor<D, D::COLUMNS, B_BY_ROW, PACKED, B_GATHERED> B;
    typedef Sums<float, D, D::ROWS * (D::COLUMNS + 4)> Base;
    enum {
        DOWN = D::ROWS / 16,
        ACROSS = D::COLUMNS / 8,
        STEP = D::WARPS * D::TERMS
    };

    static __device__ __forceinline__ void multiply_held(
        const typename A::Held& a, const typename B::Held& b, float (&sums)[DOWN][ACROSS][4]) {
#pragma unroll
        for (int term = 0; term < 4; term += 2) {
            unsigned int of_b[ACROSS][2];
#pragma unroll
            for (int j = 0; j < ACROSS; j++) {
                of_b[j][0] = B::element(b, j, term);
                of_b[j][1] = B::element(b, j, term + 1);
            }
#pragma unroll
            for (int i = 0; i < DOWN; i++) {
                unsigned int of_a[4] = {A::element(a, 2 * i, term), A::element(a, 2 * i + 1, term), A::element(a, 2 * i, term + 1),
                                        A::element(a, 2 * i + 1, term + 1)};
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
                    multiply_add(of_a, of_b[j], sums[i][j]);
                }
            }
        }
    }

    // Leaves the sums of each warp that has terms in shared memory, then waits for the other warps.
    static __device__ __forceinline__ void multiply(A a, B b, int terms, float* shared) {
        int group = threadIdx.x % WARP / 4;
        int of_group = threadIdx.x % 4;
        int first = (int)threadIdx.x / WARP * D::TERMS;
        if (first < terms) {
            float sums[DOWN][ACROSS][4] = {};
            typename A::Held held_a[D::AHEAD];
            typename B::Held held_b[D::AHEAD];
#pragma unroll
            for (int ahead = 0; ahead < D::AHEAD; ahead++) {
                if (first + ahead * STEP < terms) {
                    a.load(first + ahead * STEP, held_a + ahead);
                    b.load(first + ahead * STEP, held_b + ahead);
                }
            }
#pragma unroll 1
            for (; first < terms; first += D::AHEAD * STEP) {
#pragma unroll
                for (int ahead = 0; ahead < D::AHEAD; ahead++) {
                    int now = first + ahead * STEP;
                    if (now < terms) {
                        multiply_held(held_a[ahead], held_b[ahead], sums);
                        int next = now + D::AHEAD * STEP;
                        if (next < terms) {
                            a.load(next, held_a + ahead);
                            b.load(next, held_b + ahead);
                        }
                    }
                }
            }
            float* own = shared + threadIdx.x / WARP * Base::ELEMENTS;
#pragma unroll
            for (int i = 0; i < DOWN; i++) {
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
#pragma unroll
                    for (int k = 0; k < 4; k++) {
                        int row = A::row_of(2 * i + k / 2, group);
                        own[row * Base::PITCH + B::row_of(j, 2 * of_group + k % 2)] = sums[i][j][k];
                    }
                }
            }
        }
        __syncthreads();
    }
};
