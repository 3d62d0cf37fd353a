// The interpreter: one label per operation, and a jump from each to the next.
#include "arithmetic.h"

namespace ptx {

static void* const* label_table;   // known after the first call

ThreadState execute(Thread& thread) {
  static void* const table[] = {
#define X(name) &&L_##name,
      OPERATIONS(X)
#undef X
  };
  if (!label_table) {
    label_table = table;
    return EXITED;
  }
  u64* const R = thread.registers;
  const Instruction* ins = thread.next;
  const Instruction* const code = machine.kernel->code.data();
  machine.current = thread.index;

// Operands of the current instruction.
#define D R[ins->d]
#define A R[ins->a]
#define B R[ins->b]
#define C R[ins->c]
#define E R[ins->e]
#define GO goto *ins->label
#define NEXT do { ins++; GO; } while (0)
#define STOP(state) do { thread.next = ins; return state; } while (0)
// A turn ends before an access to memory, which is all that other threads can see.
#define TURN do { if (UNLIKELY(--machine.budget < 0)) STOP(READY); } while (0)
#define CHECK(pointer) do { if (UNLIKELY(!(pointer))) STOP(FAULTED); } while (0)
#define SIMPLE(name, expression) L_##name: D = (expression); NEXT;
  GO;

L_END:
L_RET:
  STOP(EXITED);
L_TRAP:
  fault(ins, "trap");
  STOP(FAULTED);
L_BRA:
  ins = code + ins->immediate;
  GO;
#define BRANCH(name, condition) \
L_##name: { \
  Instruction* branch = const_cast<Instruction*>(ins); \
  if (condition) { \
    branch->taken = 1; \
    ins = code + ins->immediate; \
    GO; \
  } \
  branch->not_taken = 1; \
  NEXT; \
}
BRANCH(BRA_IF, A & 1)
BRANCH(BRA_UNLESS, !(A & 1))
L_SKIP_UNLESS:
  if (!(A & 1)) ins++;
  NEXT;
L_SKIP_IF:
  if (A & 1) ins++;
  NEXT;
L_BRX: {
  u32 index = (u32)A;
  if (index >= ins->b) {
    fault(ins, "brx.idx with index %u of %u", index, ins->b);
    STOP(FAULTED);
  }
  ins = code + code[ins->immediate + index].immediate;
  GO;
}

SIMPLE(MOV, A)
SIMPLE(PACK32, (u64)(u32)A | B << 32)
L_UNPACK32: { u64 v = A; D = (u32)v; E = v >> 32; NEXT; }
SIMPLE(PACK16, (u64)(u16)A | (u64)(u16)B << 16)
L_UNPACK16: { u64 v = A; D = (u16)v; E = (u16)(v >> 16); NEXT; }
SIMPLE(PACK16_4, (u64)(u16)A | (u64)(u16)B << 16 | (u64)(u16)C << 32 | (u64)(u16)E << 48)
L_UNPACK16_4: {
  u64 v = A;
  D = (u16)v;
  B = (u16)(v >> 16);
  C = (u16)(v >> 32);
  E = (u16)(v >> 48);
  NEXT;
}

SIMPLE(ADD16, (u16)(A + B))
SIMPLE(ADD32, (u32)(A + B))
SIMPLE(ADD64, A + B)
SIMPLE(SUB16, (u16)(A - B))
SIMPLE(SUB32, (u32)(A - B))
SIMPLE(SUB64, A - B)
SIMPLE(MUL16, (u16)(A * B))
SIMPLE(MUL32, (u32)(A * B))
SIMPLE(MUL64, A * B)
SIMPLE(MULHI_u32, (u64)(u32)A * (u32)B >> 32)
SIMPLE(MULHI_s32, (u32)((i64)(i32)A * (i32)B >> 32))
SIMPLE(MULHI_u64, (u64)((unsigned __int128)A * B >> 64))
SIMPLE(MULHI_s64, (u64)((__int128)(i64)A * (i64)B >> 64))
SIMPLE(MULW_u32, (u64)(u32)A * (u32)B)
SIMPLE(MULW_s32, (u64)((i64)(i32)A * (i32)B))
SIMPLE(MULW_u16, (u32)(u16)A * (u32)(u16)B)
SIMPLE(MULW_s16, (u32)((i32)(i16)A * (i16)B))
SIMPLE(MAD32, (u32)(A * B + C))
SIMPLE(MAD64, A * B + C)
SIMPLE(MADW_u32, (u64)(u32)A * (u32)B + C)
SIMPLE(MADW_s32, (u64)((i64)(i32)A * (i32)B) + C)
// Division by zero is a hazard; the quotient is then what GPUs make of it.
#define DIVIDE(name, type, unsigned_type) \
L_DIV_##name: { \
  type a = (type)A, b = (type)B; \
  if (UNLIKELY(!b)) hazard(DIVIDE_BY_ZERO, ins->line, 0, {}); \
  bool overflows = std::is_signed<type>::value && b == (type)-1; \
  D = !b ? (unsigned_type)~(unsigned_type)0 : overflows ? (unsigned_type)(0 - (unsigned_type)a) : (unsigned_type)(a / b); \
  NEXT; \
} \
L_REM_##name: { \
  type a = (type)A, b = (type)B; \
  if (UNLIKELY(!b)) hazard(DIVIDE_BY_ZERO, ins->line, 0, {}); \
  bool overflows = std::is_signed<type>::value && b == (type)-1; \
  D = !b ? (unsigned_type)a : overflows ? 0 : (unsigned_type)(a % b); \
  NEXT; \
}
DIVIDE(u32, u32, u32) DIVIDE(s32, i32, u32) DIVIDE(u64, u64, u64) DIVIDE(s64, i64, u64)
SIMPLE(MIN_u16, std::min((u16)A, (u16)B))
SIMPLE(MIN_s16, (u16)std::min((i16)A, (i16)B))
SIMPLE(MIN_u32, std::min((u32)A, (u32)B))
SIMPLE(MIN_s32, (u32)std::min((i32)A, (i32)B))
SIMPLE(MIN_u64, std::min(A, B))
SIMPLE(MIN_s64, (u64)std::min((i64)A, (i64)B))
SIMPLE(MAX_u16, std::max((u16)A, (u16)B))
SIMPLE(MAX_s16, (u16)std::max((i16)A, (i16)B))
SIMPLE(MAX_u32, std::max((u32)A, (u32)B))
SIMPLE(MAX_s32, (u32)std::max((i32)A, (i32)B))
SIMPLE(MAX_u64, std::max(A, B))
SIMPLE(MAX_s64, (u64)std::max((i64)A, (i64)B))
SIMPLE(AND, A & B)
SIMPLE(OR, A | B)
SIMPLE(XOR, A ^ B)
SIMPLE(NOT32, (u32)~A)
SIMPLE(NOT64, ~A)
SIMPLE(NOT16, (u16)~A)
SIMPLE(NOTP, (A & 1) ^ 1)
SIMPLE(NEG32, (u32)-(u32)A)
SIMPLE(NEG64, -A)
SIMPLE(ABS32, (u32)((i32)A < 0 ? -(u32)A : (u32)A))
SIMPLE(ABS64, (i64)A < 0 ? -A : A)
SIMPLE(SHL16, (u32)B > 15 ? 0 : (u16)((u32)A << (u32)B))
SIMPLE(SHL32, (u32)B > 31 ? 0 : (u32)((u32)A << (u32)B))
SIMPLE(SHL64, (u32)B > 63 ? 0 : A << (u32)B)
SIMPLE(SHR_u16, (u32)B > 15 ? 0 : (u16)A >> (u32)B)
SIMPLE(SHR_s16, (u16)((i16)A >> std::min((u32)B, 15u)))
SIMPLE(SHR_u32, (u32)B > 31 ? 0 : (u32)A >> (u32)B)
SIMPLE(SHR_u64, (u32)B > 63 ? 0 : A >> (u32)B)
SIMPLE(SHR_s32, (u32)((i32)A >> std::min((u32)B, 31u)))
SIMPLE(SHR_s64, (u64)((i64)A >> std::min((u32)B, 63u)))
SIMPLE(POPC32, __builtin_popcount((u32)A))
SIMPLE(POPC64, __builtin_popcountll(A))
SIMPLE(CLZ32, (u32)A ? __builtin_clz((u32)A) : 32)
SIMPLE(CLZ64, A ? __builtin_clzll(A) : 64)
L_PRMT: {
  u64 bytes = (u64)(u32)A | B << 32;
  u32 selectors = (u32)C, result = 0;
  for (int i = 0; i < 4; i++) {
    u32 selector = selectors >> 4 * i & 15, byte = bytes >> 8 * (selector & 7) & 255;
    if (selector & 8) byte = byte & 128 ? 255 : 0;
    result |= byte << 8 * i;
  }
  D = result;
  NEXT;
}
L_BFI: {
  u32 position = (u32)C & 255, length = (u32)E & 255;
  u64 field = length >= 32 ? 0xffffffffu : (u64(1) << length) - 1;
  u32 mask = position >= 32 ? 0 : (u32)(field << position);
  u32 value = position >= 32 ? 0 : (u32)A << position;
  D = (value & mask) | ((u32)B & ~mask);
  NEXT;
}
SIMPLE(SHF_L, (u32)((((u64)(u32)A | B << 32) << ((u32)C & 31)) >> 32))
SIMPLE(SHF_R, (u32)(((u64)(u32)A | B << 32) >> ((u32)C & 31)))
SIMPLE(SELP, C & 1 ? A : B)

#define COMPARE_I(n, type) \
SIMPLE(SETP_##n##_eq, (type)A == (type)B) \
SIMPLE(SETP_##n##_ne, (type)A != (type)B) \
SIMPLE(SETP_##n##_lt, (type)A < (type)B) \
SIMPLE(SETP_##n##_le, (type)A <= (type)B) \
SIMPLE(SETP_##n##_gt, (type)A > (type)B) \
SIMPLE(SETP_##n##_ge, (type)A >= (type)B)
COMPARE_I(u16, u16) COMPARE_I(s16, i16) COMPARE_I(u32, u32) COMPARE_I(s32, i32) COMPARE_I(u64, u64) COMPARE_I(s64, i64)
#define COMPARE_F(n) \
SIMPLE(SETP_##n##_eq, n(A) == n(B)) \
SIMPLE(SETP_##n##_ne, n(A) < n(B) || n(A) > n(B)) \
SIMPLE(SETP_##n##_lt, n(A) < n(B)) \
SIMPLE(SETP_##n##_le, n(A) <= n(B)) \
SIMPLE(SETP_##n##_gt, n(A) > n(B)) \
SIMPLE(SETP_##n##_ge, n(A) >= n(B)) \
SIMPLE(SETP_##n##_equ, !(n(A) < n(B) || n(A) > n(B))) \
SIMPLE(SETP_##n##_neu, n(A) != n(B)) \
SIMPLE(SETP_##n##_ltu, !(n(A) >= n(B))) \
SIMPLE(SETP_##n##_leu, !(n(A) > n(B))) \
SIMPLE(SETP_##n##_gtu, !(n(A) <= n(B))) \
SIMPLE(SETP_##n##_geu, !(n(A) < n(B))) \
SIMPLE(SETP_##n##_num, n(A) == n(A) && n(B) == n(B)) \
SIMPLE(SETP_##n##_nan, n(A) != n(A) || n(B) != n(B))
COMPARE_F(f32) COMPARE_F(f64)

SIMPLE(FADD32, result32(f32(A) + f32(B)))
SIMPLE(FSUB32, result32(f32(A) - f32(B)))
SIMPLE(FMUL32, result32(f32(A) * f32(B)))
SIMPLE(FDIV32, result32(f32(A) / f32(B)))
SIMPLE(FFMA32, result32(__builtin_fmaf(f32(A), f32(B), f32(C))))
SIMPLE(FMIN32, result32(least(f32(A), f32(B))))
SIMPLE(FMAX32, result32(largest(f32(A), f32(B))))
SIMPLE(FABS32, (u32)A & 0x7fffffffu)
SIMPLE(FNEG32, (u32)A ^ 0x80000000u)
SIMPLE(FSQRT32, result32(sqrtf(f32(A))))
SIMPLE(FCOPYSIGN32, ((u32)B & 0x7fffffffu) | ((u32)A & 0x80000000u))
SIMPLE(FRCP32, result32(1.0f / f32(A)))
SIMPLE(FADD64, raw64(f64(A) + f64(B)))
SIMPLE(FSUB64, raw64(f64(A) - f64(B)))
SIMPLE(FMUL64, raw64(f64(A) * f64(B)))
SIMPLE(FDIV64, raw64(f64(A) / f64(B)))
SIMPLE(FFMA64, raw64(__builtin_fma(f64(A), f64(B), f64(C))))
SIMPLE(FMIN64, raw64(least(f64(A), f64(B))))
SIMPLE(FMAX64, raw64(largest(f64(A), f64(B))))
SIMPLE(FABS64, A & ~(u64(1) << 63))
SIMPLE(FNEG64, A ^ u64(1) << 63)
SIMPLE(FSQRT64, raw64(sqrt(f64(A))))
SIMPLE(FCOPYSIGN64, (B & ~(u64(1) << 63)) | (A & u64(1) << 63))
SIMPLE(FRCP64, raw64(1.0 / f64(A)))
// a*b - c and c - a*b in one rounding: what ptxas makes of mul and sub
SIMPLE(FMSUB32, result32(__builtin_fmaf(f32(A), f32(B), -f32(C))))
SIMPLE(FNMADD32, result32(__builtin_fmaf(-f32(A), f32(B), f32(C))))
SIMPLE(FMSUB64, raw64(__builtin_fma(f64(A), f64(B), -f64(C))))
SIMPLE(FNMADD64, raw64(__builtin_fma(-f64(A), f64(B), f64(C))))
SIMPLE(FADDR32, result32(add_directed(f32(A), f32(B), (int)ins->immediate)))
SIMPLE(FSUBR32, result32(sub_directed(f32(A), f32(B), (int)ins->immediate)))
SIMPLE(FMULR32, result32(mul_directed(f32(A), f32(B), (int)ins->immediate)))
SIMPLE(FFMAR32, result32(fma_directed(f32(A), f32(B), f32(C), (int)ins->immediate)))
SIMPLE(FADDR64, raw64(add_directed(f64(A), f64(B), (int)ins->immediate)))
SIMPLE(FSUBR64, raw64(sub_directed(f64(A), f64(B), (int)ins->immediate)))
SIMPLE(FMULR64, raw64(mul_directed(f64(A), f64(B), (int)ins->immediate)))
SIMPLE(FFMAR64, raw64(fma_directed(f64(A), f64(B), f64(C), (int)ins->immediate)))
SIMPLE(EX2, result32(approx_ex2(f32(A), false)))
SIMPLE(EX2_FTZ, result32(approx_ex2(f32(A), true)))
SIMPLE(LG2, result32(approx_lg2(f32(A), false)))
SIMPLE(LG2_FTZ, result32(approx_lg2(f32(A), true)))
SIMPLE(RCP_APPROX32, result32(approx_rcp(f32(A), false)))
SIMPLE(RCP_APPROX32_FTZ, result32(approx_rcp(f32(A), true)))
SIMPLE(RCP_APPROX64, raw64(approx_rcp64(A)))
SIMPLE(RSQRT_APPROX32, result32((float)(1.0 / sqrt((double)f32(A)))))
SIMPLE(SQRT_APPROX32, result32(sqrtf(f32(A))))

SIMPLE(ZEXT32, (u32)A)
SIMPLE(SEXT32, (u64)(i64)(i32)A)
SIMPLE(CVT_TF32, to_tf32((u32)A))
L_CVT_II: { u64 v = extend(A, ins->c); D = ins->b % 1000 == 64 ? v : extend(v, ins->b % 1000 == 32 ? 32 : ins->b); NEXT; }
SIMPLE(CVT_f64_f32, raw64((double)f32(A)))
SIMPLE(CVT_f32_f64, result32((float)f64(A)))
L_CVT_SAT_f32: {
  float x = f32(A);
  D = raw32(x != x || x <= 0 ? 0.0f : x > 1 ? 1.0f : x);
  NEXT;
}
SIMPLE(CVT_RNI_f32, result32(nearbyintf(f32(A))))
SIMPLE(CVT_RZI_f32, result32(truncf(f32(A))))
SIMPLE(CVT_f32_s32, raw32((float)(i32)A))
SIMPLE(CVT_f64_s32, raw64((double)(i32)A))
SIMPLE(CVT, convert(A, ins))

L_LD_PARAM: {
  const u8* p = (const u8*)machine.launch->parameters + ins->immediate;
  u64 v = 0;
  memcpy(&v, p, ins->bytes);
  D = ins->kind == SIGNED ? extend(v, 1000 + 8 * ins->bytes) : v;
  NEXT;
}
#define LOAD(name, type, load, address) \
L_##name: { \
  TURN; \
  u8* p = load(address, ins); \
  CHECK(p); \
  D = *(type*)p; \
  NEXT; \
}
#define STORE(name, type, store, address) \
L_##name: { \
  TURN; \
  u8* p = store(address, ins, &D); \
  CHECK(p); \
  *(type*)p = (type)D; \
  NEXT; \
}
#define SHARED_ADDRESS (u32)(A + ins->immediate)
#define GLOBAL_ADDRESS A + ins->immediate
LOAD(LDS_32, u32, shared_load<4>, SHARED_ADDRESS)
LOAD(LDS_64, u64, shared_load<8>, SHARED_ADDRESS)
LOAD(LDG_32, u32, global_load<4>, GLOBAL_ADDRESS)
LOAD(LDG_64, u64, global_load<8>, GLOBAL_ADDRESS)
STORE(STS_32, u32, shared_store<4>, SHARED_ADDRESS)
STORE(STS_64, u64, shared_store<8>, SHARED_ADDRESS)
STORE(STG_32, u32, global_store<4>, GLOBAL_ADDRESS)
STORE(STG_64, u64, global_store<8>, GLOBAL_ADDRESS)
L_LDS_V2_32: {
  TURN;
  u32* p = (u32*)shared_load<8>(SHARED_ADDRESS, ins);
  CHECK(p);
  D = p[0];
  B = p[1];
  NEXT;
}
L_LDS_V4_32: {
  TURN;
  u32* p = (u32*)shared_load<16>(SHARED_ADDRESS, ins);
  CHECK(p);
  D = p[0];
  B = p[1];
  C = p[2];
  E = p[3];
  NEXT;
}
L_LDS_V2_64: {
  TURN;
  u64* p = (u64*)shared_load<16>(SHARED_ADDRESS, ins);
  CHECK(p);
  D = p[0];
  B = p[1];
  NEXT;
}
L_LD: {
  TURN;
  u8* p = load_from(ins->space, ins->space == SHARED ? SHARED_ADDRESS : GLOBAL_ADDRESS, ins->bytes * ins->count, ins, thread);
  CHECK(p);
  u32 to[] = {ins->d, ins->b, ins->c, ins->e};
  u64 v[4] = {};
  for (int i = 0; i < ins->count; i++) memcpy(&v[i], p + i * ins->bytes, ins->bytes);
  for (int i = 0; i < ins->count; i++) R[to[i]] = ins->kind == SIGNED ? extend(v[i], 1000 + 8 * ins->bytes) : v[i];
  NEXT;
}
L_ST: {
  TURN;
  u32 from[] = {ins->d, ins->b, ins->c, ins->e};
  u8 value[16];
  for (int i = 0; i < ins->count; i++) memcpy(value + i * ins->bytes, &R[from[i]], ins->bytes);
  u64 address = ins->space == SHARED ? SHARED_ADDRESS : GLOBAL_ADDRESS;
  u8* p = store_to(ins->space, address, ins->bytes * ins->count, ins, thread, value);
  CHECK(p);
  memcpy(p, value, ins->bytes * ins->count);
  NEXT;
}
L_ATOM: {
  TURN;
  u8* p = atomic_at(ins->space == SHARED ? SHARED_ADDRESS : GLOBAL_ADDRESS, ins);
  CHECK(p);
  u64 old = 0, b = ins->bytes == 4 ? (u32)B : B, c = ins->bytes == 4 ? (u32)C : C;
  memcpy(&old, p, ins->bytes);
  u64 v = atomic_result(old, b, c, ins);
  memcpy(p, &v, ins->bytes);
  D = old;
  NEXT;
}
SIMPLE(CVTA_SHARED, SHARED_WINDOW | (u32)A)
SIMPLE(CVTA_LOCAL, LOCAL_WINDOW | (u32)A)
SIMPLE(CVTA_TO_WINDOW, (u32)A)

#define MAPA(name, window) \
L_##name: \
  if (!may_map(A, window, (u32)B, ins)) STOP(FAULTED); \
  D = window | ((u32)A & ((1u << RANK_SHIFT) - 1)) | ((u32)B + 1) << RANK_SHIFT; \
  NEXT;
MAPA(MAPA, 0)
MAPA(MAPA_GENERIC, SHARED_WINDOW)

L_BAR:
  STOP(AT_BARRIER);
L_CLUSTER_BAR:
  STOP(AT_CLUSTER_BARRIER);
L_SHFL:
L_VOTE:
L_WARPSYNC:
L_MMA:
  STOP(IN_WARP);
L_OPERANDS:
  NEXT;
L_FENCE:
  NEXT;
L_DROPPED:
  machine.mutant_reached = true;
  NEXT;
L_WEAKENED:
  machine.mutant_reached = true;
  STOP(AT_BARRIER);
}

void* const* operation_labels() {
  static Thread none{};
  if (!label_table) execute(none);
  return label_table;
}

}  // namespace ptx
