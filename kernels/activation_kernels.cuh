// Forward: A = f(Z + b). Backward: delta *= f'(Z + b), and the sums of delta over the batch for the bias gradient. Dropout multiplies A,
// and delta before f', by 0 or by a scale. Z is cuBLAS's product, without b: writing Z + b back would move as many bytes as A.
//
// Shapes, per replica: Z, A and delta [batch x units], b and its gradient [units], the dropout mask [batch x units] in bytes. T is the
// type of Z and of all arithmetic, S the type in which A and delta are stored: T, or Bf16, which is rounded to nearest. Z, A and delta
// have rows of `units` elements in the first case, and in the second of `pitch` elements, a multiple of 8, of which the first are used.
// Bound by memory: forward reads Z and writes A, backward reads delta and Z and writes delta, once each. If f is linear, backward
// reads no Z, and without dropout writes no delta unless that is rounded.
// Dropout: forward writes the mask and backward reads it. Generating the mask again in backward would need no memory, but ten rounds of
// Philox per element, because a thread of that kernel has only one of the four elements that share a Philox counter.
// Not measured: because b is not written into Z, a layer of 4,096 x 4,096 in fp32 writes 67 MB less in the forward pass (an estimated
// 16 us on an H200), and a linear one reads 67 MB less in the backward pass.
// Rejected: computing f' from A instead of Z would save nothing (one of them is read anyway) and lose digits where f saturates. If A is
// Bf16, relu' is computed from A, which has half the bytes: an estimated 10 us for 4,096 x 4,096 on an H100, not measured.

#pragma once
#include "activation.cuh"
#include "bf16.cuh"
#include "philox.cuh"

template <int SIZE, typename T, typename S>
__device__ __forceinline__ void bias_activation_of_packs(
    const T* z, S* a, const T* bias, T* used, int batch, int units, int activation) {
    int columns = units / SIZE;
    for (Element element(columns); element.row < batch; element.move()) {
        long long at = element.row * (long long)columns + element.column;
        Pack<T, SIZE> values = ((const Pack<T, SIZE>*)z)[at];
        Pack<T, SIZE> biases = ((const Pack<T, SIZE>*)bias)[element.column];
        if (used && element.row == 0) {
            ((Pack<T, SIZE>*)used)[element.column] = biases;
        }
#pragma unroll
        for (int k = 0; k < SIZE; k++) {
            values.of[k] += biases.of[k];
        }
        // The elements rotate through element 0, so that the code of f is generated only once.
#pragma unroll 1
        for (int k = 0; k < SIZE; k++) {
            T activated = activate(values.of[0], activation);
#pragma unroll
            for (int next = 1; next < SIZE; next++) {
                values.of[next - 1] = values.of[next];
            }
            values.of[SIZE - 1] = activated;
        }
        Pack<S, SIZE> stored;
#pragma unroll
        for (int k = 0; k < SIZE; k++) {
            store(stored.of + k, values.of[k]);
        }
        ((Pack<S, SIZE>*)a)[at] = stored;
    }
}

// A = f(Z + b); a may be z itself. b is copied to used [units], unless that is null: the update changes b, and a tap may read Z + b
// after it. packed: every row is a whole number of packs. Blocks: x over a replica's packs or elements, y over replicas.
// With pitched rows, units is the pitch: elements that are not used are computed as well, from any numbers in Z.
template <typename T, typename S>
__device__ __forceinline__ void bias_activation(
    const T* z, S* a, const T* bias, T* used, int batch, int units, long long bias_stride, int replicas, int activation, int packed) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const T* from = z + replica * batch * units;
        S* to = a + replica * batch * units;
        const T* of_replica = bias + replica * bias_stride;
        T* used_by_replica = used ? used + replica * units : used;
        if (packed) {
            bias_activation_of_packs<Pack<T>::SIZE>(from, to, of_replica, used_by_replica, batch, units, activation);
        } else {
            bias_activation_of_packs<1>(from, to, of_replica, used_by_replica, batch, units, activation);
        }
    }
}

// The same with dropout: A = f(Z + b) * scale, or 0 where the element's Philox word is below the threshold; kept [batch x units] is 1
// or 0 accordingly. With a null bias, a already contains f(Z + b). A thread takes the four adjacent elements of one Philox counter. The
// seed is replica 0's.
// Blocks: x over groups of four elements of a replica, y over replicas.
template <typename T, typename S>
__device__ __forceinline__ void bias_activation_dropout(
    const int* cursor, const Step* steps, const T* z, S* a, unsigned char* kept, const T* bias, T* used, int batch, int units, int pitch,
    long long bias_stride, int replicas, int activation, int layer, long long seed, long long threshold, double scale) {
    constexpr bool PITCHED = sizeof(S) != sizeof(T);
    unsigned long long number = (unsigned long long)steps[*cursor].number;
    long long count = (long long)batch * units;
    long long fours = (count + 3) / 4;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        unsigned long long key = (unsigned long long)seed + (unsigned long long)replica;
        Element element(units, 4);
        for (long long four = blockIdx.x * (long long)blockDim.x + threadIdx.x; four < fours;
             four += (long long)gridDim.x * blockDim.x, element.move()) {
            Words counter = {(unsigned int)four, (unsigned int)layer, (unsigned int)number, (unsigned int)(number >> 32)};
            Words words = philox(counter, key);
            int column = element.column;
            int row = element.row;
            for (long long i = 4 * four; i < 4 * four + 4 && i < count; i++) {
                long long at = replica * count + i;
                int turn = (int)(i % 4);
                unsigned int word = turn == 0 ? words.x : turn == 1 ? words.y : turn == 2 ? words.z : words.w;
                bool keeps = (long long)word >= threshold;
                T activated;
                long long place = PITCHED ? (replica * batch + row) * pitch + column : at;
                if (PITCHED || bias) {
                    T shift = bias[replica * bias_stride + column];
                    if (i < units) {
                        used[replica * (PITCHED ? pitch : units) + column] = shift;
                    }
                    activated = activate(z[place] + shift, activation);
                } else {
                    activated = a[place];
                }
                store(a + place, activated * (keeps ? T(scale) : T(0)));
                kept[at] = keeps;
                row = column + 1 == units ? row + 1 : row;
                column = column + 1 == units ? 0 : column + 1;
            }
        }
    }
}

// A block's tile: 32 units by 16 rows; and how many rows each thread loads ahead.
enum { TILE_UNITS = 32, TILE_ROWS = 16, ROWS_UNDER_WAY = 4 };

// delta = incoming * f'(Z + b), and the sum of that over a segment of rows, before it is rounded, for each unit, into sums
// [replica][segment][units]. incoming is dLoss/dA; if S is T, it is in delta. kept and scale are dropout's; null kept: no dropout.
// pitch: of incoming and Z; delta_pitch: of delta and A. If S is Bf16, relu' is computed from A, which is
// positive where Z + b is, except below 2^-134, which is rounded to 0; if S is T, A is not read.
// Blocks of TILE_UNITS x TILE_ROWS threads: x over units, y over segments, z over replicas.
// Bound by latency if the batch is small: a thread that loads one row at a time waits for memory each time. So it loads several rows
// ahead. If f' is more than a comparison, its code is too long to be repeated for each of them, and they wait in shared memory.
// Measurements are in MEASURED.md.
template <typename T, typename S>
__device__ __forceinline__ void activation_backward(
    const T* incoming, S* delta, const T* z, const S* a, const T* bias, const unsigned char* kept, T* sums, long long batch, int units, int pitch,
    int delta_pitch, long long rows_per_segment, long long bias_stride, long long sums_stride, int replicas, int activation,
    double scale) {
    constexpr bool IN_PLACE = sizeof(S) == sizeof(T);
    __shared__ T deltas[ROWS_UNDER_WAY][TILE_ROWS][TILE_UNITS];
    __shared__ T inputs[ROWS_UNDER_WAY][TILE_ROWS][TILE_UNITS];
    __shared__ T tile[TILE_ROWS][TILE_UNITS];
    int unit = blockIdx.x * TILE_UNITS + threadIdx.x;
    long long first = blockIdx.y * rows_per_segment;
    long long end = first + rows_per_segment < batch ? first + rows_per_segment : batch;
    for (long long replica = blockIdx.z; replica < replicas; replica += gridDim.z) {
        T sum = T(0);
        T shift = activation != LINEAR && unit < units ? bias[replica * bias_stride + unit] : T(0);
        for (long long rows = first + threadIdx.y; rows < end && unit < units; rows += TILE_ROWS * ROWS_UNDER_WAY) {
            T value[ROWS_UNDER_WAY];
            T before[ROWS_UNDER_WAY];
            S* to = delta + (replica * batch + rows) * delta_pitch + unit;
            const T* from = IN_PLACE ? (const T*)to : incoming + (replica * batch + rows) * pitch + unit;
            const T* from_z = z + (replica * batch + rows) * pitch + unit;
            const S* from_a = a + (replica * batch + rows) * delta_pitch + unit;
#pragma unroll
            for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                long long at = rows + i * TILE_ROWS < end ? (long long)i * TILE_ROWS * pitch : 0;
                value[i] = from[at];
                if (!IN_PLACE && activation == RELU) {
                    before[i] = number(from_a[rows + i * TILE_ROWS < end ? (long long)i * TILE_ROWS * delta_pitch : 0]);
                } else if (activation != LINEAR) {
                    before[i] = from_z[at] + shift;
                }
            }
            if (kept) {
                const unsigned char* from_kept = kept + (replica * batch + rows) * units + unit;
#pragma unroll
                for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                    long long at = rows + i * TILE_ROWS < end ? (long long)i * TILE_ROWS * units : 0;
                    value[i] *= from_kept[at] ? T(scale) : T(0);
                }
            }
            if (activation <= RELU) {
#pragma unroll
                for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                    if (rows + i * TILE_ROWS < end) {
                        T derived = activation == RELU ? value[i] * derivative(before[i], (int)RELU) : value[i];
                        if (!IN_PLACE || kept || activation == RELU) {
                            store(to + (long long)i * TILE_ROWS * delta_pitch, derived);
                        }
                        sum += derived;
                    }
                }
                continue;
            }
#pragma unroll
            for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                deltas[i][threadIdx.y][threadIdx.x] = value[i];
                inputs[i][threadIdx.y][threadIdx.x] = before[i];
            }
#pragma unroll 1
            for (int i = 0; i < ROWS_UNDER_WAY && rows + i * TILE_ROWS < end; i++) {
                T derived = deltas[i][threadIdx.y][threadIdx.x] * derivative(inputs[i][threadIdx.y][threadIdx.x], activation);
                store(to + (long long)i * TILE_ROWS * delta_pitch, derived);
                sum += derived;
            }
        }
        tile[threadIdx.y][threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.y == 0 && unit < units) {
            for (int row = 1; row < TILE_ROWS; row++) {
                sum += tile[row][threadIdx.x];
            }
            sums[replica * sums_stride + (long long)blockIdx.y * units + unit] = sum;
        }
        __syncthreads();  // before the next replica's sums
    }
}

// The bias gradient [units] as the sum of its segments [segments][units], first to last. Blocks: x over units, y over replicas.
template <typename T>
__device__ void sum_segments(
    const T* sums, T* bias_gradient, int units, int segments, long long gradient_stride, int replicas) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const T* of_replica = sums + replica * segments * units;
        for (int unit = blockIdx.x * blockDim.x + threadIdx.x; unit < units; unit += gridDim.x * blockDim.x) {
            T sum = T(0);
            for (int segment = 0; segment < segments; segment++) {
                sum += of_replica[(long long)segment * units + unit];
            }
            bias_gradient[replica * gradient_stride + unit] = sum;
        }
    }
}
