// The functions of libcuda that the host device's libcublas calls.
#include "shared.h"
#include "device_thread.h"
#include "memory.h"
#include "queue.h"
#include <stdarg.h>
#include <stdio.h>

using namespace host_device;

// For functions that the caller's thread and the device thread call; while the latter works, a caller holds the lock for it.
#define LOCK_OF_CALLER \
  std::unique_lock<std::recursive_mutex> lock_(host_device::lock(), std::defer_lock); \
  if (!on_device_thread()) lock_.lock()

EXPORTED int host_device_enqueue(void* stream, const char* what, int (*run)(void*), void* argument, void (*drop)(void*)) {
  LOCK;
  std::shared_ptr<void> owned(argument, drop);
  return enqueue(stream, what, [run, owned] { return (CUresult)run(owned.get()); });
}

EXPORTED bool host_device_in_range(const void* start, size_t bytes, const char* what) {
  LOCK_OF_CALLER;
  return in_range(start, bytes, what);
}

EXPORTED bool host_device_is_device_address(const void* address) {
  LOCK_OF_CALLER;
  return is_device_address(address);
}

EXPORTED bool host_device_captures(void* handle) {
  LOCK;
  auto stream = stream_of(handle);
  return stream && stream->capture;
}

EXPORTED int host_device_enter() {
  LOCK;
  return enter();
}

EXPORTED bool host_device_gemm_strikes() {
  LOCK;
  bool struck = strikes(GEMM);
  if (struck) {
    report("injected fault: this GEMM fails");
  }
  return struck;
}

EXPORTED void host_device_gemm_ran() { count(GEMMS); }

EXPORTED void host_device_cublas_handles(int change) {
  LOCK;
  state().cublas_handles += change;
}

EXPORTED void host_device_report(const char* format, ...) {
  LOCK_OF_CALLER;
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  report("%s", text);
}
