// Attention: memory needed, and the way to the level's kernels.
#include "kernels.h"
#include "attention_memory.h"

static size_t rounded(size_t floats) { return (floats + 15) / 16 * 16; }

size_t ck_attend_tiles_scratch(const struct ck_attention *attention, const struct ck_attention_span *span,
                               size_t panels) {
  size_t key_width = attention->key_width, value_width = attention->value_width;
  size_t copied = ck_copied_width(span->keys.format, key_width) + ck_copied_width(span->values.format, value_width);
  return CK_BLOCK_KEYS * (CK_QUERIES * (attention->bias ? 2 : 1) + copied) +
         panels * (key_width + value_width + 2) * CK_QUERIES;
}

void ck_attend_tiles(const struct ck_kernels *kernels, const struct ck_attention *attention,
                     const struct ck_attention_span *span, size_t key_head, size_t from, size_t to, float *scratch) {
  kernels->attend_tiles(attention, span, key_head, from, to, scratch);
}

size_t ck_attention_gradients_scratch(const struct ck_attention *attention) {
  size_t key_width = attention->key_width, value_width = attention->value_width;
  size_t squares = 2 + (attention->bias ? 1 : 0) + (attention->cap > 0 ? 1 : 0);
  size_t widths = key_width + value_width + ck_whole_tiles(key_width) + ck_whole_tiles(value_width);
  return CK_BLOCK_KEYS * (squares * CK_QUERIES + widths) + CK_GRADIENT_PANELS * ck_gradient_panel_floats(attention);
}

void ck_attention_gradients(const struct ck_kernels *kernels, const struct ck_attention *attention,
                            const struct ck_attention_span *span, const struct ck_attention_gradient *gradient,
                            size_t key_head, float *scratch) {
  kernels->attention_gradients(attention, span, gradient, key_head, scratch);
}

size_t ck_partial_floats(const struct ck_attention *attention, size_t count) {
  return count * attention->heads * (attention->value_width + 2);
}

size_t ck_attend_few_scratch(const struct ck_attention *attention, const struct ck_attention_span *span) {
  size_t keys = ck_copied_width(span->keys.format, attention->key_width);
  size_t values = ck_copied_width(span->values.format, attention->value_width);
  size_t queries = span->count * attention->heads;
  return queries * CK_FEW_KEYS + rounded(queries) + CK_FEW_KEYS * (keys > values ? keys : values);
}

void ck_attend_few(const struct ck_kernels *kernels, const struct ck_attention *attention,
                   const struct ck_attention_span *span, size_t from, size_t to, size_t first_head, size_t last_head,
                   float *partial, float *scratch) {
  kernels->attend_few(attention, span, from, to, first_head, last_head, partial, scratch);
}

void ck_merge_partials(const struct ck_kernels *kernels, const struct ck_attention *attention,
                       const struct ck_attention_span *span, const float *partials, size_t count, size_t first,
                       size_t last) {
  kernels->merge_partials(attention, span, partials, count, first, last);
}

size_t ck_add_to_counter(size_t *counter, size_t step) { return __atomic_fetch_add(counter, step, __ATOMIC_ACQ_REL); }
