// The same for Q8_0, whose numbers have signs and no bit to spare: panels of 16 bits, two of the depth in one product.
//   x, for each row and group: a `word_line`
//   w, half a panel:           [16 twos][16 columns][2 words], then d of the columns
#pragma once
#include "bytes.h"
#include "tile_walk.h"

/// Of each four of the depth: the first and the third, then the second and the fourth.
struct word_line { int16_t q[32]; float worth; };

#define HALF_WORDS (1024 + 64)
static size_t word_line_floats(size_t depth) { return depth / 32 * (sizeof(struct word_line) / sizeof(float)); }
static size_t word_panel_floats(size_t depth) { return depth / 32 * 2 * HALF_WORDS / sizeof(float); }

/// Of each two bytes of v the first, and the second, as words.
INLINE S first_of_twos(B v) { return __builtin_bit_cast(S, v) << 8 >> 8; }
INLINE S second_of_twos(B v) { return __builtin_bit_cast(S, v) >> 8; }

static void pack_word_lines(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  struct word_line *line = (struct word_line *)packed;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 32, line++) {
      int8_t q[32];
      line->worth = quantize_block(x + k, q);
      B v = bytes_at(q);
      V first = __builtin_bit_cast(V, first_of_twos(v)), second = __builtin_bit_cast(V, second_of_twos(v));
      float turned[16];
      UNROLL for (int f = 0; f < 8; f++) turned[2 * f] = first[f], turned[2 * f + 1] = second[f];
      memcpy(line->q, turned, sizeof turned);
    }
}

static void pack_word_panels(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels) {
  for (size_t c = from; c < to; c += 8) {
    const uint8_t *row[8];
    first_bytes(w, c, to, k, row);
    float *group = (float *)((uint8_t *)panels + (c - from) / 16 * (depth / 32 * HALF_WORDS)) + (c - from) % 16;
    size_t at = 0;
    for (size_t left = depth; left; left -= 32, at += CK_BYTES_Q8_0, group += HALF_WORDS / sizeof(float)) {
      B numbers[8];
      store(group + 256, eight_halves(row, at));
      UNROLL for (int i = 0; i < 8; i++) {
        ask_for_later(row[i] + at, 8 * w->row_bytes);
        numbers[i] = bytes_at(row[i] + at + 2);
      }
      turn(numbers);
      UNROLL for (int f = 0; f < 8; f++) {
        store(group + 32 * f, __builtin_bit_cast(V, first_of_twos(numbers[f])));
        store(group + 32 * f + 16, __builtin_bit_cast(V, second_of_twos(numbers[f])));
      }
    }
  }
}

INLINE void word_tile(const int rows, const struct word_line *x, size_t line, const uint8_t *w, size_t groups,
                      V (*to)[2]) {
  V sums[TILE_LINES][2];
  UNROLL for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = splat(0);
  for (; groups; groups--, x++, w += HALF_WORDS) {
    I dots[TILE_LINES][2];
    UNROLL for (int p = 0; p < 16; p++) {
      S columns[2];
      memcpy(columns, w + p * 64, sizeof columns);
      UNROLL for (int i = 0; i < rows; i++) {
        int32_t two;
        memcpy(&two, x[i * line].q + 2 * p, 4);
        S both = __builtin_bit_cast(S, (I)two);
        UNROLL for (int j = 0; j < 2; j++)
          dots[i][j] = p ? dots[i][j] + word_twos(columns[j], both) : word_twos(columns[j], both);
        UNROLL for (int j = 0; j < 2; j++) ADD_NOW(dots[i][j]);
      }
    }
    UNROLL for (int j = 0; j < 2; j++) {
      V d = load((const float *)(w + 1024) + 8 * j);
      UNROLL for (int i = 0; i < rows; i++) sums[i][j] = numbers(dots[i][j]) * splat(x[i * line].worth) * d + sums[i][j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) to[i][0] = sums[i][0], to[i][1] = sums[i][1];
}
static void tile_of_words(size_t rows, const float *x, size_t line, const uint8_t *w, size_t groups, V (*sums)[2]) {
  const struct word_line *lines = (const struct word_line *)x;
  switch (rows) {
  case 1: word_tile(1, lines, line, w, groups, sums); break;
  case 2: word_tile(2, lines, line, w, groups, sums); break;
  case 3: word_tile(3, lines, line, w, groups, sums); break;
  default: word_tile(4, lines, line, w, groups, sums);
  }
}

static const struct tile_kind word_kind = {tile_of_words, HALF_WORDS, sizeof(struct word_line) / sizeof(float)};
static void multiply_word_panels(int format, const float *x, size_t rows, const float *panels, size_t columns,
                                 size_t depth, float *y, size_t stride, bool add, const float *bias) {
  (void)format;
  walk_tiles(word_kind, x, depth / 32, rows, (const uint8_t *)panels, columns, depth / 32, y, stride, add, bias);
}
