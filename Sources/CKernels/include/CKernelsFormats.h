// The storage formats: the one table of them in C. Part of CKernels.h. A test compares it with StorageFormat in Swift.
//
// A new format is a line here, a case of StorageFormat in Swift, and `block_NAME` in formats/blocks.h, which every level
// then computes in f32, and one of formats/quantize.c, quantize_k.c to write it; int8 kernels list what they take.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// `WITH(CODE, name, bytes)` for each format that stores numbers one by one.
#define CK_FOR_PLAIN_FORMATS(WITH) WITH(F32, f32, 4) WITH(F16, f16, 2) WITH(BF16, bf16, 2)
/// `WITH(CODE, name, bytes)` for each format in blocks of 32.
#define CK_FOR_BLOCKS_OF_32(WITH) \
  WITH(Q8_0, q8_0, 34) WITH(Q4_0, q4_0, 18) WITH(Q4_1, q4_1, 20) WITH(Q5_0, q5_0, 22) WITH(Q5_1, q5_1, 24)
/// `WITH(CODE, name, bytes)` for each format in blocks of 256, the K-quants.
#define CK_FOR_BLOCKS_OF_256(WITH) WITH(Q4_K, q4_k, 144) WITH(Q5_K, q5_k, 176) WITH(Q6_K, q6_k, 210)
#define CK_FOR_BLOCK_FORMATS(WITH) CK_FOR_BLOCKS_OF_32(WITH) CK_FOR_BLOCKS_OF_256(WITH)

/// How numbers are stored. The order says nothing.
enum ck_format {
#define CK_FORMAT(CODE, name, bytes) CK_##CODE,
  CK_FOR_PLAIN_FORMATS(CK_FORMAT) CK_FOR_BLOCK_FORMATS(CK_FORMAT)
#undef CK_FORMAT
};

/// CK_ELEMENTS_ and CK_BYTES_: the numbers in one block of each format and its bytes, as constants.
enum ck_block_sizes {
#define CK_FORMAT(CODE, name, bytes) CK_ELEMENTS_##CODE = 1, CK_BYTES_##CODE = bytes,
  CK_FOR_PLAIN_FORMATS(CK_FORMAT)
#undef CK_FORMAT
#define CK_FORMAT(CODE, name, bytes) CK_ELEMENTS_##CODE = 32, CK_BYTES_##CODE = bytes,
  CK_FOR_BLOCKS_OF_32(CK_FORMAT)
#undef CK_FORMAT
#define CK_FORMAT(CODE, name, bytes) CK_ELEMENTS_##CODE = 256, CK_BYTES_##CODE = bytes,
  CK_FOR_BLOCKS_OF_256(CK_FORMAT)
#undef CK_FORMAT
};

/// The numbers in one block of `format`, 1 where they stand alone; and its bytes.
static inline size_t ck_block_elements(int format) {
  switch (format) {
#define CK_FORMAT(CODE, name, bytes) case CK_##CODE: return CK_ELEMENTS_##CODE;
    CK_FOR_PLAIN_FORMATS(CK_FORMAT) CK_FOR_BLOCK_FORMATS(CK_FORMAT)
#undef CK_FORMAT
  default: return 1;
  }
}
static inline size_t ck_block_bytes(int format) {
  switch (format) {
#define CK_FORMAT(CODE, name, bytes) case CK_##CODE: return bytes;
    CK_FOR_PLAIN_FORMATS(CK_FORMAT) CK_FOR_BLOCK_FORMATS(CK_FORMAT)
#undef CK_FORMAT
  default: return 0;
  }
}
static inline bool ck_is_plain(int format) { return ck_block_elements(format) == 1; }
