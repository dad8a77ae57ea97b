// How much memory copies of stored rows take.
#pragma once
#include "include/CKernels.h"

/// The floats that a copy of `width` numbers of a row takes: whole blocks, wherever in one they begin.
static inline size_t ck_copied_width(int format, size_t width) {
  size_t block = ck_block_elements(format);
  return block == 1 ? width : (width + 2 * block - 2) / block * block;
}
