// Several and many rows of x against panels of bytes, packed in groups of 32 of the depth. A tile is four rows of x by
// sixteen columns; sums of a group stay in 16 bits as long as they fit.
//   x, for each row and group: a `byte_line`
//   w, half a panel:           [8 fours][16 columns][4 bytes], then d and m of the columns, or the d of each 16 of the depth
#pragma once
#include "bytes.h"
#include "tile_walk.h"

struct byte_line { int32_t fours[8]; float worth, sum; int32_t low, high; };

#define HALF_BYTES 640
static size_t byte_line_floats(size_t depth) { return depth / 32 * (sizeof(struct byte_line) / sizeof(float)); }
static size_t byte_panel_floats(size_t depth) { return depth / 32 * 2 * HALF_BYTES / sizeof(float); }

static void pack_byte_lines(const float *x, size_t stride, size_t rows, size_t depth, float *packed) {
  struct byte_line *line = (struct byte_line *)packed;
  for (; rows; rows--, x += stride)
    for (size_t k = 0; k < depth; k += 32, line++) {
      int8_t q[32];
      int32_t low, high;
      line->worth = quantize_block(x + k, q);
      memcpy(line->fours, q, 32);
      sums_of_halves(q, &low, &high);
      line->sum = line->worth * (float)(low + high);
      line->low = -32 * low, line->high = -32 * high;  // what takes the 32 off Q6_K's numbers
    }
}

/// Eight columns' fours of bytes, which lie in `fours`, into half a panel's group.
INLINE void put_fours(const B *fours, uint8_t *group, size_t column) {
  UNROLL for (int f = 0; f < 8; f++) store((float *)(group + f * 64) + column, __builtin_bit_cast(V, fours[f]));
}
INLINE void put_scales(V first, V second, uint8_t *group, size_t column) {
  store((float *)(group + 512) + column, first);
  store((float *)(group + 576) + column, second);
}
/// Sixteen bytes of eight columns as four fours of all.
INLINE void turn_halves(const uint8_t *const *row, size_t at, B *fours) {
  typedef uint32_t Words __attribute__((ext_vector_type(8)));
  Words rows[4], pairs[4];
  UNROLL for (int i = 0; i < 4; i++)
    rows[i] = __builtin_bit_cast(Words, two_halves(half_bytes_at(row[i] + at), half_bytes_at(row[i + 4] + at)));
  UNROLL for (int i = 0; i < 2; i++) {
    pairs[2 * i] = __builtin_shufflevector(rows[2 * i], rows[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[2 * i + 1] = __builtin_shufflevector(rows[2 * i], rows[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  UNROLL for (int i = 0; i < 2; i++) {
    fours[2 * i] = __builtin_bit_cast(B, __builtin_shufflevector(pairs[i], pairs[i + 2], 0, 1, 8, 9, 4, 5, 12, 13));
    fours[2 * i + 1] = __builtin_bit_cast(B, __builtin_shufflevector(pairs[i], pairs[i + 2], 2, 3, 10, 11, 6, 7, 14, 15));
  }
}

/// Eight columns from `column` on of half a panel. Numbers of four bits are turned two at a time and taken apart then.
INLINE void pack_eight(const int format, const int size, const uint8_t *const *row, size_t depth, size_t ahead,
                       uint8_t *group, size_t column) {
  size_t at = 0;
  if (ck_block_elements(format) == 32) {
    for (; depth; depth -= 32, group += HALF_BYTES, at += size) {
      B numbers[8];
      UNROLL for (int i = 0; i < 8; i++) ask_for_later(row[i] + at, ahead);
      V d = eight_halves(row, at), m = d * (format == CK_Q5_0 ? -16.0f : -8.0f);
      if (format == CK_Q4_1 || format == CK_Q5_1) m = eight_halves(row, at + 2);
      if (format == CK_Q4_0 || format == CK_Q4_1) {
        turn_halves(row, at + size - 16, numbers);
        UNROLL for (int f = 0; f < 4; f++) numbers[f + 4] = numbers[f] >> 4, numbers[f] &= 15;
      } else {
        UNROLL for (int i = 0; i < 8; i++) {
          numbers[i] = numbers_of(format, row[i] + at, 0);
          if (format == CK_Q8_0) numbers[i] = without_signs(numbers[i]);
        }
        turn(numbers);
      }
      put_fours(numbers, group, column);
      put_scales(d, m, group, column);
    }
    return;
  }
  for (; depth; depth -= 256, at += size) {
    V first[8], second[8];
    UNROLL for (int i = 0; i < 8; i++) {
      for (int b = 0; b < size; b += 64) ask_for_later(row[i] + at + b, ahead);
      scales_of_256(format, row[i] + at, first + i, second + i);
    }
    transpose(first), transpose(second);
    UNROLL for (int part = 0; part < 8; part++, group += HALF_BYTES) {
      // Of Q6_K there are sixteen scales: those of the first half of a block are in `first`.
      const V *own = part < 4 ? first : second;
      if (format == CK_Q6_K) put_scales(own[2 * part % 8], own[2 * part % 8 + 1], group, column);
      else put_scales(first[part], second[part], group, column);
      B numbers[8];
      if (format != CK_Q4_K) {
        UNROLL for (int i = 0; i < 8; i++) numbers[i] = numbers_of(format, row[i] + at, part);
        turn(numbers);
        put_fours(numbers, group, column);
      } else if (part % 2 == 0) {
        UNROLL for (int i = 0; i < 8; i++) numbers[i] = bytes_at(row[i] + at + 16 + part / 2 * 32);
        turn(numbers);
        B low[8], high[8];
        UNROLL for (int f = 0; f < 8; f++) low[f] = numbers[f] & 15, high[f] = numbers[f] >> 4;
        put_fours(low, group, column);
        put_fours(high, group + HALF_BYTES, column);
      }
    }
  }
}

/// The formats whose numbers are unsigned, and all where Q8_0 is multiplied as bytes.
#ifdef Q8_0_IN_BYTES
#define FOR_BYTE_FORMATS(WITH) WITH(Q8_0, q8_0) FOR_UNSIGNED_FORMATS(WITH)
#else
#define FOR_BYTE_FORMATS FOR_UNSIGNED_FORMATS
#endif
#define FOR_UNSIGNED_FORMATS(WITH)                                                                           \
  WITH(Q4_0, q4_0) WITH(Q4_1, q4_1) WITH(Q5_0, q5_0) WITH(Q5_1, q5_1) WITH(Q4_K, q4_k) WITH(Q5_K, q5_k) WITH(Q6_K, q6_k)

#define PACK_EIGHT(CODE, name)                                                                             \
  static void eight_##name(const uint8_t *const *row, size_t depth, size_t ahead, uint8_t *group, size_t column) { \
    pack_eight(CK_##CODE, CK_BYTES_##CODE, row, depth, ahead, group, column);                              \
  }
FOR_BYTE_FORMATS(PACK_EIGHT)
#undef PACK_EIGHT

static void pack_byte_panels(const struct ck_weight *w, size_t from, size_t to, size_t k, size_t depth, float *panels) {
  for (size_t c = from; c < to; c += 8) {
    const uint8_t *row[8];
    first_bytes(w, c, to, k, row);
    uint8_t *group = (uint8_t *)panels + (c - from) / 16 * (depth / 32 * HALF_BYTES);
    switch (w->format) {
#define EIGHT_CASE(CODE, name) case CK_##CODE: eight_##name(row, depth, 8 * w->row_bytes, group, (c - from) % 16); break;
      FOR_BYTE_FORMATS(EIGHT_CASE)
#undef EIGHT_CASE
    }
  }
}

/// Dots of fours from..<to with `vectors` vectors of columns; `often` of them fit 16 bits.
INLINE void byte_fours(const int rows, const int from, const int to, const int often, const int vectors,
                       const struct byte_line *x, size_t line, const uint8_t *w, I (*dots)[2]) {
  UNROLL for (int start = from; start < to; start += often) {
    sums_t sums[TILE_LINES][2];
    UNROLL for (int f = start; f < start + often; f++) {
      B columns[2];
      UNROLL for (int j = 0; j < vectors; j++) columns[j] = bytes_at(w + f * 64 + 32 * j);
      UNROLL for (int i = 0; i < rows; i++) {
        B four = __builtin_bit_cast(B, (I)x[i * line].fours[f]);
        UNROLL for (int j = 0; j < vectors; j++)
          sums[i][j] = f == start ? first_fours(columns[j], four) : more_fours(sums[i][j], columns[j], four);
        UNROLL for (int j = 0; j < vectors; j++) ADD_NOW(sums[i][j]);
      }
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
      dots[i][j] = start == from ? whole(sums[i][j]) : dots[i][j] + whole(sums[i][j]);
  }
}

/// One tile of sixteen columns over `groups` groups.
INLINE void byte_tile(const int rows, const int bits, const struct byte_line *x, size_t line, const uint8_t *w,
                      size_t groups, V (*to)[2]) {
  V sums[TILE_LINES][2];
  UNROLL for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = splat(0);
  // With sums in 16 bits: 8 · 2 · 15 · 127, 4 · 2 · 31 · 127, 2 · 2 · 63 · 127 are below 2¹⁵. Where sums leave 16 bits more often there are too
  // few registers for two vectors of columns at a time.
  const int often = FOURS_THAT_FIT(bits) < (bits == 6 ? 4 : 8) ? FOURS_THAT_FIT(bits) : bits == 6 ? 4 : 8;
  const int vectors = FOURS_THAT_FIT(bits) == 8 && bits != 6 ? 2 : 1;
  for (; groups; groups--, x++, w += HALF_BYTES)
    UNROLL for (int j = 0; j < 2; j += vectors) {
      I dots[TILE_LINES][2], later[TILE_LINES][2];
      byte_fours(rows, 0, bits == 6 ? 4 : 8, often, vectors, x, line, w + 32 * j, dots);
      if (bits == 6) byte_fours(rows, 4, 8, often, vectors, x, line, w + 32 * j, later);
      UNROLL for (int v = 0; v < vectors; v++) {
        V first = load((const float *)(w + 512) + 8 * (j + v)), second = load((const float *)(w + 576) + 8 * (j + v));
        UNROLL for (int i = 0; i < rows; i++) {
          const struct byte_line *at = x + i * line;
          V worth = splat(at->worth), *sum = &sums[i][j + v];
          if (bits == 6) {
            *sum = numbers(dots[i][v] + at->low) * worth * first + *sum;
            *sum = numbers(later[i][v] + at->high) * worth * second + *sum;
          } else if (bits == 8) {
            *sum = numbers(dots[i][v] + (at->low + at->high) * (SIGN_OFFSET / 32)) * worth * first + *sum;
          } else {
            *sum = numbers(dots[i][v]) * worth * first + *sum;
            *sum = second * splat(at->sum) + *sum;
          }
        }
      }
    }
  UNROLL for (int i = 0; i < rows; i++) to[i][0] = sums[i][0], to[i][1] = sums[i][1];
}

#define BYTE_TILES(bits)                                                                                            \
  static void tile_of_##bits(size_t rows, const float *x, size_t line, const uint8_t *w, size_t groups, V (*sums)[2]) { \
    const struct byte_line *lines = (const struct byte_line *)x;                                                    \
    switch (rows) {                                                                                                 \
    case 1: byte_tile(1, bits, lines, line, w, groups, sums); break;                                                \
    case 2: byte_tile(2, bits, lines, line, w, groups, sums); break;                                                \
    case 3: byte_tile(3, bits, lines, line, w, groups, sums); break;                                                \
    default: byte_tile(4, bits, lines, line, w, groups, sums);                                                      \
    }                                                                                                               \
  }
BYTE_TILES(4) BYTE_TILES(5) BYTE_TILES(6)
#ifdef Q8_0_IN_BYTES
BYTE_TILES(8)
#else
#define tile_of_8 NULL
#endif
#undef BYTE_TILES

static struct tile_kind byte_kind(int format) {
  int bits = bits_of(format);
  return (struct tile_kind){bits == 4 ? tile_of_4 : bits == 5 ? tile_of_5 : bits == 6 ? tile_of_6 : tile_of_8, HALF_BYTES,
                            sizeof(struct byte_line) / sizeof(float)};
}
static void multiply_byte_panels(int format, const float *x, size_t rows, const float *panels, size_t columns,
                                 size_t depth, float *y, size_t stride, bool add, const float *bias) {
  walk_tiles(byte_kind(format), x, depth / 32, rows, (const uint8_t *)panels, columns, depth / 32, y, stride, add, bias);
}
