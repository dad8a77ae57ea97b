// The door between Swift and the kernels written in C. Pointers, counts and sums only.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "CKernelsAttention.h"
#include "CKernelsFormats.h"
#include "CKernelsLimits.h"
#include "CKernelsUpdates.h"

#pragma clang assume_nonnull begin

/// The columns of one packed panel, on every level.
#define CK_PANEL 32

/// Stored weights; row r begins at base + r · row_bytes.
struct ck_weight {
  const void *base;
  size_t row_bytes;
  size_t columns;
  int format;
};

/// The kernels written for one kind of processor.
struct ck_kernels;

/// No processor has more levels than this.
#define CK_LEVELS 7
/// The levels this processor can run, slowest first; the count.
size_t ck_levels(const struct ck_kernels *_Nonnull levels[_Nonnull CK_LEVELS]);
/// The level in force on this thread.
const struct ck_kernels *ck_current(void);
/// Puts `kernels` in force on this thread only (NULL: the common choice again); answers what was in force before.
const struct ck_kernels *_Nullable ck_ask(const struct ck_kernels *_Nullable kernels);
/// The same level, whose dots give one row the sum in the order that it has among others, of whatever number; and whether
/// `kernels` is such a one.
const struct ck_kernels *ck_alike(const struct ck_kernels *kernels);
bool ck_is_alike(const struct ck_kernels *kernels);
const char *ck_name(const struct ck_kernels *kernels);
size_t ck_tile_rows(const struct ck_kernels *kernels);

float ck_dot(const float *a, const float *b, size_t count);
void ck_add_scaled(float factor, const float *x, float *y, size_t count);
float ck_sum(const float *x, size_t count);
float ck_sum_of_squares(const float *x, size_t count);
float ck_maximum(const float *x, size_t count);
void ck_exponentials(const float *x, float *y, size_t count);
void ck_sigmoids(const float *x, float *y, size_t count);
void ck_hyperbolic_tangents(const float *x, float *y, size_t count);
void ck_error_functions(const float *x, float *y, size_t count);
void ck_softmax(float *x, size_t count);
/// Σ exp(x − shift); and y = factor · exp(x − shift) (+ y).
float ck_sum_of_exponentials(const float *x, float shift, size_t count);
void ck_scaled_exponentials(const float *x, float shift, float factor, float *y, size_t count, bool add);
/// y = factor · x (+ y); and y = a · b (+ y), element by element.
void ck_scale(float factor, const float *x, float *y, size_t count, bool add);
void ck_products(const float *a, const float *b, float *y, size_t count, bool add);
/// y[columns] = Σ over rows of x (+ y), rows `stride` floats apart.
void ck_sum_rows(const struct ck_kernels *kernels, const float *x, size_t stride, size_t rows, size_t columns, float *y,
                 bool add);

/// The steps of an elementwise program. Register 0 holds x at first; operands from CK_PROGRAM_REGISTERS on are numbers.
enum ck_step_operation {
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_LARGER, CK_SMALLER, CK_CHOOSE, CK_ABSOLUTE, CK_ROOT, CK_EXPONENTIAL,
  CK_LOGARITHM, CK_SINE, CK_COSINE, CK_SIGMOID, CK_HYPERBOLIC_TANGENT, CK_ERROR_FUNCTION
};
#define CK_PROGRAM_REGISTERS 32
#define CK_PROGRAM_NUMBERS 64

/// to = operation(a, b, c); CK_CHOOSE gives b where a > 0 and c elsewhere.
struct ck_step {
  uint8_t operation, to, a, b, c;
};

/// y = the operand `result` after all steps, for each of `count` numbers of x; x and y may be the same memory.
void ck_run_program(const struct ck_step *_Nullable steps, size_t step_count, const float *_Nullable numbers,
                    size_t number_count, const float *x, float *y, uint8_t result, size_t count);

/// state = decay · state + k·vᵀ, then y = q·state; state [keys, values], which overlaps nothing else.
void ck_linear_recurrence(float decay, const float *q, const float *k, const float *v, size_t keys, size_t values,
                          float *state, float *y);

/// `count` stored numbers, whole blocks, to f32; and back.
void ck_widen(int format, const void *bytes, size_t count, float *y);
void ck_narrow(int format, const float *x, size_t count, void *bytes);
void ck_quantize(int format, const float *x, size_t count, void *bytes);
void ck_quantize_k(int format, const float *x, size_t count, void *bytes);

/// y = x·wᵀ (+ bias) (+ y) for the outputs from..<to and few rows, by dots.
/// `scratch` holds 4 · columns floats; it is used by block formats when rows > 1, and on levels with rows alike.
void ck_multiply_rows(const struct ck_kernels *kernels, const struct ck_weight *w, size_t from, size_t to,
                      const float *x, size_t x_stride, size_t rows, const float *_Nullable bias, float *y,
                      size_t y_stride, bool add, float *scratch);

/// Packs rows · depth numbers of x into tiles of ck_tile_rows rows.
/// Element (r, k) is x[r · stride + k], or x[k · stride + r] when transposed.
void ck_pack_rows(const struct ck_kernels *kernels, const float *x, size_t stride, bool transposed, size_t rows,
                  size_t depth, float *packed);
/// Packs the columns from..<to (from a multiple of CK_PANEL) and k..<k+depth of the depth into panels, as f32.
/// A column is a row of w, or a column of w when transposed.
void ck_pack_panels(const struct ck_kernels *kernels, const struct ck_weight *w, bool transposed, size_t from,
                    size_t to, size_t k, size_t depth, float *panels);
/// y[rows, columns] = packed rows · panels (+ bias) (+ y).
void ck_multiply_panels(const struct ck_kernels *kernels, const float *x, size_t rows, const float *panels,
                        size_t columns, size_t depth, float *y, size_t stride, bool add, const float *_Nullable bias);

/// What matrices are multiplied in: quantised and bf16 weights in int8 and bf16 where there are instructions for it; all
/// in f32; or as the first, and what is f32 rounded to bf16, by instructions for it or else while packing.
enum ck_compute_type { CK_COMPUTE_STORED, CK_COMPUTE_F32, CK_COMPUTE_BF16 };

/// Dots of `rows` rows of x, rounded once into `lines`, with weights as they lie; NULL where these weights, this
/// level or this compute type has none.
struct ck_low_precision_rows;
const struct ck_low_precision_rows *_Nullable ck_low_precision_rows(const struct ck_kernels *kernels,
                                                                    const struct ck_weight *w, size_t rows,
                                                                    int compute_type);
/// Whether a few rows of x, too, must be packed to be rounded: bf16 weights computed in bf16 without instructions for it.
bool ck_rounds_packed(const struct ck_kernels *kernels, const struct ck_weight *w, int compute_type);
/// More rows than this are multiplied faster when they are packed.
size_t ck_low_precision_most_rows(const struct ck_low_precision_rows *rows);
size_t ck_low_precision_line_floats(const struct ck_low_precision_rows *rows, size_t depth);
void ck_low_precision_quantize(const struct ck_low_precision_rows *low, const float *x, size_t stride, size_t rows,
                               size_t depth, float *lines);
void ck_low_precision_multiply_rows(const struct ck_low_precision_rows *low, const struct ck_weight *w, size_t from,
                                    size_t to, const float *lines, size_t rows, const float *_Nullable bias, float *y,
                                    size_t y_stride, bool add);

/// The same for many rows, by packed rows and panels; `k` and all but the last `depth` are multiples of
/// ck_low_precision_multiple. Sizes are in floats.
struct ck_low_precision_panels;
/// `transposed` says that the depth runs over the rows of w, as ck_pack_panels has it.
const struct ck_low_precision_panels *_Nullable ck_low_precision_panels(const struct ck_kernels *kernels,
                                                                        const struct ck_weight *w, bool transposed,
                                                                        int compute_type);
size_t ck_low_precision_tile_rows(const struct ck_low_precision_panels *panels);
size_t ck_low_precision_multiple(const struct ck_low_precision_panels *panels);
size_t ck_low_precision_row_floats(const struct ck_low_precision_panels *panels, size_t depth);
size_t ck_low_precision_panel_floats(const struct ck_low_precision_panels *panels, size_t depth);
/// Whether what is packed still takes a float each, rather than less.
bool ck_low_precision_packs_floats(const struct ck_low_precision_panels *panels);
void ck_low_precision_pack_rows(const struct ck_low_precision_panels *low, const float *x, size_t stride,
                                bool transposed, size_t rows, size_t depth, float *packed);
void ck_low_precision_pack_panels(const struct ck_low_precision_panels *low, const struct ck_weight *w, bool transposed,
                                  size_t from, size_t to, size_t k, size_t depth, float *panels);
void ck_low_precision_multiply_panels(const struct ck_low_precision_panels *low, int format, const float *x,
                                      size_t rows, const float *panels, size_t columns, size_t depth, float *y,
                                      size_t stride, bool add, const float *_Nullable bias);

/// Threads that run numbered parts of a job together, the caller among them.
struct ck_pool;
#define CK_POOL_LIMIT 1024
/// The most parts a job may have for each thread.
#define CK_POOL_SHARE 4
/// NULL when there is no memory.
struct ck_pool *_Nullable ck_pool_create(int threads);
/// Ends the workers and waits for them.
void ck_pool_destroy(struct ck_pool *pool);
int ck_pool_threads(struct ck_pool *pool);
/// Waits for the pool and keeps it; false, keeping nothing, on a thread that is inside a part of a job.
bool ck_pool_enter(struct ck_pool *pool);
void ck_pool_leave(struct ck_pool *pool);
/// Runs body(context, part, thread) for 0..<parts, parts ≤ threads · CK_POOL_SHARE, and returns when all are done.
/// `thread` is 0..<threads and no other part has the same one meanwhile. Only between enter and leave.
void ck_pool_run(struct ck_pool *pool, int parts, void (*body)(void *context, int part, int thread), void *context);
/// Memory that stays between jobs; slot 0 is everyone's, slot 1 + thread is that thread's. NULL when there is none.
void *_Nullable ck_pool_scratch(struct ck_pool *pool, int slot, size_t bytes);
/// The number of threads that suits this machine.
int ck_processor_count(void);

#pragma clang assume_nonnull end
