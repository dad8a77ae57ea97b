// One row of x against weights as they lie: the dots of four outputs side by side, which share what is read of x and
// walk memory in four long lines. One output alone is the same sum in the same order.
#pragma once
#include "vnni_rows.h"

#define DOT_OUTPUTS 4

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
    v.low = _mm512_xor_si512(four_parts(b + 2, 34), flip);
    v.high = _mm512_xor_si512(four_parts(b + 18, 34), flip);
    __m512i halves = _mm512_permutex2var_epi16(
        _mm512_loadu_si512(b), _mm512_castsi256_si512(QUARTERS(0, 17, 34, 51)), _mm512_loadu_si512(b + 64));
    v.d = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
    return v;
  }
  const int size = format == CK_Q4_0 ? 18 : 20;
  __m512i pairs = four_parts(b + size - 16, size);
  v.low = _mm512_and_si512(pairs, _mm512_set1_epi8(15));
  v.high = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), _mm512_set1_epi8(15));
  __m256i first = _mm256_loadu_si256((const __m256i *)b), second = _mm256_loadu_si256((const __m256i *)(b + 32));
  const __m256i scales = format == CK_Q4_0 ? QUARTERS(0, 9, 18, 27) : QUARTERS(0, 10, 20, 30);
  v.d = _mm512_cvtph_ps(_mm256_permutex2var_epi16(first, scales, second));
  if (format == CK_Q4_1) v.m = _mm512_cvtph_ps(_mm256_permutex2var_epi16(first, QUARTERS(1, 11, 21, 31), second));
  return v;
}

/// Lanes 0–3 and 8–11 of two vectors, beside lanes 4–7 and 12–15: the halves of four blocks.
INLINE __m512i first_halves(__m512i a, __m512i b) { return _mm512_shuffle_i64x2(a, b, 0x88); }
INLINE __m512i second_halves(__m512i a, __m512i b) { return _mm512_shuffle_i64x2(a, b, 0xDD); }

INLINE void block_dots(const int outputs, const int format, const int size, const uint8_t *const *rows, size_t depth,
                       const struct line *x, __m512 *sums) {
  const uint8_t *w[DOT_OUTPUTS];
  UNROLL for (int o = 0; o < outputs; o++) w[o] = rows[o];
  if (format >= CK_Q4_K) {
    for (; depth; depth -= 256, x += 4)
      UNROLL for (int o = 0; o < outputs; o++) {
        UNROLL for (int b = 0; b < size; b += 64) ask_for(w[o] + b, AHEAD);
        __m512 scales = scales_of(format, w[o]);
        UNROLL for (int part = 0; part < 4; part++)
          add_products(1, format, quarter(format, w[o], scales, part), x + part, 0, sums + o);
        w[o] += size;
      }
    return;
  }
  if (format == CK_Q8_0 || format == CK_Q4_0 || format == CK_Q4_1)
    for (; depth >= 128; depth -= 128, x += 2) {
      __m512i q0 = _mm512_loadu_si512(x[0].q), q1 = _mm512_loadu_si512(x[1].q);
      __m512i low = first_halves(q0, q1), high = second_halves(q0, q1);
      __m512i o0 = _mm512_loadu_si512(x[0].offset), o1 = _mm512_loadu_si512(x[1].offset);
      __m512i offset = _mm512_add_epi32(first_halves(o0, o1), second_halves(o0, o1));
      if (format == CK_Q4_0) offset = _mm512_srai_epi32(offset, 4);
      if (format == CK_Q4_1) offset = _mm512_setzero_si512();
      __m512 scale = _mm512_castsi512_ps(first_halves(_mm512_loadu_si512(x[0].scale), _mm512_loadu_si512(x[1].scale)));
      __m512 sum = scale;
      if (format == CK_Q4_1) {
        __m512i s0 = _mm512_loadu_si512(x[0].sum), s1 = _mm512_loadu_si512(x[1].sum);
        sum = _mm512_add_ps(_mm512_castsi512_ps(first_halves(s0, s1)), _mm512_castsi512_ps(second_halves(s0, s1)));
      }
      UNROLL for (int o = 0; o < outputs; o++) {
        UNROLL for (int b = 0; b < 4 * size; b += 64) ask_for(w[o] + b, AHEAD);
        blocks_t v = four_blocks(format, w[o]);
        __m512i dot = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(offset, v.low, low), v.high, high);
        sums[o] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(v.d, scale), sums[o]);
        if (format == CK_Q4_1) sums[o] = _mm512_fmadd_ps(v.m, sum, sums[o]);
        w[o] += 4 * size;
      }
    }
  for (; depth >= 64; depth -= 64, x++)
    UNROLL for (int o = 0; o < outputs; o++) {
      UNROLL for (int b = 0; b < 2 * size; b += 64) ask_for(w[o] + b, AHEAD);
      add_products(1, format, two_blocks(format, w[o], w[o] + size), x, 0, sums + o);
      w[o] += 2 * size;
    }
  if (depth)
    UNROLL for (int o = 0; o < outputs; o++) add_products(1, format, two_blocks(format, w[o], w[o]), x, 0, sums + o);
}

INLINE void some_dots(const int outputs, const int format, const int size, const uint8_t *const *rows, size_t depth,
                      const struct line *x, float *y, size_t apart, const float *bias, bool add) {
  __m512 sums[DOT_OUTPUTS];
  UNROLL for (int o = 0; o < outputs; o++) sums[o] = _mm512_setzero_ps();
  block_dots(outputs, format, size, rows, depth, x, sums);
  UNROLL for (int o = 0; o < outputs; o++) {
    float value = _mm512_reduce_add_ps(sums[o]);
    if (bias) value += bias[o * apart];
    y[o * apart] = add ? y[o * apart] + value : value;
  }
}

INLINE void format_dots(const int format, const int size, const uint8_t *w, size_t outputs, size_t depth,
                        const struct line *x, float *y, const float *bias, bool add) {
  size_t row = depth / (format >= CK_Q4_K ? 256 : 32) * size, apart = outputs / DOT_OUTPUTS;
  for (size_t o = 0; o < apart; o++) {
    const uint8_t *rows[DOT_OUTPUTS];
    UNROLL for (size_t i = 0; i < DOT_OUTPUTS; i++) rows[i] = w + (o + i * apart) * row;
    some_dots(DOT_OUTPUTS, format, size, rows, depth, x, y + o, apart, bias ? bias + o : NULL, add);
  }
  for (size_t o = DOT_OUTPUTS * apart; o < outputs; o++) {
    const uint8_t *rows[1] = {w + o * row};
    some_dots(1, format, size, rows, depth, x, y + o, 0, bias ? bias + o : NULL, add);
  }
}

#define FORMAT_LINES(CODE, name, size)                                                                             \
  static void lines_##name(const uint8_t *w, size_t outputs, size_t depth, const struct line *x, size_t rows,      \
                           float *y, size_t y_stride, const float *bias, bool add) {                               \
    if (rows == 1) format_dots(CODE, size, w, outputs, depth, x, y, bias, add);                                    \
    else format_lines(CODE, size, w, outputs, depth, x, rows, y, y_stride, bias, add);                             \
  }
#define FOR_BYTE_FORMATS(WITH)                                                                                     \
  WITH(CK_Q8_0, q8_0, 34) WITH(CK_Q4_0, q4_0, 18) WITH(CK_Q4_1, q4_1, 20) WITH(CK_Q5_0, q5_0, 22)                  \
  WITH(CK_Q5_1, q5_1, 24) WITH(CK_Q4_K, q4_k, 144) WITH(CK_Q5_K, q5_k, 176) WITH(CK_Q6_K, q6_k, 210)
FOR_BYTE_FORMATS(FORMAT_LINES)

static void multiply_lines(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                           const float *bias, float *y, size_t y_stride, bool add) {
  const uint8_t *base = (const uint8_t *)w->base + from * w->row_bytes;
  switch (w->format) {
#define ROWS_CASE(CODE, name, size)                                                                                \
  case CODE: lines_##name(base, to - from, w->columns, (const struct line *)lines, rows, y + from, y_stride,       \
                          bias ? bias + from : NULL, add); break;
    FOR_BYTE_FORMATS(ROWS_CASE)
#undef ROWS_CASE
  }
}
