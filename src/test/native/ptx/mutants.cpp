// PLUMB_HOST_DEVICE_MUTANTS=FILE: whether the detector notices a missing barrier. Before each launch the kernel runs once more
// for each of its barriers, with that barrier dropped, and for each barrier of a cluster with one of the block instead, and memory
// is put back. When the process ends, a line for each of these mutants is appended to FILE.
#include "machine.h"
#include "parser.h"
#include <set>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace ptx {

enum { MAX_TRIES = 20, MAX_LAUNCHES = 400 };  // with a barrier: where it was reached, and all

struct Mutant {
  Kernel* kernel;
  u32 at;
  Operation instead;
  u32 tries, launches;
  std::string found;

  bool is_open() const { return found.empty() && tries < MAX_TRIES && launches < MAX_LAUNCHES; }
};

static bool running;
static const char* const path_of_mutants = getenv("PLUMB_HOST_DEVICE_MUTANTS");

bool running_mutant() {
  return running;
}

static void write_mutants();

static std::vector<Mutant>& mutants() {
  static std::vector<Mutant>* only = nullptr;
  if (!only) {
    only = new std::vector<Mutant>;
    atexit(write_mutants);
  }
  return *only;
}

static void write_mutants() {
  FILE* file = fopen(path_of_mutants, "a");
  if (!file) {
    perror(path_of_mutants);
    return;
  }
  for (const Mutant& mutant : mutants()) {
    u32 line = mutant.kernel->code[mutant.at].line;
    const char* result = !mutant.found.empty() ? mutant.found.c_str() : mutant.tries ? "NOT FOUND" : "not reached";
    const char* change = mutant.instead == OP_DROPPED ? "barrier dropped" : "barrier of the cluster made one of the block";
    fprintf(file, "%s, PTX line %u%s, %s: %s (%u tries)\n", mutant.kernel->name.c_str(), line,
            source_of(*mutant.kernel, line).c_str(), change, result, mutant.tries);
  }
  fclose(file);
}

static void add_mutants(Kernel& kernel) {
  static std::set<Kernel*> added;
  if (!added.insert(&kernel).second) {
    return;
  }
  for (u32 i = 0; i < kernel.code.size(); i++) {
    bool of_cluster = kernel.code[i].operation == OP_CLUSTER_BAR;
    if (of_cluster || kernel.code[i].operation == OP_BAR) {
      mutants().push_back({&kernel, i, OP_DROPPED, 0, 0, ""});
    }
    if (of_cluster) {
      mutants().push_back({&kernel, i, OP_WEAKENED, 0, 0, ""});
    }
  }
}

struct Copy {
  uintptr_t start;
  std::vector<u8> bytes;
};

static std::vector<Copy> copy_of_memory() {
  std::vector<Copy> copies;
  uintptr_t start, end;
  for (uintptr_t at = machine.memory.arena; machine.memory.next_allocation(at, &start, &end); at = end) {
    copies.push_back({start, std::vector<u8>((u8*)start, (u8*)end)});
  }
  return copies;
}

static void try_mutant(Mutant& mutant, const Launch& launch) {
  Instruction& barrier = mutant.kernel->code[mutant.at];
  Instruction as_it_is = barrier;
  barrier.operation = mutant.instead;
  barrier.label = operation_labels()[mutant.instead];
  machine.mutant_reached = false;
  mutant.found = run_once(*mutant.kernel, launch).failure;
  barrier.operation = as_it_is.operation;
  barrier.label = as_it_is.label;
  mutant.launches++;
  mutant.tries += machine.mutant_reached;
}

void try_mutants(Kernel& kernel, const Launch& launch) {
  if (!path_of_mutants || !*path_of_mutants) {
    return;
  }
  add_mutants(kernel);
  bool any = false;
  for (const Mutant& mutant : mutants()) {
    any |= mutant.kernel == &kernel && mutant.is_open();
  }
  if (!any) {
    return;
  }
  std::vector<Copy> before = copy_of_memory();
  std::mt19937 random = *launch.random;
  running = true;
  for (Mutant& mutant : mutants()) {
    if (mutant.kernel != &kernel || !mutant.is_open()) {
      continue;
    }
    try_mutant(mutant, launch);
    for (const Copy& copy : before) {
      memcpy((void*)copy.start, copy.bytes.data(), copy.bytes.size());
    }
    *launch.random = random;
  }
  running = false;
}

}  // namespace ptx
