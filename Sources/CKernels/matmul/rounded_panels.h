// Matrix multiplication in bf16 where the level has no instructions for it: both sides are rounded to bf16, to nearest
// even, while they are packed, and the level's f32 tiles multiply them. A product of two bf16 numbers is exact in f32, so
// all that is rounded beside the two sides are the sums, as with the instructions.
#pragma once
#include "low_precision.h"
#include "panels.h"
#include "tiles.h"

INLINE V rounded_to_bf16(V v) {
  uint16_t halves[LANES];
  to_bf16(halves, v);
  return from_bf16(halves);
}

/// Rounds `count` packed numbers, which are still in the cache.
static void round_packed(float *packed, size_t count) {
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) store(packed + i, rounded_to_bf16(load(packed + i)));
  if (i < count) store_part(packed + i, count - i, rounded_to_bf16(load_part(packed + i, count - i, 0)));
}

static size_t rounded_row_floats(size_t depth) { return depth; }
static size_t rounded_panel_floats(size_t depth) { return depth * CK_PANEL; }

static void pack_rounded_rows(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  pack_rows(x, stride, rows, depth, packed);
  round_packed(packed, rows * depth);
}
static void pack_rounded_rows_transposed(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  pack_rows_transposed(x, stride, rows, depth, packed);
  round_packed(packed, rows * depth);
}

/// The floats of the panels for the columns from..<to.
INLINE size_t floats_of_panels(size_t from, size_t to, size_t depth) {
  return (to - from + CK_PANEL - 1) / CK_PANEL * CK_PANEL * depth;
}
static void pack_rounded_panels(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth,
                                float *panels) {
  pack_panels(w, from, to, k, depth, panels);
  if (w->format == CK_F32) round_packed(panels, floats_of_panels(from, to, depth));
}
static void pack_rounded_panels_transposed(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth,
                                           float *panels) {
  pack_panels_transposed(w, from, to, k, depth, panels);
  if (w->format == CK_F32) round_packed(panels, floats_of_panels(from, to, depth));
}

static void multiply_rounded_panels(int format, const float *x, size_t rows, const float *panels, size_t columns,
                                    size_t depth, float *y, size_t stride, bool add, const float *bias) {
  (void)format;
  multiply_panels(x, rows, panels, columns, depth, y, stride, add, bias);
}

/// The depth is cut where the f32 product cuts it.
static const struct ck_low_precision_panels rounded_panels = {
    1u << CK_F32 | 1u << CK_BF16, TILE_ROWS, 16, rounded_row_floats, rounded_panel_floats, pack_rounded_rows, pack_rounded_panels,
    pack_rounded_rows_transposed, pack_rounded_panels_transposed, multiply_rounded_panels};
