// Which level runs: the best the processor has, or the one CHIMERA_KERNELS names, or the one this thread asked for.
#include "kernels.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct ck_kernels ck_portable, ck_neon, ck_neon_dot, ck_avx2, ck_avx2_vnni, ck_avx512, ck_avx512_vnni, ck_avx512_bf16;

#if defined(__x86_64__)
// The compiler's own check of the processor and of the registers the system saves.
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
static bool has_avx_vnni(void) { return has_avx2() && __builtin_cpu_supports("avxvnni"); }
static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
static bool has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
static bool has_bf16(void) { return has_vnni() && __builtin_cpu_supports("avx512bf16"); }
#elif defined(__APPLE__)
#include <sys/sysctl.h>
static bool has_sdot(void) {
  int has = 0;
  size_t size = sizeof has;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, NULL, 0) == 0 && has;
}
#elif defined(__aarch64__)
#include <sys/auxv.h>
static bool has_sdot(void) { return getauxval(AT_HWCAP) >> 20 & 1; }  // HWCAP_ASIMDDP
#endif

size_t ck_levels(const struct ck_kernels *_Nonnull levels[_Nonnull CK_LEVELS]) {
  size_t count = 0;
  levels[count++] = &ck_portable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_avx2()) levels[count++] = &ck_avx2;
  if (has_avx_vnni()) levels[count++] = &ck_avx2_vnni;
  if (has_avx512()) levels[count++] = &ck_avx512;
  if (has_vnni()) levels[count++] = &ck_avx512_vnni;
  if (has_bf16()) levels[count++] = &ck_avx512_bf16;
#elif defined(__aarch64__)
  levels[count++] = &ck_neon;
  if (has_sdot()) levels[count++] = &ck_neon_dot;
#endif
  return count;
}

static _Atomic(const struct ck_kernels *) chosen;
static _Thread_local const struct ck_kernels *asked;

/// Says on standard error that the name is none of these, and which is used instead.
static void complain(const char *name, const struct ck_kernels *const *levels, size_t count) {
  fprintf(stderr, "CHIMERA_KERNELS: no kernels named \"%s\" run here, only", name);
  for (size_t i = 0; i < count; i++) fprintf(stderr, "%s %s", i ? "," : "", levels[i]->name);
  fprintf(stderr, "; using %s\n", levels[count - 1]->name);
}

static const struct ck_kernels *choose(void) {
  const struct ck_kernels *levels[CK_LEVELS];
  size_t count = ck_levels(levels);
  const struct ck_kernels *best = NULL, *none = NULL;
  const char *name = getenv("CHIMERA_KERNELS");
  for (size_t i = 0; name && i < count; i++)
    if (strcmp(levels[i]->name, name) == 0) best = levels[i];
  bool known = best || !name || !*name;
  if (!best) best = levels[count - 1];
  // Threads may arrive here together; one of them speaks.
  if (!atomic_compare_exchange_strong(&chosen, &none, best)) return none;
  if (!known) complain(name, levels, count);
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

/// Rows that are to be alike keep to one kernel.
static const struct ck_low_precision_rows *q8_0_rows(const struct ck_kernels *kernels, size_t rows) {
  bool many = kernels->q8_0_several && !kernels->is_alike && rows > kernels->q8_0_rows->most_rows;
  return many ? kernels->q8_0_several : kernels->q8_0_rows;
}

const struct ck_low_precision_rows *ck_low_precision_rows(const struct ck_kernels *kernels, const struct ck_weight *w,
                                                          size_t rows, int compute_type) {
  if (compute_type == CK_COMPUTE_F32) return NULL;
  // Rows by dots share a sum's order from two on, and so does one where rows are to be alike.
  bool several = rows > 1 || kernels->is_alike;
  const struct ck_low_precision_rows *choices[] = {
      several ? kernels->int8_several : kernels->int8_wide,
      kernels->is_alike && kernels->int8_rows_alike ? kernels->int8_rows_alike : kernels->int8_rows,
      q8_0_rows(kernels, rows), several ? kernels->bf16_several : kernels->bf16_rows};
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    if (choices[i] && choices[i]->formats >> w->format & 1) return choices[i];
  return NULL;
}
static const struct ck_low_precision_panels *if_takes(const struct ck_low_precision_panels *panels, int format) {
  return panels && panels->formats >> format & 1 ? panels : NULL;
}
const struct ck_low_precision_panels *ck_low_precision_panels(const struct ck_kernels *kernels,
                                                              const struct ck_weight *w, bool transposed,
                                                              int compute_type) {
  if (compute_type == CK_COMPUTE_F32) return NULL;
  if (compute_type == CK_COMPUTE_BF16) {
    const struct ck_low_precision_panels *bf16 = kernels->bf16_panels ? kernels->bf16_panels : kernels->rounded_panels;
    if (if_takes(bf16, w->format)) return bf16;
  }
  if (transposed) return NULL;
  if (w->format == CK_BF16) return kernels->bf16_panels;
  const struct ck_low_precision_panels *int8 = if_takes(kernels->int8_panels, w->format);
  return int8 ? int8 : if_takes(kernels->q8_0_panels, w->format);
}
bool ck_rounds_packed(const struct ck_kernels *kernels, const struct ck_weight *w, int compute_type) {
  return compute_type == CK_COMPUTE_BF16 && w->format == CK_BF16 && !kernels->bf16_rows;
}
size_t ck_low_precision_most_rows(const struct ck_low_precision_rows *rows) { return rows->most_rows; }
size_t ck_low_precision_line_floats(const struct ck_low_precision_rows *rows, size_t depth) { return rows->row_floats(depth); }
void ck_low_precision_quantize(const struct ck_low_precision_rows *low, const float *x, size_t stride, size_t rows,
                               size_t depth, float *lines) {
  low->quantize(x, stride, rows, depth, lines);
}
void ck_low_precision_multiply_rows(const struct ck_low_precision_rows *low, const struct ck_weight *w, size_t from,
                                    size_t to, const float *lines, size_t rows, const float *bias, float *y,
                                    size_t y_stride, bool add) {
  low->multiply(w, from, to, lines, rows, bias, y, y_stride, add);
}
size_t ck_low_precision_tile_rows(const struct ck_low_precision_panels *panels) { return panels->tile_rows; }
size_t ck_low_precision_multiple(const struct ck_low_precision_panels *panels) { return panels->multiple; }
size_t ck_low_precision_row_floats(const struct ck_low_precision_panels *panels, size_t depth) { return panels->row_floats(depth); }
size_t ck_low_precision_panel_floats(const struct ck_low_precision_panels *panels, size_t depth) {
  return panels->panel_floats(depth);
}
bool ck_low_precision_packs_floats(const struct ck_low_precision_panels *panels) { return panels->panel_floats(2) == 2 * CK_PANEL; }
void ck_low_precision_pack_rows(const struct ck_low_precision_panels *low, const float *x, size_t stride,
                                bool transposed, size_t rows, size_t depth, float *packed) {
  (transposed ? low->pack_rows_transposed : low->pack_rows)(x, stride, rows, depth, packed);
}
void ck_low_precision_pack_panels(const struct ck_low_precision_panels *low, const struct ck_weight *w, bool transposed,
                                  size_t from, size_t to, size_t k, size_t depth, float *panels) {
  (transposed ? low->pack_panels_transposed : low->pack_panels)(w, from, to, k, depth, panels);
}
void ck_low_precision_multiply_panels(const struct ck_low_precision_panels *low, int format, const float *x,
                                      size_t rows, const float *panels, size_t columns, size_t depth, float *y,
                                      size_t stride, bool add, const float *bias) {
  low->multiply(format, x, rows, panels, columns, depth, y, stride, add, bias);
}

const struct ck_kernels *ck_alike(const struct ck_kernels *kernels) { return kernels->alike ? kernels->alike : kernels; }
bool ck_is_alike(const struct ck_kernels *kernels) { return kernels->is_alike; }
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
float ck_sum_of_exponentials(const float *x, float shift, size_t count) {
  return ck_current()->sum_of_exponentials(x, shift, count);
}
void ck_scaled_exponentials(const float *x, float shift, float factor, float *y, size_t count, bool add) {
  ck_current()->scaled_exponentials(x, shift, factor, y, count, add);
}
void ck_scale(float factor, const float *x, float *y, size_t count, bool add) {
  ck_current()->scale(factor, x, y, count, add);
}
void ck_products(const float *a, const float *b, float *y, size_t count, bool add) {
  ck_current()->products(a, b, y, count, add);
}
void ck_sum_rows(const struct ck_kernels *kernels, const float *x, size_t stride, size_t rows, size_t columns, float *y,
                 bool add) {
  kernels->sum_rows(x, stride, rows, columns, y, add);
}
void ck_run_program(const struct ck_step *steps, size_t step_count, const float *numbers, size_t number_count,
                    const float *x, float *y, uint8_t result, size_t count) {
  ck_current()->run_program(steps, step_count, numbers, number_count, x, y, result, count);
}
void ck_linear_recurrence(float decay, const float *q, const float *k, const float *v, size_t keys, size_t values,
                          float *state, float *y) {
  ck_current()->linear_recurrence(decay, q, k, v, keys, values, state, y);
}
void ck_update_adamw(const struct ck_adamw *adamw, float *p, const float *g, float *m, float *v, size_t count) {
  ck_current()->update_adamw(adamw, p, g, m, v, count);
}
void ck_update_lion(const struct ck_lion *lion, float *p, const float *g, float *m, size_t count) {
  ck_current()->update_lion(lion, p, g, m, count);
}
void ck_update_momentum(const struct ck_momentum *momentum, float *p, const float *g, float *m, size_t count) {
  ck_current()->update_momentum(momentum, p, g, m, count);
}
void ck_widen(int format, const void *bytes, size_t count, float *y) { ck_current()->widen(format, bytes, count, y); }

void ck_narrow(int format, const float *x, size_t count, void *bytes) {
  switch (format) {
  case CK_F32: memcpy(bytes, x, count * sizeof(float)); break;
  case CK_F16: ck_current()->narrow_f16(x, count, bytes); break;
  case CK_BF16: ck_current()->narrow_bf16(x, count, bytes); break;
  case CK_Q8_0: ck_current()->narrow_q8_0(x, count, bytes); break;
  case CK_Q4_K: case CK_Q5_K: case CK_Q6_K: ck_quantize_k(format, x, count, bytes); break;
  default: ck_quantize(format, x, count, bytes);
  }
}

void ck_multiply_rows(const struct ck_kernels *kernels, const struct ck_weight *w, size_t from, size_t to,
                      const float *x, size_t x_stride, size_t rows, const float *bias, float *y, size_t y_stride,
                      bool add, float *scratch) {
  kernels->multiply_rows(w, from, to, x, x_stride, rows, bias, y, y_stride, add, kernels->is_alike, scratch);
}

void ck_pack_rows(const struct ck_kernels *kernels, const float *x, size_t stride, bool transposed, size_t rows,
                  size_t depth, float *packed) {
  (transposed ? kernels->pack_rows_transposed : kernels->pack_rows)(x, stride, rows, depth, packed);
}

void ck_pack_panels(const struct ck_kernels *kernels, const struct ck_weight *w, bool transposed, size_t from,
                    size_t to, size_t k, size_t depth, float *panels) {
  (transposed ? kernels->pack_panels_transposed : kernels->pack_panels)(w, from, to, k, depth, panels);
}

void ck_multiply_panels(const struct ck_kernels *kernels, const float *x, size_t rows, const float *panels,
                        size_t columns, size_t depth, float *y, size_t stride, bool add, const float *bias) {
  kernels->multiply_panels(x, rows, panels, columns, depth, y, stride, add, bias);
}
