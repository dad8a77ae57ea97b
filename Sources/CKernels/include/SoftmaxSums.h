// Softmax-weighted sums of rows: the part of the door that attention comes through.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

struct ck_kernels;

/// Stored rows: row i begins at base + i · row_bytes.
struct ck_rows {
  const void *base;
  size_t row_bytes;
  int format;
};

/// How queries weigh keys. Query head h meets key head h / (heads / key_heads).
///
/// The score of a query q and a key k is scale · q·k, then cap · tanh(score / cap), then what `bias` adds. A query with
/// number n sees the keys numbered from n + 1 − window, or 0, up to n.
struct ck_softmax {
  size_t heads, key_heads;
  size_t key_width, value_width;
  float scale;
  /// The smooth limit of the scores; 0 for none.
  float cap;
  /// How many keys a query sees; SIZE_MAX for all up to its own.
  size_t window;
  /// For each head, a score that takes weight but adds no value; NULL for none.
  const float *_Nullable sinks;
  /// Adds to the scores of query number `query` with the keys first_key..<first_key+count.
  void (*_Nullable bias)(const void *context, float *scores, size_t count, size_t head, size_t query, size_t first_key);
  const void *_Nullable bias_context;
};

/// Consecutive queries and the keys and values they may see.
struct ck_span {
  /// [count, heads · key_width], rows query_stride floats apart.
  const float *queries;
  size_t query_stride;
  size_t count;
  /// The number of the first query.
  size_t start;
  /// Key heads · key_width, key heads · value_width numbers a row.
  struct ck_rows keys, values;
  /// The number of the first key; keys reach up to start + count.
  size_t first;
  /// What is computed: [count, heads · value_width], rows sum_stride floats apart.
  float *sums;
  size_t sum_stride;
  /// The logarithms of the softmax's denominators, [count, heads]; NULL when not wanted.
  float *_Nullable logarithms;
};

/// Queries that are computed side by side; a multiple of every level's lanes.
#define CK_QUERIES 32
/// Keys that many queries meet together. Blocks begin at multiples of it whatever is computed at once, so that a query's
/// sums are added in the same order in whatever company it comes.
#define CK_BLOCK_KEYS 112
/// Keys that few queries meet together.
#define CK_FEW_KEYS 32
/// The most partial results that can be joined.
#define CK_PARTIALS 64

/// Floats of scratch memory that ck_sums_of_panels needs for so many panels of CK_QUERIES queries.
size_t ck_panel_scratch(const struct ck_softmax *softmax, const struct ck_span *span, size_t panels);
/// Computes the queries from..<to of key head `key_head`; query i is head i mod group of row i / group.
void ck_sums_of_panels(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                       size_t key_head, size_t from, size_t to, float *scratch);

/// Floats of a partial result of `count` rows of queries: for each head a maximum, a denominator and the sums.
size_t ck_partial_floats(const struct ck_softmax *softmax, size_t count);
/// Floats of scratch memory that ck_sums_of_few needs.
size_t ck_few_scratch(const struct ck_softmax *softmax, const struct ck_span *span);
/// Computes what the keys numbered from..<to contribute to the key heads first_head..<last_head of few queries.
void ck_sums_of_few(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                    size_t from, size_t to, size_t first_head, size_t last_head, float *partial, float *scratch);
/// Joins `count` partial results, one behind the other, into the sums of the heads first..<last (query heads).
void ck_join_sums(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                  const float *partials, size_t count, size_t first, size_t last);

/// What the gradient of the sums of one span reads and writes, beside what the span says: its `sums` and `logarithms` are
/// those of forward.
struct ck_softmax_gradient {
  /// The gradient of the sums, [count, heads · value_width].
  const float *outputs;
  size_t output_stride;
  /// The gradients of queries, keys and values, laid out like them in rows so many floats apart; NULL when not wanted.
  float *_Nullable queries;
  float *_Nullable keys;
  float *_Nullable values;
  size_t query_stride, key_stride, value_stride;
  /// Whether each is added to what is there.
  bool adds_queries, adds_keys, adds_values;
};

/// Panels of queries that meet the keys together on the way back.
#define CK_GRADIENT_PANELS 8
/// Floats of scratch memory that ck_gradients_of_sums needs.
size_t ck_gradient_scratch(const struct ck_softmax *softmax);
/// Computes the gradients of the queries, keys and values of key head `key_head`, which are f32.
void ck_gradients_of_sums(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                          const struct ck_softmax_gradient *gradient, size_t key_head, float *scratch);

/// *counter before `step` is added to it, in one step that no other thread divides.
size_t ck_add_to_counter(size_t *counter, size_t step);

#pragma clang assume_nonnull end
