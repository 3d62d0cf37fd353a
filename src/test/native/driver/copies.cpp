// Copies and fills, synchronous and in stream order.
#include "memory.h"
#include "queue.h"
#include <string.h>

namespace host_device {

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
  bool to_device, from_device;
  const char* what;
};

static CUresult run_copy(const Copy& c) {
  count(COPIES);
  if (strikes(COPY)) {
    report("injected fault: %s meets a memory error", c.what);
    return ECC_UNCORRECTABLE;
  }
  if ((c.to_device && !in_range(c.to, c.bytes, c.what)) || (c.from_device && !in_range(c.from, c.bytes, c.what))) {
    return ILLEGAL_ADDRESS;
  }
  memmove(c.to, c.from, c.bytes);
  return OK;
}

static CUresult check_copy(const Copy& c) {
  if (!c.to || !c.from) {
    report("%s: a null address", c.what);
    return INVALID_VALUE;
  }
  if ((!c.to_device && is_device_address(c.to)) || (!c.from_device && is_device_address(c.from))) {
    report("%s: a device address where host memory is wanted", c.what);
    return INVALID_VALUE;
  }
  bool inside = (!c.to_device || in_range(c.to, c.bytes, c.what)) && (!c.from_device || in_range(c.from, c.bytes, c.what));
  return inside ? OK : INVALID_VALUE;
}

static CUresult copy_now(const Copy& c) {
  ENTER;
  if (!c.bytes) {
    return OK;
  }
  if (CUresult result = check_copy(c)) {
    return result;
  }
  if (CUresult result = forbidden_in_capture(c.what)) {
    return result;
  }
  // Ordered by the null stream only: it does not wait for non-blocking streams.
  if (CUresult result = enqueue(nullptr, c.what, [c] { return run_copy(c); })) {
    return result;
  }
  count(SYNCHRONISATIONS);
  return flush(*current()->null_stream);
}

static CUresult copy_later(const Copy& c, void* handle) {
  ENTER;
  auto stream = stream_of(handle);
  if (!stream) {
    report("%s: not a stream of the current context", c.what);
    return INVALID_HANDLE;
  }
  if (!c.bytes) {
    return OK;
  }
  if (CUresult result = check_copy(c)) {
    return result;
  }
  bool pageable = (!c.to_device && !is_pinned(c.to, c.bytes)) || (!c.from_device && !is_pinned(c.from, c.bytes));
  if (pageable && stream->capture) {
    report("%s: pageable host memory recorded in a graph (the address may be stale when it runs)", c.what);
    stream->invalidated = true;
    return CAPTURE_UNSUPPORTED;
  }
  if (pageable && c.to_device) {
    // The driver copies pageable memory into a staging buffer before the call returns.
    const char* from = (const char*)c.from;
    auto staged = std::make_shared<std::vector<char>>(from, from + c.bytes);
    return enqueue(handle, c.what, [c, staged] {
      Copy from_stage = c;
      from_stage.from = staged->data();
      return run_copy(from_stage);
    });
  }
  if (CUresult result = enqueue(handle, c.what, [c] { return run_copy(c); })) {
    return result;
  }
  if (!pageable) {
    return OK;
  }
  // To pageable memory: the real call returns after the copy.
  count(SYNCHRONISATIONS);
  return flush(*stream);
}

template <class T> static CUresult fill(CUdeviceptr start, T value, size_t count, void* stream, const char* what) {
  ENTER;
  if (start % sizeof(T)) {
    report("%s: the address is not a multiple of %zu", what, sizeof(T));
    return INVALID_VALUE;
  }
  if (!in_range((void*)start, count * sizeof(T), what)) {
    return INVALID_VALUE;
  }
  return enqueue(stream, what, [=]() -> CUresult {
    if (!in_range((void*)start, count * sizeof(T), what)) {
      return ILLEGAL_ADDRESS;
    }
    T* at = (T*)start;
    for (size_t i = 0; i < count; i++) {
      at[i] = value;
    }
    return OK;
  });
}

}  // namespace host_device

using namespace host_device;

EXPORTED CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  return copy_now({(void*)to, from, bytes, true, false, "cuMemcpyHtoD"});
}

EXPORTED CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  return copy_now({to, (void*)from, bytes, false, true, "cuMemcpyDtoH"});
}

EXPORTED CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy_now({(void*)to, (void*)from, bytes, true, true, "cuMemcpyDtoD"});
}

EXPORTED CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, void* stream) {
  return copy_later({(void*)to, from, bytes, true, false, "cuMemcpyHtoDAsync"}, stream);
}

EXPORTED CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, void* stream) {
  return copy_later({to, (void*)from, bytes, false, true, "cuMemcpyDtoHAsync"}, stream);
}

EXPORTED CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void* stream) {
  return copy_later({(void*)to, (void*)from, bytes, true, true, "cuMemcpyDtoDAsync"}, stream);
}

EXPORTED CUresult cuMemsetD8_v2(CUdeviceptr start, unsigned char value, size_t count) {
  return fill(start, value, count, nullptr, "cuMemsetD8");
}

EXPORTED CUresult cuMemsetD32_v2(CUdeviceptr start, unsigned value, size_t count) {
  return fill(start, value, count, nullptr, "cuMemsetD32");
}

EXPORTED CUresult cuMemsetD8Async(CUdeviceptr start, unsigned char value, size_t count, void* stream) {
  return fill(start, value, count, stream, "cuMemsetD8Async");
}

EXPORTED CUresult cuMemsetD32Async(CUdeviceptr start, unsigned value, size_t count, void* stream) {
  return fill(start, value, count, stream, "cuMemsetD32Async");
}
