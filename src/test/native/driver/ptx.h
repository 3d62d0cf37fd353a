// What the host device reads of PTX: its version, its target, and the sizes of each kernel's parameters.
#pragma once
#include "codes.h"
#include <map>
#include <string>
#include <vector>

namespace host_device {

// By kernel, the size in bytes of each parameter. An error, with a diagnosis, where the driver would not take the PTX.
CUresult parse_ptx(const char* text, std::map<std::string, std::vector<int>>& kernels);

}  // namespace host_device
