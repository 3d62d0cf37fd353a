// A PTX interpreter. parse() decodes a module; run() executes a launch thread by thread and checks every memory access. Only the driver
// (driver/) uses it; nothing here depends on the driver.
#pragma once
#include <map>
#include <memory>
#include <random>
#include <stddef.h>
#include <stdint.h>
#include <string>
#include <vector>

namespace ptx {

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

static inline u64 round_up(u64 n, u64 multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// A decoded instruction. Operands are slots of a thread's frame, 8 bytes each: registers, special registers, constants.
struct Instruction {
  const void* label;  // address of the interpreter's code for it
  u32 d, a, b, c, e;
  u32 line;       // in the PTX
  i64 immediate;  // offset of an address, target of a branch, rounding mode
  u16 operation;
  u8 bytes, count, space, kind;  // of memory accesses
  u8 taken, not_taken;           // of branches: happened in this process
};

// The operands of an mma, which has more of them than Instruction can hold.
enum { INSTRUCTIONS_OF_MMA = 3 };

enum Space { GENERIC, SHARED, SHARED_CLUSTER, GLOBAL, GLOBAL_NC, LOCAL, PARAMETER, CONSTANT };
enum ElementKind { UNSIGNED, SIGNED, FLOATING };

// Slots of the special registers. A result that nothing reads goes to SINK.
enum { TID = 0, NTID = 3, CTAID = 6, NCTAID = 9, LANEID = 12, WARPID = 13, SINK = 14 };
enum { CLUSTER_CTARANK = 15, CLUSTER_NCTARANK = 16, CLUSTERID = 17, NCLUSTERID = 20, CLUSTER_CTAID = 23, CLUSTER_NCTAID = 26 };
enum { FIRST_REGISTER = 32 };

// Windows of generic addresses, in their upper 16 bits. Global addresses are addresses of this process.
static const u64 SHARED_WINDOW = u64(0x5afe) << 48, LOCAL_WINDOW = u64(0x10ca) << 48, WINDOW_MASK = u64(0xffff) << 48;

// An address in shared memory has above this bit the rank of its block in the cluster plus 1, or 0 for the own block.
enum { RANK_SHIFT = 28, MAX_CLUSTER = 8 };

// The first KiB of shared memory is the driver's, as on GPUs from compute capability 8.0 on.
enum { SHARED_BASE = 1024 };

struct Parameter {
  u32 word;  // of its first 8 bytes among all parameters'
  u32 bytes;
  bool pointer;  // to global memory, as far as the code shows
};

struct Variable {
  std::string name;
  u32 address, bytes;
};

struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  std::vector<u64> constants;
  u32 first_constant = 0, slots = 0;  // of a frame
  std::vector<Parameter> parameters;
  std::vector<Variable> shared;  // static
  u32 static_shared_bytes = 0, dynamic_shared_address = SHARED_BASE;
  u32 local_bytes = 0;
  u32 max_threads = 1024;
  u32 cluster = 1;  // blocks of a cluster, which are neighbors along x
  std::vector<u64*> frames;  // by thread; constants are set
  std::vector<u8*> locals;
  ~Kernel();
};

struct Module {
  std::map<std::string, std::shared_ptr<Kernel>> kernels;
  std::vector<std::unique_ptr<u64[]>> globals;  // .global and .const
};

// Decodes a module. Returns null, with the reason, where the PTX uses what the interpreter does not implement. contract: whether
// mul and add without a rounding mode become one fma, as ptxas makes them.
std::shared_ptr<Module> parse(const std::string& text, bool contract, std::string& error);

// The source line that a PTX line comes from, as " (file:line)", or nothing where it is not known.
std::string source_of(const Kernel& kernel, u32 line);

// Reads the source lines of kernels: a line with a kernel's name, then "PTX_LINE FILE:LINE" where the source line changes.
void read_source_lines(const std::string& path);

// Where global memory is, and how to find an allocation.
struct GlobalMemory {
  uintptr_t arena = 0, arena_end = 0;
  // The allocation that contains the address; false where there is none.
  bool (*allocation)(uintptr_t address, uintptr_t* start, uintptr_t* end) = nullptr;
  // The first allocation at or after the address.
  bool (*next_allocation)(uintptr_t address, uintptr_t* start, uintptr_t* end) = nullptr;
  // Where an address is that is in no allocation.
  std::string (*describe)(uintptr_t address) = nullptr;
};
void set_global_memory(const GlobalMemory& memory);
void forget_global_memory(uintptr_t start, uintptr_t end);

enum Order { FORWARD, REVERSE, RANDOM };

struct Launch {
  u32 grid[3], block[3];
  u32 dynamic_shared_bytes;
  u32 max_shared_bytes;  // static and dynamic ones of a block
  const u64* parameters;
  Order order;
  std::mt19937* random;
  double approximation;  // maximum error of ex2, lg2 and rcp.approx, in units of 2^-22
};

// The result of a launch: empty where it succeeded.
struct Outcome {
  std::string failure;
  bool illegal_access = false;  // the failure is an access outside of all memory, or a misaligned one
};

// Runs a launch. An illegal access ends it at once, a hazard fails it when it has ended.
Outcome run(Kernel& kernel, const Launch& launch);

}  // namespace ptx
