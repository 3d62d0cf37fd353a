// Normalizations and residual connections of hidden layers, around cuBLAS's products. Forward: H = scale * X + shift with
// X = (Z + b - mean) / sqrt(variance + epsilon), and A = f(H) + I, where I is the layer's input in a residual layer. Backward: from
// G = dLoss/dA to dLoss/dH, then to dLoss/dZ through mean and variance (Ioffe and Szegedy 2015, section 3). The formulas are those of
// dev.plumb.backend.reference.Normalizations. Without a normalization H is Z + b.
//
// Shapes, per replica: Z, A, I, G and delta [batch x units], b, scale, shift and their gradients [units], the dropout mask
// [batch x units] in bytes. Statistics belong to a group: a unit over the batch, or a row over the units. They are stored as
// [2][groups], first the means, then 1 / sqrt(variance + epsilon).
//
// Neither X nor H is stored: each kernel computes them from Z with the same instructions, and so with the same bits. All kernels are
// bound by memory. In numbers of a matrix, per element of fp32 or fp64:
//   batch: statistics read Z, twice, the second time from L1 or L2; activation reads Z and writes A; output_gradient reads G and Z and
//          writes delta; delta reads delta and Z and writes delta: 9 with one read of Z by the statistics. A plain layer has 5.
//   layer: layer_sums read delta and Z in addition: 11.
//   Residual layers read I in the forward pass. G of the layer above is added by the product that computes G (cuBLAS's beta).
// Nothing in this file was measured. Not tried: rows of a layer normalization in one launch per pass, which would save the second read of
// Z and of delta, but needs a whole row in one block, while dropout's counters take four elements regardless of rows.

#include "activation.cuh"
#include "philox.cuh"

// The order of dev.plumb.model.Normalization, then batch normalization with running statistics.
enum Normalization { UNNORMALIZED, OVER_BATCH, OVER_UNITS, BY_RUNNING_STATISTICS };

// EPSILON and MOMENTUM of dev.plumb.model.Normalization.
constexpr double EPSILON = 1e-5;
constexpr double MOMENTUM = 0.1;

// A block's tile: 32 units by 16 rows, how many rows each thread loads ahead, and the rows of a block with a warp per row.
enum { TILE_UNITS = 32, TILE_ROWS = 16, ROWS_UNDER_WAY = 4, ROWS_OF_BLOCK = SUM_THREADS / WARP };

template <typename T>
__device__ __forceinline__ T inverse_deviation(T variance) {
    return T(1) / sqrt(variance + T(EPSILON));
}

// The sum over the rows of a tile for the thread's unit, in the order of the rows. Every thread must call it; each gets its unit's sum.
template <typename T>
__device__ __forceinline__ T tile_sum(T value, T (*tile)[TILE_UNITS]) {
    tile[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    T sum = tile[0][threadIdx.x];
    for (int row = 1; row < TILE_ROWS; row++) {
        sum += tile[row][threadIdx.x];
    }
    __syncthreads();  // before the next sum overwrites what others read
    return sum;
}

// The sum over a warp, for all of its threads.
template <typename T>
__device__ __forceinline__ T sum_for_warp(T value) {
    return __shfl_sync(0xffffffffu, warp_sum(value), 0);
}

// Stores the statistics of a unit and updates its running mean and running variance [2][units]; squares are those of the differences
// from the mean.
template <typename T>
__device__ __forceinline__ void finish_unit(T mean, T squares, long long batch, int units, int unit, T* statistics, T* running) {
    statistics[unit] = mean;
    statistics[units + unit] = inverse_deviation(squares / T(batch));
    running[unit] = fma(T(MOMENTUM), mean, T(1 - MOMENTUM) * running[unit]);
    running[units + unit] = fma(T(MOMENTUM), squares / T(batch - 1), T(1 - MOMENTUM) * running[units + unit]);
}

// Mean of Z + b and the sum of the squared differences from it over a segment of rows, for each unit. They go to segments
// [replica][segment][2][units]; if there is only one segment, to the statistics.
// Blocks of TILE_UNITS x TILE_ROWS threads: x over units, y over segments, z over replicas.
template <typename T>
__device__ __forceinline__ void normalization_batch_statistics(
    const T* z, const T* bias, T* segments, T* statistics, T* running, long long batch, int units, long long rows_per_segment,
    long long parameter_stride, long long running_stride, int replicas) {
    __shared__ T tile[TILE_ROWS][TILE_UNITS];
    int unit = blockIdx.x * TILE_UNITS + threadIdx.x;
    long long first = blockIdx.y * rows_per_segment;
    long long end = first + rows_per_segment < batch ? first + rows_per_segment : batch;
    for (long long replica = blockIdx.z; replica < replicas; replica += gridDim.z) {
        const T* of_unit = z + replica * batch * units + unit;
        T b = unit < units ? bias[replica * parameter_stride + unit] : T(0);
        long long last = unit < units ? end : first;
        T sum = T(0);
#pragma unroll ROWS_UNDER_WAY
        for (long long row = first + threadIdx.y; row < last; row += TILE_ROWS) {
            sum += of_unit[row * units] + b;
        }
        T mean = tile_sum(sum, tile) / T(end - first);
        T squares = T(0);
#pragma unroll ROWS_UNDER_WAY
        for (long long row = first + threadIdx.y; row < last; row += TILE_ROWS) {
            T difference = of_unit[row * units] + b - mean;
            squares = fma(difference, difference, squares);
        }
        squares = tile_sum(squares, tile);
        if (threadIdx.y == 0 && unit < units && gridDim.y == 1) {
            finish_unit(mean, squares, batch, units, unit, statistics + replica * 2 * units, running + replica * running_stride);
        } else if (threadIdx.y == 0 && unit < units) {
            T* of_segment = segments + (replica * gridDim.y + blockIdx.y) * 2 * units;
            of_segment[unit] = mean;
            of_segment[units + unit] = squares;
        }
    }
}

// The statistics of a batch from those of its segments, first to last (Chan, Golub, LeVeque 1979). Blocks: x over units, y over replicas.
template <typename T>
__device__ __forceinline__ void normalization_merge_statistics(
    const T* segments, T* statistics, T* running, long long batch, int units, int segment_count, long long rows_per_segment,
    long long running_stride, int replicas) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const T* of_replica = segments + replica * segment_count * 2 * units;
        for (int unit = blockIdx.x * blockDim.x + threadIdx.x; unit < units; unit += gridDim.x * blockDim.x) {
            T mean = T(0);
            for (int segment = 0; segment < segment_count; segment++) {
                long long after = batch - segment * rows_per_segment;
                T rows = T(after < rows_per_segment ? after : rows_per_segment);
                mean = fma(rows / T(batch), of_replica[(long long)segment * 2 * units + unit], mean);
            }
            T squares = T(0);
            for (int segment = 0; segment < segment_count; segment++) {
                long long after = batch - segment * rows_per_segment;
                T rows = T(after < rows_per_segment ? after : rows_per_segment);
                T difference = of_replica[(long long)segment * 2 * units + unit] - mean;
                squares += fma(rows * difference, difference, of_replica[((long long)segment * 2 + 1) * units + unit]);
            }
            finish_unit(mean, squares, batch, units, unit, statistics + replica * 2 * units, running + replica * running_stride);
        }
    }
}

// The statistics of each row. A warp per row; blocks of SUM_THREADS: x over rows, y over replicas.
template <typename T>
__device__ __forceinline__ void normalization_layer_statistics(
    const T* z, const T* bias, T* statistics, long long batch, int units, long long parameter_stride, int replicas) {
    int lane = threadIdx.x % WARP;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const T* b = bias + replica * parameter_stride;
        for (long long row = blockIdx.x * (long long)ROWS_OF_BLOCK + threadIdx.x / WARP; row < batch;
             row += gridDim.x * (long long)ROWS_OF_BLOCK) {
            const T* of_row = z + (replica * batch + row) * units;
            T sum = T(0);
#pragma unroll ROWS_UNDER_WAY
            for (int unit = lane; unit < units; unit += WARP) {
                sum += of_row[unit] + b[unit];
            }
            T mean = sum_for_warp(sum) / T(units);
            T squares = T(0);
#pragma unroll ROWS_UNDER_WAY
            for (int unit = lane; unit < units; unit += WARP) {
                T difference = of_row[unit] + b[unit] - mean;
                squares = fma(difference, difference, squares);
            }
            squares = sum_for_warp(squares);
            if (lane == 0) {
                T* of_replica = statistics + replica * 2 * batch;
                of_replica[row] = mean;
                of_replica[batch + row] = inverse_deviation(squares / T(units));
            }
        }
    }
}

// A = f(H) * M + I; a may be z itself. input is I, and null without a residual connection. M is dropout's mask, as in
// bias_activation_dropout: kept [batch x units] receives 1 or 0; null kept: no dropout. statistics are those of the batch or of the rows,
// or running means and variances [2][units]; statistics_stride is the distance of one replica's from the next one's. b, and with a
// normalization scale and shift, are copied to used [1 or 3][units], unless that is null: the update changes them, and a tap may read
// Z + b and H after it. A thread takes four adjacent elements. Blocks: x over groups of four elements of a replica, y over replicas.
template <typename T>
__device__ __forceinline__ void normalization_activation(
    const int* cursor, const Step* steps, const T* z, T* a, unsigned char* kept, const T* bias, const T* scale, const T* shift, T* used,
    const T* statistics, const T* input, int batch, int units, long long parameter_stride, long long statistics_stride,
    long long input_stride, int normalization, int replicas, int activation, int layer, long long seed, long long threshold,
    double dropout_scale) {
    unsigned long long number = kept ? (unsigned long long)steps[*cursor].number : 0;
    long long count = (long long)batch * units;
    long long fours = (count + 3) / 4;
    long long groups = normalization == OVER_UNITS ? batch : units;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        unsigned long long key = (unsigned long long)seed + (unsigned long long)replica;
        const T* means = statistics + replica * statistics_stride;
        T* used_by_replica = used + replica * units * (normalization == UNNORMALIZED ? 1 : 3);
        Element element(units, 4);
        for (long long four = blockIdx.x * (long long)blockDim.x + threadIdx.x; four < fours;
             four += (long long)gridDim.x * blockDim.x, element.move()) {
            Words words = {};
            if (kept) {
                Words counter = {(unsigned int)four, (unsigned int)layer, (unsigned int)number, (unsigned int)(number >> 32)};
                words = philox(counter, key);
            }
            int column = element.column;
            int row = element.row;
            for (long long i = 4 * four; i < 4 * four + 4 && i < count; i++) {
                long long at = replica * count + i;
                long long of_unit = replica * parameter_stride + column;
                T b = bias[of_unit];
                T value = z[at] + b;
                if (used && row == 0) {
                    used_by_replica[column] = b;
                }
                if (normalization != UNNORMALIZED) {
                    long long group = normalization == OVER_UNITS ? row : column;
                    T inverse = means[groups + group];
                    if (normalization == BY_RUNNING_STATISTICS) {
                        inverse = inverse_deviation(inverse);
                    }
                    value = fma(scale[of_unit], (value - means[group]) * inverse, shift[of_unit]);
                    if (used && row == 0) {
                        used_by_replica[units + column] = scale[of_unit];
                        used_by_replica[2 * units + column] = shift[of_unit];
                    }
                }
                T activated = activate(value, activation);
                if (kept) {
                    int turn = (int)(i % 4);
                    unsigned int word = turn == 0 ? words.x : turn == 1 ? words.y : turn == 2 ? words.z : words.w;
                    bool keeps = (long long)word >= threshold;
                    kept[at] = keeps;
                    activated *= keeps ? T(dropout_scale) : T(0);
                }
                if (input) {
                    activated += input[replica * input_stride + i];
                }
                a[at] = activated;
                row = column + 1 == units ? row + 1 : row;
                column = column + 1 == units ? 0 : column + 1;
            }
        }
    }
}

// delta = dLoss/dH = G * M * f'(H), and over a segment of rows, for each unit, its sum, which is the gradient of shift, or of b without a
// normalization, and the sum of delta * X, which is the gradient of scale. Both go to [replica][segment][units], or with one segment to
// the gradients; sums_stride is the distance of one replica's from the next one's.
// Blocks of TILE_UNITS x TILE_ROWS threads: x over units, y over segments, z over replicas. A thread loads several rows ahead, as in
// activation_backward; the rows then rotate through element 0, so that the code of f' is generated only once.
template <typename T>
__device__ __forceinline__ void normalization_output_gradient(
    const T* g, T* delta, const T* z, const T* bias, const T* scale, const T* shift, const unsigned char* kept, const T* statistics,
    T* sums, T* scaled_sums, long long batch, int units, long long rows_per_segment, long long parameter_stride, long long sums_stride,
    int normalization, int replicas, int activation, double dropout_scale) {
    __shared__ T tile[TILE_ROWS][TILE_UNITS];
    int unit = blockIdx.x * TILE_UNITS + threadIdx.x;
    long long first = blockIdx.y * rows_per_segment;
    long long end = first + rows_per_segment < batch ? first + rows_per_segment : batch;
    long long groups = normalization == OVER_UNITS ? batch : units;
    for (long long replica = blockIdx.z; replica < replicas; replica += gridDim.z) {
        const T* means = statistics + replica * 2 * groups;
        long long of_unit = replica * parameter_stride + unit;
        bool normalized = normalization != UNNORMALIZED && unit < units;
        T b = unit < units ? bias[of_unit] : T(0);
        T s = normalized ? scale[of_unit] : T(1);
        T t = normalized ? shift[of_unit] : T(0);
        T sum = T(0);
        T scaled_sum = T(0);
        for (long long rows = first + threadIdx.y; rows < end && unit < units; rows += TILE_ROWS * ROWS_UNDER_WAY) {
            T value[ROWS_UNDER_WAY];
            T x[ROWS_UNDER_WAY];
#pragma unroll
            for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                long long row = rows + i * TILE_ROWS < end ? rows + i * TILE_ROWS : rows;
                long long at = (replica * batch + row) * units + unit;
                value[i] = g[at];
                x[i] = z[at] + b;
                if (normalized) {
                    long long group = normalization == OVER_UNITS ? row : unit;
                    x[i] = (x[i] - means[group]) * means[groups + group];
                }
                if (kept) {
                    value[i] *= kept[at] ? T(dropout_scale) : T(0);
                }
            }
#pragma unroll 1
            for (int i = 0; i < ROWS_UNDER_WAY && rows + i * TILE_ROWS < end; i++) {
                T h = normalized ? fma(s, x[0], t) : x[0];
                T derived = value[0] * derivative(h, activation);
                delta[(replica * batch + rows + i * TILE_ROWS) * units + unit] = derived;
                sum += derived;
                scaled_sum = fma(derived, x[0], scaled_sum);
#pragma unroll
                for (int next = 1; next < ROWS_UNDER_WAY; next++) {
                    value[next - 1] = value[next];
                    x[next - 1] = x[next];
                }
            }
        }
        sum = tile_sum(sum, tile);
        scaled_sum = tile_sum(scaled_sum, tile);
        if (threadIdx.y == 0 && unit < units) {
            long long to = replica * sums_stride + (long long)blockIdx.y * units + unit;
            sums[to] = sum;
            if (normalized) {
                scaled_sums[to] = scaled_sum;
            }
        }
    }
}

// For each row the sums over its units of scale * delta and of scale * delta * X, into sums [replica][2][batch]; delta is dLoss/dH.
// A warp per row; blocks of SUM_THREADS: x over rows, y over replicas.
template <typename T>
__device__ __forceinline__ void normalization_layer_sums(
    const T* delta, const T* z, const T* bias, const T* scale, const T* statistics, T* sums, long long batch, int units,
    long long parameter_stride, int replicas) {
    int lane = threadIdx.x % WARP;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const T* b = bias + replica * parameter_stride;
        const T* s = scale + replica * parameter_stride;
        const T* means = statistics + replica * 2 * batch;
        for (long long row = blockIdx.x * (long long)ROWS_OF_BLOCK + threadIdx.x / WARP; row < batch;
             row += gridDim.x * (long long)ROWS_OF_BLOCK) {
            long long from = (replica * batch + row) * units;
            T mean = means[row];
            T inverse = means[batch + row];
            T sum = T(0);
            T scaled_sum = T(0);
#pragma unroll ROWS_UNDER_WAY
            for (int unit = lane; unit < units; unit += WARP) {
                T gradient = s[unit] * delta[from + unit];
                sum += gradient;
                scaled_sum = fma(gradient, (z[from + unit] + b[unit] - mean) * inverse, scaled_sum);
            }
            sum = sum_for_warp(sum);
            scaled_sum = sum_for_warp(scaled_sum);
            if (lane == 0) {
                sums[replica * 2 * batch + row] = sum;
                sums[(replica * 2 + 1) * batch + row] = scaled_sum;
            }
        }
    }
}

// delta from dLoss/dH to dLoss/dZ, in place, and its sum over a segment of rows, for each unit, into sums [replica][segment][units], or
// with one segment into the gradient of b:
//   dLoss/dZ = (scale * dLoss/dH - mean over the group of scale * dLoss/dH - X * mean over the group of scale * dLoss/dH * X) / deviation
// group_sums and scaled_group_sums: of layer_sums; over the batch, the gradients of shift and scale, whose scale is that of the unit.
// Blocks of TILE_UNITS x TILE_ROWS threads: x over units, y over segments, z over replicas.
template <typename T>
__device__ __forceinline__ void normalization_delta(
    T* delta, const T* z, const T* bias, const T* scale, const T* statistics, const T* group_sums, const T* scaled_group_sums, T* sums,
    long long batch, int units, long long rows_per_segment, long long parameter_stride, long long group_stride, long long sums_stride,
    int normalization, int replicas) {
    __shared__ T tile[TILE_ROWS][TILE_UNITS];
    int unit = blockIdx.x * TILE_UNITS + threadIdx.x;
    long long first = blockIdx.y * rows_per_segment;
    long long end = first + rows_per_segment < batch ? first + rows_per_segment : batch;
    bool over_units = normalization == OVER_UNITS;
    long long groups = over_units ? batch : units;
    T per_group = T(1) / T(over_units ? (long long)units : batch);
    for (long long replica = blockIdx.z; replica < replicas; replica += gridDim.z) {
        const T* means = statistics + replica * 2 * groups;
        long long of_unit = replica * parameter_stride + unit;
        T b = unit < units ? bias[of_unit] : T(0);
        T s = unit < units ? scale[of_unit] : T(0);
        T weight = over_units ? per_group : s * per_group;
        T sum = T(0);
        for (long long rows = first + threadIdx.y; rows < end && unit < units; rows += TILE_ROWS * ROWS_UNDER_WAY) {
            T value[ROWS_UNDER_WAY];
#pragma unroll
            for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                long long row = rows + i * TILE_ROWS < end ? rows + i * TILE_ROWS : rows;
                long long at = (replica * batch + row) * units + unit;
                long long group = over_units ? row : unit;
                T inverse = means[groups + group];
                T x = (z[at] + b - means[group]) * inverse;
                // As explicit fma the first difference is exactly 0 in a group of one number.
                T centered = fma(-weight, group_sums[replica * group_stride + group], s * delta[at]);
                value[i] = inverse * fma(-x, weight * scaled_group_sums[replica * group_stride + group], centered);
            }
#pragma unroll
            for (int i = 0; i < ROWS_UNDER_WAY; i++) {
                if (rows + i * TILE_ROWS < end) {
                    delta[(replica * batch + rows + i * TILE_ROWS) * units + unit] = value[i];
                    sum += value[i];
                }
            }
        }
        sum = tile_sum(sum, tile);
        if (threadIdx.y == 0 && unit < units) {
            sums[replica * sums_stride + (long long)blockIdx.y * units + unit] = sum;
        }
    }
}

KERNEL(normalization_batch_statistics,
       (const T* z, const T* bias, T* segments, T* statistics, T* running, long long batch, int units, long long rows_per_segment,
        long long parameter_stride, long long running_stride, int replicas),
       (z, bias, segments, statistics, running, batch, units, rows_per_segment, parameter_stride, running_stride, replicas))
KERNEL(normalization_merge_statistics,
       (const T* segments, T* statistics, T* running, long long batch, int units, int segment_count, long long rows_per_segment,
        long long running_stride, int replicas),
       (segments, statistics, running, batch, units, segment_count, rows_per_segment, running_stride, replicas))
KERNEL(normalization_layer_statistics,
       (const T* z, const T* bias, T* statistics, long long batch, int units, long long parameter_stride, int replicas),
       (z, bias, statistics, batch, units, parameter_stride, replicas))
KERNEL(normalization_activation,
       (const int* cursor, const Step* steps, const T* z, T* a, unsigned char* kept, const T* bias, const T* scale, const T* shift, T* used,
        const T* statistics, const T* input, int batch, int units, long long parameter_stride, long long statistics_stride,
        long long input_stride, int normalization, int replicas, int activation, int layer, long long seed, long long threshold,
        double dropout_scale),
       (cursor, steps, z, a, kept, bias, scale, shift, used, statistics, input, batch, units, parameter_stride, statistics_stride,
        input_stride, normalization, replicas, activation, layer, seed, threshold, dropout_scale))
KERNEL(normalization_output_gradient,
       (const T* g, T* delta, const T* z, const T* bias, const T* scale, const T* shift, const unsigned char* kept, const T* statistics,
        T* sums, T* scaled_sums, long long batch, int units, long long rows_per_segment, long long parameter_stride,
        long long sums_stride, int normalization, int replicas, int activation, double dropout_scale),
       (g, delta, z, bias, scale, shift, kept, statistics, sums, scaled_sums, batch, units, rows_per_segment, parameter_stride,
        sums_stride, normalization, replicas, activation, dropout_scale))
KERNEL(normalization_layer_sums,
       (const T* delta, const T* z, const T* bias, const T* scale, const T* statistics, T* sums, long long batch, int units,
        long long parameter_stride, int replicas),
       (delta, z, bias, scale, statistics, sums, batch, units, parameter_stride, replicas))
KERNEL(normalization_delta,
       (T* delta, const T* z, const T* bias, const T* scale, const T* statistics, const T* group_sums, const T* scaled_group_sums,
        T* sums, long long batch, int units, long long rows_per_segment, long long parameter_stride, long long group_stride,
        long long sums_stride, int normalization, int replicas),
       (delta, z, bias, scale, statistics, group_sums, scaled_group_sums, sums, batch, units, rows_per_segment, parameter_stride,
        group_stride, sums_stride, normalization, replicas))
