// One row of x against blocks of 32 as they lie, four blocks at a time; four stored rows are walked side by side in long
// lines.
#pragma once
#include "vnni.h"

/// A hundred and twenty-eight quantised numbers of x as `four_blocks` lays the weights out, with −128 times the sum of
/// each eight of them that meet in a lane, their worth, and their sum's.
struct wide { int8_t low[64], high[64]; int32_t offset[16]; float scale[16], sum[16]; };

static size_t wide_floats(size_t depth) { return (depth + 127) / 128 * (sizeof(struct wide) / sizeof(float)); }

static void quantize_wide(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct wide *wide = (struct wide *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 128, wide++) {
      *wide = (struct wide){0};
      for (size_t b = 0; b < 4 && k + 32 * b < depth; b++) {
        int8_t q[32];
        float scale = quantize_block(x + k + 32 * b, q);
        memcpy(wide->low + 16 * b, q, 16);
        memcpy(wide->high + 16 * b, q + 16, 16);
        for (int lane = 0; lane < 4; lane++) wide->scale[4 * b + lane] = scale;
      }
      const __m512i ones = _mm512_set1_epi8(1);
      __m512i sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), ones, _mm512_loadu_si512(wide->low));
      sums = _mm512_dpbusd_epi32(sums, ones, _mm512_loadu_si512(wide->high));
      _mm512_storeu_si512(wide->offset, _mm512_mullo_epi32(sums, _mm512_set1_epi32(-128)));
      _mm512_storeu_ps(wide->sum, _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(wide->scale)));
    }
}

/// Four neighbouring blocks of 32: the first sixteen numbers of each, the second sixteen, and what scales them, four
/// lanes for each block. w = d·(u − 128) + m, d·(u − 8) for Q4_0, d·u + m for Q4_1.
typedef struct { __m512i low, high; __m512 d, m; } blocks_t;

#define QUARTERS(a, b, c, d) _mm256_set_epi16(d, d, d, d, c, c, c, c, b, b, b, b, a, a, a, a)

/// Sixteen bytes of each of four blocks.
INLINE __m512i four_parts(const uint8_t *p, const int size) {
  __m256i first = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)),
                                          _mm_loadu_si128((const __m128i *)(p + size)), 1);
  __m256i second = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(p + 2 * size))),
                                           _mm_loadu_si128((const __m128i *)(p + 3 * size)), 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}

INLINE blocks_t four_blocks(const int format, const uint8_t *b) {
  blocks_t v = {.m = _mm512_setzero_ps()};
  if (format == CK_Q8_0) {
    const __m512i flip = _mm512_set1_epi8(-128);
    v.low = _mm512_xor_si512(four_parts(b + 2, CK_BYTES_Q8_0), flip);
    v.high = _mm512_xor_si512(four_parts(b + 18, CK_BYTES_Q8_0), flip);
    __m512i halves = _mm512_permutex2var_epi16(
        _mm512_loadu_si512(b), _mm512_castsi256_si512(QUARTERS(0, 17, 34, 51)), _mm512_loadu_si512(b + 64));
    v.d = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
    return v;
  }
  const int size = (int)ck_block_bytes(format);
  __m512i pairs = four_parts(b + size - 16, size);
  v.low = _mm512_and_si512(pairs, _mm512_set1_epi8(15));
  v.high = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), _mm512_set1_epi8(15));
  __m256i first = _mm256_loadu_si256((const __m256i *)b), second = _mm256_loadu_si256((const __m256i *)(b + 32));
  const __m256i scales = format == CK_Q4_0 ? QUARTERS(0, 9, 18, 27) : QUARTERS(0, 10, 20, 30);
  v.d = _mm512_cvtph_ps(_mm256_permutex2var_epi16(first, scales, second));
  if (format == CK_Q4_1) v.m = _mm512_cvtph_ps(_mm256_permutex2var_epi16(first, QUARTERS(1, 11, 21, 31), second));
  return v;
}

INLINE void wide_step(const int outputs, const int format, const blocks_t *v, const struct wide *x, __m512 *sums) {
  __m512i low = _mm512_loadu_si512(x->low), high = _mm512_loadu_si512(x->high);
  __m512i offset = _mm512_loadu_si512(x->offset);
  if (format == CK_Q4_0) offset = _mm512_srai_epi32(offset, 4);
  if (format == CK_Q4_1) offset = _mm512_setzero_si512();
  __m512 scale = _mm512_loadu_ps(x->scale);
  UNROLL for (int o = 0; o < outputs; o++) {
    __m512i dot = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(offset, v[o].low, low), v[o].high, high);
    sums[o] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(v[o].d, scale), sums[o]);
    if (format == CK_Q4_1) sums[o] = _mm512_fmadd_ps(v[o].m, _mm512_loadu_ps(x->sum), sums[o]);
  }
}

/// x times `outputs` stored rows, `apart` outputs from one to the next.
INLINE void wide_dots(const int outputs, const int format, const int size, const uint8_t *w, size_t blocks, size_t apart,
                      const struct wide *x, float *y, const float *bias, bool add) {
  const uint8_t *at[4];
  __m512 sums[4];
  blocks_t v[4];
  UNROLL for (int o = 0; o < outputs; o++) {
    at[o] = w + o * apart * blocks * size;
    sums[o] = _mm512_setzero_ps();
  }
  for (; blocks >= 4; blocks -= 4, x++) {
    UNROLL for (int o = 0; o < outputs; o++) {
      v[o] = four_blocks(format, at[o]);
      at[o] += 4 * size;
    }
    wide_step(outputs, format, v, x, sums);
  }
  if (blocks) {  // the last few, with nothing behind them
    UNROLL for (int o = 0; o < outputs; o++) {
      uint8_t aside[4 * CK_BYTES_Q8_0] = {0};
      memcpy(aside, at[o], blocks * size);
      v[o] = four_blocks(format, aside);
    }
    wide_step(outputs, format, v, x, sums);
  }
  UNROLL for (int o = 0; o < outputs; o++) {
    float value = _mm512_reduce_add_ps(sums[o]);
    if (bias) value += bias[o * apart];
    y[o * apart] = add ? y[o * apart] + value : value;
  }
}

INLINE void format_wide(const int format, const int size, const uint8_t *w, size_t outputs, size_t blocks,
                        const struct wide *x, float *y, const float *bias, bool add) {
  // Four stored rows far apart are four lines that the processor reads ahead in by itself; asking for them costs up to 8 %.
  const size_t apart = outputs / 4;
  for (size_t o = 0; o < apart; o++)
    wide_dots(4, format, size, w + o * blocks * size, blocks, apart, x, y + o, bias ? bias + o : NULL, add);
  for (size_t o = 4 * apart; o < outputs; o++)
    wide_dots(1, format, size, w + o * blocks * size, blocks, 0, x, y + o, bias ? bias + o : NULL, add);
}

#define FOR_WIDE_FORMATS(WITH) WITH(Q8_0, q8_0) WITH(Q4_0, q4_0) WITH(Q4_1, q4_1)

static void multiply_wide(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                          const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  const struct wide *x = (const struct wide *)lines;
  for (; rows; rows--, x += (w->columns / 32 + 3) / 4, y += y_stride) switch (w->format) {
#define WIDE_CASE(CODE, name)                                                                                        \
  case CK_##CODE: format_wide(CK_##CODE, CK_BYTES_##CODE, base, to - from, w->columns / 32, x, y + from,             \
                              bias ? bias + from : NULL, add); break;
      FOR_WIDE_FORMATS(WIDE_CASE)
#undef WIDE_CASE
    }
}
