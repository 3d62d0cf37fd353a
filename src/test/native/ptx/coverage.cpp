// PLUMB_HOST_DEVICE_COVERAGE=FILE: when the process ends, a line "KERNEL PTX_LINE 0|1" for each instruction is appended to FILE,
// with 1 where it was executed.
#include "machine.h"
#include <set>
#include <stdio.h>
#include <stdlib.h>

namespace ptx {

static const char* const path_of_coverage = getenv("PLUMB_HOST_DEVICE_COVERAGE");

// Follows the branches that were taken.
static std::vector<bool> executed_instructions(const Kernel& kernel) {
  std::vector<bool> executed(kernel.code.size(), false);
  std::vector<u32> starts{0};
  while (!starts.empty()) {
    u32 i = starts.back();
    starts.pop_back();
    while (i < kernel.code.size() && !executed[i]) {
      const Instruction& instruction = kernel.code[i];
      executed[i] = true;
      bool goes_on = true;
      switch (instruction.operation) {
        case OP_RET:
        case OP_END:
        case OP_TRAP:
          goes_on = false;
          break;
        case OP_BRA:
          starts.push_back((u32)instruction.immediate);
          goes_on = false;
          break;
        case OP_BRX:
          for (u32 n = 0; n < instruction.b; n++) {
            starts.push_back((u32)kernel.code[instruction.immediate + n].immediate);
          }
          goes_on = false;
          break;
        case OP_BRA_IF:
        case OP_BRA_UNLESS:
          if (instruction.taken) {
            starts.push_back((u32)instruction.immediate);
          }
          goes_on = instruction.not_taken;
      }
      if (!goes_on) {
        break;
      }
      i++;
    }
  }
  return executed;
}

static std::set<Kernel*>& kernels_run() {
  static auto* only = new std::set<Kernel*>;
  return *only;
}

static void write_coverage() {
  FILE* file = fopen(path_of_coverage, "a");
  if (!file) {
    perror(path_of_coverage);
    return;
  }
  for (const Kernel* kernel : kernels_run()) {
    std::vector<bool> executed = executed_instructions(*kernel);
    for (u32 i = 0; i < executed.size(); i++) {
      if (kernel->code[i].line) {
        fprintf(file, "%s %u %d\n", kernel->name.c_str(), kernel->code[i].line, (int)executed[i]);
      }
    }
  }
  fclose(file);
}

void count_for_coverage(Kernel& kernel) {
  if (!path_of_coverage || !*path_of_coverage) {
    return;
  }
  if (kernels_run().empty()) {
    atexit(write_coverage);
  }
  kernels_run().insert(&kernel);
}

}  // namespace ptx
