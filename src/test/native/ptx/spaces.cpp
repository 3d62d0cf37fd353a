// Accesses of any space, also of other blocks' shared memory: where generic addresses and those of a cluster lead.
#include "accesses.h"

namespace ptx {

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
  return window == SHARED_WINDOW ? SHARED_CLUSTER : LOCAL;
}

// For one access the machine's shared memory is that of the block that an address of the cluster's shared memory names.
class Aim {
 public:
  Aim(u64* address, const Instruction* instruction) : own(machine.blocks[machine.block_of(machine.current)]) {
    u32 rank = (u32)*address >> RANK_SHIFT;
    if (!rank || rank > machine.blocks.size()) {
      return;  // the own block's, or out of bounds
    }
    *address &= (1u << RANK_SHIFT) - 1;
    Block& block = machine.blocks[rank - 1];
    machine.use_shared_memory(block);
    if (&block == &own) {
      return;
    }
    if (machine.clock.cluster_barrier == machine.clock.cluster_start) {
      hazard(REMOTE_BEFORE_START, instruction->line, *address, {});
    }
    block.remote_access = instruction;
    block.remote_stamp = machine.clock.now;
    block.remote_thread = machine.current;
  }
  ~Aim() { machine.use_shared_memory(own); }

 private:
  const Block& own;
};

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
  if (space == SHARED_CLUSTER) {
    Aim aim(&address, instruction);
    return load_from(SHARED, address, n, instruction, thread);
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
  if (space == SHARED_CLUSTER) {
    Aim aim(&address, instruction);
    return store_to(SHARED, address, n, instruction, thread, value);
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

u8* atomic_at(u64 address, const Instruction* instruction) {
  const u32 n = instruction->bytes;
  u32 space = space_of(instruction->space, &address);
  bool shared = space == SHARED || space == SHARED_CLUSTER;
  Cell* cell;
  if (shared) {
    if (address % n || address + n > machine.shared_end) {
      shared_is_illegal((u32)address, n, instruction, "atomic access");
      return nullptr;
    }
    cell = &machine.shared_cells[address >> 2];
    if (machine.shared_bytes) {
      check_shared_bytes(address, n, instruction, true);
    }
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

bool may_map(u64 address, u64 window, u32 rank, const Instruction* instruction) {
  if ((address & WINDOW_MASK) != window) {
    illegal(instruction, "mapa of an address that is not in shared memory");
    return false;
  }
  if (rank >= machine.blocks.size()) {
    illegal(instruction, "mapa of rank %u in a cluster of %zu blocks", rank, machine.blocks.size());
    return false;
  }
  return true;
}

}  // namespace ptx
