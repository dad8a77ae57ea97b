// f32 to blocks of 256, as ggml's reference quantiser rounds without an importance matrix (ggml-quants.c,
// quantize_row_q4_K_ref, …q5_K_ref, …q6_K_ref of ggml-org/ggml, 2026), so that files made here and there agree byte for
// byte: sums are taken in the same order, without fused multiply-adds.
#define LANES 4
#include "kernels.h"
#include "lanes.h"
#include <math.h>
#pragma STDC FP_CONTRACT OFF

static float through_half(uint8_t *p, float value) {
  uint16_t halves[LANES];
  float back[LANES];
  to_f16(halves, splat(value));
  memcpy(p, halves, 2);
  store(back, from_f16(halves));
  return back[0];
}

/// v to the nearest integer, halves to even, for |v| < 2²²: the sum with 1.5·2²³ leaves it in the low bits. Never
/// undefined, whatever v is.
static int nearest(float v) {
  v += 12582912.f;
  int32_t bits;
  memcpy(&bits, &v, 4);
  return (bits & 0x007fffff) - 0x00400000;
}

static int within(int v, int least, int most) { return v < least ? least : v > most ? most : v; }

/// Scale and shift of 32 numbers, x ≈ scale·q − shift with q in 0…top and shift ≥ 0: of `steps` + 1 divisions of the range
/// near its own, each fitted by weighted least squares, the one with the least weighted error.
static float fit_range(const float *x, const float *w, int top, float first, int steps, uint8_t *q, float *shift) {
  float least = x[0], most = x[0], weight = w[0], sum = w[0] * x[0];
  for (int i = 1; i < 32; i++) {
    if (x[i] < least) least = x[i];
    if (x[i] > most) most = x[i];
    weight += w[i];
    sum += w[i] * x[i];
  }
  if (least > 0) least = 0;
  memset(q, 0, 32);
  *shift = -least;
  if (most == least) return 0;
  float inverse = top / (most - least), scale = 1 / inverse, best = 0;
  for (int i = 0; i < 32; i++) {
    q[i] = (uint8_t)within(nearest(inverse * (x[i] - least)), 0, top);
    float off = scale * q[i] + least - x[i];
    best += w[i] * (off * off);
  }
  float own = least;
  for (int step = 0; step <= steps; step++) {
    uint8_t tried[32];
    float q1 = 0, q2 = 0, qx = 0, error = 0;
    inverse = (first + 0.1f * step + top) / (most - least);
    for (int i = 0; i < 32; i++) {
      int l = within(nearest(inverse * (x[i] - least)), 0, top);
      tried[i] = (uint8_t)l;
      q1 += w[i] * l;
      q2 += w[i] * l * l;
      qx += w[i] * l * x[i];
    }
    float determinant = weight * q2 - q1 * q1;
    if (!(determinant > 0)) continue;
    float a = (weight * qx - sum * q1) / determinant, b = (q2 * sum - q1 * qx) / determinant;
    if (b > 0) { b = 0; a = qx / q2; }
    for (int i = 0; i < 32; i++) {
      float off = a * tried[i] + b - x[i];
      error += w[i] * (off * off);
    }
    if (error < best) {
      memcpy(q, tried, 32);
      best = error;
      scale = a;
      own = b;
      // Later divisions start from the fitted least number.
      least = b;
    }
  }
  *shift = -own;
  return scale;
}

/// Scale of 16 numbers, x ≈ scale·(q − 32): of 19 divisions near the largest number's, the one with the least error, weighted
/// by the squares.
static float fit_signed(const float *x, uint8_t *q) {
  float largest = 0, furthest = 0;
  for (int i = 0; i < 16; i++) if (fabsf(x[i]) > largest) { largest = fabsf(x[i]); furthest = x[i]; }
  memset(q, 0, 16);
  if (largest < 1e-15f) return 0;
  float scale = 0, best = 0;
  for (int step = 0; step < 20; step++) {
    // The largest number's own division first, then −9 … 9 tenths beside it.
    int beside = step - 10;
    if (step > 0 && beside == 0) continue;
    float inverse = step == 0 ? -32 / furthest : -(32 + 0.1f * beside) / furthest, qx = 0, q2 = 0;
    int tried[16];
    for (int i = 0; i < 16; i++) {
      int l = tried[i] = within(nearest(inverse * x[i]), -32, 31);
      float w = x[i] * x[i];
      qx += w * x[i] * l;
      q2 += w * l * l;
    }
    if (step > 0 && !(q2 > 0 && qx * qx > best * q2)) continue;
    for (int i = 0; i < 16; i++) q[i] = (uint8_t)(tried[i] + 32);
    scale = q2 != 0 ? qx / q2 : 0;
    best = scale * qx;
  }
  return scale;
}

/// q4_k and q5_k: eight runs of 32 with a scale and a shift of 6 bits each.
static void quantize_ranges(const float *x, int bits, uint8_t *b) {
  uint8_t q[256];
  float scales[8], shifts[8], largest = 0, furthest = 0;
  int top = (1 << bits) - 1;
  for (int run = 0; run < 8; run++) {
    const float *own = x + 32 * run;
    float squares = 0, w[32];
    for (int i = 0; i < 32; i++) squares += own[i] * own[i];
    float mean = sqrtf(squares / 32);
    for (int i = 0; i < 32; i++) w[i] = mean + fabsf(own[i]);
    scales[run] = fit_range(own, w, top, bits == 4 ? -1 : -0.5f, bits == 4 ? 20 : 15, q + 32 * run, shifts + run);
    if (scales[run] > largest) largest = scales[run];
    if (shifts[run] > furthest) furthest = shifts[run];
  }
  float inverse = largest > 0 ? 63 / largest : 0, inverse_shift = furthest > 0 ? 63 / furthest : 0;
  float d = through_half(b, largest / 63), m = through_half(b + 2, furthest / 63);
  uint8_t *packed = b + 4, small[8], moved[8];
  for (int run = 0; run < 8; run++) {
    int s = (uint8_t)nearest(inverse * scales[run]), t = (uint8_t)nearest(inverse_shift * shifts[run]);
    small[run] = (uint8_t)(s > 63 ? 63 : s);
    moved[run] = (uint8_t)(t > 63 ? 63 : t);
  }
  for (int run = 0; run < 4; run++) {
    packed[run] = (uint8_t)(small[run] | small[run + 4] >> 4 << 6);
    packed[run + 4] = (uint8_t)(moved[run] | moved[run + 4] >> 4 << 6);
    packed[run + 8] = (uint8_t)((small[run + 4] & 15) | (moved[run + 4] & 15) << 4);
  }
  for (int run = 0; run < 8; run++) {
    float scale = d * small[run], shift = m * moved[run];
    if (scale == 0) continue;
    for (int i = 0; i < 32; i++) {
      q[32 * run + i] = (uint8_t)within(nearest((x[32 * run + i] + shift) / scale), 0, top);
    }
  }
  uint8_t *low = b + 16;
  if (bits == 5) {
    uint8_t *high = low;
    low += 32;
    memset(high, 0, 32);
    for (int run = 0; run < 8; run++) {
      for (int i = 0; i < 32; i++) high[i] |= (uint8_t)(q[32 * run + i] >> 4 << run);
    }
  }
  for (int pair = 0; pair < 4; pair++) {
    for (int i = 0; i < 32; i++) {
      low[32 * pair + i] = (uint8_t)((q[64 * pair + i] & 15) | (q[64 * pair + 32 + i] & 15) << 4);
    }
  }
}

/// q6_k: sixteen runs of 16 with a scale of 8 bits each.
static void quantize_q6_k(const float *x, uint8_t *b) {
  uint8_t q[256];
  float scales[16], largest = 0, furthest = 0;
  for (int run = 0; run < 16; run++) {
    scales[run] = fit_signed(x + 16 * run, q + 16 * run);
    if (fabsf(scales[run]) > largest) { largest = fabsf(scales[run]); furthest = scales[run]; }
  }
  memset(b, 0, 210);
  if (largest < 1e-15f) return;
  float inverse = -128 / furthest, d = through_half(b + 208, 1 / inverse);
  int8_t *small = (int8_t *)b + 192;
  for (int run = 0; run < 16; run++) {
    int s = nearest(inverse * scales[run]);
    small[run] = (int8_t)(s > 127 ? 127 : s);
    float scale = d * small[run];
    if (scale == 0) continue;
    for (int i = 0; i < 16; i++) q[16 * run + i] = (uint8_t)(within(nearest(x[16 * run + i] / scale), -32, 31) + 32);
  }
  for (int half = 0; half < 2; half++) {
    const uint8_t *own = q + 128 * half;
    uint8_t *low = b + 64 * half, *high = b + 128 + 32 * half;
    for (int i = 0; i < 32; i++) {
      low[i] = (uint8_t)((own[i] & 15) | (own[i + 64] & 15) << 4);
      low[i + 32] = (uint8_t)((own[i + 32] & 15) | (own[i + 96] & 15) << 4);
      high[i] = (uint8_t)(own[i] >> 4 | own[i + 32] >> 4 << 2 | own[i + 64] >> 4 << 4 | own[i + 96] >> 4 << 6);
    }
  }
}

void ck_quantize_k(int format, const float *x, size_t count, void *bytes) {
  uint8_t *b = bytes;
  for (size_t i = 0; i < count; i += 256, x += 256, b += ck_block_bytes(format)) {
    switch (format) {
    case CK_Q4_K: quantize_ranges(x, 4, b); break;
    case CK_Q5_K: quantize_ranges(x, 5, b); break;
    case CK_Q6_K: quantize_q6_k(x, b); break;
    }
  }
}
