// Contexts: created, primary, current. Objects that are alive when their context ends count as leaked.
#include "memory.h"
#include "queue.h"

namespace host_device {

static std::shared_ptr<Context> create_context(int device) {
  auto context = std::make_shared<Context>(device);
  context->null_stream = std::make_shared<Stream>(context.get(), true);
  state().objects[context.get()] = context;
  return context;
}

static const char* const NAMES[KINDS] = {"device allocations", "pinned blocks", "contexts", "streams", "events",
                                         "graphs", "executable graphs", "modules", "cuBLAS handles", "functions"};

static void end_context(const std::shared_ptr<Context>& context) {
  State& s = state();
  flush_all(*context);
  long left[KINDS] = {};
  for (auto i = s.live.begin(); i != s.live.end();) {
    auto allocation = i++;
    if (allocation->second.context == context.get()) {
      left[DEVICE_MEMORY]++;
      bury(allocation);
    }
  }
  for (auto i = s.pinned.begin(); i != s.pinned.end();) {
    auto block = i++;
    if (block->second.second == context.get()) {
      left[PINNED_MEMORY]++;   // never freed: Java may still hold a buffer over it
      s.pinned.erase(block);
    }
  }
  for (auto i = s.objects.begin(); i != s.objects.end();) {
    auto object = i++;
    if (object->second->context == context.get()) {
      left[object->second->kind]++;
      s.objects.erase(object);
    }
  }
  for (int k = 0; k < KINDS; k++) {
    if (left[k] && k != FUNCTION) {
      s.leaked[k] += left[k];
      report("LEAK: %ld %s alive when their context ends", left[k], NAMES[k]);
    }
  }
  context->streams.clear();
  context->ended = true;
  s.objects.erase(context.get());
}

}  // namespace host_device

using namespace host_device;

EXPORTED CUresult cuCtxCreate_v2(void** handle, unsigned, int device) {
  ENTER_DEVICE(device);
  if (state().lost.count(device)) {
    return UNKNOWN;
  }
  auto context = create_context(device);
  context_stack().push_back(context.get());
  *handle = context.get();
  return OK;
}

EXPORTED CUresult cuCtxDestroy_v2(void* handle) {
  ENTER_DRIVER;
  auto context = find<Context>(handle, CONTEXT);
  if (!context) {
    return INVALID_CONTEXT;
  }
  end_context(context);
  auto& stack = context_stack();
  if (!stack.empty() && stack.back() == context.get()) {
    stack.pop_back();
  }
  return state().lost.count(context->device) ? UNKNOWN : OK;
}

EXPORTED CUresult cuDevicePrimaryCtxRetain(void** handle, int device) {
  ENTER_DEVICE(device);
  if (state().lost.count(device)) {
    return UNKNOWN;
  }
  auto& primary = state().primary[device];
  if (!primary.first) {
    primary.first = create_context(device);
  }
  primary.second++;
  *handle = primary.first.get();
  return OK;
}

EXPORTED CUresult cuDevicePrimaryCtxRelease_v2(int device) {
  ENTER_DEVICE(device);
  auto& primary = state().primary[device];
  if (!primary.first) {
    return INVALID_CONTEXT;
  }
  if (--primary.second == 0) {
    end_context(primary.first);
    primary.first = nullptr;
  }
  return state().lost.count(device) ? UNKNOWN : OK;
}

EXPORTED CUresult cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  ENTER_DEVICE(device);
  *flags = 0;
  *active = state().primary[device].first != nullptr;
  return OK;
}

EXPORTED CUresult cuCtxSetCurrent(void* handle) {
  ENTER_DRIVER;
  auto& stack = context_stack();
  if (handle && !find<Context>(handle, CONTEXT)) {
    return INVALID_CONTEXT;
  }
  if (!stack.empty()) {
    stack.pop_back();
  }
  if (handle) {
    stack.push_back((Context*)find<Context>(handle, CONTEXT).get());
  }
  return OK;
}

EXPORTED CUresult cuCtxGetCurrent(void** handle) {
  ENTER_DRIVER;
  *handle = current();
  return OK;
}

EXPORTED CUresult cuCtxPushCurrent_v2(void* handle) {
  ENTER_DRIVER;
  auto context = find<Context>(handle, CONTEXT);
  if (!context) {
    return INVALID_CONTEXT;
  }
  context_stack().push_back(context.get());
  return OK;
}

EXPORTED CUresult cuCtxPopCurrent_v2(void** handle) {
  ENTER_DRIVER;
  auto& stack = context_stack();
  if (stack.empty()) {
    return INVALID_CONTEXT;
  }
  if (handle) {
    *handle = stack.back();
  }
  stack.pop_back();
  return OK;
}

EXPORTED CUresult cuCtxGetDevice(int* device) {
  ENTER;
  *device = current()->device;
  return OK;
}

EXPORTED CUresult cuCtxSynchronize() {
  ENTER;
  count(SYNCHRONISATIONS);
  if (CUresult result = forbidden_in_capture("cuCtxSynchronize")) {
    return result;
  }
  return flush_all(*current());
}
