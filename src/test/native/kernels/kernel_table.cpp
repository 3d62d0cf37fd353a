// libkernels.so's side of the table: the kernels of all its files, and a hold on the memory that plays the GPU's shared
// memory.
#include "kernel_table.h"
#include <vector>

static std::vector<const host_kernel*>& table() {
  static auto* only = new std::vector<const host_kernel*>;
  return *only;
}

extern "C" void host_kernel_register(const host_kernel* kernel) { table().push_back(kernel); }

extern "C" __attribute__((visibility("default"))) const host_kernel* const* host_kernels(int* count) {
  *count = (int)table().size();
  return table().data();
}

// The kernels' __shared__ variables are thread_local, so all of them lie in one block of memory a thread; touching one
// of them makes the calling thread's block exist.
extern "C" __attribute__((visibility("default"))) void host_kernels_touch_shared() {
  static thread_local volatile unsigned char touched;
  touched = 1;
}
