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

// d·q + m for what four bits can say, and for five of which one stands elsewhere: look-ups where the level has them.
// Of q only the lower four bits count, whatever stands above them.
typedef struct { V first, second; } scale_t;
#if HAS_LOOKUP
INLINE scale_t scale_of(V d, V m) {
  return (scale_t){numbers(lane_numbers()) * d + m, numbers(lane_numbers() + 16) * d + m};
}
INLINE V four_bits(I q, scale_t s) { return lookup(s.first, q); }
INLINE V five_bits(I q, I fifth, scale_t s) { return pick(fifth, lookup(s.second, q), lookup(s.first, q)); }
#else
INLINE scale_t scale_of(V d, V m) { return (scale_t){d, m}; }
INLINE V four_bits(I q, scale_t s) { return numbers(q & 15) * s.first + s.second; }
INLINE V five_bits(I q, I fifth, scale_t s) { return numbers((q & 15) | (fifth & 16)) * s.first + s.second; }
#endif

INLINE void block_q8_0(const uint8_t *b, const float *x, float *y, V *sums) {
  V d = half_at(b);
  UNROLL for (int o = 0; o < 32; o += LANES) EMIT(o, from_i8(b + 2 + o) * d);
}

INLINE void nibbles(const uint8_t *b, V d, V m, const float *x, float *y, V *sums) {
  scale_t s = scale_of(d, m);
  UNROLL for (int o = 0; o < 16; o += LANES) {
    I q = from_u8(b + o);
    EMIT(o, four_bits(q, s));
    EMIT(o + 16, four_bits(q >> 4, s));
  }
}
INLINE void block_q4_0(const uint8_t *b, const float *x, float *y, V *sums) {
  V d = half_at(b);
  nibbles(b + 2, d, d * -8, x, y, sums);
}
INLINE void block_q4_1(const uint8_t *b, const float *x, float *y, V *sums) {
  nibbles(b + 4, half_at(b), half_at(b + 2), x, y, sums);
}

INLINE void fives(const uint8_t *b, V d, V m, const float *x, float *y, V *sums) {
  int32_t high;
  memcpy(&high, b, 4);
  scale_t s = scale_of(d, m);
  UNROLL for (int o = 0; o < 16; o += LANES) {
    I q = from_u8(b + 4 + o), bit = (I)1 << (lane_numbers() + o);
    EMIT(o, five_bits(q, ((I)high & bit) != 0, s));
    EMIT(o + 16, five_bits(q >> 4, ((I)high & bit << 16) != 0, s));
  }
}
INLINE void block_q5_0(const uint8_t *b, const float *x, float *y, V *sums) {
  V d = half_at(b);
  fives(b + 2, d, d * -16, x, y, sums);
}
INLINE void block_q5_1(const uint8_t *b, const float *x, float *y, V *sums) {
  fives(b + 4, half_at(b), half_at(b + 2), x, y, sums);
}

/// Sixteen floats to be read back one at a time as broadcasts; left to itself the compiler shuffles them out of a
/// register, and shuffles are what these loops have too many of.
INLINE void keep_in_memory(float *values) { __asm__("" : "+m"(*(float(*)[16])values)); }

// Eight scales, then eight minima, of six bits each in 12 bytes, taken apart four at a time: the first four of each are
// the lower bits of words 0 and 1; the others have four bits in word 2 and two above the first ones.
INLINE void scales_and_minima(const uint8_t *packed, float *values) {
  typedef uint32_t Words __attribute__((ext_vector_type(4)));
  uint32_t w[3];
  memcpy(w, packed, 12);
  // Put together in registers: four small stores read back as one would have to wait for all of them.
  Words bytes = {
      w[0] & 0x3F3F3F3F, (w[2] & 0x0F0F0F0F) | (w[0] >> 6 & 0x03030303) << 4,
      w[1] & 0x3F3F3F3F, (w[2] >> 4 & 0x0F0F0F0F) | (w[1] >> 6 & 0x03030303) << 4};
#if LANES == 16
  store(values, numbers(__builtin_convertvector(__builtin_bit_cast(U8, bytes), I)));
#else
  UNROLL for (int i = 0; i < 16; i += LANES) store(values + i, numbers(from_u8((uint8_t *)&bytes + i)));
#endif
  keep_in_memory(values);
}

INLINE void block_q4_k(const uint8_t *b, const float *x, float *y, V *sums) {
  V d = half_at(b), least = -half_at(b + 2);
  float values[16];
  scales_and_minima(b + 4, values);
  UNROLL for (int j = 0; j < 8; j += 2) {
    scale_t low = scale_of(d * values[j], least * values[8 + j]);
    scale_t high = scale_of(d * values[j + 1], least * values[9 + j]);
    UNROLL for (int o = 0; o < 32; o += LANES) {
      I q = from_u8(b + 16 + 16 * j + o);
      EMIT(32 * j + o, four_bits(q, low));
      EMIT(32 * j + 32 + o, four_bits(q >> 4, high));
    }
  }
}

INLINE void block_q5_k(const uint8_t *b, const float *x, float *y, V *sums) {
  V d = half_at(b), least = -half_at(b + 2);
  float values[16];
  scales_and_minima(b + 4, values);
  UNROLL for (int j = 0; j < 8; j += 2) {
    scale_t low = scale_of(d * values[j], least * values[8 + j]);
    scale_t high = scale_of(d * values[j + 1], least * values[9 + j]);
    UNROLL for (int o = 0; o < 32; o += LANES) {
      I q = from_u8(b + 48 + 16 * j + o), fifths = from_u8(b + 16 + o);
      EMIT(32 * j + o, five_bits(q, (fifths & 1 << j) != 0, low));
      EMIT(32 * j + 32 + o, five_bits(q >> 4, (fifths & 2 << j) != 0, high));
    }
  }
}

INLINE void block_q6_k(const uint8_t *b, const float *x, float *y, V *sums) {
  V d = half_at(b + 208);
  float values[16], middles[16];  // scales, and what takes the 32 off
  UNROLL for (int i = 0; i < 16; i += LANES) {
    V scale = from_i8(b + 192 + i) * d;
    store(values + i, scale);
    store(middles + i, scale * -32);
  }
  keep_in_memory(values);
  keep_in_memory(middles);
  UNROLL for (int n = 0; n < 2; n++) UNROLL for (int o = 0; o < 32; o += LANES) {
    I l0 = from_u8(b + 64 * n + o), l1 = from_u8(b + 64 * n + 32 + o), h = from_u8(b + 128 + 32 * n + o);
    const float *s = values + 8 * n + o / 16, *m = middles + 8 * n + o / 16;
    EMIT(128 * n + o, numbers((l0 & 15) | (h << 4 & 48)) * s[0] + m[0]);
    EMIT(128 * n + 32 + o, numbers((l1 & 15) | (h << 2 & 48)) * s[2] + m[2]);
    EMIT(128 * n + 64 + o, numbers((l0 >> 4) | (h & 48)) * s[4] + m[4]);
    EMIT(128 * n + 96 + o, numbers((l1 >> 4) | (h >> 2 & 48)) * s[6] + m[6]);
  }
}

// The last few plain numbers of a row, through a copy so that nothing past them is read; the rest are zeros.
#define PART(CODE, name, size)                                         \
  INLINE V part_##name(const void *p, size_t count) {                  \
    char buffer[LANES * size] = {0};                                   \
    memcpy(buffer, p, count * size);                                   \
    return from_##name(buffer);                                        \
  }
CK_FOR_PLAIN_FORMATS(PART)
#undef PART
