// Kernels that are wrong on purpose, for the host device's own tests. Their parameters are declared in
// src/test/resources/ptx/broken.ptx.

// Right: what the tests compare with, and what they give wrong arguments to.
extern "C" __global__ void add_scaled_f32(float* to, const float* from, int n, float scale) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) to[i] += scale * from[i];
}

// Right: the sum of 64 values by shuffles, shared memory and a barrier.
extern "C" __global__ void sum_64_f64(const double* in, double* out) {
  __shared__ double of_warp[2];
  double sum = in[threadIdx.x];
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_down_sync(0xffffffffu, sum, lanes);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) out[0] = of_warp[0] + of_warp[1];
}

// Two indices of blocks and threads: out[row][column] = 1000 row + column.
extern "C" __global__ void grid_f32(float* out, int rows, int columns) {
  int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row < rows && column < columns) out[row * columns + column] = 1000 * row + column;
}

// Reads what another thread wrote, without a barrier between.
extern "C" __global__ void missing_barrier_f32(const float* in, float* out) {
  __shared__ float values[64];
  values[threadIdx.x] = in[threadIdx.x];
  out[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}

// Reads what the block before wrote: blocks have no order.
extern "C" __global__ void order_of_blocks_f32(float* out) {
  out[blockIdx.x] = blockIdx.x == 0 ? 1.0f : out[blockIdx.x - 1] + 1.0f;
}

// Not every thread reaches the barrier.
extern "C" __global__ void divergent_barrier_f32(float* out) {
  if (threadIdx.x < 16) __syncthreads();
  out[threadIdx.x] = 1.0f;
}

// Half of the threads wait at one barrier, half at another.
extern "C" __global__ void two_barriers_f32(float* out) {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1.0f;
}

// A shuffle of all lanes that half of them never reach.
extern "C" __global__ void missing_lanes_f32(float* out) {
  float value = 1.0f;
  if (threadIdx.x < 16) {
    value = __shfl_sync(0xffffffffu, value, 0);
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = value;
}

// One element too many is written.
extern "C" __global__ void off_by_one_f32(float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) out[i] = 1.0f;
}

// The element before the first is written.
extern "C" __global__ void before_start_f32(float* out) { out[-1] = 1.0f; }

// Far outside.
extern "C" __global__ void wild_f32(float* out) { out[1 << 20] = 1.0f; }

// Right: the values in reverse, through as much dynamic shared memory as the launch gives.
extern "C" __global__ void dynamic_shared_f32(const float* in, float* out) {
  DYNAMIC_SHARED(shared);
  float* values = (float*)shared;
  values[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}

// Reads what no thread of the block has written.
extern "C" __global__ void unwritten_shared_f32(float* out) {
  DYNAMIC_SHARED(shared);
  out[0] = ((float*)shared)[0];
  ((float*)shared)[0] = 1.0f;
}

// Writes so many bytes behind the beginning.
extern "C" __global__ void write_shared_f32(int offset) {
  DYNAMIC_SHARED(shared);
  *(float*)(shared + offset) = 1.0f;
}
