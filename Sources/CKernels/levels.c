// Which level runs: the best the processor has, or the one CHIMERA_KERNELS names, or the one this thread asked for.
#include "kernels.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern const struct ck_kernels ck_portable, ck_neon, ck_avx2, ck_avx512;

#if defined(__x86_64__)
// The compiler's own check of the processor and of the registers the system saves.
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

size_t ck_levels(const struct ck_kernels *_Nonnull levels[_Nonnull CK_LEVELS]) {
  size_t count = 0;
  levels[count++] = &ck_portable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_avx2()) levels[count++] = &ck_avx2;
  if (has_avx512()) levels[count++] = &ck_avx512;
#elif defined(__aarch64__)
  levels[count++] = &ck_neon;
#endif
  return count;
}

static _Atomic(const struct ck_kernels *) chosen;
static _Thread_local const struct ck_kernels *asked;

static const struct ck_kernels *choose(void) {
  const struct ck_kernels *levels[CK_LEVELS];
  size_t count = ck_levels(levels);
  const struct ck_kernels *best = levels[count - 1];
  const char *name = getenv("CHIMERA_KERNELS");
  for (size_t i = 0; name && i < count; i++)
    if (strcmp(levels[i]->name, name) == 0) best = levels[i];
  atomic_store_explicit(&chosen, best, memory_order_release);
  return best;
}

const struct ck_kernels *ck_current(void) {
  if (asked) return asked;
  const struct ck_kernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
  return kernels ? kernels : choose();
}

const struct ck_kernels *ck_ask(const struct ck_kernels *kernels) {
  const struct ck_kernels *before = asked;
  asked = kernels;
  return before;
}

const char *ck_name(const struct ck_kernels *kernels) { return kernels->name; }
size_t ck_tile_rows(const struct ck_kernels *kernels) { return kernels->tile_rows; }

float ck_dot(const float *a, const float *b, size_t count) { return ck_current()->dot(a, b, count); }
void ck_add_scaled(float factor, const float *x, float *y, size_t count) {
  ck_current()->add_scaled(factor, x, y, count);
}
float ck_sum(const float *x, size_t count) { return ck_current()->sum(x, count); }
float ck_sum_of_squares(const float *x, size_t count) { return ck_current()->sum_of_squares(x, count); }
float ck_maximum(const float *x, size_t count) { return ck_current()->maximum(x, count); }
void ck_exponentials(const float *x, float *y, size_t count) { ck_current()->exponentials(x, y, count); }
void ck_sigmoids(const float *x, float *y, size_t count) { ck_current()->sigmoids(x, y, count); }
void ck_hyperbolic_tangents(const float *x, float *y, size_t count) { ck_current()->hyperbolic_tangents(x, y, count); }
void ck_error_functions(const float *x, float *y, size_t count) { ck_current()->error_functions(x, y, count); }
void ck_softmax(float *x, size_t count) { ck_current()->softmax(x, count); }
void ck_widen(int format, const void *bytes, size_t count, float *y) { ck_current()->widen(format, bytes, count, y); }

void ck_narrow(int format, const float *x, size_t count, void *bytes) {
  switch (format) {
  case CK_F32: memcpy(bytes, x, count * sizeof(float)); break;
  case CK_F16: ck_current()->narrow_f16(x, count, bytes); break;
  case CK_BF16: ck_current()->narrow_bf16(x, count, bytes); break;
  default: ck_quantize(format, x, count, bytes);
  }
}

void ck_multiply_rows(const struct ck_kernels *kernels, const struct ck_weight *w, size_t from, size_t to,
                      const float *x, size_t x_stride, size_t rows, const float *bias, float *y, size_t y_stride, bool add,
                      float *scratch) {
  kernels->multiply_rows(w, from, to, x, x_stride, rows, bias, y, y_stride, add, scratch);
}

void ck_pack_rows(const struct ck_kernels *kernels, const float *x, size_t stride, bool transposed, size_t rows,
                  size_t depth, float *packed) {
  (transposed ? kernels->pack_rows_transposed : kernels->pack_rows)(x, stride, rows, depth, packed);
}

void ck_pack_panels(const struct ck_kernels *kernels, const struct ck_weight *w, bool transposed, size_t from,
                    size_t to, size_t k, size_t depth, float *panels) {
  (transposed ? kernels->pack_panels_transposed : kernels->pack_panels)(w, from, to, k, depth, panels);
}

void ck_store_panels(const struct ck_kernels *kernels, const struct ck_weight *w, size_t from, size_t to,
                     void *panels) {
  kernels->store_panels(w, from, to, panels);
}

void ck_multiply_panels(const struct ck_kernels *kernels, const float *x, size_t rows, const void *panels, int format,
                        size_t panel_bytes, size_t columns, size_t depth, float *y, size_t stride, bool add,
                        const float *bias) {
  kernels->multiply_panels(x, rows, panels, format, panel_bytes, columns, depth, y, stride, add, bias);
}
