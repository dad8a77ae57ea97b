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

INLINE I block_dot(const int format, const uint8_t *b, const int part, const int8_t *q) {
  B w = numbers_of(format, b, part), x = bytes_at(q);
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

/// `count` blocks of 32, four or one, the `at`th of the stretch and on.
INLINE void add_blocks(const int format, const int size, const int count, const uint8_t *b, const struct stretch *x,
                       size_t at, struct lanes_sum *sum) {
  Four d = four_halves(b, count, size), worth = {0}, xs = {0};
  memcpy(&worth, x->worth + at, count * sizeof(float));
  memcpy(&xs, x->sum + at, count * sizeof(float));
  if (format == CK_Q4_0) sum->minima += d * xs * -8.0f;
  if (format == CK_Q5_0) sum->minima += d * xs * -16.0f;
  if (format == CK_Q4_1 || format == CK_Q5_1) sum->minima += four_halves(b + 2, count, size) * xs;
  d *= worth;
  __asm__("" : "+m"(d));  // to be broadcast from memory: the compiler would widen and scale each half by itself
  UNROLL for (int i = 0; i < count; i++)
    sum->products = numbers(block_dot(format, b + i * size, 0, x->q + 32 * (at + i))) * splat(d[i]) + sum->products;
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
    V dot = numbers(block_dot(format, b, part, x->q + 32 * part)), by;
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
    for (; depth >= 128; depth -= 128, x += block / 4, block ^= 4)
      UNROLL for (int o = 0; o < outputs; o++) {
        add_blocks(format, size, 4, at[o], x, block, sums + o);
        at[o] += 4 * size;
      }
    for (; depth; depth -= 32, block++)
      UNROLL for (int o = 0; o < outputs; o++) {
        add_blocks(format, size, 1, at[o], x, block, sums + o);
        at[o] += size;
      }
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
