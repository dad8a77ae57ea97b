// Attention of many queries: CK_QUERIES queries stand side by side in the lanes of vectors, keys follow
// below each other. Scores, weights and sums are all computed in this orientation, [keys][queries] and
// [width][queries], so maxima and sums run down the lanes, keys and values are only ever read one number at a time, and
// nothing is transposed but the queries on the way in and the sums on the way out.
//
// Keys are met in blocks that begin at multiples of BLOCK_KEYS. The weights of a block are scaled by the largest score
// so far; when a later block has a larger one, the sums are scaled down to it. No score outlives its block. A key that a
// query does not see has the weight 0 there; so its value must be a number, or the queries beside would lose theirs.
// Source: Dao, Fu, Ermon, Rudra, Ré, 2022, https://arxiv.org/abs/2205.14135; Milakov, Gimelshein, 2018,
// https://arxiv.org/abs/1805.02867 for the running maximum.
#pragma once
#include "attention_parts.h"
#include "tiles.h"

/// y[rows][queries] = Σ_k x(row, k) · w[k][queries], added to y · factor where there is a factor.
/// x(row, k) is x[row · row_step + k · step]; one of the two steps is the constant 1 where this is inlined.
INLINE void query_tile(const int rows, const float *x, size_t row_step, size_t step, const float *w, size_t depth,
                       float *y, const float *factor) {
  V sums[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = splat(0);
  for (size_t k = 0; k < depth; k++, w += CK_QUERIES, x += step) {
    V columns[TILE_VECTORS];
    UNROLL for (int j = 0; j < TILE_VECTORS; j++) columns[j] = load(w + j * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
      V value = splat(x[i * row_step]);
      UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = value * columns[j] + sums[i][j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < TILE_VECTORS; j++) {
    float *to = y + i * CK_QUERIES + j * LANES;
    store(to, factor ? load(to) * load(factor + j * LANES) + sums[i][j] : sums[i][j]);
  }
}

#define QUERY_TILE_CASES(WITH)                       \
  WITH(1) WITH(2) WITH(3) WITH(4) QUERY_TILE_TO_6(WITH) QUERY_TILE_TO_14(WITH)
#if TILE_ROWS >= 6
#define QUERY_TILE_TO_6(WITH) WITH(5) WITH(6)
#else
#define QUERY_TILE_TO_6(WITH)
#endif
#if TILE_ROWS >= 14
#define QUERY_TILE_TO_14(WITH) WITH(7) WITH(8) WITH(9) WITH(10) WITH(11) WITH(12) WITH(13) WITH(14)
#else
#define QUERY_TILE_TO_14(WITH)
#endif

/// scores[keys][queries] = keys · queries
static void panel_scores(const float *keys, size_t stride, size_t count, const float *queries, size_t width,
                         float *scores) {
  for (size_t c = 0; c < count; c += TILE_ROWS)
    for (size_t part = 0; part < CK_QUERIES; part += TILE_COLUMNS) {
      const float *x = keys + c * stride, *w = queries + part;
      float *y = scores + c * CK_QUERIES + part;
      switch (count - c < TILE_ROWS ? count - c : TILE_ROWS) {
#define CASE(n) case n: query_tile(n, x, stride, 1, w, width, y, NULL); break;
        QUERY_TILE_CASES(CASE)
#undef CASE
      }
    }
}

/// sums[width][queries] = sums · factor + valuesᵀ · weights[keys][queries]
static void panel_sums(const float *values, size_t stride, size_t count, const float *weights, size_t width,
                       const float *factor, float *sums) {
  for (size_t r = 0; r < width; r += TILE_ROWS)
    for (size_t part = 0; part < CK_QUERIES; part += TILE_COLUMNS) {
      const float *x = values + r, *w = weights + part;
      float *y = sums + r * CK_QUERIES + part;
      switch (width - r < TILE_ROWS ? width - r : TILE_ROWS) {
#define CASE(n) case n: query_tile(n, x, 1, stride, w, count, y, factor + part); break;
        QUERY_TILE_CASES(CASE)
#undef CASE
      }
    }
}

/// One panel: its queries as [key_width][CK_QUERIES], its sums as [value_width][CK_QUERIES].
struct panel {
  float *queries, *sums, *most, *total;  // most, total: [CK_QUERIES]
  size_t from, count;                    // the queries it holds
  size_t first_row, last_row;            // the rows they belong to
};

INLINE struct panel panel_at(const struct ck_attention *attention, float *memory, size_t from, size_t to) {
  size_t group = attention->heads / attention->key_heads, count = to - from < CK_QUERIES ? to - from : CK_QUERIES;
  float *sums = memory + attention->key_width * CK_QUERIES, *most = sums + attention->value_width * CK_QUERIES;
  return (struct panel){memory, sums, most, most + CK_QUERIES, from, count, from / group, (from + count - 1) / group};
}

/// panel[width][CK_QUERIES] = the CK_QUERIES rows at `rows`, each times `factor`.
static void transpose_in(const float *const *rows, size_t width, float factor, float *panel) {
  for (size_t lane = 0; lane < CK_QUERIES; lane += LANES, rows += LANES) {
    size_t d = 0;
    for (; d + LANES <= width; d += LANES) {
      V block[LANES];
      UNROLL for (int i = 0; i < LANES; i++) block[i] = factor * load(rows[i] + d);
      transpose(block);
      UNROLL for (int i = 0; i < LANES; i++) store(panel + (d + i) * CK_QUERIES + lane, block[i]);
    }
    for (; d < width; d++)
      for (size_t i = 0; i < LANES; i++) panel[d * CK_QUERIES + lane + i] = factor * rows[i][d];
  }
}

/// The rows at `rows` = panel[width][CK_QUERIES] · factor, lane by lane.
static void transpose_out(const float *panel, const float *factor, size_t count, size_t width, float *const *rows) {
  for (size_t lane = 0; lane < count; lane += LANES, rows += LANES) {
    V by = load(factor + lane);
    size_t d = 0, lanes = count - lane < LANES ? count - lane : LANES;
    for (; d + LANES <= width; d += LANES) {
      V block[LANES];
      UNROLL for (int i = 0; i < LANES; i++) block[i] = load(panel + (d + i) * CK_QUERIES + lane) * by;
      transpose(block);
      if (lanes == LANES) {
        UNROLL for (int i = 0; i < LANES; i++) store(rows[i] + d, block[i]);
      } else
        for (size_t i = 0; i < lanes; i++) store(rows[i] + d, block[i]);
    }
    for (; d < width; d++)
      for (size_t i = 0; i < lanes; i++) rows[i][d] = panel[d * CK_QUERIES + lane + i] * factor[lane + i];
  }
}

/// Adds the bias of each query to its column of scores[keys][queries], for the keys it sees; `run` holds BLOCK_KEYS
/// floats for each lane.
static void add_bias(const struct ck_attention *attention, const struct ck_attention_span *span, size_t key_head,
                     const struct panel *panel, size_t from, size_t to, float *scores, float *run) {
  size_t group = attention->heads / attention->key_heads;
  memset(run, 0, CK_QUERIES * BLOCK_KEYS * sizeof(float));
  for (size_t lane = 0; lane < panel->count; lane++) {
    size_t query = panel->from + lane, position = span->start + query / group;
    size_t low = ck_first_seen(span, position), high = ck_end_seen(span, position);
    if (low < from) low = from;
    if (high > to) high = to;
    if (low < high)
      attention->bias(attention->bias_context, run + lane * BLOCK_KEYS + (low - from), high - low,
                    key_head * group + query % group, position, low);
  }
  for (size_t lane = 0; lane < panel->count; lane += LANES)
    for (size_t c = 0; c < to - from; c += LANES) {
      V block[LANES];
      for (size_t i = 0; i < LANES; i++) block[i] = load(run + (lane + i) * BLOCK_KEYS + c);
      transpose(block);
      for (size_t i = 0; i < LANES && c + i < to - from; i++) {
        float *at = scores + (c + i) * CK_QUERIES + lane;
        store(at, load(at) + block[i]);
      }
    }
}

/// Sets the scores of keys that a query does not see to −∞.
static void mask_scores(const struct ck_attention *attention, const struct ck_attention_span *span,
                        const struct panel *panel, size_t from, size_t to, float *scores) {
  size_t group = attention->heads / attention->key_heads;
  int32_t low[CK_QUERIES], high[CK_QUERIES];  // the keys seen, counted from `from`
  for (size_t lane = 0; lane < CK_QUERIES; lane++) {
    size_t query = panel->from + (lane < panel->count ? lane : panel->count - 1), position = span->start + query / group;
    size_t first = ck_first_seen(span, position), end = ck_end_seen(span, position);
    low[lane] = first <= from ? 0 : first >= to ? (int32_t)(to - from) : (int32_t)(first - from);
    high[lane] = end >= to ? (int32_t)(to - from) : end <= from ? 0 : (int32_t)(end - from);
  }
  for (size_t lane = 0; lane < CK_QUERIES; lane += LANES) {
    I first, end;
    memcpy(&first, low + lane, sizeof first);
    memcpy(&end, high + lane, sizeof end);
    for (size_t c = 0; c < to - from; c++) {
      I key = (I)(int32_t)c;
      float *at = scores + c * CK_QUERIES + lane;
      store(at, pick((key >= first) & (key < end), load(at), splat(-__builtin_inff())));
    }
  }
}

/// The keys from..<to, which lie in one block, for one panel.
static void meet_block(const struct ck_attention *attention, const struct ck_attention_span *span, size_t key_head,
                       const struct panel *panel, size_t from, size_t to, const float *keys, size_t key_stride,
                       const float *values, size_t value_stride, float *scores, float *run) {
  size_t count = to - from, numbers_of = count * CK_QUERIES;
  panel_scores(keys, key_stride, count, panel->queries, attention->key_width, scores);
  if (attention->cap > 0) cap_scores(scores, numbers_of, attention->cap);
  if (attention->bias) add_bias(attention, span, key_head, panel, from, to, scores, run);
  bool whole = ck_end_seen(span, span->start + panel->first_row) >= to &&
               ck_first_seen(span, span->start + panel->last_row) <= from;
  if (!whole) mask_scores(attention, span, panel, from, to, scores);

  float factor[CK_QUERIES];
  for (size_t lane = 0; lane < CK_QUERIES; lane += 2 * LANES) {
    V before[2], most[2], least[2], total[2];
    UNROLL for (int j = 0; j < 2; j++) before[j] = most[j] = load(panel->most + lane + j * LANES);
    for (size_t c = 0; c < numbers_of; c += CK_QUERIES)
      UNROLL for (int j = 0; j < 2; j++) most[j] = larger(load(scores + c + lane + j * LANES), most[j]);
    UNROLL for (int j = 0; j < 2; j++) {
      V start = before[j] * -LOG2_E;  // rounded like `least`, so that an unchanged maximum changes nothing
      least[j] = most[j] * -LOG2_E;
      V scaled = power_of_two(least[j] - start);
      store(factor + lane + j * LANES, scaled);
      store(panel->most + lane + j * LANES, most[j]);
      total[j] = load(panel->total + lane + j * LANES) * scaled;
    }
    for (size_t c = 0; c < numbers_of; c += CK_QUERIES)
      UNROLL for (int j = 0; j < 2; j++) {
        float *at = scores + c + lane + j * LANES;
        V weight = power_of_two(load(at) * LOG2_E + least[j]);
        store(at, weight);
        total[j] += weight;
      }
    UNROLL for (int j = 0; j < 2; j++) store(panel->total + lane + j * LANES, total[j]);
  }
  panel_sums(values, value_stride, count, scores, attention->value_width, factor, panel->sums);
}

/// Divides a panel's sums by the softmax's denominators and writes them where they belong.
static void finish_panel(const struct ck_attention *attention, const struct ck_attention_span *span, size_t key_head,
                         const struct panel *panel) {
  size_t group = attention->heads / attention->key_heads;
  float *rows[CK_QUERIES], factor[CK_QUERIES];
  for (size_t lane = 0; lane < CK_QUERIES; lane++) factor[lane] = 0;
  for (size_t lane = 0; lane < panel->count; lane++) {
    size_t row = (panel->from + lane) / group, head = key_head * group + (panel->from + lane) % group;
    rows[lane] = span->outputs + row * span->output_stride + head * attention->value_width;
    float log_sum_exp;
    factor[lane] = share(attention, head, panel->most[lane], panel->total[lane], &log_sum_exp);
    if (span->log_sum_exp) span->log_sum_exp[row * attention->heads + head] = log_sum_exp;
  }
  transpose_out(panel->sums, factor, panel->count, attention->value_width, rows);
}

static void attend_tiles(const struct ck_attention *attention, const struct ck_attention_span *span, size_t key_head,
                         size_t from, size_t to, float *scratch) {
  size_t group = attention->heads / attention->key_heads;
  size_t key_width = attention->key_width, value_width = attention->value_width;
  float *scores = scratch;
  float *run = scores + BLOCK_KEYS * CK_QUERIES;
  float *keys = run + (attention->bias ? BLOCK_KEYS * CK_QUERIES : 0);
  float *values = keys + BLOCK_KEYS * ck_copied_width(span->keys.format, key_width);
  float *panels = values + BLOCK_KEYS * ck_copied_width(span->values.format, value_width);
  size_t panel_floats = (key_width + value_width + 2) * CK_QUERIES;

  for (size_t q = from; q < to; q += CK_QUERIES) {
    struct panel panel = panel_at(attention, panels + (q - from) / CK_QUERIES * panel_floats, q, to);
    const float *rows[CK_QUERIES];
    for (size_t lane = 0; lane < CK_QUERIES; lane++) {
      // Lanes to spare repeat the last query.
      size_t query = lane < panel.count ? q + lane : to - 1;
      rows[lane] = span->queries + query / group * span->query_stride + (key_head * group + query % group) * key_width;
    }
    transpose_in(rows, key_width, attention->scale, panel.queries);
    memset(panel.sums, 0, value_width * CK_QUERIES * sizeof(float));
    for (size_t lane = 0; lane < CK_QUERIES; lane++) panel.most[lane] = LEAST, panel.total[lane] = 0;
  }

  size_t lowest = ck_first_seen(span, span->start + from / group);
  size_t end = ck_end_seen(span, span->start + (to - 1) / group);
  for (size_t block = lowest / BLOCK_KEYS * BLOCK_KEYS; block < end; block += BLOCK_KEYS) {
    size_t low = block < lowest ? lowest : block, high = block + BLOCK_KEYS < end ? block + BLOCK_KEYS : end;
    struct copied k = copy_rows(&span->keys, low - span->first, high - low, key_head * key_width, key_width, keys);
    struct copied v = copy_rows(&span->values, low - span->first, high - low, key_head * value_width, value_width, values);
    for (size_t q = from; q < to; q += CK_QUERIES) {
      struct panel panel = panel_at(attention, panels + (q - from) / CK_QUERIES * panel_floats, q, to);
      size_t first = ck_first_seen(span, span->start + panel.first_row);
      size_t last = ck_end_seen(span, span->start + panel.last_row);
      if (first < low) first = low;
      if (last > high) last = high;
      if (first >= last) continue;
      meet_block(attention, span, key_head, &panel, first, last, k.base + (first - low) * k.stride, k.stride,
                 v.base + (first - low) * v.stride, v.stride, scores, run);
    }
  }

  for (size_t q = from; q < to; q += CK_QUERIES) {
    struct panel panel = panel_at(attention, panels + (q - from) / CK_QUERIES * panel_floats, q, to);
    finish_panel(attention, span, key_head, &panel);
  }
}
