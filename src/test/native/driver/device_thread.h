// The one thread that plays the GPU, and the faults that are caught on it.
#pragma once
#include "state.h"
#include <functional>

namespace host_device {

// Runs this on the device thread and waits for it. On that thread itself: runs it at once.
CUresult on_device(const std::function<CUresult()>& job);

// Starts the device thread, unless it runs.
void start_device_thread();

// Runs one piece of work, on the device thread: an access outside of device memory becomes a diagnosis and
// ILLEGAL_ADDRESS.
CUresult execute(const Work& work);

// Copies the caller's memory; false, not a crash, where there is none: a caller may have passed too few parameters.
bool peek(void* to, const void* from, size_t bytes);

}  // namespace host_device
