// AVX-512: 32 registers of sixteen floats, so a tile of 14 × 32 (28 sums, 2 columns, 1 row value).
// With the int8 dots of VNNI and the bf16 dots of later processors it is a further level each.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), \
                             apply_to = function)
#define LANES 16
#define TILE_ROWS 14
#define TILE_VECTORS 2
#define DOT_OUTPUTS 4
#define NATIVE_HALF 1
#include "lanes.h"

#define HAS_LOOKUP 1
/// table[index mod 16] in each lane.
INLINE V lookup(V table, I index) {
  __m512i places = __builtin_bit_cast(__m512i, index);
  return __builtin_bit_cast(V, _mm512_permutexvar_ps(places, __builtin_bit_cast(__m512, table)));
}
#include "level.h"
#pragma clang attribute pop

LEVEL_TABLE(ck_avx512, "avx512", AVX2_INT8)
#define INT8                                                                                                   \
  .int8_rows = &ck_vnni_rows, .int8_wide = &ck_vnni_wide, .int8_several = &ck_vnni_several, .int8_panels = &ck_vnni_panels, \
  .int8_rows_alike = &ck_vnni_rows_alike
LEVEL_TABLE(ck_avx512_vnni, "avx512-vnni", INT8)
LEVEL_TABLE(ck_avx512_bf16, "avx512-bf16", INT8, .bf16_rows = &ck_bf16_rows, .bf16_several = &ck_bf16_several,
            .bf16_panels = &ck_bf16_panels)
#endif
