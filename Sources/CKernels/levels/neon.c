// arm64: 32 registers of four floats, so a tile of 6 × 16; halves are widened by the processor. With the
// int8 dots of later processors it is a further level.
#if defined(__aarch64__)
#define LANES 4
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define DOT_OUTPUTS 4
#define NATIVE_HALF 1
#include "level.h"

LEVEL_TABLE(ck_neon, "neon")
LEVEL_TABLE(ck_neon_dot, "neon-dot", .int8_rows = &ck_neon_blocks, .int8_wide = &ck_neon_stretches,
            .int8_several = &ck_neon_stretches, .int8_panels = &ck_neon_panels)
#endif
