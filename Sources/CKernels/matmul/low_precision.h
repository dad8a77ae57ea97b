// Matrix multiplication in lower precision than f32, for the processors that have instructions for it. A level's table points at
// one of each, or at nothing.
#pragma once
#include "CKernels.h"

/// A format of a list, as a bit of `formats`.
#define CK_TAKES(CODE, name) 1u << CK_##CODE |

/// Matrix multiplication by packed rows and panels of its own making. Sizes are in floats, whatever is kept in them.
struct ck_low_precision_panels {
  /// The formats of w that it takes: a bit for each.
  uint32_t formats;
  size_t tile_rows;
  /// The depth is cut at multiples of this.
  size_t multiple;
  /// What one packed row, and one panel of CK_PANEL columns, takes.
  size_t (*row_floats)(size_t depth);
  size_t (*panel_floats)(size_t depth);
  void (*pack_rows)(const float *x, size_t stride, size_t rows, size_t depth, float *packed);
  void (*pack_panels)(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels);
  /// The same from memory that has the depth outside: element (r, k) of x at x[k · stride + r], and a column of w for each
  /// column. NULL where only stored rows are multiplied with.
  void (*pack_rows_transposed)(const float *x, size_t stride, size_t rows, size_t depth, float *packed);
  void (*pack_panels_transposed)(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels);
  void (*multiply)(int format, const float *x, size_t rows, const float *panels, size_t columns, size_t depth, float *y,
                   size_t stride, bool add, const float *bias);
};

/// Dots of a few rows of x, rounded once, with stored rows as they lie.
struct ck_low_precision_rows {
  /// The formats of w that it takes: a bit for each.
  uint32_t formats;
  /// More rows than this are multiplied faster when they are packed (measured).
  size_t most_rows;
  size_t (*row_floats)(size_t depth);
  void (*quantize)(const float *x, size_t stride, size_t rows, size_t depth, float *lines);
  void (*multiply)(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                   const float *bias, float *y, size_t y_stride, bool add);
};

extern const struct ck_low_precision_panels ck_avx2_panels, ck_avx2_q8_0_panels, ck_avx_vnni_panels, ck_neon_panels,
    ck_vnni_panels, ck_bf16_panels;
extern const struct ck_low_precision_rows ck_avx2_blocks, ck_avx2_q8_0_rows, ck_avx2_words, ck_avx2_stretches, ck_avx_vnni_blocks, ck_avx_vnni_stretches,
    ck_neon_blocks, ck_neon_stretches;
extern const struct ck_low_precision_rows ck_vnni_rows, ck_vnni_rows_alike, ck_vnni_wide, ck_vnni_several, ck_bf16_rows, ck_bf16_several;
