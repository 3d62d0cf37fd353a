// Kernels in clusters of four blocks, most of them wrong on purpose, for the host device's own tests. scripts/build-kernels compiles
// them to src/test/resources/ptx/broken_clusters.ptx. in: [blocks x threads], out likewise.

#define CLUSTER_KERNEL extern "C" __global__ void __cluster_dims__(4, 1, 1)

__device__ __forceinline__ void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

__device__ __forceinline__ unsigned cluster_rank() {
  unsigned rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

// An address of the next block's shared memory.
__device__ __forceinline__ unsigned of_next(const float* own, unsigned distance = 1) {
  unsigned address, rank = (cluster_rank() + distance) % 4;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"((unsigned)__cvta_generic_to_shared(own)), "r"(rank));
  return address;
}

__device__ __forceinline__ void write_remote(unsigned to, float value) {
  asm volatile("st.shared::cluster.f32 [%0], %1;" ::"r"(to), "f"(value) : "memory");
}

__device__ __forceinline__ float read_remote(unsigned from) {
  float value;
  asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(from) : "memory");
  return value;
}

#define ELEMENT (blockIdx.x * blockDim.x + threadIdx.x)

// Right: each block reads the next one's values.
CLUSTER_KERNEL read_next_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  values[threadIdx.x] = in[ELEMENT];
  cluster_barrier();
  out[ELEMENT] = read_remote(of_next((float*)values + threadIdx.x));
  cluster_barrier();
}

// Right: each block writes to the next one, twice, and the receiver reads between.
CLUSTER_KERNEL write_next_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  cluster_barrier();
  for (int i = 0; i < 2; i++) {
    write_remote(of_next((float*)values + threadIdx.x), in[ELEMENT] + i);
    cluster_barrier();
    out[ELEMENT] = values[63 - threadIdx.x % 64];
    cluster_barrier();
  }
}

// Right: by generic addresses, and as CUDA's own functions call all of it.
CLUSTER_KERNEL generic_f32(const float* in, float* out) {
  __shared__ float values[64];
  values[threadIdx.x] = in[ELEMENT];
  __cluster_barrier_arrive();
  __cluster_barrier_wait();
  float* next = (float*)__cluster_map_shared_rank(values, (__clusterRelativeBlockRank() + 1) % __clusterSizeInBlocks());
  out[ELEMENT] = next[threadIdx.x] + 100 * __clusterIdx().x + 1000 * __clusterGridDimInClusters().x;
  __cluster_barrier_arrive();
  __cluster_barrier_wait();
}

// Right: barriers of the blocks, of which one has more than the others, next to the cluster's.
CLUSTER_KERNEL own_barriers_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  values[threadIdx.x] = in[ELEMENT];
  for (unsigned i = 0; i <= cluster_rank(); i++) {
    __syncthreads();
    float value = values[63 - threadIdx.x];
    __syncthreads();
    values[threadIdx.x] = value;
  }
  cluster_barrier();
  out[ELEMENT] = read_remote(of_next((float*)values + threadIdx.x));
  cluster_barrier();
}

// Right: what another block wrote to global memory before the barrier.
CLUSTER_KERNEL global_f32(const float* in, volatile float* out) {
  unsigned next = cluster_rank() == 3 ? ELEMENT - 3 * blockDim.x : ELEMENT + blockDim.x;
  out[ELEMENT] = in[ELEMENT];
  cluster_barrier();
  float value = out[next];
  cluster_barrier();
  out[ELEMENT] = value;
}

// Reads what the next block wrote, after a barrier of the reader's block only.
CLUSTER_KERNEL block_barrier_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  cluster_barrier();
  values[threadIdx.x] = in[ELEMENT];
  __syncthreads();
  out[ELEMENT] = read_remote(of_next((float*)values + threadIdx.x));
  cluster_barrier();
}

// Reads its own values, which the block before writes without a barrier.
CLUSTER_KERNEL read_before_sent_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  values[threadIdx.x] = in[ELEMENT];
  cluster_barrier();
  write_remote(of_next((float*)values + threadIdx.x), in[ELEMENT] + 1);
  __syncthreads();
  out[ELEMENT] = values[threadIdx.x];
  cluster_barrier();
}

// Writes to what two others read, of which one is the owner.
CLUSTER_KERNEL write_after_reads_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  values[threadIdx.x] = in[ELEMENT];
  cluster_barrier();
  float read = read_remote(of_next((float*)values + threadIdx.x)) + values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = read;
  cluster_barrier();
  out[ELEMENT] = read;
}

// Two blocks write different values to a third one.
CLUSTER_KERNEL two_writers_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  cluster_barrier();
  if (cluster_rank() < 2) write_remote(of_next((float*)values + threadIdx.x, 3 - cluster_rank()), in[ELEMENT] + cluster_rank());
  cluster_barrier();
  out[ELEMENT] = cluster_rank() == 3 ? values[threadIdx.x] : 0;
}

// Global memory of the cluster, without a barrier.
CLUSTER_KERNEL global_without_barrier_f32(const float* in, volatile float* out) {
  unsigned next = cluster_rank() == 3 ? ELEMENT - 3 * blockDim.x : ELEMENT + blockDim.x;
  out[ELEMENT] = in[ELEMENT] + 1;
  cluster_barrier();
  float value = out[next];
  out[ELEMENT] = value + 1;
  cluster_barrier();
}

// Reads what another cluster wrote: clusters have no order.
CLUSTER_KERNEL order_of_clusters_f32(const float* in, volatile float* out) {
  cluster_barrier();
  out[ELEMENT] = blockIdx.x < 4 ? in[ELEMENT] : out[ELEMENT - 4 * blockDim.x] + 1;
  cluster_barrier();
}

// Writes to blocks that may not have begun.
CLUSTER_KERNEL no_barrier_at_start_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  write_remote(of_next((float*)values + threadIdx.x), in[ELEMENT]);
  cluster_barrier();
  out[ELEMENT] = values[threadIdx.x];
}

// Reads from blocks that may have exited.
CLUSTER_KERNEL no_barrier_at_end_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  values[threadIdx.x] = in[ELEMENT];
  cluster_barrier();
  out[ELEMENT] = read_remote(of_next((float*)values + threadIdx.x));
}

// Half of a warp does not reach the barrier.
CLUSTER_KERNEL diverged_f32(const float* in, float* out) {
  if (threadIdx.x % 32 < 16) {
    cluster_barrier();
  } else {
    cluster_barrier();
  }
  out[ELEMENT] = in[ELEMENT];
}

// One block exits, the others wait.
CLUSTER_KERNEL exited_f32(const float* in, float* out) {
  if (cluster_rank() == 2) return;
  cluster_barrier();
  out[ELEMENT] = in[ELEMENT];
}

// One block waits for its own threads, of which some wait for the cluster.
CLUSTER_KERNEL mixed_f32(const float* in, float* out) {
  if (cluster_rank() == 1 && threadIdx.x < 32) {
    __syncthreads();
  } else {
    cluster_barrier();
  }
  out[ELEMENT] = in[ELEMENT];
}

// Shared memory of the next block, past its end.
CLUSTER_KERNEL past_end_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  cluster_barrier();
  write_remote(of_next((float*)values + threadIdx.x + 1), in[ELEMENT]);
  cluster_barrier();
  out[ELEMENT] = values[threadIdx.x];
}

// An address of another block's shared memory, taken as one of the own block's.
CLUSTER_KERNEL remote_as_own_f32(const float* in, float* out) {
  __shared__ volatile float values[64];
  cluster_barrier();
  asm volatile("st.shared.f32 [%0], %1;" ::"r"(of_next((float*)values + threadIdx.x)), "f"(in[ELEMENT]) : "memory");
  cluster_barrier();
  out[ELEMENT] = values[threadIdx.x];
}
