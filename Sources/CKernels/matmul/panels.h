// Packing stored weights into panels of CK_PANEL columns, [panel][depth][CK_PANEL], widened to f32 on the way.
#pragma once
#include "conversions.h"

// Columns past the last repeat it: their sums are computed and thrown away.
#define PACK(CODE, name, size)                                                                                       \
  INLINE void pack_##name(const uint8_t *w, size_t row_bytes, size_t rows, size_t depth, float *panel) {             \
    for (size_t group = 0; group < CK_PANEL; group += LANES) {                                                       \
      const uint8_t *row[LANES];                                                                                     \
      for (size_t i = 0; i < LANES; i++) row[i] = w + (group + i < rows ? group + i : rows - 1) * row_bytes;         \
      size_t k = 0;                                                                                                  \
      for (; k + LANES <= depth; k += LANES) {                                                                       \
        V block[LANES];                                                                                              \
        UNROLL for (int i = 0; i < LANES; i++) block[i] = from_##name(row[i] + k * size);                            \
        transpose(block);                                                                                            \
        UNROLL for (int i = 0; i < LANES; i++) store(panel + (k + i) * CK_PANEL + group, block[i]);                  \
      }                                                                                                              \
      if (k < depth) {                                                                                               \
        V block[LANES];                                                                                              \
        UNROLL for (int i = 0; i < LANES; i++) block[i] = part_##name(row[i] + k * size, depth - k);                 \
        transpose(block);                                                                                            \
        for (size_t i = 0; k + i < depth; i++) store(panel + (k + i) * CK_PANEL + group, block[i]);                  \
      }                                                                                                              \
    }                                                                                                                \
  }
CK_FOR_PLAIN_FORMATS(PACK)
#undef PACK

/// Elements widened at a time before they are turned; one block of the largest format.
#define PACK_RUN 256

/// Panels of the outputs from..<to (from a multiple of CK_PANEL), inputs k..<k+depth, whole blocks.
static void pack_panels(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels) {
  for (size_t c = from; c < to; c += CK_PANEL, panels += CK_PANEL * depth) {
    const uint8_t *base = (const uint8_t *)w->base + c * w->row_bytes;
    size_t rows = to - c < CK_PANEL ? to - c : CK_PANEL;
    switch (w->format) {
#define PLAIN(CODE, name, size)                                              \
  case CK_##CODE: pack_##name(base + k * size, w->row_bytes, rows, depth, panels); break;
      CK_FOR_PLAIN_FORMATS(PLAIN)
#undef PLAIN
    default: {
      float run[CK_PANEL][PACK_RUN];
      for (size_t at = 0; at < depth; at += PACK_RUN) {
        size_t count = depth - at < PACK_RUN ? depth - at : PACK_RUN;
        size_t offset = (k + at) / ck_block_elements(w->format) * ck_block_bytes(w->format);
        for (size_t i = 0; i < rows; i++) widen(w->format, base + i * w->row_bytes + offset, count, run[i]);
        pack_f32((const uint8_t *)run, sizeof run[0], rows, count, panels + at * CK_PANEL);
      }
    }
    }
  }
}

// One row of the depth into `panel[d]` of as many panels as there are columns; the walk is along memory.
#define SPREAD(CODE, name, size)                                                                           \
  INLINE void spread_##name(const uint8_t *row, size_t columns, size_t panel_size, float *to) {            \
    for (; columns >= CK_PANEL; columns -= CK_PANEL, row += CK_PANEL * size, to += panel_size)             \
      UNROLL for (int j = 0; j < CK_PANEL; j += LANES) store(to + j, from_##name(row + j * size));         \
    if (columns == 0) return;                                                                              \
    for (size_t j = 0; j < CK_PANEL; j += LANES)                                                           \
      store(to + j, j < columns ? part_##name(row + j * size, columns - j < LANES ? columns - j : LANES)   \
                                : splat(0));                                                               \
  }
CK_FOR_PLAIN_FORMATS(SPREAD)
#undef SPREAD
#define SPREAD(CODE, name, size)                                                                             \
  INLINE void spread_##name(const uint8_t *row, size_t from, size_t columns, size_t panel_size, float *to) { \
    enum { elements = CK_ELEMENTS_##CODE };                                                                  \
    float block[elements];                                                                                   \
    for (size_t c = from; c < from + columns; c += CK_PANEL, to += panel_size) {                           \
      if (c == from || c % elements == 0) block_##name(row + c / elements * size, NULL, block, NULL);      \
      memcpy(to, block + c % elements, CK_PANEL * sizeof(float));                                          \
    }                                                                                                      \
  }
CK_FOR_BLOCK_FORMATS(SPREAD)
#undef SPREAD

/// Panels of the inputs from..<to (from a multiple of CK_PANEL), where the depth runs over the outputs k..<k+depth.
static void pack_panels_transposed(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth,
                                   float *panels) {
  const uint8_t *row = (const uint8_t *)w->base + k * w->row_bytes;
  switch (w->format) {
#define PLAIN(CODE, name, size)                                                     \
  case CK_##CODE:                                                                   \
    for (size_t d = 0; d < depth; d++, row += w->row_bytes)                         \
      spread_##name(row + from * size, to - from, CK_PANEL * depth, panels + d * CK_PANEL); \
    break;
    CK_FOR_PLAIN_FORMATS(PLAIN)
#undef PLAIN
#define BLOCKS(CODE, name, size)                                          \
  case CK_##CODE:                                                                   \
    for (size_t d = 0; d < depth; d++, row += w->row_bytes)                         \
      spread_##name(row, from, to - from, CK_PANEL * depth, panels + d * CK_PANEL); \
    break;
    CK_FOR_BLOCK_FORMATS(BLOCKS)
#undef BLOCKS
  }
}
