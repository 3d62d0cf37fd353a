// Operands: registers, constants, symbols, vectors and addresses become slots of a thread's frame.
#include "parser.h"
#include <algorithm>
#include <ctype.h>
#include <stdlib.h>

namespace ptx {

u32 Parser::constant_slot(u64 bits) {
  auto found = pool.find(bits);
  if (found != pool.end()) {
    return found->second;
  }
  u32 slot = CONSTANT_FLAG | (u32)kernel->constants.size();
  kernel->constants.push_back(bits);
  return pool[bits] = slot;
}

// The slot of a symbol's address. Shared variables get their addresses in the order of their first use.
u32 Parser::symbol_slot(const std::string& name) {
  auto found = locals.find(name);
  if (found == locals.end()) {
    found = globals.find(name);
    if (found == globals.end()) {
      throw error("unknown name " + name);
    }
  }
  Symbol& symbol = found->second;
  if (symbol.space != SHARED) {
    return constant_slot(symbol.address);
  }
  auto known = shared_constants.find(name);
  if (known != shared_constants.end()) {
    return known->second;
  }
  u32 index = (u32)kernel->constants.size();
  kernel->constants.push_back(0);
  if (symbol.dynamic) {
    dynamic_constants.push_back(index);
  } else {
    enum { GAP = 64 };  // between variables: bytes that belong to none
    next_shared = round_up(next_shared, std::max(4u, symbol.align));
    kernel->constants.back() = next_shared;
    kernel->shared.push_back({name, next_shared, symbol.bytes});
    next_shared += round_up(symbol.bytes, 4) + GAP;
    kernel->static_shared_bytes = round_up(kernel->static_shared_bytes, symbol.align) + symbol.bytes;
  }
  return shared_constants[name] = CONSTANT_FLAG | index;
}

u32 Parser::register_slot(const std::string& name) {
  static const std::unordered_map<std::string, u32> SPECIAL = {
      {"%laneid", LANEID}, {"%warpid", WARPID}, {"%cluster_ctarank", CLUSTER_CTARANK}, {"%cluster_nctarank", CLUSTER_NCTARANK}};
  // These end with .x, .y or .z.
  static const std::unordered_map<std::string, u32> OF_AXES = {
      {"%tid", TID},           {"%ntid", NTID},           {"%ctaid", CTAID},
      {"%nctaid", NCTAID},     {"%clusterid", CLUSTERID}, {"%nclusterid", NCLUSTERID},
      {"%cluster_ctaid", CLUSTER_CTAID}, {"%cluster_nctaid", CLUSTER_NCTAID}};
  for (size_t i = scopes.size(); i-- > 0;) {
    auto found = scopes[i].find(name);
    if (found != scopes[i].end()) {
      return found->second;
    }
  }
  auto special = SPECIAL.find(name);
  if (special != SPECIAL.end()) {
    return special->second;
  }
  const size_t before_axis = std::max<size_t>(name.size(), 2) - 2;
  auto of_axis = OF_AXES.find(name.substr(0, before_axis));
  if (of_axis != OF_AXES.end() && name[before_axis] == '.' && name.back() >= 'x' && name.back() <= 'z') {
    return of_axis->second + (name.back() - 'x');
  }
  size_t digits = name.size();
  while (digits > 0 && isdigit((unsigned char)name[digits - 1])) {
    digits--;
  }
  u32 n = atoi(name.c_str() + digits);
  for (size_t i = ranges.size(); i-- > 0;) {
    if (name.compare(0, digits, ranges[i].prefix) == 0 && n < ranges[i].count) {
      return ranges[i].first + n;
    }
  }
  throw error("unknown register " + name);
}

// 0fXXXXXXXX, 0dXXXXXXXXXXXXXXXX, or an integer
Operand Parser::constant(const std::string& text) {
  Operand parsed;
  char kind = text.size() > 2 && text[0] == '0' ? tolower(text[1]) : 0;
  if (kind == 'f' || kind == 'd') {
    parsed.kind = FLOAT_OPERAND;
    parsed.width = kind == 'f' ? 32 : 64;
    parsed.bits = strtoull(text.c_str() + 2, nullptr, 16);
    return parsed;
  }
  bool negative = text[0] == '-';
  char* end;
  parsed.bits = strtoull(text.c_str() + negative, &end, 0);
  if (*end && *end != 'U') {
    throw error("unknown number " + text);
  }
  if (negative) {
    parsed.bits = -parsed.bits;
  }
  return parsed;
}

Operand Parser::operand(const std::string& text) {
  Operand parsed;
  if (text[0] == '!') {
    parsed = operand(trim(text.substr(1)));
    parsed.negated = true;
  } else if (text[0] == '{') {
    parsed.kind = VECTOR_OPERAND;
    for (const std::string& element : split(text.substr(1, text.find('}') - 1), ',')) {
      parsed.elements.push_back(operand(trim(element)));
    }
  } else if (text[0] == '[') {
    std::string inner = trim(text.substr(1, text.find(']') - 1));
    size_t sign = inner.find_first_of("+-", 1);
    parsed.kind = ADDRESS_OPERAND;
    parsed.name = trim(inner.substr(0, sign));
    if (sign != std::string::npos) {
      parsed.bits = constant(trim(inner.substr(sign + (inner[sign] == '+')))).bits;
    }
  } else if (text == "_") {
    parsed.kind = REGISTER_OPERAND;
  } else if (text[0] == '%') {
    parsed.kind = REGISTER_OPERAND;
    parsed.slot = register_slot(text);
  } else if (isdigit((unsigned char)text[0]) || text[0] == '-') {
    return constant(text);
  } else {
    parsed.kind = SYMBOL_OPERAND;
    parsed.name = text;
  }
  return parsed;
}

// By commas outside of braces and brackets.
Words Parser::arguments(const std::string& text) {
  Words list;
  int depth = 0;
  std::string argument;
  for (char c : text) {
    depth += c == '{' || c == '[';
    depth -= c == '}' || c == ']';
    if (c == ',' && depth == 0) {
      list.push_back(trim(argument));
      argument.clear();
    } else {
      argument += c;
    }
  }
  if (!trim(argument).empty()) {
    list.push_back(trim(argument));
  }
  return list;
}

u32 Parser::slot_of(const Operand& operand, const std::string& type) {
  int width = width_of(type);
  if (operand.negated) {
    throw error("a negated operand");
  }
  switch (operand.kind) {
    case REGISTER_OPERAND:
      return operand.slot;
    case SYMBOL_OPERAND:
      return symbol_slot(operand.name);
    case FLOAT_OPERAND:
      if (operand.width != width) {
        throw error("a float constant of another width");
      }
      return constant_slot(operand.bits);
    case INTEGER_OPERAND:
      if (type[0] == 'f') {
        throw error("an integer constant where a float is expected");
      }
      if (type == "pred") {
        return constant_slot(operand.bits != 0);
      }
      return constant_slot(width == 64 ? operand.bits : operand.bits & ((u64(1) << width) - 1));
    default:
      throw error("a vector or an address where a value is expected");
  }
}

u32 Parser::base_slot(const Operand& address) {
  if (address.kind != ADDRESS_OPERAND) {
    throw error("an address is expected");
  }
  if (address.name[0] == '%') {
    return register_slot(address.name);
  }
  if (isdigit((unsigned char)address.name[0])) {
    return constant_slot(strtoull(address.name.c_str(), nullptr, 0));
  }
  return symbol_slot(address.name);
}

}  // namespace ptx
