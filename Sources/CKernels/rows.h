// Products of few rows: y = x·wᵀ by dots straight from the stored weights, each weight read once from memory.
#pragma once
#include "blocks.h"

/// Outputs whose dots run side by side.
#define DOT_OUTPUTS 4

INLINE void put(float *y, float value, const float *bias, bool add) {
  if (bias) value += *bias;
  *y = add ? *y + value : value;
}

// rows × outputs dots of plain numbers; `rows` and `outputs` are constants where this is inlined.
#define DOTS(CODE, name, size)                                                                                        \
  INLINE void dots_##name(const int rows, const int outputs, const uint8_t *w, size_t row_bytes, const float *x,      \
                          size_t x_stride, size_t depth, float *y, size_t y_stride, const float *bias, bool add) {    \
    const int parts = rows * outputs <= 4 ? 2 : 1;                                                                    \
    V sums[2][DOT_ROWS][DOT_OUTPUTS];                                                                                 \
    UNROLL for (int p = 0; p < parts; p++) UNROLL for (int r = 0; r < rows; r++)                                      \
      UNROLL for (int o = 0; o < outputs; o++) sums[p][r][o] = splat(0);                                              \
    size_t k = 0;                                                                                                     \
    for (; k + parts * LANES <= depth; k += parts * LANES)                                                            \
      UNROLL for (int p = 0; p < parts; p++) {                                                                        \
        V left[DOT_ROWS];                                                                                             \
        UNROLL for (int r = 0; r < rows; r++) left[r] = load(x + r * x_stride + k + p * LANES);                       \
        UNROLL for (int o = 0; o < outputs; o++) {                                                                    \
          V right = from_##name(w + o * row_bytes + (k + p * LANES) * size);                                          \
          UNROLL for (int r = 0; r < rows; r++) sums[p][r][o] = left[r] * right + sums[p][r][o];                      \
        }                                                                                                             \
      }                                                                                                               \
    for (; k < depth; k += LANES) {                                                                                   \
      size_t count = depth - k < LANES ? depth - k : LANES;                                                           \
      UNROLL for (int o = 0; o < outputs; o++) {                                                                      \
        V right = part_##name(w + o * row_bytes + k * size, count);                                                   \
        UNROLL for (int r = 0; r < rows; r++) sums[0][r][o] += load_part(x + r * x_stride + k, count, 0) * right;     \
      }                                                                                                               \
    }                                                                                                                 \
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int o = 0; o < outputs; o++) {                                  \
      V all = parts == 2 ? sums[0][r][o] + sums[1][r][o] : sums[0][r][o];                                             \
      put(y + r * y_stride + o, total(all), bias ? bias + o : NULL, add);                                             \
    }                                                                                                                 \
  }                                                                                                                   \
  static void rows_##name(const uint8_t *w, size_t row_bytes, size_t outputs, const float *x, size_t x_stride,        \
                          size_t rows, size_t depth, const float *bias, float *y, size_t y_stride, bool add) {        \
    for (; outputs >= DOT_OUTPUTS; outputs -= DOT_OUTPUTS) {                                                          \
      const float *left = x;                                                                                          \
      float *out = y;                                                                                                 \
      size_t r = rows;                                                                                                \
      for (; r >= DOT_ROWS; r -= DOT_ROWS, left += DOT_ROWS * x_stride, out += DOT_ROWS * y_stride)                   \
        dots_##name(DOT_ROWS, DOT_OUTPUTS, w, row_bytes, left, x_stride, depth, out, y_stride, bias, add);            \
      if (DOT_ROWS > 2 && r == 3) dots_##name(3, DOT_OUTPUTS, w, row_bytes, left, x_stride, depth, out, y_stride, bias, add); \
      if (DOT_ROWS > 2 && r == 2) dots_##name(2, DOT_OUTPUTS, w, row_bytes, left, x_stride, depth, out, y_stride, bias, add); \
      if (r == 1) dots_##name(1, DOT_OUTPUTS, w, row_bytes, left, x_stride, depth, out, y_stride, bias, add);         \
      w += DOT_OUTPUTS * row_bytes;                                                                                   \
      y += DOT_OUTPUTS;                                                                                               \
      if (bias) bias += DOT_OUTPUTS;                                                                                  \
    }                                                                                                                 \
    for (; outputs > 0; outputs--, w += row_bytes, y++) {                                                             \
      for (size_t r = 0; r < rows; r++)                                                                               \
        dots_##name(1, 1, w, row_bytes, x + r * x_stride, x_stride, depth, y + r * y_stride, y_stride, bias, add);    \
      if (bias) bias++;                                                                                               \
    }                                                                                                                 \
  }
FOR_PLAIN_FORMATS(DOTS)
#undef DOTS

// One row against stored blocks: two blocks at a time, so that their sums do not wait for each other.
#define BLOCK_DOT(CODE, name, elements, size)                                                  \
  static float dot_##name(const uint8_t *b, const float *x, size_t depth) {                    \
    V sums[2][BLOCK_SUMS];                                                                     \
    UNROLL for (int i = 0; i < BLOCK_SUMS; i++) sums[0][i] = sums[1][i] = splat(0);            \
    size_t k = 0;                                                                              \
    for (; k + 2 * elements <= depth; k += 2 * elements, b += 2 * size) {                      \
      block_##name(b, x + k, NULL, sums[0]);                                                   \
      block_##name(b + size, x + k + elements, NULL, sums[1]);                                 \
    }                                                                                          \
    if (k < depth) block_##name(b, x + k, NULL, sums[0]);                                      \
    UNROLL for (int i = 0; i < BLOCK_SUMS; i++) sums[0][i] += sums[1][i];                      \
    return total((sums[0][0] + sums[0][1]) + (sums[0][2] + sums[0][3]));                       \
  }
FOR_BLOCK_FORMATS(BLOCK_DOT)
#undef BLOCK_DOT

static void multiply_rows(const struct ck_weight *w, size_t from, size_t to, const float *x, size_t x_stride,
                          size_t rows, const float *bias, float *y, size_t y_stride, bool add, float *scratch) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  y += from;
  if (bias) bias += from;
  switch (w->format) {
#define PLAIN(CODE, name, size)                                                                                  \
  case CK_##CODE:                                                                                                \
    rows_##name(base, w->row_bytes, to - from, x, x_stride, rows, w->columns, bias, y, y_stride, add);           \
    return;
    FOR_PLAIN_FORMATS(PLAIN)
#undef PLAIN
  }
  if (rows == 1) {
    for (size_t o = from; o < to; o++, base += w->row_bytes, y++) {
      float value = 0;
      switch (w->format) {
#define BLOCKS(CODE, name, elements, size) case CK_##CODE: value = dot_##name(base, x, w->columns); break;
        FOR_BLOCK_FORMATS(BLOCKS)
#undef BLOCKS
      }
      put(y, value, bias ? bias + (o - from) : NULL, add);
    }
    return;
  }
  // Several rows share the unpacking of a few outputs' weights.
  for (size_t o = from; o < to; o += DOT_OUTPUTS, base += DOT_OUTPUTS * w->row_bytes, y += DOT_OUTPUTS) {
    size_t outputs = to - o < DOT_OUTPUTS ? to - o : DOT_OUTPUTS;
    for (size_t i = 0; i < outputs; i++) widen(w->format, base + i * w->row_bytes, w->columns, scratch + i * w->columns);
    rows_f32((const uint8_t *)scratch, w->columns * sizeof(float), outputs, x, x_stride, rows, w->columns,
             bias ? bias + (o - from) : NULL, y, y_stride, add);
  }
}
