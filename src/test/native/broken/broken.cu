// Kernels for the host device's own tests, most of them wrong on purpose. scripts/build-kernels compiles them to
// src/test/resources/ptx/broken.ptx.

// The shared memory whose size the launch gives, as bytes.
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]

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

// Writes so many bytes after the start.
extern "C" __global__ void write_shared_f32(int offset) {
  DYNAMIC_SHARED(shared);
  *(float*)(shared + offset) = 1.0f;
}

// Reads 16 bytes that start at a multiple of 4.
extern "C" __global__ void misaligned_f32(const float* in, float* out) { *(float4*)out = *(const float4*)(in + 1); }

// Lanes 8 to 15 read from lanes that do not take part.
extern "C" __global__ void shuffle_inactive_f32(float* out) {
  float value = threadIdx.x;
  if (threadIdx.x < 16) value = __shfl_down_sync(0x0000ffffu, value, 8);
  out[threadIdx.x] = value;
}

// Right: lanes of one warp exchange values through shared memory.
extern "C" __global__ void syncwarp_f32(const float* in, float* out) {
  __shared__ float values[64];
  values[threadIdx.x] = in[threadIdx.x];
  __syncwarp();
  out[threadIdx.x] = values[threadIdx.x ^ 1];
}

// __syncwarp does not order accesses of two warps.
extern "C" __global__ void syncwarp_across_f32(const float* in, float* out) {
  __shared__ float values[64];
  values[threadIdx.x] = in[threadIdx.x];
  __syncwarp();
  out[threadIdx.x] = values[threadIdx.x ^ 32];
}

// Lanes of one warp do not run in step.
extern "C" __global__ void warp_without_sync_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  values[threadIdx.x] = in[threadIdx.x];
  out[threadIdx.x] = values[threadIdx.x ^ 1];
}

// Right: all threads of all blocks count.
extern "C" __global__ void atomics_s32(int* out) { atomicAdd(out, 1); }

// A plain write that races with atomic operations.
extern "C" __global__ void plain_and_atomic_s32(int* out) {
  if (threadIdx.x == 0) out[0] = 5;
  atomicAdd(out, 1);
}

// The second turn overwrites what the first one is still reading.
extern "C" __global__ void late_barrier_f32(const float* in, float* out) {
  __shared__ float values[64];
  for (int turn = 0; turn < 3; turn++) {
    values[threadIdx.x] = in[threadIdx.x] + turn;
    __syncthreads();
    out[threadIdx.x] = values[63 - threadIdx.x];
  }
}

// Right with an offset of 0. With others it reads beyond the end of a variable.
extern "C" __global__ void static_shared_f32(float* out, int offset) {
  __shared__ float first[8];
  __shared__ float second[8];
  first[threadIdx.x] = 1;
  second[threadIdx.x] = 2;
  __syncthreads();
  out[threadIdx.x] = first[threadIdx.x + offset] + second[threadIdx.x];
}

// One thread never reaches the barrier.
extern "C" __global__ void early_exit_f32(float* out) {
  if (threadIdx.x == 5) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

// Wrong where both are the same memory: `in` is read through the cache of constant data.
extern "C" __global__ void read_only_f32(const float* __restrict__ in, float* out) {
  float value = in[0];
  out[threadIdx.x] = value;
}

// Wrong where an index is beyond 7.
extern "C" __global__ void local_array_f32(const int* at, float* out) {
  float values[8];
  for (int i = 0; i < 8; i++) values[i] = i;
  values[at[0]] = 9;
  out[0] = values[at[1]];
}

// Right: neighboring threads write neighboring bytes.
extern "C" __global__ void bytes_u8(unsigned char* out) { out[blockIdx.x * blockDim.x + threadIdx.x] = threadIdx.x; }

// A plain read that races with an atomic operation of another thread.
extern "C" __global__ void read_and_atomic_s32(int* out) {
  if (threadIdx.x == 0) out[1] = out[0];
  if (threadIdx.x == 1) atomicAdd(out, 1);
}

// Reads a byte of a word that another block writes.
extern "C" __global__ void bytes_of_blocks_u8(int* out) {
  if (blockIdx.x == 0) out[0] = 1;
  else out[1] = ((volatile unsigned char*)out)[1];
}

// Right: two threads write the same value, one of them next to another one.
extern "C" __global__ void same_value_s32(int* out) {
  if (threadIdx.x == 0) *(volatile int*)out = 7;
  if (threadIdx.x == 1) *(int2*)out = make_int2(7, 8);
}

// Right: a lane writes what another lane read before a warp barrier.
extern "C" __global__ void syncwarp_reader_f32(const float* in, float* out) {
  __shared__ volatile float value;
  if (threadIdx.x == 0) value = in[0];
  __syncthreads();
  float read = threadIdx.x == 1 ? value : 0;
  __syncwarp();
  if (threadIdx.x == 0) {
    read = value;
    value = read + 1;
  }
  out[threadIdx.x] = read;
}

// The same, but a lane of another warp reads too.
extern "C" __global__ void syncwarp_reader_across_f32(const float* in, float* out) {
  __shared__ volatile float value;
  if (threadIdx.x == 0) value = in[0];
  __syncthreads();
  float read = threadIdx.x == 1 || threadIdx.x == 40 ? value : 0;
  __syncwarp();
  if (threadIdx.x == 0) {
    read = value;
    value = read + 1;
  }
  out[threadIdx.x] = read;
}

// Right: a product and a sum without a rounding mode, which ptxas computes with one rounding.
extern "C" __global__ void product_and_sum_f32(const float* in, float* out) {
  float product, sum;
  asm("mul.f32 %0, %1, %2;" : "=f"(product) : "f"(in[0]), "f"(in[1]));
  asm("add.f32 %0, %1, %2;" : "=f"(sum) : "f"(product), "f"(in[2]));
  out[0] = sum;
}

// Right: what the kernels of Plumb call. out: [threads x 8].
extern "C" __global__ void functions_f32(const float* in, float* out) {
  float x = in[threadIdx.x];
  float* to = out + threadIdx.x * 8;
  to[0] = expf(x);
  to[1] = tanhf(x);
  to[2] = log1pf(x);
  to[3] = erff(x);
  to[4] = expm1f(x);
  to[5] = logf(x);
  to[6] = sqrtf(x);
  to[7] = 1 / x;
}

extern "C" __global__ void functions_f64(const double* in, double* out) {
  double x = in[threadIdx.x];
  double* to = out + threadIdx.x * 8;
  to[0] = exp(x);
  to[1] = tanh(x);
  to[2] = log1p(x);
  to[3] = erf(x);
  to[4] = expm1(x);
  to[5] = log(x);
  to[6] = sqrt(x);
  to[7] = 1 / x;
}

// Right: each thread's place in the order in which the threads count.
extern "C" __global__ void order_of_threads_s32(int* counter, int* out) { out[threadIdx.x] = atomicAdd(counter, 1); }
