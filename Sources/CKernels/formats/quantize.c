// f32 to blocks of 32, rounded as ggml's reference quantiser does (ggml-quants.c, quantize_row_*_ref), so that files
// made here and there agree byte for byte. One level is enough: it is done once per weight. q8_0, in which keys and values
// are kept too, is in `blocks.h`.
#define LANES 4
#include "kernels.h"
#include "lanes.h"
#include <math.h>
#pragma STDC FP_CONTRACT OFF

static void put_half(uint8_t *p, float value) {
  uint16_t halves[LANES];
  to_f16(halves, splat(value));
  memcpy(p, halves, 2);
}

/// The whole part of v held to least…most; NaN becomes `least`.
static int whole(float v, int least, int most) { return !(v >= least) ? least : v >= most ? most : (int)v; }

/// d·(q − 2ⁿ⁻¹): the number furthest from zero, with its sign, becomes q = 0.
static void quantize_signed(const float *x, int bits, uint8_t *q, uint8_t *d_at) {
  float furthest = 0;
  for (int i = 0; i < 32; i++) if (fabsf(x[i]) > fabsf(furthest)) furthest = x[i];
  int half = 1 << (bits - 1);
  float d = furthest / -half, inverse = d != 0 ? 1 / d : 0;
  put_half(d_at, d);
  for (int i = 0; i < 32; i++) q[i] = (uint8_t)whole(x[i] * inverse + (half + 0.5f), 0, 2 * half - 1);
}

/// d·q + m over the block's range.
static void quantize_range(const float *x, int bits, uint8_t *q, uint8_t *d_at) {
  float least = x[0], most = x[0];
  for (int i = 1; i < 32; i++) { least = fminf(least, x[i]); most = fmaxf(most, x[i]); }
  int top = (1 << bits) - 1;
  float d = (most - least) / top, inverse = d != 0 ? 1 / d : 0;
  put_half(d_at, d);
  put_half(d_at + 2, least);
  for (int i = 0; i < 32; i++) q[i] = (uint8_t)whole((x[i] - least) * inverse + 0.5f, 0, top);
}

static void put_nibbles(const uint8_t *q, uint8_t *b) {
  for (int i = 0; i < 16; i++) b[i] = (uint8_t)((q[i] & 15) | (q[i + 16] & 15) << 4);
}

static void put_fifth_bits(const uint8_t *q, uint8_t *b) {
  uint32_t high = 0;
  for (int i = 0; i < 32; i++) high |= (uint32_t)(q[i] >> 4) << i;
  memcpy(b, &high, 4);
}

void ck_quantize(int format, const float *x, size_t count, void *bytes) {
  uint8_t *b = bytes, q[32];
  for (size_t i = 0; i < count; i += 32, x += 32, b += ck_block_bytes(format)) {
    switch (format) {
    case CK_Q4_0: quantize_signed(x, 4, q, b); put_nibbles(q, b + 2); break;
    case CK_Q4_1: quantize_range(x, 4, q, b); put_nibbles(q, b + 4); break;
    case CK_Q5_0: quantize_signed(x, 5, q, b); put_fifth_bits(q, b + 2); put_nibbles(q, b + 6); break;
    case CK_Q5_1: quantize_range(x, 5, q, b); put_fifth_bits(q, b + 4); put_nibbles(q, b + 8); break;
    }
  }
}
