// Forward: Z += b and A = f(Z). Backward: delta *= f'(Z), and the sums of delta over the batch for the bias gradient.
//
// Shapes, per replica: Z, A and delta [batch x units], b and its gradient [units].
// Bound by memory: forward reads Z and writes Z and A, backward reads delta and Z and writes delta, once each.
// Tried and left: f' from A instead of Z would save nothing (one of them is read anyway), and loses digits where f saturates.

#include "activation.cuh"

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

// The rows of a block's threads: 32 units wide, 8 rows deep.
enum { TILE_UNITS = 32, TILE_ROWS = 8 };

// delta *= f'(Z), and the sum of delta over a segment of rows, unit by unit, into sums [replica][segment][units].
// Blocks of TILE_UNITS x TILE_ROWS threads: x over units, y over segments, z over replicas.
template <typename T>
__device__ void activation_backward(
    T* delta, const T* z, T* sums, long long batch, int units, long long rows_per_segment, long long sums_stride, int replicas,
    int activation) {
    __shared__ T tile[TILE_ROWS][TILE_UNITS];
    int unit = blockIdx.x * TILE_UNITS + threadIdx.x;
    long long first = blockIdx.y * rows_per_segment;
    long long end = first + rows_per_segment < batch ? first + rows_per_segment : batch;
    for (long long replica = blockIdx.z; replica < replicas; replica += gridDim.z) {
        T sum = T(0);
        for (long long row = first + threadIdx.y; row < end && unit < units; row += TILE_ROWS) {
            long long at = (replica * batch + row) * units + unit;
            T value = delta[at];
            if (activation != LINEAR) {
                value *= derivative(z[at], activation);
                delta[at] = value;
            }
            sum += value;
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
       (T* delta, const T* z, T* sums, long long batch, int units, long long rows_per_segment, long long sums_stride,
        int replicas, int activation),
       (delta, z, sums, batch, units, rows_per_segment, sums_stride, replicas, activation))

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
