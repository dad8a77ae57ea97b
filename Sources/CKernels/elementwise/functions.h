// Functions of each element and sums over all, in vectors of LANES with several running sums.
#pragma once
#include "lanes.h"

// Fitted for the smallest largest relative error (Lawson's weighted least squares), then rounded to f32.
#define EXP_0 0.4999999403953552f
#define EXP_1 0.16666515171527863f
#define EXP_2 0.04166845604777336f
#define EXP_3 0.008369418792426586f
#define EXP_4 0.0013813144760206342f
#define TANH_0 -0.33333277702331543f
#define TANH_1 0.13331328332424164f
#define TANH_2 -0.05372922867536545f
#define TANH_3 0.02060200646519661f
#define TANH_4 -0.005660788621753454f
#define ERF_0 1.1283791065216064f
#define ERF_1 -0.3761262595653534f
#define ERF_2 0.1128358542919159f
#define ERF_3 -0.026853810995817184f
#define ERF_4 0.00518832728266716f
#define ERF_5 -0.000801019137725234f
#define ERF_6 7.853854913264513e-05f
#define ERFC_0 -0.00034151258296333253f
#define ERFC_1 -1.127089262008667f
#define ERFC_2 -0.6381447315216064f
#define ERFC_3 -0.10310681909322739f
#define ERFC_4 0.021838096901774406f
#define ERFC_5 -0.002947666682302952f
#define ERFC_6 0.0001863800862338394f

/// y = f(x) for `count` elements; the last few pass through a padded copy.
#define ELEMENTWISE(name, f)                                                                  \
  static void name(const float *x, float *y, size_t count) {                                  \
    size_t i = 0;                                                                             \
    for (; i + LANES <= count; i += LANES) store(y + i, f(load(x + i)));                      \
    if (i < count) store_part(y + i, count - i, f(load_part(x + i, count - i, 0)));           \
  }

// exp x = 2ⁿ·eʳ with n = round(x / ln 2), |r| ≤ ½ ln 2; eʳ = 1 + r + r²·p(r), p fitted within 3.3e-9 of eʳ. 2ⁿ is applied in two halves, so overflow ends in ∞ and underflow passes through the subnormals. NaN stays NaN.
INLINE V exponential(V x) {
  x = pick(x > 89.0f, splat(89.0f), x);
  x = pick(x < -104.0f, splat(-104.0f), x);
  V shifted = x * 0x1.715476p+0f + 0x1.8p23f;  // the sum's last bits are n
  I n = bits(shifted) - 0x4B400000;
  V whole = shifted - 0x1.8p23f;
  V r = x - whole * 0.693359375f;  // ln 2 in two parts: the first has 9 bits, so the product is exact
  r = r - whole * -2.12194440e-4f;
  V p = r * EXP_4 + EXP_3;
  p = p * r + EXP_2;
  p = p * r + EXP_1;
  p = p * r + EXP_0;
  V e = (p * r) * r + r + 1.0f;
  I half = n >> 1;
  return e * floats((half + 127) << 23) * floats((n - half + 127) << 23);
}

// σ(x) = 1 / (1 + e⁻ˣ); by e^−|x|, so that small values keep their relative accuracy.
INLINE V sigmoid(V x) {
  V e = exponential(-absolute(x)), s = 1.0f / (1.0f + e);
  return pick(x < 0.0f, e * s, s);
}

// tanh x = x + x³·p(x²) below 0.63 (relative error 4.7e-9), 1 − 2 / (e^2x + 1) above, odd.
INLINE V hyperbolic_tangent(V x) {
  V a = absolute(x), z = x * x;
  V p = z * TANH_4 + TANH_3;
  p = p * z + TANH_2;
  p = p * z + TANH_1;
  p = p * z + TANH_0;
  V near = (p * z) * x + x;
  V far = 1.0f - 2.0f / (exponential(a + a) + 1.0f);
  far = floats(bits(far) | (bits(x) & (int32_t)0x80000000));
  return pick(a > 0.63f, far, near);
}

// erf x = x·p(x²) up to 1 (relative error 1.2e-9); above, 1 − exp q(|x|) with q fitted to ln erfc on [1, 4]; odd.
INLINE V error_function(V x) {
  V a = absolute(x), z = x * x;
  V p = z * ERF_6 + ERF_5;
  p = p * z + ERF_4;
  p = p * z + ERF_3;
  p = p * z + ERF_2;
  p = p * z + ERF_1;
  p = p * z + ERF_0;
  V near = p * x;
  V c = pick(a > 4.0f, splat(4.0f), a);  // beyond 4, erfc is less than half a last bit of 1
  V q = c * ERFC_6 + ERFC_5;
  q = q * c + ERFC_4;
  q = q * c + ERFC_3;
  q = q * c + ERFC_2;
  q = q * c + ERFC_1;
  q = q * c + ERFC_0;
  V far = 1.0f - exponential(q);
  far = floats(bits(far) | (bits(x) & (int32_t)0x80000000));
  return pick(a > 1.0f, far, near);
}

ELEMENTWISE(exponentials, exponential)
ELEMENTWISE(sigmoids, sigmoid)
ELEMENTWISE(hyperbolic_tangents, hyperbolic_tangent)
ELEMENTWISE(error_functions, error_function)

#define SUMS 4

/// Σ of an expression over v = x[i], by SUMS vectors of running sums.
#define SUM_OVER(count, first, rest)                                                            \
  V sums[SUMS];                                                                                 \
  UNROLL for (int j = 0; j < SUMS; j++) sums[j] = splat(0);                                     \
  size_t i = 0;                                                                                 \
  for (; i + SUMS * LANES <= count; i += SUMS * LANES)                                          \
    UNROLL for (int j = 0; j < SUMS; j++) { size_t at = i + j * LANES; sums[j] = first; }       \
  for (; i + LANES <= count; i += LANES) { const int j = 0; size_t at = i; sums[j] = first; }   \
  if (i < count) { size_t left = count - i; sums[1] = rest; }                                   \
  return total((sums[0] + sums[1]) + (sums[2] + sums[3]));

static float dot(const float *a, const float *b, size_t count) {
  SUM_OVER(count, load(a + at) * load(b + at) + sums[j],
           load_part(a + i, left, 0) * load_part(b + i, left, 0) + sums[1])
}
static float sum(const float *x, size_t count) {
  SUM_OVER(count, load(x + at) + sums[j], load_part(x + i, left, 0) + sums[1])
}
static float sum_of_squares(const float *x, size_t count) { return dot(x, x, count); }

static float maximum(const float *x, size_t count) {
  V most[2] = {splat(-__builtin_inff()), splat(-__builtin_inff())};
  size_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    most[0] = larger(load(x + i), most[0]);
    most[1] = larger(load(x + i + LANES), most[1]);
  }
  for (; i < count; i += LANES) {
    V v = count - i < LANES ? load_part(x + i, count - i, -__builtin_inff()) : load(x + i);
    most[0] = larger(v, most[0]);
  }
  V both = larger(most[0], most[1]);
  float result = both[0];
  for (int j = 1; j < LANES; j++) result = both[j] > result ? both[j] : result;
  return result;
}

static void add_scaled(float factor, const float *x, float *y, size_t count) {
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) store(y + i, load(x + i) * factor + load(y + i));
  if (i < count) {
    size_t left = count - i;
    store_part(y + i, left, load_part(x + i, left, 0) * factor + load_part(y + i, left, 0));
  }
}

static void softmax(float *x, size_t count) {
  float most = maximum(x, count);
  if (!(most > -__builtin_inff())) {
    // Nothing above −∞. NaN is passed over by the maximum but must not be lost.
    for (size_t i = 0; i < count; i++) x[i] = x[i] != x[i] ? x[i] : 0;
    return;
  }
  V sums[2] = {splat(0), splat(0)};
  size_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES)
    UNROLL for (int j = 0; j < 2; j++) {
      V e = exponential(load(x + i + j * LANES) - most);
      store(x + i + j * LANES, e);
      sums[j] += e;
    }
  for (; i < count; i += LANES) {
    size_t left = count - i < LANES ? count - i : LANES;
    V e = exponential(load_part(x + i, left, -__builtin_inff()) - most);
    store_part(x + i, left, e);
    sums[0] += e;
  }
  float factor = 1 / total(sums[0] + sums[1]);
  for (i = 0; i + LANES <= count; i += LANES) store(x + i, load(x + i) * factor);
  for (; i < count; i++) x[i] *= factor;
}
