// cuModule* and cuFunc*: modules of PTX, which the interpreter (ptx/) runs.
#include "queue.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

namespace host_device {

// The newest PTX .version that a driver takes; both as 10 * major + minor, the driver's times 100.
static int newest_version(int driver) {
  static const int TABLE[][2] = {{13000, 90}, {12090, 88}, {12080, 87}, {12060, 85}, {12050, 85}, {12040, 84}, {12030, 83},
                                 {12020, 82}, {12010, 81}, {12000, 80}, {11080, 78}, {11000, 70}, {10020, 65}};
  for (auto& row : TABLE) {
    if (driver >= row[0]) {
      return row[1];
    }
  }
  return 63;
}

// Returns whether a driver and a GPU with the current settings would accept the PTX.
static CUresult check_versions(const char* text) {
  const char *version = strstr(text, "\n.version "), *target = strstr(text, "\n.target sm_");
  if (!version || !target) {
    report("not PTX: it has no .version or no .target");
    return INVALID_IMAGE;
  }
  int major = 0, minor = 0, driver = state().settings.driver, capability = state().settings.capability;
  sscanf(version, "\n.version %d.%d", &major, &minor);
  if (major * 10 + minor > newest_version(driver)) {
    report("PTX .version %d.%d is newer than a driver of CUDA %d.%d takes", major, minor, driver / 1000, driver % 1000 / 10);
    return UNSUPPORTED_PTX_VERSION;
  }
  int sm = atoi(target + strlen("\n.target sm_"));
  if (sm > capability) {
    report("PTX .target sm_%d on a device of compute capability %d.%d", sm, capability / 10, capability % 10);
    return INVALID_PTX;
  }
  return OK;
}

// The build puts the source lines of all kernels next to this library.
static void read_source_lines() {
  static bool read = false;
  if (read) {
    return;
  }
  read = true;
  Dl_info self;
  dladdr((void*)&check_versions, &self);
  std::string library = self.dli_fname;
  ptx::read_source_lines(library.substr(0, library.rfind('/') + 1) + "source-lines");
}

static CUresult load_module(void** handle, const char* text) {
  ENTER;
  if (CUresult result = forbidden_in_capture("cuModuleLoadData")) {
    return result;
  }
  if (CUresult result = check_versions(text)) {
    return result;
  }
  std::string error;
  auto code = ptx::parse(text, state().settings.contract, error);
  if (!code) {
    report("PTX that the host device does not run: %s", error.c_str());
    return INVALID_PTX;
  }
  read_source_lines();
  auto module = std::make_shared<Module>(current());
  for (auto& entry : code->kernels) {
    auto function = std::make_shared<Function>(current());
    function->name = entry.first;
    function->kernel = entry.second;
    module->functions[entry.first] = function;
    state().objects[function.get()] = function;
  }
  keep(module, handle);
  return OK;
}

}  // namespace host_device

using namespace host_device;

EXPORTED CUresult cuModuleLoadData(void** handle, const void* image) {
  // Machine code of a GPU cannot run here, whatever compute capability is reported. Callers are expected to load PTX then, so this is
  // counted and not reported.
  if (!strncmp((const char*)image, "\177ELF", 4)) {
    ENTER;
    count(REFUSED_CUBINS);
    return NO_BINARY_FOR_GPU;
  }
  return load_module(handle, (const char*)image);
}

// The options are for the PTX compiler, which the host device does not have.
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
    case 0:   // max threads per block
      *value = 1024;
      break;
    case 4:   // registers per thread
      *value = 32;
      break;
    case 8:   // most dynamic shared memory
      *value = find<Function>(handle, FUNCTION)->max_dynamic_shared;
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
      function->max_dynamic_shared = value;
      return OK;
    case 9:   // preferred shared memory carveout: a hint
      return value >= -1 && value <= 100 ? OK : INVALID_VALUE;
    default:
      return NOT_SUPPORTED;
  }
}
