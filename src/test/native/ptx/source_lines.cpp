// The source lines that PTX lines come from, for diagnoses.
#include "ptx.h"
#include <fstream>
#include <stdlib.h>

namespace ptx {

// By kernel and PTX line.
static std::map<std::string, std::map<u32, std::string>>& source_lines() {
  static auto* only = new std::map<std::string, std::map<u32, std::string>>;
  return *only;
}

void read_source_lines(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::map<u32, std::string>* lines = nullptr;
  while (std::getline(file, line)) {
    size_t space = line.find(' ');
    if (line.empty() || line[0] == '#') {
      continue;
    }
    if (space == std::string::npos) {
      lines = &source_lines()[line];
    } else if (lines) {
      (*lines)[atoi(line.c_str())] = line.substr(space + 1);
    }
  }
}

std::string source_of(const Kernel& kernel, u32 line) {
  auto& lines = source_lines()[kernel.name];
  auto after = lines.upper_bound(line);
  return after == lines.begin() ? "" : " (" + std::prev(after)->second + ")";
}

}  // namespace ptx
