// What attention of many and of few queries shares: copies of stored rows, and the functions of scores.
#pragma once
#include "conversions.h"
#include "functions.h"
#include "attention_memory.h"
#include <math.h>

#define BLOCK_KEYS CK_BLOCK_KEYS
/// Below every score, yet a number: what the largest score starts from.
#define LEAST -0x1p100f
#define LOG2_E 1.4426950408889634f
#define LN_2 0.6931471805599453

// The polynomial of `exponential` for r·ln 2.
#define POWER_1 ((float)LN_2)
#define POWER_2 ((float)(EXP_0 * LN_2 * LN_2))
#define POWER_3 ((float)(EXP_1 * LN_2 * LN_2 * LN_2))
#define POWER_4 ((float)(EXP_2 * LN_2 * LN_2 * LN_2 * LN_2))
#define POWER_5 ((float)(EXP_3 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2))
#define POWER_6 ((float)(EXP_4 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2))

/// 2ˣ for x ≤ 1: 2ⁿ·2ʳ with n = round(x), |r| ≤ ½. Below 2⁻¹²⁵ it is 0; NaN stays NaN.
INLINE V power_of_two(V x) {
  V shifted = x + 0x1.8p23f;  // the sum's last bits are n
  V r = x - (shifted - 0x1.8p23f);
  V p = r * POWER_6 + POWER_5;
  p = p * r + POWER_4;
  p = p * r + POWER_3;
  p = p * r + POWER_2;
  p = p * r + POWER_1;
  V e = p * r + 1.0f;
  return pick(x < -125.0f, splat(0), floats(bits(e) + (bits(shifted) << 23)));
}

/// scores = cap · tanh(scores / cap); count is a multiple of LANES.
static void cap_scores(float *scores, size_t count, float cap) {
  float inverse = 1 / cap;
  for (size_t i = 0; i < count; i += LANES)
    store(scores + i, hyperbolic_tangent(load(scores + i) * inverse) * cap);
}

/// e^(x) for one x ≤ 0.
INLINE float weight_of(float x) { return power_of_two(splat(x * LOG2_E))[0]; }

/// What a sum of weights and values is multiplied with in the end, given its largest score and its denominator; the
/// head's sink takes its part here.
static float share(const struct ck_attention *attention, size_t head, float most, float total, float *log_sum_exp) {
  float scaled = 1;
  if (attention->sinks) {
    float sink = attention->sinks[head], before = most;
    if (sink > most) most = sink;
    scaled = weight_of(before - most);
    total = total * scaled + weight_of(sink - most);
  }
  *log_sum_exp = most + logf(total);
  // Nothing above −∞ was seen: the sums are zeros. A NaN is not lost.
  return total == 0 ? 0 : scaled / total;
}

/// Asks memory for some columns of rows long before they are needed, into the second-level cache.
INLINE void ask_for_rows(const struct ck_rows *rows, size_t row, size_t count, size_t from, size_t width) {
  size_t block = ck_block_elements(rows->format), bytes = ck_block_bytes(rows->format);
  uintptr_t base = (uintptr_t)rows->base + row * rows->row_bytes + from / block * bytes;
  size_t length = (width + block - 1) / block * bytes;
  for (size_t i = 0; i < count; i++, base += rows->row_bytes)
    for (size_t at = 0; at < length; at += 64) __builtin_prefetch((const void *)(base + at), 0, 2);
}

/// Some columns of stored rows as f32, rows `stride` floats apart.
struct copied { const float *base; size_t stride; };

/// Copies the numbers from..<from+width of `count` rows from row `row` on.
static struct copied copy_rows(const struct ck_rows *rows, size_t row, size_t count, size_t from, size_t width,
                               float *to) {
  const char *base = (const char *)rows->base + row * rows->row_bytes;
  size_t block = ck_block_elements(rows->format), lead = from % block;
  size_t stride = (lead + width + block - 1) / block * block;
  base += from / block * ck_block_bytes(rows->format);
  if (rows->format == CK_F32 && width % LANES == 0)
    for (size_t i = 0; i < count; i++, base += rows->row_bytes)
      for (size_t d = 0; d < width; d += LANES) store(to + i * stride + d, from_f32(base + d * sizeof(float)));
  else
    for (size_t i = 0; i < count; i++) widen(rows->format, base + i * rows->row_bytes, stride, to + i * stride);
  return (struct copied){to + lead, stride};
}
