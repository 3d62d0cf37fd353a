// Stream capture and graphs. A graph is a list of work, run in the order in which it was recorded.
#include "device_thread.h"
#include "queue.h"
#include <pthread.h>

using namespace host_device;

EXPORTED CUresult cuStreamBeginCapture_v2(void* handle, int mode) {
  ENTER;
  auto stream = stream_of(handle);
  if (!stream) {
    return INVALID_HANDLE;
  }
  if (stream == current()->null_stream || stream->capture) {
    report("cuStreamBeginCapture: %s",
           stream->capture ? "the stream is capturing already" : "the null stream cannot be captured");
    return CAPTURE_UNSUPPORTED;
  }
  stream->capture = std::make_shared<Graph>(current());
  stream->origin = nullptr;
  stream->joined.clear();
  stream->captured = 0;
  stream->capture_mode = mode;
  stream->capture_thread = (unsigned long)pthread_self();
  stream->invalidated = stream->unjoined = false;
  return OK;
}

EXPORTED CUresult cuStreamIsCapturing(void* handle, int* status) {
  ENTER;
  auto stream = stream_of(handle);
  if (!stream) {
    return INVALID_HANDLE;
  }
  *status = stream->capture ? stream->invalidated ? 2 : 1 : 0;
  return OK;
}

EXPORTED CUresult cuStreamEndCapture(void* handle, void** graph_handle) {
  ENTER_TO_RELEASE;
  auto stream = stream_of(handle);
  if (!stream) {
    return entered ? entered : INVALID_HANDLE;
  }
  *graph_handle = nullptr;
  if (!stream->capture || stream->origin) {
    return entered ? entered : CAPTURE_UNMATCHED;
  }
  auto graph = std::move(stream->capture);
  stream->capture = nullptr;
  bool invalidated = stream->invalidated, unjoined = false;
  for (auto& joined : stream->joined) {
    unjoined |= joined->unjoined;
    invalidated |= joined->invalidated;
    joined->capture = nullptr;
    joined->origin = nullptr;
  }
  stream->joined.clear();
  if (entered || invalidated || unjoined) {
    return entered ? entered : invalidated ? CAPTURE_INVALIDATED : CAPTURE_UNJOINED;
  }
  keep(graph, graph_handle);
  return OK;
}

EXPORTED CUresult cuGraphInstantiateWithFlags(void** handle, void* graph_handle, unsigned long long) {
  ENTER;
  auto graph = find<Graph>(graph_handle, GRAPH);
  if (!graph) {
    return INVALID_VALUE;
  }
  auto exec = std::make_shared<GraphExec>(current());
  exec->work = std::make_shared<std::vector<Work>>(graph->work);
  keep(exec, handle);
  return OK;
}

EXPORTED CUresult cuGraphUpload(void* handle, void* stream) {
  ENTER;
  return find<GraphExec>(handle, GRAPH_EXEC) && stream_of(stream) ? OK : INVALID_HANDLE;
}

EXPORTED CUresult cuGraphLaunch(void* handle, void* stream) {
  ENTER;
  auto exec = find<GraphExec>(handle, GRAPH_EXEC);
  if (!exec) {
    report("cuGraphLaunch: not an executable graph");
    return INVALID_VALUE;
  }
  return enqueue(stream, "cuGraphLaunch", [work = exec->work]() -> CUresult {
    count(GRAPH_LAUNCHES);
    for (const Work& piece : *work) {
      if (CUresult result = execute(piece)) {
        return result;
      }
    }
    return OK;
  });
}

EXPORTED CUresult cuGraphGetNodes(void* handle, void**, size_t* count) {
  ENTER;
  auto graph = find<Graph>(handle, GRAPH);
  if (!graph) {
    return INVALID_VALUE;
  }
  *count = graph->work.size();
  return OK;
}

EXPORTED CUresult cuGraphExecDestroy(void* handle) {
  ENTER_TO_RELEASE;
  if (!find<GraphExec>(handle, GRAPH_EXEC)) {
    return entered ? entered : INVALID_VALUE;
  }
  state().objects.erase(handle);
  return entered;
}

EXPORTED CUresult cuGraphDestroy(void* handle) {
  ENTER_TO_RELEASE;
  if (!find<Graph>(handle, GRAPH)) {
    return entered ? entered : INVALID_VALUE;
  }
  state().objects.erase(handle);
  return entered;
}
