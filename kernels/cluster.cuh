// Thread block clusters, from compute capability 9.0 on: the blocks of a cluster run at the same time, and each may write to the
// shared memory of the others. Inline PTX, because CUDA's own functions compute with 64-bit instead of 32-bit addresses.
#pragma once

// Blocks per cluster: as many as every device with clusters allows. A kernel without clusters has one block.
enum { CLUSTER = 8, ONE_BLOCK = 1 };

// The rank of the calling block in its cluster.
template <int BLOCKS>
__device__ __forceinline__ int cluster_rank() {
    int rank = 0;
    if (BLOCKS > ONE_BLOCK) {
        asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    }
    return rank;
}

// A barrier of all threads of the cluster, which also makes their writes to shared memory visible to all.
template <int BLOCKS>
__device__ __forceinline__ void cluster_sync() {
    if (BLOCKS > ONE_BLOCK) {
        asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::: "memory");
    } else {
        __syncthreads();
    }
}

// An address in the shared memory of another block of the cluster; addresses count bytes.
typedef unsigned RemoteAddress;

// The address in the shared memory of the block of that rank that corresponds to `own` in the calling block.
__device__ __forceinline__ RemoteAddress remote(const void* own, int rank) {
    RemoteAddress address;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"((unsigned)__cvta_generic_to_shared(own)), "r"(rank));
    return address;
}

__device__ __forceinline__ void write_remote4(const float* values, RemoteAddress to) {
    asm volatile("st.shared::cluster.v4.f32 [%0], {%1, %2, %3, %4};"
                 :
                 : "r"(to), "f"(values[0]), "f"(values[1]), "f"(values[2]), "f"(values[3])
                 : "memory");
}

__device__ __forceinline__ void write_remote(double value, RemoteAddress to) {
    asm volatile("st.shared::cluster.f64 [%0], %1;" : : "r"(to), "d"(value) : "memory");
}
