// The diagnoses of hazards and faults.
#include "machine.h"
#include <stdarg.h>
#include <stdio.h>

namespace ptx {

static const char* const NAMES[HAZARDS] = {
    "race in shared memory",
    "race in global memory within a block",
    "race between blocks of a cluster",
    "race between blocks",
    "read of global memory that was never written",
    "ld.global.nc of memory that the launch writes",
    "barrier that threads have exited from",
    "bar.sync in a diverged warp",
    "barrier.cluster in a diverged warp",
    "access to the shared memory of a block that may not have begun",
    "access to the shared memory of a block that may have exited",
    "shuffle from a lane that takes no part",
    "membermask that names missing lanes or excludes the caller",
    "shuffle of lanes at different places",
    "integer division by zero",
    "operand of mma that is not in TF32 format",
};

static bool found;
static std::string first;

void start_hazards() {
  found = false;
  first.clear();
}

bool launch_has_hazards() {
  return found;
}

const std::string& first_hazard() {
  return first;
}

static std::string place(u32 line) {
  return "PTX line " + std::to_string(line) + source_of(*machine.kernel, line);
}

static std::string thread_and_block(u32 thread) {
  char text[100];
  const u32* block = machine.blocks[machine.block_of(thread)].index;
  snprintf(text, sizeof text, "thread %u of block (%u,%u,%u)", thread % machine.block_threads, block[0], block[1], block[2]);
  return text;
}

void __attribute__((noinline)) hazard(Hazard kind, u32 line, u64 address, Other other) {
  if (found) {
    return;
  }
  found = true;
  first = std::string(NAMES[kind]) + ", " + place(line) + ", " + thread_and_block(machine.current);
  if (address) {
    char text[100];
    snprintf(text, sizeof text, ", address 0x%llx", (unsigned long long)address);
    first += text;
  }
  if (other.line) {
    first += std::string("; ") + other.what + " " + place(other.line) + " by " +
             (other.thread == NO_THREAD ? "an atomic operation"
              : kind == RACE_CLUSTER    ? thread_and_block(other.thread)
                                        : "thread " + std::to_string(other.thread % machine.block_threads));
  }
}

static void stop(const Instruction* instruction, const char* format, va_list arguments) {
  if (!machine.failure.empty()) {
    return;
  }
  char what[300];
  vsnprintf(what, sizeof what, format, arguments);
  machine.failure = std::string(what) + ", " + place(instruction->line) + ", " + thread_and_block(machine.current);
}

void __attribute__((noinline)) fault(const Instruction* instruction, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  stop(instruction, format, arguments);
  va_end(arguments);
}

void __attribute__((noinline)) illegal(const Instruction* instruction, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  stop(instruction, format, arguments);
  va_end(arguments);
  machine.illegal_access = true;
}

}  // namespace ptx
