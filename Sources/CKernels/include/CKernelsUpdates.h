// Optimizers' passes over a tensor: each number and its moments are read and written once. Part of CKernels.h.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

/// One step of AdamW. `scale` multiplies gradients first; `step` is the learning rate over 1 − β1ᵗ and `root` is
/// 1 / √(1 − β2ᵗ); `keep` multiplies the parameters before.
struct ck_adamw {
  float scale, keep, beta1, beta2, step, root, eps;
};
/// m ← m + (1 − β1)·(g − m);  v ← β2·v + (1 − β2)·g²;  p ← keep·p − step·m / (root·√v + eps)
void ck_update_adamw(const struct ck_adamw *adamw, float *p, const float *g, float *m, float *v, size_t count);

/// One step of Lion.
struct ck_lion {
  float scale, keep, beta1, beta2, rate;
};
/// p ← keep·p − rate·sign(m + (1 − β1)·(g − m));  m ← m + (1 − β2)·(g − m)
void ck_update_lion(const struct ck_lion *lion, float *p, const float *g, float *m, size_t count);

/// One step of gradient descent with momentum; `decay` adds that part of the parameters to the gradient, and `nesterov`
/// (0 or 1) looks ahead.
struct ck_momentum {
  float scale, decay, momentum, nesterov, rate;
};
/// g ← scale·g + decay·p;  m ← momentum·m + g;  p ← p − rate·(nesterov ? g + momentum·m : m)
void ck_update_momentum(const struct ck_momentum *momentum, float *p, const float *g, float *m, size_t count);

#pragma clang assume_nonnull end
