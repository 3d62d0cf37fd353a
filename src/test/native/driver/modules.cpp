// cuModule* and cuFunc*: PTX gives the kernels' names and parameters, libkernels.so beside this library their code.
#include "block.h"
#include "device_thread.h"
#include "ptx.h"
#include "queue.h"
#include <algorithm>
#include <dlfcn.h>
#include <link.h>
#include <string.h>

namespace host_device {

static std::map<std::string, const host_kernel*> kernels;
static void (*touch_shared)();

// Finds the library's thread_local block, which is the kernels' shared memory, of the device thread.
static void find_shared_memory() {
  touch_shared();
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void*) {
        Dl_info library;
        if (!dladdr((void*)touch_shared, &library) || (uintptr_t)library.dli_fbase != (uintptr_t)info->dlpi_addr) {
          return 0;
        }
        for (int i = 0; i < info->dlpi_phnum; i++) {
          if (info->dlpi_phdr[i].p_type == PT_TLS) {
            shared_memory_is((unsigned char*)info->dlpi_tls_data, info->dlpi_phdr[i].p_memsz);
          }
        }
        return 1;
      },
      nullptr);
}

static bool load_kernels() {
  if (!kernels.empty()) {
    return true;
  }
  Dl_info self;
  dladdr((void*)&load_kernels, &self);
  std::string path = self.dli_fname;
  path = path.substr(0, path.rfind('/') + 1) + "libkernels.so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    report("%s", dlerror());
    return false;
  }
  auto table = (const host_kernel* const* (*)(int*))dlsym(library, "host_kernels");
  touch_shared = (void (*)())dlsym(library, "host_kernels_touch_shared");
  int count = 0;
  auto entries = table(&count);
  for (int i = 0; i < count; i++) {
    kernels[entries[i]->name] = entries[i];
  }
  on_device([]() -> CUresult {
    find_shared_memory();
    return OK;
  });
  return true;
}

static bool agree(const host_kernel& kernel, const std::vector<int>& sizes) {
  return kernel.parameters == (int)sizes.size() && std::equal(sizes.begin(), sizes.end(), kernel.size);
}

static CUresult load_module(void** handle, const char* ptx) {
  ENTER;
  if (CUresult result = forbidden_in_capture("cuModuleLoadData")) {
    return result;
  }
  if (!load_kernels()) {
    return INVALID_IMAGE;
  }
  std::map<std::string, std::vector<int>> declared;
  if (CUresult result = parse_ptx(ptx, declared)) {
    return result;
  }
  auto module = std::make_shared<Module>(current());
  for (auto& entry : declared) {
    auto kernel = kernels.find(entry.first);
    if (kernel == kernels.end() || !agree(*kernel->second, entry.second)) {
      report(kernel == kernels.end() ? "kernel %s is in the PTX and not in the host build"
                                     : "kernel %s: the parameters of the PTX and of the host build differ",
             entry.first.c_str());
      return INVALID_PTX;
    }
    auto function = std::make_shared<Function>(current());
    function->name = entry.first;
    function->kernel = kernel->second;
    function->parameter_sizes = entry.second;
    module->functions[entry.first] = function;
  }
  for (auto& entry : module->functions) {
    state().objects[entry.second.get()] = entry.second;
  }
  keep(module, handle);
  return OK;
}

}  // namespace host_device

using namespace host_device;

EXPORTED CUresult cuModuleLoadData(void** handle, const void* image) {
  // Machine code of a GPU cannot run here, whatever compute capability is reported. Callers are expected to come back with PTX,
  // so this is counted and not reported.
  if (!strncmp((const char*)image, "\177ELF", 4)) {
    ENTER;
    state().counted[REFUSED_CUBINS]++;
    return NO_BINARY_FOR_GPU;
  }
  return load_module(handle, (const char*)image);
}

// The options are for the compiler of PTX; there is none here.
EXPORTED CUresult cuModuleLoadDataEx(void** handle, const void* image, unsigned, int*, void**) {
  return cuModuleLoadData(handle, image);
}

EXPORTED CUresult cuModuleUnload(void* handle) {
  ENTER_TO_RELEASE;
  auto module = find<Module>(handle, MODULE);
  if (!module) {
    return entered ? entered : INVALID_HANDLE;
  }
  CUresult result = flush_all(*current());
  for (auto& entry : module->functions) {
    state().objects.erase(entry.second.get());
  }
  state().objects.erase(handle);
  return result;
}

EXPORTED CUresult cuModuleGetFunction(void** handle, void* module_handle, const char* name) {
  ENTER;
  auto module = find<Module>(module_handle, MODULE);
  if (!module) {
    return INVALID_HANDLE;
  }
  auto found = module->functions.find(name);
  if (found == module->functions.end()) {
    report("the module has no kernel %s", name);
    return NOT_FOUND;
  }
  *handle = found->second.get();
  return OK;
}

EXPORTED CUresult cuFuncGetAttribute(int* value, int attribute, void* handle) {
  ENTER;
  if (!find<Function>(handle, FUNCTION)) {
    return INVALID_HANDLE;
  }
  switch (attribute) {
    case 0:   // max threads a block
      *value = 1024;
      break;
    case 4:   // registers a thread
      *value = 32;
      break;
    case 8:   // most dynamic shared memory
      *value = find<Function>(handle, FUNCTION)->most_dynamic_shared;
      break;
    case 5:   // PTX version
    case 6:   // binary version
      *value = state().settings.capability;
      break;
    default:
      *value = 0;
  }
  return OK;
}

EXPORTED CUresult cuFuncSetAttribute(void* handle, int attribute, int value) {
  ENTER;
  auto function = find<Function>(handle, FUNCTION);
  if (!function) {
    return INVALID_HANDLE;
  }
  switch (attribute) {
    case 8:   // most dynamic shared memory
      if (value < 0 || value > shared_memory_opt_in()) {
        report("kernel %s: a block may opt in to %d bytes of shared memory, not to %d", function->name.c_str(),
               shared_memory_opt_in(), value);
        return INVALID_VALUE;
      }
      function->most_dynamic_shared = value;
      return OK;
    case 9:   // preferred part of shared memory in what it shares with the cache: a wish
      return value >= -1 && value <= 100 ? OK : INVALID_VALUE;
    default:
      return NOT_SUPPORTED;
  }
}
