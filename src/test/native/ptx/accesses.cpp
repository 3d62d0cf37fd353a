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

// Whether another thread of this block wrote since the last barrier.
static bool races_with_write(const Cell* cell) {
  return cell->written >= machine.clock.block_barrier && cell->writer != machine.current &&
         !ordered_in_warp(cell->writer, cell->written);
}

// Whether another thread of this block read since the last barrier, and which.
static bool races_with_read(const Cell* cell, u32* other) {
  if (cell->read < machine.clock.block_barrier) {
    return false;
  }
  *other = cell->reader;
  if (cell->reader != machine.current && !ordered_in_warp(cell->reader, cell->read)) {
    return true;
  }
  *other = cell->earlier_reader;
  return cell->earlier_reader != machine.current && cell->earlier_reader != cell->reader &&
         !ordered_in_warp(cell->earlier_reader, cell->read_earlier);
}

static Other writer_of(const Cell* cell, const char* what) {
  return {cell->write_line, cell->writer, what};
}

void __attribute__((noinline)) shared_is_illegal(u32 address, u32 n, const Instruction* instruction, const char* what) {
  if (address & (n - 1)) {
    illegal(instruction, "misaligned %s of %u bytes of shared memory at byte %u", what, n, address);
  } else {
    illegal(instruction, "%s at byte offset %d of dynamic shared memory, which has %u bytes", what,
            (int)(address - machine.kernel->dynamic_shared_address), machine.launch->dynamic_shared_bytes);
  }
}

void __attribute__((noinline)) check_shared_read(Cell* cell, u32 address, const Instruction* instruction) {
  if (cell->written == FORBIDDEN) {
    illegal(instruction, "access to byte %u of shared memory, outside of all variables", address);
  } else if (races_with_write(cell)) {
    hazard(RACE_SHARED, instruction->line, address, writer_of(cell, "written at"));
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
    hazard(RACE_SHARED, instruction->line, address, writer_of(cell, "written at"));
  }
  if (races_with_read(cell, &other)) {
    hazard(RACE_SHARED, instruction->line, address, {cell->read_line, other, "read at"});
  }
}

void __attribute__((noinline)) check_global_read(Cell* cell, uintptr_t address, const Instruction* instruction) {
  const Clock& clock = machine.clock;
  if (cell->written < clock.launch_start) {
    return;
  }
  if (cell->written < clock.block_start) {
    hazard(RACE_BLOCKS, instruction->line, address, writer_of(cell, "written in another block at"));
  } else if (races_with_write(cell)) {
    hazard(RACE_GLOBAL, instruction->line, address, writer_of(cell, "written at"));
  }
  if (instruction->space == GLOBAL_NC) {
    hazard(NC_WRITTEN, instruction->line, address, writer_of(cell, "written at"));
  }
}

void __attribute__((noinline)) check_global_write(Cell* cell, uintptr_t address, const Instruction* instruction, bool same) {
  const Clock& clock = machine.clock;
  if (cell->written >= clock.launch_start && !same) {
    if (cell->written < clock.block_start) {
      hazard(RACE_BLOCKS, instruction->line, address, writer_of(cell, "written in another block at"));
    } else if (races_with_write(cell)) {
      hazard(RACE_GLOBAL, instruction->line, address, writer_of(cell, "written at"));
    }
  }
  u32 other;
  if (cell->read >= clock.launch_start && !same) {
    if (cell->read < clock.block_start || cell->read_elsewhere >= clock.launch_start) {
      hazard(RACE_BLOCKS, instruction->line, address, {cell->read_line, cell->reader, "read in another block at"});
    } else if (races_with_read(cell, &other)) {
      hazard(RACE_GLOBAL, instruction->line, address, {cell->read_line, other, "read at"});
    }
  }
  if (cell->read_nc >= clock.launch_start) {
    hazard(NC_WRITTEN, instruction->line, address, {cell->read_line, cell->reader, "read by ld.global.nc at"});
  }
}

// For words of which single bytes were accessed.
void __attribute__((noinline)) check_bytes(Page* page, uintptr_t address, u32 n, const Instruction* instruction, bool write) {
  const Clock& clock = machine.clock;
  for (u32 i = 0; i < n; i++) {
    Cell* cell = &page->bytes[(address + i) & (PAGE_BYTES - 1)];
    bool own = cell->writer == machine.current && cell->written >= clock.block_start;
    if (write) {
      check_global_write(cell, address + i, instruction, false);
    } else if (cell->written >= clock.launch_start && !own) {
      check_global_read(cell, address + i, instruction);
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

static bool in_module_variable(uintptr_t address, u32 n) {
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
  if (!machine.shared) {
    machine.shared = (u8*)map(MAX_SHARED_BYTES);
    machine.shared_cells = (Cell*)map(MAX_SHARED_BYTES / 4 * sizeof(Cell));
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

// Resolves a generic address.
static u32 space_of(u32 space, u64* address) {
  if (space != GENERIC) {
    return space;
  }
  u64 window = *address & WINDOW_MASK;
  if (window != SHARED_WINDOW && window != LOCAL_WINDOW) {
    return GLOBAL;
  }
  *address = (u32)*address;
  return window == SHARED_WINDOW ? SHARED : LOCAL;
}

static u8* local_at(u64 address, u32 n, const Instruction* instruction, Thread& thread) {
  u32 bytes = machine.kernel->local_bytes;
  if (address % n == 0 && address < bytes && n <= bytes - address) {
    return thread.local + address;
  }
  illegal(instruction, "access to %u bytes of local memory at %llu of %u", n, (unsigned long long)address,
          machine.kernel->local_bytes);
  return nullptr;
}

static u8* constant_at(u64 address, u32 n, const Instruction* instruction) {
  if (address % n == 0 && in_module_variable(address, n)) {
    return (u8*)address;
  }
  illegal(instruction, "access to %u bytes of constant memory outside of all variables", n);
  return nullptr;
}

u8* load_from(u32 space, u64 address, u32 n, const Instruction* instruction, Thread& thread) {
  space = space_of(space, &address);
  if (space == LOCAL) {
    return local_at(address, n, instruction, thread);
  }
  if (space == CONSTANT) {
    return constant_at(address, n, instruction);
  }
  bool shared = space == SHARED;
  switch (n) {
    case 1:
      return shared ? shared_load<1>(address, instruction) : global_load<1>(address, instruction);
    case 2:
      return shared ? shared_load<2>(address, instruction) : global_load<2>(address, instruction);
    case 4:
      return shared ? shared_load<4>(address, instruction) : global_load<4>(address, instruction);
    case 8:
      return shared ? shared_load<8>(address, instruction) : global_load<8>(address, instruction);
    default:
      return shared ? shared_load<16>(address, instruction) : global_load<16>(address, instruction);
  }
}

u8* store_to(u32 space, u64 address, u32 n, const Instruction* instruction, Thread& thread, const void* value) {
  space = space_of(space, &address);
  if (space == LOCAL) {
    return local_at(address, n, instruction, thread);
  }
  if (space == CONSTANT) {
    illegal(instruction, "write to constant memory");
    return nullptr;
  }
  bool shared = space == SHARED;
  switch (n) {
    case 1:
      return shared ? shared_store<1>(address, instruction, value) : global_store<1>(address, instruction, value);
    case 2:
      return shared ? shared_store<2>(address, instruction, value) : global_store<2>(address, instruction, value);
    case 4:
      return shared ? shared_store<4>(address, instruction, value) : global_store<4>(address, instruction, value);
    case 8:
      return shared ? shared_store<8>(address, instruction, value) : global_store<8>(address, instruction, value);
    default:
      return shared ? shared_store<16>(address, instruction, value) : global_store<16>(address, instruction, value);
  }
}

// Atomic accesses do not race with each other: they leave NO_THREAD as the writer.
static void check_atomic(Cell* cell, u64 address, const Instruction* instruction, bool shared) {
  const Clock& clock = machine.clock;
  const Hazard kind = shared ? RACE_SHARED : RACE_GLOBAL;
  u32 since = shared ? clock.block_start : clock.launch_start;
  if (cell->written >= since && cell->writer != NO_THREAD && (cell->written < clock.block_start || races_with_write(cell))) {
    hazard(kind, instruction->line, address, writer_of(cell, "without an atomic operation written at"));
  }
  u32 other;
  bool read_in_other_block = cell->read >= since && (cell->read < clock.block_start || cell->read_elsewhere >= since);
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

u8* atomic_at(u64 address, const Instruction* instruction) {
  const u32 n = instruction->bytes;
  bool shared = space_of(instruction->space, &address) == SHARED;
  Cell* cell;
  if (shared) {
    if (address % n || address + n > machine.shared_end) {
      shared_is_illegal((u32)address, n, instruction, "atomic access");
      return nullptr;
    }
    cell = &machine.shared_cells[address >> 2];
  } else {
    bool module_variable = false;
    Page* page = page_of(address, n, instruction, "atomic access", &module_variable);
    if (!page) {
      return module_variable ? (u8*)address : nullptr;
    }
    cell = &page->cells[(address >> 2) & (PAGE_BYTES / 4 - 1)];
    if (page->bytes) {
      check_bytes(page, address, n, instruction, true);
    }
  }
  for (u32 i = 0; i < n / 4; i++) {
    if (shared && cell[i].written == FORBIDDEN) {
      illegal(instruction, "atomic access to byte %u of shared memory, outside of all variables", (u32)address + 4 * i);
      return nullptr;
    }
    check_atomic(&cell[i], address + 4 * i, instruction, shared);
  }
  return shared ? machine.shared + address : (u8*)address;
}

}  // namespace ptx
