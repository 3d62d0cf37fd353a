// The checks that few accesses need: who else accessed the same bytes, and was there a barrier between the two.
#include "accesses.h"
#include <stdio.h>
#include <sys/mman.h>

namespace ptx {

// Whether a warp barrier lies between an access of that stamp by the other thread and the current thread.
static bool ordered_in_warp(u32 other, u32 stamp) {
  u32 me = machine.current;
  if (other == NO_THREAD || other / LANES != me / LANES) {
    return false;
  }
  const Warp& warp = machine.warps[me / LANES];
  return warp.together[me % LANES] > stamp && (warp.together_mask[me % LANES] >> (other % LANES) & 1);
}

void __attribute__((noinline)) note_mate(Cell* cell) {
  if (cell->read >= machine.clock.cluster_barrier && machine.is_mate(cell->reader)) {
    cell->read_by_mate = cell->read;
    cell->mate_reader = cell->reader;
  }
}

// Whether another thread of this cluster wrote since the last barrier of both.
static bool races_with_write(const Cell* cell) {
  u32 barrier = machine.is_mate(cell->writer) ? machine.clock.cluster_barrier : machine.clock.block_barrier;
  return cell->written >= barrier && cell->writer != machine.current && !ordered_in_warp(cell->writer, cell->written);
}

// Whether a thread of another block of this cluster read since the last barrier of the cluster, and which.
static bool races_with_read_by_mate(const Cell* cell, u32* other) {
  bool last = machine.is_mate(cell->reader);
  *other = last ? cell->reader : cell->mate_reader;
  return machine.blocks.size() > 1 && (last ? cell->read : cell->read_by_mate) >= machine.clock.cluster_barrier;
}

// Whether another thread of this cluster read since the last barrier of both, and which.
static bool races_with_read(const Cell* cell, u32* other) {
  if (races_with_read_by_mate(cell, other)) {
    return true;
  }
  if (machine.is_mate(cell->reader) || cell->read < machine.clock.block_barrier) {
    return false;
  }
  *other = cell->reader;
  if (cell->reader != machine.current && !ordered_in_warp(cell->reader, cell->read)) {
    return true;
  }
  *other = cell->earlier_reader;
  return cell->earlier_reader != machine.current && cell->earlier_reader != cell->reader &&
         !machine.is_mate(cell->earlier_reader) && cell->read_earlier >= machine.clock.block_barrier &&
         !ordered_in_warp(cell->earlier_reader, cell->read_earlier);
}

static Other writer_of(const Cell* cell, const char* what) {
  return {cell->write_line, cell->writer, what};
}

// A race of a kind, or between blocks of the cluster where the other thread is in another one.
static void race(Hazard kind, const Instruction* instruction, u64 address, Other other) {
  hazard(machine.is_mate(other.thread) ? RACE_CLUSTER : kind, instruction->line, address, other);
}

void __attribute__((noinline)) shared_is_illegal(u32 address, u32 n, const Instruction* instruction, const char* what) {
  if (address & (n - 1)) {
    illegal(instruction, "misaligned %s of %u bytes of shared memory at byte %u", what, n, address);
  } else if (address >> RANK_SHIFT) {
    illegal(instruction, "%s by an address of another block's shared memory, without .shared::cluster", what);
  } else {
    illegal(instruction, "%s at byte offset %d of dynamic shared memory, which has %u bytes", what,
            (int)(address - machine.kernel->dynamic_shared_address), machine.launch->dynamic_shared_bytes);
  }
}

void __attribute__((noinline)) check_shared_read(Cell* cell, u32 address, const Instruction* instruction) {
  if (cell->written == FORBIDDEN) {
    illegal(instruction, "access to byte %u of shared memory, outside of all variables", address);
  } else if (races_with_write(cell)) {
    race(RACE_SHARED, instruction, address, writer_of(cell, "written at"));
  }
}

void __attribute__((noinline)) check_shared_write(Cell* cell, u32 address, const Instruction* instruction, bool same) {
  if (cell->written == FORBIDDEN) {
    illegal(instruction, "write to byte %u of shared memory, outside of all variables", address);
    return;
  }
  if (same) {
    return;
  }
  u32 other;
  if (races_with_write(cell)) {
    race(RACE_SHARED, instruction, address, writer_of(cell, "written at"));
  }
  if (races_with_read(cell, &other)) {
    race(RACE_SHARED, instruction, address, {cell->read_line, other, "read at"});
  }
}

void __attribute__((noinline)) check_global_read(Cell* cell, uintptr_t address, const Instruction* instruction) {
  const Clock& clock = machine.clock;
  if (cell->written < clock.launch_start) {
    return;
  }
  if (cell->written < clock.cluster_start) {
    hazard(RACE_BLOCKS, instruction->line, address, writer_of(cell, "written in another block at"));
  } else if (races_with_write(cell)) {
    race(RACE_GLOBAL, instruction, address, writer_of(cell, "written at"));
  }
  if (instruction->space == GLOBAL_NC) {
    hazard(NC_WRITTEN, instruction->line, address, writer_of(cell, "written at"));
  }
}

void __attribute__((noinline)) check_global_write(Cell* cell, uintptr_t address, const Instruction* instruction, bool same) {
  const Clock& clock = machine.clock;
  if (cell->written >= clock.launch_start && !same) {
    if (cell->written < clock.cluster_start) {
      hazard(RACE_BLOCKS, instruction->line, address, writer_of(cell, "written in another block at"));
    } else if (races_with_write(cell)) {
      race(RACE_GLOBAL, instruction, address, writer_of(cell, "written at"));
    }
  }
  u32 other;
  if (cell->read >= clock.launch_start && !same) {
    if (cell->read < clock.cluster_start || cell->read_elsewhere >= clock.launch_start) {
      hazard(RACE_BLOCKS, instruction->line, address, {cell->read_line, cell->reader, "read in another block at"});
    } else if (races_with_read(cell, &other)) {
      race(RACE_GLOBAL, instruction, address, {cell->read_line, other, "read at"});
    }
  }
  if (cell->read_nc >= clock.launch_start) {
    hazard(NC_WRITTEN, instruction->line, address, {cell->read_line, cell->reader, "read by ld.global.nc at"});
  }
}

// For words of which single bytes were accessed.
void __attribute__((noinline)) check_shared_bytes(u32 address, u32 n, const Instruction* instruction, bool write) {
  for (u32 i = 0; i < n; i++) {
    Cell* cell = &machine.shared_byte_cells[address + i];
    if (write) {
      check_shared_write(cell, address + i, instruction, false);
    } else {
      check_shared_read(cell, address + i, instruction);
    }
  }
}

void __attribute__((noinline)) check_bytes(Page* page, uintptr_t address, u32 n, const Instruction* instruction, bool write) {
  const Clock& clock = machine.clock;
  for (u32 i = 0; i < n; i++) {
    Cell* cell = &page->bytes[(address + i) & (PAGE_BYTES - 1)];
    bool own = cell->writer == machine.current && cell->written >= clock.cluster_start;
    if (write) {
      check_global_write(cell, address + i, instruction, false);
    } else if (cell->written >= clock.launch_start && !own) {
      check_global_read(cell, address + i, instruction);
    }
  }
}

void __attribute__((noinline)) check_integers_written(uintptr_t address, const Instruction* instruction) {
  for (u32 i = 0; i < instruction->count; i++, address += instruction->bytes) {
    if (instruction->bytes == 2 ? *(u16*)address == u16(~0) : *(u32*)address == ~u32(0)) {
      hazard(UNWRITTEN_GLOBAL, instruction->line, address, {});
    }
  }
}

static std::vector<std::pair<uintptr_t, uintptr_t>>& module_variables() {
  static auto* only = new std::vector<std::pair<uintptr_t, uintptr_t>>;
  return *only;
}

void allow_module_variable(uintptr_t start, uintptr_t end) {
  module_variables().push_back({start, end});
}

bool in_module_variable(uintptr_t address, u32 n) {
  for (auto& variable : module_variables()) {
    if (address >= variable.first && address + n <= variable.second) {
      return true;
    }
  }
  return false;
}

Page* __attribute__((noinline)) find_page(uintptr_t address, u32 n, const Instruction* instruction, const char* what,
                                          bool* module_variable) {
  const GlobalMemory& memory = machine.memory;
  if (address & (n - 1)) {
    illegal(instruction, "misaligned %s of %u bytes of global memory at 0x%llx", what, n, (unsigned long long)address);
    return nullptr;
  }
  if (address < memory.arena || address >= memory.arena_end) {
    *module_variable = in_module_variable(address, n);
    if (!*module_variable) {
      illegal(instruction, "%s of %u bytes at 0x%llx, which is not global memory", what, n, (unsigned long long)address);
    }
    return nullptr;
  }
  Page* page = &machine.pages[(address - memory.arena) >> PAGE_BITS];
  uintptr_t start, end;
  if (!page->cells && memory.allocation(address, &start, &end)) {
    page->start = start;
    page->end = end;
    page->cells = (Cell*)calloc(PAGE_BYTES / 4, sizeof(Cell));
  }
  if (page->cells && address >= page->start && address + n <= page->end) {
    return page;
  }
  illegal(instruction, "%s of %u bytes: %s", what, n, memory.describe(address).c_str());
  return nullptr;
}

static void* map(size_t bytes) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    perror("host device: no memory for the race detector");
    abort();
  }
  return mapped;
}

void set_global_memory(const GlobalMemory& memory) {
  machine.memory = memory;
  machine.pages = (Page*)map(((memory.arena_end - memory.arena) >> PAGE_BITS) * sizeof(Page));
}

void make_shared_memory() {
  static u8* const memory = (u8*)map(MAX_CLUSTER * MAX_SHARED_BYTES);
  static Cell* const cells = (Cell*)map(MAX_CLUSTER * (MAX_SHARED_BYTES / 4) * sizeof(Cell));
  static Cell* const byte_cells = (Cell*)map(MAX_CLUSTER * MAX_SHARED_BYTES * sizeof(Cell));
  for (u32 rank = 0; rank < machine.blocks.size(); rank++) {
    machine.blocks[rank].shared = memory + rank * MAX_SHARED_BYTES;
    machine.blocks[rank].shared_cells = cells + rank * (MAX_SHARED_BYTES / 4);
    machine.blocks[rank].shared_byte_cells = byte_cells + rank * MAX_SHARED_BYTES;
  }
}

void forget_global_memory(uintptr_t start, uintptr_t end) {
  if (!machine.pages) {
    return;
  }
  for (uintptr_t page = (start - machine.memory.arena) >> PAGE_BITS; page <= (end - 1 - machine.memory.arena) >> PAGE_BITS;
       page++) {
    free(machine.pages[page].cells);
    free(machine.pages[page].bytes);
    machine.pages[page] = Page();
  }
}

// Atomic accesses do not race with each other: they leave NO_THREAD as the writer.
void check_atomic(Cell* cell, u64 address, const Instruction* instruction, bool shared) {
  const Clock& clock = machine.clock;
  const Hazard kind = shared ? RACE_SHARED : RACE_GLOBAL;
  u32 since = shared ? clock.cluster_start : clock.launch_start;
  if (cell->written >= since && cell->writer != NO_THREAD && (cell->written < clock.cluster_start || races_with_write(cell))) {
    hazard(kind, instruction->line, address, writer_of(cell, "without an atomic operation written at"));
  }
  u32 other;
  bool read_in_other_block = cell->read >= since && (cell->read < clock.cluster_start || cell->read_elsewhere >= since);
  if (read_in_other_block) {
    hazard(RACE_BLOCKS, instruction->line, address, {cell->read_line, cell->reader, "read in another block at"});
  } else if (races_with_read(cell, &other)) {
    hazard(kind, instruction->line, address, {cell->read_line, other, "read at"});
  }
  // Its own plain write still has to be compared with others' accesses.
  if (cell->written < clock.block_barrier || cell->writer != machine.current) {
    cell->written = clock.now;
    cell->writer = NO_THREAD;
    cell->write_line = instruction->line;
  }
}

}  // namespace ptx
