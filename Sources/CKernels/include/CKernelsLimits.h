// What the machine itself gives, measured by loops that do nothing else: the ceiling that matrix multiplications are compared with.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

struct ck_kernels;

/// Kinds of multiply-add. The order is that of `MachineLimits.Arithmetic` in Swift.
enum ck_peak_kind { CK_PEAK_F32, CK_PEAK_BF16, CK_PEAK_INT8 };

/// Runs `turns` turns of multiply-adds whose numbers never leave the registers, in the widest form that the level's
/// kind of processor has; the operations of one turn (a multiplication and an addition are two). 0, having run nothing,
/// where this processor has no such instruction.
size_t ck_peak(const struct ck_kernels *kernels, enum ck_peak_kind arithmetic, size_t turns);

/// Reads `count` bytes from the 64-byte boundary `bytes`, whole lines of 64, in `streams` (1 or 4) equal parts side by
/// side. The answer depends on every line, so that none can be skipped.
uint64_t ck_read(const struct ck_kernels *kernels, const void *bytes, size_t count, int streams);

/// `bytes` of memory that begin at a page, on huge pages where the system gives them; NULL when there is none.
void *_Nullable ck_pages(size_t bytes);
void ck_release_pages(void *pages, size_t bytes);
/// A file of `bytes` zeros that has no name and is nowhere but in memory; −1 where the system has none.
int ck_file_of_pages(size_t bytes);

/// Gives the system whole pages that `free` kept for this process. Only glibc's can be asked.
void ck_return_freed_pages(void);

#pragma clang assume_nonnull end
