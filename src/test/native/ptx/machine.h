// The state of a running launch: its threads, its memory, and the cells of the race detector.
//
// Every 4 bytes of shared and of global memory have a cell that remembers who read and wrote them last. Accesses of less than
// 4 bytes are recorded in cells of single bytes instead, because threads may write the halves of a word; each access is
// compared with both. Stamps are readings of one clock, which advances at the start of each cluster, at each barrier and at
// each warp barrier. A block without a cluster is a cluster of its own. Clusters run one after another, and the threads of a
// cluster in turns. A barrier stops the whole block or cluster, so "before the last barrier of this block" is "stamp <
// block_barrier", "before the last barrier of this cluster" is "stamp < cluster_barrier", and "by another cluster of this
// launch" is "launch_start <= stamp < cluster_start". Shuffles order no accesses: the PTX ISA gives memory ordering to
// bar.warp.sync and not to shfl.sync.
#pragma once
#include "operations.h"
#include "ptx.h"

namespace ptx {

enum { LANES = 32 };
enum : u16 { NO_THREAD = 0xffff };

struct Cell {
  u32 written, read;   // stamps of the last ones
  u32 read_earlier;    // stamp of the earlier reader's last read
  u16 writer, reader;  // the threads
  u16 earlier_reader;  // another reader since the last barrier, or the same where there is none
  u16 mate_reader;     // a reader in another block of the cluster than the last reader's
  u32 write_line, read_line;
  u32 read_by_mate;    // stamp of the mate's last read
  u32 read_elsewhere;  // stamp of the last read by another cluster than the last reader's
  u32 read_nc;         // stamp of the last ld.global.nc
};

enum { MAX_SHARED_BYTES = 512 << 10 };

// The stamp of a write to shared memory that no variable has.
static const u32 FORBIDDEN = 0xffffffffu;

struct Page {
  Cell* cells;           // one per 4 bytes
  Cell* bytes;           // one per byte, if there were accesses of less than 4 bytes
  uintptr_t start, end;  // of the allocation
};
enum { PAGE_BITS = 12, PAGE_BYTES = 1 << PAGE_BITS };

// block_barrier: of the block whose thread runs.
struct Clock {
  u32 now = 1, block_barrier = 1, cluster_barrier = 1, cluster_start = 1, launch_start = 1;
};

enum ThreadState : u8 { READY, AT_BARRIER, AT_CLUSTER_BARRIER, IN_WARP, EXITED, FAULTED };

struct Thread {
  u64* registers;
  const Instruction* next;
  u8* local;
  u32 index, mask;
  ThreadState state;
};

struct Warp {
  u32 together[LANES];  // stamp of the last warp barrier that this lane took part in
  u32 together_mask[LANES];
  std::vector<u32> order;  // of its threads
};

// A block of the cluster that runs. Shared memory and its cells start at address 0.
struct Block {
  u32 index[3];  // in the grid
  u32 barrier;   // stamp of its last barrier
  u8* shared;
  Cell* shared_cells;
  Cell* shared_byte_cells;
  // The last access to its shared memory by another block.
  const Instruction* remote_access;
  u32 remote_stamp, remote_thread;
};

struct Machine {
  Clock clock;
  Kernel* kernel;
  const Launch* launch;
  std::vector<Block> blocks;
  std::vector<Thread> threads;  // of all blocks of the cluster
  std::vector<Warp> warps;
  std::vector<u32> warp_order;
  u32 block_threads;
  u32 current;  // the thread that runs
  i64 budget;   // accesses to memory that remain in its turn
  u8* shared;   // of the block whose thread runs
  Cell* shared_cells;
  Cell* shared_byte_cells;
  bool shared_bytes;  // whether the launch made accesses of less than 4 bytes of shared memory
  u32 shared_end;

  // Makes a block's shared memory that of the machine.
  void use_shared_memory(const Block& block) {
    shared = block.shared;
    shared_cells = block.shared_cells;
    shared_byte_cells = block.shared_byte_cells;
  }
  GlobalMemory memory;
  Page* pages;
  std::string failure;  // ends the launch at once
  bool illegal_access;
  bool mutant_reached;  // whether a dropped barrier would have been executed

  u32 block_of(u32 thread) const { return thread / block_threads; }
  bool is_mate(u32 thread) const { return blocks.size() > 1 && block_of(thread) != block_of(current); }
};
extern Machine machine;

// Not among them, because they are defined: the same value written by several threads, and one barrier that warps reach at
// different places. Unwritten shared memory is NaN, so that its use shows in the results: kernels read padding whose sums they
// drop.
enum Hazard {
  RACE_SHARED,
  RACE_GLOBAL,
  RACE_CLUSTER,
  RACE_BLOCKS,
  UNWRITTEN_GLOBAL,
  NC_WRITTEN,
  EXITED_AT_BARRIER,
  DIVERGED_BARRIER,
  DIVERGED_CLUSTER_BARRIER,
  REMOTE_BEFORE_START,
  REMOTE_AFTER_EXIT,
  SHUFFLE_INACTIVE,
  SHUFFLE_MASK,
  SHUFFLE_PLACES,
  DIVIDE_BY_ZERO,
  NOT_TF32,
  HAZARDS
};

// The other side of a hazard.
struct Other {
  u32 line;
  u32 thread;
  const char* what;
};

// Hazards fail the launch when it ends. A fault ends it at once.
void hazard(Hazard kind, u32 line, u64 address, Other other);
void fault(const Instruction* instruction, const char* format, ...) __attribute__((format(printf, 2, 3)));
void illegal(const Instruction* instruction, const char* format, ...) __attribute__((format(printf, 2, 3)));
void start_hazards();
bool launch_has_hazards();
const std::string& first_hazard();

// Runs a thread until it waits, exits or faults, or until its turn is over.
ThreadState execute(Thread& thread);

// Resumes a group of lanes that has arrived at a shuffle, a vote or a warp barrier.
bool release_group(u32 warp);

// Executes an mma that all lanes of a warp have reached.
void multiply_matrices(Thread* lanes);

// Called when every thread waits or has exited: releases the barriers of blocks, or else that of the cluster, or reports a deadlock.
void release_barriers();

// Maps the memory of shared memory and of its cells, once, and gives the blocks of the cluster their parts.
void make_shared_memory();

Outcome run_once(Kernel& kernel, const Launch& launch);

// For PLUMB_HOST_DEVICE_MUTANTS and PLUMB_HOST_DEVICE_COVERAGE.
void try_mutants(Kernel& kernel, const Launch& launch);
bool running_mutant();
void count_for_coverage(Kernel& kernel);

}  // namespace ptx
