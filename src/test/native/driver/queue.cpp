// Lazy streams. Work runs only when a synchronization, an event or the order of the null stream requires it: on a GPU it may run that
// late, so a missing synchronization always shows as stale data here.
#include "queue.h"
#include "device_thread.h"
#include "shared.h"
#include <pthread.h>

namespace host_device {

enum { LONGEST_QUEUE = 4096 };
enum { GLOBAL = 0, THREAD_LOCAL = 1 };   // CUstreamCaptureMode; 2 is relaxed

std::shared_ptr<Stream> stream_of(void* handle) {
  Context* context = current();
  if ((uintptr_t)handle <= 2) {
    return context->null_stream;
  }
  auto stream = find<Stream>(handle, STREAM);
  return stream && stream->context == context ? stream : nullptr;
}

CUresult run_until(Stream& stream, uint64_t number) {
  Context& context = *stream.context;
  if (stream.done >= number || stream.queue.empty()) {
    return context.sticky;
  }
  return on_device([&]() -> CUresult {
    int before = state().working;
    state().working = context.device;
    while (stream.done < number && !stream.queue.empty()) {
      Work work = std::move(stream.queue.front());
      stream.queue.pop_front();
      stream.done = work.number;
      if (!context.sticky) {
        CUresult result = execute(work);
        if (!context.sticky) {
          context.sticky = result;
        }
      }
    }
    state().working = before;
    return context.sticky;
  });
}

CUresult flush(Stream& stream) { return run_until(stream, stream.enqueued); }

CUresult flush_all(Context& context) {
  flush(*context.null_stream);
  for (auto& stream : context.streams) {
    flush(*stream);
  }
  return context.sticky;
}

CUresult forbidden_in_capture(const char* function) {
  bool forbidden = false;
  for (auto& context : state().objects) {
    if (context.second->kind != CONTEXT) {
      continue;
    }
    for (auto& stream : static_cast<Context&>(*context.second).streams) {
      bool sees = stream->capture_mode == GLOBAL
                  || (stream->capture_mode == THREAD_LOCAL && stream->capture_thread == (unsigned long)pthread_self());
      if (stream->capture && sees) {
        stream->invalidated = true;
        forbidden = true;
      }
    }
  }
  if (forbidden) {
    report("%s during a stream capture", function);
  }
  return forbidden ? CAPTURE_UNSUPPORTED : OK;
}

// The null stream and the blocking streams wait for each other.
static CUresult respect_null_stream(Stream& stream, const char* what) {
  Context& context = *stream.context;
  if (&stream != context.null_stream.get()) {
    if (stream.blocking) {
      flush(*context.null_stream);
    }
    return OK;
  }
  for (auto& other : context.streams) {
    if (other->blocking && other->capture) {
      other->invalidated = true;
      report("%s on the null stream while a blocking stream captures", what);
      return CAPTURE_IMPLICIT;
    }
  }
  for (auto& other : context.streams) {
    if (other->blocking) {
      flush(*other);
    }
  }
  return OK;
}

CUresult enqueue(void* handle, const char* what, std::function<CUresult()> run) {
  auto stream = stream_of(handle);
  if (!stream) {
    report("%s: not a stream of the current context", what);
    return INVALID_HANDLE;
  }
  if (stream->capture) {
    stream->capture->work.push_back({std::move(run), what, 0});
    stream->captured++;
    stream->unjoined = stream->origin != nullptr;
    return OK;
  }
  if (CUresult result = respect_null_stream(*stream, what)) {
    return result;
  }
  stream->queue.push_back({std::move(run), what, ++stream->enqueued});
  return !state().settings.lazy || stream->queue.size() > LONGEST_QUEUE ? flush(*stream) : OK;
}

}  // namespace host_device
