// Several rows of x, rounded to bf16 once, against stored bf16 rows as they lie: as many dots side by side as there are
// registers, and all of them summed across lanes together.
#pragma once
#include "lanes.h"
#include "low_precision.h"

static size_t half_line_floats(size_t depth) { return (depth + 31) / 32 * 16; }

static void round_lines(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 32, lines += 16)
      store(lines, pairs_of(x + k, depth - k < 32 ? depth - k : 32));
}

/// rows · outputs ≤ 16 dots.
INLINE void half_dots(const int rows, const int outputs, const uint8_t *w, size_t row_bytes, size_t depth,
                      const float *x, size_t line, float *y, size_t y_stride, const float *bias, bool add) {
  __m512 sums[16];
  UNROLL for (int i = 0; i < 16; i++) sums[i] = _mm512_setzero_ps();
  size_t k = 0;
  for (; k + 32 <= depth; k += 32) {
    __m512bh left[16];
    UNROLL for (int r = 0; r < rows; r++) left[r] = (__m512bh)_mm512_loadu_ps(x + r * line + k / 2);
    UNROLL for (int o = 0; o < outputs; o++) {
      const uint8_t *at = w + o * row_bytes + k * 2;
      ask_for_later(at, outputs * row_bytes);
      __m512bh right = (__m512bh)_mm512_loadu_ps(at);
      UNROLL for (int r = 0; r < rows; r++) sums[o * rows + r] = _mm512_dpbf16_ps(sums[o * rows + r], left[r], right);
    }
  }
  if (k < depth)
    UNROLL for (int o = 0; o < outputs; o++) {
      __m512bh right = (__m512bh)_mm512_maskz_loadu_epi16((1u << (depth - k)) - 1, w + o * row_bytes + k * 2);
      UNROLL for (int r = 0; r < rows; r++)
        sums[o * rows + r] =
            _mm512_dpbf16_ps(sums[o * rows + r], (__m512bh)_mm512_loadu_ps(x + r * line + k / 2), right);
    }
  V all[16];
  UNROLL for (int i = 0; i < 16; i++) all[i] = __builtin_bit_cast(V, sums[i]);
  float values[16];
  store(values, totals(all));
  for (int o = 0; o < outputs; o++)
    for (int r = 0; r < rows; r++) {
      float *to = y + r * y_stride + o, value = values[o * rows + r];
      if (bias) value += bias[o];
      *to = add ? *to + value : value;
    }
}

#define HALF_CASE(n, outputs) \
  case n: half_dots(n, outputs, w, row_bytes, depth, x, line, to, y_stride, bias, add); break;
/// All rows with the same few outputs, whose weights stay near.
INLINE void half_rows(const int outputs, const uint8_t *w, size_t row_bytes, size_t depth, const float *x, size_t rows,
                      float *to, size_t y_stride, const float *bias, bool add) {
  size_t line = half_line_floats(depth), most = 16 / outputs;
  for (; rows > most; rows -= most, x += most * line, to += most * y_stride)
    half_dots(16 / outputs, outputs, w, row_bytes, depth, x, line, to, y_stride, bias, add);
  switch (rows) {
    HALF_CASE(1, outputs) HALF_CASE(2, outputs) HALF_CASE(3, outputs) HALF_CASE(4, outputs)
  default:
    if (outputs > 2) break;
    switch (rows) { HALF_CASE(5, 2) HALF_CASE(6, 2) HALF_CASE(7, 2) HALF_CASE(8, 2) }
  }
}

static void multiply_half_rows(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                               const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  size_t o = from;
  for (; o + 4 <= to; o += 4, base += 4 * w->row_bytes)
    half_rows(4, base, w->row_bytes, w->columns, lines, rows, y + o, y_stride, bias ? bias + o : NULL, add);
  for (; o + 2 <= to; o += 2, base += 2 * w->row_bytes)
    half_rows(2, base, w->row_bytes, w->columns, lines, rows, y + o, y_stride, bias ? bias + o : NULL, add);
  for (; o < to; o++, base += w->row_bytes)
    for (size_t r = 0; r < rows; r++)
      half_dots(1, 1, base, w->row_bytes, w->columns, lines + r * half_line_floats(w->columns), 0, y + r * y_stride + o,
                y_stride, bias ? bias + o : NULL, add);
}
