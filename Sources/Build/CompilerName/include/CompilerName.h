#ifndef COMPILER_NAME_H
#define COMPILER_NAME_H

/// The version of the compiler that this is compiled by, with its commit: it tells the toolchain exactly.
static inline const char *_Nonnull compiler_name(void) { return __clang_version__; }

#endif
