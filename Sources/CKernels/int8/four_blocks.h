// Rows of x against stored blocks of 32, four of them at a time.
#pragma once
#include "sums_of_lanes.h"

#define FOR_UNSIGNED_OF_32(WITH) WITH(Q4_0, q4_0) WITH(Q4_1, q4_1) WITH(Q5_0, q5_0) WITH(Q5_1, q5_1)
#define FOR_BLOCKS_OF_32(WITH) WITH(Q8_0, q8_0) FOR_UNSIGNED_OF_32(WITH)

/// Four blocks of x. Two neighbours are multiplied at once, each in half a vector: the first sixteen numbers of both, then
/// the second. `worth` is what a one is worth in blocks 0 2 0 2 and 1 3 1 3; `sum` the worth of the blocks' sums.
struct four_blocks { int8_t q[128]; float worth[8], sum[4], unused[4]; };

static size_t four_blocks_floats(size_t depth) { return (depth + 127) / 128 * (sizeof(struct four_blocks) / sizeof(float)); }

static void quantize_four_blocks(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct four_blocks *to = (struct four_blocks *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 128, to++) {
      memset(to, 0, sizeof *to);
      for (size_t b = 0; b < 4 && k + 32 * b < depth; b++) {
        int8_t q[32];
        int32_t low, high;
        float worth = quantize_block(x + k + 32 * b, q);
        sums_of_halves(q, &low, &high);
        memcpy(to->q + b / 2 * 64 + b % 2 * 16, q, 16);
        memcpy(to->q + b / 2 * 64 + b % 2 * 16 + 32, q + 16, 16);
        float *own = to->worth + b % 2 * 4 + b / 2;
        own[0] = own[2] = worth;
        to->sum[b] = worth * (float)(low + high);
      }
    }
}

INLINE uint64_t half_bits(const uint8_t *b) {
  uint16_t half;
  memcpy(&half, b, 2);
  return half;
}
/// The halves at b of four neighbouring blocks, and the same in the order of `four_blocks`.
INLINE Four four_halves(const uint8_t *b, const int size) {
  uint64_t word = half_bits(b) | half_bits(b + size) << 16 | half_bits(b + 2 * size) << 32 | half_bits(b + 3 * size) << 48;
  return __builtin_convertvector(__builtin_bit_cast(Halves, word), Four);
}
INLINE V pairs_of_halves(const uint8_t *b, const int size) {
  uint64_t __attribute__((ext_vector_type(2))) words = {
      (half_bits(b) | half_bits(b + 2 * size) << 16) * 0x100000001,
      (half_bits(b + size) | half_bits(b + 3 * size) << 16) * 0x100000001};
  return from_f16(&words);
}

/// The first sixteen numbers of the block of 32 at b and of the next, and the second sixteen, as in `numbers_of`.
INLINE void two_blocks_of(const int format, const uint8_t *b, B *low, B *high) {
  const int size = (int)ck_block_bytes(format), at = size - 16, bits = format == CK_Q5_0 ? 2 : 4;
  if (format == CK_Q8_0) {
    *low = two_halves(half_bytes_at(b + 2), half_bytes_at(b + size + 2));
    *high = two_halves(half_bytes_at(b + 18), half_bytes_at(b + size + 18));
    return;
  }
  B both = two_halves(half_bytes_at(b + at), half_bytes_at(b + size + at));
  *low = both & 15, *high = both >> 4;
  if (bits_of(format) == 5) {
    B words = __builtin_bit_cast(B, __builtin_shufflevector(word_at(b + bits), word_at(b + size + bits), 0, 1, 2, 3, 12,
                                                            13, 14, 15));
    *low |= fifths_of(words, 0, 0), *high |= fifths_of(words, 16, 16);
  }
}

/// Four blocks of each row with four of each output.
INLINE void add_four_blocks(const int rows, const int outputs, const int format, const int size, const uint8_t **w,
                            const struct four_blocks *x, size_t line, struct lanes_sum (*sums)[BESIDE]) {
  V d[BESIDE];
  UNROLL for (int o = 0; o < outputs; o++) {
    d[o] = pairs_of_halves(w[o], size);
    if (format == CK_Q8_0) continue;
    Four m = format == CK_Q4_1 || format == CK_Q5_1 ? four_halves(w[o] + 2, size)
                                                    : four_halves(w[o], size) * (format == CK_Q4_0 ? -8.0f : -16.0f);
    UNROLL for (int r = 0; r < rows; r++) {
      Four xs;
      memcpy(&xs, x[r * line].sum, sizeof xs);
      sums[r][o].minima += m * xs;
    }
  }
  UNROLL for (int i = 0; i < 2; i++) {
    B low[BESIDE], high[BESIDE];
    UNROLL for (int o = 0; o < outputs; o++) two_blocks_of(format, w[o] + 2 * i * size, low + o, high + o);
    UNROLL for (int r = 0; r < rows; r++) {
      B lower = bytes_at(x[r * line].q + 64 * i), upper = bytes_at(x[r * line].q + 64 * i + 32);
      UNROLL for (int o = 0; o < outputs; o++) {
        V by = d[o] * load(x[r * line].worth);
        by = i ? __builtin_shufflevector(by, by, 1, 1, 1, 1, 5, 5, 5, 5)
               : __builtin_shufflevector(by, by, 0, 0, 0, 0, 4, 4, 4, 4);
        I dots = format == CK_Q8_0 ? signed_fours(low[o], lower) + signed_fours(high[o], upper)
                                   : whole(more_fours(first_fours(low[o], lower), high[o], upper));
        sums[r][o].products = numbers(dots) * by + sums[r][o].products;
      }
    }
  }
}
