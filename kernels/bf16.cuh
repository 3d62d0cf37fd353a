// The number format bfloat16: the upper half of a float, with 8 significant bits and a float's range.
//
// Rounding takes integer operations only, so it compiles for every architecture, and to the same instructions. All kernels that round are
// bound by memory, which should hide them. Not tried: cvt.rn.bf16x2.f32 of compute capability 8.0, one instruction for two numbers.
#pragma once
#include "common.cuh"

// The bits of a number.
typedef unsigned short Bf16;

// The nearest number; of two that are equally near, the one whose last bit is 0. NaN stays NaN.
__device__ __forceinline__ Bf16 rounded_to_bf16(float value) {
    unsigned int bits = __float_as_uint(value);
    return value != value ? (Bf16)0x7fc0 : (Bf16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

__device__ __forceinline__ float number(Bf16 bits) {
    return __uint_as_float((unsigned int)bits << 16);
}
__device__ __forceinline__ float number(float value) {
    return value;
}
__device__ __forceinline__ double number(double value) {
    return value;
}

// Stores a result in the format of its matrix.
__device__ __forceinline__ void store(double* to, double value) {
    *to = value;
}
__device__ __forceinline__ void store(float* to, float value) {
    *to = value;
}
__device__ __forceinline__ void store(Bf16* to, float value) {
    *to = rounded_to_bf16(value);
}
