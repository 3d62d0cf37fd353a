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

// The dynamic shared memory of the blocks that follow: so many bytes, poisoned before every block, between red zones and with
// nothing accessible behind it.
void dynamic_shared_memory_is(size_t bytes);

// Says what is wrong if the address is behind that memory.
bool explain_dynamic_shared_fault(uintptr_t address, const char* what);

// Null, or how a block has written outside of its dynamic shared memory.
const char* dynamic_shared_memory_overrun();

}  // namespace host_device
