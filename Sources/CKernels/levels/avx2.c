// AVX2 with FMA and F16C: 16 registers of eight floats, so a tile of 6 × 16.
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
#define DOT_ROWS 2
#define NATIVE_HALF 1
#include "level.h"
#pragma clang attribute pop

LEVEL_TABLE(ck_avx2, "avx2")
#endif
