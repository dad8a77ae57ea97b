// Rows of stored numbers to f32, and back.
#pragma once
#include "blocks.h"

static void widen(int format, const void *bytes, size_t count, float *y) {
  const uint8_t *b = bytes;
  switch (format) {
#define PLAIN(CODE, name, size)                                                              \
  case CK_##CODE: {                                                                          \
    size_t i = 0;                                                                            \
    for (; i + LANES <= count; i += LANES) store(y + i, from_##name(b + i * size));          \
    if (i < count) store_part(y + i, count - i, part_##name(b + i * size, count - i));       \
    break;                                                                                   \
  }
    CK_FOR_PLAIN_FORMATS(PLAIN)
#undef PLAIN
#define BLOCKS(CODE, name, size)                                                                            \
  case CK_##CODE:                                                                                           \
    for (size_t i = 0; i < count; i += CK_ELEMENTS_##CODE, b += size) block_##name(b, NULL, y + i, NULL); \
    break;
    CK_FOR_BLOCK_FORMATS(BLOCKS)
#undef BLOCKS
  }
}

static void narrow_f16(const float *x, size_t count, void *bytes) {
  uint16_t *h = bytes, last[LANES];
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) to_f16(h + i, load(x + i));
  if (i == count) return;
  to_f16(last, load_part(x + i, count - i, 0));
  memcpy(h + i, last, (count - i) * 2);
}

static void narrow_bf16(const float *x, size_t count, void *bytes) {
  uint16_t *h = bytes, last[LANES];
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) to_bf16(h + i, load(x + i));
  if (i == count) return;
  to_bf16(last, load_part(x + i, count - i, 0));
  memcpy(h + i, last, (count - i) * 2);
}

/// Integers nearest to v, halves away from zero, for |v| below 2²²; NaN becomes the least.
INLINE I nearest(V v) {
  V size = absolute(v);
  V whole = (size + 0x1p23f) - 0x1p23f;  // to nearest even
  whole = pick(size - whole == 0.5f, whole + 1.0f, whole);
  I n = __builtin_convertvector(pick(size <= 127.0f, whole, splat(127)), I);
  return v >= 0.0f ? n : -n;
}

/// d·q with d = max |x| / 127 and x / d rounded, byte for byte as ggml's reference quantiser (ggml-quants.c,
/// quantize_row_q8_0_ref).
static void narrow_q8_0(const float *x, size_t count, void *bytes) {
  uint8_t *b = bytes;
  for (size_t i = 0; i < count; i += 32, x += 32, b += CK_BYTES_Q8_0) {
    V largest = splat(0);
    UNROLL for (int o = 0; o < 32; o += LANES) largest = larger(absolute(load(x + o)), largest);
    float most = largest[0];
    UNROLL for (int j = 1; j < LANES; j++) most = largest[j] > most ? largest[j] : most;
    float d = most / 127, inverse = d > 0 ? 1 / d : 0;
    uint16_t halves[LANES];
    to_f16(halves, splat(d));
    memcpy(b, halves, 2);
    UNROLL for (int o = 0; o < 32; o += LANES) {
      I8 q = __builtin_convertvector(nearest(load(x + o) * inverse), I8);
      memcpy(b + 2 + o, &q, sizeof q);
    }
  }
}
