// Vectors of LANES floats and the few moves every kernel is written in. Each level's file defines LANES, opens its
// target attributes, and includes the kernels once; so one text serves every processor.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// a·b + c becomes one instruction where the target has it.
#pragma STDC FP_CONTRACT ON

#define INLINE static inline __attribute__((always_inline))
/// With the address sanitizer loops stay loops: its checks of all that is unrolled would take minutes to compile.
#if __has_feature(address_sanitizer)
#define UNROLL
#else
#define UNROLL _Pragma("clang loop unroll(full)")
#endif

typedef float V __attribute__((ext_vector_type(LANES)));
typedef int32_t I __attribute__((ext_vector_type(LANES)));
typedef uint32_t U __attribute__((ext_vector_type(LANES)));
typedef int8_t I8 __attribute__((ext_vector_type(LANES)));
typedef uint8_t U8 __attribute__((ext_vector_type(LANES)));
typedef uint16_t U16 __attribute__((ext_vector_type(LANES)));

INLINE V splat(float value) { return (V)value; }
INLINE V load(const float *p) { V v; memcpy(&v, p, sizeof v); return v; }
INLINE void store(float *p, V v) { memcpy(p, &v, sizeof v); }

/// Bytes asked for ahead of use where memory is walked along; past the page, where the processor's prefetching stops.
#define AHEAD 4096
INLINE void ask_for(const void *p, size_t ahead) { __builtin_prefetch((const void *)((uintptr_t)p + ahead)); }
/// The same for bytes that are as far off as the first cache is large: to the second, or what is in use would be lost.
INLINE void ask_for_later(const void *p, size_t ahead) { __builtin_prefetch((const void *)((uintptr_t)p + ahead), 0, 2); }

/// The first `count` < LANES numbers at p, the rest `filler`; reads nothing past them.
INLINE V load_part(const float *p, size_t count, float filler) {
  float buffer[LANES];
  for (int i = 0; i < LANES; i++) buffer[i] = filler;
  memcpy(buffer, p, count * sizeof(float));
  return load(buffer);
}
INLINE void store_part(float *p, size_t count, V v) {
  float buffer[LANES];
  store(buffer, v);
  memcpy(p, buffer, count * sizeof(float));
}

INLINE V pick(I mask, V yes, V no) { return mask ? yes : no; }
INLINE I bits(V v) { return __builtin_bit_cast(I, v); }
INLINE V floats(I v) { return __builtin_bit_cast(V, v); }
INLINE V absolute(V v) { return floats(bits(v) & 0x7FFFFFFF); }
/// The larger of each pair; where x is NaN, `other`.
INLINE V larger(V x, V other) { return pick(x > other, x, other); }

INLINE V from_i8(const void *p) { I8 v; memcpy(&v, p, sizeof v); return __builtin_convertvector(v, V); }
INLINE I from_u8(const void *p) { U8 v; memcpy(&v, p, sizeof v); return __builtin_convertvector(v, I); }

INLINE V from_f32(const void *p) { V v; memcpy(&v, p, sizeof v); return v; }

INLINE V from_bf16(const void *p) {
  U16 v;
  memcpy(&v, p, sizeof v);
  return __builtin_bit_cast(V, __builtin_convertvector(v, U) << 16);
}

#if NATIVE_HALF
typedef _Float16 H __attribute__((ext_vector_type(LANES)));
INLINE V from_f16(const void *p) { H v; memcpy(&v, p, sizeof v); return __builtin_convertvector(v, V); }
INLINE void to_f16(void *p, V v) { H h = __builtin_convertvector(v, H); memcpy(p, &h, sizeof h); }
#else
// Shifted into f32's place a half is 2^112 too small; the product restores it exactly, subnormals included.
INLINE V from_f16(const void *p) {
  U16 v;
  memcpy(&v, p, sizeof v);
  I h = __builtin_bit_cast(I, __builtin_convertvector(v, U));
  I magnitude = (h & 0x7FFF) << 13;
  V value = floats(magnitude) * 0x1p112f;
  I special = magnitude >= 0x0F800000;
  I result = special ? (magnitude | 0x7F800000) : bits(value);
  return floats(result | ((h & 0x8000) << 16));
}
// To nearest even: adding a power of two 2^13 times the last kept bit lets the f32 adder do the rounding.
INLINE void to_f16(void *p, V v) {
  I all = bits(v), sign = (all >> 16) & 0x8000, magnitude = all & 0x7FFFFFFF;
  I normal = magnitude - (112 << 23);
  normal = (normal + 0xFFF + ((normal >> 13) & 1)) >> 13;
  I small = bits(floats(magnitude) + 0.5f) - 0x3F000000;  // 0.5's last bit is worth 2^-24, a half's smallest step
  I result = magnitude < 0x38800000 ? small : normal;
  result = magnitude >= 0x477FF000 ? (I)0x7C00 : result;  // 65520 and above round to infinity
  result = magnitude > 0x7F800000 ? (I)(0x7E00 | ((magnitude >> 13) & 0x3FF)) : result;
  U16 h = __builtin_convertvector(result | sign, U16);
  memcpy(p, &h, sizeof h);
}
#endif

INLINE void to_bf16(void *p, V v) {
  U u = __builtin_bit_cast(U, v);
  U rounded = (u + 0x7FFF + ((u >> 16) & 1)) >> 16;
  rounded = (u & 0x7FFFFFFF) > 0x7F800000 ? ((u >> 16) | 0x40) : rounded;  // a NaN keeps its sign and stays one
  U16 h = __builtin_convertvector(rounded, U16);
  memcpy(p, &h, sizeof h);
}

/// A half in a block header, in every lane. As a vector from the start: a scalar half would be inserted into some other
/// register's upper part and wait for it.
INLINE V half_at(const void *p) {
  uint16_t h;
  memcpy(&h, p, sizeof h);
  U16 all = (U16)h;
  return from_f16(&all);
}

// Interleaving whole vectors log2(LANES) times transposes LANES rows; adding the halves log2(LANES) times sums one.
#if LANES == 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define STEPS 4
INLINE float total(V v) {
  typedef float V8 __attribute__((ext_vector_type(8)));
  typedef float V4 __attribute__((ext_vector_type(4)));
  V8 e = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  V4 q = __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
  return (q.x + q.z) + (q.y + q.w);
}
#elif LANES == 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define STEPS 3
INLINE float total(V v) {
  typedef float V4 __attribute__((ext_vector_type(4)));
  V4 q = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  return (q.x + q.z) + (q.y + q.w);
}
#else
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define STEPS 2
INLINE float total(V v) { return (v.x + v.z) + (v.y + v.w); }
#endif

/// Transposes LANES vectors in place.
INLINE void transpose(V *r) {
  UNROLL for (int step = 0; step < STEPS; step++) {
    V t[LANES];
    UNROLL for (int i = 0; i < LANES / 2; i++) {
      t[2 * i] = __builtin_shufflevector(r[i], r[i + LANES / 2], LOW);
      t[2 * i + 1] = __builtin_shufflevector(r[i], r[i + LANES / 2], HIGH);
    }
    UNROLL for (int i = 0; i < LANES; i++) r[i] = t[i];
  }
}

/// The totals of LANES vectors, as one; they are used up.
INLINE V totals(V *r) {
  UNROLL for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++)
      r[i] = __builtin_shufflevector(r[i], r[i + half], LOW) + __builtin_shufflevector(r[i], r[i + half], HIGH);
  return r[0];
}
