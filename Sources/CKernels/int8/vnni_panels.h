// Many rows of x against panels of 32 outputs in bytes, both packed in groups of 32 of the depth.
//   x, tile of n rows:  [group][8 fours][n]  then for each row −128·Σq of the group, of its halves, the worth, worth·Σq
//   w, panel:           [group][8 fours][32 outputs][4 bytes], d of 32 outputs, and m or the second halves' d
#pragma once
#include "vnni.h"

#define BYTE_ROWS 7
#define GROUP_INTS 13
#define GROUP_BYTES (1024 + 256)

static size_t byte_row_floats(size_t depth) { return (depth + 31) / 32 * GROUP_INTS; }
static size_t byte_panel_floats(size_t depth) { return (depth + 63) / 64 * 2 * GROUP_BYTES / sizeof(float); }

static void pack_byte_rows(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  int32_t *to = (int32_t *)packed;
  for (size_t r = 0; r < rows; r += BYTE_ROWS) {
    size_t height = rows - r < BYTE_ROWS ? rows - r : BYTE_ROWS;
    for (size_t k = 0; k < depth; k += 32, to += GROUP_INTS * height)
      for (size_t i = 0; i < height; i++) {
        int32_t q[8], low = 0, high = 0;
        float worth = quantize_block(x + (r + i) * stride + k, (int8_t *)q);
        __m256i bytes = _mm256_loadu_si256((const __m256i *)q);
        __m256i sums = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), bytes);
        __m256i pairs = _mm256_add_epi32(sums, _mm256_shuffle_epi32(sums, 0x4E));
        pairs = _mm256_add_epi32(pairs, _mm256_shuffle_epi32(pairs, 0xB1));
        low = _mm256_extract_epi32(pairs, 0), high = _mm256_extract_epi32(pairs, 4);
        UNROLL for (int f = 0; f < 8; f++) to[f * height + i] = q[f];
        float sum = worth * (float)(low + high);
        to[8 * height + i] = -128 * (low + high);
        to[9 * height + i] = -128 * low;
        to[10 * height + i] = -128 * high;
        memcpy(to + 11 * height + i, &worth, 4);
        memcpy(to + 12 * height + i, &sum, 4);
      }
  }
}

/// Sixty-four of the depth of sixteen outputs, turned: columns `column`… of two groups.
INLINE void put_bytes(const int format, bytes_t *v, uint8_t *group, size_t column, bool second) {
  V fours[16];
  float *scales[2] = {(float *)(group + 1024) + column, (float *)(group + GROUP_BYTES + 1024) + column};
  UNROLL for (int i = 0; i < 16; i++) {
    fours[i] = __builtin_bit_cast(V, v[i].u);
    float d[16], m[16];
    _mm512_storeu_ps(d, v[i].d);
    scales[0][i] = d[0];
    if (second) scales[1][i] = d[8];
    if (scaling_of(format) == PLAIN_SCALE) continue;
    if (scaling_of(format) == WITH_MINIMUM) _mm512_storeu_ps(m, v[i].m);
    scales[0][32 + i] = scaling_of(format) == TWO_SCALES ? d[4] : m[0];
    if (second) scales[1][32 + i] = scaling_of(format) == TWO_SCALES ? d[12] : m[8];
  }
  transpose(fours);
  UNROLL for (int f = 0; f < 8; f++) store((float *)(group + f * 128) + column, fours[f]);
  if (second)
    UNROLL for (int f = 0; f < 8; f++) store((float *)(group + GROUP_BYTES + f * 128) + column, fours[8 + f]);
}

INLINE void pack_bytes(const int format, const int size, const uint8_t *w, size_t row_bytes, size_t rows, size_t depth,
                       uint8_t *panel) {
  for (size_t column = 0; column < CK_PANEL; column += 16) {
    const uint8_t *row[16];
    uint8_t *group = panel;
    // Columns past the last repeat it: their sums are computed and thrown away.
    for (size_t i = 0; i < 16; i++) row[i] = w + (column + i < rows ? column + i : rows - 1) * row_bytes;
    bytes_t v[16];
    if (ck_block_elements(format) == 256) {
      for (size_t k = 0; k < depth; k += 256) {
        __m512 scales[16];
        for (int i = 0; i < 16; i++) scales[i] = scales_of(format, row[i]);
        UNROLL for (int part = 0; part < 4; part++, group += 2 * GROUP_BYTES) {
          for (int i = 0; i < 16; i++) v[i] = quarter(format, row[i], scales[i], part);
          put_bytes(format, v, group, column, true);
        }
        for (int i = 0; i < 16; i++) row[i] += size;
      }
      continue;
    }
    for (size_t k = 0; k < depth; k += 64, group += 2 * GROUP_BYTES) {
      bool second = k + 32 < depth;
      for (int i = 0; i < 16; i++) {
        v[i] = two_blocks(format, row[i], row[i] + (second ? size : 0));
        row[i] += 2 * size;
      }
      put_bytes(format, v, group, column, second);
    }
  }
}

#define PACK_BYTES(CODE, name)                                                                                     \
  static void pack_bytes_##name(const uint8_t *w, size_t row_bytes, size_t rows, size_t depth, uint8_t *panel) {   \
    pack_bytes(CK_##CODE, CK_BYTES_##CODE, w, row_bytes, rows, depth, panel);                                      \
  }
FOR_BYTE_FORMATS(PACK_BYTES)

static void pack_byte_panels(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels) {
  for (size_t c = from; c < to; c += CK_PANEL, panels += byte_panel_floats(depth)) {
    const uint8_t *base = (const uint8_t *)w->base + c * w->row_bytes;
    size_t rows = to - c < CK_PANEL ? to - c : CK_PANEL;
    switch (w->format) {
#define BYTES_CASE(CODE, name)                                                                                     \
  case CK_##CODE: pack_bytes_##name(base + k / CK_ELEMENTS_##CODE * CK_BYTES_##CODE, w->row_bytes, rows, depth,    \
                                    (uint8_t *)panels); break;
      FOR_BYTE_FORMATS(BYTES_CASE)
#undef BYTES_CASE
    }
  }
}

INLINE void byte_fours(const int rows, const int from, const int to, const int32_t *x, const uint8_t *w,
                       __m512i (*dots)[2]) {
  UNROLL for (int f = from; f < to; f++) {
    __m512i first = _mm512_loadu_si512(w + f * 128), second = _mm512_loadu_si512(w + f * 128 + 64);
    UNROLL for (int i = 0; i < rows; i++) {
      __m512i value = _mm512_set1_epi32(x[f * rows + i]);
      dots[i][0] = _mm512_dpbusd_epi32(dots[i][0], first, value);
      dots[i][1] = _mm512_dpbusd_epi32(dots[i][1], second, value);
    }
  }
}
INLINE void byte_start(const int rows, const int32_t *offsets, __m512i (*dots)[2]) {
  UNROLL for (int i = 0; i < rows; i++) dots[i][0] = dots[i][1] = _mm512_set1_epi32(offsets[i]);
}
INLINE void byte_scale(const int rows, const float *worth, const uint8_t *scales, __m512i (*dots)[2], __m512 (*sums)[2]) {
  __m512 first = _mm512_loadu_ps(scales), second = _mm512_loadu_ps(scales + 64);
  UNROLL for (int i = 0; i < rows; i++) {
    __m512 by = _mm512_set1_ps(worth[i]);
    sums[i][0] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dots[i][0]), by), first, sums[i][0]);
    sums[i][1] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dots[i][1]), by), second, sums[i][1]);
  }
}

/// One tile: y[rows, columns ≤ 32] = x·w (+ bias) (+ y).
INLINE void byte_tile(const int rows, const enum scaling scaling, const int32_t *x, const uint8_t *w, size_t groups,
                      float *y, size_t stride, size_t columns, bool add, const float *bias) {
  __m512 sums[BYTE_ROWS][2];
  UNROLL for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = _mm512_setzero_ps();
  for (; groups; groups--, x += GROUP_INTS * rows, w += GROUP_BYTES) {
    __m512i dots[BYTE_ROWS][2];
    const float *worth = (const float *)(x + 11 * rows), *sum = (const float *)(x + 12 * rows);
    byte_start(rows, x + (scaling == TWO_SCALES ? 9 : 8) * rows, dots);
    if (scaling == TWO_SCALES) {
      byte_fours(rows, 0, 4, x, w, dots);
      byte_scale(rows, worth, w + 1024, dots, sums);
      byte_start(rows, x + 10 * rows, dots);
      byte_fours(rows, 4, 8, x, w, dots);
      byte_scale(rows, worth, w + 1152, dots, sums);
    } else {
      byte_fours(rows, 0, 8, x, w, dots);
      byte_scale(rows, worth, w + 1024, dots, sums);
    }
    if (scaling == WITH_MINIMUM) {
      __m512 first = _mm512_loadu_ps(w + 1152), second = _mm512_loadu_ps(w + 1216);
      UNROLL for (int i = 0; i < rows; i++) {
        sums[i][0] = _mm512_fmadd_ps(first, _mm512_set1_ps(sum[i]), sums[i][0]);
        sums[i][1] = _mm512_fmadd_ps(second, _mm512_set1_ps(sum[i]), sums[i][1]);
      }
    }
  }
  UNROLL for (size_t j = 0; j < 2; j++) {
    __mmask16 mask = columns >= 16 * (j + 1) ? 0xFFFF : columns <= 16 * j ? 0 : (__mmask16)((1u << (columns - 16 * j)) - 1);
    UNROLL for (int i = 0; i < rows; i++) {
      __m512 value = sums[i][j];
      if (bias) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, bias + 16 * j));
      if (add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, y + i * stride + 16 * j));
      _mm512_mask_storeu_ps(y + i * stride + 16 * j, mask, value);
    }
  }
}

#define BYTE_CASE(n) case n: byte_tile(n, scaling, x, w, groups, y, stride, columns, add, bias); break;
INLINE void byte_tiles(const enum scaling scaling, size_t rows, const int32_t *x, const uint8_t *panels, size_t columns,
                       size_t depth, float *y, size_t stride, bool add, const float *bias) {
  size_t groups = (depth + 31) / 32, panel_bytes = byte_panel_floats(depth) * sizeof(float), all = columns;
  for (size_t c = 0; c < all; c += CK_PANEL) {
    const uint8_t *w = panels + c / CK_PANEL * panel_bytes;
    const int32_t *first = x;
    for (size_t r = 0; r < rows; r += BYTE_ROWS) {
      size_t height = rows - r < BYTE_ROWS ? rows - r : BYTE_ROWS, columns = all - c < CK_PANEL ? all - c : CK_PANEL;
      const float *line_bias = bias ? bias + c : NULL;
      float *to = y + r * stride + c;
      {
        const int32_t *x = first;
        float *y = to;
        const float *bias = line_bias;
        switch (height) { BYTE_CASE(1) BYTE_CASE(2) BYTE_CASE(3) BYTE_CASE(4) BYTE_CASE(5) BYTE_CASE(6) BYTE_CASE(7) }
      }
      first += height * groups * GROUP_INTS;
    }
  }
}

static void plain_tiles(size_t rows, const int32_t *x, const uint8_t *panels, size_t columns, size_t depth, float *y,
                        size_t stride, bool add, const float *bias) {
  byte_tiles(PLAIN_SCALE, rows, x, panels, columns, depth, y, stride, add, bias);
}
static void minimum_tiles(size_t rows, const int32_t *x, const uint8_t *panels, size_t columns, size_t depth, float *y,
                          size_t stride, bool add, const float *bias) {
  byte_tiles(WITH_MINIMUM, rows, x, panels, columns, depth, y, stride, add, bias);
}
static void two_scale_tiles(size_t rows, const int32_t *x, const uint8_t *panels, size_t columns, size_t depth,
                            float *y, size_t stride, bool add, const float *bias) {
  byte_tiles(TWO_SCALES, rows, x, panels, columns, depth, y, stride, add, bias);
}

static void multiply_byte_panels(int format, const float *x, size_t rows, const float *panels, size_t columns,
                                 size_t depth, float *y, size_t stride, bool add, const float *bias) {
  enum scaling scaling = scaling_of(format);
  (scaling == PLAIN_SCALE ? plain_tiles : scaling == WITH_MINIMUM ? minimum_tiles : two_scale_tiles)(
      rows, (const int32_t *)x, (const uint8_t *)panels, columns, depth, y, stride, add, bias);
}
