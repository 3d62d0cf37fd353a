// mma: a product of matrices of which each lane of a warp has a part. The interpreter knows one shape and type, m16n8k8 of TF32.
#include "arithmetic.h"
#include "parser.h"

namespace ptx {

enum { ROWS = 16, COLUMNS = 8, TERMS = 8 };

// mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {d0..d3}, {a0..a3}, {b0, b1}, {c0..c3}. The first of three instructions has the
// results, the others have the operands.
void Parser::matrix_product(const Opcode& opcode, const Words& arguments) {
  if (opcode.text != "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" || arguments.size() != 4) {
    throw unknown(opcode);
  }
  const size_t sizes[] = {4, 4, 2, 4};
  std::vector<std::vector<u32>> slots;
  for (size_t i = 0; i < arguments.size(); i++) {
    Operand vector = operand(arguments[i]);
    if (vector.elements.size() != sizes[i]) {
      throw error("another number of elements is expected");
    }
    slots.emplace_back();
    for (const Operand& element : vector.elements) {
      slots.back().push_back(slot_of(element, i == 1 || i == 2 ? "b32" : "f32"));
    }
  }
  const u32 b[] = {SINK, slots[2][0], slots[2][1]};
  const size_t vectors[] = {0, 1, 3};
  for (int i = 0; i < INSTRUCTIONS_OF_MMA; i++) {
    const std::vector<u32>& four = slots[vectors[i]];
    Instruction& made = emit(i == 0 ? OP_MMA : OP_OPERANDS);
    made.d = four[0];
    made.a = four[1];
    made.b = four[2];
    made.c = four[3];
    made.e = b[i];
  }
}

static u64 element(const Thread& thread, int vector, int i) {
  const Instruction& instruction = thread.next[vector];
  const u32 slots[] = {instruction.d, instruction.a, instruction.b, instruction.c, instruction.e};
  return thread.registers[slots[i]];
}

// A number in TF32 format is a float whose last 13 bits are 0.
static double tf32_element(const Thread& thread, int vector, int i) {
  u32 bits = (u32)element(thread, vector, i);
  if (bits & 0x1fff) {
    machine.current = thread.index;
    hazard(NOT_TF32, thread.next->line, 0, {});
  }
  return f32(bits);
}

// PTX ISA, fragments of mma.m16n8k8: of a, lane / 4 is the row, and the row 8 further for odd elements; lane % 4 is the term, and the one 4
// further for the last two. Of b, lane % 4 is the term, lane / 4 the column. Of c and d, lane / 4 is the row, 2 (lane % 4) the column,
// and the one after it for odd elements; the row is 8 further for the last two.
//
// The order of additions is not specified. Products are exact and so is their sum here; the result is rounded to nearest, or towards 0 as
// tensor cores do it where approximate functions are off.
void multiply_matrices(Thread* lanes) {
  enum { OF_A = 1, OF_C = 2, B_ELEMENT = 4 };
  double a[ROWS][TERMS], b[TERMS][COLUMNS];
  for (int lane = 0; lane < LANES; lane++) {
    int group = lane / 4, of_group = lane % 4;
    for (int i = 0; i < 4; i++) {
      a[group + i % 2 * 8][of_group + i / 2 * 4] = tf32_element(lanes[lane], OF_A, i);
    }
    for (int i = 0; i < 2; i++) {
      b[of_group + i * 4][group] = tf32_element(lanes[lane], OF_A + i, B_ELEMENT);
    }
  }
  const bool truncates = machine.launch->approximation != 0;
  for (int lane = 0; lane < LANES; lane++) {
    Thread& thread = lanes[lane];
    u64 results[4];
    for (int i = 0; i < 4; i++) {
      int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
      double sum = f32(element(thread, OF_C, i));
      for (int k = 0; k < TERMS; k++) {
        sum += a[row][k] * b[k][column];
      }
      float rounded = (float)sum;
      if (truncates && fabs((double)rounded) > fabs(sum)) {
        rounded = nextafterf(rounded, 0.0f);
      }
      results[i] = result32(rounded);
    }
    const Instruction& instruction = *thread.next;
    const u32 slots[] = {instruction.d, instruction.a, instruction.b, instruction.c};
    for (int i = 0; i < 4; i++) {
      thread.registers[slots[i]] = results[i];
    }
  }
}

}  // namespace ptx
