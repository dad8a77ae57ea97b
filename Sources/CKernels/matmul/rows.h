// Matrix multiplication of few rows: y = x·wᵀ by dots straight from the stored weights, each weight read once from memory.
#pragma once
#include "conversions.h"

INLINE void put(float *y, float value, const float *bias, bool add) {
  if (bias) value += *bias;
  *y = add ? *y + value : value;
}

/// The outputs of one row alone whose dots run side by side. They lie far apart: four long lines through memory, which the
/// processor reads ahead in by itself. A dot is the same sum in the same order as among other rows.
#define ALONE_OUTPUTS 4

/// Four rows by DOT_OUTPUTS outputs are a tile that the registers hold.
#define DOT_ROWS 4
/// The sums of several rows stay in the first cache while a piece of the depth passes, whose numbers of x stay there too.
#define ROWS_TOGETHER 12
#define OUTPUTS_TOGETHER (8 * DOT_OUTPUTS)
#define DEPTH_TOGETHER 1024

// Plain numbers. From one output to the next it is `row_bytes` in w and `apart` in y.
#define DOTS(CODE, name, size)                                                                                        \
  INLINE void dots_alone_##name(const int outputs, const uint8_t *w, size_t row_bytes, const float *x, size_t depth,  \
                                float *y, size_t apart, const float *bias, bool add) {                                \
    V sums[ALONE_OUTPUTS];                                                                                            \
    UNROLL for (int o = 0; o < outputs; o++) sums[o] = splat(0);                                                      \
    size_t k = 0;                                                                                                     \
    for (; k + LANES <= depth; k += LANES) {                                                                          \
      V left = load(x + k);                                                                                           \
      UNROLL for (int o = 0; o < outputs; o++) sums[o] = left * from_##name(w + o * row_bytes + k * size) + sums[o];  \
    }                                                                                                                 \
    if (k < depth) {                                                                                                  \
      V left = load_part(x + k, depth - k, 0);                                                                        \
      UNROLL for (int o = 0; o < outputs; o++)                                                                        \
        sums[o] = left * part_##name(w + o * row_bytes + k * size, depth - k) + sums[o];                              \
    }                                                                                                                 \
    UNROLL for (int o = 0; o < outputs; o++) put(y + o * apart, total(sums[o]), bias ? bias + o * apart : NULL, add); \
  }                                                                                                                   \
  static void alone_##name(const uint8_t *w, size_t row_bytes, size_t outputs, const float *x, size_t depth,          \
                           const float *bias, float *y, bool add) {                                                   \
    const size_t apart = outputs / ALONE_OUTPUTS;                                                                     \
    for (size_t o = 0; o < apart; o++)                                                                                \
      dots_alone_##name(ALONE_OUTPUTS, w + o * row_bytes, apart * row_bytes, x, depth, y + o, apart,                  \
                        bias ? bias + o : NULL, add);                                                                 \
    for (size_t o = apart * ALONE_OUTPUTS; o < outputs; o++)                                                          \
      dots_alone_##name(1, w + o * row_bytes, row_bytes, x, depth, y + o, 1, bias ? bias + o : NULL, add);            \
  }                                                                                                                   \
  INLINE void more_dots_##name(bool asks, const int rows, const int outputs, const uint8_t *w, size_t row_bytes,\
                               const float *x, size_t x_stride, size_t depth, V (*all)[OUTPUTS_TOGETHER]) {           \
    enum { line = 64 / size };                                                                                        \
    V sums[DOT_ROWS][DOT_OUTPUTS];                                                                                    \
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int o = 0; o < outputs; o++) sums[r][o] = all[r][o];            \
    size_t k = 0;                                                                                                     \
    for (; k + line <= depth; k += line) {                                                                            \
      if (asks) UNROLL for (int o = 0; o < outputs; o++) ask_for(w + o * row_bytes + k * size, outputs * row_bytes);  \
      UNROLL for (int i = 0; i < line; i += LANES) {                                                                  \
        V right[DOT_OUTPUTS];                                                                                         \
        UNROLL for (int o = 0; o < outputs; o++) right[o] = from_##name(w + o * row_bytes + (k + i) * size);          \
        UNROLL for (int r = 0; r < rows; r++) {                                                                       \
          V left = load(x + r * x_stride + k + i);                                                                    \
          UNROLL for (int o = 0; o < outputs; o++) sums[r][o] = left * right[o] + sums[r][o];                         \
        }                                                                                                             \
      }                                                                                                               \
    }                                                                                                                 \
    for (; k < depth; k += LANES) {                                                                                   \
      size_t count = depth - k < LANES ? depth - k : LANES;                                                           \
      UNROLL for (int o = 0; o < outputs; o++) {                                                                      \
        V right = part_##name(w + o * row_bytes + k * size, count);                                                   \
        UNROLL for (int r = 0; r < rows; r++) sums[r][o] += load_part(x + r * x_stride + k, count, 0) * right;        \
      }                                                                                                               \
    }                                                                                                                 \
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int o = 0; o < outputs; o++) all[r][o] = sums[r][o];            \
  }                                                                                                                   \
  INLINE void more_rows_##name(const int outputs, const uint8_t *w, size_t row_bytes, const float *x,                 \
                               size_t x_stride, size_t rows, size_t depth, V (*all)[OUTPUTS_TOGETHER]) {              \
    for (bool asks = true; rows; asks = false) {                                                                      \
      size_t some = rows < DOT_ROWS ? rows : DOT_ROWS;                                                                \
      switch (some) {                                                                                                 \
      case 1: more_dots_##name(asks, 1, outputs, w, row_bytes, x, x_stride, depth, all); break;                       \
      case 2: more_dots_##name(asks, 2, outputs, w, row_bytes, x, x_stride, depth, all); break;                       \
      case 3: more_dots_##name(asks, 3, outputs, w, row_bytes, x, x_stride, depth, all); break;                       \
      default: more_dots_##name(asks, DOT_ROWS, outputs, w, row_bytes, x, x_stride, depth, all);                      \
      }                                                                                                               \
      rows -= some, x += some * x_stride, all += some;                                                                \
    }                                                                                                                 \
  }                                                                                                                   \
  static void several_##name(const uint8_t *w, size_t row_bytes, size_t outputs, const float *x, size_t x_stride,     \
                             size_t rows, size_t depth, const float *bias, float *y, size_t y_stride, bool add) {     \
    V sums[ROWS_TOGETHER][OUTPUTS_TOGETHER];                                                                          \
    for (size_t from = 0; from < outputs; from += OUTPUTS_TOGETHER, w += OUTPUTS_TOGETHER * row_bytes)                \
      for (size_t r = 0; r < rows; r += ROWS_TOGETHER) {                                                              \
        size_t some = outputs - from < OUTPUTS_TOGETHER ? outputs - from : OUTPUTS_TOGETHER;                          \
        size_t height = rows - r < ROWS_TOGETHER ? rows - r : ROWS_TOGETHER;                                          \
        memset(sums, 0, height * sizeof sums[0]);                                                                     \
        for (size_t k = 0; k < depth; k += DEPTH_TOGETHER) {                                                          \
          size_t piece = depth - k < DEPTH_TOGETHER ? depth - k : DEPTH_TOGETHER, o = 0;                              \
          const uint8_t *at = w + k * size;                                                                           \
          for (; o + DOT_OUTPUTS <= some; o += DOT_OUTPUTS, at += DOT_OUTPUTS * row_bytes)                            \
            more_rows_##name(DOT_OUTPUTS, at, row_bytes, x + r * x_stride + k, x_stride, height, piece,             \
                             (V(*)[OUTPUTS_TOGETHER])&sums[0][o]);                                                    \
          for (; o < some; o++, at += row_bytes)                                                                      \
            more_rows_##name(1, at, row_bytes, x + r * x_stride + k, x_stride, height, piece,                       \
                             (V(*)[OUTPUTS_TOGETHER])&sums[0][o]);                                                    \
        }                                                                                                             \
        for (size_t i = 0; i < height; i++)                                                                           \
          for (size_t o = 0; o < some; o++)                                                                           \
            put(y + (r + i) * y_stride + from + o, total(sums[i][o]), bias ? bias + from + o : NULL, add);            \
      }                                                                                                               \
  }
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

/// With `alike` a row alone is the same sum in the same order as a row among others, also with stored blocks.
static void multiply_rows(const struct ck_weight *w, size_t from, size_t to, const float *x, size_t x_stride,
                          size_t rows, const float *bias, float *y, size_t y_stride, bool add, bool alike,
                          float *scratch) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  y += from;
  if (bias) bias += from;
  switch (w->format) {
#define PLAIN(CODE, name, size)                                                                                  \
  case CK_##CODE:                                                                                                \
    if (rows == 1) alone_##name(base, w->row_bytes, to - from, x, w->columns, bias, y, add);                     \
    else several_##name(base, w->row_bytes, to - from, x, x_stride, rows, w->columns, bias, y, y_stride, add);   \
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
    several_f32((const uint8_t *)scratch, w->columns * sizeof(float), outputs, x, x_stride, rows, w->columns,
                bias ? bias + (o - from) : NULL, y, y_stride, add);
  }
}
