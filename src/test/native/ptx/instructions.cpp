// Decoding of instructions: arithmetic, comparisons, branches, barriers, shuffles. moves.cpp has those that move and convert
// values.
#include "parser.h"
#include <string.h>

namespace ptx {

Opcode::Opcode(const std::string& text) : text(text), parts(split(text, '.')) {
  if (is_type(parts.back())) {
    type = parts.back();
  }
}

bool Opcode::has(const char* modifier) const {
  for (size_t i = 1; i < parts.size(); i++) {
    if (parts[i] == modifier) {
      return true;
    }
  }
  return false;
}

static const std::unordered_map<std::string, int>& operations() {
  static std::unordered_map<std::string, int> names = {
#define X(name) {#name, OP_##name},
      OPERATIONS(X)
#undef X
  };
  return names;
}

// u32 for b32: a bit type is computed with as unsigned.
static std::string integer_type(const Opcode& opcode) {
  return (opcode.type[0] == 's' ? "s" : "u") + std::to_string(opcode.width());
}

ParseError Parser::unknown(const Opcode& opcode) {
  return error("unknown instruction " + opcode.text);
}

int Parser::operation(const std::string& name) {
  auto found = operations().find(name);
  if (found == operations().end()) {
    throw error("the interpreter has no operation " + name);
  }
  return found->second;
}

Instruction& Parser::emit(int operation) {
  Instruction instruction;
  memset((void*)&instruction, 0, sizeof instruction);
  instruction.operation = (u16)operation;
  instruction.line = instruction_line;
  instruction.d = instruction.a = instruction.b = instruction.c = instruction.e = SINK;
  kernel->code.push_back(instruction);
  return kernel->code.back();
}

// The result first, then the operands.
Instruction& Parser::emit_typed(int operation, const Words& arguments, const Words& types) {
  if (arguments.size() != types.size()) {
    throw error("another number of operands is expected");
  }
  std::vector<u32> slots;
  for (size_t i = 0; i < types.size(); i++) {
    slots.push_back(slot_of(operand(arguments[i]), types[i]));
  }
  Instruction& instruction = emit(operation);
  u32* to[] = {&instruction.d, &instruction.a, &instruction.b, &instruction.c, &instruction.e};
  for (size_t i = 0; i < slots.size(); i++) {
    *to[i] = slots[i];
  }
  return instruction;
}

Instruction& Parser::emit_plain(int operation, int operands, const std::string& type, const Words& arguments) {
  return emit_typed(operation, arguments, Words(operands + 1, type));
}

void Parser::instruction(std::string text) {
  bool guarded = text[0] == '@', unless = false;
  u32 guard = 0;
  if (guarded) {
    size_t space = text.find_first_of(" \t");
    std::string predicate = text.substr(1, space - 1);
    unless = predicate[0] == '!';
    guard = register_slot(unless ? predicate.substr(1) : predicate);
    text = trim(text.substr(space));
  }
  size_t space = text.find_first_of(" \t\n{");
  Opcode opcode(text.substr(0, space));
  bool of_cluster = opcode.name() == "barrier" && opcode.has("cluster");
  if ((guarded && of_cluster) || (arrived && !(of_cluster && opcode.has("wait")))) {
    throw error("a barrier of the cluster must be an arrive and a wait without anything between, and no guard");
  }
  Words list = space == std::string::npos ? Words() : arguments(text.substr(space));
  if (opcode.name() == "bra") {
    branches.push_back({kernel->code.size(), list.at(0)});
    emit(!guarded ? OP_BRA : unless ? OP_BRA_UNLESS : OP_BRA_IF).a = guard;
    return;
  }
  if (guarded) {
    emit(unless ? OP_SKIP_IF : OP_SKIP_UNLESS).a = guard;
  }
  size_t before = kernel->code.size();
  decode(opcode, list);
  if (guarded && kernel->code.size() != before + 1) {
    throw error("a guard of several operations");
  }
}

void Parser::decode(const Opcode& opcode, const Words& arguments) {
  if (!opcode.is_known()) {
    throw unknown(opcode);
  }
  if (!arithmetic(opcode, arguments) && !integer(opcode, arguments) && !function(opcode, arguments) && !move(opcode, arguments) &&
      !control(opcode, arguments)) {
    throw unknown(opcode);
  }
}

// add, sub, mul, div, fma, mad, min, max, abs, neg, setp, selp, copysign
bool Parser::arithmetic(const Opcode& opcode, const Words& arguments) {
  const std::string& name = opcode.name();
  const std::string& type = opcode.type;
  const std::string width = std::to_string(opcode.width());
  static const std::unordered_map<std::string, std::string> BASE = {{"add", "ADD"}, {"sub", "SUB"}, {"mul", "MUL"},
                                                                    {"div", "DIV"}, {"fma", "FMA"}, {"min", "MIN"},
                                                                    {"max", "MAX"}, {"abs", "ABS"}, {"neg", "NEG"}};
  if (name == "selp") {
    emit_typed(OP_SELP, arguments, {type, type, type, "pred"});
    return true;
  }
  if (name == "setp") {
    if (opcode.parts.size() != 3 || arguments.at(0).find('|') != std::string::npos) {
      throw unknown(opcode);
    }
    static const std::unordered_map<std::string, std::string> UNSIGNED_NAMES = {
        {"lo", "lt"}, {"ls", "le"}, {"hi", "gt"}, {"hs", "ge"}};
    auto other = UNSIGNED_NAMES.find(opcode.parts[1]);
    std::string compare = other == UNSIGNED_NAMES.end() ? opcode.parts[1] : other->second;
    emit_typed(operation("SETP_" + (opcode.floating() ? type : integer_type(opcode)) + "_" + compare), arguments,
               {"pred", type, type});
    return true;
  }
  auto base = BASE.find(name);
  if (base == BASE.end() || !opcode.floating()) {
    return false;
  }
  int operands = name == "fma" ? 3 : name == "abs" || name == "neg" ? 1 : 2;
  int rounding = opcode.has("rz") ? 3 : opcode.has("rm") ? 1 : opcode.has("rp") ? 2 : 0;  // as in MXCSR
  Instruction& made = emit_plain(operation("F" + base->second + (rounding ? "R" : "") + width), operands, type, arguments);
  if (rounding) {
    made.immediate = rounding;
  } else {
    made.kind = opcode.has("rn");  // without it, ptxas may contract
  }
  return true;
}

bool Parser::integer(const Opcode& opcode, const Words& arguments) {
  const std::string& name = opcode.name();
  const std::string& type = opcode.type;
  if (opcode.floating() || type.empty()) {
    return false;
  }
  const std::string width = std::to_string(opcode.width());
  const std::string twice = std::string(1, type[0]) + std::to_string(2 * opcode.width());
  if (name == "add") {
    emit_plain(operation("ADD" + width), 2, type, arguments);
  } else if (name == "sub") {
    emit_plain(operation("SUB" + width), 2, type, arguments);
  } else if (name == "div") {
    emit_plain(operation("DIV_" + integer_type(opcode)), 2, type, arguments);
  } else if (name == "rem") {
    emit_plain(operation("REM_" + integer_type(opcode)), 2, type, arguments);
  } else if (name == "mul" && opcode.has("wide")) {
    emit_typed(operation("MULW_" + integer_type(opcode)), arguments, {twice, type, type});
  } else if (name == "mul" && opcode.has("hi")) {
    emit_plain(operation("MULHI_" + integer_type(opcode)), 2, type, arguments);
  } else if (name == "mul" && opcode.has("lo")) {
    emit_plain(operation("MUL" + width), 2, type, arguments);
  } else if (name == "mad" && opcode.has("lo")) {
    emit_plain(operation("MAD" + width), 3, type, arguments);
  } else if (name == "mad" && opcode.has("wide")) {
    emit_typed(operation("MADW_" + integer_type(opcode)), arguments, {twice, type, type, twice});
  } else if (name == "min") {
    emit_plain(operation("MIN_" + integer_type(opcode)), 2, type, arguments);
  } else if (name == "max") {
    emit_plain(operation("MAX_" + integer_type(opcode)), 2, type, arguments);
  } else if (name == "abs") {
    emit_plain(operation("ABS" + width), 1, type, arguments);
  } else if (name == "neg") {
    emit_plain(operation("NEG" + width), 1, type, arguments);
  } else if (name == "and") {
    emit_plain(OP_AND, 2, type, arguments);
  } else if (name == "or") {
    emit_plain(OP_OR, 2, type, arguments);
  } else if (name == "xor") {
    emit_plain(OP_XOR, 2, type, arguments);
  } else if (name == "not") {
    emit_plain(type == "pred" ? OP_NOTP : operation("NOT" + width), 1, type, arguments);
  } else if (name == "shl") {
    emit_typed(operation("SHL" + width), arguments, {type, type, "u32"});
  } else if (name == "shr") {
    emit_typed(operation("SHR_" + integer_type(opcode)), arguments, {type, type, "u32"});
  } else if (name == "popc") {
    emit_typed(operation("POPC" + width), arguments, {"u32", type});
  } else if (name == "clz") {
    emit_typed(operation("CLZ" + width), arguments, {"u32", type});
  } else if (name == "prmt" && opcode.parts.size() == 2) {
    emit_plain(OP_PRMT, 3, "b32", arguments);
  } else if (name == "bfi" && type == "b32") {
    emit_plain(OP_BFI, 4, "b32", arguments);
  } else if (name == "shf" && opcode.has("wrap")) {
    emit_plain(opcode.has("l") ? OP_SHF_L : OP_SHF_R, 3, "b32", arguments);
  } else {
    return false;
  }
  return true;
}

// Functions of one float.
bool Parser::function(const Opcode& opcode, const Words& arguments) {
  const std::string& name = opcode.name();
  const bool approximate = opcode.has("approx"), ftz = opcode.has("ftz"), single = opcode.width() == 32;
  if (!opcode.floating()) {
    return false;
  }
  int made = -1;
  if (name == "copysign") {
    emit_plain(single ? OP_FCOPYSIGN32 : OP_FCOPYSIGN64, 2, opcode.type, arguments);
    return true;
  }
  if (name == "sqrt" && opcode.has("rn")) {
    made = single ? OP_FSQRT32 : OP_FSQRT64;
  } else if (name == "rcp" && opcode.has("rn") && !ftz) {
    made = single ? OP_FRCP32 : OP_FRCP64;
  } else if (name == "rcp" && approximate && ftz) {
    made = single ? OP_RCP_APPROX32_FTZ : OP_RCP_APPROX64;
  } else if (name == "rcp" && approximate && single) {
    made = OP_RCP_APPROX32;
  } else if (name == "sqrt" && approximate && single) {
    made = OP_SQRT_APPROX32;
  } else if (name == "rsqrt" && approximate && single) {
    made = OP_RSQRT_APPROX32;
  } else if (name == "ex2" && approximate && single) {
    made = ftz ? OP_EX2_FTZ : OP_EX2;
  } else if (name == "lg2" && approximate && single) {
    made = ftz ? OP_LG2_FTZ : OP_LG2;
  }
  if (made < 0) {
    return false;
  }
  emit_plain(made, 1, opcode.type, arguments);
  return true;
}

bool Parser::control(const Opcode& opcode, const Words& arguments) {
  const std::string& name = opcode.name();
  if (name == "ret" || name == "exit") {
    emit(OP_RET);
  } else if (name == "trap") {
    emit(OP_TRAP);
  } else if (name == "membar" || name == "fence") {
    emit(OP_FENCE);
  } else if (name == "brx") {
    u32 index = slot_of(operand(arguments.at(0)), "u32");
    tables.push_back({kernel->code.size(), arguments.at(1)});
    emit(OP_BRX).a = index;
  } else if (name == "bar" || name == "barrier") {
    barrier(opcode, arguments);
  } else if (name == "shfl") {
    shuffle(opcode, arguments);
  } else if (name == "vote") {
    vote(opcode, arguments);
  } else if (name == "mma") {
    matrix_product(opcode, arguments);
  } else {
    return false;
  }
  return true;
}

// An arrive and a wait are one operation, which is the wait's.
void Parser::cluster_barrier(const Opcode& opcode) {
  bool wait = opcode.has("wait");
  if (wait != arrived || opcode.has("arrive") == wait) {
    throw unknown(opcode);
  }
  arrived = !wait;
  if (wait) {
    u32 number = constant_slot(0);  // as a mutant it is a barrier of the block
    Instruction& made = emit(OP_CLUSTER_BAR);
    made.a = number;
    made.kind = opcode.has("aligned");
  }
}

void Parser::barrier(const Opcode& opcode, const Words& arguments) {
  if (opcode.has("cluster")) {
    cluster_barrier(opcode);
    return;
  }
  if (opcode.has("warp")) {
    u32 mask = slot_of(operand(arguments.at(0)), "b32");
    emit(OP_WARPSYNC).a = mask;
    return;
  }
  if (!opcode.has("sync") || arguments.empty() || arguments.size() > 2) {
    throw unknown(opcode);
  }
  u32 number = slot_of(operand(arguments[0]), "u32");
  u32 threads = arguments.size() > 1 ? slot_of(operand(arguments[1]), "u32") : (u32)SINK;
  Instruction& made = emit(OP_BAR);
  made.a = number;
  made.b = threads;
  made.count = arguments.size() > 1;
}

// shfl.sync.MODE.b32 d[|p], a, b, c, membermask; the predicate's slot is the immediate.
void Parser::shuffle(const Opcode& opcode, const Words& arguments) {
  if (!opcode.has("sync") || arguments.size() != 5) {
    throw unknown(opcode);
  }
  Words results = split(arguments[0], '|');
  u32 predicate = results.size() > 1 ? operand(trim(results[1])).slot : (u32)SINK;
  Words plain = arguments;
  plain[0] = trim(results[0]);
  Instruction& made = emit_plain(OP_SHFL, 4, "b32", plain);
  made.immediate = predicate;
  made.kind = opcode.has("up") ? 0 : opcode.has("down") ? 1 : opcode.has("bfly") ? 2 : 3;
}

// vote.sync.MODE.TYPE d, {!}a, membermask
void Parser::vote(const Opcode& opcode, const Words& arguments) {
  if (!opcode.has("sync") || arguments.size() != 3) {
    throw unknown(opcode);
  }
  Operand predicate = operand(arguments[1]);
  u32 result = operand(arguments[0]).slot, mask = slot_of(operand(arguments[2]), "b32");
  Instruction& made = emit(OP_VOTE);
  made.d = result;
  made.a = predicate.slot;
  made.e = mask;
  made.bytes = predicate.negated;
  made.kind = opcode.has("all") ? 0 : opcode.has("any") ? 1 : opcode.has("uni") ? 2 : 3;
}

}  // namespace ptx
