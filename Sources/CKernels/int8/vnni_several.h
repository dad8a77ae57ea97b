// Several rows of x against blocks of 32 as they lie: sixteen outputs stand side by side in lanes, turned on the way into
// registers, so that a block of theirs is scaled once for each row of x and nothing is summed across lanes.
#pragma once
#include "vnni.h"

/// Thirty-two quantised numbers of x, what one is worth, −128 times their sum, and what their sum is worth.
struct run { int8_t q[32]; float scale; int32_t offset; float total; };

static size_t run_floats(size_t depth) { return depth / 32 * (sizeof(struct run) / sizeof(float)); }

static void quantize_runs(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct run *run = (struct run *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 32, run++) {
      run->scale = quantize_block(x + k, run->q);
      __m256i q = _mm256_loadu_si256((const __m256i *)run->q);
      int32_t sum = _mm512_reduce_add_epi32(sums_of_four(_mm512_zextsi256_si512(q)));
      run->offset = -128 * sum;
      run->total = run->scale * (float)sum;
    }
}

/// Sixteen bytes of each of sixteen rows `apart` bytes apart, so that turned[j] holds in lane i the bytes 4j…4j+3 of row i.
INLINE void turn_bytes(const uint8_t *b, size_t apart, __m512i *turned) {
  __m512i rows[4], pairs[4];
  UNROLL for (int i = 0; i < 4; i++) {
    const uint8_t *row = b + (size_t)i * apart;
    rows[i] = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)row));
    rows[i] = _mm512_inserti32x4(rows[i], _mm_loadu_si128((const __m128i *)(row + 4 * apart)), 1);
    rows[i] = _mm512_inserti32x4(rows[i], _mm_loadu_si128((const __m128i *)(row + 8 * apart)), 2);
    rows[i] = _mm512_inserti32x4(rows[i], _mm_loadu_si128((const __m128i *)(row + 12 * apart)), 3);
  }
  pairs[0] = _mm512_unpacklo_epi32(rows[0], rows[1]);
  pairs[1] = _mm512_unpackhi_epi32(rows[0], rows[1]);
  pairs[2] = _mm512_unpacklo_epi32(rows[2], rows[3]);
  pairs[3] = _mm512_unpackhi_epi32(rows[2], rows[3]);
  turned[0] = _mm512_unpacklo_epi64(pairs[0], pairs[2]);
  turned[1] = _mm512_unpackhi_epi64(pairs[0], pairs[2]);
  turned[2] = _mm512_unpacklo_epi64(pairs[1], pairs[3]);
  turned[3] = _mm512_unpackhi_epi64(pairs[1], pairs[3]);
}

/// The halves at b of sixteen rows. Put together outside the vectors, which have enough to do.
INLINE __m512 turn_halves(const uint8_t *b, size_t apart) {
  uint64_t words[4];
  UNROLL for (int j = 0; j < 4; j++) {
    words[j] = 0;
    UNROLL for (int i = 0; i < 4; i++) {
      uint16_t half;
      memcpy(&half, b + (size_t)(4 * j + i) * apart, 2);
      words[j] |= (uint64_t)half << 16 * i;
    }
  }
  return _mm512_cvtph_ps(_mm256_set_epi64x((int64_t)words[3], (int64_t)words[2], (int64_t)words[1], (int64_t)words[0]));
}

/// Adds 16 to the bytes whose fifth bit is set; the bits of a row are the four bytes at b, number n's is bit n.
INLINE void add_fifths(const uint8_t *b, size_t apart, __m512i *u) {
  uint32_t words[16];
  UNROLL for (int i = 0; i < 16; i++) memcpy(words + i, b + (size_t)i * apart, 4);
  __m512i bits = _mm512_loadu_si512(words);
  UNROLL for (int j = 0; j < 8; j++) {
    __m512i which = _mm512_add_epi8(
        _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0), _mm512_set1_epi8((char)(j / 2)));
    __mmask64 set = _mm512_test_epi8_mask(
        _mm512_shuffle_epi8(bits, which), _mm512_set1_epi32(j % 2 ? (int)0x80402010 : 0x08040201));
    u[j] = _mm512_mask_add_epi8(u[j], set, u[j], _mm512_set1_epi8(16));
  }
}

struct turned { __m512i u[8]; __m512 d, m; };

/// A block of each of sixteen rows; w = d·(u − 128) + m.
INLINE struct turned turn_blocks(const int format, const uint8_t *b, size_t apart) {
  struct turned t = {.d = turn_halves(b, apart), .m = _mm512_setzero_ps()};
  if (format == CK_Q8_0) {
    turn_bytes(b + 2, apart, t.u);
    turn_bytes(b + 18, apart, t.u + 4);
    UNROLL for (int j = 0; j < 8; j++) t.u[j] = _mm512_xor_si512(t.u[j], _mm512_set1_epi8(-128));
    return t;
  }
  const int at = format == CK_Q4_0 ? 2 : format == CK_Q4_1 ? 4 : format == CK_Q5_0 ? 6 : 8;
  const int set = format == CK_Q5_0 ? 0x70 : format == CK_Q4_0 ? 0 : 0x80;
  turn_bytes(b + at, apart, t.u);
  UNROLL for (int j = 0; j < 4; j++) {
    t.u[4 + j] = low_with(_mm512_srli_epi32(t.u[j], 4), set);
    t.u[j] = low_with(t.u[j], set);
  }
  if (format == CK_Q4_0)
    UNROLL for (int j = 0; j < 8; j++) t.u[j] = _mm512_add_epi8(t.u[j], _mm512_set1_epi8(120));
  if (scaling_of(format) == WITH_MINIMUM) t.m = turn_halves(b + 2, apart);
  if (format == CK_Q5_0) add_fifths(b + 2, apart, t.u);
  if (format == CK_Q5_1) add_fifths(b + 4, apart, t.u);
  return t;
}

#define SEVERAL_ROWS 8

/// `rows` rows of x times up to sixteen stored rows of `blocks` blocks.
INLINE void several_dots(const int rows, const int format, const int size, const uint8_t *w, size_t row_bytes,
                         size_t outputs, size_t blocks, const struct run *x, float *y, size_t y_stride,
                         const float *bias, bool add) {
  __m512 sums[SEVERAL_ROWS];
  uint8_t aside[16 * CK_BYTES_Q8_0];  // the largest block of these formats
  UNROLL for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
  for (size_t k = 0; k < blocks; k++) {
    const uint8_t *b = w + k * size;
    size_t apart = row_bytes;
    if (outputs < 16) {  // rows to spare repeat the last
      for (size_t i = 0; i < 16; i++) memcpy(aside + i * size, b + (i < outputs ? i : outputs - 1) * row_bytes, size);
      b = aside, apart = size;
    }
    // The sixteen rows after these, which lie behind them without a gap, in as many steps.
    UNROLL for (int i = 0; i < 16 * size; i += 64) ask_for_later(w + k * 16 * size + i, 16 * row_bytes);
    struct turned t = turn_blocks(format, b, apart);
    UNROLL for (int r = 0; r < rows; r++) {
      const struct run *run = x + (size_t)r * blocks + k;
      __m512i dot = _mm512_set1_epi32(run->offset);
      UNROLL for (int j = 0; j < 8; j++) {
        int32_t four;
        memcpy(&four, run->q + 4 * j, 4);
        dot = _mm512_dpbusd_epi32(dot, t.u[j], _mm512_set1_epi32(four));
      }
      sums[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(t.d, _mm512_set1_ps(run->scale)), sums[r]);
      if (scaling_of(format) == WITH_MINIMUM) sums[r] = _mm512_fmadd_ps(t.m, _mm512_set1_ps(run->total), sums[r]);
    }
  }
  __mmask16 mask = outputs < 16 ? (__mmask16)((1u << outputs) - 1) : 0xFFFF;
  UNROLL for (int r = 0; r < rows; r++) {
    __m512 value = sums[r];
    if (bias) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, bias));
    if (add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, y + r * y_stride));
    _mm512_mask_storeu_ps(y + r * y_stride, mask, value);
  }
}

#define SEVERAL_CASE(n) \
  case n: several_dots(n, format, size, w, row_bytes, some, blocks, x, y, y_stride, bias, add); break;
INLINE void format_several(const int format, const int size, const uint8_t *w, size_t row_bytes, size_t outputs,
                           size_t blocks, const struct run *lines, size_t rows, float *to, size_t y_stride,
                           const float *bias, bool add) {
  for (size_t o = 0; o < outputs; o += 16, w += 16 * row_bytes, to += 16) {
    size_t some = outputs - o < 16 ? outputs - o : 16, now;
    const struct run *x = lines;
    float *y = to;
    for (size_t left = rows; left; left -= now, x += now * blocks, y += now * y_stride) {
      now = left < SEVERAL_ROWS ? left : SEVERAL_ROWS;
      switch (now) {
        SEVERAL_CASE(1) SEVERAL_CASE(2) SEVERAL_CASE(3) SEVERAL_CASE(4)
        SEVERAL_CASE(5) SEVERAL_CASE(6) SEVERAL_CASE(7) SEVERAL_CASE(8)
      }
    }
    if (bias) bias += 16;
  }
}

#define FOR_SEVERAL_FORMATS(WITH) WITH(Q8_0, q8_0) WITH(Q4_0, q4_0) WITH(Q4_1, q4_1) WITH(Q5_0, q5_0) WITH(Q5_1, q5_1)

static void multiply_several(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                             const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  switch (w->format) {
#define SEVERAL_CASE_OF(CODE, name)                                                                                  \
  case CK_##CODE: format_several(CK_##CODE, CK_BYTES_##CODE, base, w->row_bytes, to - from, w->columns / 32,         \
                                 (const struct run *)lines, rows, y + from, y_stride, bias ? bias + from : NULL, add); \
    break;
    FOR_SEVERAL_FORMATS(SEVERAL_CASE_OF)
#undef SEVERAL_CASE_OF
  }
}
