// AVX2 with FMA and F16C: 16 registers of eight floats, so a tile of 6 × 16. With the int8 dots of AVX-VNNI it is a further level.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define LANES 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define DOT_OUTPUTS 3
#define NATIVE_HALF 1
#include "level.h"
#pragma clang attribute pop

LEVEL_TABLE(ck_avx2, "avx2", AVX2_INT8)
LEVEL_TABLE(ck_avx2_vnni, "avx2-vnni", .int8_rows = &ck_avx_vnni_blocks, .int8_wide = &ck_avx_vnni_stretches,
            .int8_several = &ck_avx_vnni_stretches, .int8_panels = &ck_avx_vnni_panels)
#endif
