#include "CKernels.h"
#include <string.h>

static float half(const uint8_t *p) { _Float16 h; memcpy(&h, p, 2); return (float)h; }

static void scale_and_minimum(const uint8_t *s, int j, float *scale, float *minimum) {
  if (j < 4) { *scale = s[j] & 63; *minimum = s[j + 4] & 63; return; }
  *scale = (s[j + 4] & 15) | ((s[j - 4] >> 6) << 4);
  *minimum = (s[j + 4] >> 4) | ((s[j] >> 6) << 4);
}

static size_t widen_block(int format, const uint8_t *b, float *y) {
  switch (format) {
  case CK_F32: memcpy(y, b, 4); return 4;
  case CK_F16: *y = half(b); return 2;
  case CK_BF16: { uint32_t u = (uint32_t)(b[0] | b[1] << 8) << 16; memcpy(y, &u, 4); return 2; }
  case CK_Q8_0: for (int i = 0; i < 32; i++) y[i] = half(b) * (int8_t)b[2 + i]; return 34;
  case CK_Q4_0:
    for (int i = 0; i < 16; i++) {
      y[i] = half(b) * ((b[2 + i] & 15) - 8);
      y[i + 16] = half(b) * ((b[2 + i] >> 4) - 8);
    }
    return 18;
  case CK_Q4_1:
    for (int i = 0; i < 16; i++) {
      y[i] = half(b) * (b[4 + i] & 15) + half(b + 2);
      y[i + 16] = half(b) * (b[4 + i] >> 4) + half(b + 2);
    }
    return 20;
  case CK_Q5_0: {
    uint32_t high; memcpy(&high, b + 2, 4);
    for (int i = 0; i < 16; i++) {
      y[i] = half(b) * ((int)((b[6 + i] & 15) | ((high >> i) & 1) << 4) - 16);
      y[i + 16] = half(b) * ((int)((b[6 + i] >> 4) | ((high >> (i + 16)) & 1) << 4) - 16);
    }
    return 22;
  }
  case CK_Q5_1: {
    uint32_t high; memcpy(&high, b + 4, 4);
    for (int i = 0; i < 16; i++) {
      y[i] = half(b) * (int)((b[8 + i] & 15) | ((high >> i) & 1) << 4) + half(b + 2);
      y[i + 16] = half(b) * (int)((b[8 + i] >> 4) | ((high >> (i + 16)) & 1) << 4) + half(b + 2);
    }
    return 24;
  }
  case CK_Q4_K: case CK_Q5_K: {
    int five = format == CK_Q5_K;
    const uint8_t *high = b + 16, *low = b + (five ? 48 : 16);
    for (int j = 0; j < 8; j++) {
      float scale, minimum; scale_and_minimum(b + 4, j, &scale, &minimum);
      float d = half(b) * scale, m = half(b + 2) * minimum;
      for (int i = 0; i < 32; i++) {
        int q = (low[j / 2 * 32 + i] >> (j & 1) * 4) & 15;
        if (five) q |= ((high[i] >> j) & 1) << 4;
        y[j * 32 + i] = d * q - m;
      }
    }
    return five ? 176 : 144;
  }
  case CK_Q6_K: {
    const int8_t *scales = (const int8_t *)b + 192;
    float d = half(b + 208);
    for (int n = 0; n < 2; n++) for (int j = 0; j < 4; j++) for (int i = 0; i < 32; i++) {
      int q = (b[n * 64 + (j & 1) * 32 + i] >> (j >> 1) * 4) & 15;
      q |= ((b[128 + n * 32 + i] >> 2 * j) & 3) << 4;
      y[n * 128 + j * 32 + i] = d * scales[n * 8 + j * 2 + i / 16] * (q - 32);
    }
    return 210;
  }
  }
  return 0;
}

void ck_widen(int format, const void *bytes, size_t count, float *y) {
  const uint8_t *b = bytes;
  size_t elements = format <= CK_BF16 ? 1 : format <= CK_Q5_1 ? 32 : 256;
  for (size_t i = 0; i < count; i += elements) b += widen_block(format, b, y + i);
}
