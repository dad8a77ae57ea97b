// One row of x against weights as they lie: the dots of four outputs side by side, which share what is read of x and
// walk memory in four long lines. One output alone is the same sum in the same order.
#pragma once
#include "vnni_rows.h"

#define DOT_OUTPUTS 4

INLINE void block_dots(const int outputs, const int format, const int size, const uint8_t *const *rows, size_t depth,
                       const struct line *x, __m512 *sums) {
  const uint8_t *w[DOT_OUTPUTS];
  UNROLL for (int o = 0; o < outputs; o++) w[o] = rows[o];
  if (ck_block_elements(format) == 256) {
    for (; depth; depth -= 256, x += 4)
      UNROLL for (int o = 0; o < outputs; o++) {
        UNROLL for (int b = 0; b < size; b += 64) ask_for(w[o] + b, AHEAD);
        __m512 scales = scales_of(format, w[o]);
        UNROLL for (int part = 0; part < 4; part++)
          add_products(1, format, quarter(format, w[o], scales, part), x + part, 0, sums + o);
        w[o] += size;
      }
    return;
  }
  for (; depth >= 64; depth -= 64, x++)
    UNROLL for (int o = 0; o < outputs; o++) {
      UNROLL for (int b = 0; b < 2 * size; b += 64) ask_for(w[o] + b, AHEAD);
      add_products(1, format, two_blocks(format, w[o], w[o] + size), x, 0, sums + o);
      w[o] += 2 * size;
    }
  if (depth)
    UNROLL for (int o = 0; o < outputs; o++) add_products(1, format, two_blocks(format, w[o], w[o]), x, 0, sums + o);
}

INLINE void some_dots(const int outputs, const int format, const int size, const uint8_t *const *rows, size_t depth,
                      const struct line *x, float *y, size_t apart, const float *bias, bool add) {
  __m512 sums[DOT_OUTPUTS];
  UNROLL for (int o = 0; o < outputs; o++) sums[o] = _mm512_setzero_ps();
  block_dots(outputs, format, size, rows, depth, x, sums);
  UNROLL for (int o = 0; o < outputs; o++) {
    float value = _mm512_reduce_add_ps(sums[o]);
    if (bias) value += bias[o * apart];
    y[o * apart] = add ? y[o * apart] + value : value;
  }
}

INLINE void format_dots(const int format, const int size, const uint8_t *w, size_t outputs, size_t depth,
                        const struct line *x, float *y, const float *bias, bool add) {
  size_t row = depth / ck_block_elements(format) * size, apart = outputs / DOT_OUTPUTS;
  for (size_t o = 0; o < apart; o++) {
    const uint8_t *rows[DOT_OUTPUTS];
    UNROLL for (size_t i = 0; i < DOT_OUTPUTS; i++) rows[i] = w + (o + i * apart) * row;
    some_dots(DOT_OUTPUTS, format, size, rows, depth, x, y + o, apart, bias ? bias + o : NULL, add);
  }
  for (size_t o = DOT_OUTPUTS * apart; o < outputs; o++) {
    const uint8_t *rows[1] = {w + o * row};
    some_dots(1, format, size, rows, depth, x, y + o, 0, bias ? bias + o : NULL, add);
  }
}

#define FORMAT_LINES(CODE, name)                                                                                   \
  static void lines_##name(const uint8_t *w, size_t outputs, size_t depth, const struct line *x, size_t rows,      \
                           float *y, size_t y_stride, const float *bias, bool add, bool alike) {                   \
    if (rows == 1 && !alike) format_dots(CK_##CODE, CK_BYTES_##CODE, w, outputs, depth, x, y, bias, add);                    \
    else format_lines(CK_##CODE, CK_BYTES_##CODE, w, outputs, depth, x, rows, y, y_stride, bias, add);             \
  }
/// The formats whose dots are here; those of blocks of 32 by fours are in vnni_wide.h.
#define FOR_LINE_FORMATS(WITH) WITH(Q5_0, q5_0) WITH(Q5_1, q5_1) WITH(Q4_K, q4_k) WITH(Q5_K, q5_k) WITH(Q6_K, q6_k)
#define FOR_BYTE_FORMATS(WITH) WITH(Q8_0, q8_0) WITH(Q4_0, q4_0) WITH(Q4_1, q4_1) FOR_LINE_FORMATS(WITH)
FOR_LINE_FORMATS(FORMAT_LINES)

INLINE void multiply_lines_in(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                              const float *bias, float *y, size_t y_stride, bool add, bool alike) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  switch (w->format) {
#define ROWS_CASE(CODE, name)                                                                                      \
  case CK_##CODE: lines_##name(base, to - from, w->columns, (const struct line *)lines, rows, y + from, y_stride,  \
                               bias ? bias + from : NULL, add, alike); break;
    FOR_LINE_FORMATS(ROWS_CASE)
#undef ROWS_CASE
  }
}
static void multiply_lines(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                           const float *bias, float *y, size_t y_stride, bool add) {
  multiply_lines_in(w, from, to, lines, rows, bias, y, y_stride, add, false);
}
/// One row is the same sum in the same order as among others.
static void multiply_lines_alike(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                                 const float *bias, float *y, size_t y_stride, bool add) {
  multiply_lines_in(w, from, to, lines, rows, bias, y, y_stride, add, true);
}
