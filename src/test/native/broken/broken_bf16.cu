// Kernels for the host device's own tests of 2-byte numbers, as in broken.cu: bfloat16 by integer arithmetic.

typedef unsigned short Bf16;

// To nearest, ties to even; any NaN becomes the quiet one.
static __device__ Bf16 rounded(float x) {
  unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}

static __device__ unsigned pair(float low, float high) { return rounded(low) | (unsigned)rounded(high) << 16; }

static __device__ float low(unsigned pair) { return __uint_as_float(pair << 16); }
static __device__ float high(unsigned pair) { return __uint_as_float(pair & 0xffff0000u); }

static __device__ float widened(Bf16 x) { return low(x); }

static __device__ int index() { return blockIdx.x * blockDim.x + threadIdx.x; }

// Right: one number per thread, so that two threads write the halves of a word. Wrong where n is more than there are.
extern "C" __global__ void round_bf16(const float* in, Bf16* out, int n) {
  if (index() < n) out[index()] = rounded(in[index()]);
}

// Right: 4 numbers per thread, as they are.
extern "C" __global__ void round_4_bf16(const float4* in, ushort4* out) {
  float4 x = in[index()];
  out[index()] = make_ushort4(rounded(x.x), rounded(x.y), rounded(x.z), rounded(x.w));
}

// Right: 8 numbers per thread, packed to words.
extern "C" __global__ void round_8_bf16(const float4* in, uint4* out) {
  float4 x = in[2 * index()], y = in[2 * index() + 1];
  out[index()] = make_uint4(pair(x.x, x.y), pair(x.z, x.w), pair(y.x, y.y), pair(y.z, y.w));
}

// Right.
extern "C" __global__ void widen_bf16(const Bf16* in, float* out) { out[index()] = widened(in[index()]); }

// Right: 2 numbers per thread.
extern "C" __global__ void widen_2_bf16(const ushort2* in, float* out) {
  ushort2 x = in[index()];
  *(float2*)(out + 2 * index()) = make_float2(widened(x.x), widened(x.y));
}

// Right: 4 numbers per thread, as they are.
extern "C" __global__ void widen_4_bf16(const ushort4* in, float4* out) {
  ushort4 x = in[index()];
  out[index()] = make_float4(widened(x.x), widened(x.y), widened(x.z), widened(x.w));
}

// Right: 4 numbers per thread, as words.
extern "C" __global__ void widen_4_words_bf16(const uint2* in, float4* out) {
  uint2 x = in[index()];
  out[index()] = make_float4(low(x.x), high(x.x), low(x.y), high(x.y));
}

// Right: 8 numbers per thread, as words.
extern "C" __global__ void widen_8_words_bf16(const uint4* in, float4* out) {
  uint4 x = in[index()];
  out[2 * index()] = make_float4(low(x.x), high(x.x), low(x.y), high(x.y));
  out[2 * index() + 1] = make_float4(low(x.z), high(x.z), low(x.w), high(x.w));
}

// Right: the numbers of a block in reverse, through shared memory, by single numbers and by words.
extern "C" __global__ void reverse_bf16(const float* in, unsigned* out) {
  __shared__ __align__(4) Bf16 values[64];
  values[blockDim.x - 1 - threadIdx.x] = rounded(in[index()]);
  __syncthreads();
  if (threadIdx.x % 2 == 0) out[index() / 2] = *(unsigned*)(values + threadIdx.x);
}

// Right: arithmetic on 2-byte integers.
extern "C" __global__ void integers_u16(const Bf16* in, Bf16* out) {
  Bf16 x = in[2 * index()], y = in[2 * index() + 1], difference, product, left, right, least, most, chosen;
  asm("sub.u16 %0, %1, %2;" : "=h"(difference) : "h"(x), "h"(y));
  asm("mul.lo.u16 %0, %1, %2;" : "=h"(product) : "h"(x), "h"(y));
  asm("shl.b16 %0, %1, 3;" : "=h"(left) : "h"(x));
  asm("shr.s16 %0, %1, 3;" : "=h"(right) : "h"(x));
  asm("min.u16 %0, %1, %2;" : "=h"(least) : "h"(x), "h"(y));
  asm("max.s16 %0, %1, %2;" : "=h"(most) : "h"(x), "h"(y));
  chosen = (short)x < (short)y ? x : ~y;
  ushort4* to = (ushort4*)(out + 8 * index());
  to[0] = make_ushort4(difference, product, left, right);
  unsigned long long others;
  asm("mov.b64 %0, {%1, %2, %3, %4};" : "=l"(others) : "h"(least), "h"(most), "h"(chosen), "h"((Bf16)(x >> 3 ^ y | 1)));
  *(unsigned long long*)(to + 1) = others;
}

// Two threads write the same number.
extern "C" __global__ void same_half_bf16(Bf16* out) { out[threadIdx.x / 2] = threadIdx.x; }

// Two blocks write the same number.
extern "C" __global__ void same_half_of_blocks_bf16(Bf16* out) { out[index() / 2] = index(); }

// A thread reads the number that the next thread writes.
extern "C" __global__ void neighbor_half_bf16(volatile Bf16* out) {
  if (threadIdx.x == 0) out[0] = out[1];
  if (threadIdx.x == 1) out[1] = 1;
}

// A thread reads a word of which another thread writes half.
extern "C" __global__ void half_of_word_bf16(unsigned* out) {
  if (threadIdx.x == 0) out[1] = *(volatile unsigned*)out;
  if (threadIdx.x == 1) ((volatile Bf16*)out)[1] = 1;
}

// A thread writes a number, and another one 4 numbers, of which it is one.
extern "C" __global__ void half_of_4_bf16(Bf16* out) {
  if (threadIdx.x == 0) out[2] = 1;
  if (threadIdx.x == 1) *(ushort4*)out = make_ushort4(2, 3, 4, 5);
}

// Two threads write the same number in shared memory.
extern "C" __global__ void same_half_shared_bf16(Bf16* out) {
  __shared__ volatile Bf16 values[64];
  values[threadIdx.x / 2] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x / 2];
}

// A barrier is missing between a number's write and its read by another thread.
extern "C" __global__ void neighbor_half_shared_bf16(Bf16* out) {
  __shared__ volatile Bf16 values[64];
  values[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = values[threadIdx.x ^ 1];
}

// A barrier is missing between the writes of two halves of a word and its read.
extern "C" __global__ void half_of_word_shared_bf16(unsigned* out) {
  __shared__ volatile unsigned values[32];
  ((volatile Bf16*)values)[threadIdx.x] = threadIdx.x;
  if (threadIdx.x % 2 == 0) out[threadIdx.x / 2] = values[threadIdx.x / 2];
}

// A barrier is missing between a word's read and the write of a half.
extern "C" __global__ void overwritten_word_shared_bf16(unsigned* out) {
  __shared__ volatile unsigned values[64];
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x];
  ((volatile Bf16*)values)[threadIdx.x] = 1;
}

// The address is odd.
extern "C" __global__ void misaligned_bf16(const char* in, Bf16* out) { out[0] = *(const Bf16*)(in + 1); }

// 4 numbers start at a multiple of 4 bytes.
extern "C" __global__ void misaligned_4_bf16(const Bf16* in, ushort4* out) { out[0] = *(const ushort4*)(in + 2); }
