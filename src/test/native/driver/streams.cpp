// cuStream* and cuEvent*.
#include "queue.h"
#include <chrono>

using namespace host_device;

EXPORTED CUresult cuStreamCreate(void** handle, unsigned flags) {
  ENTER;
  auto stream = std::make_shared<Stream>(current(), !(flags & 1));
  current()->streams.insert(stream);
  keep(stream, handle);
  return OK;
}

EXPORTED CUresult cuStreamCreateWithPriority(void** handle, unsigned flags, int) { return cuStreamCreate(handle, flags); }

EXPORTED CUresult cuStreamDestroy_v2(void* handle) {
  ENTER_TO_RELEASE;
  auto stream = stream_of(handle);
  if (!stream || stream == current()->null_stream) {
    report("cuStreamDestroy: not a stream of the current context");
    return entered ? entered : INVALID_HANDLE;
  }
  flush(*stream);
  stream->capture = nullptr;
  stream->origin = nullptr;
  stream->joined.clear();
  current()->streams.erase(stream);
  state().objects.erase(handle);
  return entered;
}

EXPORTED CUresult cuStreamSynchronize(void* handle) {
  ENTER;
  count(SYNCHRONISATIONS);
  auto stream = stream_of(handle);
  if (!stream) {
    return INVALID_HANDLE;
  }
  if (stream->capture) {
    stream->invalidated = true;
    report("cuStreamSynchronize of a capturing stream");
    return CAPTURE_UNSUPPORTED;
  }
  if (CUresult result = forbidden_in_capture("cuStreamSynchronize")) {
    return result;
  }
  if (stream == current()->null_stream) {
    for (auto& other : current()->streams) {
      if (other->blocking) {
        flush(*other);
      }
    }
  }
  return flush(*stream);
}

// A query runs one more piece of work, so that polling ends.
static CUresult ask(Stream& stream, bool ready) {
  if (ready) {
    return OK;
  }
  CUresult result = run_until(stream, stream.done + 1);
  return result ? result : NOT_READY;
}

EXPORTED CUresult cuStreamQuery(void* handle) {
  ENTER;
  auto stream = stream_of(handle);
  if (!stream) {
    return INVALID_HANDLE;
  }
  if (stream->capture) {
    stream->invalidated = true;
    return CAPTURE_UNSUPPORTED;
  }
  if (CUresult result = forbidden_in_capture("cuStreamQuery")) {
    return result;
  }
  return ask(*stream, stream->queue.empty());
}

EXPORTED CUresult cuEventCreate(void** handle, unsigned flags) {
  ENTER;
  keep(std::make_shared<Event>(current(), !(flags & 2)), handle);
  return OK;
}

EXPORTED CUresult cuEventDestroy_v2(void* handle) {
  ENTER_TO_RELEASE;
  if (!find<Event>(handle, EVENT)) {
    return entered ? entered : INVALID_HANDLE;
  }
  state().objects.erase(handle);
  return entered;
}

EXPORTED CUresult cuEventRecord(void* handle, void* stream_handle) {
  ENTER;
  auto event = find<Event>(handle, EVENT);
  auto stream = stream_of(stream_handle);
  if (!event || !stream) {
    return INVALID_HANDLE;
  }
  if (stream->capture) {
    event->capture = stream->capture;
    event->stream = stream;
    event->number = stream->captured;
    return OK;
  }
  CUresult result = enqueue(stream_handle, "cuEventRecord", [event]() -> CUresult {
    using namespace std::chrono;
    event->milliseconds = duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
    event->recorded = true;
    return OK;
  });
  event->capture = nullptr;
  event->stream = stream;
  event->number = stream->enqueued;
  if (stream->done < event->number) {
    event->recorded = false;
  }
  return result;
}

EXPORTED CUresult cuEventSynchronize(void* handle) {
  ENTER;
  count(SYNCHRONISATIONS);
  auto event = find<Event>(handle, EVENT);
  if (!event) {
    return INVALID_HANDLE;
  }
  if (event->capture) {
    report("cuEventSynchronize of an event that was recorded in a capture");
    return CAPTURED_EVENT;
  }
  if (CUresult result = forbidden_in_capture("cuEventSynchronize")) {
    return result;
  }
  return event->stream ? run_until(*event->stream, event->number) : OK;
}

EXPORTED CUresult cuEventQuery(void* handle) {
  ENTER;
  auto event = find<Event>(handle, EVENT);
  if (!event) {
    return INVALID_HANDLE;
  }
  if (event->capture) {
    return CAPTURED_EVENT;
  }
  if (CUresult result = forbidden_in_capture("cuEventQuery")) {
    return result;
  }
  return event->stream ? ask(*event->stream, event->recorded) : OK;
}

EXPORTED CUresult cuEventElapsedTime(float* milliseconds, void* from_handle, void* to_handle) {
  ENTER;
  auto from = find<Event>(from_handle, EVENT), to = find<Event>(to_handle, EVENT);
  if (!from || !to || !from->timing || !to->timing || !from->stream || !to->stream) {
    return INVALID_HANDLE;
  }
  if (!from->recorded || !to->recorded) {
    return NOT_READY;
  }
  *milliseconds = (float)(to->milliseconds - from->milliseconds);
  return OK;
}

// During capture, a wait adds the waiting stream to the capture, or joins the event's stream to the waiting one.
static CUresult wait_in_capture(Stream& waiting, const std::shared_ptr<Stream>& waits, const Event& event) {
  if (waiting.capture && waiting.capture != event.capture) {
    waiting.invalidated = true;
    report("cuStreamWaitEvent: the event was not recorded in this stream's capture");
    return CAPTURE_ISOLATION;
  }
  Stream& recorded_in = *event.stream;
  if (!recorded_in.capture || recorded_in.capture != event.capture) {
    return CAPTURED_EVENT;
  }
  if (!waiting.capture) {
    auto origin = recorded_in.origin ? recorded_in.origin : event.stream;
    waiting.capture = event.capture;
    waiting.origin = origin;
    waiting.captured = 0;
    waiting.capture_mode = origin->capture_mode;
    waiting.capture_thread = origin->capture_thread;
    waiting.invalidated = waiting.unjoined = false;
    origin->joined.push_back(waits);
  }
  if (recorded_in.unjoined && event.number == recorded_in.captured) {
    recorded_in.unjoined = false;
    waiting.unjoined = waiting.origin != nullptr;
  }
  return OK;
}

EXPORTED CUresult cuStreamWaitEvent(void* stream_handle, void* handle, unsigned) {
  ENTER;
  auto stream = stream_of(stream_handle);
  auto event = find<Event>(handle, EVENT);
  if (!stream || !event) {
    return INVALID_HANDLE;
  }
  if (event->capture || (stream->capture && event->stream)) {
    return wait_in_capture(*stream, stream, *event);
  }
  if (!event->stream || event->stream == stream) {
    return OK;
  }
  auto source = event->stream;
  uint64_t number = event->number;
  return enqueue(stream_handle, "cuStreamWaitEvent", [source, number] { return run_until(*source, number); });
}
