// Device memory: its address range, its red zones, and the diagnosis of an access outside of it.
#pragma once
#include "state.h"

namespace host_device {

// Allocates memory, filled with NaN and aligned to 256 bytes. Returns null if the arena is used up.
Allocation* allocate(size_t bytes, Context* context);

// Makes an allocation inaccessible and records it: a later access is reported as a use after free.
void bury(std::map<uintptr_t, Allocation>::iterator allocation);

// Returns whether these bytes are within one live allocation; reports it if not.
bool in_range(const void* start, size_t bytes, const char* what);

// Returns whether the address is in the device's address range, allocated or not: host code must not pass it as host memory.
bool is_device_address(const void* address);

// Returns whether a pointer is a valid kernel argument: into a live allocation, or just past its end.
bool is_argument(const void* address, const char* what);

bool red_zones_hold(const char* what);
void explain_fault(uintptr_t address, const char* what);
bool is_pinned(const void* start, size_t bytes);

}  // namespace host_device
