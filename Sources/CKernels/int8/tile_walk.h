// The walk over tiles of four rows of x by sixteen columns of packed panels, whatever they are packed in.
#pragma once
#include "lanes.h"
#include "low_precision.h"

#define TILE_LINES 4

/// The products of `rows` ≤ TILE_LINES rows, `line` groups apart, with half a panel.
typedef void tile_function(size_t rows, const float *x, size_t line, const uint8_t *w, size_t groups, V (*sums)[2]);
struct tile_kind {
  tile_function *tile;
  /// The bytes of a group of half a panel, and the floats of one of a row of x.
  size_t half_bytes, line_floats;
};

/// Where eight rows of w have input k, from row `c` on; rows from `to` on repeat the last.
INLINE void first_bytes(const struct ck_weight *w, size_t c, size_t to, size_t k, const uint8_t **row) {
  const uint8_t *base = (const uint8_t *)w->base + k / ck_block_elements(w->format) * ck_block_bytes(w->format);
  for (size_t i = 0; i < 8; i++) row[i] = base + (c + i < to ? c + i : to - 1) * w->row_bytes;
}

INLINE void put_tile(size_t rows, size_t columns, V (*sums)[2], float *y, size_t stride, bool add, const float *bias) {
  for (size_t j = 0; 8 * j < columns; j++) {
    size_t some = columns - 8 * j < 8 ? columns - 8 * j : 8;
    V more = !bias ? splat(0) : some == 8 ? load(bias + 8 * j) : load_part(bias + 8 * j, some, 0);
    for (size_t i = 0; i < rows; i++) {
      float *to = y + i * stride + 8 * j;
      V value = sums[i][j];
      if (bias) value += more;
      if (add) value += some == 8 ? load(to) : load_part(to, some, 0);
      if (some == 8) store(to, value); else store_part(to, some, value);
    }
  }
}

/// y[rows, columns] (+)= x·w over `groups` groups; a row of x has `line` of them.
INLINE void walk_tiles(struct tile_kind kind, const float *x, size_t line, size_t rows, const uint8_t *panels,
                       size_t columns, size_t groups, float *y, size_t stride, bool add, const float *bias) {
  for (size_t c = 0; c < columns; c += 16, panels += groups * kind.half_bytes) {
    size_t some = columns - c < 16 ? columns - c : 16;
    for (size_t r = 0; r < rows; r += TILE_LINES) {
      size_t height = rows - r < TILE_LINES ? rows - r : TILE_LINES;
      V sums[TILE_LINES][2];
      kind.tile(height, x + r * line * kind.line_floats, line, panels, groups, sums);
      put_tile(height, some, sums, y + r * stride + c, stride, add, bias ? bias + c : NULL);
    }
  }
}
