// Stored blocks as 64 unsigned bytes at a time, beside what scales them: w = d·(u − 128) + m, for each run of four.
// Layouts as in blocks.h.
#pragma once
#include "kernels.h"
#include "lanes.h"

typedef struct { __m512i u; __m512 d, m; } bytes_t;

/// How a format's numbers are scaled: by d alone, by d and m, or by a d for each sixteen.
enum scaling { PLAIN_SCALE, WITH_MINIMUM, TWO_SCALES };
INLINE enum scaling scaling_of(int format) {
  return format == CK_Q6_K ? TWO_SCALES
       : format == CK_Q4_1 || format == CK_Q5_1 || format == CK_Q4_K || format == CK_Q5_K ? WITH_MINIMUM : PLAIN_SCALE;
}

/// The halves at a and b, eight lanes each.
INLINE __m512 two_halves(const uint8_t *a, const uint8_t *b) {
  __m256i first = _mm256_broadcastw_epi16(_mm_loadu_si16(a));
  return _mm512_cvtph_ps(_mm256_mask_broadcastw_epi16(first, 0xFF00, _mm_loadu_si16(b)));
}

/// Sixteen bytes of four-bit pairs from each of two places, one number to a byte.
INLINE __m512i two_nibbles(const uint8_t *a, const uint8_t *b) {
  __m512i both = _mm512_mask_broadcast_i32x4(
      _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)a)), 0xFF00, _mm_loadu_si128((const __m128i *)b));
  return _mm512_srlv_epi64(both, _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0));
}

/// (v & 15) | set
INLINE __m512i low_with(__m512i v, int set) {
  return _mm512_ternarylogic_epi32(v, _mm512_set1_epi8(15), _mm512_set1_epi8((char)set), 0xEA);
}

INLINE __mmask64 two_masks(const uint8_t *a, const uint8_t *b) {
  uint32_t first, second;
  memcpy(&first, a, 4);
  memcpy(&second, b, 4);
  return (uint64_t)second << 32 | first;
}

/// Two neighbouring blocks of 32 at b, or one and whatever: `next` is the second block, or the first again.
INLINE bytes_t two_blocks(const int format, const uint8_t *b, const uint8_t *next) {
  bytes_t v = {.d = two_halves(b, next), .m = _mm512_setzero_ps()};
  switch (format) {
  case CK_Q8_0:
    v.u = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(b + 2))),
                             _mm256_loadu_si256((const __m256i *)(next + 2)), 1);
    v.u = _mm512_xor_si512(v.u, _mm512_set1_epi8(-128));
    break;
  case CK_Q4_0: v.u = _mm512_add_epi8(low_with(two_nibbles(b + 2, next + 2), 0), _mm512_set1_epi8(120)); break;
  case CK_Q4_1:
    v.u = low_with(two_nibbles(b + 4, next + 4), 0x80);
    v.m = two_halves(b + 2, next + 2);
    break;
  case CK_Q5_0:
    v.u = low_with(two_nibbles(b + 6, next + 6), 0x70);
    v.u = _mm512_mask_add_epi8(v.u, two_masks(b + 2, next + 2), v.u, _mm512_set1_epi8(16));
    break;
  case CK_Q5_1:
    v.u = low_with(two_nibbles(b + 8, next + 8), 0x80);
    v.u = _mm512_mask_add_epi8(v.u, two_masks(b + 4, next + 4), v.u, _mm512_set1_epi8(16));
    v.m = two_halves(b + 2, next + 2);
    break;
  }
  return v;
}

/// The scales of one block of 256: eight and then eight minima, negated; or sixteen.
INLINE __m512 scales_of(const int format, const uint8_t *b) {
  if (format == CK_Q6_K)
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(b + 192)))),
                         two_halves(b + 208, b + 208));
  uint32_t w[3];
  memcpy(w, b + 4, 12);
  __m128i packed = _mm_set_epi32(
      (int)((w[2] >> 4 & 0x0F0F0F0F) | (w[1] >> 6 & 0x03030303) << 4), (int)(w[1] & 0x3F3F3F3F),
      (int)((w[2] & 0x0F0F0F0F) | (w[0] >> 6 & 0x03030303) << 4), (int)(w[0] & 0x3F3F3F3F));
  __m512 both = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(packed));
  __m512 by = _mm512_xor_ps(two_halves(b, b + 2), _mm512_castsi512_ps(_mm512_mask_set1_epi32(
                            _mm512_setzero_si512(), 0xFF00, (int)0x80000000)));
  return _mm512_mul_ps(both, by);
}

/// Numbers 64·part… of a block of 256.
INLINE bytes_t quarter(const int format, const uint8_t *b, __m512 scales, const int part) {
  bytes_t v = {.m = _mm512_setzero_ps()};
  if (format == CK_Q6_K) {
    const int n = part / 2;
    __m512i low = _mm512_loadu_si512(b + 64 * n);
    __m512i high = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(b + 128 + 32 * n)));
    const int shift = part % 2 * 4;
    if (shift) low = _mm512_srli_epi64(low, 4);
    high = _mm512_srlv_epi64(high, _mm512_set_epi64(shift + 2, shift + 2, shift + 2, shift + 2, shift, shift, shift, shift));
    high = _mm512_slli_epi64(_mm512_and_si512(high, _mm512_set1_epi8(3)), 4);
    v.u = _mm512_add_epi8(_mm512_or_si512(low_with(low, 0), high), _mm512_set1_epi8(96));
    v.d = _mm512_permutexvar_ps(_mm512_add_epi32(_mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0),
                                                 _mm512_set1_epi32(4 * part)), scales);
    return v;
  }
  const int at = format == CK_Q4_K ? 16 : 48;
  __m512i both = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(b + at + 32 * part)));
  v.u = low_with(_mm512_srlv_epi64(both, _mm512_set_epi64(4, 4, 4, 4, 0, 0, 0, 0)), 0x80);
  if (format == CK_Q5_K) {
    __m512i fifths = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(b + 16)));
    __m512i bit = _mm512_inserti64x4(_mm512_set1_epi8((char)(1 << 2 * part)), _mm256_set1_epi8((char)(2 << 2 * part)), 1);
    v.u = _mm512_mask_add_epi8(v.u, _mm512_test_epi8_mask(fifths, bit), v.u, _mm512_set1_epi8(16));
  }
  __m512i which = _mm512_inserti64x4(_mm512_set1_epi32(2 * part), _mm256_set1_epi32(2 * part + 1), 1);
  v.d = _mm512_permutexvar_ps(which, scales);
  v.m = _mm512_permutexvar_ps(_mm512_add_epi32(which, _mm512_set1_epi32(8)), scales);
  return v;
}

/// Thirty-two numbers of x as integers −127…127 and what one is worth. A block with a NaN is worth NaN.
INLINE float quantize_block(const float *x, int8_t *q) {
  __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
  float most = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
  __m512 inverse = _mm512_set1_ps(most > 0x1p-100f ? 127 / most : 0);
  _mm_storeu_si128((__m128i *)q, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(a, inverse))));
  _mm_storeu_si128((__m128i *)(q + 16), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(b, inverse))));
  return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q) ? __builtin_nanf("") : most > 0x1p-100f ? most / 127 : 0;
}
/// The sum of each run of four of 64.
INLINE __m512i sums_of_four(__m512i q) { return _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), q); }
