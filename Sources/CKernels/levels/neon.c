// arm64: 32 registers of four floats, so a tile of 6 × 16; halves are widened by the processor.
#if defined(__aarch64__)
#define LANES 4
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define DOT_ROWS 4
#define NATIVE_HALF 1
#include "level.h"

LEVEL_TABLE(ck_neon, "neon")
#endif
