// Checked accesses to shared and global memory. Each returns the address of the bytes, or null after a fault.
#pragma once
#include "machine.h"
#include <stdlib.h>
#include <string.h>

#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace ptx {

void check_shared_read(Cell* cell, u32 address, const Instruction* instruction);
void check_shared_write(Cell* cell, u32 address, const Instruction* instruction, bool same);
void check_global_read(Cell* cell, uintptr_t address, const Instruction* instruction);
void check_global_write(Cell* cell, uintptr_t address, const Instruction* instruction, bool same);
void check_shared_bytes(u32 address, u32 n, const Instruction* instruction, bool write);
void check_bytes(Page* page, uintptr_t address, u32 n, const Instruction* instruction, bool write);
void check_integers_written(uintptr_t address, const Instruction* instruction);
void check_atomic(Cell* cell, u64 address, const Instruction* instruction, bool shared);
void shared_is_illegal(u32 address, u32 n, const Instruction* instruction, const char* what);

// The page of an access that is allowed. Null where it is not, or where it is to a module's own variable (then module_variable).
Page* find_page(uintptr_t address, u32 n, const Instruction* instruction, const char* what, bool* module_variable);

// Returns whether the bytes belong to a module's own variable.
bool in_module_variable(uintptr_t address, u32 n);

// Any space, up to 16 bytes.
u8* load_from(u32 space, u64 address, u32 n, const Instruction* instruction, Thread& thread);
u8* store_to(u32 space, u64 address, u32 n, const Instruction* instruction, Thread& thread, const void* value);
u8* atomic_at(u64 address, const Instruction* instruction);

// Returns whether mapa may map a shared-memory address to the block with that rank.
bool may_map(u64 address, u64 window, u32 rank, const Instruction* instruction);

// Remembers the last reader, before another one, where it is in another block of the cluster.
void note_mate(Cell* cell);

// Records a read by the current thread. Of earlier readers, one of another warp is kept, because no warp barrier orders it.
static ALWAYS_INLINE void note_reader(Cell* cell) {
  const u16 me = (u16)machine.current;
  if (UNLIKELY(machine.blocks.size() > 1)) {
    note_mate(cell);
  }
  if (cell->read < machine.clock.block_barrier) {
    cell->reader = cell->earlier_reader = me;
  } else if (cell->reader != me) {
    bool other_warp = cell->earlier_reader / LANES != me / LANES && cell->reader / LANES == me / LANES;
    if (!other_warp || cell->earlier_reader == cell->reader) {
      cell->earlier_reader = cell->reader;
      cell->read_earlier = cell->read;
    }
    cell->reader = me;
  }
  cell->read = machine.clock.now;
}

// Returns false after a fault. record: false for the words of accesses of less than 4 bytes, which are recorded by bytes.
static ALWAYS_INLINE bool shared_read_cell(Cell* cell, u32 address, const Instruction* instruction, bool record) {
  const Clock& clock = machine.clock;
  bool others_wrote = cell->written >= clock.cluster_barrier && cell->writer != (u16)machine.current;
  if (UNLIKELY(cell->written < clock.cluster_start || others_wrote)) {
    check_shared_read(cell, address, instruction);
    if (!machine.failure.empty()) {
      return false;
    }
  }
  if (record) {
    note_reader(cell);
    cell->read_line = instruction->line;
  }
  return true;
}

template <u32 N>
static ALWAYS_INLINE u8* shared_load(u32 address, const Instruction* instruction) {
  if (UNLIKELY((address & (N - 1)) || address + N > machine.shared_end || address + N < N)) {
    shared_is_illegal(address, N, instruction, "read");
    return nullptr;
  }
  Cell* cell = &machine.shared_cells[address >> 2];
  for (u32 i = 0; i < (N + 3) / 4; i++) {
    if (UNLIKELY(!shared_read_cell(cell + i, address + 4 * i, instruction, N >= 4))) {
      return nullptr;
    }
  }
  if (N < 4) {
    machine.shared_bytes = true;
    for (u32 i = 0; i < N; i++) {
      shared_read_cell(&machine.shared_byte_cells[address + i], address + i, instruction, true);
    }
  } else if (UNLIKELY(machine.shared_bytes)) {
    check_shared_bytes(address, N, instruction, false);
  }
  return machine.shared + address;
}

// Whether word i of a value of N bytes is in memory already.
template <u32 N>
static ALWAYS_INLINE bool is_same(const void* memory, const void* value, u32 i) {
  return !memcmp((const u8*)memory + 4 * i, (const u8*)value + 4 * i, N < 4 ? N : 4);
}

// Returns false after a fault.
static ALWAYS_INLINE bool shared_write_cell(Cell* cell, u32 address, const Instruction* instruction, bool same, bool record) {
  const Clock& clock = machine.clock;
  const u16 me = (u16)machine.current;
  bool others_wrote = cell->written >= clock.cluster_barrier && cell->writer != me;
  bool others_read = cell->read >= clock.cluster_barrier && (cell->reader != me || cell->earlier_reader != me);
  if (UNLIKELY(others_wrote || others_read || cell->read_by_mate >= clock.cluster_barrier)) {
    check_shared_write(cell, address, instruction, same);
    if (!machine.failure.empty()) {
      return false;
    }
  }
  if (record) {
    cell->written = clock.now;
    cell->writer = me;
    cell->write_line = instruction->line;
  }
  return true;
}

template <u32 N>
static ALWAYS_INLINE u8* shared_store(u32 address, const Instruction* instruction, const void* value) {
  if (UNLIKELY((address & (N - 1)) || address + N > machine.shared_end || address + N < N)) {
    shared_is_illegal(address, N, instruction, "write");
    return nullptr;
  }
  Cell* cell = &machine.shared_cells[address >> 2];
  for (u32 i = 0; i < (N + 3) / 4; i++) {
    bool same = is_same<N>(machine.shared + address, value, i);
    if (UNLIKELY(!shared_write_cell(cell + i, address + 4 * i, instruction, same, N >= 4))) {
      return nullptr;
    }
  }
  if (N < 4) {
    machine.shared_bytes = true;
    bool same = is_same<N>(machine.shared + address, value, 0);
    for (u32 i = 0; i < N; i++) {
      shared_write_cell(&machine.shared_byte_cells[address + i], address + i, instruction, same, true);
    }
  } else if (UNLIKELY(machine.shared_bytes)) {
    check_shared_bytes(address, N, instruction, true);
  }
  return machine.shared + address;
}

static ALWAYS_INLINE void global_read_cell(Cell* cell, uintptr_t address, const Instruction* instruction) {
  const Clock& clock = machine.clock;
  const u16 me = (u16)machine.current;
  bool nc = instruction->space == GLOBAL_NC;
  if (UNLIKELY(cell->written >= clock.launch_start && (nc || cell->writer != me || cell->written < clock.cluster_start))) {
    check_global_read(cell, address, instruction);
  }
  if (cell->read >= clock.launch_start && cell->read < clock.cluster_start) {
    cell->read_elsewhere = cell->read;
  }
  note_reader(cell);
  cell->read_line = instruction->line;
  if (nc) {
    cell->read_nc = clock.now;
  }
}

static ALWAYS_INLINE void global_write_cell(Cell* cell, uintptr_t address, const Instruction* instruction, bool same) {
  u32 start = machine.clock.launch_start;
  if (UNLIKELY(cell->written >= start || cell->read >= start || cell->read_nc >= start)) {
    check_global_write(cell, address, instruction, same);
  }
  cell->written = machine.clock.now;
  cell->writer = (u16)machine.current;
  cell->write_line = instruction->line;
}

static ALWAYS_INLINE Page* page_of(uintptr_t address, u32 n, const Instruction* instruction, const char* what,
                                   bool* module_variable) {
  const GlobalMemory& memory = machine.memory;
  if (UNLIKELY((address & (n - 1)) || address < memory.arena || address >= memory.arena_end)) {
    return find_page(address, n, instruction, what, module_variable);
  }
  Page* page = &machine.pages[(address - memory.arena) >> PAGE_BITS];
  bool inside = address >= page->start && address + n <= page->end;
  return UNLIKELY(!inside) ? find_page(address, n, instruction, what, module_variable) : page;
}

static ALWAYS_INLINE Cell* cells_of_bytes(Page* page) {
  if (!page->bytes) {
    page->bytes = (Cell*)calloc(PAGE_BYTES, sizeof(Cell));
  }
  return page->bytes;
}

// Detects memory that a kernel reads as a number before it was written: the host device fills fresh memory with one bits. Numbers
// are floats, 2 bytes (bfloat16), and vectors of 4 integers (floats, or 8 bfloat16 numbers, that a kernel takes apart by bits).
static ALWAYS_INLINE void check_written(uintptr_t address, const Instruction* instruction) {
  if (instruction->kind != FLOATING) {
    if (UNLIKELY(instruction->bytes == 2 || (instruction->bytes == 4 && instruction->count == 4))) {
      check_integers_written(address, instruction);
    }
    return;
  }
  for (u32 i = 0; i < instruction->count; i++, address += instruction->bytes) {
    bool unwritten = instruction->bytes == 4 ? *(u32*)address == ~u32(0) : instruction->bytes == 8 && *(u64*)address == ~u64(0);
    if (UNLIKELY(unwritten)) {
      hazard(UNWRITTEN_GLOBAL, instruction->line, address, {});
    }
  }
}

template <u32 N>
static ALWAYS_INLINE u8* global_load(uintptr_t address, const Instruction* instruction) {
  bool module_variable = false;
  Page* page = page_of(address, N, instruction, "read", &module_variable);
  if (UNLIKELY(!page)) {
    return module_variable ? (u8*)address : nullptr;
  }
  Cell* cell = &page->cells[(address >> 2) & (PAGE_BYTES / 4 - 1)];
  if (N < 4) {
    Cell* bytes = cells_of_bytes(page);
    bool own = cell->writer == machine.current && cell->written >= machine.clock.cluster_start;
    if (cell->written >= machine.clock.launch_start && (!own || instruction->space == GLOBAL_NC)) {
      check_global_read(cell, address, instruction);
    }
    for (u32 i = 0; i < N; i++) {
      global_read_cell(&bytes[(address + i) & (PAGE_BYTES - 1)], address + i, instruction);
    }
    check_written(address, instruction);
    return (u8*)address;
  }
  for (u32 i = 0; i < N / 4; i++) {
    global_read_cell(cell + i, address + 4 * i, instruction);
  }
  if (UNLIKELY(page->bytes)) {
    check_bytes(page, address, N, instruction, false);
  }
  check_written(address, instruction);
  return (u8*)address;
}

template <u32 N>
static ALWAYS_INLINE u8* global_store(uintptr_t address, const Instruction* instruction, const void* value) {
  bool module_variable = false;
  Page* page = page_of(address, N, instruction, "write", &module_variable);
  if (UNLIKELY(!page)) {
    return module_variable ? (u8*)address : nullptr;
  }
  Cell* cell = &page->cells[(address >> 2) & (PAGE_BYTES / 4 - 1)];
  if (N < 4) {
    bool same = is_same<N>((void*)address, value, 0);
    Cell* bytes = cells_of_bytes(page);
    check_global_write(cell, address, instruction, same);
    for (u32 i = 0; i < N; i++) {
      global_write_cell(&bytes[(address + i) & (PAGE_BYTES - 1)], address + i, instruction, same);
    }
    return (u8*)address;
  }
  for (u32 i = 0; i < N / 4; i++) {
    global_write_cell(cell + i, address + 4 * i, instruction, is_same<N>((void*)address, value, i));
  }
  if (UNLIKELY(page->bytes)) {
    check_bytes(page, address, N, instruction, true);
  }
  return (u8*)address;
}

}  // namespace ptx
