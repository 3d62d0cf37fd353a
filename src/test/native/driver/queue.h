// Stream queues: work is kept, run as late as the stream rules allow, or recorded by a capture.
#pragma once
#include "state.h"

namespace host_device {

// Returns the stream of a handle of the current context (0, 1 and 2 are the null stream), or null if there is none.
std::shared_ptr<Stream> stream_of(void* handle);

// Queues work, or records it if the stream is capturing.
CUresult enqueue(void* stream, const char* what, std::function<CUresult()> run);

// Runs the stream's work up to this number. Returns the context's state after it.
CUresult run_until(Stream& stream, uint64_t number);
CUresult flush(Stream& stream);
CUresult flush_all(Context& context);

// For calls that are forbidden during capture: invalidates the affected captures and reports it. Returns OK if there are none.
CUresult forbidden_in_capture(const char* function);

}  // namespace host_device
