// Products of bytes summed by fours, on each kind of processor: by maddubs and madd with AVX2, by dpbusd with AVX-VNNI, by
// sdot on arm64. Weights u are unsigned and below 128, q has a sign; or weights have signs, too, as those of Q8_0.
#pragma once
#include "lanes.h"

typedef uint8_t B __attribute__((ext_vector_type(32)));
typedef int16_t S __attribute__((ext_vector_type(16)));

INLINE B bytes_at(const void *p) { B v; memcpy(&v, p, sizeof v); return v; }
INLINE B all_bytes(int value) { return (B)(uint8_t)value; }

#if defined(__aarch64__)

typedef I sums_t;
#define FOURS_THAT_FIT(bits) 8
#define ADD_NOW(v)
INLINE I more_fours(I sums, B u, B q) {
  typedef int32_t I4 __attribute__((ext_vector_type(4)));
#define LOWER(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define UPPER(v) __builtin_shufflevector(v, v, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)
  int32x4_t low = vdotq_s32((int32x4_t)__builtin_shufflevector(sums, sums, 0, 1, 2, 3), (int8x16_t)LOWER(u), (int8x16_t)LOWER(q));
  int32x4_t high = vdotq_s32((int32x4_t)__builtin_shufflevector(sums, sums, 4, 5, 6, 7), (int8x16_t)UPPER(u), (int8x16_t)UPPER(q));
  return __builtin_shufflevector((I4)low, (I4)high, 0, 1, 2, 3, 4, 5, 6, 7);
#undef LOWER
#undef UPPER
}
INLINE I first_fours(B u, B q) { return more_fours((I)0, u, q); }
INLINE I whole(I sums) { return sums; }
/// Each sum times the scale in its lane's words.
INLINE I scaled_fours(I sums, S scales) { return sums * (__builtin_bit_cast(I, scales) << 16 >> 16); }
INLINE I signed_fours(B w, B q) { return first_fours(w, q); }
/// What weights with signs are kept as in panels, and what that adds to each.
INLINE B without_signs(B w) { return w; }
#define SIGN_OFFSET 0
#define Q8_0_IN_BYTES 1

INLINE B rounded_to_bytes(const V *v) {
  B parts;
  UNROLL for (int i = 0; i < 4; i++) {
    float32x4_t halves[2];
    memcpy(halves, v + i, sizeof halves);
    int16x8_t words = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(halves[0])), vqmovn_s32(vcvtnq_s32_f32(halves[1])));
    int8x8_t eight = vqmovn_s16(words);
    memcpy((uint8_t *)&parts + 8 * i, &eight, 8);
  }
  return parts;
}

#else

#define BITS256(v) __builtin_bit_cast(__m256i, v)
/// |w| and q with w's sign.
INLINE void move_signs(B *w, B *q) {
  *q = __builtin_bit_cast(B, _mm256_sign_epi8(BITS256(*q), BITS256(*w)));
  *w = __builtin_bit_cast(B, _mm256_abs_epi8(BITS256(*w)));
}

#ifdef DPBUSD

typedef I sums_t;
#define FOURS_THAT_FIT(bits) 8
#define ADD_NOW(v)
INLINE I more_fours(I sums, B u, B q) {
  return __builtin_bit_cast(I, DPBUSD(BITS256(sums), BITS256(u), BITS256(q)));
}
INLINE I first_fours(B u, B q) { return more_fours((I)0, u, q); }
INLINE I whole(I sums) { return sums; }
INLINE I scaled_fours(I sums, S scales) { return sums * (__builtin_bit_cast(I, scales) << 16 >> 16); }
INLINE B without_signs(B w) { return w ^ 0x80; }
#define SIGN_OFFSET 128
#define Q8_0_IN_BYTES 1

#else

/// Sums of two products, in 16 bits: so many bits of u leave room for so many fours.
typedef S sums_t;
#define FOURS_THAT_FIT(bits) ((bits) == 4 ? 8 : (bits) == 5 ? 4 : 2)
/// Left to itself the compiler adds in an order of its own, for which there are too few registers.
#define ADD_NOW(v) __asm__("" : "+x"(v))
INLINE S first_fours(B u, B q) { return __builtin_bit_cast(S, _mm256_maddubs_epi16(BITS256(u), BITS256(q))); }
INLINE S more_fours(S sums, B u, B q) { return sums + first_fours(u, q); }
/// Twos of 16 bits multiplied and summed in 32.
INLINE I word_twos(S a, S b) { return __builtin_bit_cast(I, _mm256_madd_epi16(BITS256(a), BITS256(b))); }
INLINE I whole(S sums) { return word_twos(sums, (S)1); }
INLINE I scaled_fours(S sums, S scales) { return word_twos(sums, scales); }
INLINE B without_signs(B w) { return w; }
#define SIGN_OFFSET 0

#endif

/// 128 · 127 · 2 is still a number of 16 bits.
INLINE I signed_fours(B w, B q) {
  move_signs(&w, &q);
  return whole(first_fours(w, q));
}

/// Sixteen numbers as words, saturating.
INLINE S rounded_to_words(V first, V second) {
  __m256i low = _mm256_cvtps_epi32(__builtin_bit_cast(__m256, first)), high = _mm256_cvtps_epi32(__builtin_bit_cast(__m256, second));
  return __builtin_bit_cast(S, _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), _MM_SHUFFLE(3, 1, 2, 0)));
}
INLINE B rounded_to_bytes(const V *v) {
  __m256i n[4];
  UNROLL for (int i = 0; i < 4; i++) n[i] = _mm256_cvtps_epi32(__builtin_bit_cast(__m256, v[i]));
  __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(n[0], n[1]), _mm256_packs_epi32(n[2], n[3]));
  return __builtin_bit_cast(B, _mm256_permutevar8x32_epi32(bytes, _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0)));
}

#endif
