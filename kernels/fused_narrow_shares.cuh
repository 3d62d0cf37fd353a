// The sum of a narrow network's gradients by the blocks of a cluster: each block sums a share of the elements.
#pragma once
#include "cluster.cuh"
#include "fused_narrow_sums.cuh"

// The share of a block of a cluster, and of one of its threads, in the sum of gradients. A single block has only a rank.
template <int BLOCKS>
struct NarrowShare {
    int rank;
    int length;       // elements of a share, HALF_UNITS for each of the block's first threads
    float* partials;  // the sums of the block's share, for each segment of a tile
    // The thread's elements of the block's share, or none.
    int element;
    int count;
    bool exists;
    // The destination of the thread's item for the tile's first segment.
    RemoteAddress weights[HALF_UNITS];
    RemoteAddress bias;

    __device__ __forceinline__ NarrowShare(const FusedLayer* layers, int vector, const NarrowItem& item, float* partials)
        : rank(cluster_rank<BLOCKS>()), partials(partials) {
        if (BLOCKS == ONE_BLOCK) {
            return;
        }
        length = (vector / HALF_UNITS + BLOCKS - 1) / BLOCKS * HALF_UNITS;
        int first = threadIdx.x * HALF_UNITS;
        element = rank * length + first;
        exists = first < length && element < vector;
        count = exists ? narrow_place(layers, element).count : 0;
#pragma unroll
        for (int i = 0; i < HALF_UNITS; i++) {
            weights[i] = place_of(item.weights + i * NARROW);
        }
        bias = item.bias >= 0 ? place_of(item.bias) : 0;
    }

    // The destination of HALF_UNITS sums of the first segment.
    __device__ __forceinline__ RemoteAddress place_of(int first) const {
        int owner = first / length;
        return remote(partials + first - owner * length, owner);
    }

    // Sends each of a lane's sums over a segment to the block that owns its share.
    __device__ __forceinline__ void send(const NarrowItem& item, int segment, const NarrowSums& sums) const {
        if (item.exists) {
            RemoteAddress offset = segment * length * (int)sizeof(float);
#pragma unroll
            for (int i = 0; i < HALF_UNITS; i++) {
                write_remote4(sums.weights[i], weights[i] + offset);
            }
            if (item.bias >= 0) {
                write_remote4(sums.bias, bias + offset);
            }
        }
    }

    // Adds the share's gradients of a tile's segments, in order, to those of earlier tiles. After the last tile the sums are complete
    // and are sent to all blocks.
    __device__ __forceinline__ void add(int segments, bool later_tile, bool last_tile, float* gradients) const {
        if (!exists) {
            return;
        }
        float sums[HALF_UNITS];
        const float* partial = partials + threadIdx.x * HALF_UNITS;
        if (later_tile) {
            read4(gradients + element, sums);
            add_narrow_partials(partial, length, segments, sums);
        } else {
            read4(partial, sums);
            add_narrow_partials(partial + length, length, segments - 1, sums);
        }
        clear_padding<HALF_UNITS>(count, sums);
        if (!last_tile) {
            write4(sums, gradients + element);
            return;
        }
#pragma unroll
        for (int block = 0; block < BLOCKS; block++) {
            write_remote4(sums, remote(gradients + element, block));
        }
    }
};
