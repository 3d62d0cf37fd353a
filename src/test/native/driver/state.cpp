// The settings and their environment variables, diagnoses, injected faults, and the check at the start of every call.
#include "state.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace host_device {

// Never destroyed: calls may arrive while the process exits.
State& state() {
  static State* only = new State;
  return *only;
}

std::recursive_mutex& lock() {
  static std::recursive_mutex* only = new std::recursive_mutex;
  return *only;
}

std::vector<Context*>& context_stack() {
  static thread_local std::vector<Context*> stack;
  return stack;
}

Context* current() {
  auto& stack = context_stack();
  return stack.empty() || !state().objects.count(stack.back()) ? nullptr : stack.back();
}

static std::string variable(const char* name, const char* otherwise) {
  const char* value = getenv((std::string("PLUMB_HOST_DEVICE_") + name).c_str());
  return value && *value ? value : otherwise;
}

[[noreturn]] static void refuse(const char* name, const std::string& value, const char* right) {
  fprintf(stderr, "host device: PLUMB_HOST_DEVICE_%s is \"%s\", must be %s\n", name, value.c_str(), right);
  exit(2);
}

static unsigned long number(const char* name, const char* otherwise) {
  std::string value = variable(name, otherwise);
  char* end;
  unsigned long result = strtoul(value.c_str(), &end, 0);
  if (*end) {
    refuse(name, value, "a number");
  }
  return result;
}

Settings Settings::from_environment() {
  Settings s;
  std::string order = variable("ORDER", "forward");
  if (order.compare(0, 6, "random") == 0) {
    s.order = ptx::RANDOM;
    s.random.seed(order.size() > 7 ? strtoul(order.c_str() + 7, nullptr, 0) : 1);
  } else if (order == "reverse") {
    s.order = ptx::REVERSE;
  } else if (order != "forward") {
    refuse("ORDER", order, "forward, reverse, random or random:SEED");
  }
  s.contract = number("CONTRACT", "0") != 0;
  std::string approximation = variable("APPROXIMATION", "0");
  char* end;
  s.approximation = strtod(approximation.c_str(), &end);
  if (*end || !(s.approximation >= 0)) {
    refuse("APPROXIMATION", approximation, "a number from 0");
  }
  std::string queue = variable("QUEUE", "lazy");
  if (queue != "lazy" && queue != "eager") {
    refuse("QUEUE", queue, "lazy or eager");
  }
  s.lazy = queue == "lazy";
  s.quiet = number("QUIET", "0") != 0;
  s.devices = (int)number("COUNT", "1");
  s.driver = (int)number("DRIVER", "13000");
  s.capability = (int)number("CAPABILITY", "90");
  s.memory = number("MEMORY", "1073741824");
  s.shared = (int)number("SHARED", "0");
  std::string fault = variable("FAULT", "");
  if (!fault.empty()) {
    static const char* const NAMES[] = {"", "memory", "launch", "lost", "gemm", "copy"};
    size_t colon = fault.find(':');
    for (int f = MEMORY; f <= COPY; f++) {
      if (fault.substr(0, colon) == NAMES[f]) {
        s.fault = (Fault)f;
      }
    }
    char* after = nullptr;
    s.fault_in = colon == std::string::npos ? 0 : strtol(fault.c_str() + colon + 1, &after, 10);
    bool one_device = after && *after == '@' && after[1] >= '0' && after[1] <= '9';
    s.fault_device = one_device ? (int)strtol(after + 1, &after, 10) : -1;
    if (s.fault == NO_FAULT || s.fault_in < 1 || *after) {
      refuse("FAULT", fault, "memory:N, launch:N, lost:N, gemm:N or copy:N with N from 1, for device D only with @D appended");
    }
  }
  return s;
}

void report(const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  state().diagnosis = text;
  if (!state().settings.quiet) {
    fprintf(stderr, "host device: %s\n", text);
  }
}

int device_in_use() {
  return state().working >= 0 ? state().working : current() ? current()->device : -1;
}

void count(Counter counter, int device) {
  state().counted[counter]++;
  state().counted_on[device][counter]++;
}

bool strikes(Fault fault, int device) {
  Settings& s = state().settings;
  if (s.fault != fault || (s.fault_device >= 0 && s.fault_device != device) || --s.fault_in > 0) {
    return false;
  }
  s.fault = NO_FAULT;
  return true;
}

CUresult enter_driver(int device) {
  State& s = state();
  count(CALLS, device);
  if (!s.initialised) {
    return NOT_INITIALIZED;
  }
  if (strikes(LOST, device)) {
    // A call without a device takes all of them down.
    for (int lost = 0; lost < s.settings.devices; lost++) {
      if (device < 0 || lost == device) {
        s.lost.insert(lost);
      }
    }
    report("injected fault: the device is lost");
  }
  return OK;
}

CUresult enter_device(int device) {
  CUresult result = enter_driver(device);
  return result ? result : device < 0 || device >= state().settings.devices ? INVALID_DEVICE : OK;
}

CUresult enter() {
  if (CUresult result = enter_driver()) {
    return result;
  }
  Context* context = current();
  if (!context) {
    return INVALID_CONTEXT;
  }
  if (state().lost.count(context->device) && !context->sticky) {
    context->sticky = UNKNOWN;
  }
  return context->sticky;
}

}  // namespace host_device
