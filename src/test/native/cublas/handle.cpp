// Handles: creation, destruction and settings.
#include "handle.h"
#include <mutex>
#include <set>

namespace host_device {

static std::mutex& handles_lock() {
  static std::mutex* only = new std::mutex;
  return *only;
}

static std::set<void*>& handles() {
  static auto* only = new std::set<void*>;
  return *only;
}

Handle* handle_of(void* handle) {
  std::lock_guard<std::mutex> held(handles_lock());
  return handles().count(handle) ? (Handle*)handle : nullptr;
}

Status from_driver(int result) {
  enum { NO_CONTEXT = 201 };
  return result == 0 ? SUCCESS : result == NO_CONTEXT ? NOT_INITIALIZED : EXECUTION_FAILED;
}

}  // namespace host_device

using namespace host_device;

#define HANDLE \
  Handle* h = handle_of(handle); \
  if (!h) return NOT_INITIALIZED

EXPORTED Status cublasCreate_v2(void** out) {
  if (!out) {
    return INVALID_VALUE;
  }
  if (host_device_enter()) {
    host_device_report("cublasCreate without a usable current context");
    return NOT_INITIALIZED;
  }
  Handle* h = new Handle;
  std::lock_guard<std::mutex> held(handles_lock());
  handles().insert(h);
  host_device_cublas_handles(1);
  *out = h;
  return SUCCESS;
}

EXPORTED Status cublasDestroy_v2(void* handle) {
  HANDLE;
  std::lock_guard<std::mutex> held(handles_lock());
  handles().erase(h);
  delete h;
  host_device_cublas_handles(-1);
  return SUCCESS;
}

EXPORTED Status cublasGetVersion_v2(void*, int* version) {
  *version = 120600;
  return SUCCESS;
}

EXPORTED Status cublasGetProperty(int property, int* value) {
  *value = property == 0 ? 12 : property == 1 ? 6 : 0;
  return SUCCESS;
}

// As in the real cuBLAS, this resets the handle to cuBLAS's own workspace.
EXPORTED Status cublasSetStream_v2(void* handle, void* stream) {
  HANDLE;
  h->stream = stream;
  h->own_workspace = false;
  return SUCCESS;
}

EXPORTED Status cublasGetStream_v2(void* handle, void** stream) {
  HANDLE;
  *stream = h->stream;
  return SUCCESS;
}

EXPORTED Status cublasSetWorkspace_v2(void* handle, void* workspace, size_t bytes) {
  HANDLE;
  if ((uintptr_t)workspace % 256) {
    host_device_report("cublasSetWorkspace: the address is not a multiple of 256");
    return INVALID_VALUE;
  }
  if (bytes && !host_device_in_range(workspace, bytes, "cublasSetWorkspace")) {
    return INVALID_VALUE;
  }
  h->own_workspace = true;
  h->workspace = workspace;
  h->workspace_bytes = bytes;
  return SUCCESS;
}

EXPORTED Status cublasSetMathMode(void* handle, int mode) {
  HANDLE;
  if (mode != DEFAULT_MATH && mode != PEDANTIC_MATH && mode != TF32_MATH && mode != DISALLOW_REDUCED_PRECISION_REDUCTION) {
    host_device_report("cublasSetMathMode: %d is not a mode that the host device knows", mode);
    return NOT_SUPPORTED;
  }
  h->math = mode;
  return SUCCESS;
}

EXPORTED Status cublasGetMathMode(void* handle, int* mode) {
  HANDLE;
  *mode = h->math;
  return SUCCESS;
}

EXPORTED Status cublasSetPointerMode_v2(void* handle, int mode) {
  HANDLE;
  h->device_scalars = mode;
  return SUCCESS;
}

EXPORTED Status cublasGetPointerMode_v2(void* handle, int* mode) {
  HANDLE;
  *mode = h->device_scalars;
  return SUCCESS;
}

EXPORTED Status cublasSetAtomicsMode(void* handle, int mode) {
  HANDLE;
  if (mode) {
    host_device_report("cublasSetAtomicsMode: results with atomics differ from run to run");
    return NOT_SUPPORTED;
  }
  return SUCCESS;
}

EXPORTED const char* cublasGetStatusName(int status) {
  switch (status) {
    case SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
  }
}

EXPORTED const char* cublasGetStatusString(int status) { return cublasGetStatusName(status); }
