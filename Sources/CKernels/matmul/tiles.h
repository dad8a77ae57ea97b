// Matrix multiplication by register tiles: rows of x and columns of w are first packed side by side, then a tile of
// TILE_ROWS × (TILE_VECTORS · LANES) sums stays in registers while the depth runs.
#pragma once
#include "kernels.h"
#include "lanes.h"

#define TILE_COLUMNS (TILE_VECTORS * LANES)

// Packed rows: [tile][depth][rows of the tile]; all tiles but the last have TILE_ROWS rows.
INLINE void pack_row_tile(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  if (rows == 1) {
    memcpy(packed, x, depth * sizeof(float));
    return;
  }
  size_t k = 0, whole = rows / LANES * LANES;
  for (; k + LANES <= depth; k += LANES) {
    V block[LANES];
    if (whole < rows) {
      // The missing rows repeat the last one. Their lanes land on the next depth, whose own rows are stored later.
      bool last = k + 2 * LANES > depth;
      UNROLL for (int i = 0; i < LANES; i++)
        block[i] = load(x + (whole + i < rows ? whole + i : rows - 1) * stride + k);
      transpose(block);
      UNROLL for (int i = 0; i < LANES; i++) {
        float *to = packed + (k + i) * rows + whole;
        if (last) store_part(to, rows - whole, block[i]); else store(to, block[i]);
      }
    }
    for (size_t r = 0; r < whole; r += LANES) {
      UNROLL for (int i = 0; i < LANES; i++) block[i] = load(x + (r + i) * stride + k);
      transpose(block);
      UNROLL for (int i = 0; i < LANES; i++) store(packed + (k + i) * rows + r, block[i]);
    }
  }
  for (; k < depth; k++)
    for (size_t r = 0; r < rows; r++) packed[k * rows + r] = x[r * stride + k];
}

static void pack_rows(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  for (; rows >= TILE_ROWS; rows -= TILE_ROWS, x += TILE_ROWS * stride, packed += TILE_ROWS * depth)
    pack_row_tile(x, stride, TILE_ROWS, depth, packed);
  if (rows) pack_row_tile(x, stride, rows, depth, packed);
}

/// Tiles packed in one walk over the depth, so that each row of memory is touched in one longer run.
#define TILES_TOGETHER 8

// The same tiles from memory that already has the depth outside: element (row, k) at x[k · stride + row].
static void pack_rows_transposed(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  for (; rows >= TILE_ROWS; ) {
    size_t tiles = rows / TILE_ROWS < TILES_TOGETHER ? rows / TILE_ROWS : TILES_TOGETHER;
    for (size_t k = 0; k < depth; k++)
      for (size_t t = 0; t < tiles; t++)
        memcpy(packed + (t * depth + k) * TILE_ROWS, x + k * stride + t * TILE_ROWS, TILE_ROWS * sizeof(float));
    rows -= tiles * TILE_ROWS;
    x += tiles * TILE_ROWS;
    packed += tiles * TILE_ROWS * depth;
  }
  for (size_t k = 0; k < depth && rows; k++) memcpy(packed + k * rows, x + k * stride, rows * sizeof(float));
}

/// `steps` steps of the depth of a tile.
INLINE void tile_steps(const int rows, const int steps, const float *x, const float *w, V (*sums)[TILE_VECTORS]) {
  UNROLL for (int k = 0; k < steps; k++, x += rows, w += CK_PANEL) {
    ask_for(w, AHEAD);
    if (TILE_COLUMNS > 16) ask_for(w, AHEAD + 64);
    V columns[TILE_VECTORS];
    UNROLL for (int j = 0; j < TILE_VECTORS; j++) columns[j] = load(w + j * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
      V value = splat(x[i]);
      UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = value * columns[j] + sums[i][j];
    }
  }
}

/// Steps of the depth between two looks at the loop's end.
#define TILE_STEPS 4
/// One tile: y[rows, TILE_COLUMNS] = x·w (+ y) (+ bias), x packed [depth][rows], w lines of CK_PANEL numbers.
INLINE void tile(const int rows, const float *x, const float *w, size_t depth, float *y, size_t stride, bool add,
                 const float *bias) {
  V sums[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = splat(0);
  // The sums meet y only at the end; asking for it now hides the way to memory.
  UNROLL for (int i = 0; i < rows; i++) {
    __builtin_prefetch(y + i * stride, 1);
    __builtin_prefetch(y + i * stride + TILE_COLUMNS - 1, 1);
  }
  for (; depth >= TILE_STEPS; depth -= TILE_STEPS, x += TILE_STEPS * rows, w += TILE_STEPS * CK_PANEL)
    tile_steps(rows, TILE_STEPS, x, w, sums);
  for (; depth; depth--, x += rows, w += CK_PANEL) tile_steps(rows, 1, x, w, sums);
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < TILE_VECTORS; j++) {
    V value = sums[i][j];
    if (bias) value += load(bias + j * LANES);
    if (add) value += load(y + i * stride + j * LANES);
    store(y + i * stride + j * LANES, value);
  }
}

#define TILE_CASE(n) case n: tile(n, x, w, depth, y, stride, add, bias); break;
static void tile_of(size_t rows, const float *x, const float *w, size_t depth, float *y, size_t stride, bool add,
                    const float *bias) {
  switch (rows) {
    TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4)
#if TILE_ROWS >= 6
    TILE_CASE(5) TILE_CASE(6)
#endif
#if TILE_ROWS >= 14
    TILE_CASE(7) TILE_CASE(8) TILE_CASE(9) TILE_CASE(10) TILE_CASE(11) TILE_CASE(12) TILE_CASE(13) TILE_CASE(14)
#endif
  }
}

/// A tile that ends before TILE_COLUMNS: computed aside, its real columns copied.
static void tile_edge(size_t rows, size_t columns, const float *x, const float *w, size_t depth, float *y, size_t stride,
                      bool add, const float *bias) {
  float aside[TILE_ROWS * TILE_COLUMNS];
  tile_of(rows, x, w, depth, aside, TILE_COLUMNS, false, NULL);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      float value = aside[i * TILE_COLUMNS + j];
      if (bias) value += bias[j];
      y[i * stride + j] = add ? value + y[i * stride + j] : value;
    }
}

static void multiply_panels(const float *x, size_t rows, const float *panels, size_t columns, size_t depth, float *y,
                            size_t stride, bool add, const float *bias) {
  for (size_t r = 0; r < rows; r += TILE_ROWS, x += TILE_ROWS * depth, y += TILE_ROWS * stride) {
    size_t height = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
    for (size_t at = 0; at < columns; at += TILE_COLUMNS) {
      const float *w = panels + at / CK_PANEL * CK_PANEL * depth + at % CK_PANEL, *tile_bias = bias ? bias + at : NULL;
      if (at + TILE_COLUMNS <= columns) tile_of(height, x, w, depth, y + at, stride, add, tile_bias);
      else tile_edge(height, columns - at, x, w, depth, y + at, stride, add, tile_bias);
    }
  }
}
