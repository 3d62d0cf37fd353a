// Decoding of mov, cvt, cvta, ld, st, atom and red.
#include "parser.h"

namespace ptx {

bool Parser::move(const Opcode& opcode, const Words& arguments) {
  const std::string& name = opcode.name();
  if (name == "mov") {
    move_register(opcode, arguments);
  } else if (name == "cvt") {
    convert(opcode, arguments);
  } else if (name == "cvta") {
    convert_address(opcode, arguments);
  } else if (name == "mapa") {
    map_address(opcode, arguments);
  } else if (name == "ld" || name == "ldu" || name == "st") {
    access(opcode, arguments);
  } else if (name == "atom" || name == "red") {
    atomic(opcode, arguments);
  } else {
    return false;
  }
  return true;
}

// mov.b64 between a register and four registers of 16 bits
void Parser::move_four_halves(const Operand& to, const Operand& from) {
  if (to.kind == VECTOR_OPERAND) {
    u32 source = slot_of(from, "b64");
    Instruction& made = emit(OP_UNPACK16_4);
    made.a = source;
    made.d = to.elements[0].slot;
    made.b = to.elements[1].slot;
    made.c = to.elements[2].slot;
    made.e = to.elements[3].slot;
    return;
  }
  u32 slots[4];
  for (int i = 0; i < 4; i++) {
    slots[i] = slot_of(from.elements[i], "b16");
  }
  Instruction& made = emit(OP_PACK16_4);
  made.d = to.slot;
  made.a = slots[0];
  made.b = slots[1];
  made.c = slots[2];
  made.e = slots[3];
}

void Parser::move_register(const Opcode& opcode, const Words& arguments) {
  const std::string& type = opcode.type;
  Operand to = operand(arguments.at(0)), from = operand(arguments.at(1));
  if (to.kind == VECTOR_OPERAND || from.kind == VECTOR_OPERAND) {
    const std::vector<Operand>& parts = to.kind == VECTOR_OPERAND ? to.elements : from.elements;
    bool wide = opcode.width() == 64;
    bool four = parts.size() == 4;
    if ((!four && parts.size() != 2) || (four && !wide) || (!wide && opcode.width() != 32)) {
      throw unknown(opcode);
    }
    if (four) {
      move_four_halves(to, from);
      return;
    }
    const std::string half = wide ? "b32" : "b16";
    if (to.kind == VECTOR_OPERAND) {
      u32 source = slot_of(from, type);
      Instruction& made = emit(wide ? OP_UNPACK32 : OP_UNPACK16);
      made.a = source;
      made.d = parts[0].slot;
      made.e = parts[1].slot;
    } else {
      u32 low = slot_of(parts[0], half), high = slot_of(parts[1], half);
      Instruction& made = emit(wide ? OP_PACK32 : OP_PACK16);
      made.d = to.slot;
      made.a = low;
      made.b = high;
    }
    return;
  }
  bool bits_of_float = from.kind == FLOAT_OPERAND && type[0] != 'f';
  u32 source = slot_of(from, bits_of_float ? "f" + std::to_string(from.width) : type);
  Instruction& made = emit(OP_MOV);
  made.d = to.slot;
  made.a = source;
}

// Codes of types in a conversion: 1000 for signed, 2000 for float, plus the width.
static u32 type_code(const std::string& type) {
  return (type[0] == 'f' ? 2 : type[0] == 's' ? 1 : 0) * 1000 + width_of(type);
}

static int conversion(const Opcode& opcode, const std::string& to, const std::string& from) {
  const size_t parts = opcode.parts.size();
  const bool nearest = opcode.has("rn") && !opcode.has("sat");
  if (to[0] != 'f' && from[0] != 'f') {
    int wide_from = width_of(from), wide_to = width_of(to);
    if (wide_to == 32 && wide_from >= 32) {
      return OP_ZEXT32;
    }
    if (wide_to == 64) {
      return from == "u32" ? OP_ZEXT32 : from == "s32" ? OP_SEXT32 : wide_from == 64 ? OP_MOV : OP_CVT_II;
    }
    return OP_CVT_II;
  }
  if (to == "f64" && from == "f32" && parts == 3) {
    return OP_CVT_f64_f32;
  }
  if (to == "f32" && from == "f64" && nearest) {
    return OP_CVT_f32_f64;
  }
  if (to == "f32" && from == "s32" && nearest) {
    return OP_CVT_f32_s32;
  }
  if (to == "f64" && from == "s32" && nearest) {
    return OP_CVT_f64_s32;
  }
  if (to == "f32" && from == "f32" && parts == 4) {
    return opcode.has("sat") ? OP_CVT_SAT_f32 : opcode.has("rni") ? OP_CVT_RNI_f32 : opcode.has("rzi") ? OP_CVT_RZI_f32 : OP_CVT;
  }
  return OP_CVT;
}

void Parser::convert(const Opcode& opcode, const Words& arguments) {
  if (opcode.text == "cvt.rna.tf32.f32") {
    emit_typed(OP_CVT_TF32, arguments, {"b32", "f32"});
    return;
  }
  if (opcode.has("rna") || opcode.has("tf32")) {
    throw unknown(opcode);
  }
  std::string to = opcode.parts.size() > 2 ? opcode.parts[opcode.parts.size() - 2] : "", from = opcode.parts.back();
  if (!is_type(to) || !is_type(from) || arguments.size() != 2) {
    throw unknown(opcode);
  }
  u32 result = operand(arguments[0]).slot, source = slot_of(operand(arguments[1]), from);
  int chosen = conversion(opcode, to, from);
  bool half = from == "f16" || to == "f16";
  bool of_integers = to[0] != 'f' && from[0] != 'f';
  bool directed = opcode.has("rz") || opcode.has("rm") || opcode.has("rp");
  if (to[0] == 'f' && from[0] != 'f' && directed) {
    throw unknown(opcode);
  }
  if ((chosen == OP_CVT && (opcode.has("sat") || half)) || (of_integers && opcode.has("sat"))) {
    throw unknown(opcode);
  }
  Instruction& made = emit(chosen);
  made.d = result;
  made.a = source;
  if (chosen == OP_CVT || chosen == OP_CVT_II) {
    made.b = type_code(to);
    made.c = type_code(from);
  }
  made.immediate = opcode.has("rzi") || opcode.has("rz")   ? 3
                   : opcode.has("rmi") || opcode.has("rm") ? 1
                   : opcode.has("rpi") || opcode.has("rp") ? 2
                                                           : 0;
  made.kind = opcode.has("rni") || opcode.has("rzi") || opcode.has("rmi") || opcode.has("rpi");
}

void Parser::convert_address(const Opcode& opcode, const Words& arguments) {
  bool to = opcode.has("to"), shared = opcode.has("shared"), local = opcode.has("local");
  Instruction& made = emit_plain(!shared && !local ? OP_MOV
                                 : to              ? OP_CVTA_TO_WINDOW
                                 : shared          ? OP_CVTA_SHARED
                                                   : OP_CVTA_LOCAL,
                                 1, "u64", arguments);
  auto loaded = loaded_parameters.find(made.a);
  if (made.operation == OP_MOV && loaded != loaded_parameters.end()) {
    kernel->parameters[loaded->second].pointer = true;
  }
}

// mapa{.shared::cluster}.TYPE d, a, rank
void Parser::map_address(const Opcode& opcode, const Words& arguments) {
  bool shared = opcode.has("shared::cluster");
  if (opcode.type != (shared ? "u32" : "u64")) {
    throw unknown(opcode);
  }
  emit_typed(shared ? OP_MAPA : OP_MAPA_GENERIC, arguments, {opcode.type, opcode.type, "u32"});
}

static Space space_of(const Opcode& opcode) {
  if (opcode.has("shared::cluster")) {
    return SHARED_CLUSTER;
  }
  if (opcode.has("shared") || opcode.has("shared::cta")) {
    return SHARED;
  }
  if (opcode.has("global")) {
    return opcode.has("nc") ? GLOBAL_NC : GLOBAL;
  }
  return opcode.has("local") ? LOCAL : opcode.has("param") ? PARAMETER : opcode.has("const") ? CONSTANT : GENERIC;
}

static u8 kind_of(const std::string& type) {
  return type[0] == 'f' ? FLOATING : type[0] == 's' ? SIGNED : UNSIGNED;
}

// The fast operations for frequent accesses, LD and ST for all others.
static int access_operation(bool load, Space space, int count, int bytes, bool extended) {
  bool single = count == 1;
  if (space == SHARED && !extended) {
    if (!load) {
      return single && bytes == 4 ? OP_STS_32 : single && bytes == 8 ? OP_STS_64 : OP_ST;
    }
    if (single) {
      return bytes == 4 ? OP_LDS_32 : bytes == 8 ? OP_LDS_64 : OP_LD;
    }
    if (bytes == 4) {
      return count == 2 ? OP_LDS_V2_32 : OP_LDS_V4_32;
    }
    return bytes == 8 ? OP_LDS_V2_64 : OP_LD;
  }
  if ((space == GLOBAL || space == GLOBAL_NC) && !extended && single && bytes >= 4) {
    return load ? bytes == 4 ? OP_LDG_32 : OP_LDG_64 : bytes == 4 ? OP_STG_32 : OP_STG_64;
  }
  return load ? OP_LD : OP_ST;
}

void Parser::access(const Opcode& opcode, const Words& arguments) {
  const std::string& type = opcode.type;
  const bool load = opcode.name() != "st";
  const Space space = space_of(opcode);
  Operand values = operand(arguments.at(load ? 0 : 1)), address = operand(arguments.at(load ? 1 : 0));
  const int count = opcode.has("v4") ? 4 : opcode.has("v2") ? 2 : 1, bytes = opcode.width() / 8;
  std::vector<u32> slots;
  if (values.kind == VECTOR_OPERAND) {
    for (Operand& element : values.elements) {
      slots.push_back(slot_of(element, type));
    }
  } else {
    slots.push_back(slot_of(values, type));
  }
  bool known_size = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  if ((int)slots.size() != count || !known_size || bytes * count > 16) {
    throw unknown(opcode);
  }
  if (space == PARAMETER) {
    if (!load || count != 1) {
      throw unknown(opcode);
    }
    load_parameter(opcode, address, slots[0]);
    return;
  }
  u32 base = base_slot(address);
  Instruction& made = emit(access_operation(load, space, count, bytes, load && type[0] == 's'));
  made.a = base;
  made.immediate = (i64)address.bits;
  made.bytes = bytes;
  made.count = count;
  made.space = space;
  made.kind = kind_of(type);
  u32* to[] = {&made.d, &made.b, &made.c, &made.e};
  for (int i = 0; i < count; i++) {
    *to[i] = slots[i];
  }
}

void Parser::load_parameter(const Opcode& opcode, const Operand& address, u32 destination) {
  auto found = parameters.find(address.name);
  if (found == parameters.end()) {
    throw error("there is no parameter " + address.name);
  }
  if (address.bits + opcode.width() / 8 > found->second.bytes) {
    throw error("an access past the end of parameter " + address.name);
  }
  for (size_t i = 0; i < kernel->parameters.size() && opcode.width() == 64; i++) {
    if (kernel->parameters[i].word * 8 == found->second.address + address.bits) {
      loaded_parameters[destination] = i;
    }
  }
  Instruction& made = emit(OP_LD_PARAM);
  made.d = destination;
  made.immediate = found->second.address + address.bits;
  made.bytes = opcode.width() / 8;
  made.kind = kind_of(opcode.type);
}

// atom{.space}.OPERATION.TYPE d, [a], b{, c}
void Parser::atomic(const Opcode& opcode, const Words& arguments) {
  static const char* const OPERATIONS_OF_ATOMS[] = {"add", "min", "max", "exch", "cas", "and", "or", "xor"};
  enum { ADD = 0, COMPARE_AND_SWAP = 4, COUNT = 8 };
  int chosen = -1;
  for (int i = 0; i < COUNT; i++) {
    if (opcode.has(OPERATIONS_OF_ATOMS[i])) {
      chosen = i;
    }
  }
  if (chosen < 0 || opcode.width() < 32 || opcode.type.find('x') != std::string::npos || (opcode.floating() && chosen != ADD)) {
    throw unknown(opcode);
  }
  size_t next = 0;
  u32 result = opcode.name() == "red" ? (u32)SINK : operand(arguments.at(next++)).slot;
  Operand address = operand(arguments.at(next++));
  u32 first = slot_of(operand(arguments.at(next++)), opcode.type);
  u32 second = chosen == COMPARE_AND_SWAP ? slot_of(operand(arguments.at(next++)), opcode.type) : (u32)SINK;
  u32 base = base_slot(address);
  Instruction& made = emit(OP_ATOM);
  made.d = result;
  made.a = base;
  made.b = first;
  made.c = second;
  made.immediate = (i64)address.bits;
  made.bytes = opcode.width() / 8;
  made.count = chosen;
  made.space = space_of(opcode);
  made.kind = kind_of(opcode.type);
}

}  // namespace ptx
