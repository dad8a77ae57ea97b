// A program of elementwise steps over registers of a few vectors each, which stay in the nearest cache.
#pragma once
#include "functions.h"

/// Vectors in a register: enough to hide the choice of a step, few enough for 16 registers in 8 KiB.
#define PROGRAM_VECTORS 8

// ln x = n·ln 2 + ln m with m in [√½, √2); ln m = 2 artanh s with s = (m − 1) / (m + 1), |s| < 0.172, by its series.
INLINE V logarithm(V x) {
  I tiny = x < 0x1p-126f;
  V scaled = pick(tiny, x * 0x1p25f, x);
  I n = (bits(scaled) - 0x3F3504F3) >> 23;  // √½ has the bits 3F3504F3
  V m = floats(bits(scaled) - (n << 23));
  V e = __builtin_convertvector(n, V) - pick(tiny, splat(25), splat(0));
  V s = (m - 1.0f) / (m + 1.0f), z = s * s;
  V p = z * 0.22222222f + 0.28571429f;  // 2/9, 2/7, 2/5, 2/3
  p = p * z + 0.4f;
  p = p * z + 0.66666667f;
  V y = e * 0.693359375f + (e * -2.12194440e-4f + (p * z * s + (s + s)));
  y = pick(x == 0.0f, splat(-__builtin_inff()), y);
  y = pick(x == __builtin_inff(), x, y);
  return pick(x >= 0.0f, y, splat(__builtin_nanf("")));
}

// x = q·π/2 + r with |r| ≤ π/4, π/2 in three parts of which the first two have few bits, so that their products with q
// are exact up to |x| = 5000; then the series of sine or cosine, and the sign of the quadrant.
INLINE V wave(V x, int32_t turn) {
  V shifted = x * 0.63661977f + 0x1.8p23f;
  I q = bits(shifted) - 0x4B400000 + turn;
  V whole = shifted - 0x1.8p23f;
  V r = x - whole * 1.5703125f;
  r = r - whole * 4.83751296997070e-4f;
  r = r - whole * 7.54978995489188e-8f;
  V z = r * r;
  V sine = z * 2.7557319e-6f - 1.9841270e-4f;
  sine = sine * z + 8.3333333e-3f;
  sine = sine * z - 0.16666667f;
  sine = (sine * z) * r + r;
  V cosine = z * -2.7557319e-7f + 2.4801587e-5f;
  cosine = cosine * z - 1.3888889e-3f;
  cosine = cosine * z + 4.1666667e-2f;
  cosine = (cosine * z) * z + (1.0f - 0.5f * z);
  V y = pick((q & 1) == 0, sine, cosine);
  return floats(bits(y) ^ ((q & 2) << 30));
}

INLINE V smaller(V x, V other) { return pick(x < other, x, other); }

INLINE V square_root(V x) { return __builtin_elementwise_sqrt(x); }

#define EACH(expression)                                        \
  for (size_t j = 0; j < vectors; j++) {                        \
    V a = left[j * left_step], b = right[j * right_step];       \
    (void)b;                                                    \
    to[j] = expression;                                         \
  }                                                             \
  break;

static void run_program(const struct ck_step *steps, size_t step_count, const float *numbers, size_t number_count,
                        const float *x, float *y, uint8_t result, size_t count) {
  V registers[CK_PROGRAM_REGISTERS][PROGRAM_VECTORS], constants[CK_PROGRAM_NUMBERS];
  for (size_t i = 0; i < number_count; i++) constants[i] = splat(numbers[i]);
  const size_t block = PROGRAM_VECTORS * LANES;
  for (size_t start = 0; start < count; start += block) {
    size_t left_over = count - start < block ? count - start : block;
    size_t vectors = (left_over + LANES - 1) / LANES;
    if (left_over % LANES) registers[0][vectors - 1] = splat(0);
    memcpy(registers[0], x + start, left_over * sizeof(float));
    for (size_t i = 0; i < step_count; i++) {
      const struct ck_step *step = &steps[i];
      // An operand is a register, or a number that is the same for all.
#define OPERAND(name, index)                                                                             \
  const V *name = index < CK_PROGRAM_REGISTERS ? registers[index] : &constants[index - CK_PROGRAM_REGISTERS]; \
  const size_t name##_step = index < CK_PROGRAM_REGISTERS;
      OPERAND(left, step->a)
      OPERAND(right, step->b)
      OPERAND(third, step->c)
      V *to = registers[step->to];
      switch (step->operation) {
      case CK_ADD: EACH(a + b)
      case CK_SUBTRACT: EACH(a - b)
      case CK_MULTIPLY: EACH(a * b)
      case CK_DIVIDE: EACH(a / b)
      case CK_LARGER: EACH(larger(a, b))
      case CK_SMALLER: EACH(smaller(a, b))
      case CK_CHOOSE: EACH(pick(a > 0.0f, b, third[j * third_step]))
      case CK_ABSOLUTE: EACH(absolute(a))
      case CK_ROOT: EACH(square_root(a))
      case CK_EXPONENTIAL: EACH(exponential(a))
      case CK_LOGARITHM: EACH(logarithm(a))
      case CK_SINE: EACH(wave(a, 0))
      case CK_COSINE: EACH(wave(a, 1))
      case CK_SIGMOID: EACH(sigmoid(a))
      case CK_HYPERBOLIC_TANGENT: EACH(hyperbolic_tangent(a))
      case CK_ERROR_FUNCTION: EACH(error_function(a))
      default: break;
      }
#undef OPERAND
    }
    if (result < CK_PROGRAM_REGISTERS) {
      memcpy(y + start, registers[result], left_over * sizeof(float));
    } else {
      for (size_t j = 0; j < left_over; j++) y[start + j] = numbers[result - CK_PROGRAM_REGISTERS];
    }
  }
}
#undef EACH
