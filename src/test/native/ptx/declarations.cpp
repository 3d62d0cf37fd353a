// Parsing of modules: directives, variables, kernels and their parameters and registers.
#include "parser.h"
#include <algorithm>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

namespace ptx {

Kernel::~Kernel() {
  for (u64* frame : frames) {
    free(frame);
  }
  for (u8* local : locals) {
    free(local);
  }
}

Parser::Parser(const std::string& source, bool contract) : contract(contract), text(source) {
  strip_comments();
}

std::shared_ptr<Module> Parser::module() {
  result = std::make_shared<Module>();
  bool external = false;
  for (;;) {
    skip_space();
    if (at >= text.size()) {
      return result;
    }
    std::string word = read_word();
    if (word == ".version" || word == ".target" || word == ".address_size") {
      skip_line();
    } else if (word == ".entry") {
      entry();
    } else if (word == ".extern") {
      external = true;
    } else if (word == ".shared" || (!external && (word == ".global" || word == ".const"))) {
      variable(word, globals);
      external = false;
    } else if (word != ".visible" && word != ".weak") {
      throw error("unknown directive " + word);
    }
  }
}

// [.align N] .type name[[N]] [= ...];
void Parser::variable(const std::string& space, Symbols& into) {
  u32 align = 1, element = 1;
  std::string word;
  for (word = read_word(); word[0] == '.'; word = read_word()) {
    if (word == ".align") {
      align = atoi(read_word().c_str());
    } else if (is_type(word.substr(1))) {
      element = std::max(1, width_of(word.substr(1)) / 8);
    }
  }
  std::string name = word;
  u64 count = 1;
  bool unsized = false;
  for (skip_space(); text[at] == '['; skip_space()) {
    at++;
    std::string n = trim(read_until(']'));
    unsized |= n.empty();
    count *= n.empty() ? 0 : strtoull(n.c_str(), nullptr, 0);
  }
  std::string values = trim(read_until(';'));
  align = std::max(align, element);
  Symbol symbol{GLOBAL, 0, (u32)(count * element), align, false};
  if (space == ".shared") {
    symbol.space = SHARED;
    symbol.dynamic = unsized;
  } else if (space == ".local") {
    symbol.space = LOCAL;
    symbol.address = kernel->local_bytes = round_up(kernel->local_bytes, align);
    kernel->local_bytes += symbol.bytes;
  } else {
    symbol.space = space == ".const" ? CONSTANT : GLOBAL;
    initialize(symbol, element, values.empty() ? "" : values.substr(1));
  }
  into[name] = symbol;
}

void Parser::initialize(Symbol& symbol, u32 element_bytes, std::string values) {
  std::unique_ptr<u64[]> memory(new u64[symbol.bytes / 8 + 1]());
  for (char& c : values) {
    if (c == '{' || c == '}') {
      c = ' ';
    }
  }
  u8* to = (u8*)memory.get();
  if (!trim(values).empty()) {
    for (const std::string& value : split(values, ',')) {
      Operand parsed = constant(trim(value));
      memcpy(to, &parsed.bits, element_bytes);
      to += element_bytes;
    }
  }
  symbol.address = (u64)memory.get();
  allow_module_variable(symbol.address, symbol.address + symbol.bytes);
  result->globals.push_back(std::move(memory));
}

void Parser::entry() {
  auto made = std::make_shared<Kernel>();
  kernel = made.get();
  kernel->name = read_word();
  locals.clear();
  parameters.clear();
  ranges.clear();
  pool.clear();
  dynamic_constants.clear();
  shared_constants.clear();
  labels.clear();
  branch_tables.clear();
  branches.clear();
  tables.clear();
  loaded_parameters.clear();
  arrived = false;
  scopes.assign(1, {});
  slots = FIRST_REGISTER;
  next_shared = SHARED_BASE + 16;
  skip_space();
  if (text[at] == '(') {
    at++;
    for (const std::string& declaration : split(read_until(')'), ',')) {
      if (!trim(declaration).empty()) {
        parameter(declaration);
      }
    }
  }
  for (std::string word = read_word(); word != "{"; word = read_word()) {
    if (word == ".maxntid") {
      kernel->max_threads = 1;
      for (u32 n : numbers()) {
        kernel->max_threads *= n;
      }
    } else if (word == ".reqnctapercluster") {
      std::vector<u32> dimensions = numbers();
      kernel->cluster = dimensions[0];
      for (size_t i = 1; i < dimensions.size(); i++) {
        if (dimensions[i] != 1) {
          throw error("clusters along y and z are not implemented");
        }
      }
      if (kernel->cluster < 1 || kernel->cluster > MAX_CLUSTER) {
        throw error("clusters of more than 8 blocks are not implemented");
      }
    } else if (word == ".explicitcluster") {
    } else if (word == ".minnctapersm" || word == ".maxnreg") {
      read_word();
    } else {
      throw error("unknown directive of a kernel " + word);
    }
  }
  body();
  finish();
  result->kernels[kernel->name] = made;
  kernel = nullptr;
}

// N, N, N after a directive
std::vector<u32> Parser::numbers() {
  std::vector<u32> list;
  do {
    list.push_back(atoi(read_word().c_str()));
    skip_space();
  } while (text[at] == ',' && ++at);
  return list;
}

// .param [.align N] .type name[[N]]
void Parser::parameter(const std::string& declaration) {
  std::string spaced;
  for (char c : declaration) {
    spaced += isspace((unsigned char)c) ? ' ' : c;
  }
  Words words = split(spaced, ' ');
  u32 element = 0, count = 1;
  std::string name;
  for (size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    if (word.empty()) {
      continue;
    }
    if (word == ".align") {
      i++;
    } else if (word[0] == '.' && is_type(word.substr(1))) {
      element = width_of(word.substr(1)) / 8;
    } else if (word[0] != '.') {
      name = word.substr(0, word.find('['));
      if (word.find('[') != std::string::npos) {
        count = atoi(word.c_str() + word.find('[') + 1);
      }
    }
  }
  u32 word = 0;
  for (const Parameter& earlier : kernel->parameters) {
    word += (earlier.bytes + 7) / 8;
  }
  parameters[name] = {PARAMETER, word * 8, element * count, 8, false};
  kernel->parameters.push_back({word, element * count, false});
}

void Parser::body() {
  while (!scopes.empty()) {
    skip_space();
    if (at >= text.size()) {
      throw error("a kernel has no end");
    }
    char c = text[at];
    instruction_line = line();
    if (c == '{') {
      at++;
      scopes.emplace_back();
    } else if (c == '}') {
      at++;
      scopes.pop_back();
    } else if (c == ';') {
      at++;
    } else if (c == '.') {
      directive();
    } else if (!label()) {
      instruction(trim(read_until(';')));
    }
  }
}

void Parser::directive() {
  std::string word = read_word();
  if (word == ".reg") {
    registers();
  } else if (word == ".shared" || word == ".local") {
    variable(word, locals);
  } else if (word == ".pragma") {
    read_until(';');
  } else {
    throw error("unknown directive " + word);
  }
}

// NAME: or NAME: .branchtargets A, B;
bool Parser::label() {
  size_t end = at;
  while (isalnum((unsigned char)text[end]) || text[end] == '$' || text[end] == '_') {
    end++;
  }
  size_t after = end;
  while (isspace((unsigned char)text[after])) {
    after++;
  }
  if (end == at || text[after] != ':') {
    return false;
  }
  if (arrived) {
    throw error("a label between barrier.cluster.arrive and wait");
  }
  std::string name = text.substr(at, end - at);
  at = after + 1;
  skip_space();
  static const std::string TARGETS = ".branchtargets";
  if (text.compare(at, TARGETS.size(), TARGETS) == 0) {
    at += TARGETS.size();
    for (const std::string& target : split(read_until(';'), ',')) {
      branch_tables[name].push_back(trim(target));
    }
  } else {
    labels[name] = kernel->code.size();
  }
  return true;
}

void Parser::registers() {
  std::string type = read_word();
  if (!is_type(type.substr(1))) {
    throw error("register type " + type);
  }
  for (const std::string& declared : split(read_until(';'), ',')) {
    std::string name = trim(declared);
    size_t open = name.find('<');
    if (open == std::string::npos) {
      scopes.back()[name] = slots++;
    } else {
      u32 count = atoi(name.c_str() + open + 1);
      ranges.push_back({name.substr(0, open), slots, count});
      slots += count;
    }
  }
}

// Resolves labels and addresses when all of a kernel is read.
void Parser::finish() {
  instruction_line = 0;  // no instruction of the text
  emit(OP_END);
  if (contract) {
    contract_products(*kernel, labels);
  }
  auto target = [&](const std::string& name) {
    auto found = labels.find(name);
    if (found == labels.end()) {
      throw error("there is no label " + name);
    }
    return found->second;
  };
  for (auto& branch : branches) {
    kernel->code[branch.first].immediate = target(branch.second);
  }
  // The targets of a table follow the code, each as the immediate of an END.
  for (auto& table : tables) {
    Words& names = branch_tables[table.second];
    kernel->code[table.first].immediate = kernel->code.size();
    kernel->code[table.first].b = names.size();
    for (const std::string& name : names) {
      emit(OP_END).immediate = target(name);
    }
  }
  u32 align = 0;
  for (auto& global : globals) {
    if (global.second.dynamic) {
      align = std::max(align, global.second.align);
    }
  }
  align = align ? std::max(4u, align) : 16;
  // Aligned as declared, and no more.
  u32 dynamic = round_up(next_shared, align);
  kernel->dynamic_shared_address = dynamic % (2 * align) == 0 ? dynamic + align : dynamic;
  for (u32 i : dynamic_constants) {
    kernel->constants[i] = kernel->dynamic_shared_address;
  }
  kernel->first_constant = slots;
  kernel->slots = slots + kernel->constants.size();
  for (Instruction& instruction : kernel->code) {
    for (u32* slot : {&instruction.d, &instruction.a, &instruction.b, &instruction.c, &instruction.e}) {
      if (*slot & CONSTANT_FLAG) {
        *slot = kernel->first_constant + (*slot & ~CONSTANT_FLAG);
      }
    }
    instruction.label = operation_labels()[instruction.operation];
  }
}

std::shared_ptr<Module> parse(const std::string& text, bool contract, std::string& error) {
  // Modules stay: their coverage is written when the process ends.
  static auto& known = *new std::map<std::pair<std::string, bool>, std::shared_ptr<Module>>;
  auto key = std::make_pair(text, contract);
  auto found = known.find(key);
  if (found != known.end()) {
    return found->second;
  }
  try {
    return known[key] = Parser(text, contract).module();
  } catch (const std::exception& e) {
    error = e.what();
    return nullptr;
  }
}

}  // namespace ptx
