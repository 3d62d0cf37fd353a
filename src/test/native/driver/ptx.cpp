// Reads PTX as far as its .entry declarations; the code itself is not looked at.
#include "ptx.h"
#include "state.h"
#include <algorithm>
#include <sstream>
#include <stdlib.h>

namespace host_device {

// The newest PTX .version that a driver takes; both as 10 * major + minor, the driver's times 100.
static int newest_version(int driver) {
  static const int TABLE[][2] = {{13000, 90}, {12090, 88}, {12080, 87}, {12060, 85}, {12050, 85}, {12040, 84}, {12030, 83},
                                 {12020, 82}, {12010, 81}, {12000, 80}, {11080, 78}, {11000, 70}, {10020, 65}};
  for (auto& row : TABLE) {
    if (driver >= row[0]) {
      return row[1];
    }
  }
  return 63;
}

static std::string without_comments(std::string text) {
  for (size_t i = 0; (i = text.find("//", i)) != std::string::npos;) {
    size_t end = text.find('\n', i);
    text.erase(i, (end == std::string::npos ? text.size() : end) - i);
  }
  return text;
}

// .param [.align N] .type [.ptr [.space] .align N] name[[N]], without the ".param"
static int parameter_size(const std::string& declaration) {
  std::istringstream words(declaration);
  std::string word;
  int element = 0, count = 1;
  while (words >> word) {
    if (word == ".align") {
      words >> word;
    } else if (word[0] == '.') {
      if (word.size() > 2 && std::string("usbf").find(word[1]) != std::string::npos && isdigit(word[2])) {
        element = atoi(word.c_str() + 2) / 8;
      }
    } else if (word.find('[') != std::string::npos) {
      count = atoi(word.c_str() + word.find('[') + 1);
    }
  }
  return element * count;
}

static std::vector<int> parameter_sizes(const std::string& text, size_t open) {
  std::vector<int> sizes;
  size_t close = text.find(')', open);
  for (size_t i = open; (i = text.find(".param", i)) < close;) {
    size_t end = std::min(text.find(',', i), close);
    sizes.push_back(parameter_size(text.substr(i + 6, end - i - 6)));
    i = end;
  }
  return sizes;
}

CUresult parse_ptx(const char* source, std::map<std::string, std::vector<int>>& kernels) {
  std::string text = without_comments(source);
  size_t version = text.find(".version"), target = text.find(".target sm_");
  if (version == std::string::npos || target == std::string::npos) {
    report("not PTX: it has no .version or no .target");
    return INVALID_IMAGE;
  }
  int major = 0, minor = 0, driver = state().settings.driver, capability = state().settings.capability;
  sscanf(text.c_str() + version, ".version %d.%d", &major, &minor);
  if (major * 10 + minor > newest_version(driver)) {
    report("PTX .version %d.%d is newer than a driver of CUDA %d.%d takes", major, minor, driver / 1000, driver % 1000 / 10);
    return UNSUPPORTED_PTX_VERSION;
  }
  int sm = atoi(text.c_str() + target + 11);
  if (sm > capability) {
    report("PTX .target sm_%d on a device of compute capability %d.%d", sm, capability / 10, capability % 10);
    return INVALID_PTX;
  }
  for (size_t i = 0; (i = text.find(".entry", i)) != std::string::npos;) {
    size_t start = text.find_first_not_of(" \t\r\n", i + 6), end = text.find_first_of(" \t\r\n({", start);
    size_t open = text.find_first_of("({", end);
    bool has_parameters = open != std::string::npos && text[open] == '(';
    kernels[text.substr(start, end - start)] = has_parameters ? parameter_sizes(text, open) : std::vector<int>();
    i = end;
  }
  return OK;
}

}  // namespace host_device
