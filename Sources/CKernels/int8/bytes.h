// Stored blocks as 32 bytes at a time, in the order of the numbers, and dots of such bytes summed by fours: what the int8
// kernels of the levels with vectors of eight are written in. A level's file opens its target and says how fours are
// multiplied. Layouts as in blocks.h.
#pragma once
#include "blocks.h"
#include "fours.h"
#include "low_precision.h"

/// The bits a number of the format has.
INLINE int bits_of(int format) {
  return format == CK_Q8_0 ? 8 : format == CK_Q6_K ? 6 : format == CK_Q5_0 || format == CK_Q5_1 || format == CK_Q5_K ? 5 : 4;
}

typedef uint8_t Half __attribute__((ext_vector_type(16)));
INLINE Half half_bytes_at(const uint8_t *p) { Half v; memcpy(&v, p, sizeof v); return v; }
INLINE B two_halves(Half low, Half high) {
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
}
INLINE B both_nibbles(const uint8_t *p) {
  Half v = half_bytes_at(p);
  return two_halves(v & 15, v >> 4);
}

/// 16 in each byte whose bit of `which` is set in v.
INLINE B fifth_where(B v, B which) { return (B)((v & which) == which) & 16; }

/// The same for bits of the words that stand in the lower and the upper half of v: bit n in byte n of a half, from bit 0 on
/// or from bit 16 on.
INLINE B fifths_of(B v, const int lower_from, const int upper_from) {
#define EIGHT(n) n, n, n, n, n, n, n, n
  B low = __builtin_shufflevector(v, v, EIGHT(0), EIGHT(1), EIGHT(16), EIGHT(17));
  if (lower_from) low = __builtin_shufflevector(v, v, EIGHT(2), EIGHT(3), EIGHT(18), EIGHT(19));
  if (lower_from != upper_from) low = __builtin_shufflevector(v, v, EIGHT(0), EIGHT(1), EIGHT(18), EIGHT(19));
#undef EIGHT
  return fifth_where(low, __builtin_bit_cast(B, (uint64_t __attribute__((ext_vector_type(4))))0x8040201008040201));
}
INLINE I word_at(const void *p) {
  int32_t word;
  memcpy(&word, p, 4);
  return (I)word;
}
/// The same for bit n of the four bytes at p in byte n.
INLINE B fifths(const uint8_t *p) { return fifths_of(__builtin_bit_cast(B, word_at(p)), 0, 16); }

/// Numbers 32·part… of the block at b, u in w = d·u + m; of Q8_0 they are signed.
INLINE B numbers_of(const int format, const uint8_t *b, const int part) {
  switch (format) {
  case CK_Q8_0: return bytes_at(b + 2);
  case CK_Q4_0: return both_nibbles(b + 2);
  case CK_Q4_1: return both_nibbles(b + 4);
  case CK_Q5_0: return both_nibbles(b + 6) | fifths(b + 2);
  case CK_Q5_1: return both_nibbles(b + 8) | fifths(b + 4);
  case CK_Q6_K: {
    B pairs = bytes_at(b + part / 4 * 64 + part % 2 * 32), high = bytes_at(b + 128 + part / 4 * 32);
    return (part % 4 / 2 ? pairs >> 4 : pairs & 15) | (high >> part % 4 * 2 & 3) << 4;
  }
  default: {
    B pairs = bytes_at(b + (format == CK_Q4_K ? 16 : 48) + part / 2 * 32);
    B v = part % 2 ? pairs >> 4 : pairs & 15;
    return format == CK_Q4_K ? v : v | fifth_where(bytes_at(b + 16), all_bytes(1 << part));
  }
  }
}

INLINE V eight_bytes(uint32_t low, uint32_t high) {
  uint64_t both = low | (uint64_t)high << 32;
  return numbers(__builtin_convertvector(__builtin_bit_cast(U8, both), I));
}

/// d and m of each 32 of a block of Q4_K or Q5_K; the d of each 16 of one of Q6_K, whose m is −32·d.
INLINE void scales_of_256(const int format, const uint8_t *b, V *first, V *second) {
  if (format == CK_Q6_K) {
    V d = half_at(b + 208);
    *first = from_i8(b + 192) * d, *second = from_i8(b + 200) * d;
    return;
  }
  uint32_t w[3];
  memcpy(w, b + 4, 12);
  *first = eight_bytes(w[0] & 0x3F3F3F3F, (w[2] & 0x0F0F0F0F) | (w[0] >> 6 & 0x03030303) << 4) * half_at(b);
  *second = eight_bytes(w[1] & 0x3F3F3F3F, (w[2] >> 4 & 0x0F0F0F0F) | (w[1] >> 6 & 0x03030303) << 4) * -half_at(b + 2);
}

/// Thirty-two bytes of eight columns as eight fours of all.
INLINE void turn(B *bytes) {
  V turned[8];
  UNROLL for (int i = 0; i < 8; i++) turned[i] = __builtin_bit_cast(V, bytes[i]);
  transpose(turned);
  UNROLL for (int i = 0; i < 8; i++) bytes[i] = __builtin_bit_cast(B, turned[i]);
}

/// The halves at `at` of eight places. Put together outside the vectors, which have enough to do.
INLINE V eight_halves(const uint8_t *const *b, size_t at) {
  uint64_t __attribute__((ext_vector_type(2))) words;
  UNROLL for (int j = 0; j < 2; j++) {
    uint64_t word = 0;
    UNROLL for (int i = 0; i < 4; i++) {
      uint16_t half;
      memcpy(&half, b[4 * j + i] + at, 2);
      word |= (uint64_t)half << 16 * i;
    }
    words[j] = word;
  }
  return from_f16(&words);
}

/// Thirty-two numbers of x, each times `inverse`, as integers.
INLINE void round_block(const float *x, float inverse, int8_t *q) {
  V v[4];
  UNROLL for (int i = 0; i < 4; i++) v[i] = load(x + 8 * i) * splat(inverse);
  B bytes = rounded_to_bytes(v);
  memcpy(q, &bytes, 32);
}
/// The same as −127…127, and what one is worth. A block with a NaN is worth NaN.
INLINE float quantize_block(const float *x, int8_t *q) {
  V most = splat(0);
  I strange = (I)0;
  UNROLL for (int i = 0; i < 4; i++) {
    V v = load(x + 8 * i);
    strange |= v != v;
    most = larger(absolute(v), most);
  }
  float highest = most[0];
  UNROLL for (int i = 1; i < 8; i++) highest = most[i] > highest ? most[i] : highest;
  bool counts = highest > 0x1p-100f;
  round_block(x, counts ? 127 / highest : 0, q);
  if (__builtin_reduce_or(strange)) return __builtin_nanf("");
  return counts ? highest / 127 : 0;
}
/// The sums of the first and the second sixteen.
INLINE void sums_of_halves(const int8_t *q, int32_t *low, int32_t *high) {
  I sums = whole(first_fours(all_bytes(1), bytes_at(q)));
  *low = sums[0] + sums[1] + sums[2] + sums[3];
  *high = sums[4] + sums[5] + sums[6] + sums[7];
}
