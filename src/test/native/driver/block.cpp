// One block's threads, each on a fiber (a stack of its own that is left and entered by longjmp), with __syncthreads,
// shuffles and ballots.
//
// A thread runs until it waits. Warp after warp runs ahead of all others, through its warp primitives, until a barrier
// stops it: what no barrier protects is then overwritten before another warp has read it. When no warp can go on, the
// barrier is released; what then still waits, waits for ever on a GPU too, and is reported. Threads that never wait
// share one fiber.
#include "block.h"
#include "state.h"
#include <algorithm>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

extern "C" {
__attribute__((visibility("default"))) host_thread* host_device_thread;
__attribute__((visibility("default"))) unsigned char* host_device_dynamic_shared;
}

namespace host_device {

enum Waiting { NOT_STARTED, RUNNING, AT_BARRIER, IN_WARP, EXITED };
enum { LANES = 32, STACK_BYTES = 128 << 10 };

struct Fiber {
  ucontext_t start;
  jmp_buf resume;
  char* stack;
  bool parked;          // done with its last block: resumed, it takes the next thread
};

struct Thread {
  host_thread indices;
  Waiting state;
  Fiber* fiber;
  int line;             // of the barrier where it waits
  unsigned mask;        // the lanes that it waits for
  unsigned took_part;   // the lanes of the released group
  int group;            // where that group's values are: its lowest lane
};

struct Warp {
  uint64_t deposited[LANES];
  uint64_t released[LANES][LANES];   // by group
  std::vector<int> order;            // of its threads
};

static std::vector<Thread> threads;
static std::vector<int> order;
static std::vector<Warp> warps;
static std::vector<int> warp_order;
static std::vector<Fiber*> fibers;
static size_t next_in_order, fibers_used;
static int running, living;
static const host_kernel* kernel_now;
static void* const* arguments_now;
static jmp_buf scheduler;
static Fiber* starting;
static char failure_text[300];
static const char* failure;
static unsigned char* shared_start;
static size_t shared_bytes;
static size_t dynamic_bytes;

void shared_memory_is(unsigned char* start, size_t bytes) {
  shared_start = start;
  shared_bytes = bytes;
}

// No kernel asks for more, on no card.
static const size_t MOST_DYNAMIC_BYTES = size_t(1) << 20;
static const size_t OUT_OF_BOUNDS = size_t(16) << 20;
enum { RED_ZONE = 256, ROUNDING = 16 };   // rounding: what the memory is aligned to, so what may lie behind its end
static const unsigned char RED = 0xa5;
static unsigned char* dynamic_end;

void dynamic_shared_memory_is(size_t bytes) {
  if (!dynamic_end && bytes) {
    auto* start = (unsigned char*)mmap(nullptr, MOST_DYNAMIC_BYTES + OUT_OF_BOUNDS, PROT_NONE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(start, MOST_DYNAMIC_BYTES, PROT_READ | PROT_WRITE);
    dynamic_end = start + MOST_DYNAMIC_BYTES;
  }
  dynamic_bytes = bytes;
  host_device_dynamic_shared = bytes ? dynamic_end - (bytes + ROUNDING - 1) / ROUNDING * ROUNDING : nullptr;
}

bool explain_dynamic_shared_fault(uintptr_t address, const char* what) {
  uintptr_t start = (uintptr_t)host_device_dynamic_shared, end = (uintptr_t)dynamic_end;
  if (!dynamic_bytes || address < end || address >= end + OUT_OF_BOUNDS) {
    return false;
  }
  report("%s: access at byte offset %zu of dynamic shared memory, which has %zu bytes", what, (size_t)(address - start), dynamic_bytes);
  return true;
}

static void poison_dynamic_shared_memory() {
  if (dynamic_bytes) {
    memset(host_device_dynamic_shared - RED_ZONE, RED, RED_ZONE);
    memset(host_device_dynamic_shared, 0xff, dynamic_bytes);
    memset(host_device_dynamic_shared + dynamic_bytes, RED, -dynamic_bytes % ROUNDING);
  }
}

static bool all_red(const unsigned char* from, size_t bytes) {
  return std::all_of(from, from + bytes, [](unsigned char byte) { return byte == RED; });
}

const char* dynamic_shared_memory_overrun() {
  if (!dynamic_bytes) {
    return nullptr;
  }
  if (!all_red(host_device_dynamic_shared - RED_ZONE, RED_ZONE)) {
    return "wrote before the start of its dynamic shared memory";
  }
  return all_red(host_device_dynamic_shared + dynamic_bytes, -dynamic_bytes % ROUNDING)
             ? nullptr : "wrote past the end of its dynamic shared memory";
}

static void __attribute__((format(printf, 1, 2))) fail(const char* format, ...) {
  if (failure) {
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure_text, sizeof failure_text, format, arguments);
  va_end(arguments);
  failure = failure_text;
}

static void wait_for_scheduler() {
  if (!_setjmp(threads[running].fiber->resume)) {
    _longjmp(scheduler, 1);
  }
  host_device_thread = &threads[running].indices;
}

static void fiber_main() {
  Fiber* self = starting;
  for (;;) {
    while (next_in_order < order.size() && !failure) {
      running = order[next_in_order++];
      threads[running].fiber = self;
      threads[running].state = RUNNING;
      host_device_thread = &threads[running].indices;
      kernel_now->call(arguments_now);
      threads[running].state = EXITED;
      living--;
    }
    self->parked = true;
    if (!_setjmp(self->resume)) {
      _longjmp(scheduler, 1);
    }
  }
}

static void start_fiber() {
  if (fibers_used == fibers.size()) {
    Fiber* fiber = new Fiber();
    fiber->stack = (char*)mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(fiber->stack, 4096, PROT_NONE);
    fibers.push_back(fiber);
  }
  Fiber* fiber = fibers[fibers_used++];
  if (fiber->parked) {
    // Much of the time goes into starting: getcontext and setcontext are system calls, this is none.
    fiber->parked = false;
    if (!_setjmp(scheduler)) {
      _longjmp(fiber->resume, 1);
    }
    return;
  }
  getcontext(&fiber->start);
  fiber->start.uc_stack.ss_sp = fiber->stack;
  fiber->start.uc_stack.ss_size = STACK_BYTES;
  fiber->start.uc_link = nullptr;
  makecontext(&fiber->start, fiber_main, 0);
  starting = fiber;
  if (!_setjmp(scheduler)) {
    setcontext(&fiber->start);
  }
}

static void resume(int thread) {
  running = thread;
  if (!_setjmp(scheduler)) {
    _longjmp(threads[thread].fiber->resume, 1);
  }
}

// Releases one group of lanes whose named lanes have all arrived or exited.
static bool release_group(int warp) {
  int first = warp * LANES, lanes = std::min<int>(LANES, (int)threads.size() - first);
  for (int lane = 0; lane < lanes; lane++) {
    Thread& thread = threads[first + lane];
    if (thread.state != IN_WARP) {
      continue;
    }
    bool complete = true;
    unsigned arrived = 0;
    for (int k = 0; k < lanes; k++) {
      if (thread.mask >> k & 1) {
        Thread& other = threads[first + k];
        if (other.state == IN_WARP && other.mask == thread.mask) {
          arrived |= 1u << k;
        } else if (other.state != EXITED) {
          complete = false;
        }
      }
    }
    if (!complete) {
      continue;
    }
    memcpy(warps[warp].released[lane], warps[warp].deposited, sizeof warps[warp].deposited);
    for (int k = 0; k < lanes; k++) {
      if (arrived >> k & 1) {
        Thread& other = threads[first + k];
        other.state = RUNNING;
        other.group = lane;
        other.took_part = arrived;
      }
    }
    return true;
  }
  return false;
}

static void deposit_and_wait(unsigned mask, uint64_t bits) {
  Thread& thread = threads[running];
  int lane = running % LANES;
  if (!(mask >> lane & 1)) {
    fail("warp primitive: the mask %08x does not name the calling lane %d", mask, lane);
  }
  warps[running / LANES].deposited[lane] = bits;
  thread.mask = mask;
  thread.state = IN_WARP;
  wait_for_scheduler();
}

// Nothing can run and no group is complete: every thread waits at one barrier, or the block hangs on a GPU.
static void release_barrier(host_uint3 block) {
  int at_barrier = 0, in_warp = 0, line = 0;
  bool mixed = false;
  for (Thread& thread : threads) {
    if (thread.state == AT_BARRIER) {
      mixed |= at_barrier && thread.line != line;
      at_barrier++;
      line = thread.line;
    } else if (thread.state == IN_WARP) {
      in_warp++;
    }
  }
  int all = (int)threads.size();
  if (mixed) {
    fail("threads of block (%u,%u,%u) wait at different __syncthreads (line %d and another)", block.x, block.y, block.z,
         line);
  } else if (in_warp) {
    fail("deadlock: %d threads wait in a warp primitive for lanes that never come (%d at __syncthreads, %d exited)",
         in_warp, at_barrier, all - living);
  } else if (at_barrier != all) {
    fail("divergent __syncthreads (line %d): %d of %d threads reach it, the others have exited", line, at_barrier, all);
  } else {
    for (Thread& thread : threads) {
      thread.state = RUNNING;
    }
  }
}

static void lay_out(host_uint3 block, host_uint3 grid_size, host_uint3 block_size) {
  size_t n = (size_t)block_size.x * block_size.y * block_size.z;
  threads.resize(n);
  order.resize(n);
  warps.resize((n + LANES - 1) / LANES);
  for (size_t i = 0; i < n; i++) {
    host_uint3 index = {unsigned(i % block_size.x), unsigned(i / block_size.x % block_size.y),
                        unsigned(i / ((size_t)block_size.x * block_size.y))};
    threads[i] = {{index, block, block_size, grid_size}, NOT_STARTED, nullptr, 0, 0, 0, 0};
    order[i] = (int)(state().settings.order == REVERSE ? n - 1 - i : i);
  }
  if (state().settings.order == RANDOM) {
    std::shuffle(order.begin(), order.end(), state().settings.random);
  }
  warp_order.clear();
  for (Warp& warp : warps) {
    warp.order.clear();
  }
  for (int thread : order) {
    Warp& warp = warps[thread / LANES];
    if (warp.order.empty()) {
      warp_order.push_back(thread / LANES);
    }
    warp.order.push_back(thread);
  }
}

// Runs a warp until each of its threads waits for another warp; false if none could run.
static bool run_warp(int warp) {
  bool progress = false;
  do {
    for (int thread : warps[warp].order) {
      if (threads[thread].state == RUNNING && !failure) {
        progress = true;
        resume(thread);
      }
    }
  } while (!failure && release_group(warp));
  return progress;
}

const char* run_block(const host_kernel& kernel, void* const* arguments, host_uint3 block, host_uint3 grid_size,
                      host_uint3 block_size) {
  kernel_now = &kernel;
  arguments_now = arguments;
  failure = nullptr;
  next_in_order = fibers_used = 0;
  lay_out(block, grid_size, block_size);
  living = (int)threads.size();
  if (shared_bytes) {
    memset(shared_start, 0xff, shared_bytes);   // NaN in both precisions
  }
  poison_dynamic_shared_memory();
  while (living > 0 && !failure) {
    if (next_in_order < order.size()) {
      start_fiber();
      continue;
    }
    bool progress = false;
    for (size_t i = 0; i < warp_order.size() && !failure; i++) {
      progress |= run_warp(warp_order[i]);
    }
    if (!progress && !failure) {
      release_barrier(block);
    }
  }
  return failure;
}

}  // namespace host_device

using namespace host_device;

EXPORTED void host_device_barrier(int line) {
  threads[running].state = AT_BARRIER;
  threads[running].line = line;
  wait_for_scheduler();
}

EXPORTED uint64_t host_device_shuffle(unsigned mask, uint64_t bits, int source, int argument, int width) {
  int self = running, lane = self % LANES, first = lane & ~(width - 1), from = lane;
  deposit_and_wait(mask, bits);
  switch (source) {
    case 0:
      from = first + (argument & (width - 1));
      break;
    case 1:
      from = lane - argument >= first ? lane - argument : lane;
      break;
    case 2:
      from = lane + argument < first + width ? lane + argument : lane;
      break;
    default:
      from = (lane ^ argument) < first + width ? lane ^ argument : lane;
  }
  // The value of a lane that takes no part is undefined on a GPU: NaN here.
  return threads[self].took_part >> from & 1 ? warps[self / LANES].released[threads[self].group][from] : ~uint64_t(0);
}

EXPORTED unsigned host_device_ballot(unsigned mask, int predicate) {
  int self = running;
  deposit_and_wait(mask, predicate != 0);
  unsigned result = 0;
  for (int k = 0; k < LANES; k++) {
    if (threads[self].took_part >> k & 1) {
      result |= (unsigned)warps[self / LANES].released[threads[self].group][k] << k;
    }
  }
  return result;
}
