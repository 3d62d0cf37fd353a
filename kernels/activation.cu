// Forward: Z += b and A = f(Z). Backward: delta *= f'(Z), and the sums of delta over the batch for the bias gradient. Dropout
// multiplies A, and delta before f', by 0 or by a scale.
//
// Shapes, per replica: Z, A and delta [batch x units], b and its gradient [units], of dropout a byte an element [batch x units].
// Bound by memory: forward reads Z and writes Z and A, backward reads delta and Z and writes delta, once each.
// Dropout: forward writes the byte and backward reads it. To make the words again in backward would take no byte, but ten rounds
// of Philox an element there, where a thread has one element of a block of four.
// Tried and left: f' from A instead of Z would save nothing (one of them is read anyway), and loses digits where f saturates.

#include "activation.cuh"
#include "philox.cuh"

// Z += b, A = f(Z); a may be z itself where f is linear. Blocks: x over a replica's elements, y over replicas.
template <typename T>
__device__ void bias_activation(
    T* z, T* a, const T* bias, long long batch, int units, long long bias_stride, int replicas, int activation) {
    long long count = batch * units;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
            long long at = replica * count + i;
            T sum = z[at] + bias[replica * bias_stride + i % units];
            z[at] = sum;
            a[at] = activate(sum, activation);
        }
    }
}
KERNEL(bias_activation,
       (T* z, T* a, const T* bias, long long batch, int units, long long bias_stride, int replicas, int activation),
       (z, a, bias, batch, units, bias_stride, replicas, activation))

// The same with dropout: A = f(Z) times scale, or times 0 where the element's word is below the threshold; kept [batch x units]
// is 1 or 0 likewise. A null bias means that A = f(Z) is there already, and Z is not touched. A thread takes the four elements of one
// counter, which are neighbours. The seed is replica 0's.
// Blocks: x over fours of a replica's elements, y over replicas.
template <typename T>
__device__ void bias_activation_dropout(
    const int* cursor, const Step* steps, T* z, T* a, unsigned char* kept, const T* bias, long long batch, int units,
    long long bias_stride, int replicas, int activation, int layer, long long seed, long long threshold, double scale) {
    unsigned long long number = (unsigned long long)steps[*cursor].number;
    long long count = batch * units;
    long long fours = (count + 3) / 4;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        unsigned long long key = (unsigned long long)seed + (unsigned long long)replica;
        for (long long four = blockIdx.x * (long long)blockDim.x + threadIdx.x; four < fours;
             four += (long long)gridDim.x * blockDim.x) {
            Words counter = {(unsigned int)four, (unsigned int)layer, (unsigned int)number, (unsigned int)(number >> 32)};
            Words words = philox(counter, key);
            for (long long i = 4 * four; i < 4 * four + 4 && i < count; i++) {
                long long at = replica * count + i;
                int place = (int)(i % 4);
                unsigned int word = place == 0 ? words.x : place == 1 ? words.y : place == 2 ? words.z : words.w;
                bool keeps = (long long)word >= threshold;
                T activated;
                if (bias) {
                    T sum = z[at] + bias[replica * bias_stride + i % units];
                    z[at] = sum;
                    activated = activate(sum, activation);
                } else {
                    activated = a[at];
                }
                a[at] = activated * (keeps ? T(scale) : T(0));
                kept[at] = keeps;
            }
        }
    }
}
KERNEL(bias_activation_dropout,
       (const int* cursor, const Step* steps, T* z, T* a, unsigned char* kept, const T* bias, long long batch, int units,
        long long bias_stride, int replicas, int activation, int layer, long long seed, long long threshold, double scale),
       (cursor, steps, z, a, kept, bias, batch, units, bias_stride, replicas, activation, layer, seed, threshold, scale))

// The rows of a block's threads: 32 units wide, 16 rows deep; and how many rows each thread has under way at once.
enum { TILE_UNITS = 32, TILE_ROWS = 16, ROWS_UNDER_WAY = 4 };

// delta *= f'(Z), and the sum of delta over a segment of rows, unit by unit, into sums [replica][segment][units]. kept and
// scale are of dropout; a null kept leaves it out.
// Blocks of TILE_UNITS x TILE_ROWS threads: x over units, y over segments, z over replicas.
// Bound by latency where a batch is small: a thread that loads a row, derives it and loads the next waits for memory each time. So it
// loads several; where f' is more than a comparison it is too long to be in the code for each of them, and they wait in shared memory.
// Measurements are in MEASURED.md.
template <typename T>
__device__ void activation_backward(
    T* delta, const T* z, const unsigned char* kept, T* sums, long long batch, int units, long long rows_per_segment,
    long long sums_stride, int replicas, int activation, double scale) {
    __shared__ T deltas[ROWS_UNDER_WAY][TILE_ROWS][TILE_UNITS];
    __shared__ T inputs[ROWS_UNDER_WAY][TILE_ROWS][TILE_UNITS];
    __shared__ T tile[TILE_ROWS][TILE_UNITS];
    int unit = blockIdx.x * TILE_UNITS + threadIdx.x;
    long long first = blockIdx.y * rows_per_segment;
    long long end = first + rows_per_segment < batch ? first + rows_per_segment : batch;
    for (long long replica = blockIdx.z; replica < replicas; replica += gridDim.z) {
        T sum = T(0);
        for (long long rows = first + threadIdx.y; rows < end && unit < units; rows += TILE_ROWS * ROWS_UNDER_WAY) {
            T value[ROWS_UNDER_WAY];
            T before[ROWS_UNDER_WAY];
            T* from = delta + (replica * batch + rows) * units + unit;
            const T* from_z = z + (replica * batch + rows) * units + unit;
#pragma unroll
            for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                long long at = rows + i * TILE_ROWS < end ? (long long)i * TILE_ROWS * units : 0;
                value[i] = from[at];
                before[i] = from_z[at];
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
                        if (kept || activation == RELU) {
                            from[(long long)i * TILE_ROWS * units] = derived;
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
                from[(long long)i * TILE_ROWS * units] = derived;
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
KERNEL(activation_backward,
       (T* delta, const T* z, const unsigned char* kept, T* sums, long long batch, int units, long long rows_per_segment,
        long long sums_stride, int replicas, int activation, double scale),
       (delta, z, kept, sums, batch, units, rows_per_segment, sums_stride, replicas, activation, scale))

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
KERNEL(sum_segments,
       (const T* sums, T* bias_gradient, int units, int segments, long long gradient_stride, int replicas),
       (sums, bias_gradient, units, segments, gradient_stride, replicas))
