// cuLaunchKernel: checks the launch, takes the parameters by the sizes that the PTX declares, and runs block after
// block.
#include "block.h"
#include "device_thread.h"
#include "memory.h"
#include "queue.h"
#include <algorithm>
#include <numeric>
#include <stdio.h>

namespace host_device {

struct Launch {
  const host_kernel* kernel;
  host_uint3 grid, block;
  size_t shared_bytes;              // dynamic ones
  std::vector<uint64_t> values;
  std::vector<void*> arguments;     // into values
};

static std::vector<size_t> block_order(size_t blocks) {
  std::vector<size_t> order(blocks);
  std::iota(order.begin(), order.end(), size_t(0));
  if (state().settings.order == REVERSE) {
    std::reverse(order.begin(), order.end());
  } else if (state().settings.order == RANDOM) {
    std::shuffle(order.begin(), order.end(), state().settings.random);
  }
  return order;
}

static CUresult run(const Launch& launch) {
  const host_kernel& kernel = *launch.kernel;
  state().counted[KERNELS]++;
  if (strikes(LAUNCH)) {
    report("injected fault: kernel %s fails", kernel.name);
    return LAUNCH_FAILED;
  }
  for (int i = 0; i < kernel.parameters; i++) {
    char what[200];
    snprintf(what, sizeof what, "kernel %s, pointer argument %d", kernel.name, i);
    if (kernel.pointer[i] && !is_argument(*(void**)launch.arguments[i], what)) {
      return ILLEGAL_ADDRESS;
    }
  }
  host_uint3 grid = launch.grid;
  dynamic_shared_memory_is(launch.shared_bytes);
  for (size_t i : block_order((size_t)grid.x * grid.y * grid.z)) {
    host_uint3 block = {unsigned(i % grid.x), unsigned(i / grid.x % grid.y), unsigned(i / ((size_t)grid.x * grid.y))};
    if (const char* failure = run_block(kernel, launch.arguments.data(), block, grid, launch.block)) {
      report("kernel %s: %s", kernel.name, failure);
      return LAUNCH_FAILED;
    }
    if (const char* overrun = dynamic_shared_memory_overrun()) {
      report("kernel %s %s (%zu bytes)", kernel.name, overrun, launch.shared_bytes);
      return ILLEGAL_ADDRESS;
    }
  }
  return OK;
}

static bool possible(host_uint3 grid, host_uint3 block) {
  bool grid_fits = grid.x && grid.y && grid.z && grid.x <= 2147483647u && grid.y <= 65535 && grid.z <= 65535;
  bool block_fits = block.x && block.y && block.z && block.x <= 1024 && block.y <= 1024 && block.z <= 64;
  return grid_fits && block_fits && block.x * block.y * block.z <= 1024;
}

// The driver cannot know how many parameters the caller passed; an address that leads nowhere is all that shows.
static bool take_parameters(Launch& launch, const Function& function, void** parameters) {
  size_t words = 0;
  for (int size : function.parameter_sizes) {
    words += (size + 7) / 8;
  }
  launch.values.resize(words);
  size_t word = 0, count = function.parameter_sizes.size();
  for (size_t i = 0; i < count; i++) {
    void* source = nullptr;
    int size = function.parameter_sizes[i];
    bool there = parameters && peek(&source, &parameters[i], sizeof source) && source;
    if (!there || !peek(&launch.values[word], source, size)) {
      report("kernel %s: parameter %zu of %zu is missing", function.name.c_str(), i, count);
      return false;
    }
    launch.arguments.push_back(&launch.values[word]);
    word += (size + 7) / 8;
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
  launch->kernel = function->kernel;
  launch->grid = {grid_x, grid_y, grid_z};
  launch->block = {block_x, block_y, block_z};
  const char* name = function->name.c_str();
  if (!possible(launch->grid, launch->block)) {
    report("kernel %s: launch of grid %ux%ux%u, block %ux%ux%u", name, grid_x, grid_y, grid_z, block_x, block_y, block_z);
    return INVALID_VALUE;
  }
  if (extra) {
    report("kernel %s: the host device knows no extra parameters", name);
    return NOT_SUPPORTED;
  }
  if (shared_bytes > (unsigned)function->most_dynamic_shared) {
    report("kernel %s: a launch with %u bytes of dynamic shared memory, but the kernel may have %d", name, shared_bytes,
           function->most_dynamic_shared);
    return INVALID_VALUE;
  }
  launch->shared_bytes = shared_bytes;
  // Taking the parameters may fault: the handler is installed with the device thread, which loading a module has
  // started.
  if (!take_parameters(*launch, *function, parameters)) {
    return INVALID_VALUE;
  }
  return enqueue(stream, ("kernel " + function->name).c_str(), [launch] { return run(*launch); });
}
