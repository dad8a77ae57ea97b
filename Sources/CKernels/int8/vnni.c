// Int8 dots by AVX-512 VNNI: stored blocks against x quantised to int8 in blocks of 32. vpdpbusd takes one side
// unsigned: that is the weights, 128 too large, and sums begin with what takes it off again.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c"))), \
                             apply_to = function)
#define LANES 16
#define NATIVE_HALF 1
#include "vnni.h"
#include "low_precision.h"
#include "vnni_dots.h"
#include "vnni_panels.h"
#include "vnni_several.h"
#include "vnni_wide.h"
#pragma clang attribute pop

const struct ck_low_precision_rows ck_vnni_rows = {FOR_LINE_FORMATS(CK_TAKES) 0, 4, line_floats, quantize_lines, multiply_lines};
const struct ck_low_precision_rows ck_vnni_rows_alike = {
    FOR_LINE_FORMATS(CK_TAKES) 0, 4, line_floats, quantize_lines, multiply_lines_alike};
const struct ck_low_precision_rows ck_vnni_several = {FOR_SEVERAL_FORMATS(CK_TAKES) 0, 16, run_floats, quantize_runs, multiply_several};
const struct ck_low_precision_rows ck_vnni_wide = {FOR_WIDE_FORMATS(CK_TAKES) 0, 16, wide_floats, quantize_wide, multiply_wide};
const struct ck_low_precision_panels ck_vnni_panels = {
    FOR_BYTE_FORMATS(CK_TAKES) 0, BYTE_ROWS, 64, byte_row_floats, byte_panel_floats, pack_byte_rows, pack_byte_panels, NULL, NULL, multiply_byte_panels};
#endif
