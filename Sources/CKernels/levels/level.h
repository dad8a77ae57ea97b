// The table of one level. A level's file defines LANES and the tile, opens its target, and includes this.
#pragma once
#include "linear_recurrence.h"
#include "attend_few.h"
#include "functions.h"
#include "sums.h"
#include "attention_gradients.h"
#include "attend_tiles.h"
#include "panels.h"
#include "program.h"
#include "rounded_panels.h"
#include "rows.h"
#include "tiles.h"
#include "updates.h"

/// Int8 for the processors that have no VNNI.
#define AVX2_INT8                                                                                                 \
  .int8_rows = &ck_avx2_blocks, .int8_wide = &ck_avx2_stretches, .int8_several = &ck_avx2_stretches,              \
  .int8_panels = &ck_avx2_panels, .q8_0_rows = &ck_avx2_q8_0_rows, .q8_0_several = &ck_avx2_words, \
  .q8_0_panels = &ck_avx2_q8_0_panels

#define LEVEL_FIELDS(label)                                      \
    .name = label,                                             \
    .tile_rows = TILE_ROWS,                                    \
    .dot = dot,                                                \
    .add_scaled = add_scaled,                                  \
    .sum = sum,                                                \
    .sum_of_squares = sum_of_squares,                          \
    .maximum = maximum,                                        \
    .exponentials = exponentials,                              \
    .sigmoids = sigmoids,                                      \
    .hyperbolic_tangents = hyperbolic_tangents,                \
    .error_functions = error_functions,                        \
    .softmax = softmax,                                        \
    .sum_of_exponentials = sum_of_exponentials,                \
    .scaled_exponentials = scaled_exponentials,                \
    .scale = scale_by,                                         \
    .products = products,                                      \
    .sum_rows = sum_rows,                                      \
    .run_program = run_program,                                \
    .linear_recurrence = linear_recurrence,                              \
    .update_adamw = update_adamw,                              \
    .update_lion = update_lion,                                \
    .update_momentum = update_momentum,                        \
    .attend_tiles = attend_tiles,                          \
    .attend_few = attend_few,                                \
    .merge_partials = merge_partials,                                    \
    .attention_gradients = attention_gradients,                    \
    .widen = widen,                                            \
    .narrow_f16 = narrow_f16,                                  \
    .narrow_bf16 = narrow_bf16,                                \
    .narrow_q8_0 = narrow_q8_0,                                \
    .multiply_rows = multiply_rows,                            \
    .pack_rows = pack_rows,                                    \
    .pack_rows_transposed = pack_rows_transposed,              \
    .pack_panels = pack_panels,                                \
    .pack_panels_transposed = pack_panels_transposed,          \
    .multiply_panels = multiply_panels,                        \
    .rounded_panels = &rounded_panels

/// A level, and the same with few rows alike.
#define LEVEL_TABLE(symbol, label, ...)                                                                           \
  static const struct ck_kernels symbol##_alike = {LEVEL_FIELDS(label), .is_alike = true, __VA_ARGS__};           \
  const struct ck_kernels symbol = {LEVEL_FIELDS(label), .alike = &symbol##_alike, __VA_ARGS__};
