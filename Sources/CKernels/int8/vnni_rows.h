// A few rows of x against weights as they lie: 64 numbers at a time, sixteen running sums of four products each.
#pragma once
#include "vnni.h"

/// Sixty-four quantised numbers of x, and for each four of them −128 times their sum, their worth, and their sum's.
struct line { int8_t q[64]; int32_t offset[16]; float scale[16], sum[16]; };

static size_t line_floats(size_t depth) { return (depth + 63) / 64 * (sizeof(struct line) / sizeof(float)); }

static void quantize_lines(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct line *line = (struct line *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 64, line++) {
      float first = quantize_block(x + k, line->q), second = 0;
      if (k + 32 < depth) second = quantize_block(x + k + 32, line->q + 32);
      else memset(line->q + 32, 0, 32);
      __m512i sums = sums_of_four(_mm512_loadu_si512(line->q));
      __m512 scale = _mm512_insertf32x8(_mm512_set1_ps(first), _mm256_set1_ps(second), 1);
      _mm512_storeu_si512(line->offset, _mm512_mullo_epi32(sums, _mm512_set1_epi32(-128)));
      _mm512_storeu_ps(line->scale, scale);
      _mm512_storeu_ps(line->sum, _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale));
    }
}

INLINE void add_products(const int rows, const int format, bytes_t v, const struct line *x, size_t lines, __m512 *sums) {
  UNROLL for (int r = 0; r < rows; r++) {
    const struct line *line = x + r * lines;
    __m512i dot = _mm512_dpbusd_epi32(_mm512_loadu_si512(line->offset), v.u, _mm512_loadu_si512(line->q));
    __m512 scale = _mm512_mul_ps(v.d, _mm512_loadu_ps(line->scale));
    sums[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, sums[r]);
    if (scaling_of(format) == WITH_MINIMUM) sums[r] = _mm512_fmadd_ps(v.m, _mm512_loadu_ps(line->sum), sums[r]);
  }
}

#define LINE_ROWS 6

/// `rows` dots with one stored row.
INLINE void line_dots(const int rows, const int format, const int size, const uint8_t *w, size_t depth,
                      const struct line *x, size_t lines, float *y, size_t y_stride, const float *bias, bool add) {
  __m512 even[LINE_ROWS], odd[LINE_ROWS];
  UNROLL for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm512_setzero_ps();
  const struct line *at = x;
  if (ck_block_elements(format) == 256) {
    for (; depth; depth -= 256, w += size, at += 4) {
      UNROLL for (int b = 0; b < size; b += 64) ask_for(w + b, AHEAD);
      __m512 scales = scales_of(format, w);
      add_products(rows, format, quarter(format, w, scales, 0), at, lines, even);
      add_products(rows, format, quarter(format, w, scales, 1), at + 1, lines, odd);
      add_products(rows, format, quarter(format, w, scales, 2), at + 2, lines, even);
      add_products(rows, format, quarter(format, w, scales, 3), at + 3, lines, odd);
    }
  } else {
    for (; depth >= 128; depth -= 128, w += 4 * size, at += 2) {
      UNROLL for (int b = 0; b < 4 * size; b += 64) ask_for(w + b, AHEAD);
      add_products(rows, format, two_blocks(format, w, w + size), at, lines, even);
      add_products(rows, format, two_blocks(format, w + 2 * size, w + 3 * size), at + 1, lines, odd);
    }
    if (depth >= 64) {
      add_products(rows, format, two_blocks(format, w, w + size), at, lines, even);
      depth -= 64, w += 2 * size, at++;
    }
    if (depth) add_products(rows, format, two_blocks(format, w, w), at, lines, odd);
  }
  UNROLL for (int r = 0; r < rows; r++) {
    float value = _mm512_reduce_add_ps(_mm512_add_ps(even[r], odd[r]));
    if (bias) value += *bias;
    y[r * y_stride] = add ? y[r * y_stride] + value : value;
  }
}

#define LINES_CASE(n) \
  case n: line_dots(n, format, size, w, depth, x, lines, y, y_stride, bias, add); break;
INLINE void format_lines(const int format, const int size, const uint8_t *w, size_t outputs, size_t depth,
                         const struct line *x, size_t rows, float *y, size_t y_stride, const float *bias, bool add) {
  size_t lines = (depth + 63) / 64;
  // The weights of one output stay near while all rows pass it.
  for (size_t o = 0; o < outputs; o++, w += depth / ck_block_elements(format) * size, y++) {
    const struct line *first = x;
    float *to = y;
    for (size_t left = rows; left;) {
      size_t now = left < LINE_ROWS ? left : LINE_ROWS;
      const struct line *x = first;
      float *y = to;
      switch (now) { LINES_CASE(1) LINES_CASE(2) LINES_CASE(3) LINES_CASE(4) LINES_CASE(5) LINES_CASE(6) }
      left -= now, first += now * lines, to += now * y_stride;
    }
    if (bias) bias++;
  }
}
