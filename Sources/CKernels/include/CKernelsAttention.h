// Scaled dot-product attention, forward and backward. Part of CKernels.h.
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

/// How queries weigh keys. Query head h reads key head h / (heads / key_heads).
///
/// The score of a query q and a key k is scale · q·k, then cap · tanh(score / cap), then what `bias` adds. Which keys a query
/// sees is said by the span.
struct ck_attention {
  size_t heads, key_heads;
  size_t key_width, value_width;
  float scale;
  /// The soft cap of the scores; 0 for none.
  float cap;
  /// For each head, a score that takes weight but adds no value; NULL for none.
  const float *_Nullable sinks;
  /// Adds to the scores of the query at position `query` with the keys first_key..<first_key+count.
  void (*_Nullable bias)(const void *context, float *scores, size_t count, size_t head, size_t query, size_t first_key);
  const void *_Nullable bias_context;
};

/// Consecutive queries, the keys and values of one sequence, and the mask between them. Queries and keys have positions.
struct ck_attention_span {
  /// [count, heads · key_width], rows query_stride floats apart.
  const float *queries;
  size_t query_stride;
  size_t count;
  /// The position of the first query.
  size_t start;
  /// Key heads · key_width, key heads · value_width numbers a row.
  struct ck_rows keys, values;
  /// The position of the first key, and how many keys there are.
  size_t first, key_count;
  /// The mask: a query at position n sees the keys from n − behind to n + ahead; one of the first `prefix` positions sees all
  /// of those too, as far as `behind` allows. Neither is more than CK_ALL_KEYS.
  size_t behind, ahead, prefix;
  /// What is computed: [count, heads · value_width], rows output_stride floats apart.
  float *outputs;
  size_t output_stride;
  /// The logarithm of the softmax's denominator for each query, [count, heads]; NULL when not wanted.
  float *_Nullable log_sum_exp;
};

/// Behind or ahead of a query, however far. A position plus this does not overflow.
#define CK_ALL_KEYS (SIZE_MAX / 2)

/// The position of the first key that the query at `position` sees, and the one after the last. No key is seen where both
/// are the same; the first is never the larger, and neither falls from one position to the next.
static inline size_t ck_first_seen(const struct ck_attention_span *span, size_t position) {
  size_t first = position <= span->behind ? 0 : position - span->behind, end = span->first + span->key_count;
  return first < span->first ? span->first : first < end ? first : end;
}
static inline size_t ck_end_seen(const struct ck_attention_span *span, size_t position) {
  size_t seen = position + 1 + span->ahead, end = span->first + span->key_count;
  if (position < span->prefix && seen < span->prefix) seen = span->prefix;
  return seen > end ? end : seen > span->first ? seen : span->first;
}

/// Queries that are computed side by side; a multiple of every level's lanes.
#define CK_QUERIES 32
/// Keys that many queries meet together. Blocks begin at multiples of it whatever is computed at once, so that a query's
/// sums are added in the same order in whatever company it comes.
#define CK_BLOCK_KEYS 112
/// Keys that few queries meet together.
#define CK_FEW_KEYS 32
/// The most partial results that can be merged.
#define CK_PARTIALS 64

/// Floats of scratch memory that ck_attend_tiles needs for so many panels of CK_QUERIES queries.
size_t ck_attend_tiles_scratch(const struct ck_attention *attention, const struct ck_attention_span *span, size_t panels);
/// Computes the queries from..<to of key head `key_head`; query i is head i mod group of row i / group.
void ck_attend_tiles(const struct ck_kernels *kernels, const struct ck_attention *attention,
                     const struct ck_attention_span *span, size_t key_head, size_t from, size_t to, float *scratch);

/// Floats of a partial result of `count` rows of queries: for each head a maximum, a denominator and the sums.
size_t ck_partial_floats(const struct ck_attention *attention, size_t count);
/// Floats of scratch memory that ck_attend_few needs.
size_t ck_attend_few_scratch(const struct ck_attention *attention, const struct ck_attention_span *span);
/// Computes what the keys at positions from..<to contribute to the key heads first_head..<last_head of few queries.
void ck_attend_few(const struct ck_kernels *kernels, const struct ck_attention *attention,
                   const struct ck_attention_span *span, size_t from, size_t to, size_t first_head, size_t last_head,
                   float *partial, float *scratch);
/// Merges `count` partial results, one behind the other, into the outputs of the heads first..<last (query heads).
void ck_merge_partials(const struct ck_kernels *kernels, const struct ck_attention *attention,
                       const struct ck_attention_span *span, const float *partials, size_t count, size_t first,
                       size_t last);

/// What the gradient of one span reads and writes, beside what the span says: its `outputs` and `log_sum_exp` are those of
/// forward.
struct ck_attention_gradient {
  /// The gradient of the outputs, [count, heads · value_width].
  const float *output_gradients;
  size_t output_gradient_stride;
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
/// Floats of scratch memory that ck_attention_gradients needs.
size_t ck_attention_gradients_scratch(const struct ck_attention *attention);
/// Computes the gradients of the queries, keys and values of key head `key_head`, which are f32.
void ck_attention_gradients(const struct ck_kernels *kernels, const struct ck_attention *attention,
                            const struct ck_attention_span *span, const struct ck_attention_gradient *gradient,
                            size_t key_head, float *scratch);

/// *counter before `step` is added to it, in one step that no other thread divides.
size_t ck_add_to_counter(size_t *counter, size_t step);

#pragma clang assume_nonnull end
