// Matrix multiplication in bf16 by vdpbf16ps: what is f32 is rounded to bf16 once, two of the depth in one instruction, sums in f32.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,f16c"))), apply_to = function)
#define LANES 16
#define NATIVE_HALF 1
#include "kernels.h"
#include "lanes.h"
#include "low_precision.h"

#define PAIR_ROWS 14

static size_t pair_row_floats(size_t depth) { return (depth + 1) / 2; }
static size_t pair_panel_floats(size_t depth) { return (depth + 1) / 2 * CK_PANEL; }

/// The first `count` ≤ 32 numbers at p as sixteen pairs; the rest zeros.
INLINE V pairs_of(const float *p, size_t count) {
  __m512 low = _mm512_maskz_loadu_ps(count >= 16 ? 0xFFFF : (1u << count) - 1, p);
  __m512 high = count > 16 ? _mm512_maskz_loadu_ps(count >= 32 ? 0xFFFF : (1u << (count - 16)) - 1, p + 16)
                           : _mm512_setzero_ps();
  return __builtin_bit_cast(V, _mm512_cvtne2ps_pbh(high, low));
}

#include "bf16_several.h"

/// Rows of x in tiles of up to 14: [tile][pair of the depth][row of the tile].
static void pack_pair_rows(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  size_t pairs = (depth + 1) / 2;
  for (size_t r = 0; r < rows; r += PAIR_ROWS) {
    size_t height = rows - r < PAIR_ROWS ? rows - r : PAIR_ROWS;
    __mmask16 own = (__mmask16)((1u << height) - 1);
    for (size_t p = 0; p < pairs; p += 16) {
      V block[16];
      size_t count = depth - 2 * p < 32 ? depth - 2 * p : 32;
      for (size_t i = 0; i < 16; i++) block[i] = i < height ? pairs_of(x + (r + i) * stride + 2 * p, count) : splat(0);
      transpose(block);
      for (size_t i = 0; i < 16 && p + i < pairs; i++)
        _mm512_mask_storeu_ps(packed + (p + i) * height, own, __builtin_bit_cast(__m512, block[i]));
    }
    packed += height * pairs;
  }
}

/// Two rows of 16 numbers as sixteen pairs: the first of a pair from `first`.
INLINE V pairs_across(__m512 first, __m512 second) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
  return __builtin_bit_cast(V, _mm512_permutexvar_epi16(order, both));
}

/// The same tiles from memory that has the depth outside: element (r, k) at x[k · stride + r].
static void pack_pair_rows_transposed(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  size_t pairs = (depth + 1) / 2;
  for (size_t p = 0; p < pairs; p++) {
    const float *first = x + 2 * p * stride, *second = first + stride;
    bool whole = 2 * p + 1 < depth;
    for (size_t r = 0; r < rows; r += PAIR_ROWS) {
      size_t height = rows - r < PAIR_ROWS ? rows - r : PAIR_ROWS;
      __mmask16 own = (__mmask16)((1u << height) - 1);
      V pair = pairs_across(_mm512_maskz_loadu_ps(own, first + r),
                            _mm512_maskz_loadu_ps(whole ? own : 0, second + r));
      _mm512_mask_storeu_ps(packed + r * pairs + p * height, own, __builtin_bit_cast(__m512, pair));
    }
  }
}

/// The first `count` ≤ 16 numbers of a stored row, f32 or bf16.
INLINE __m512 row_part(const uint8_t *row, int format, size_t at, size_t count) {
  __mmask16 own = count >= 16 ? 0xFFFF : (__mmask16)((1u << count) - 1);
  if (format == CK_F32) return _mm512_maskz_loadu_ps(own, row + 4 * at);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(own, row + 2 * at)), 16));
}

/// Panels whose columns are columns of w and whose depth runs over its rows.
static void pack_pair_panels_transposed(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth,
                                        float *panels) {
  size_t pairs = (depth + 1) / 2;
  for (size_t p = 0; p < pairs; p++) {
    const uint8_t *first = (const uint8_t *)w->base + (k + 2 * p) * w->row_bytes;
    bool whole = 2 * p + 1 < depth;
    const uint8_t *second = whole ? first + w->row_bytes : first;
    for (size_t c = from; c < to; c += 16) {
      size_t count = to - c < 16 ? to - c : 16;
      V pair = pairs_across(row_part(first, w->format, c, count), row_part(second, w->format, c, whole ? count : 0));
      size_t column = c - from;
      store(panels + (column / CK_PANEL * pairs + p) * CK_PANEL + column % CK_PANEL, pair);
    }
  }
}

/// Panels of stored rows, bf16 or rounded to it: [panel][pair of the depth][32 columns][2].
static void pack_pair_panels(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels) {
  size_t pairs = (depth + 1) / 2, size = ck_block_bytes(w->format);
  for (size_t c = from; c < to; c += CK_PANEL, panels += CK_PANEL * pairs)
    for (size_t group = 0; group < CK_PANEL; group += 16) {
      const uint8_t *row[16];
      for (size_t i = 0; i < 16; i++)
        row[i] = (const uint8_t *)w->base + (c + group + i < to ? c + group + i : to - 1) * w->row_bytes + size * k;
      for (size_t p = 0; p < pairs; p += 16) {
        V block[16];
        size_t left = depth - 2 * p;
        if (w->format == CK_F32) {
          for (int i = 0; i < 16; i++) block[i] = pairs_of((const float *)row[i] + 2 * p, left < 32 ? left : 32);
        } else if (left >= 32) {
          UNROLL for (int i = 0; i < 16; i++) block[i] = from_f32(row[i] + 4 * p);
        } else {
          for (int i = 0; i < 16; i++)
            block[i] = __builtin_bit_cast(V, _mm512_maskz_loadu_epi16((1u << left) - 1, row[i] + 4 * p));
        }
        transpose(block);
        if (left >= 32) {
          UNROLL for (int i = 0; i < 16; i++) store(panels + (p + i) * CK_PANEL + group, block[i]);
        } else {
          for (size_t i = 0; p + i < pairs; i++) store(panels + (p + i) * CK_PANEL + group, block[i]);
        }
      }
    }
}

INLINE void pair_tile(const int rows, const float *x, const float *w, size_t pairs, float *y, size_t stride,
                      size_t columns, bool add, const float *bias) {
  __m512 sums[PAIR_ROWS][2];
  UNROLL for (int i = 0; i < rows; i++) {
    sums[i][0] = sums[i][1] = _mm512_setzero_ps();
    __builtin_prefetch(y + i * stride, 1);
  }
  for (; pairs; pairs--, x += rows, w += CK_PANEL) {
    __m512bh first = (__m512bh)_mm512_loadu_ps(w), second = (__m512bh)_mm512_loadu_ps(w + 16);
    UNROLL for (int i = 0; i < rows; i++) {
      __m512bh value = (__m512bh)_mm512_set1_ps(x[i]);
      sums[i][0] = _mm512_dpbf16_ps(sums[i][0], value, first);
      sums[i][1] = _mm512_dpbf16_ps(sums[i][1], value, second);
    }
  }
  UNROLL for (size_t j = 0; j < 2; j++) {
    __mmask16 mask = columns >= 16 * (j + 1) ? 0xFFFF : columns <= 16 * j ? 0 : (__mmask16)((1u << (columns - 16 * j)) - 1);
    UNROLL for (int i = 0; i < rows; i++) {
      __m512 value = sums[i][j];
      if (bias) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, bias + 16 * j));
      if (add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, y + i * stride + 16 * j));
      _mm512_mask_storeu_ps(y + i * stride + 16 * j, mask, value);
    }
  }
}

#define PAIR_CASE(n) case n: pair_tile(n, x, w, pairs, to, stride, width, add, tile_bias); break;
static void multiply_pair_panels(int format, const float *x, size_t rows, const float *panels, size_t columns,
                                 size_t depth, float *y, size_t stride, bool add, const float *bias) {
  (void)format;
  size_t pairs = (depth + 1) / 2;
  for (size_t r = 0; r < rows; r += PAIR_ROWS, x += PAIR_ROWS * pairs) {
    size_t height = rows - r < PAIR_ROWS ? rows - r : PAIR_ROWS;
    for (size_t c = 0; c < columns; c += CK_PANEL) {
      const float *w = panels + c * pairs, *tile_bias = bias ? bias + c : NULL;
      float *to = y + r * stride + c;
      size_t width = columns - c < CK_PANEL ? columns - c : CK_PANEL;
      switch (height) {
        PAIR_CASE(1) PAIR_CASE(2) PAIR_CASE(3) PAIR_CASE(4) PAIR_CASE(5) PAIR_CASE(6) PAIR_CASE(7)
        PAIR_CASE(8) PAIR_CASE(9) PAIR_CASE(10) PAIR_CASE(11) PAIR_CASE(12) PAIR_CASE(13) PAIR_CASE(14)
      }
    }
  }
}

// One row of x, rounded once, against weights as they lie: four outputs side by side, which share what is read of x
// and walk memory in four long lines, which the processor reads ahead in by itself (asking for them costs up to 8 %).
// One output alone is the same sum in the same order.
#define DOT_OUTPUTS 4

INLINE void pair_dots(const int outputs, const uint8_t *w, size_t apart, size_t depth, const float *x, float *y,
                      size_t y_apart, const float *bias, bool add) {
  __m512 even[DOT_OUTPUTS], odd[DOT_OUTPUTS];
  UNROLL for (int o = 0; o < outputs; o++) even[o] = odd[o] = _mm512_setzero_ps();
  for (; depth >= 64; depth -= 64, w += 128, x += 32) {
    __m512bh first = (__m512bh)_mm512_loadu_ps(x), second = (__m512bh)_mm512_loadu_ps(x + 16);
    UNROLL for (int o = 0; o < outputs; o++) {
      const uint8_t *from = w + o * apart;
      even[o] = _mm512_dpbf16_ps(even[o], (__m512bh)_mm512_loadu_ps(from), first);
      odd[o] = _mm512_dpbf16_ps(odd[o], (__m512bh)_mm512_loadu_ps(from + 64), second);
    }
  }
  for (; depth; w += 64, x += 16) {
    size_t count = depth < 32 ? depth : 32;
    __mmask32 own = (__mmask32)(0xFFFFFFFFu >> (32 - count));
    __m512bh value = (__m512bh)_mm512_loadu_ps(x);
    UNROLL for (int o = 0; o < outputs; o++)
      even[o] = _mm512_dpbf16_ps(even[o], (__m512bh)_mm512_maskz_loadu_epi16(own, w + o * apart), value);
    depth -= count;
  }
  UNROLL for (int o = 0; o < outputs; o++) {
    float value = _mm512_reduce_add_ps(_mm512_add_ps(even[o], odd[o]));
    if (bias) value += bias[o * y_apart];
    y[o * y_apart] = add ? y[o * y_apart] + value : value;
  }
}

static void multiply_pair_lines(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                                const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  size_t outputs = to - from, apart = outputs / DOT_OUTPUTS, line = half_line_floats(w->columns);
  y += from;
  if (bias) bias += from;
  for (size_t o = 0; o < apart; o++)
    for (size_t r = 0; r < rows; r++)
      pair_dots(DOT_OUTPUTS, base + o * w->row_bytes, apart * w->row_bytes, w->columns, lines + r * line,
                y + r * y_stride + o, apart, bias ? bias + o : NULL, add);
  for (size_t o = DOT_OUTPUTS * apart; o < outputs; o++)
    for (size_t r = 0; r < rows; r++)
      pair_dots(1, base + o * w->row_bytes, 0, w->columns, lines + r * line, y + r * y_stride + o, 0,
                bias ? bias + o : NULL, add);
}
#pragma clang attribute pop

const struct ck_low_precision_rows ck_bf16_several = {1u << CK_BF16, 16, half_line_floats, round_lines, multiply_half_rows};
const struct ck_low_precision_panels ck_bf16_panels = {
    1u << CK_F32 | 1u << CK_BF16, PAIR_ROWS, 32, pair_row_floats, pair_panel_floats, pack_pair_rows, pack_pair_panels,
    pack_pair_rows_transposed, pack_pair_panels_transposed, multiply_pair_panels};
const struct ck_low_precision_rows ck_bf16_rows = {1u << CK_BF16, 16, half_line_floats, round_lines, multiply_pair_lines};
#endif
