// Runs the threads of one block after one another.
#pragma once
#include "../kernels/kernel_table.h"
#include <stddef.h>

namespace host_device {

// What the kernels' __shared__ variables occupy on the device thread; poisoned before every block.
void shared_memory_is(unsigned char* start, size_t bytes);

// Runs the kernel's threads of this block in the order set; null, or what went wrong.
const char* run_block(const host_kernel& kernel, void* const* arguments, host_uint3 block, host_uint3 grid_size,
                      host_uint3 block_size);

}  // namespace host_device
