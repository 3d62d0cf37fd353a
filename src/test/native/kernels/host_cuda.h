// Lets a .cu file of plain kernels compile with g++ (-x c++ -include host_cuda.h). Whatever happens between threads
// (barriers, shuffles) is done by the host device's libcuda.so.1, which runs every thread of a block on a fiber of one
// system thread.
#pragma once
#include "kernel_table.h"
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <type_traits>
#include <utility>

#define __global__ __attribute__((visibility("default")))
#define __device__
#define __host__
#define __constant__
#define __shared__ static thread_local       // the device thread's own; poisoned before every block
#define DYNAMIC_SHARED(name) unsigned char* const name = host_device_dynamic_shared
#define __forceinline__ inline
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __ldg(p) (*(p))

extern "C" {
extern host_thread* host_device_thread;      // the one that runs
extern unsigned char* host_device_dynamic_shared;
void host_device_barrier(int line);
// source: 0 the lane named, 1 so many lanes up, 2 down, 3 exclusive or
uint64_t host_device_shuffle(unsigned mask, uint64_t bits, int source, int argument, int width);
unsigned host_device_ballot(unsigned mask, int predicate);
}

#define threadIdx (host_device_thread->thread)
#define blockIdx (host_device_thread->block)
#define blockDim (host_device_thread->block_size)
#define gridDim (host_device_thread->grid_size)
static const int warpSize = 32;

#define __syncthreads() host_device_barrier(__LINE__)
static inline void __syncwarp(unsigned mask = 0xffffffffu) { host_device_ballot(mask, 0); }
static inline void __threadfence() {}
static inline void __threadfence_block() {}

template <class T> static inline T host_shuffle(unsigned mask, T value, int source, int argument, int width) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof(T));
  bits = host_device_shuffle(mask, bits, source, argument, width);
  T result;
  memcpy(&result, &bits, sizeof(T));
  return result;
}

template <class T> static inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return host_shuffle(mask, value, 0, lane, width);
}
template <class T> static inline T __shfl_up_sync(unsigned mask, T value, unsigned lanes, int width = 32) {
  return host_shuffle(mask, value, 1, (int)lanes, width);
}
template <class T> static inline T __shfl_down_sync(unsigned mask, T value, unsigned lanes, int width = 32) {
  return host_shuffle(mask, value, 2, (int)lanes, width);
}
template <class T> static inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  return host_shuffle(mask, value, 3, lanes, width);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate) { return host_device_ballot(mask, predicate); }
static inline int __any_sync(unsigned mask, int predicate) { return host_device_ballot(mask, predicate) != 0; }
static inline int __all_sync(unsigned mask, int predicate) { return host_device_ballot(mask, !predicate) == 0; }

// Integers only: Plumb adds no floating point atomically. The threads of a block are fibers, so a plain update is
// atomic.
template <class T> static inline T host_atomic(T* at, T value) {
  static_assert(std::is_integral<T>::value, "no atomics in floating point");
  T old = *at;
  *at = value;
  return old;
}
template <class T> static inline T atomicAdd(T* at, T value) { return host_atomic(at, (T)(*at + value)); }
template <class T> static inline T atomicMax(T* at, T value) { return host_atomic(at, value > *at ? value : *at); }
template <class T> static inline T atomicMin(T* at, T value) { return host_atomic(at, value < *at ? value : *at); }
template <class T> static inline T atomicExch(T* at, T value) { return host_atomic(at, value); }
template <class T> static inline T atomicCAS(T* at, T expected, T value) {
  return host_atomic(at, *at == expected ? value : *at);
}

template <class T> static inline T max(T a, T b) { return a > b ? a : b; }
template <class T> static inline T min(T a, T b) { return a < b ? a : b; }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
