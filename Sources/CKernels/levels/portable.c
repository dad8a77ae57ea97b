// Plain C in vectors of four: what every processor can do (SSE2 on x86-64, the base instructions on arm64).
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define DOT_OUTPUTS 3
#include "level.h"

LEVEL_TABLE(ck_portable, "portable")
