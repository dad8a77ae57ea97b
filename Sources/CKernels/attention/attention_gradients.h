// The gradient of attention, in the orientation of attend_tiles.h: CK_QUERIES queries side by side, keys below
// each other. With L, the log-sum-exp of each query's scores, from forward, weights are computed again and no row of
// them is ever whole:
//
//     p = exp(s − L),  D = Σ_d dy·y,  ds = p ⊙ (dy·vᵀ − D) (⊙ 1 − (s/cap)²)
//     dq = scale·ds·k,  dk = scale·dsᵀ·q,  dv = pᵀ·dy
//
// A few panels of queries meet block after block of keys; what a block's keys and values get is summed beside the cache
// first. Source: Dao, 2023, https://arxiv.org/abs/2307.08691.
#pragma once
#include "attend_tiles.h"

/// y[rows][TILE_COLUMNS] += Σ_k x(row, k) · w[k][TILE_COLUMNS]; x(row, k) is x[row · CK_QUERIES + k].
INLINE void key_tile(const int rows, const float *x, const float *w, size_t w_stride, float *y, size_t y_stride) {
  V sums[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = load(y + i * y_stride + j * LANES);
  for (size_t k = 0; k < CK_QUERIES; k++, w += w_stride) {
    V columns[TILE_VECTORS];
    UNROLL for (int j = 0; j < TILE_VECTORS; j++) columns[j] = load(w + j * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
      V value = splat(x[i * CK_QUERIES + k]);
      UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = value * columns[j] + sums[i][j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int j = 0; j < TILE_VECTORS; j++) store(y + i * y_stride + j * LANES, sums[i][j]);
}

/// y[keys][width] += weights[keys][queries] · rows[queries][width]; width is whole tiles.
static void key_sums(const float *weights, size_t count, const float *rows, size_t width, float *y) {
  for (size_t part = 0; part < width; part += TILE_COLUMNS)
    for (size_t c = 0; c < count; c += TILE_ROWS) {
      const float *x = weights + c * CK_QUERIES, *w = rows + part;
      float *to = y + c * width + part;
      switch (count - c < TILE_ROWS ? count - c : TILE_ROWS) {
#define CASE(n) case n: key_tile(n, x, w, width, to, width); break;
        QUERY_TILE_CASES(CASE)
#undef CASE
      }
    }
}

/// What a panel needs beside its `struct panel`, whose sums are here those of the queries' gradients and whose `most` and
/// `total` are L · log₂e and D.
struct gradient_panel {
  struct panel panel;
  float *outputs;              // dy, [value_width][CK_QUERIES]
  float *query_rows, *output_rows;  // scale·q and dy again, [CK_QUERIES][whole tiles]
};

INLINE struct gradient_panel gradient_panel_at(const struct ck_attention *attention, float *memory, size_t from,
                                               size_t to) {
  size_t group = attention->heads / attention->key_heads, count = to - from < CK_QUERIES ? to - from : CK_QUERIES;
  size_t key_width = attention->key_width, value_width = attention->value_width;
  float *sums = memory + key_width * CK_QUERIES, *outputs = sums + key_width * CK_QUERIES;
  float *query_rows = outputs + value_width * CK_QUERIES;
  float *output_rows = query_rows + ck_whole_tiles(key_width) * CK_QUERIES;
  float *most = output_rows + ck_whole_tiles(value_width) * CK_QUERIES;
  return (struct gradient_panel){
      {memory, sums, most, most + CK_QUERIES, from, count, from / group, (from + count - 1) / group},
      outputs, query_rows, output_rows};
}

/// Rows side by side with zeros up to whole tiles.
static void copy_in(const float *const *rows, size_t width, float factor, float *to) {
  size_t whole = ck_whole_tiles(width);
  for (size_t i = 0; i < CK_QUERIES; i++, to += whole) {
    for (size_t d = 0; d < width; d++) to[d] = factor * rows[i][d];
    for (size_t d = width; d < whole; d++) to[d] = 0;
  }
}

static void begin_gradient_panel(const struct ck_attention *attention, const struct ck_attention_span *span,
                                 const struct ck_attention_gradient *gradient, size_t key_head,
                                 const struct gradient_panel *own, size_t to) {
  size_t group = attention->heads / attention->key_heads, key_width = attention->key_width, value_width = attention->value_width;
  const float *queries[CK_QUERIES], *outputs[CK_QUERIES];
  for (size_t lane = 0; lane < CK_QUERIES; lane++) {
    // Lanes to spare repeat the last query, with an infinite denominator: their weights are 0.
    size_t query = lane < own->panel.count ? own->panel.from + lane : to - 1;
    size_t row = query / group, head = key_head * group + query % group;
    queries[lane] = span->queries + row * span->query_stride + head * key_width;
    outputs[lane] = gradient->output_gradients + row * gradient->output_gradient_stride + head * value_width;
    const float *sums = span->outputs + row * span->output_stride + head * value_width;
    own->panel.total[lane] = dot(outputs[lane], sums, value_width);
    float log_sum_exp = span->log_sum_exp[row * attention->heads + head];
    // So have those of a query that sees no key: its denominator is 0.
    bool weighs = lane < own->panel.count && log_sum_exp != -__builtin_inff();
    own->panel.most[lane] = weighs ? log_sum_exp * LOG2_E : 0x1p100f;
  }
  transpose_in(queries, key_width, attention->scale, own->panel.queries);
  transpose_in(outputs, value_width, 1, own->outputs);
  copy_in(queries, key_width, attention->scale, own->query_rows);
  copy_in(outputs, value_width, 1, own->output_rows);
  memset(own->panel.sums, 0, key_width * CK_QUERIES * sizeof(float));
}

/// From scores and dy·vᵀ, [keys][queries] both, to p and ds in their places; `slopes` are those of the cap, or NULL.
static void weights_and_slopes(const struct panel *panel, size_t numbers, const float *slopes, float *scores,
                               float *products) {
  for (size_t lane = 0; lane < CK_QUERIES; lane += LANES) {
    V log_sum_exp = load(panel->most + lane), mean = load(panel->total + lane);
    for (size_t c = lane; c < numbers; c += CK_QUERIES) {
      V weight = power_of_two(load(scores + c) * LOG2_E - log_sum_exp);
      V slope = weight * (load(products + c) - mean);
      if (slopes) slope *= load(slopes + c);
      store(scores + c, weight);
      store(products + c, slope);
    }
  }
}

/// Adds `count` rows of `width` numbers, `from_stride` apart, to rows `to_stride` apart.
static void add_rows(const float *from, size_t from_stride, size_t count, size_t width, float *to, size_t to_stride) {
  for (size_t i = 0; i < count; i++) add_scaled(1, from + i * from_stride, to + i * to_stride, width);
}

/// Panels of queries that meet the keys together.
#define GRADIENT_PANELS CK_GRADIENT_PANELS

static void attention_gradients(const struct ck_attention *attention, const struct ck_attention_span *span,
                                const struct ck_attention_gradient *gradient, size_t key_head, float *scratch) {
  size_t group = attention->heads / attention->key_heads, queries = span->count * group;
  size_t key_width = attention->key_width, value_width = attention->value_width;
  size_t key_tiles = ck_whole_tiles(key_width), value_tiles = ck_whole_tiles(value_width);
  float *scores = scratch, *products = scores + BLOCK_KEYS * CK_QUERIES;
  float *run = products + BLOCK_KEYS * CK_QUERIES, *slopes = run + (attention->bias ? BLOCK_KEYS * CK_QUERIES : 0);
  float *keys = slopes + (attention->cap > 0 ? BLOCK_KEYS * CK_QUERIES : 0);
  float *values = keys + BLOCK_KEYS * key_width, *key_block = values + BLOCK_KEYS * value_width;
  float *value_block = key_block + BLOCK_KEYS * key_tiles, *panels = value_block + BLOCK_KEYS * value_tiles;
  size_t panel_floats = ck_gradient_panel_floats(attention);
  float ones[CK_QUERIES];
  for (size_t lane = 0; lane < CK_QUERIES; lane++) ones[lane] = 1;

  // The gradients of this head's keys and values begin as zeros where nothing is there to add to.
  for (size_t row = 0; row < span->key_count; row++) {
    if (gradient->keys && !gradient->adds_keys)
      memset(gradient->keys + row * gradient->key_stride + key_head * key_width, 0, key_width * sizeof(float));
    if (gradient->values && !gradient->adds_values)
      memset(gradient->values + row * gradient->value_stride + key_head * value_width, 0, value_width * sizeof(float));
  }

  for (size_t from = 0; from < queries; from += GRADIENT_PANELS * CK_QUERIES) {
    size_t to = from + GRADIENT_PANELS * CK_QUERIES < queries ? from + GRADIENT_PANELS * CK_QUERIES : queries;
    for (size_t q = from; q < to; q += CK_QUERIES) {
      struct gradient_panel own = gradient_panel_at(attention, panels + (q - from) / CK_QUERIES * panel_floats, q, to);
      begin_gradient_panel(attention, span, gradient, key_head, &own, to);
    }
    size_t lowest = ck_first_seen(span, span->start + from / group);
    size_t end = ck_end_seen(span, span->start + (to - 1) / group);
    for (size_t block = lowest / BLOCK_KEYS * BLOCK_KEYS; block < end; block += BLOCK_KEYS) {
      size_t low = block < lowest ? lowest : block, high = block + BLOCK_KEYS < end ? block + BLOCK_KEYS : end;
      struct copied k = copy_rows(&span->keys, low - span->first, high - low, key_head * key_width, key_width, keys);
      struct copied v = copy_rows(&span->values, low - span->first, high - low, key_head * value_width, value_width, values);
      memset(key_block, 0, (high - low) * key_tiles * sizeof(float));
      memset(value_block, 0, (high - low) * value_tiles * sizeof(float));
      for (size_t q = from; q < to; q += CK_QUERIES) {
        struct gradient_panel own = gradient_panel_at(attention, panels + (q - from) / CK_QUERIES * panel_floats, q, to);
        const struct panel *panel = &own.panel;
        size_t first = ck_first_seen(span, span->start + panel->first_row);
        size_t last = ck_end_seen(span, span->start + panel->last_row);
        bool whole = ck_end_seen(span, span->start + panel->first_row) >= high &&
                     ck_first_seen(span, span->start + panel->last_row) <= low;
        if (first < low) first = low;
        if (last > high) last = high;
        if (first >= last) continue;
        size_t count = last - first, numbers = count * CK_QUERIES;
        panel_scores(k.base + (first - low) * k.stride, k.stride, count, panel->queries, key_width, scores);
        if (attention->cap > 0) {
          cap_scores(scores, numbers, attention->cap);
          float inverse = 1 / attention->cap;
          for (size_t c = 0; c < numbers; c += LANES) {
            V t = load(scores + c) * inverse;
            store(slopes + c, 1.0f - t * t);
          }
        }
        if (attention->bias) add_bias(attention, span, key_head, panel, first, last, scores, run);
        if (!whole) mask_scores(attention, span, panel, first, last, scores);
        panel_scores(v.base + (first - low) * v.stride, v.stride, count, own.outputs, value_width, products);
        weights_and_slopes(panel, numbers, attention->cap > 0 ? slopes : NULL, scores, products);
        if (gradient->queries)
          panel_sums(k.base + (first - low) * k.stride, k.stride, count, products, key_width, ones, panel->sums);
        if (gradient->keys) key_sums(products, count, own.query_rows, key_tiles, key_block + (first - low) * key_tiles);
        if (gradient->values) key_sums(scores, count, own.output_rows, value_tiles, value_block + (first - low) * value_tiles);
      }
      size_t row = low - span->first;
      if (gradient->keys)
        add_rows(key_block, key_tiles, high - low, key_width,
                 gradient->keys + row * gradient->key_stride + key_head * key_width, gradient->key_stride);
      if (gradient->values)
        add_rows(value_block, value_tiles, high - low, value_width,
                 gradient->values + row * gradient->value_stride + key_head * value_width, gradient->value_stride);
    }
    if (!gradient->queries) continue;
    for (size_t q = from; q < to; q += CK_QUERIES) {
      struct gradient_panel own = gradient_panel_at(attention, panels + (q - from) / CK_QUERIES * panel_floats, q, to);
      float *rows[CK_QUERIES], factor[CK_QUERIES];
      // The panel's own rows are done with: they take the transposed sums.
      for (size_t lane = 0; lane < CK_QUERIES; lane++)
        rows[lane] = own.query_rows + lane * key_tiles, factor[lane] = attention->scale;
      transpose_out(own.panel.sums, factor, own.panel.count, key_width, rows);
      for (size_t lane = 0; lane < own.panel.count; lane++) {
        size_t row = (q + lane) / group, head = key_head * group + (q + lane) % group;
        float *to_row = gradient->queries + row * gradient->query_stride + head * key_width;
        if (gradient->adds_queries) add_scaled(1, rows[lane], to_row, key_width);
        else memcpy(to_row, rows[lane], key_width * sizeof(float));
      }
    }
  }
}
