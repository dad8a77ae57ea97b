// Stored numbers to floats, once per format: each block either lands in y or is multiplied with x into running sums.
// The products d·q are exact in f32 for every format here, so all levels give the same bits.
// Source of the layouts: ggml-common.h and ggml-quants.c (ggml-org/ggml); the halves lead, except in q6_k.
#pragma once
#include "kernels.h"
#include "lanes.h"

/// Running sums a block is added to; the places alternate so that additions do not wait for each other.
#define BLOCK_SUMS 4
#define EMIT(offset, value)                                                                  \
  do {                                                                                       \
    V emitted = (value);                                                                     \
    if (y) store(y + (offset), emitted);                                                     \
    else sums[(offset) / LANES % BLOCK_SUMS] += emitted * load(x + (offset));                \
  } while (0)

INLINE V numbers(I q) { return __builtin_convertvector(q, V); }
INLINE I lane_numbers(void) {
  I v;
  UNROLL for (int i = 0; i < LANES; i++) v[i] = i;
  return v;
}

// d·q + m for the sixteen values a nibble can take: one look-up where the level has it.
typedef struct { V d, m; } scale_t;
#if HAS_LOOKUP
INLINE scale_t nibble_scale(float d, float m) { return (scale_t){numbers(lane_numbers()) * d + m, splat(0)}; }
INLINE V low_nibble(I q, scale_t s) { return lookup(s.d, q); }
INLINE V high_nibble(I q, scale_t s) { return lookup(s.d, q >> 4); }
#else
INLINE scale_t nibble_scale(float d, float m) { return (scale_t){splat(d), splat(m)}; }
INLINE V low_nibble(I q, scale_t s) { return numbers(q & 15) * s.d + s.m; }
INLINE V high_nibble(I q, scale_t s) { return numbers(q >> 4) * s.d + s.m; }
#endif

INLINE void block_q8_0(const uint8_t *b, const float *x, float *y, V *sums) {
  float d = half_at(b);
  UNROLL for (int o = 0; o < 32; o += LANES) EMIT(o, from_i8(b + 2 + o) * d);
}

INLINE void nibbles(const uint8_t *b, float d, float m, const float *x, float *y, V *sums) {
  scale_t s = nibble_scale(d, m);
  UNROLL for (int o = 0; o < 16; o += LANES) {
    I q = from_u8(b + o);
    EMIT(o, low_nibble(q, s));
    EMIT(o + 16, high_nibble(q, s));
  }
}
INLINE void block_q4_0(const uint8_t *b, const float *x, float *y, V *sums) {
  float d = half_at(b);
  nibbles(b + 2, d, -8 * d, x, y, sums);
}
INLINE void block_q4_1(const uint8_t *b, const float *x, float *y, V *sums) {
  nibbles(b + 4, half_at(b), half_at(b + 2), x, y, sums);
}

INLINE void fives(const uint8_t *b, float d, float m, const float *x, float *y, V *sums) {
  uint32_t high;
  memcpy(&high, b, 4);
  UNROLL for (int o = 0; o < 16; o += LANES) {
    I q = from_u8(b + 4 + o), at = lane_numbers() + o, first = (I)(int32_t)(high & 0xFFFF), second = (I)(int32_t)(high >> 16);
    EMIT(o, numbers((q & 15) | ((first >> at) & 1) << 4) * d + m);
    EMIT(o + 16, numbers((q >> 4) | ((second >> at) & 1) << 4) * d + m);
  }
}
INLINE void block_q5_0(const uint8_t *b, const float *x, float *y, V *sums) {
  float d = half_at(b);
  fives(b + 2, d, -16 * d, x, y, sums);
}
INLINE void block_q5_1(const uint8_t *b, const float *x, float *y, V *sums) {
  fives(b + 4, half_at(b), half_at(b + 2), x, y, sums);
}

// Eight pairs of 6-bit numbers in 12 bytes: four whole, four with their upper two bits kept above the first four.
INLINE void scale_and_minimum(const uint8_t *s, int j, float *scale, float *minimum) {
  *scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
  *minimum = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6) << 4;
}

INLINE void block_q4_k(const uint8_t *b, const float *x, float *y, V *sums) {
  float d = half_at(b), least = half_at(b + 2);
  UNROLL for (int j = 0; j < 4; j++) {
    float s0, m0, s1, m1;
    scale_and_minimum(b + 4, 2 * j, &s0, &m0);
    scale_and_minimum(b + 4, 2 * j + 1, &s1, &m1);
    scale_t first = nibble_scale(d * s0, -least * m0), second = nibble_scale(d * s1, -least * m1);
    UNROLL for (int o = 0; o < 32; o += LANES) {
      I q = from_u8(b + 16 + 32 * j + o);
      EMIT(64 * j + o, low_nibble(q, first));
      EMIT(64 * j + 32 + o, high_nibble(q, second));
    }
  }
}

INLINE void block_q5_k(const uint8_t *b, const float *x, float *y, V *sums) {
  float d = half_at(b), least = half_at(b + 2);
  UNROLL for (int j = 0; j < 4; j++) {
    float s0, m0, s1, m1;
    scale_and_minimum(b + 4, 2 * j, &s0, &m0);
    scale_and_minimum(b + 4, 2 * j + 1, &s1, &m1);
    UNROLL for (int o = 0; o < 32; o += LANES) {
      I q = from_u8(b + 48 + 32 * j + o), high = from_u8(b + 16 + o) >> 2 * j;
      EMIT(64 * j + o, numbers((q & 15) | (high & 1) << 4) * (d * s0) - least * m0);
      EMIT(64 * j + 32 + o, numbers((q >> 4) | (high & 2) << 3) * (d * s1) - least * m1);
    }
  }
}

INLINE void block_q6_k(const uint8_t *b, const float *x, float *y, V *sums) {
  const int8_t *scales = (const int8_t *)b + 192;
  float d = half_at(b + 208);
  UNROLL for (int n = 0; n < 2; n++) UNROLL for (int o = 0; o < 32; o += LANES) {
    I l0 = from_u8(b + 64 * n + o), l1 = from_u8(b + 64 * n + 32 + o), h = from_u8(b + 128 + 32 * n + o);
    const int8_t *s = scales + 8 * n + o / 16;
    EMIT(128 * n + o, numbers(((l0 & 15) | (h & 3) << 4) - 32) * (d * s[0]));
    EMIT(128 * n + 32 + o, numbers(((l1 & 15) | (h & 12) << 2) - 32) * (d * s[2]));
    EMIT(128 * n + 64 + o, numbers(((l0 >> 4) | (h & 48)) - 32) * (d * s[4]));
    EMIT(128 * n + 96 + o, numbers(((l1 >> 4) | (h >> 2 & 48)) - 32) * (d * s[6]));
  }
}

/// `WITH(name, elements, bytes)` for each block format.
#define FOR_BLOCK_FORMATS(WITH)                                                                                  \
  WITH(Q8_0, q8_0, 32, 34) WITH(Q4_0, q4_0, 32, 18) WITH(Q4_1, q4_1, 32, 20) WITH(Q5_0, q5_0, 32, 22)            \
  WITH(Q5_1, q5_1, 32, 24) WITH(Q4_K, q4_k, 256, 144) WITH(Q5_K, q5_k, 256, 176) WITH(Q6_K, q6_k, 256, 210)

#define FOR_PLAIN_FORMATS(WITH) WITH(F32, f32, 4) WITH(F16, f16, 2) WITH(BF16, bf16, 2)
INLINE V from_f32(const void *p) { V v; memcpy(&v, p, sizeof v); return v; }

// The last few plain numbers of a row, through a copy so that nothing past them is read; the rest are zeros.
#define PART(CODE, name, size)                                         \
  INLINE V part_##name(const void *p, size_t count) {                  \
    char buffer[LANES * size] = {0};                                   \
    memcpy(buffer, p, count * size);                                   \
    return from_##name(buffer);                                        \
  }
FOR_PLAIN_FORMATS(PART)
#undef PART

static void widen(int format, const void *bytes, size_t count, float *y) {
  const uint8_t *b = bytes;
  switch (format) {
#define PLAIN(CODE, name, size)                                                              \
  case CK_##CODE: {                                                                          \
    size_t i = 0;                                                                            \
    for (; i + LANES <= count; i += LANES) store(y + i, from_##name(b + i * size));          \
    if (i < count) store_part(y + i, count - i, part_##name(b + i * size, count - i));       \
    break;                                                                                   \
  }
    FOR_PLAIN_FORMATS(PLAIN)
#undef PLAIN
#define BLOCKS(CODE, name, elements, size)                                                          \
  case CK_##CODE:                                                                                   \
    for (size_t i = 0; i < count; i += elements, b += size) block_##name(b, NULL, y + i, NULL);     \
    break;
    FOR_BLOCK_FORMATS(BLOCKS)
#undef BLOCKS
  }
}

static void narrow_f16(const float *x, size_t count, void *bytes) {
  uint16_t *h = bytes, last[LANES];
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) to_f16(h + i, load(x + i));
  if (i == count) return;
  to_f16(last, load_part(x + i, count - i, 0));
  memcpy(h + i, last, (count - i) * 2);
}

static void narrow_bf16(const float *x, size_t count, void *bytes) {
  uint16_t *h = bytes, last[LANES];
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) to_bf16(h + i, load(x + i));
  if (i == count) return;
  to_bf16(last, load_part(x + i, count - i, 0));
  memcpy(h + i, last, (count - i) * 2);
}
