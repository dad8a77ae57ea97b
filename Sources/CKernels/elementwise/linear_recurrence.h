// One token of a sum that decays: the state is read and written once.
#pragma once
#include "lanes.h"

/// `vectors` vectors of the values: state[n] = decay · state[n] + k[n] · v, y = Σ q[n] · state[n].
INLINE void recurrence_columns(const int vectors, float decay, const float *q, const float *k, const float *v, size_t keys,
                            size_t values, float *state, float *y) {
  V sums[4], added[4];
  UNROLL for (int j = 0; j < vectors; j++) sums[j] = splat(0), added[j] = load(v + j * LANES);
  for (size_t n = 0; n < keys; n++, state += values) {
    V key = splat(k[n]), query = splat(q[n]);
    UNROLL for (int j = 0; j < vectors; j++) {
      V row = load(state + j * LANES) * decay + key * added[j];
      store(state + j * LANES, row);
      sums[j] = query * row + sums[j];
    }
  }
  UNROLL for (int j = 0; j < vectors; j++) store(y + j * LANES, sums[j]);
}

static void linear_recurrence(float decay, const float *q, const float *k, const float *v, size_t keys, size_t values,
                         float *state, float *y) {
  size_t p = 0;
  for (; p + 4 * LANES <= values; p += 4 * LANES) recurrence_columns(4, decay, q, k, v + p, keys, values, state + p, y + p);
  for (; p + LANES <= values; p += LANES) recurrence_columns(1, decay, q, k, v + p, keys, values, state + p, y + p);
  for (; p < values; p++) {
    float sum = 0;
    for (size_t n = 0; n < keys; n++) {
      float *number = state + n * values + p;
      *number = *number * decay + k[n] * v[p];
      sum += q[n] * *number;
    }
    y[p] = sum;
  }
}
