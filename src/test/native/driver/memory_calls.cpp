// cuMemAlloc and cuMemFree, pinned host memory, and the amount of free memory.
#include "memory.h"
#include "queue.h"
#include <stdlib.h>
#include <string.h>

namespace host_device {

// The injected fault counts device and pinned allocations together.
static CUresult may_allocate(const char* function) {
  count(ALLOCATIONS);
  if (CUresult result = forbidden_in_capture(function)) {
    return result;
  }
  if (strikes(MEMORY)) {
    report("injected fault: %s finds no memory", function);
    return OUT_OF_MEMORY;
  }
  return OK;
}

static CUresult allocate_pinned(void** out, size_t bytes, const char* function) {
  ENTER;
  if (!bytes || !out) {
    return INVALID_VALUE;
  }
  if (CUresult result = may_allocate(function)) {
    return result;
  }
  if (posix_memalign(out, 4096, bytes)) {
    return OUT_OF_MEMORY;
  }
  memset(*out, 0xff, bytes);
  state().pinned[(uintptr_t)*out] = {bytes, current()};
  return OK;
}

}  // namespace host_device

using namespace host_device;

EXPORTED CUresult cuMemAlloc_v2(CUdeviceptr* out, size_t bytes) {
  ENTER;
  if (!bytes || !out) {
    return INVALID_VALUE;
  }
  if (CUresult result = may_allocate("cuMemAlloc")) {
    return result;
  }
  if (bytes > state().settings.memory - state().used[current()->device]) {
    return OUT_OF_MEMORY;
  }
  Allocation* allocation = allocate(bytes, current());
  if (!allocation) {
    return OUT_OF_MEMORY;
  }
  *out = allocation->start;
  return OK;
}

EXPORTED CUresult cuMemFree_v2(CUdeviceptr address) {
  ENTER_TO_RELEASE;
  if (!address) {
    return entered;
  }
  if (CUresult result = forbidden_in_capture("cuMemFree")) {
    return result;
  }
  auto allocation = state().live.find(address);
  if (allocation == state().live.end()) {
    bool twice = false;
    for (const Allocation& a : state().freed) {
      twice |= a.start == address;
    }
    report("cuMemFree: %p %s", (void*)address, twice ? "is already freed" : "is not the start of an allocation");
    return entered ? entered : INVALID_VALUE;
  }
  // The real call waits for the device and returns the result of the preceding work.
  CUresult result = flush_all(*current());
  bury(allocation);
  return result;
}

EXPORTED CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  ENTER;
  *free = state().settings.memory - state().used[current()->device];
  *total = state().settings.memory;
  return OK;
}

EXPORTED CUresult cuMemAllocHost_v2(void** out, size_t bytes) { return allocate_pinned(out, bytes, "cuMemAllocHost"); }

EXPORTED CUresult cuMemHostAlloc(void** out, size_t bytes, unsigned) {
  return allocate_pinned(out, bytes, "cuMemHostAlloc");
}

EXPORTED CUresult cuMemFreeHost(void* address) {
  ENTER_TO_RELEASE;
  if (CUresult result = forbidden_in_capture("cuMemFreeHost")) {
    return result;
  }
  if (!state().pinned.count((uintptr_t)address)) {
    report("cuMemFreeHost: %p is not a pinned block", address);
    return entered ? entered : INVALID_VALUE;
  }
  CUresult result = flush_all(*current());
  state().pinned.erase((uintptr_t)address);
  free(address);
  return result;
}
