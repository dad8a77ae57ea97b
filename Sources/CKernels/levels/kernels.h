// What one level (one kind of processor) offers. `levels.c` chooses one of these tables.
#pragma once
#include "low_precision.h"
#include <stdbool.h>

struct ck_kernels {
  const char *name;
  /// Rows of x packed side by side in one register tile.
  size_t tile_rows;

  float (*dot)(const float *a, const float *b, size_t count);
  void (*add_scaled)(float factor, const float *x, float *y, size_t count);
  float (*sum)(const float *x, size_t count);
  float (*sum_of_squares)(const float *x, size_t count);
  float (*maximum)(const float *x, size_t count);

  void (*exponentials)(const float *x, float *y, size_t count);
  void (*sigmoids)(const float *x, float *y, size_t count);
  void (*hyperbolic_tangents)(const float *x, float *y, size_t count);
  void (*error_functions)(const float *x, float *y, size_t count);
  void (*softmax)(float *x, size_t count);
  float (*sum_of_exponentials)(const float *x, float shift, size_t count);
  void (*scaled_exponentials)(const float *x, float shift, float factor, float *y, size_t count, bool add);
  void (*scale)(float factor, const float *x, float *y, size_t count, bool add);
  void (*products)(const float *a, const float *b, float *y, size_t count, bool add);
  void (*sum_rows)(const float *x, size_t stride, size_t rows, size_t columns, float *y, bool add);
  void (*run_program)(const struct ck_step *steps, size_t step_count, const float *numbers, size_t number_count,
                      const float *x, float *y, uint8_t result, size_t count);

  void (*linear_recurrence)(float decay, const float *q, const float *k, const float *v, size_t keys, size_t values,
                       float *state, float *y);

  void (*update_adamw)(const struct ck_adamw *adamw, float *p, const float *g, float *m, float *v, size_t count);
  void (*update_lion)(const struct ck_lion *lion, float *p, const float *g, float *m, size_t count);
  void (*update_momentum)(const struct ck_momentum *momentum, float *p, const float *g, float *m, size_t count);

  void (*attend_tiles)(const struct ck_attention *attention, const struct ck_attention_span *span, size_t key_head,
                       size_t from, size_t to, float *scratch);
  void (*attend_few)(const struct ck_attention *attention, const struct ck_attention_span *span, size_t from, size_t to,
                     size_t first_head, size_t last_head, float *partial, float *scratch);
  void (*merge_partials)(const struct ck_attention *attention, const struct ck_attention_span *span,
                         const float *partials, size_t count, size_t first, size_t last);

  void (*attention_gradients)(const struct ck_attention *attention, const struct ck_attention_span *span,
                              const struct ck_attention_gradient *gradient, size_t key_head, float *scratch);

  void (*widen)(int format, const void *bytes, size_t count, float *y);
  void (*narrow_f16)(const float *x, size_t count, void *bytes);
  void (*narrow_bf16)(const float *x, size_t count, void *bytes);
  void (*narrow_q8_0)(const float *x, size_t count, void *bytes);

  void (*multiply_rows)(const struct ck_weight *w, size_t from, size_t to, const float *x, size_t x_stride, size_t rows,
                        const float *bias, float *y, size_t y_stride, bool add, bool alike, float *scratch);

  void (*pack_rows)(const float *x, size_t stride, size_t rows, size_t depth, float *packed);
  void (*pack_rows_transposed)(const float *x, size_t stride, size_t rows, size_t depth, float *packed);
  void (*pack_panels)(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels);
  void (*pack_panels_transposed)(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth,
                                 float *panels);
  void (*multiply_panels)(const float *x, size_t rows, const float *panels, size_t columns, size_t depth, float *y,
                          size_t stride, bool add, const float *bias);

  /// Quantised formats by int8 dots and bf16 by its own; NULL where the processor has no such instructions.
  const struct ck_low_precision_rows *int8_rows, *bf16_rows;
  /// The same for one row of x, in the formats they list; `int8_rows` takes what these and `int8_several` do not.
  const struct ck_low_precision_rows *int8_wide;
  /// The same for more than one row of x.
  const struct ck_low_precision_rows *int8_several, *bf16_several;
  const struct ck_low_precision_panels *int8_panels, *bf16_panels;
  /// Few rows, more rows, and panels for Q8_0 where the others do not take it.
  const struct ck_low_precision_rows *q8_0_rows, *q8_0_several;
  const struct ck_low_precision_panels *q8_0_panels;
  /// bf16 by rounding both sides while packing, for the levels without `bf16_panels`.
  const struct ck_low_precision_panels *rounded_panels;

  /// What of `int8_rows` gives one row the sum that it has among others; NULL where all of it does.
  const struct ck_low_precision_rows *int8_rows_alike;
  /// This level with few rows alike: the dots of one row are the same sums in the same order as among others, of whatever
  /// number. Whether this is it, and where it is.
  bool is_alike;
  const struct ck_kernels *alike;
};
