// The thread that executes the GPU's work, and the handling of memory faults on it.
#pragma once
#include "state.h"
#include <functional>

namespace host_device {

// Runs a function on the device thread and waits for it. Runs it directly if called on that thread.
CUresult on_device(const std::function<CUresult()>& job);

// Returns whether the calling thread is the device thread.
bool on_device_thread();

// Starts the device thread unless it is running.
void start_device_thread();

// Runs one piece of work, on the device thread: an access outside of device memory becomes a diagnosis and
// ILLEGAL_ADDRESS.
CUresult execute(const Work& work);

// Copies the caller's memory. Returns false instead of crashing if it cannot be read: a caller may have passed too few parameters.
bool peek(void* to, const void* from, size_t bytes);

}  // namespace host_device
