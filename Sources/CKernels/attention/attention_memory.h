// How much memory copies of stored rows take.
#pragma once
#include "CKernels.h"

/// `width` made up to whole tiles of every level.
static inline size_t ck_whole_tiles(size_t width) { return (width + CK_PANEL - 1) / CK_PANEL * CK_PANEL; }

/// The floats that the panels of a gradient take for CK_QUERIES queries.
static inline size_t ck_gradient_panel_floats(const struct ck_attention *attention) {
  size_t key_width = attention->key_width, value_width = attention->value_width;
  return CK_QUERIES * (2 * key_width + value_width + ck_whole_tiles(key_width) + ck_whole_tiles(value_width) + 2);
}

/// The floats that a copy of `width` numbers of a row takes: whole blocks, wherever in one they begin.
static inline size_t ck_copied_width(int format, size_t width) {
  size_t block = ck_block_elements(format);
  return block == 1 ? width : (width + 2 * block - 2) / block * block;
}
