// The table through which the host device finds the kernels that were compiled for the host, and the thread that runs.
#pragma once
#include <stdint.h>

struct host_uint3 {
  unsigned x, y, z;
};

// What a kernel reads as threadIdx, blockIdx, blockDim and gridDim.
struct host_thread {
  host_uint3 thread, block, block_size, grid_size;
};

enum { HOST_KERNEL_PARAMETERS = 48 };

struct host_kernel {
  const char* name;
  void (*call)(void* const* arguments);
  int parameters;
  int size[HOST_KERNEL_PARAMETERS];         // bytes
  bool pointer[HOST_KERNEL_PARAMETERS];
};
