// cuLaunchKernel: checks the launch, reads the parameters by the sizes that the PTX declares, and runs the interpreter.
#include "device_thread.h"
#include "memory.h"
#include "queue.h"
#include <stdio.h>

namespace host_device {

struct Launch {
  std::shared_ptr<Function> function;
  unsigned grid[3], block[3];
  size_t shared_bytes;              // dynamic ones
  unsigned max_shared_bytes;
  std::vector<uint64_t> values;     // of the parameters
};

static CUresult run(const Launch& launch) {
  ptx::Kernel& kernel = *launch.function->kernel;
  const char* name = kernel.name.c_str();
  count(KERNELS);
  if (strikes(LAUNCH)) {
    report("injected fault: kernel %s fails", name);
    return LAUNCH_FAILED;
  }
  for (size_t i = 0; i < kernel.parameters.size(); i++) {
    char what[200];
    snprintf(what, sizeof what, "kernel %s, pointer argument %zu", name, i);
    if (kernel.parameters[i].pointer && !is_argument((void*)launch.values[kernel.parameters[i].word], what)) {
      return ILLEGAL_ADDRESS;
    }
  }
  Settings& settings = state().settings;
  const unsigned *grid = launch.grid, *block = launch.block;
  ptx::Outcome outcome = ptx::run(
      kernel, {{grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, (unsigned)launch.shared_bytes,
               launch.max_shared_bytes, launch.values.data(), settings.order, &settings.random,
               settings.approximation});
  if (outcome.failure.empty()) {
    return OK;
  }
  report("kernel %s: %s", name, outcome.failure.c_str());
  return outcome.illegal_access ? ILLEGAL_ADDRESS : LAUNCH_FAILED;
}

static bool possible(const unsigned* grid, const unsigned* block) {
  bool grid_fits = grid[0] && grid[1] && grid[2] && grid[0] <= 2147483647u && grid[1] <= 65535 && grid[2] <= 65535;
  bool block_fits = block[0] && block[1] && block[2] && block[0] <= 1024 && block[1] <= 1024 && block[2] <= 64;
  return grid_fits && block_fits && block[0] * block[1] * block[2] <= 1024;
}

// The driver cannot know how many parameters the caller passed. Too few show only as an invalid address.
static bool take_parameters(Launch& launch, void** parameters) {
  const ptx::Kernel& kernel = *launch.function->kernel;
  size_t count = kernel.parameters.size();
  launch.values.resize(count ? kernel.parameters.back().word + (kernel.parameters.back().bytes + 7) / 8 : 0);
  for (size_t i = 0; i < count; i++) {
    void* source = nullptr;
    bool there = parameters && peek(&source, &parameters[i], sizeof source) && source;
    if (!there || !peek(&launch.values[kernel.parameters[i].word], source, kernel.parameters[i].bytes)) {
      report("kernel %s: parameter %zu of %zu is missing", kernel.name.c_str(), i, count);
      return false;
    }
  }
  return true;
}

}  // namespace host_device

using namespace host_device;

EXPORTED CUresult cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                 unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream, void** parameters,
                                 void** extra) {
  ENTER;
  auto function = find<Function>(handle, FUNCTION);
  if (!function) {
    report("cuLaunchKernel: not a kernel of a loaded module");
    return INVALID_HANDLE;
  }
  auto launch = std::make_shared<Launch>();
  unsigned max_shared_bytes = (unsigned)function->max_dynamic_shared;
  *launch = {function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, max_shared_bytes, {}};
  const char* name = function->name.c_str();
  if (!possible(launch->grid, launch->block)) {
    report("kernel %s: launch of grid %ux%ux%u, block %ux%ux%u", name, grid_x, grid_y, grid_z, block_x, block_y, block_z);
    return INVALID_VALUE;
  }
  unsigned cluster = function->kernel->cluster;
  if (grid_x % cluster) {
    report("kernel %s: a grid of %u blocks along x, which is no multiple of the %u blocks of a cluster", name, grid_x, cluster);
    return INVALID_CLUSTER_SIZE;
  }
  if (extra) {
    report("kernel %s: the host device knows no extra parameters", name);
    return NOT_SUPPORTED;
  }
  if (shared_bytes > (unsigned)function->max_dynamic_shared) {
    report("kernel %s: a launch with %u bytes of dynamic shared memory, but the kernel may have %d", name, shared_bytes,
           function->max_dynamic_shared);
    return INVALID_VALUE;
  }
  // Reading the parameters may fault; the device thread's handler catches it.
  start_device_thread();
  if (!take_parameters(*launch, parameters)) {
    return INVALID_VALUE;
  }
  return enqueue(stream, ("kernel " + function->name).c_str(), [launch] { return run(*launch); });
}
