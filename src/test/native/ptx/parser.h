// The parser of PTX text. Anything unknown is an error.
#pragma once
#include "operations.h"
#include "ptx.h"
#include <stdexcept>
#include <unordered_map>

namespace ptx {

struct ParseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Marks slots of constants until the number of registers is known.
static const u32 CONSTANT_FLAG = 0x80000000u;

enum OperandKind { REGISTER_OPERAND, INTEGER_OPERAND, FLOAT_OPERAND, SYMBOL_OPERAND, VECTOR_OPERAND, ADDRESS_OPERAND };

struct Operand {
  OperandKind kind = INTEGER_OPERAND;
  u32 slot = SINK;
  u64 bits = 0;   // of a constant; offset of an address
  int width = 0;  // of a float constant
  bool negated = false;
  std::string name;
  std::vector<Operand> elements;
};

typedef std::vector<std::string> Words;

// "f32" and the like; "pred" has one bit.
bool is_type(const std::string& word);
int width_of(const std::string& type);
Words split(const std::string& text, char separator);
std::string trim(const std::string& text);

// One instruction's text: "ld.global.f32" has the name ld and the modifiers global and f32.
struct Opcode {
  std::string text;
  Words parts;
  std::string type;  // its last modifier, if that is a type
  explicit Opcode(const std::string& text);
  const std::string& name() const { return parts[0]; }
  bool has(const char* modifier) const;
  bool is_known() const;  // with all of its modifiers
  bool floating() const { return !type.empty() && type[0] == 'f'; }
  int width() const { return type.empty() ? 0 : width_of(type); }
};

class Parser {
 public:
  Parser(const std::string& source, bool contract);
  std::shared_ptr<Module> module();

 private:
  struct Symbol {
    Space space;
    u64 address;
    u32 bytes, align;
    bool dynamic;
  };
  typedef std::unordered_map<std::string, Symbol> Symbols;
  struct Range {  // %r<10>
    std::string prefix;
    u32 first, count;
  };

  // text.cpp
  void strip_comments();
  u32 line();
  ParseError error(const std::string& what);
  void skip_space();
  std::string read_word();
  std::string read_until(char end);
  void skip_line();

  // declarations.cpp
  void variable(const std::string& space, Symbols& into);
  void initialize(Symbol& symbol, u32 element_bytes, std::string values);
  void entry();
  std::vector<u32> numbers();
  void parameter(const std::string& declaration);
  void body();
  bool label();
  void directive();
  void registers();
  void finish();

  // operands.cpp
  u32 constant_slot(u64 bits);
  u32 symbol_slot(const std::string& name);
  u32 register_slot(const std::string& name);
  u32 slot_of(const Operand& operand, const std::string& type);
  u32 base_slot(const Operand& address);
  Operand constant(const std::string& text);
  Operand operand(const std::string& text);
  Words arguments(const std::string& text);

  // instructions.cpp
  Instruction& emit(int operation);
  int operation(const std::string& name);
  Instruction& emit_typed(int operation, const Words& arguments, const Words& types);
  Instruction& emit_plain(int operation, int operands, const std::string& type, const Words& arguments);
  ParseError unknown(const Opcode& opcode);
  void instruction(std::string text);
  void decode(const Opcode& opcode, const Words& arguments);
  bool arithmetic(const Opcode& opcode, const Words& arguments);
  bool integer(const Opcode& opcode, const Words& arguments);
  bool function(const Opcode& opcode, const Words& arguments);
  bool control(const Opcode& opcode, const Words& arguments);
  void shuffle(const Opcode& opcode, const Words& arguments);
  void vote(const Opcode& opcode, const Words& arguments);
  void matrix_product(const Opcode& opcode, const Words& arguments);
  void barrier(const Opcode& opcode, const Words& arguments);
  void cluster_barrier(const Opcode& opcode);

  // moves.cpp
  bool move(const Opcode& opcode, const Words& arguments);
  void move_register(const Opcode& opcode, const Words& arguments);
  void move_four_halves(const Operand& to, const Operand& from);
  void convert(const Opcode& opcode, const Words& arguments);
  void convert_address(const Opcode& opcode, const Words& arguments);
  void map_address(const Opcode& opcode, const Words& arguments);
  void access(const Opcode& opcode, const Words& arguments);
  void load_parameter(const Opcode& opcode, const Operand& address, u32 destination);
  void atomic(const Opcode& opcode, const Words& arguments);

  const bool contract;
  std::string text;
  size_t at = 0, counted_to = 0;
  u32 line_at_counted = 1;
  std::shared_ptr<Module> result;
  Symbols globals;

  // of the kernel that is being read
  Kernel* kernel = nullptr;
  Symbols locals, parameters;
  std::vector<std::unordered_map<std::string, u32>> scopes;
  std::vector<Range> ranges;
  std::unordered_map<u64, u32> pool;  // constants
  std::vector<u32> dynamic_constants;
  std::unordered_map<std::string, u32> shared_constants;
  std::unordered_map<std::string, i64> labels;
  std::unordered_map<std::string, Words> branch_tables;
  std::vector<std::pair<size_t, std::string>> branches, tables;
  std::unordered_map<u32, size_t> loaded_parameters;  // by slot: the parameter that was loaded into it
  u32 slots = 0, instruction_line = 0, next_shared = 0;
  bool arrived = false;  // at the barrier of the cluster, without the wait
};

// Makes one fma of mul and add, or mul and sub, without a rounding mode.
void contract_products(Kernel& kernel, const std::unordered_map<std::string, i64>& labels);

// The addresses of the interpreter's code, by operation.
void* const* operation_labels();

// A module's own variable is memory that its kernels may access.
void allow_module_variable(uintptr_t start, uintptr_t end);

}  // namespace ptx
