// Softmax-weighted sums: memory needed, and the way to the level's kernels.
#include "kernels.h"
#include "softmax_copies.h"

static size_t rounded(size_t floats) { return (floats + 15) / 16 * 16; }

size_t ck_panel_scratch(const struct ck_softmax *softmax, const struct ck_span *span, size_t panels) {
  size_t key_width = softmax->key_width, value_width = softmax->value_width;
  return CK_BLOCK_KEYS * CK_QUERIES * (softmax->bias ? 2 : 1) +
         CK_BLOCK_KEYS * (ck_copied_width(span->keys.format, key_width) + ck_copied_width(span->values.format, value_width)) +
         panels * (key_width + value_width + 2) * CK_QUERIES;
}

void ck_sums_of_panels(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                       size_t key_head, size_t from, size_t to, float *scratch) {
  kernels->sums_of_panels(softmax, span, key_head, from, to, scratch);
}

size_t ck_gradient_scratch(const struct ck_softmax *softmax) {
  size_t key_width = softmax->key_width, value_width = softmax->value_width;
  size_t squares = 2 + (softmax->bias ? 1 : 0) + (softmax->cap > 0 ? 1 : 0);
  return CK_BLOCK_KEYS * (squares * CK_QUERIES + key_width + value_width + ck_whole_tiles(key_width) + ck_whole_tiles(value_width)) +
         CK_GRADIENT_PANELS * ck_gradient_panel_floats(softmax);
}

void ck_gradients_of_sums(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                          const struct ck_softmax_gradient *gradient, size_t key_head, float *scratch) {
  kernels->gradients_of_sums(softmax, span, gradient, key_head, scratch);
}

size_t ck_partial_floats(const struct ck_softmax *softmax, size_t count) {
  return count * softmax->heads * (softmax->value_width + 2);
}

size_t ck_few_scratch(const struct ck_softmax *softmax, const struct ck_span *span) {
  size_t keys = ck_copied_width(span->keys.format, softmax->key_width);
  size_t values = ck_copied_width(span->values.format, softmax->value_width);
  return span->count * softmax->heads * CK_FEW_KEYS + rounded(span->count * softmax->heads) + CK_FEW_KEYS * (keys > values ? keys : values);
}

void ck_sums_of_few(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                    size_t from, size_t to, size_t first_head, size_t last_head, float *partial, float *scratch) {
  kernels->sums_of_few(softmax, span, from, to, first_head, last_head, partial, scratch);
}

void ck_join_sums(const struct ck_kernels *kernels, const struct ck_softmax *softmax, const struct ck_span *span,
                  const float *partials, size_t count, size_t first, size_t last) {
  kernels->join_sums(softmax, span, partials, count, first, last);
}

size_t ck_add_to_counter(size_t *counter, size_t step) { return __atomic_fetch_add(counter, step, __ATOMIC_ACQ_REL); }
