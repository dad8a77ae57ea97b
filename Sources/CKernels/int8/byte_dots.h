// One row of x against stored blocks as they lie: the dots of four outputs side by side, which share what is read of x and
// walk memory in four long lines, which the processor reads ahead in by itself. One output alone is the same sum in the
// same order.
#pragma once
#include "bytes.h"

/// Two hundred and fifty-six quantised numbers of x: what one is worth and the worth of their sums, for each 32 and each 16.
struct stretch { int8_t q[256]; float worth[8], sum[8], worths[16], sums[16]; };

static size_t stretch_floats(size_t depth) { return (depth + 255) / 256 * (sizeof(struct stretch) / sizeof(float)); }

static void quantize_stretches(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct stretch *to = (struct stretch *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 256, to++) {
      for (size_t b = 0; b < 8 && k + 32 * b < depth; b++) {
        int32_t low, high;
        float worth = quantize_block(x + k + 32 * b, to->q + 32 * b);
        sums_of_halves(to->q + 32 * b, &low, &high);
        to->worth[b] = to->worths[2 * b] = to->worths[2 * b + 1] = worth;
        to->sum[b] = worth * (float)(low + high);
        to->sums[2 * b] = worth * (float)low;
        to->sums[2 * b + 1] = worth * (float)high;
      }
    }
}

#define SIDE_OUTPUTS 4
typedef float Four __attribute__((ext_vector_type(4)));
typedef _Float16 Halves __attribute__((ext_vector_type(4)));

/// Sums by lanes, and what the minima add.
struct lanes_sum { V products; Four minima; };

INLINE I block_dot(const int format, const uint8_t *b, const int part, B x) {
  B w = numbers_of(format, b, part);
  return format == CK_Q8_0 ? signed_fours(w, x) : whole(first_fours(w, x));
}

/// The halves at b of four neighbouring blocks, or of one and nothing.
INLINE Four four_halves(const uint8_t *b, const int count, const int size) {
  uint64_t word = 0;
  UNROLL for (int i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, b + i * size, 2);
    word |= (uint64_t)half << 16 * i;
  }
  return __builtin_convertvector(__builtin_bit_cast(Halves, word), Four);
}

#define LOWER_HALVES(a, b)                                                                                              \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 32, 33, 34, 35, 36, 37, 38, 39, 40, \
                          41, 42, 43, 44, 45, 46, 47)
#define UPPER_HALVES(a, b)                                                                                              \
  __builtin_shufflevector(a, b, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 48, 49, 50, 51, 52, 53, \
                          54, 55, 56, 57, 58, 59, 60, 61, 62, 63)

/// `count` blocks of 32, four or one, the `at`th of the stretch and on, of each output.
INLINE void add_blocks(const int outputs, const int format, const int size, const int count, const uint8_t **from,
                       const struct stretch *x, size_t at, struct lanes_sum *sums) {
  Four d[SIDE_OUTPUTS], worth = {0}, xs = {0};
  memcpy(&worth, x->worth + at, count * sizeof(float));
  memcpy(&xs, x->sum + at, count * sizeof(float));
  if (format == CK_Q4_0) xs *= -8.0f;
  if (format == CK_Q5_0) xs *= -16.0f;
  UNROLL for (int o = 0; o < outputs; o++) {
    d[o] = four_halves(from[o], count, size);
    if (format == CK_Q4_0 || format == CK_Q5_0) sums[o].minima += d[o] * xs;
    if (format == CK_Q4_1 || format == CK_Q5_1) sums[o].minima += four_halves(from[o] + 2, count, size) * xs;
    d[o] *= worth;
  }
  __asm__("" : "+m"(d));  // to be broadcast from memory: the compiler would widen and scale each half by itself
  // Two blocks at a time: half the scaling, and the numbers need not be put in order, x is instead.
  const int together = format != CK_Q8_0 && count == 4 ? 2 : 1;
  UNROLL for (int i = 0; i < count; i += together) {
    B first = bytes_at(x->q + 32 * (at + i));
    if (together == 1) {
      UNROLL for (int o = 0; o < outputs; o++)
        sums[o].products = numbers(block_dot(format, from[o] + i * size, 0, first)) * splat(d[o][i]) + sums[o].products;
      continue;
    }
    B second = bytes_at(x->q + 32 * (at + i + 1)), lower = LOWER_HALVES(first, second), upper = UPPER_HALVES(first, second);
    UNROLL for (int o = 0; o < outputs; o++) {
      B low, high;
      two_blocks_of(format, from[o] + i * size, &low, &high);
      V by = {d[o][i], d[o][i], d[o][i], d[o][i], d[o][i + 1], d[o][i + 1], d[o][i + 1], d[o][i + 1]};
      sums[o].products = numbers(whole(more_fours(first_fours(low, lower), high, upper))) * by + sums[o].products;
    }
  }
  UNROLL for (int o = 0; o < outputs; o++) from[o] += count * size;
}

INLINE void add_256(const int format, const uint8_t *b, const struct stretch *x, struct lanes_sum *sum) {
  V first, second, minima;
  scales_of_256(format, b, &first, &second);
  if (format == CK_Q6_K) {
    minima = (first * load(x->sums) + second * load(x->sums + 8)) * -32.0f;
    first *= load(x->worths), second *= load(x->worths + 8);
  } else {
    minima = second * load(x->sum);
    first *= load(x->worth);
  }
  sum->minima += __builtin_shufflevector(minima, minima, 0, 1, 2, 3) + __builtin_shufflevector(minima, minima, 4, 5, 6, 7);
  UNROLL for (int part = 0; part < 8; part++) {
    V dot = numbers(block_dot(format, b, part, bytes_at(x->q + 32 * part))), by;
    V own = part < 4 ? first : second;
    if (format != CK_Q6_K) by = splat(first[part]);
    else if (part % 4 == 0) by = __builtin_shufflevector(own, own, 0, 0, 0, 0, 1, 1, 1, 1);
    else if (part % 4 == 1) by = __builtin_shufflevector(own, own, 2, 2, 2, 2, 3, 3, 3, 3);
    else if (part % 4 == 2) by = __builtin_shufflevector(own, own, 4, 4, 4, 4, 5, 5, 5, 5);
    else by = __builtin_shufflevector(own, own, 6, 6, 6, 6, 7, 7, 7, 7);
    sum->products = dot * by + sum->products;
  }
}

/// x times `outputs` stored rows, `apart` outputs from one to the next.
INLINE void side_dots(const int outputs, const int format, const int size, const uint8_t *w, size_t depth, size_t apart,
                      const struct stretch *x, float *y, const float *bias, bool add) {
  const size_t row = depth / ck_block_elements(format) * size;
  const uint8_t *at[SIDE_OUTPUTS];
  struct lanes_sum sums[SIDE_OUTPUTS];
  UNROLL for (int o = 0; o < outputs; o++) {
    at[o] = w + o * apart * row;
    sums[o] = (struct lanes_sum){splat(0), (Four)0.0f};
  }
  if (ck_block_elements(format) == 256) {
    for (; depth; depth -= 256, x++)
      UNROLL for (int o = 0; o < outputs; o++) {
        add_256(format, at[o], x, sums + o);
        at[o] += size;
      }
  } else {
    size_t block = 0;
    for (; depth >= 128; depth -= 128, x += block / 4, block ^= 4) add_blocks(outputs, format, size, 4, at, x, block, sums);
    for (; depth; depth -= 32, block++) add_blocks(outputs, format, size, 1, at, x, block, sums);
  }
  UNROLL for (int o = 0; o < outputs; o++) {
    Four m = sums[o].minima;
    float value = total(sums[o].products) + ((m[0] + m[2]) + (m[1] + m[3]));
    if (bias) value += bias[o * apart];
    y[o * apart] = add ? y[o * apart] + value : value;
  }
}

#define SIDE_FORMAT(CODE, name)                                                                                    \
  static void side_##name(const uint8_t *w, size_t outputs, size_t depth, const struct stretch *x, float *y,       \
                          const float *bias, bool add) {                                                           \
    const size_t row = depth / CK_ELEMENTS_##CODE * CK_BYTES_##CODE, apart = outputs / SIDE_OUTPUTS;               \
    for (size_t o = 0; o < apart; o++)                                                                             \
      side_dots(SIDE_OUTPUTS, CK_##CODE, CK_BYTES_##CODE, w + o * row, depth, apart, x, y + o, bias ? bias + o : NULL, add); \
    for (size_t o = SIDE_OUTPUTS * apart; o < outputs; o++)                                                        \
      side_dots(1, CK_##CODE, CK_BYTES_##CODE, w + o * row, depth, 0, x, y + o, bias ? bias + o : NULL, add);      \
  }
#define FOR_SIDE_FORMATS(WITH) WITH(Q8_0, q8_0) FOR_UNSIGNED_FORMATS(WITH)
FOR_SIDE_FORMATS(SIDE_FORMAT)
#undef SIDE_FORMAT

static void multiply_side(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                          const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  const struct stretch *x = (const struct stretch *)lines;
  for (; rows; rows--, x += (w->columns + 255) / 256, y += y_stride) switch (w->format) {
#define SIDE_CASE(CODE, name) \
  case CK_##CODE: side_##name(base, to - from, w->columns, x, y + from, bias ? bias + from : NULL, add); break;
      FOR_SIDE_FORMATS(SIDE_CASE)
#undef SIDE_CASE
    }
}
