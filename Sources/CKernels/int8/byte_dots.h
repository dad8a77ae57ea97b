// Rows of x against stored blocks as they lie: dots of a few rows with a few outputs side by side. A dot is the same sum in
// the same order whatever is beside it. One row alone walks memory in four long lines, which the processor reads ahead in
// by itself.
#pragma once
#include "four_blocks.h"
#include "stretches.h"

#define FOR_DOT_FORMATS(WITH) FOR_BLOCKS_OF_32(WITH) FOR_BLOCKS_OF_256(WITH)

/// Numbers of a line of x, and its bytes.
#define LINE_NUMBERS(format) (ck_block_elements(format) == 256 ? 256 : 128)
#define LINE_BYTES(format) (ck_block_elements(format) == 256 ? sizeof(struct stretch) : sizeof(struct four_blocks))

INLINE void add_line(const int rows, const int outputs, const int format, const int size, const uint8_t **w,
                     const uint8_t *x, size_t lines, struct lanes_sum (*sums)[BESIDE]) {
  if (ck_block_elements(format) == 256) add_stretch(rows, outputs, format, w, (const struct stretch *)x, lines, sums);
  else add_four_blocks(rows, outputs, format, size, w, (const struct four_blocks *)x, lines, sums);
}

/// `rows` rows of x times `outputs` stored rows, `apart` outputs from one to the next. What lies `ahead` bytes after them is
/// asked for.
INLINE void side_dots(const int rows, const int outputs, const int format, const int size, const uint8_t *w, size_t depth,
                      size_t apart, size_t ahead, const uint8_t *x, float *y, size_t y_stride, const float *bias,
                      bool add) {
  const size_t row = depth / ck_block_elements(format) * size, numbers = LINE_NUMBERS(format);
  const size_t lines = (depth + numbers - 1) / numbers, bytes = numbers / ck_block_elements(format) * size;
  const uint8_t *at[BESIDE];
  struct lanes_sum sums[BESIDE][BESIDE];
  UNROLL for (int o = 0; o < outputs; o++) {
    at[o] = w + o * apart * row;
    UNROLL for (int r = 0; r < rows; r++) sums[r][o] = (struct lanes_sum){splat(0), (Four)0.0f};
  }
  for (; depth >= numbers; depth -= numbers, x += LINE_BYTES(format)) {
    if (ahead) UNROLL for (int o = 0; o < outputs; o++)
      UNROLL for (size_t b = 0; b < bytes; b += 64) ask_for(at[o] + b, ahead);
    add_line(rows, outputs, format, size, at, x, lines, sums);
    UNROLL for (int o = 0; o < outputs; o++) at[o] += bytes;
  }
  if (depth) {
    uint8_t last[BESIDE][4 * CK_BYTES_Q8_0];
    UNROLL for (int o = 0; o < outputs; o++) {
      memset(last[o], 0, sizeof last[o]);
      memcpy(last[o], at[o], depth / ck_block_elements(format) * size);
      at[o] = last[o];
    }
    add_line(rows, outputs, format, size, at, x, lines, sums);
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int o = 0; o < outputs; o++) {
    float value = sum_of_lanes(&sums[r][o]), *to = y + r * y_stride + o * apart;
    if (bias) value += bias[o * apart];
    *to = add ? *to + value : value;
  }
}

/// Outputs of a tile of several rows: of Q8_0 there are registers for one, whose numbers are needed with and without signs.
#define TILE_OUTPUTS(format) ((format) == CK_Q8_0 ? 1 : 2)

#define DOTS(CODE, name)                                                                                              \
  static void alone_##name(const uint8_t *w, size_t outputs, size_t depth, const uint8_t *x, float *y,                \
                           const float *bias, bool add) {                                                             \
    const size_t row = depth / CK_ELEMENTS_##CODE * CK_BYTES_##CODE, apart = outputs / BESIDE;                        \
    for (size_t o = 0; o < apart; o++)                                                                                \
      side_dots(1, BESIDE, CK_##CODE, CK_BYTES_##CODE, w + o * row, depth, apart, 0, x, y + o, 0,                     \
                bias ? bias + o : NULL, add);                                                                         \
    for (size_t o = BESIDE * apart; o < outputs; o++)                                                                 \
      side_dots(1, 1, CK_##CODE, CK_BYTES_##CODE, w + o * row, depth, 0, 0, x, y + o, 0, bias ? bias + o : NULL, add); \
  }                                                                                                                   \
  INLINE void tiles_##name(const int outputs, const uint8_t *w, size_t depth, const uint8_t *x, size_t rows, float *y, \
                           size_t y_stride, const float *bias, bool add) {                                            \
    const size_t lines = (depth + LINE_NUMBERS(CK_##CODE) - 1) / LINE_NUMBERS(CK_##CODE);                             \
    size_t ahead = outputs * (depth / CK_ELEMENTS_##CODE * CK_BYTES_##CODE);                                          \
    while (rows) {                                                                                                    \
      size_t some = rows < BESIDE ? rows : BESIDE;                                                                    \
      switch (some) {                                                                                                 \
      case 1: side_dots(1, outputs, CK_##CODE, CK_BYTES_##CODE, w, depth, 1, ahead, x, y, y_stride, bias, add); break; \
      case 2: side_dots(2, outputs, CK_##CODE, CK_BYTES_##CODE, w, depth, 1, ahead, x, y, y_stride, bias, add); break; \
      case 3: side_dots(3, outputs, CK_##CODE, CK_BYTES_##CODE, w, depth, 1, ahead, x, y, y_stride, bias, add); break; \
      default: side_dots(BESIDE, outputs, CK_##CODE, CK_BYTES_##CODE, w, depth, 1, ahead, x, y, y_stride, bias, add); \
      }                                                                                                               \
      rows -= some, x += some * lines * LINE_BYTES(CK_##CODE), y += some * y_stride, ahead = 0;                       \
    }                                                                                                                 \
  }                                                                                                                   \
  static void several_##name(const uint8_t *w, size_t outputs, size_t depth, const uint8_t *x, size_t rows, float *y, \
                             size_t y_stride, const float *bias, bool add) {                                          \
    enum { together = TILE_OUTPUTS(CK_##CODE) };                                                                      \
    const size_t row = depth / CK_ELEMENTS_##CODE * CK_BYTES_##CODE;                                                  \
    size_t o = 0;                                                                                                     \
    for (; o + together <= outputs; o += together)                                                                    \
      tiles_##name(together, w + o * row, depth, x, rows, y + o, y_stride, bias ? bias + o : NULL, add);              \
    for (; o < outputs; o++)                                                                                          \
      tiles_##name(1, w + o * row, depth, x, rows, y + o, y_stride, bias ? bias + o : NULL, add);                     \
  }
FOR_DOT_FORMATS(DOTS)
#undef DOTS

static void multiply_stored(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                            const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes, *x = (const uint8_t *)lines;
  y += from;
  if (bias) bias += from;
  switch (w->format) {
#define DOTS_CASE(CODE, name)                                                          \
  case CK_##CODE:                                                                      \
    if (rows == 1) alone_##name(base, to - from, w->columns, x, y, bias, add);         \
    else several_##name(base, to - from, w->columns, x, rows, y, y_stride, bias, add); \
    return;
    FOR_DOT_FORMATS(DOTS_CASE)
#undef DOTS_CASE
  }
}
