// A few rows of x against stored blocks of Q8_0, in words of 16 bits, two of the depth in one product. A weight is widened once
// for eight rows, and x, rounded to words, is multiplied from memory: a piece of the depth of all rows stands side by side in the
// first cache while output after output meets it. A dot is the same sum in the same order whatever is beside it.
#pragma once
#include "bytes.h"

#define WORD_ROWS 8
#define WORD_OUTPUTS 128
#define WORD_DEPTH 512
/// The largest number of x: a multiple of 127, so that what bytes hold exactly words do, too.
#define WORD_MOST (127 * 258)
/// Outputs from what is in use to what is asked for.
#define WORD_AHEAD 4

/// A piece of a row of x, and what a one is worth in it.
struct word_piece { int16_t q[WORD_DEPTH]; float worth, unused[15]; };
/// Thirty-two numbers of each of eight rows: the first sixteen, then the second.
typedef S word_strip[2][WORD_ROWS];

static size_t word_piece_floats(size_t depth) {
  return (depth + WORD_DEPTH - 1) / WORD_DEPTH * (sizeof(struct word_piece) / sizeof(float));
}

static void round_word_piece(const float *x, size_t depth, struct word_piece *to) {
  V most = splat(0);
  I strange = (I)0;
  for (size_t k = 0; k < depth; k += LANES) {
    V v = load(x + k);
    strange |= v != v;
    most = larger(absolute(v), most);
  }
  float highest = most[0];
  UNROLL for (int i = 1; i < LANES; i++) highest = most[i] > highest ? most[i] : highest;
  bool counts = highest > 0x1p-100f;
  V inverse = splat(counts ? WORD_MOST / highest : 0);
  for (size_t k = 0; k < depth; k += 16) {
    S words = rounded_to_words(load(x + k) * inverse, load(x + k + 8) * inverse);
    memcpy(to->q + k, &words, sizeof words);
  }
  to->worth = __builtin_reduce_or(strange) ? __builtin_nanf("") : counts ? highest / WORD_MOST : 0;
}
static void round_word_pieces(const float *x, size_t stride, size_t rows, size_t depth, float *lines) {
  struct word_piece *to = (struct word_piece *)lines;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += WORD_DEPTH, to++)
      round_word_piece(x + k, depth - k < WORD_DEPTH ? depth - k : WORD_DEPTH, to);
}

INLINE S words_of(const uint8_t *p) {
  int8_t __attribute__((ext_vector_type(16))) bytes;
  memcpy(&bytes, p, sizeof bytes);
  return __builtin_convertvector(bytes, S);
}

INLINE void word_dots(const int rows, const uint8_t *w, size_t ahead, const word_strip *x, const float *worth,
                      size_t blocks, V *sums) {
  V own[WORD_ROWS];
  UNROLL for (int r = 0; r < rows; r++) own[r] = splat(0);
  for (; blocks; blocks--, w += CK_BYTES_Q8_0, x++) {
    ask_for(w, ahead);
    S low = words_of(w + 2), high = words_of(w + 18);
    V d = half_at(w);
    UNROLL for (int r = 0; r < rows; r++)
      own[r] = numbers(word_twos(low, (*x)[0][r]) + word_twos(high, (*x)[1][r])) * d + own[r];
  }
  UNROLL for (int r = 0; r < rows; r++) sums[r] = own[r] * splat(worth[r]) + sums[r];
}

/// Up to WORD_ROWS rows of x times up to WORD_OUTPUTS outputs.
INLINE void word_rows(const int rows, const uint8_t *w, size_t row_bytes, size_t outputs, const struct word_piece *x,
                      size_t depth, float *y, size_t y_stride, const float *bias, bool add) {
  V sums[WORD_OUTPUTS][WORD_ROWS];
  word_strip strips[WORD_DEPTH / 32];
  float worth[WORD_ROWS];
  const size_t pieces = (depth + WORD_DEPTH - 1) / WORD_DEPTH;
  memset(sums, 0, outputs * sizeof *sums);
  for (size_t p = 0; p < pieces; p++, w += WORD_DEPTH / 32 * CK_BYTES_Q8_0) {
    size_t left = depth - p * WORD_DEPTH, blocks = (left < WORD_DEPTH ? left : WORD_DEPTH) / 32;
    for (int r = 0; r < rows; r++) {
      const struct word_piece *piece = x + r * pieces + p;
      worth[r] = piece->worth;
      for (size_t b = 0; b < 2 * blocks; b++) memcpy(&strips[b / 2][b % 2][r], piece->q + 16 * b, sizeof(S));
    }
    for (size_t o = 0; o < outputs; o++)
      word_dots(rows, w + o * row_bytes, WORD_AHEAD * row_bytes, strips, worth, blocks, sums[o]);
  }
  for (size_t o = 0; o < outputs; o++) {
    V value = totals(sums[o]);
    UNROLL for (int r = 0; r < rows; r++) {
      float *to = y + r * y_stride + o, own = bias ? value[r] + bias[o] : value[r];
      *to = add ? *to + own : own;
    }
  }
}

static void multiply_words(const struct ck_weight *w, size_t from, size_t to, const float *lines, size_t rows,
                           const float *bias, float *y, size_t y_stride, bool add) {
  const size_t line = word_piece_floats(w->columns);
  for (size_t o = from; o < to; o += WORD_OUTPUTS) {
    const uint8_t *base = (const uint8_t *)w->base + o * w->row_bytes;
    size_t outputs = to - o < WORD_OUTPUTS ? to - o : WORD_OUTPUTS;
    for (size_t r = 0; r < rows; r += WORD_ROWS) {
      const struct word_piece *x = (const struct word_piece *)(lines + r * line);
      float *own = y + r * y_stride + o;
      switch (rows - r) {
#define ROWS(n) word_rows(n, base, w->row_bytes, outputs, x, w->columns, own, y_stride, bias ? bias + o : NULL, add); break;
      case 1: ROWS(1)
      case 2: ROWS(2)
      case 3: ROWS(3)
      case 4: ROWS(4)
      case 5: ROWS(5)
      case 6: ROWS(6)
      case 7: ROWS(7)
      default: ROWS(WORD_ROWS)
#undef ROWS
      }
    }
  }
}
