// What the dots of a tile of rows and outputs are summed in.
#pragma once
#include "bytes.h"

/// The most rows of a tile, and the most outputs.
#define BESIDE 4
typedef float Four __attribute__((ext_vector_type(4)));
typedef _Float16 Halves __attribute__((ext_vector_type(4)));

/// Sums by lanes, and what the minima add.
struct lanes_sum { V products; Four minima; };
INLINE float sum_of_lanes(const struct lanes_sum *sum) {
  Four m = sum->minima;
  return total(sum->products) + ((m[0] + m[2]) + (m[1] + m[3]));
}
