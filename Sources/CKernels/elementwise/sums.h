// What backward passes do element by element: products and sums that are added to what is there or put in its place.
#pragma once
#include "functions.h"

// y = f (+ y) over `count` numbers; f reads whole vectors at i, or `left` numbers of one at the end.
#define PUT_ALL(whole, part)                                                                                  \
  size_t i = 0;                                                                                               \
  if (add) for (; i + LANES <= count; i += LANES) store(y + i, (whole) + load(y + i));                        \
  else for (; i + LANES <= count; i += LANES) store(y + i, (whole));                                          \
  if (i < count) {                                                                                            \
    size_t left = count - i;                                                                                  \
    V value = (part);                                                                                         \
    store_part(y + i, left, add ? value + load_part(y + i, left, 0) : value);                                 \
  }

static void scale_by(float factor, const float *x, float *y, size_t count, bool add) {
  PUT_ALL(load(x + i) * factor, load_part(x + i, left, 0) * factor)
}

static void products(const float *a, const float *b, float *y, size_t count, bool add) {
  PUT_ALL(load(a + i) * load(b + i), load_part(a + i, left, 0) * load_part(b + i, left, 0))
}

static void scaled_exponentials(const float *x, float shift, float factor, float *y, size_t count, bool add) {
  PUT_ALL(exponential(load(x + i) - shift) * factor, exponential(load_part(x + i, left, shift) - shift) * factor)
}

static float sum_of_exponentials(const float *x, float shift, size_t count) {
  SUM_OVER(count, exponential(load(x + at) - shift) + sums[j],
           exponential(load_part(x + i, left, -__builtin_inff()) - shift) + sums[1])
}

/// Columns whose sums stay in registers while the rows run.
#define SUMMED (4 * LANES)

static void sum_rows(const float *x, size_t stride, size_t rows, size_t columns, float *y, bool add) {
  size_t c = 0;
  for (; c + SUMMED <= columns; c += SUMMED) {
    V sums[4];
    UNROLL for (int j = 0; j < 4; j++) sums[j] = add ? load(y + c + j * LANES) : splat(0);
    for (size_t r = 0; r < rows; r++)
      UNROLL for (int j = 0; j < 4; j++) sums[j] += load(x + r * stride + c + j * LANES);
    UNROLL for (int j = 0; j < 4; j++) store(y + c + j * LANES, sums[j]);
  }
  for (; c < columns; c += LANES) {
    size_t left = columns - c < LANES ? columns - c : LANES;
    V sums = add ? load_part(y + c, left, 0) : splat(0);
    for (size_t r = 0; r < rows; r++) sums += load_part(x + r * stride + c, left, 0);
    store_part(y + c, left, sums);
  }
}
