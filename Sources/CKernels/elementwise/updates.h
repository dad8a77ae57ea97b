// Optimizers' passes, in vectors of LANES; the last few numbers pass through padded copies.
#pragma once
#include "CKernelsUpdates.h"
#include "lanes.h"

INLINE void adamw_step(const struct ck_adamw *a, V *p, V g, V *m, V *v) {
  g = g * a->scale;
  *m = *m + (1.0f - a->beta1) * (g - *m);
  *v = *v * a->beta2 + (1.0f - a->beta2) * g * g;
  V size = __builtin_elementwise_sqrt(*v) * a->root + a->eps;
  *p = *p * a->keep - a->step * *m / size;
}

INLINE void lion_step(const struct ck_lion *l, V *p, V g, V *m) {
  g = g * l->scale;
  V ahead = *m + (1.0f - l->beta1) * (g - *m);
  V sign = pick(ahead > 0.0f, splat(1.0f), pick(ahead < 0.0f, splat(-1.0f), ahead));  // zero and NaN stay
  *p = *p * l->keep - l->rate * sign;
  *m = *m + (1.0f - l->beta2) * (g - *m);
}

INLINE void momentum_step(const struct ck_momentum *s, V *p, V g, V *m) {
  g = g * s->scale + *p * s->decay;
  *m = *m * s->momentum + g;
  V ahead = g + *m * s->momentum;
  *p = *p - s->rate * (s->nesterov > 0.0f ? ahead : *m);
}

static void update_adamw(const struct ck_adamw *a, float *p, const float *g, float *m, float *v, size_t count) {
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    V pv = load(p + i), mv = load(m + i), vv = load(v + i);
    adamw_step(a, &pv, load(g + i), &mv, &vv);
    store(p + i, pv), store(m + i, mv), store(v + i, vv);
  }
  if (i < count) {
    size_t n = count - i;
    V pv = load_part(p + i, n, 0), mv = load_part(m + i, n, 0), vv = load_part(v + i, n, 1);
    adamw_step(a, &pv, load_part(g + i, n, 0), &mv, &vv);
    store_part(p + i, n, pv), store_part(m + i, n, mv), store_part(v + i, n, vv);
  }
}

// The passes with one moment.
#define UPDATE_WITH_MOMENT(name)                                                                           \
  static void update_##name(const struct ck_##name *s, float *p, const float *g, float *m, size_t count) { \
    size_t i = 0;                                                                                          \
    for (; i + LANES <= count; i += LANES) {                                                               \
      V pv = load(p + i), mv = load(m + i);                                                                \
      name##_step(s, &pv, load(g + i), &mv);                                                               \
      store(p + i, pv), store(m + i, mv);                                                                  \
    }                                                                                                      \
    if (i < count) {                                                                                       \
      size_t n = count - i;                                                                                \
      V pv = load_part(p + i, n, 0), mv = load_part(m + i, n, 0);                                          \
      name##_step(s, &pv, load_part(g + i, n, 0), &mv);                                                    \
      store_part(p + i, n, pv), store_part(m + i, n, mv);                                                  \
    }                                                                                                      \
  }
UPDATE_WITH_MOMENT(lion)
UPDATE_WITH_MOMENT(momentum)
#undef UPDATE_WITH_MOMENT
