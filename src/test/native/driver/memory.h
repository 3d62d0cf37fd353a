// Device memory: where it lies, what surrounds it, and what is said about an access outside of it.
#pragma once
#include "state.h"

namespace host_device {

// NaN-poisoned, 256-byte aligned; null when the arena is used up.
Allocation* allocate(size_t bytes, Context* context);

// Makes it inaccessible and remembers it: a later access is a use after free.
void bury(std::map<uintptr_t, Allocation>::iterator allocation);

// Whether these bytes lie in one live allocation; if not, says so.
bool in_range(const void* start, size_t bytes, const char* what);

// Whether the address is one of the device's, live or not: host code must not pass it as its own memory.
bool is_device_address(const void* address);

// Whether a kernel may be given this pointer: into a live allocation, or just past its end.
bool is_argument(const void* address, const char* what);

bool red_zones_hold(const char* what);
void explain_fault(uintptr_t address, const char* what);
bool is_pinned(const void* start, size_t bytes);

}  // namespace host_device
