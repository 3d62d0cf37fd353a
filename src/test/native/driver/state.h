// The state of the host device: its settings, the objects of the driver's handles, and the lock that guards all of them.
#pragma once
#include "../ptx/ptx.h"
#include "codes.h"
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace host_device {

// The numbers of these enums are those of HostDevice.java.
using ptx::Order;
enum Fault { NO_FAULT, MEMORY, LAUNCH, LOST, GEMM, COPY };
enum Counter { CALLS, KERNELS, GEMMS, COPIES, GRAPH_LAUNCHES, SYNCHRONISATIONS, ALLOCATIONS, REFUSED_CUBINS, COUNTERS };
enum Kind {
  DEVICE_MEMORY, PINNED_MEMORY, CONTEXT, STREAM, EVENT, GRAPH, GRAPH_EXEC, MODULE, CUBLAS_HANDLE,
  FUNCTION,   // its module's
  KINDS
};

struct Settings {
  Order order = ptx::FORWARD;   // of the threads of a block, and of the blocks
  std::mt19937 random{1};
  bool contract = false;      // mul and add without a rounding mode become one fma, as ptxas makes them
  double approximation = 0;   // maximum error of ex2, lg2 and rcp.approx, in units of 2^-22
  bool lazy = true;           // queued work runs as late as the stream rules allow
  bool quiet = false;         // diagnoses are kept, not printed
  int devices = 1;
  int driver = 13000;         // 1000 * major + 10 * minor
  int capability = 90;        // 10 * major + minor
  size_t memory = size_t(1) << 30;
  int shared = 0;             // bytes of shared memory that a block may opt in to; 0: as many as GPUs of the capability have
  Fault fault = NO_FAULT;
  long fault_in = 0;          // number of calls of its kind until it happens
  int fault_device = -1;      // the only device whose calls count and fail; -1: all devices
  static Settings from_environment();
};

// Bytes of shared memory that a block can use on every GPU without opting in to more.
enum { SHARED_WITHOUT_OPT_IN = 48 << 10 };

// Bytes of shared memory that a block may opt in to, and that a multiprocessor has.
int shared_memory_opt_in();
int shared_memory_of_multiprocessor();

struct Context;

// An object with a handle. The handle is the object's address; a table of live objects gives its kind.
struct Object {
  const Kind kind;
  Context* context;
  Object(Kind kind, Context* context) : kind(kind), context(context) {}
  virtual ~Object() = default;
};

// One piece of queued work; it runs on the device thread.
struct Work {
  std::function<CUresult()> run;
  std::string what;
  uint64_t number;
};

struct Graph : Object {
  std::vector<Work> work;
  explicit Graph(Context* context) : Object(GRAPH, context) {}
};

struct GraphExec : Object {
  std::shared_ptr<std::vector<Work>> work;
  explicit GraphExec(Context* context) : Object(GRAPH_EXEC, context) {}
};

struct Stream : Object {
  bool blocking;                       // ordered with the null stream
  std::deque<Work> queue;
  uint64_t enqueued = 0, done = 0;
  std::shared_ptr<Graph> capture;      // the graph that is being recorded, shared with the streams that joined
  std::shared_ptr<Stream> origin;      // the stream where that capture began, if it was another
  std::vector<std::shared_ptr<Stream>> joined;
  int capture_mode = 0;
  unsigned long capture_thread = 0;
  uint64_t captured = 0;               // pieces of work recorded through this stream
  bool invalidated = false;            // something happened that a capture forbids
  bool unjoined = false;               // recorded work that the origin does not wait for
  Stream(Context* context, bool blocking) : Object(STREAM, context), blocking(blocking) {}
};

struct Event : Object {
  bool timing;
  bool recorded = false;
  double milliseconds = 0;
  std::shared_ptr<Stream> stream;      // where it was recorded last, after the work of this number
  uint64_t number = 0;
  std::shared_ptr<Graph> capture;      // set when it was recorded in a capture
  Event(Context* context, bool timing) : Object(EVENT, context), timing(timing) {}
};

struct Function : Object {
  std::string name;
  std::shared_ptr<ptx::Kernel> kernel;
  int max_dynamic_shared = SHARED_WITHOUT_OPT_IN;
  Function(Context* context) : Object(FUNCTION, context) {}
};

struct Module : Object {
  std::map<std::string, std::shared_ptr<Function>> functions;
  explicit Module(Context* context) : Object(MODULE, context) {}
};

struct Context : Object {
  int device;
  bool ended = false;
  CUresult sticky = OK;                // the first failure of its work: every later call returns it
  std::set<std::shared_ptr<Stream>> streams;
  std::shared_ptr<Stream> null_stream;
  explicit Context(int device) : Object(CONTEXT, nullptr), device(device) {}
};

struct Allocation {
  uintptr_t start;
  size_t bytes;
  size_t span;                         // bytes, rounded up to 256
  char* mapping;
  size_t mapped;
  unsigned id;
  Context* context;
};

struct State {
  Settings settings = Settings::from_environment();
  bool initialised = false;
  std::set<int> lost;                  // the devices that are gone: every call of theirs fails
  int working = -1;                    // the device whose work runs now; -1: none
  std::map<void*, std::shared_ptr<Object>> objects;
  std::map<int, std::pair<std::shared_ptr<Context>, int>> primary;   // by device: the context and how often it is retained
  std::map<uintptr_t, Allocation> live;
  std::deque<Allocation> freed;        // in quarantine: a later access is a use after free
  std::map<uintptr_t, std::pair<size_t, Context*>> pinned;
  std::map<int, size_t> used;          // bytes by device
  unsigned allocations = 0;
  long cublas_handles = 0;
  long leaked[KINDS] = {};             // ended with their context without being freed
  long counted[COUNTERS] = {};
  std::map<int, std::array<long, COUNTERS>> counted_on;   // the same by device
  std::string diagnosis;
};

State& state();
std::recursive_mutex& lock();
Context* current();
std::vector<Context*>& context_stack();

// Stores the text as the last diagnosis and prints it.
void report(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Returns the device whose work runs now, or else that of the current context; -1 if there is none.
int device_in_use();

// Counts an event, in total and on its device.
void count(Counter counter, int device = device_in_use());

// Counts a call and returns whether the injected fault hits it.
bool strikes(Fault fault, int device = device_in_use());

// For calls that need no context: returns OK, or the error that they must return. Counts the call.
CUresult enter_driver(int device = device_in_use());
CUresult enter_device(int device);

// Returns the current context's state: OK, or the error that every call must return. Counts the call.
CUresult enter();

template <class T> std::shared_ptr<T> find(void* handle, Kind kind) {
  auto found = state().objects.find(handle);
  return found == state().objects.end() || found->second->kind != kind ? nullptr
                                                                       : std::static_pointer_cast<T>(found->second);
}

template <class T> void keep(const std::shared_ptr<T>& object, void** handle) {
  state().objects[object.get()] = object;
  *handle = object.get();
}

#define LOCK std::lock_guard<std::recursive_mutex> lock_(host_device::lock())
#define ENTER_DRIVER \
  LOCK; \
  if (CUresult entered_ = host_device::enter_driver()) return entered_
#define ENTER_DEVICE(device) \
  LOCK; \
  if (CUresult entered_ = host_device::enter_device(device)) return entered_
#define ENTER \
  LOCK; \
  if (CUresult entered_ = host_device::enter()) return entered_
// For calls that release an object: as on the real driver they may return the context's error, but the object counts as released.
#define ENTER_TO_RELEASE \
  LOCK; \
  CUresult entered = host_device::enter(); \
  if (entered == NOT_INITIALIZED || entered == INVALID_CONTEXT) return entered

}  // namespace host_device
