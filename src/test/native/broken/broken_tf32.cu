// Kernels for the host device's own tests of mma, as in broken.cu.

// c [16 x 8] += a [16 x 8] . b [8 x 8], by 32 threads. Where `rounds` is not set, factors keep digits that TF32 has not.
static __device__ void multiply(const float* a, const float* b, float* c, bool rounds) {
  int group = threadIdx.x % 32 / 4, of_group = threadIdx.x % 4;
  unsigned of_a[4], of_b[2];
  float sums[4];
  for (int i = 0; i < 4; i++) {
    of_a[i] = __float_as_uint(a[(group + i % 2 * 8) * 8 + of_group + i / 2 * 4]);
    sums[i] = c[(group + i / 2 * 8) * 8 + 2 * of_group + i % 2];
  }
  for (int i = 0; i < 2; i++) of_b[i] = __float_as_uint(b[(of_group + i * 4) * 8 + group]);
  if (rounds) {
    for (int i = 0; i < 4; i++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(of_a[i]) : "f"(__uint_as_float(of_a[i])));
    for (int i = 0; i < 2; i++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(of_b[i]) : "f"(__uint_as_float(of_b[i])));
  }
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
               : "r"(of_a[0]), "r"(of_a[1]), "r"(of_a[2]), "r"(of_a[3]), "r"(of_b[0]), "r"(of_b[1]));
  for (int i = 0; i < 4; i++) c[(group + i / 2 * 8) * 8 + 2 * of_group + i % 2] = sums[i];
}

// Right.
extern "C" __global__ void product_f32(const float* a, const float* b, float* c) { multiply(a, b, c, true); }

// Its factors are not rounded to TF32.
extern "C" __global__ void unrounded_f32(const float* a, const float* b, float* c) { multiply(a, b, c, false); }

// Half of the warp is elsewhere.
extern "C" __global__ void half_a_warp_f32(const float* a, const float* b, float* c) {
  if (threadIdx.x < 16) multiply(a, b, c, true);
  __syncthreads();
}

// Half of the warp has exited.
extern "C" __global__ void exited_half_f32(const float* a, const float* b, float* c) {
  if (threadIdx.x >= 16) return;
  multiply(a, b, c, true);
}
