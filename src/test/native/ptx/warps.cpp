// Where threads wait for each other: shuffles, votes and warp barriers of a warp's lanes, barriers of a block, and of a cluster.
#include "machine.h"
#include <algorithm>

namespace ptx {

static u32 lanes_of(u32 first) {
  return std::min<u32>(LANES, machine.threads.size() - first);
}

// A group of lanes that has come together for one instruction.
struct Group {
  u32 first;  // thread of lane 0
  u32 lanes;  // a bit for each
  u64 values[LANES];
  u32 votes;

  bool contains(u32 lane) const { return lanes >> lane & 1; }
};

// PTX ISA, shfl.sync: c has the clamp in bits 0 to 4 and the mask of segments in bits 8 to 12.
static void shuffle(Thread& thread, const Group& group, u32 lane) {
  const Instruction& instruction = *thread.next;
  u32 b = (u32)thread.registers[instruction.b] & 31, c = (u32)thread.registers[instruction.c];
  u32 clamp = c & 31, segment = c >> 8 & 31;
  int limit = (int)((lane & segment) | (clamp & ~segment));
  int source;
  bool inside;
  enum { UP, DOWN, BUTTERFLY };
  switch (instruction.kind) {
    case UP:
      source = (int)lane - (int)b;
      inside = source >= limit;
      break;
    case DOWN:
      source = (int)(lane + b);
      inside = source <= limit;
      break;
    case BUTTERFLY:
      source = (int)(lane ^ b);
      inside = source <= limit;
      break;
    default:
      source = (int)((lane & segment) | (b & ~segment));
      inside = source <= limit;
  }
  if (!inside) {
    source = (int)lane;
  }
  u64 value = 0xffffffffu;
  if (group.contains(source)) {
    value = (u32)group.values[source];
  } else {
    machine.current = thread.index;
    hazard(SHUFFLE_INACTIVE, instruction.line, 0, {instruction.line, group.first + source, "called, without that lane, at"});
  }
  thread.registers[instruction.immediate] = inside;
  thread.registers[instruction.d] = value;
}

static void vote(Thread& thread, const Group& group) {
  const Instruction& instruction = *thread.next;
  u32 yes = group.votes & group.lanes;
  enum { ALL, ANY, UNIFORM };
  u64& result = thread.registers[instruction.d];
  switch (instruction.kind) {
    case ALL:
      result = yes == group.lanes;
      break;
    case ANY:
      result = yes != 0;
      break;
    case UNIFORM:
      result = yes == 0 || yes == group.lanes;
      break;
    default:
      result = yes;
  }
}

static void release(Group& group) {
  const u32 lanes = lanes_of(group.first);
  const Instruction* instruction = nullptr;
  group.votes = 0;
  for (u32 lane = 0; lane < lanes; lane++) {
    if (!group.contains(lane)) {
      continue;
    }
    Thread& thread = machine.threads[group.first + lane];
    if (!instruction) {
      instruction = thread.next;
    }
    u64 value = group.values[lane] = thread.registers[thread.next->a];
    group.votes |= (u32)((value & 1) ^ thread.next->bytes) << lane;
    if (thread.next != instruction) {
      machine.current = thread.index;
      hazard(SHUFFLE_PLACES, thread.next->line, 0, {instruction->line, group.first, "other lanes are at"});
    }
  }
  if (instruction->operation == OP_WARPSYNC) {
    machine.clock.now++;
  } else if (instruction->operation == OP_MMA) {
    if (group.lanes != ~0u) {
      fault(instruction, "mma that some lanes of the warp do not reach");
      for (u32 lane = 0; lane < lanes; lane++) {
        if (group.contains(lane)) {
          machine.threads[group.first + lane].state = FAULTED;
        }
      }
      return;
    }
    multiply_matrices(&machine.threads[group.first]);
  }
  for (u32 lane = 0; lane < lanes; lane++) {
    if (!group.contains(lane)) {
      continue;
    }
    Thread& thread = machine.threads[group.first + lane];
    if (thread.next->operation == OP_MMA) {
      thread.next += INSTRUCTIONS_OF_MMA - 1;
    } else if (thread.next->operation == OP_SHFL) {
      shuffle(thread, group, lane);
    } else if (thread.next->operation == OP_VOTE) {
      vote(thread, group);
    } else {
      Warp& warp = machine.warps[group.first / LANES];
      warp.together[lane] = machine.clock.now;
      warp.together_mask[lane] = group.lanes;
    }
    thread.next++;
    thread.state = READY;
  }
}

// Whether all lanes that a waiting thread names wait with it or have exited; which wait goes to group.lanes.
static bool is_complete(const Thread& thread, Group& group) {
  for (u32 lane = 0; lane < lanes_of(group.first); lane++) {
    const Thread& other = machine.threads[group.first + lane];
    if (!(thread.mask >> lane & 1) || other.state == EXITED) {
      continue;
    }
    if (other.state != IN_WARP || other.mask != thread.mask || other.next->operation != thread.next->operation) {
      return false;
    }
    group.lanes |= 1u << lane;
  }
  return true;
}

bool release_group(u32 warp) {
  const u32 first = warp * LANES;
  const Thread* incomplete = nullptr;
  for (u32 lane = 0; lane < lanes_of(first); lane++) {
    const Thread& thread = machine.threads[first + lane];
    if (thread.state != IN_WARP) {
      continue;
    }
    // Usually all lanes wait for the same.
    if (incomplete && incomplete->mask == thread.mask && incomplete->next->operation == thread.next->operation) {
      continue;
    }
    Group group;
    group.first = first;
    group.lanes = 0;
    if (is_complete(thread, group)) {
      release(group);
      return true;
    }
    incomplete = &thread;
  }
  return false;
}

// All lanes of a warp must wait at one place. Warps may wait at different ones, and lanes at a cluster's barrier without
// .aligned.
static void check_places(u32 begin, u32 end) {
  for (u32 first = begin; first < end; first += LANES) {
    const Instruction* of_warp = nullptr;
    for (u32 i = first; i < first + lanes_of(first); i++) {
      Thread& thread = machine.threads[i];
      bool of_cluster = thread.state == AT_CLUSTER_BARRIER;
      if (thread.state != AT_BARRIER && !(of_cluster && thread.next->kind)) {
        continue;
      }
      machine.current = i;
      if (of_warp && thread.next != of_warp) {
        hazard(of_cluster ? DIVERGED_CLUSTER_BARRIER : DIVERGED_BARRIER, thread.next->line, 0,
               {of_warp->line, first, "other lanes wait at"});
      }
      of_warp = thread.next;
    }
  }
}

// Describes what the threads of a block wait for when none of them can run.
struct Waiting {
  u32 at_barrier = 0, at_cluster_barrier = 0, in_warp = 0, exited = 0;
  const Thread* last = nullptr;  // at a barrier
};

// Counts an arrival, and stops the launch if no barrier of the block or of the cluster can ever release its threads.
static Waiting waiting_in(u32 begin, u32 end) {
  Waiting found;
  const Thread* lane = nullptr;
  bool several_numbers = false;
  for (u32 i = begin; i < end; i++) {
    const Thread& thread = machine.threads[i];
    found.exited += thread.state == EXITED;
    found.at_cluster_barrier += thread.state == AT_CLUSTER_BARRIER;
    if (thread.state == IN_WARP) {
      lane = lane ? lane : &thread;
      found.in_warp++;
    }
    if (thread.state != AT_BARRIER) {
      continue;
    }
    machine.current = i;
    if (thread.next->count && (u32)thread.registers[thread.next->b] != machine.block_threads) {
      fault(thread.next, "a barrier of a part of the block is not implemented");
    }
    several_numbers |= found.last && (u32)found.last->registers[found.last->next->a] != (u32)thread.registers[thread.next->a];
    found.last = &thread;
    found.at_barrier++;
  }
  if (several_numbers) {
    fault(found.last->next, "deadlock: threads wait at barriers of different numbers");
  }
  if (lane) {
    machine.current = lane->index;
    fault(lane->next,
          "deadlock: %u threads wait in a warp instruction for lanes that never come, %u at a barrier, %u have exited",
          found.in_warp, found.at_barrier + found.at_cluster_barrier, found.exited);
  }
  if (found.at_barrier && found.at_cluster_barrier) {
    machine.current = found.last->index;
    fault(found.last->next, "deadlock: %u threads wait at a barrier of their block, and %u at one of the cluster",
          found.at_barrier, found.at_cluster_barrier);
  }
  return found;
}

// Resumes the threads that wait at a barrier of this kind.
static void release(ThreadState barrier, u32 begin, u32 end, bool exited) {
  check_places(begin, end);
  for (u32 i = begin; i < end; i++) {
    Thread& thread = machine.threads[i];
    if (thread.state != barrier) {
      continue;
    }
    if (exited) {
      machine.current = i;
      hazard(EXITED_AT_BARRIER, thread.next->line, 0, {});
    }
    thread.next++;
    thread.state = READY;
  }
}

void release_barriers() {
  const u32 threads = machine.block_threads;
  u32 exited = 0, released = 0;
  for (u32 rank = 0; rank < machine.blocks.size(); rank++) {
    Waiting waiting = waiting_in(rank * threads, (rank + 1) * threads);
    if (!machine.failure.empty()) {
      return;
    }
    exited += waiting.exited;
    if (waiting.at_barrier) {
      machine.blocks[rank].barrier = ++machine.clock.now;
      release(AT_BARRIER, rank * threads, (rank + 1) * threads, waiting.exited);
      released++;
    }
  }
  if (released == 0) {
    machine.clock.cluster_barrier = ++machine.clock.now;
    for (Block& block : machine.blocks) {
      block.barrier = machine.clock.now;
    }
    release(AT_CLUSTER_BARRIER, 0, machine.threads.size(), exited);
  }
  if (machine.blocks.size() == 1) {
    machine.clock.block_barrier = machine.clock.cluster_barrier = machine.blocks[0].barrier;
  }
}

}  // namespace ptx
