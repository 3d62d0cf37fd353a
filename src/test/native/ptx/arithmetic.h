// The arithmetic of PTX: floats as bits of a slot, directed rounding, approximate functions, conversions, atomic operations.
#pragma once
#include "accesses.h"
#include <algorithm>
#include <cmath>
#include <xmmintrin.h>

namespace ptx {

static ALWAYS_INLINE float f32(u64 bits) {
  u32 b = (u32)bits;
  float f;
  memcpy(&f, &b, 4);
  return f;
}
static ALWAYS_INLINE double f64(u64 bits) {
  double d;
  memcpy(&d, &bits, 8);
  return d;
}
static ALWAYS_INLINE u64 raw32(float f) {
  u32 b;
  memcpy(&b, &f, 4);
  return b;
}
static ALWAYS_INLINE u64 raw64(double d) {
  u64 b;
  memcpy(&b, &d, 8);
  return b;
}
// A NaN computed in single precision is the canonical NaN.
static ALWAYS_INLINE u64 result32(float f) {
  return UNLIKELY(f != f) ? u64(0x7fffffff) : raw32(f);
}

static ALWAYS_INLINE float flush(float f) {
  return fabsf(f) < 1.17549435e-38f ? copysignf(0.0f, f) : f;
}

template <class F>
static ALWAYS_INLINE auto in_rounding(int mode, F f) {
  unsigned before = _mm_getcsr();
  _mm_setcsr((before & ~0x6000u) | (unsigned)mode << 13);
  auto result = f();
  _mm_setcsr(before);
  return result;
}
#define DIRECTED(name, type, instruction)                     \
  static ALWAYS_INLINE type name(type a, type b, int mode) {  \
    return in_rounding(mode, [&] {                            \
      asm volatile(instruction " %1, %0" : "+x"(a) : "x"(b)); \
      return a;                                               \
    });                                                       \
  }
DIRECTED(add_directed, float, "addss")
DIRECTED(sub_directed, float, "subss")
DIRECTED(mul_directed, float, "mulss") DIRECTED(add_directed, double, "addsd") DIRECTED(sub_directed, double, "subsd")
    DIRECTED(mul_directed, double, "mulsd") static ALWAYS_INLINE float fma_directed(float a, float b, float c, int mode) {
  return in_rounding(mode, [&] {
    asm volatile("vfmadd213ss %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
  });
}
static ALWAYS_INLINE double fma_directed(double a, double b, double c, int mode) {
  return in_rounding(mode, [&] {
    asm volatile("vfmadd213sd %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));
    return a;
  });
}

template <class T>
static ALWAYS_INLINE T least(T a, T b) {
  return a != a ? b : b != b ? a : a < b ? a : b < a ? b : std::signbit(a) ? a : b;
}
template <class T>
static ALWAYS_INLINE T largest(T a, T b) {
  return a != a ? b : b != b ? a : a > b ? a : b > a ? b : std::signbit(a) ? b : a;
}

// The result of an approximate instruction, off by up to the launch's approximation, by another share of it for each argument.
static double inexact(double exact, u64 argument) {
  double approximation = machine.launch->approximation;
  if (approximation == 0) {
    return exact;
  }
  u64 hash = argument * 0x9e3779b97f4a7c15ull;
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9ull;
  hash ^= hash >> 32;
  return exact * (1 + approximation * 0x1p-22 * ((double)(hash >> 11) * 0x1p-52 - 1));
}

static float approx_ex2(float x, bool ftz) {
  if (ftz) {
    x = flush(x);
  }
  // Powers of 2 are exact on GPUs; CUDA's expm1 and its exp in double precision depend on it.
  float r = (float)(x == truncf(x) ? exp2((double)x) : inexact(exp2((double)x), raw32(x)));
  return ftz ? flush(r) : r;
}

static float approx_lg2(float x, bool ftz) {
  if (ftz) {
    x = flush(x);
  }
  return (float)inexact(log2((double)x), raw32(x));
}

static float approx_rcp(float x, bool ftz) {
  if (ftz) {
    x = flush(x);
  }
  float r = (float)inexact(1.0 / (double)x, raw32(x));
  return ftz ? flush(r) : r;
}

static double flush(double d) {
  return fabs(d) < 2.2250738585072014e-308 ? copysign(0.0, d) : d;
}

// The upper half of the reciprocal of the upper half.
static double approx_rcp64(u64 bits) {
  const u64 lower_half = 0xffffffff;
  double reciprocal = 1.0 / flush(f64(bits & ~lower_half));
  u64 result = raw64(reciprocal);
  if (machine.launch->approximation != 0 && std::isfinite(reciprocal) && reciprocal != 0) {
    result += (bits >> 32) % 3 << 32;
  }
  return flush(f64(result & ~lower_half));
}

// From the type with this code (moves.cpp) to 64 bits.
static u64 extend(u64 v, u32 code) {
  switch (code) {
    case 8:
      return (u8)v;
    case 16:
      return (u16)v;
    case 32:
      return (u32)v;
    case 1008:
      return (u64)(i64)(int8_t)v;
    case 1016:
      return (u64)(i64)(i16)v;
    case 1032:
      return (u64)(i64)(i32)v;
    default:
      return v;
  }
}

static double round_to_integer(double x, int mode) {
  return mode == 0 ? nearbyint(x) : mode == 1 ? floor(x) : mode == 2 ? ceil(x) : trunc(x);
}

// The largest and smallest integers where the float is beyond them; NaN becomes 0 in 32 bits.
static u64 float_to_integer(double x, u32 to) {
  u32 width = to % 1000;
  u64 mask = width == 64 ? ~u64(0) : (u64(1) << width) - 1;
  if (x != x) {
    return width == 64 ? u64(1) << 63 : 0;
  }
  if (to >= 1000) {
    double limit = ldexp(1.0, width - 1);
    i64 n = x <= -limit ? (i64)(~u64(0) << (width - 1)) : x >= limit ? (i64)((u64(1) << (width - 1)) - 1) : (i64)x;
    return (u64)n & mask;
  }
  return x <= 0 ? 0 : x >= ldexp(1.0, width) ? mask : (u64)x;
}

static u64 float_to_float(double x, u32 to, int mode) {
  if (to == 2064) {
    return raw64(x);
  }
  if (mode == 0 || x != x) {
    return result32((float)x);
  }
  return raw32(in_rounding(mode, [&] {
    float f;
    asm volatile("xorps %0, %0\n\tcvtsd2ss %1, %0" : "=&x"(f) : "x"(x));
    return f;
  }));
}

// cvt.rna.tf32: to 10 bits of the fraction, to nearest, ties away from 0.
static u32 to_tf32(u32 bits) {
  bool finite = (bits & 0x7f800000) != 0x7f800000;
  return (finite ? bits + 0x1000 : bits) & ~0x1fffu;
}

// The conversions without an operation of their own.
static u64 convert(u64 v, const Instruction* instruction) {
  u32 to = instruction->b, from = instruction->c;
  int mode = (int)instruction->immediate;
  if (from >= 2000) {
    double x = from == 2032 ? f32(v) : f64(v);
    if (to < 2000) {
      return float_to_integer(round_to_integer(x, mode), to);
    }
    return float_to_float(instruction->kind ? round_to_integer(x, mode) : x, to, mode);
  }
  u64 n = extend(v, from);
  bool is_signed = from >= 1000;
  if (to == 2032) {
    return raw32(is_signed ? (float)(i64)n : (float)n);
  }
  return raw64(is_signed ? (double)(i64)n : (double)n);
}

// In the order of Parser::atomic.
static u64 atomic_result(u64 old, u64 b, u64 c, const Instruction* instruction) {
  bool wide = instruction->bytes == 8, sign = instruction->kind == SIGNED;
  switch (instruction->count) {
    case 0:
      return instruction->kind == FLOATING ? wide ? raw64(f64(old) + f64(b)) : result32(f32(old) + f32(b)) : old + b;
    case 1:
      return sign ? (u64)std::min(wide ? (i64)old : (i32)old, wide ? (i64)b : (i32)b) : std::min(old, b);
    case 2:
      return sign ? (u64)std::max(wide ? (i64)old : (i32)old, wide ? (i64)b : (i32)b) : std::max(old, b);
    case 3:
      return b;
    case 4:
      return old == b ? c : old;
    case 5:
      return old & b;
    case 6:
      return old | b;
    default:
      return old ^ b;
  }
}

}  // namespace ptx
