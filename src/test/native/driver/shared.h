// The functions of the host device's libcuda that its libcublas calls.
#pragma once
#include <stddef.h>

extern "C" {
// Runs run(argument) in the order of the stream, or records it when the stream captures; drop(argument) frees it. A
// CUresult.
int host_device_enqueue(void* stream, const char* what, int (*run)(void*), void* argument, void (*drop)(void*));
bool host_device_in_range(const void* start, size_t bytes, const char* what);   // within one live allocation? Reports it if not
bool host_device_is_device_address(const void* address);
bool host_device_captures(void* stream);
int host_device_enter();   // the current context's state: a CUresult
bool host_device_gemm_strikes();   // counts a GEMM; returns whether the injected fault hits it
void host_device_gemm_ran();
void host_device_cublas_handles(int change);
void host_device_report(const char* format, ...) __attribute__((format(printf, 1, 2)));
int host_device_unsupported(const char* function);
}
