// cuInit, the driver's version and the devices' properties.
#include "state.h"
#include <stdio.h>
#include <string.h>

using namespace host_device;

EXPORTED CUresult cuInit(unsigned flags) {
  LOCK;
  if (flags) {
    return INVALID_VALUE;
  }
  if (state().settings.devices <= 0) {
    return NO_DEVICE;
  }
  state().initialised = true;
  return OK;
}

EXPORTED CUresult cuDriverGetVersion(int* version) {
  LOCK;
  *version = state().settings.driver;
  return OK;
}

EXPORTED CUresult cuDeviceGetCount(int* count) {
  ENTER_DRIVER;
  *count = state().settings.devices;
  return OK;
}

EXPORTED CUresult cuDeviceGet(int* device, int ordinal) {
  ENTER_DEVICE(ordinal);
  *device = ordinal;
  return OK;
}

EXPORTED CUresult cuDeviceGetName(char* name, int length, int device) {
  ENTER_DEVICE(device);
  snprintf(name, length, "host device (CPU, for tests)");
  return OK;
}

EXPORTED CUresult cuDeviceTotalMem_v2(size_t* bytes, int device) {
  ENTER_DEVICE(device);
  *bytes = state().settings.memory;
  return OK;
}

EXPORTED CUresult cuDeviceComputeCapability(int* major, int* minor, int device) {
  ENTER_DEVICE(device);
  *major = state().settings.capability / 10;
  *minor = state().settings.capability % 10;
  return OK;
}

EXPORTED CUresult cuDeviceGetUuid(void* uuid, int device) {
  ENTER_DEVICE(device);
  memcpy(uuid, "host device 0000", 16);
  ((char*)uuid)[15] = (char)('0' + device % 10);
  return OK;
}

namespace host_device {

// CUDA C++ Programming Guide, technical specifications by compute capability.
int shared_memory_of_multiprocessor() {
  int capability = state().settings.capability;
  int kibibytes = capability < 80 ? 64 : capability == 80 || capability == 87 ? 164 : capability < 90 || capability >= 120 ? 100 : 228;
  return kibibytes << 10;
}

// From 8.0 on the driver takes 1 KiB of each block's.
int shared_memory_opt_in() {
  const Settings& settings = state().settings;
  return settings.shared ? settings.shared : shared_memory_of_multiprocessor() - (settings.capability < 80 ? 0 : 1 << 10);
}

}  // namespace host_device

static int attribute_value(int attribute) {
  switch (attribute) {
    case 1:   // max threads per block
    case 2:   // max block dimension x
    case 3:   // y
      return 1024;
    case 4:   // z
      return 64;
    case 5:   // max grid dimension x
      return 2147483647;
    case 6:   // y
    case 7:   // z
      return 65535;
    case 8:   // shared memory per block
      return SHARED_WITHOUT_OPT_IN;
    case 97:  // the same, opted in
      return shared_memory_opt_in();
    case 81:  // shared memory per multiprocessor
      return shared_memory_of_multiprocessor();
    case 111:  // shared memory that the driver reserves per block
      return state().settings.capability < 80 ? 0 : 1 << 10;
    case 9:   // constant memory
    case 12:  // registers per block
      return 65536;
    case 10:  // warp size
      return 32;
    case 13:  // clock, kHz
      return 1500000;
    case 16:  // multiprocessors
      return 4;
    case 31:  // concurrent kernels
    case 40:  // asynchronous copy engines
    case 41:  // unified addresses
      return 1;
    case 36:  // memory clock, kHz
      return 5000000;
    case 37:  // memory bus, bits
      return 256;
    case 38:  // L2 cache, bytes
      return 4 << 20;
    case 39:  // threads per multiprocessor
      return 1024;
    case 120:  // thread block clusters
      return state().settings.capability >= 90;
    case 75:
      return state().settings.capability / 10;
    case 76:
      return state().settings.capability % 10;
    default:
      return 0;
  }
}

EXPORTED CUresult cuDeviceGetAttribute(int* value, int attribute, int device) {
  ENTER_DEVICE(device);
  *value = attribute_value(attribute);
  return OK;
}
