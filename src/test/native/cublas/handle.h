// The handle of cuBLAS and its status codes.
#pragma once
#include "../driver/shared.h"
#include <stdint.h>

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace host_device {

enum Status {
  SUCCESS = 0,
  NOT_INITIALIZED = 1,
  INVALID_VALUE = 7,
  ARCH_MISMATCH = 8,
  MAPPING_ERROR = 11,
  EXECUTION_FAILED = 13,
  INTERNAL_ERROR = 14,
  NOT_SUPPORTED = 15
};

// The last one asks for sums in full precision, which the host device's always are.
enum Math { DEFAULT_MATH = 0, PEDANTIC_MATH = 2, TF32_MATH = 3, DISALLOW_REDUCED_PRECISION_REDUCTION = 16 };

struct Handle {
  void* stream = nullptr;
  int math = DEFAULT_MATH;
  bool device_scalars = false;    // alpha and beta are device addresses
  bool own_workspace = false;     // set by the caller, after the stream
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
};

// Returns null if this is not a live handle
Handle* handle_of(void* handle);

Status from_driver(int result);

}  // namespace host_device
