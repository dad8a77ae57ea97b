// Rows of x against stored blocks of 256, the K-quants. Their scales are integers, and so are x's within a block: sums of
// products are scaled in integers and become floats once a block.
#pragma once
#include "sums_of_lanes.h"

#define FOR_BLOCKS_OF_256(WITH) WITH(Q4_K, q4_k) WITH(Q5_K, q5_k) WITH(Q6_K, q6_k)

/// 256 numbers of x: a one of the 32 numbers from 32·b on is worth times[b] · worth, and once more of the same eight.
/// `sums` are the worth of the sums of each 32, then of each 16: of all first sixteen, and of all second.
struct stretch { int8_t q[256]; int16_t times[16]; float sums[8], first[8], second[8], worth, unused[7]; };
/// So that sums of products of 6 bits, of two parts, and of 5 bits, of eight, stay below 2³¹:
/// 2 · 4 · 63 · 127 · 128 · 255 and 8 · 4 · 31 · 127 · 63 · 255.
#define MOST_TIMES 255

static size_t stretch_floats(size_t depth) { return depth / 256 * (sizeof(struct stretch) / sizeof(float)); }

static void quantize_stretches(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct stretch *to = (struct stretch *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 256, to++) {
      float own[8], most = 0;
      bool strange = false;
      for (int b = 0; b < 8; b++) {
        own[b] = quantize_block(x + k + 32 * b, to->q + 32 * b);
        strange |= own[b] != own[b];
        most = own[b] > most ? own[b] : most;
      }
      to->worth = strange ? __builtin_nanf("") : most / MOST_TIMES;
      for (int b = 0; b < 8; b++) {
        int32_t low, high, times = MOST_TIMES;
        if (own[b] < most) {
          // As many as make a one at least as large as it would be, so that no number is cut.
          times = (int32_t)(own[b] / most * MOST_TIMES) + 1;
          if (times > MOST_TIMES) times = MOST_TIMES;
          round_block(x + k + 32 * b, 1 / ((float)times * to->worth), to->q + 32 * b);
        }
        sums_of_halves(to->q + 32 * b, &low, &high);
        float worth = (float)times * to->worth;
        to->times[b] = to->times[8 + b] = (int16_t)times;
        to->sums[b] = worth * (float)(low + high);
        to->first[b] = worth * (float)low;
        to->second[b] = worth * (float)high;
      }
    }
}

/// The scales of a block of K as words: of each 32 twice, or of all first sixteen and all second.
INLINE S scale_words(const int format, const uint8_t *b, uint32_t *minima) {
  int8_t __attribute__((ext_vector_type(16))) bytes;
  if (format == CK_Q6_K) {
    memcpy(&bytes, b + 192, 16);
    bytes = __builtin_shufflevector(bytes, bytes, 0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
  } else {
    uint32_t w[3];
    memcpy(w, b + 4, 12);
    uint64_t scales = (w[0] & 0x3F3F3F3F) | (uint64_t)((w[2] & 0x0F0F0F0F) | (w[0] >> 6 & 0x03030303) << 4) << 32;
    minima[0] = w[1] & 0x3F3F3F3F;
    minima[1] = (w[2] >> 4 & 0x0F0F0F0F) | (w[1] >> 6 & 0x03030303) << 4;
    uint64_t __attribute__((ext_vector_type(2))) twice = scales;
    bytes = __builtin_bit_cast(int8_t __attribute__((ext_vector_type(16))), twice);
  }
  return __builtin_convertvector(bytes, S);
}

/// The scale of part `part` in each word: of a half of 16 where there are such.
INLINE S scale_of_part(S s, const int part) {
#define HALF(n) n, n, n, n, n, n, n, n
#define OF(p) case p: return __builtin_shufflevector(s, s, HALF(p), HALF(8 + p));
  switch (part) { OF(0) OF(1) OF(2) OF(3) OF(4) OF(5) OF(6) default: OF(7) }
#undef OF
#undef HALF
}

/// A stretch of each row with a block of each output.
INLINE void add_stretch(const int rows, const int outputs, const int format, const uint8_t **w,
                        const struct stretch *x, size_t line, struct lanes_sum (*sums)[BESIDE]) {
  I dots[BESIDE][BESIDE];
  S scales[BESIDE];
  V d[BESIDE];
  UNROLL for (int o = 0; o < outputs; o++) {
    uint32_t minima[2];
    scales[o] = scale_words(format, w[o], minima);
    d[o] = half_at(w[o] + (format == CK_Q6_K ? 208 : 0));
    V m, more;
    if (format == CK_Q6_K) {
      m = from_i8(w[o] + 192) * d[o] * -32.0f, more = from_i8(w[o] + 200) * d[o] * -32.0f;
      V even = __builtin_shufflevector(m, more, 0, 2, 4, 6, 8, 10, 12, 14);
      more = __builtin_shufflevector(m, more, 1, 3, 5, 7, 9, 11, 13, 15);
      m = even;
    } else {
      m = eight_bytes(minima[0], minima[1]) * -half_at(w[o] + 2);
    }
    UNROLL for (int r = 0; r < rows; r++) {
      const struct stretch *at = x + r * line;
      V all = format == CK_Q6_K ? m * load(at->first) + more * load(at->second) : m * load(at->sums);
      sums[r][o].minima += __builtin_shufflevector(all, all, 0, 1, 2, 3) + __builtin_shufflevector(all, all, 4, 5, 6, 7);
    }
  }
  const int parts = format == CK_Q6_K ? 2 : 8;
  UNROLL for (int from = 0; from < 8; from += parts) {
    UNROLL for (int part = from; part < from + parts; part++)
      UNROLL for (int o = 0; o < outputs; o++) {
        B numbers = numbers_of(format, w[o], part);
        UNROLL for (int r = 0; r < rows; r++) {
          const struct stretch *at = x + r * line;
          S times;
          memcpy(&times, at->times, sizeof times);
          S scale = scale_of_part(scales[o] * times, part);
          I scaled = scaled_fours(first_fours(numbers, bytes_at(at->q + 32 * part)), scale);
          dots[r][o] = part == from ? scaled : dots[r][o] + scaled;
        }
      }
    UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int r = 0; r < rows; r++)
      sums[r][o].products = numbers(dots[r][o]) * (d[o] * splat(x[r * line].worth)) + sums[r][o].products;
  }
}
