// Int8 dots by AVX2: maddubs of unsigned weights with x quantised to int8 in blocks of 32, the same blocks and roundings as
// with VNNI. Sums of 16 bits saturate, so how many products meet in one is counted.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define LANES 8
#define NATIVE_HALF 1
#include "byte_panels.h"
#include "byte_dots.h"
#include "word_panels.h"
#include "word_rows.h"
#pragma clang attribute pop

// Of Q8_0 few rows are multiplied in bytes, and more in words, which are widened once for eight.
const struct ck_low_precision_rows ck_avx2_q8_0_rows = {1u << CK_Q8_0, 4, four_blocks_floats, quantize_four_blocks, multiply_stored};
const struct ck_low_precision_rows ck_avx2_words = {1u << CK_Q8_0, 16, word_piece_floats, round_word_pieces, multiply_words};
const struct ck_low_precision_rows ck_avx2_blocks = {FOR_UNSIGNED_OF_32(CK_TAKES) 0, 4, four_blocks_floats, quantize_four_blocks, multiply_stored};
const struct ck_low_precision_rows ck_avx2_stretches = {FOR_BLOCKS_OF_256(CK_TAKES) 0, 4, stretch_floats, quantize_stretches, multiply_stored};
const struct ck_low_precision_panels ck_avx2_panels = {
    FOR_BYTE_FORMATS(CK_TAKES) 0, TILE_LINES, 32, byte_line_floats, byte_panel_floats, pack_byte_lines, pack_byte_panels,
    NULL, NULL, multiply_byte_panels};
const struct ck_low_precision_panels ck_avx2_q8_0_panels = {
    1u << CK_Q8_0, TILE_LINES, 32, word_line_floats, word_panel_floats, pack_word_lines, pack_word_panels, NULL, NULL,
    multiply_word_panels};
#endif
