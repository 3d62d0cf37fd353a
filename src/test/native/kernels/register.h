// Enters kernels into the table. Included after them; the build writes one HOST_KERNEL(name) for each .entry of the
// PTX.
#pragma once
#include "host_cuda.h"

extern "C" void host_kernel_register(const host_kernel* kernel);

template <auto Kernel> struct host_kernel_entry;

template <class... A, void (*Kernel)(A...)> struct host_kernel_entry<Kernel> {
  static_assert(sizeof...(A) <= HOST_KERNEL_PARAMETERS, "a kernel with too many parameters");

  template <size_t... I> static void call_with(void* const* arguments, std::index_sequence<I...>) {
    Kernel(*(A*)arguments[I]...);
  }

  static void call(void* const* arguments) { call_with(arguments, std::index_sequence_for<A...>{}); }

  explicit host_kernel_entry(const char* name) {
    static const host_kernel kernel = {
        name, call, (int)sizeof...(A), {(int)sizeof(A)...}, {std::is_pointer<A>::value...}};
    host_kernel_register(&kernel);
  }
};

#define HOST_KERNEL(name) static host_kernel_entry<&name> host_kernel_entry_##name(#name);
