// Allocations are in an inaccessible arena of up to 4 TiB, 16 MiB apart, and addresses are never reused, so that a wild access or a use
// after free faults. Fresh memory is NaN. An allocation ends at the end of a page, rounded up to 256 bytes; the rest of these bytes and
// the 256 bytes before the allocation are red zones, checked after every piece of work.
#include "memory.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

namespace host_device {

enum { ALIGNMENT = 256, PAGE = 4096, QUARANTINE = 4096 };
static const size_t GAP = size_t(16) << 20;
static char *arena_start, *arena_next, *arena_end;

static size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

static bool allocation_at(uintptr_t address, uintptr_t* start, uintptr_t* end);
static bool allocation_from(uintptr_t address, uintptr_t* start, uintptr_t* end);
static std::string describe(uintptr_t address);

static void reserve_arena() {
  for (size_t size = size_t(1) << 42; !arena_start && size >= size_t(1) << 34; size >>= 1) {
    void* at = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at != MAP_FAILED) {
      arena_start = arena_next = (char*)at;
      arena_end = arena_start + size;
      ptx::set_global_memory({(uintptr_t)arena_start, (uintptr_t)arena_end, allocation_at, allocation_from, describe});
    }
  }
}

Allocation* allocate(size_t bytes, Context* context) {
  if (!arena_start) {
    reserve_arena();
  }
  size_t span = round_up(bytes, ALIGNMENT), mapped = round_up(span + ALIGNMENT, PAGE);
  if (!arena_start || (size_t)(arena_end - arena_next) < mapped + 2 * GAP) {
    report("the arena of device addresses is used up");
    return nullptr;
  }
  char* mapping = arena_next + GAP;
  if (mprotect(mapping, mapped, PROT_READ | PROT_WRITE)) {
    return nullptr;
  }
  arena_next = mapping + mapped;
  memset(mapping, 0xff, mapped);
  State& s = state();
  uintptr_t start = (uintptr_t)(mapping + mapped - span);
  s.used[context->device] += bytes;
  return &(s.live[start] = Allocation{start, bytes, span, mapping, mapped, ++s.allocations, context});
}

void bury(std::map<uintptr_t, Allocation>::iterator allocation) {
  State& s = state();
  Allocation a = allocation->second;
  s.used[a.context->device] -= a.bytes;
  s.live.erase(allocation);
  ptx::forget_global_memory((uintptr_t)a.mapping, (uintptr_t)a.mapping + a.mapped);
  madvise(a.mapping, a.mapped, MADV_DONTNEED);
  mprotect(a.mapping, a.mapped, PROT_NONE);
  s.freed.push_back(a);
  if (s.freed.size() > QUARANTINE) {
    s.freed.pop_front();
  }
}

// The live allocation that starts at or before the address, whether or not it reaches it.
static const Allocation* before(uintptr_t address) {
  auto& live = state().live;
  auto above = live.upper_bound(address);
  return above == live.begin() ? nullptr : &(--above)->second;
}

static bool found(const Allocation& a, uintptr_t* start, uintptr_t* end) {
  *start = a.start;
  *end = a.start + a.bytes;
  return true;
}

static bool allocation_at(uintptr_t address, uintptr_t* start, uintptr_t* end) {
  const Allocation* a = before(address);
  return a && address < a->start + a->bytes && found(*a, start, end);
}

static bool allocation_from(uintptr_t address, uintptr_t* start, uintptr_t* end) {
  auto at = state().live.lower_bound(address);
  return at != state().live.end() && found(at->second, start, end);
}

static void report_outside(uintptr_t address, const char* what) {
  for (const Allocation& a : state().freed) {
    if (address >= a.start && address <= a.start + a.bytes) {
      report("%s: use after free of allocation #%u (%zu bytes)", what, a.id, a.bytes);
      return;
    }
  }
  report("%s: %p is not in a device allocation", what, (void*)address);
}

bool in_range(const void* pointer, size_t bytes, const char* what) {
  uintptr_t start = (uintptr_t)pointer;
  const Allocation* a = before(start);
  if (!bytes || (a && start < a->start + a->bytes && bytes <= a->start + a->bytes - start)) {
    return true;
  }
  if (a && start < a->start + a->bytes) {
    report("%s: needs %zu bytes from offset %zu of allocation #%u, which has %zu", what, bytes,
           (size_t)(start - a->start), a->id, a->bytes);
  } else {
    report_outside(start, what);
  }
  return false;
}

bool is_argument(const void* pointer, const char* what) {
  uintptr_t start = (uintptr_t)pointer;
  const Allocation* a = before(start);
  if (!pointer || (a && start <= a->start + a->bytes)) {
    return true;
  }
  report_outside(start, what);
  return false;
}

bool is_device_address(const void* address) { return arena_start && address >= arena_start && address < arena_end; }

static bool untouched(const unsigned char* bytes, size_t n) {
  return !n || (bytes[0] == 0xff && !memcmp(bytes, bytes + 1, n - 1));
}

// Restores a red zone that was overwritten, so that it is reported only once.
static bool zone_holds(unsigned char* zone, size_t bytes, const char* what, const char* where, const Allocation& a) {
  if (untouched(zone, bytes)) {
    return true;
  }
  report("%s: wrote %s allocation #%u (%zu bytes)", what, where, a.id, a.bytes);
  memset(zone, 0xff, bytes);
  return false;
}

bool red_zones_hold(const char* what) {
  bool hold = true;
  for (auto& entry : state().live) {
    const Allocation& a = entry.second;
    unsigned char* start = (unsigned char*)a.start;
    hold &= zone_holds(start - ALIGNMENT, ALIGNMENT, what, "before the start of", a);
    hold &= zone_holds(start + a.bytes, a.span - a.bytes, what, "past the end of", a);
  }
  return hold;
}

// Describes an address that is outside of all live allocations.
static std::string describe(uintptr_t address) {
  char text[200];
  for (const Allocation& a : state().freed) {
    if (address >= (uintptr_t)a.mapping && address < (uintptr_t)a.mapping + a.mapped) {
      snprintf(text, sizeof text, "use after free of allocation #%u (%zu bytes)", a.id, a.bytes);
      return text;
    }
  }
  for (auto& entry : state().live) {
    const Allocation& a = entry.second;
    if (address + GAP / 2 >= a.start && address < a.start + a.bytes + GAP / 2) {
      long offset = (long)(address - a.start);
      snprintf(text, sizeof text, "access at byte offset %ld of allocation #%u, which has %zu bytes", offset, a.id, a.bytes);
      return text;
    }
  }
  snprintf(text, sizeof text, "wild access to %p", (void*)address);
  return text;
}

void explain_fault(uintptr_t address, const char* what) { report("%s: %s", what, describe(address).c_str()); }

bool is_pinned(const void* pointer, size_t bytes) {
  uintptr_t start = (uintptr_t)pointer;
  auto& pinned = state().pinned;
  auto above = pinned.upper_bound(start);
  if (above == pinned.begin()) {
    return false;
  }
  --above;
  return start + bytes <= above->first + above->second.first;
}

}  // namespace host_device
