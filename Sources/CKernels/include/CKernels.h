// The door between Swift and the kernels written in C. Pointers, counts and sums only.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// How numbers are stored. The order is that of `StorageFormat` in Swift.
enum ck_format {
  CK_F32, CK_F16, CK_BF16, CK_Q8_0, CK_Q4_0, CK_Q4_1, CK_Q5_0, CK_Q5_1, CK_Q4_K, CK_Q5_K, CK_Q6_K, CK_FORMATS
};

/// Widens `count` stored numbers (whole blocks) to f32.
void ck_widen(int format, const void *bytes, size_t count, float *y);
