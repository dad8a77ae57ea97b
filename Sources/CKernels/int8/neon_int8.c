// Int8 dots by arm64's sdot, of two vectors of four at a time.
#if defined(__aarch64__)
#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#define LANES 8
#define NATIVE_HALF 1
#include "byte_panels.h"
#include "byte_dots.h"
#pragma clang attribute pop

const struct ck_low_precision_rows ck_neon_blocks = {FOR_BLOCKS_OF_32(CK_TAKES) 0, 4, four_blocks_floats, quantize_four_blocks, multiply_stored};
const struct ck_low_precision_rows ck_neon_stretches = {FOR_BLOCKS_OF_256(CK_TAKES) 0, 4, stretch_floats, quantize_stretches, multiply_stored};
const struct ck_low_precision_panels ck_neon_panels = {
    FOR_BYTE_FORMATS(CK_TAKES) 0, TILE_LINES, 32, byte_line_floats, byte_panel_floats, pack_byte_lines, pack_byte_panels,
    NULL, NULL, multiply_byte_panels};
#endif
