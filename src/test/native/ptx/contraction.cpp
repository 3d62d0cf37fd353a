// Contracts mul and add, or mul and sub, that have no rounding mode, to one operation with one rounding, as ptxas does by
// default: where the product has one use, in the same basic block.
#include "parser.h"
#include <algorithm>

namespace ptx {

static bool contains(const std::vector<u32>& slots, u32 slot) {
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

static std::vector<u32> results_of(const Instruction& instruction) {
  switch (instruction.operation) {
    case OP_ST:
    case OP_STS_32:
    case OP_STS_64:
    case OP_STG_32:
    case OP_STG_64:
      return {};
    case OP_MMA:
      return {instruction.d, instruction.a, instruction.b, instruction.c};
    case OP_OPERANDS:
      return {};
    case OP_UNPACK32:
    case OP_UNPACK16:
      return {instruction.d, instruction.e};
    case OP_LD:
    case OP_LDS_V2_32:
    case OP_LDS_V4_32:
    case OP_LDS_V2_64:
    case OP_UNPACK16_4:
      return {instruction.d, instruction.b, instruction.c, instruction.e};
    default:
      return {instruction.d};
  }
}

static std::vector<u32> sources_of(const Instruction& instruction) {
  if (instruction.operation == OP_CVT || instruction.operation == OP_CVT_II) {
    return {instruction.a};  // the others are codes of types
  }
  std::vector<u32> results = results_of(instruction), sources{instruction.a};
  for (u32 slot : {instruction.b, instruction.c, instruction.e}) {
    if (!contains(results, slot)) {
      sources.push_back(slot);
    }
  }
  if (results.empty()) {
    sources.push_back(instruction.d);
  }
  return sources;
}

// Makes one operation of product and sum; false where it is none.
static bool contract(Instruction& product, Instruction& sum) {
  bool wide = product.operation == OP_FMUL64;
  bool add = sum.operation == (wide ? OP_FADD64 : OP_FADD32), sub = sum.operation == (wide ? OP_FSUB64 : OP_FSUB32);
  if ((!add && !sub) || sum.kind) {
    return false;
  }
  bool first = sum.a == product.d;
  u32 other = first ? sum.b : sum.a;
  sum.operation = add ? wide ? OP_FFMA64 : OP_FFMA32 : first ? wide ? OP_FMSUB64 : OP_FMSUB32 : wide ? OP_FNMADD64 : OP_FNMADD32;
  sum.a = product.a;
  sum.b = product.b;
  sum.c = other;
  product.operation = OP_FENCE;  // does nothing
  return true;
}

void contract_products(Kernel& kernel, const std::unordered_map<std::string, i64>& labels) {
  std::vector<Instruction>& code = kernel.code;
  std::vector<bool> starts_block(code.size() + 1, false);
  for (auto& label : labels) {
    starts_block[label.second] = true;
  }
  std::map<u32, int> writes, reads;
  for (const Instruction& instruction : code) {
    for (u32 slot : results_of(instruction)) {
      writes[slot]++;
    }
    for (u32 slot : sources_of(instruction)) {
      reads[slot]++;
    }
  }
  for (size_t i = 0; i < code.size(); i++) {
    Instruction& product = code[i];
    bool multiplies = product.operation == OP_FMUL32 || product.operation == OP_FMUL64;
    if (!multiplies || product.kind || writes[product.d] != 1 || reads[product.d] != 1) {
      continue;
    }
    for (size_t k = i + 1; k < code.size() && !starts_block[k]; k++) {
      Instruction& next = code[k];
      if (next.a == product.d || next.b == product.d || next.c == product.d) {
        contract(product, next);
        break;
      }
      std::vector<u32> results = results_of(next);
      bool branches = next.operation >= OP_BRA && next.operation <= OP_BRX;
      if (branches || contains(results, product.a) || contains(results, product.b)) {
        break;
      }
    }
  }
}

}  // namespace ptx
