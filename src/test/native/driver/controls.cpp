// The tests' controls within their own JVM: the native methods of dev.plumb.backend.cuda.hostdevice.HostDevice. Primitive types
// only, so that no header of the JDK is needed.
#include "queue.h"

using namespace host_device;

#define CONTROL(type, name) EXPORTED type Java_dev_plumb_backend_cuda_hostdevice_HostDevice_##name

CONTROL(void, setOrder)(void*, void*, int order, int64_t seed) {
  LOCK;
  state().settings.order = (Order)order;
  state().settings.random.seed((unsigned)seed);
}

CONTROL(void, setArithmetic)(void*, void*, unsigned char contract, double approximation) {
  LOCK;
  state().settings.contract = contract;
  state().settings.approximation = approximation;
}

CONTROL(void, setLazy)(void*, void*, unsigned char lazy) {
  LOCK;
  state().settings.lazy = lazy;
}

CONTROL(void, setQuiet)(void*, void*, unsigned char quiet) {
  LOCK;
  state().settings.quiet = quiet;
}

CONTROL(void, setDevices)(void*, void*, int devices) {
  LOCK;
  state().settings.devices = devices;
}

CONTROL(void, setFault)(void*, void*, int fault, int64_t number, int device) {
  LOCK;
  state().settings.fault_device = device;
  state().settings.fault = (Fault)fault;
  state().settings.fault_in = number;
}

CONTROL(void, setSharedMemory)(void*, void*, int bytes) {
  LOCK;
  state().settings.shared = bytes;
}

CONTROL(int64_t, living)(void*, void*, int kind) {
  LOCK;
  State& s = state();
  switch (kind) {
    case DEVICE_MEMORY:
      return s.live.size();
    case PINNED_MEMORY:
      return s.pinned.size();
    case CUBLAS_HANDLE:
      return s.cublas_handles;
    default:
      int64_t count = 0;
      for (auto& object : s.objects) {
        count += object.second->kind == kind;
      }
      return count;
  }
}

CONTROL(int64_t, leaked)(void*, void*, int kind) {
  LOCK;
  return state().leaked[kind];
}

CONTROL(int64_t, counted)(void*, void*, int counter) {
  LOCK;
  return state().counted[counter];
}

CONTROL(int64_t, countedOn)(void*, void*, int counter, int device) {
  LOCK;
  return state().counted_on[device][counter];
}

// Returns the last diagnosis byte by byte, then -1.
CONTROL(int, diagnosisByte)(void*, void*, int index) {
  LOCK;
  const std::string& text = state().diagnosis;
  return index < (int)text.size() ? (unsigned char)text[index] : -1;
}

// Resets settings to those of the environment, and removes the injected fault, counts and diagnosis. Live objects are kept.
CONTROL(void, setDefaults)(void*, void*) {
  LOCK;
  State& s = state();
  s.settings = Settings::from_environment();
  s.lost.clear();
  s.diagnosis.clear();
  for (long& count : s.leaked) {
    count = 0;
  }
  for (long& count : s.counted) {
    count = 0;
  }
  s.counted_on.clear();
}
