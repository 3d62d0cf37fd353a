// Launches: cluster after cluster, in each the threads one after another until they wait. In random order, threads change before
// any access to memory, and clusters are shuffled. A block without a cluster is a cluster of its own.
#include "machine.h"
#include <algorithm>
#include <numeric>
#include <stdlib.h>
#include <string.h>

namespace ptx {

Machine machine;

static void make_frames(Kernel& kernel, u32 threads) {
  while (kernel.frames.size() < threads) {
    enum : int { CACHE_LINE = 64, NOT_SET = 0x7b };
    u64* frame = (u64*)aligned_alloc(CACHE_LINE, round_up(kernel.slots * 8, CACHE_LINE) + CACHE_LINE);
    memset(frame, NOT_SET, kernel.slots * 8);
    std::copy(kernel.constants.begin(), kernel.constants.end(), frame + kernel.first_constant);
    kernel.frames.push_back(frame);
    u8* local = (u8*)malloc(kernel.local_bytes + 1);
    memset(local, 0xff, kernel.local_bytes);
    kernel.locals.push_back(local);
  }
}

// Bytes of no variable may not be accessed.
static void forbid_bytes_of_no_variable(Cell* cells) {
  const Kernel& kernel = *machine.kernel;
  memset((void*)cells, 0, sizeof(Cell) * (round_up(machine.shared_end, 16) / 4));
  for (u32 i = 0; i < kernel.dynamic_shared_address / 4; i++) {
    cells[i].written = FORBIDDEN;
    cells[i].writer = NO_THREAD;
  }
  for (const Variable& variable : kernel.shared) {
    for (u32 i = variable.address / 4; i < (variable.address + variable.bytes + 3) / 4; i++) {
      cells[i].written = 0;
    }
  }
}

static void lay_out_shared_memory() {
  const Kernel& kernel = *machine.kernel;
  u32 end = kernel.dynamic_shared_address + machine.launch->dynamic_shared_bytes;
  static const Kernel* laid_out;
  if (laid_out == &kernel && machine.shared_end == end) {
    return;
  }
  laid_out = &kernel;
  machine.shared_end = end;
  for (const Block& block : machine.blocks) {
    forbid_bytes_of_no_variable(block.shared_cells);
  }
}

static void set_special_registers(u64* registers, const u32* block, const u32* thread_index, u32 thread) {
  const Launch& launch = *machine.launch;
  const u32 cluster = machine.blocks.size();
  for (int k = 0; k < 3; k++) {
    const u32 size = k == 0 ? cluster : 1;
    registers[TID + k] = thread_index[k];
    registers[NTID + k] = launch.block[k];
    registers[CTAID + k] = block[k];
    registers[NCTAID + k] = launch.grid[k];
    registers[CLUSTERID + k] = block[k] / size;
    registers[NCLUSTERID + k] = launch.grid[k] / size;
    registers[CLUSTER_CTAID + k] = block[k] % size;
    registers[CLUSTER_NCTAID + k] = size;
  }
  registers[LANEID] = thread % LANES;
  registers[WARPID] = thread / LANES;
  registers[CLUSTER_CTARANK] = block[0] % cluster;
  registers[CLUSTER_NCTARANK] = cluster;
}

// first: the number of the cluster's first block in the grid.
static void start_cluster(u64 first) {
  const Launch& launch = *machine.launch;
  Clock& clock = machine.clock;
  clock.cluster_start = clock.cluster_barrier = clock.block_barrier = ++clock.now;
  u32 i = 0;
  for (Block& block : machine.blocks) {
    block.index[0] = u32(first % launch.grid[0]);
    block.index[1] = u32(first / launch.grid[0] % launch.grid[1]);
    block.index[2] = u32(first / ((u64)launch.grid[0] * launch.grid[1]));
    block.barrier = clock.now;
    block.remote_access = nullptr;
    memset(block.shared, 0xff, machine.shared_end);  // NaN
    u32 thread_index[3] = {0, 0, 0};
    for (u32 thread = 0; thread < machine.block_threads; thread++, i++) {
      machine.threads[i] = {machine.kernel->frames[i], machine.kernel->code.data(), machine.kernel->locals[i], i, 0, READY};
      set_special_registers(machine.threads[i].registers, block.index, thread_index, thread);
      for (int k = 0; k < 3 && ++thread_index[k] == launch.block[k]; k++) {
        thread_index[k] = 0;
      }
    }
    first++;
  }
  for (Warp& warp : machine.warps) {
    memset(warp.together, 0, sizeof warp.together + sizeof warp.together_mask);
  }
}

// Another block could have exited before an access that no barrier of the cluster follows.
static void check_exits() {
  for (const Block& block : machine.blocks) {
    if (block.remote_access && block.remote_stamp >= machine.clock.cluster_barrier) {
      machine.current = block.remote_thread;
      hazard(REMOTE_AFTER_EXIT, block.remote_access->line, 0, {});
    }
  }
}

// Runs a thread until it waits, and notes what for.
static void step(Thread& thread) {
  const Block& block = machine.blocks[machine.block_of(thread.index)];
  machine.use_shared_memory(block);
  machine.clock.block_barrier = block.barrier;
  thread.state = execute(thread);
  if (thread.state != IN_WARP) {
    return;
  }
  u32 lane = thread.index % LANES, lanes = std::min<u32>(LANES, machine.threads.size() - thread.index / LANES * LANES);
  u32 present = lanes == LANES ? ~0u : (1u << lanes) - 1;
  const Instruction& at = *thread.next;
  // An mma is of all lanes.
  thread.mask = at.operation == OP_MMA ? ~0u : (u32)thread.registers[at.operation == OP_WARPSYNC ? at.a : at.e];
  bool names_itself = thread.mask >> lane & 1;
  if (!names_itself || (thread.mask & ~present)) {
    hazard(SHUFFLE_MASK, thread.next->line, thread.mask, {});
  }
  if (!names_itself) {
    fault(thread.next, "membermask %08x does not name the calling lane", thread.mask);
    thread.state = FAULTED;
  }
}

static bool all_exited() {
  return std::all_of(machine.threads.begin(), machine.threads.end(), [](const Thread& thread) { return thread.state == EXITED; });
}

// Each warp as far ahead of the others as barriers let it: what no barrier protects is overwritten before another warp reads it.
static void run_cluster_in_order() {
  while (machine.failure.empty()) {
    bool progress = false;
    for (u32 warp : machine.warp_order) {
      do {
        for (u32 i : machine.warps[warp].order) {
          if (machine.threads[i].state != READY) {
            continue;
          }
          progress = true;
          step(machine.threads[i]);
          if (!machine.failure.empty()) {
            return;
          }
        }
      } while (release_group(warp));
    }
    if (progress) {
      continue;
    }
    if (all_exited()) {
      return;
    }
    release_barriers();
  }
}

// The threads that can run, in no order.
struct ReadyThreads {
  std::vector<u32> list;
  std::vector<bool> listed;

  explicit ReadyThreads(u32 threads) : listed(threads) { add(0, threads); }

  void add(u32 from, u32 to) {
    for (u32 i = from; i < to; i++) {
      if (machine.threads[i].state == READY && !listed[i]) {
        listed[i] = true;
        list.push_back(i);
      }
    }
  }

  void remove(u32 at) {
    listed[list[at]] = false;
    list[at] = list.back();
    list.pop_back();
  }

  void release_groups(u32 warp) {
    while (release_group(warp)) {
      add(warp * LANES, std::min<u32>((warp + 1) * LANES, machine.threads.size()));
    }
  }
};

// A thread that is chosen at random gets a turn of a random number of accesses.
static void run_cluster_at_random() {
  std::mt19937& random = *machine.launch->random;
  enum { SHORT_TURNS = 3, LONG_TURNS = 11, TURNS_OF_A_LENGTH = 4096 };  // turns of up to 2^3 to 2^11 accesses
  auto draw_longest = [&] { return 1u << (SHORT_TURNS + random() % (LONG_TURNS - SHORT_TURNS + 1)); };
  u32 longest = draw_longest(), turns = 0;
  while (machine.failure.empty() && !all_exited()) {
    ReadyThreads ready(machine.threads.size());
    while (!ready.list.empty()) {
      u32 at = random() % ready.list.size();
      Thread& thread = machine.threads[ready.list[at]];
      machine.budget = 1 + random() % longest;
      step(thread);
      if (!machine.failure.empty()) {
        return;
      }
      if (++turns % TURNS_OF_A_LENGTH == 0) {
        longest = draw_longest();
      }
      if (thread.state != READY) {
        ready.remove(at);
      }
      if (thread.state == IN_WARP || thread.state == EXITED) {
        ready.release_groups(thread.index / LANES);
      }
    }
    if (!all_exited()) {
      release_barriers();
    }
  }
}

static void order_threads() {
  u32 n = machine.block_threads * machine.blocks.size();
  machine.threads.resize(n);
  machine.warps.resize((n + LANES - 1) / LANES);
  machine.warp_order.clear();
  for (Warp& warp : machine.warps) {
    warp.order.clear();
  }
  for (u32 k = 0; k < n; k++) {
    u32 thread = machine.launch->order == REVERSE ? n - 1 - k : k;
    Warp& warp = machine.warps[thread / LANES];
    if (warp.order.empty()) {
      machine.warp_order.push_back(thread / LANES);
    }
    warp.order.push_back(thread);
  }
}

static std::vector<u64> order_of_clusters(const Launch& launch) {
  std::vector<u64> order((u64)launch.grid[0] * launch.grid[1] * launch.grid[2] / machine.blocks.size());
  std::iota(order.begin(), order.end(), u64(0));
  if (launch.order == REVERSE) {
    std::reverse(order.begin(), order.end());
  }
  if (launch.order == RANDOM) {
    std::shuffle(order.begin(), order.end(), *launch.random);
  }
  return order;
}

// A kernel that cannot be launched like this.
static std::string refusal(const Kernel& kernel, const Launch& launch) {
  if (machine.block_threads > kernel.max_threads) {
    return "a block of " + std::to_string(machine.block_threads) + " threads, but .maxntid is " +
           std::to_string(kernel.max_threads);
  }
  if (kernel.cluster > 1 && machine.block_threads % LANES) {
    return "blocks of a cluster that are not whole warps are not implemented";
  }
  if (launch.dynamic_shared_bytes > MAX_SHARED_BYTES - kernel.dynamic_shared_address) {
    return std::to_string(launch.dynamic_shared_bytes) + " dynamic bytes of shared memory are more than the host device has";
  }
  if (kernel.static_shared_bytes + launch.dynamic_shared_bytes > launch.max_shared_bytes) {
    return std::to_string(kernel.static_shared_bytes) + " static and " + std::to_string(launch.dynamic_shared_bytes) +
           " dynamic bytes of shared memory, but a block may have " + std::to_string(launch.max_shared_bytes);
  }
  return "";
}

Outcome run_once(Kernel& kernel, const Launch& launch) {
  machine.kernel = &kernel;
  machine.launch = &launch;
  machine.failure.clear();
  machine.illegal_access = false;
  machine.shared_bytes = false;
  machine.block_threads = launch.block[0] * launch.block[1] * launch.block[2];
  machine.budget = INT64_MAX;
  start_hazards();
  std::string refused = refusal(kernel, launch);
  if (!refused.empty()) {
    return {refused, false};
  }
  if (machine.clock.now > 0xe0000000u) {
    return {"the clock of the race detector has reached its end", false};
  }
  machine.clock.launch_start = ++machine.clock.now;
  machine.blocks.resize(kernel.cluster);
  make_shared_memory();
  make_frames(kernel, machine.block_threads * kernel.cluster);
  order_threads();
  lay_out_shared_memory();
  for (u64 cluster : order_of_clusters(launch)) {
    start_cluster(cluster * kernel.cluster);
    if (launch.order == RANDOM) {
      run_cluster_at_random();
    } else {
      run_cluster_in_order();
    }
    if (!machine.failure.empty()) {
      // The hazard may be the reason.
      std::string before = launch_has_hazards() ? "; before that: " + first_hazard() : "";
      return {machine.failure + before, machine.illegal_access};
    }
    check_exits();
    if (launch_has_hazards() && running_mutant()) {
      break;
    }
  }
  return {first_hazard(), false};
}

Outcome run(Kernel& kernel, const Launch& launch) {
  count_for_coverage(kernel);
  try_mutants(kernel, launch);
  return run_once(kernel, launch);
}

}  // namespace ptx
