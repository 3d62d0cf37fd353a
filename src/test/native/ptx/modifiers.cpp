// The modifiers that the interpreter knows, by instruction. Any other is refused: it would change what the instruction does.
#include "parser.h"
#include <unordered_set>

namespace ptx {

typedef std::unordered_map<std::string, std::unordered_set<std::string>> Modifiers;

// {"name name", "modifier modifier"}; types are modifiers of every instruction.
static Modifiers read_table(const std::vector<std::pair<const char*, const char*>>& rows) {
  Modifiers table;
  for (auto& row : rows) {
    Words modifiers = split(row.second, ' ');
    for (const std::string& name : split(row.first, ' ')) {
      table[name].insert(modifiers.begin(), modifiers.end());
    }
  }
  return table;
}

static const Modifiers& known() {
  static const Modifiers table = read_table({
      {"add sub div fma", "rn rz rm rp"},
      {"mul", "rn rz rm rp wide hi lo"},
      {"mad", "wide lo"},
      {"min max abs neg copysign rem selp and or xor not shl shr popc clz prmt bfi mov exit trap", ""},
      {"setp", "eq ne lt le gt ge lo ls hi hs equ neu ltu leu gtu geu num nan"},
      {"shf", "l r wrap"},
      {"sqrt", "rn approx"},
      {"rcp", "rn approx ftz"},
      {"rsqrt", "approx"},
      {"ex2 lg2", "approx ftz"},
      {"cvt", "rn rz rm rp rna rni rzi rmi rpi sat tf32"},
      {"cvta", "to global shared local"},
      {"ld ldu", "param const global shared shared::cta shared::cluster local nc volatile v2 v4"},
      {"st", "global shared shared::cta shared::cluster local volatile v2 v4"},
      {"mapa", "shared::cluster"},
      {"atom red", "global shared shared::cta add min max exch cas and or xor"},
      {"bra ret", "uni"},
      {"brx", "idx"},
      {"membar", "cta gl sys"},
      {"fence", "acq_rel sc cta gpu sys"},
      {"bar barrier", "cta warp sync aligned"},
      {"barrier", "cluster arrive wait release acquire"},
      {"shfl", "sync up down bfly idx"},
      {"vote", "sync all any uni ballot"},
      {"mma", "sync aligned m16n8k8 row col tf32"},
  });
  return table;
}

bool Opcode::is_known() const {
  auto of_name = known().find(name());
  if (of_name == known().end()) {
    return false;
  }
  for (size_t i = 1; i < parts.size(); i++) {
    if (!is_type(parts[i]) && !of_name->second.count(parts[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace ptx
