// What streams do with work: keep it, run it as late as their rules allow, or record it.
#pragma once
#include "state.h"

namespace host_device {

// The stream behind a handle of the current context (0, 1 and 2 name the null stream); null if there is none.
std::shared_ptr<Stream> stream_of(void* handle);

// Queues, or records if the stream captures.
CUresult enqueue(void* stream, const char* what, std::function<CUresult()> run);

// Runs the stream's work up to this number; the context's state after it.
CUresult run_until(Stream& stream, uint64_t number);
CUresult flush(Stream& stream);
CUresult flush_all(Context& context);

// For calls that a capture forbids: invalidates the captures that see it and says so. OK when there are none.
CUresult forbidden_in_capture(const char* function);

}  // namespace host_device
