// Attention of few queries: nothing but reading keys and values once counts here. All heads of a run of
// keys are met together, so that memory is walked in order; the queries that share a key head share its reading. What a
// run of keys contributes is kept as a partial result (a maximum, a denominator, the sums), and partial results are
// merged in the order of the keys. Rows are widened in registers as they are read, once for the queries that share them.
#pragma once
#include "attention_parts.h"

#define FEW_KEYS CK_FEW_KEYS
/// Sums in registers: queries times keys for scores, queries times vectors of a value for sums.
#define FEW_QUERIES 4
#if TILE_ROWS >= 14
#define FEW_ACROSS 4
#else
#define FEW_ACROSS 2
#endif

/// Some columns of stored rows, as they are read here: in plain formats, and in blocks of 32 that begin with them.
struct few_rows { const uint8_t *base; size_t row_bytes; int format; };

/// The columns from..<from+width of `count` rows from row `row` on: where they lie, or widened into `copy`.
INLINE struct few_rows few_rows_at(const struct ck_rows *rows, size_t row, size_t count, size_t from, size_t width,
                                   float *copy) {
  if (ck_is_plain(rows->format) || (rows->format == CK_Q8_0 && from % 32 == 0 && width % 32 == 0)) {
    size_t offset = from / ck_block_elements(rows->format) * ck_block_bytes(rows->format);
    return (struct few_rows){(const uint8_t *)rows->base + row * rows->row_bytes + offset, rows->row_bytes, rows->format};
  }
  struct copied copied = copy_rows(rows, row, count, from, width, copy);
  return (struct few_rows){(const uint8_t *)copied.base, copied.stride * sizeof(float), CK_F32};
}

/// Numbers that are widened together: a block, so that its worth is read once.
#define FEW_TOGETHER(format) ((format) == CK_Q8_0 ? 32 : LANES)
/// Vectors of a value that are summed together: whole blocks, too.
#define FEW_WIDE(format) ((format) == CK_Q8_0 && 32 / LANES > FEW_ACROSS ? 32 / LANES : FEW_ACROSS)
#define FEW_WIDEST (32 / LANES > FEW_ACROSS ? 32 / LANES : FEW_ACROSS)

/// LANES numbers from number `d` of a row on, where d is `whole`, a multiple of FEW_TOGETHER, plus the constant `rest`.
INLINE V few_load(const int format, const uint8_t *row, size_t whole, const int rest) {
  switch (format) {
  case CK_F16: return from_f16(row + (whole + rest) * 2);
  case CK_BF16: return from_bf16(row + (whole + rest) * 2);
  case CK_Q8_0: {
    const uint8_t *block = row + (whole / 32 + rest / 32) * CK_BYTES_Q8_0;
    return from_i8(block + 2 + rest % 32) * half_at(block);
  }
  default: return from_f32(row + (whole + rest) * 4);
  }
}
/// The last `count` < LANES numbers; never in blocks.
INLINE V few_load_part(const int format, const uint8_t *row, size_t d, size_t count) {
  switch (format) {
  case CK_F16: return part_f16(row + d * 2, count);
  case CK_BF16: return part_bf16(row + d * 2, count);
  default: return part_f32(row + d * 4, count);
  }
}

/// sums[queries][keys] = q · k, as vectors not yet added up; the counts are constants where this is inlined.
INLINE void few_products(const int format, const int queries, const int keys, const float *const *q, const uint8_t *k,
                         size_t row_bytes, size_t width, V (*sums)[LANES]) {
  V s[FEW_QUERIES][FEW_ACROSS];
  UNROLL for (int i = 0; i < queries; i++) UNROLL for (int j = 0; j < keys; j++) s[i][j] = splat(0);
  size_t d = 0;
  for (; d + FEW_TOGETHER(format) <= width; d += FEW_TOGETHER(format))
    UNROLL for (int rest = 0; rest < FEW_TOGETHER(format); rest += LANES)
      UNROLL for (int j = 0; j < keys; j++) {
        V right = few_load(format, k + j * row_bytes, d, rest);
        UNROLL for (int i = 0; i < queries; i++) s[i][j] = load(q[i] + d + rest) * right + s[i][j];
      }
  if (d < width)
    UNROLL for (int j = 0; j < keys; j++) {
      V right = few_load_part(format, k + j * row_bytes, d, width - d);
      UNROLL for (int i = 0; i < queries; i++) s[i][j] = load_part(q[i] + d, width - d, 0) * right + s[i][j];
    }
  UNROLL for (int i = 0; i < queries; i++) UNROLL for (int j = 0; j < keys; j++) sums[i][j] = s[i][j];
}

/// scores[query · FEW_KEYS + key] = q · k for up to LANES keys.
INLINE void few_scores_of(const int format, const int queries, const float *const *q, const uint8_t *k,
                          size_t row_bytes, size_t count, size_t width, float scale, float *scores) {
  V sums[FEW_QUERIES][LANES];
  size_t c = 0;
  for (; c + FEW_ACROSS <= count; c += FEW_ACROSS) {
    V part[FEW_QUERIES][LANES];
    few_products(format, queries, FEW_ACROSS, q, k + c * row_bytes, row_bytes, width, part);
    UNROLL for (int i = 0; i < queries; i++) UNROLL for (int j = 0; j < FEW_ACROSS; j++) sums[i][c + j] = part[i][j];
  }
  for (; c < LANES; c++)
    if (c < count) {
      V part[FEW_QUERIES][LANES];
      few_products(format, queries, 1, q, k + c * row_bytes, row_bytes, width, part);
      UNROLL for (int i = 0; i < queries; i++) sums[i][c] = part[i][0];
    } else
      UNROLL for (int i = 0; i < queries; i++) sums[i][c] = splat(0);
  UNROLL for (int i = 0; i < queries; i++) store(scores + i * FEW_KEYS, totals(sums[i]) * scale);
}

/// sums[query][value_width] = sums · factor + weights · values; the counts are constants where this is inlined.
INLINE void few_sums_of(const int format, const int queries, const int vectors, const float *weights,
                        const float *factor, const uint8_t *values, size_t row_bytes, size_t count, float *const *sums,
                        size_t at) {
  V s[FEW_QUERIES][FEW_WIDEST];
  UNROLL for (int i = 0; i < queries; i++) UNROLL for (int j = 0; j < vectors; j++)
    s[i][j] = load(sums[i] + at + j * LANES) * factor[i];
  for (size_t c = 0; c < count; c++) {
    V right[FEW_WIDEST];
    UNROLL for (int j = 0; j < vectors; j++) right[j] = few_load(format, values + c * row_bytes, at, j * LANES);
    UNROLL for (int i = 0; i < queries; i++) {
      V weight = splat(weights[i * FEW_KEYS + c]);
      UNROLL for (int j = 0; j < vectors; j++) s[i][j] = weight * right[j] + s[i][j];
    }
  }
  UNROLL for (int i = 0; i < queries; i++) UNROLL for (int j = 0; j < vectors; j++)
    store(sums[i] + at + j * LANES, s[i][j]);
}
INLINE void few_sums_end(const int format, const int queries, const float *weights, const float *factor,
                         const uint8_t *values, size_t row_bytes, size_t count, float *const *sums, size_t at,
                         size_t left) {
  for (int i = 0; i < queries; i++) {
    V s = load_part(sums[i] + at, left, 0) * factor[i];
    for (size_t c = 0; c < count; c++)
      s = weights[i * FEW_KEYS + c] * few_load_part(format, values + c * row_bytes, at, left) + s;
    store_part(sums[i] + at, left, s);
  }
}
INLINE void few_sums(const int format, const int queries, const float *weights, const float *factor,
                     const uint8_t *values, size_t row_bytes, size_t count, float *const *sums, size_t width) {
  size_t d = 0;
  for (; d + FEW_WIDE(format) * LANES <= width; d += FEW_WIDE(format) * LANES)
    few_sums_of(format, queries, FEW_WIDE(format), weights, factor, values, row_bytes, count, sums, d);
  for (; d + FEW_TOGETHER(format) <= width; d += FEW_TOGETHER(format))
    few_sums_of(format, queries, FEW_TOGETHER(format) / LANES, weights, factor, values, row_bytes, count, sums, d);
  if (d < width) few_sums_end(format, queries, weights, factor, values, row_bytes, count, sums, d, width - d);
}

// `CASE(format, n)` for every format that is read as it lies and every count of queries.
#define FEW_COUNTS(CASE, format) CASE(format, 1) CASE(format, 2) CASE(format, 3) CASE(format, 4)
#define FEW_CASES(CASE) FEW_COUNTS(CASE, CK_F32) FEW_COUNTS(CASE, CK_F16) FEW_COUNTS(CASE, CK_BF16) FEW_COUNTS(CASE, CK_Q8_0)
#define FEW_CASE(format, queries) ((format) * (FEW_QUERIES + 1) + (queries))

/// The largest score and the denominator of one query, and the weights in place of its scores; answers what earlier
/// sums are scaled by. The scores after the last are −∞.
INLINE float few_weights(float *scores, float *most, float *denominator) {
  V largest = splat(*most);
  UNROLL for (int c = 0; c < FEW_KEYS; c += LANES) largest = larger(load(scores + c), largest);
  float now = largest[0];
  UNROLL for (int i = 1; i < LANES; i++) now = largest[i] > now ? largest[i] : now;
  float start = *most * -LOG2_E, least = now * -LOG2_E;
  V sum = splat(0);
  UNROLL for (int c = 0; c < FEW_KEYS; c += LANES) {
    V weight = power_of_two(load(scores + c) * LOG2_E + least);
    store(scores + c, weight);
    sum += weight;
  }
  float factor = power_of_two(splat(least - start))[0];
  *most = now;
  *denominator = *denominator * factor + total(sum);
  return factor;
}

// A partial result: most[queries], total[queries], sums[queries][value_width], where query (row, head) has the place
// row · heads + head.
INLINE float *partial_sums(const struct ck_attention *attention, const struct ck_attention_span *span, float *partial) {
  return partial + 2 * span->count * attention->heads;
}

/// The keys at positions from..<to, at most FEW_KEYS, for the queries of some key heads.
static void meet_few(const struct ck_attention *attention, const struct ck_attention_span *span, size_t from, size_t to,
                     size_t first_head, size_t last_head, float *partial, float *scratch) {
  size_t group = attention->heads / attention->key_heads, queries = span->count * group, count = to - from;
  size_t places = span->count * attention->heads, first = from - span->first;
  size_t key_width = attention->key_width, value_width = attention->value_width;
  // The rows behind these, which come next: a head takes a small part of the time that memory does, all of them the whole.
  size_t left = span->key_count - first - count;
  float *all = partial_sums(attention, span, partial);
  float *scores = scratch, *factors = scores + places * FEW_KEYS, *copy = factors + (places + 15) / 16 * 16;
  // 1: the scores of all heads, so that the keys are read in one walk; LANES keys at a time
  for (size_t c = 0; c < count; c += LANES) {
    size_t some = count - c < LANES ? count - c : LANES;
    for (size_t h = first_head; h < last_head; h++) {
      size_t ahead = left < c ? 0 : left - c < LANES ? left - c : LANES;
      ask_for_rows(&span->keys, first + count + c, ahead, h * key_width, key_width);
      ask_for_rows(&span->values, first + count + c, ahead, h * value_width, value_width);
      struct few_rows k = few_rows_at(&span->keys, first + c, some, h * key_width, key_width, copy);
      for (size_t i = 0; i < queries; i += FEW_QUERIES) {
        const float *q[FEW_QUERIES];
        size_t several = queries - i < FEW_QUERIES ? queries - i : FEW_QUERIES;
        for (size_t j = 0; j < several; j++)
          q[j] = span->queries + (i + j) / group * span->query_stride + (h * group + (i + j) % group) * key_width;
        float *to_scores = scores + (h * queries + i) * FEW_KEYS + c;
        switch (FEW_CASE((size_t)k.format, several)) {
#define CASE(format, n)                                                                                         \
  case FEW_CASE(format, n):                                                                                     \
    few_scores_of(format, n, q, k.base, k.row_bytes, some, key_width, attention->scale, to_scores); break;
          FEW_CASES(CASE)
#undef CASE
        }
      }
    }
  }
  // 2: the weights
  for (size_t h = first_head; h < last_head; h++)
    for (size_t i = 0; i < queries; i++) {
      size_t position = span->start + i / group, head = h * group + i % group, place = i / group * attention->heads + head;
      float *own = scores + (h * queries + i) * FEW_KEYS;
      if (attention->cap > 0) cap_scores(own, FEW_KEYS, attention->cap);
      size_t low = ck_first_seen(span, position), high = ck_end_seen(span, position);
      low = low < from ? 0 : low > to ? count : low - from;
      high = high < from ? 0 : high > to ? count : high - from;
      if (attention->bias && low < high)
        attention->bias(attention->bias_context, own + low, high - low, head, position, from + low);
      for (size_t c = 0; c < low; c++) own[c] = -__builtin_inff();
      for (size_t c = high; c < FEW_KEYS; c++) own[c] = -__builtin_inff();
      factors[h * queries + i] = few_weights(own, partial + place, partial + places + place);
    }
  // 3: the sums
  for (size_t h = first_head; h < last_head; h++) {
    struct few_rows v = few_rows_at(&span->values, first, count, h * value_width, value_width, copy);
    for (size_t i = 0; i < queries; i += FEW_QUERIES) {
      float *sums[FEW_QUERIES];
      size_t several = queries - i < FEW_QUERIES ? queries - i : FEW_QUERIES;
      for (size_t j = 0; j < several; j++)
        sums[j] = all + ((i + j) / group * attention->heads + h * group + (i + j) % group) * value_width;
      const float *weights = scores + (h * queries + i) * FEW_KEYS, *factor = factors + h * queries + i;
      switch (FEW_CASE((size_t)v.format, several)) {
#define CASE(format, n)                                                                                         \
  case FEW_CASE(format, n):                                                                                     \
    few_sums(format, n, weights, factor, v.base, v.row_bytes, count, sums, value_width); break;
        FEW_CASES(CASE)
#undef CASE
      }
    }
  }
}

static void attend_few(const struct ck_attention *attention, const struct ck_attention_span *span, size_t from,
                       size_t to, size_t first_head, size_t last_head, float *partial, float *scratch) {
  size_t group = attention->heads / attention->key_heads, places = span->count * attention->heads;
  float *all = partial_sums(attention, span, partial);
  for (size_t row = 0; row < span->count; row++) {
    size_t first = row * attention->heads + first_head * group, count = (last_head - first_head) * group;
    for (size_t i = first; i < first + count; i++) partial[i] = LEAST, partial[places + i] = 0;
    memset(all + first * attention->value_width, 0, count * attention->value_width * sizeof(float));
  }
  for (size_t key = from; key < to; key += FEW_KEYS)
    meet_few(attention, span, key, key + FEW_KEYS < to ? key + FEW_KEYS : to, first_head, last_head, partial, scratch);
}

static void merge_partials(const struct ck_attention *attention, const struct ck_attention_span *span,
                           const float *partials, size_t count, size_t first, size_t last) {
  size_t places = span->count * attention->heads, width = attention->value_width, apart = places * (width + 2);
  for (size_t row = 0; row < span->count; row++)
    for (size_t head = first; head < last; head++) {
      size_t place = row * attention->heads + head;
      float most = LEAST, denominator = 0, log_sum_exp, weights[CK_PARTIALS];
      for (size_t i = 0; i < CK_PARTIALS; i++) weights[i] = i < count ? partials[i * apart + place] : LEAST;
      for (size_t i = 0; i < count; i++) most = weights[i] > most ? weights[i] : most;
      for (size_t i = 0; i < count; i += LANES)
        store(weights + i, power_of_two(load(weights + i) * LOG2_E + splat(most * -LOG2_E)));
      for (size_t i = 0; i < count; i++) denominator += partials[i * apart + places + place] * weights[i];
      float factor = share(attention, head, most, denominator, &log_sum_exp);
      float *sums = span->outputs + row * span->output_stride + head * width;
      memset(sums, 0, width * sizeof(float));
      // A part that saw nothing holds zeros, whatever it is scaled by.
      for (size_t i = 0; i < count; i++)
        add_scaled(weights[i] * factor, partials + i * apart + 2 * places + place * width, sums, width);
      if (span->log_sum_exp) span->log_sum_exp[place] = log_sum_exp;
    }
}
