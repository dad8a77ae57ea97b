// Matrix multiplication of few rows: y = x·wᵀ by dots straight from the stored weights, each weight read once from memory.
#pragma once
#include "conversions.h"

/// Weight rows whose dots run side by side. With several rows of x they are neighbours. With one they lie far apart: four
/// long lines through memory, which the processor reads ahead in by itself.
#define DOT_OUTPUTS 4
INLINE void put(float *y, float value, const float *bias, bool add) {
  if (bias) value += *bias;
  *y = add ? *y + value : value;
}

/// Sums of one dot: one row alone has more of them than a row among others, whose dots keep the adders busy; but among
/// others a row is the same sum in the same order, however many there are.
#define ALONE_PARTS 2
#define ALIKE_PARTS(outputs) (DOT_ROWS * (outputs) <= 8 ? 2 : 1)

// rows × outputs dots of plain numbers; `rows`, `outputs` and `parts` are constants where this is inlined. From one output
// to the next it is `row_bytes` in w and `apart` in y.
#define DOTS(CODE, name, size)                                                                                        \
  INLINE void dots_##name(const int rows, const int outputs, const int parts, const uint8_t *w, size_t row_bytes,     \
                          const float *x, size_t x_stride, size_t depth, float *y, size_t y_stride, size_t apart,     \
                          const float *bias, bool add) {                                                              \
    V sums[2][DOT_ROWS][DOT_OUTPUTS];                                                                                 \
    UNROLL for (int p = 0; p < parts; p++) UNROLL for (int r = 0; r < rows; r++)                                      \
      UNROLL for (int o = 0; o < outputs; o++) sums[p][r][o] = splat(0);                                              \
    size_t k = 0;                                                                                                     \
    for (; k + parts * LANES <= depth; k += parts * LANES) {                                                          \
      if (rows > 1)                                                                                                   \
        UNROLL for (int b = 0; b < parts * LANES * size; b += 64)                                                     \
          UNROLL for (int o = 0; o < outputs; o++)                                                                    \
            ask_for(w + o * row_bytes + k * size + b, outputs > 1 ? outputs * row_bytes : AHEAD);                     \
      UNROLL for (int p = 0; p < parts; p++) {                                                                        \
        V right[DOT_OUTPUTS];                                                                                         \
        UNROLL for (int o = 0; o < outputs; o++)                                                                      \
          right[o] = from_##name(w + o * row_bytes + (k + p * LANES) * size);                                         \
        UNROLL for (int r = 0; r < rows; r++) {                                                                       \
          V left = load(x + r * x_stride + k + p * LANES);                                                            \
          UNROLL for (int o = 0; o < outputs; o++) sums[p][r][o] = left * right[o] + sums[p][r][o];                   \
        }                                                                                                             \
      }                                                                                                               \
    }                                                                                                                 \
    for (; k < depth; k += LANES) {                                                                                   \
      size_t count = depth - k < LANES ? depth - k : LANES;                                                           \
      UNROLL for (int o = 0; o < outputs; o++) {                                                                      \
        V right = part_##name(w + o * row_bytes + k * size, count);                                                   \
        UNROLL for (int r = 0; r < rows; r++) sums[0][r][o] += load_part(x + r * x_stride + k, count, 0) * right;     \
      }                                                                                                               \
    }                                                                                                                 \
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int o = 0; o < outputs; o++) {                                  \
      V all = sums[0][r][o];                                                                                          \
      UNROLL for (int p = 1; p < parts; p++) all += sums[p][r][o];                                                    \
      put(y + r * y_stride + o * apart, total(all), bias ? bias + o * apart : NULL, add);                             \
    }                                                                                                                 \
  }                                                                                                                   \
  INLINE void some_rows_##name(const int outputs, const uint8_t *w, size_t row_bytes, const float *x, size_t x_stride,\
                               size_t rows, size_t depth, const float *bias, float *y, size_t y_stride, bool add) {   \
    for (; rows >= DOT_ROWS; rows -= DOT_ROWS, x += DOT_ROWS * x_stride, y += DOT_ROWS * y_stride)                    \
      dots_##name(DOT_ROWS, outputs, ALIKE_PARTS(outputs), w, row_bytes, x, x_stride, depth, y, y_stride, 1, bias, add); \
    switch (rows) {                                                                                                   \
      DOT_CASE(1, name) MORE_DOT_CASES(name)                                                                          \
    }                                                                                                                 \
  }                                                                                                                   \
  static void rows_##name(const uint8_t *w, size_t row_bytes, size_t outputs, const float *x, size_t x_stride,        \
                          size_t rows, size_t depth, const float *bias, float *y, size_t y_stride, bool add,          \
                          bool alike) {                                                                               \
    size_t o = 0;                                                                                                     \
    const bool alone = rows == 1 && !alike;                                                                           \
    if (alone) {                                                                                                      \
      const size_t apart = outputs / DOT_OUTPUTS;                                                                     \
      for (; o < apart; o++)                                                                                          \
        dots_##name(1, DOT_OUTPUTS, ALONE_PARTS, w + o * row_bytes, apart * row_bytes, x, x_stride, depth, y + o,     \
                    y_stride, apart, bias ? bias + o : NULL, add);                                                    \
      o = apart * DOT_OUTPUTS;                                                                                        \
      for (; o < outputs; o++)                                                                                        \
        dots_##name(1, 1, ALONE_PARTS, w + o * row_bytes, row_bytes, x, x_stride, depth, y + o, y_stride, 1,          \
                    bias ? bias + o : NULL, add);                                                                     \
    }                                                                                                                 \
    for (; !alone && o + DOT_OUTPUTS <= outputs; o += DOT_OUTPUTS)                                                    \
      some_rows_##name(DOT_OUTPUTS, w + o * row_bytes, row_bytes, x, x_stride, rows, depth, bias ? bias + o : NULL,   \
                       y + o, y_stride, add);                                                                         \
    for (; o < outputs; o++)                                                                                          \
      some_rows_##name(1, w + o * row_bytes, row_bytes, x, x_stride, rows, depth, bias ? bias + o : NULL, y + o,      \
                       y_stride, add);                                                                                \
  }
#define DOT_CASE(n, name) \
  case n: dots_##name(n, outputs, ALIKE_PARTS(outputs), w, row_bytes, x, x_stride, depth, y, y_stride, 1, bias, add); break;
#if DOT_ROWS == 4
#define MORE_DOT_CASES(name) DOT_CASE(2, name) DOT_CASE(3, name)
#else
#define MORE_DOT_CASES(name)
#endif
CK_FOR_PLAIN_FORMATS(DOTS)
#undef DOTS

// One row against stored blocks: two blocks at a time, so that their sums do not wait for each other.
#define BLOCK_DOT(CODE, name, size)                                                            \
  static float dot_##name(const uint8_t *b, const float *x, size_t depth) {                    \
    enum { elements = CK_ELEMENTS_##CODE };                                                    \
    V sums[2][BLOCK_SUMS];                                                                     \
    UNROLL for (int i = 0; i < BLOCK_SUMS; i++) sums[0][i] = sums[1][i] = splat(0);            \
    size_t k = 0;                                                                              \
    for (; k + 2 * elements <= depth; k += 2 * elements, b += 2 * size) {                      \
      UNROLL for (int a = 0; a < 2 * size; a += 64) ask_for(b + a, AHEAD);                         \
      block_##name(b, x + k, NULL, sums[0]);                                                   \
      block_##name(b + size, x + k + elements, NULL, sums[1]);                                 \
    }                                                                                          \
    if (k < depth) block_##name(b, x + k, NULL, sums[0]);                                      \
    UNROLL for (int i = 0; i < BLOCK_SUMS; i++) sums[0][i] += sums[1][i];                      \
    return total((sums[0][0] + sums[0][1]) + (sums[0][2] + sums[0][3]));                       \
  }
CK_FOR_BLOCK_FORMATS(BLOCK_DOT)
#undef BLOCK_DOT

/// With `alike` a row alone is the same sum in the same order as a row among others.
static void multiply_rows(const struct ck_weight *w, size_t from, size_t to, const float *x, size_t x_stride,
                          size_t rows, const float *bias, float *y, size_t y_stride, bool add, bool alike,
                          float *scratch) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  y += from;
  if (bias) bias += from;
  switch (w->format) {
#define PLAIN(CODE, name, size)                                                                                  \
  case CK_##CODE:                                                                                                \
    rows_##name(base, w->row_bytes, to - from, x, x_stride, rows, w->columns, bias, y, y_stride, add, alike);    \
    return;
    CK_FOR_PLAIN_FORMATS(PLAIN)
#undef PLAIN
  }
  if (rows == 1 && !alike) {
    for (size_t o = from; o < to; o++, base += w->row_bytes, y++) {
      float value = 0;
      switch (w->format) {
#define BLOCKS(CODE, name, size) case CK_##CODE: value = dot_##name(base, x, w->columns); break;
        CK_FOR_BLOCK_FORMATS(BLOCKS)
#undef BLOCKS
      }
      put(y, value, bias ? bias + (o - from) : NULL, add);
    }
    return;
  }
  // Several rows share the unpacking of a few outputs' weights.
  for (size_t o = from; o < to; o += DOT_OUTPUTS, base += DOT_OUTPUTS * w->row_bytes, y += DOT_OUTPUTS) {
    size_t outputs = to - o < DOT_OUTPUTS ? to - o : DOT_OUTPUTS;
    for (size_t a = 0; a < outputs * w->row_bytes; a += 64) ask_for(base + a, outputs * w->row_bytes);
    for (size_t i = 0; i < outputs; i++)
      widen(w->format, base + i * w->row_bytes, w->columns, scratch + i * w->columns);
    rows_f32((const uint8_t *)scratch, w->columns * sizeof(float), outputs, x, x_stride, rows, w->columns,
             bias ? bias + (o - from) : NULL, y, y_stride, add, alike);
  }
}
