// Loops that do one thing only: multiply-adds in registers, and reading memory. Twelve or more sums at once, because
// each must wait four cycles for its last addition and two can begin in each cycle.
#include "CKernelsLimits.h"
#include "kernels.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define UNROLL _Pragma("clang loop unroll(full)")

/// name(turns): `chains` sums, each turn sum = STEP(sum, a, b). The empty assembly keeps the compiler from knowing a
/// and b, and from dropping the sums; `where` is the kind of register.
#define PEAK(name, attributes, type, chains, where, STEP)                        \
  attributes static void name(size_t turns) {                                    \
    type sums[chains], a, b;                                                     \
    memset(sums, 0, sizeof sums);                                                \
    memset(&a, 0, sizeof a);                                                     \
    memset(&b, 0, sizeof b);                                                     \
    for (; turns; turns--) {                                                     \
      __asm__ volatile("" : "+" where(a), "+" where(b));                         \
      UNROLL for (int i = 0; i < chains; i++) sums[i] = STEP(sums[i], a, b);     \
    }                                                                            \
    UNROLL for (int i = 0; i < chains; i++) __asm__ volatile("" ::where(sums[i])); \
  }

typedef uint64_t LINE __attribute__((ext_vector_type(8)));

/// name(bytes, count, streams): all lines or-ed into one.
#define READ(name, attributes)                                                                       \
  attributes static uint64_t name(const uint8_t *bytes, size_t count, int streams) {                 \
    LINE all[4] = {0, 0, 0, 0};                                                                      \
    size_t part = count / 4 / 64 * 64, step = streams == 4 ? part : 64, i = 0;                       \
    size_t end = streams == 4 ? part : count / 256 * 256, turn = streams == 4 ? 64 : 256;            \
    for (; i < end; i += turn) {                                                                     \
      UNROLL for (int s = 0; s < 4; s++) {                                                           \
        LINE line;                                                                                   \
        memcpy(&line, bytes + i + s * step, sizeof line);                                            \
        all[s] |= line;                                                                              \
      }                                                                                              \
    }                                                                                                \
    all[0] |= all[1] | all[2] | all[3];                                                              \
    return all[0][0] | all[0][1] | all[0][2] | all[0][3] | all[0][4] | all[0][5] | all[0][6] | all[0][7]; \
  }

typedef float F4 __attribute__((ext_vector_type(4)));
#define MULTIPLY_ADD(sum, a, b) ((sum) * (a) + (b))
READ(read_plainly, )

#if defined(__x86_64__)
#define ON(features) __attribute__((target(features)))
PEAK(peak_f32_sse, , F4, 12, "x", MULTIPLY_ADD)
PEAK(peak_f32_avx2, ON("avx2,fma"), __m256, 12, "x", _mm256_fmadd_ps)
PEAK(peak_int8_avx2, ON("avx2,avxvnni"), __m256i, 12, "x", _mm256_dpbusd_avx_epi32)
/// Without VNNI: sums of two products, kept in 16 bits.
#define MADDUBS_STEP(sum, a, b) _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b))
PEAK(peak_int8_maddubs, ON("avx2"), __m256i, 12, "x", MADDUBS_STEP)
PEAK(peak_f32_avx512, ON("avx512f"), __m512, 24, "v", _mm512_fmadd_ps)
#define BF16_STEP(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))
PEAK(peak_bf16_avx512, ON("avx512f,avx512bw,avx512bf16"), __m512, 24, "v", BF16_STEP)
PEAK(peak_int8_avx512, ON("avx512f,avx512bw,avx512vnni"), __m512i, 24, "v", _mm512_dpbusd_epi32)
READ(read_avx2, ON("avx2"))
READ(read_avx512, ON("avx512f"))
#undef ON
#elif defined(__aarch64__)
PEAK(peak_f32_neon, , F4, 24, "w", MULTIPLY_ADD)
#define SDOT_STEP(sum, a, b) vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b))
PEAK(peak_int8_sdot, __attribute__((target("dotprod"))), int32x4_t, 24, "w", SDOT_STEP)
#endif

static bool begins(const struct ck_kernels *kernels, const char *name) {
  return strncmp(kernels->name, name, strlen(name)) == 0;
}

size_t ck_peak(const struct ck_kernels *kernels, enum ck_peak_kind arithmetic, size_t turns) {
#define RUN(name, chains, operations) return name(turns), (size_t)(chains) * (operations)
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool wide = begins(kernels, "avx512");
  switch (arithmetic) {
  case CK_PEAK_F32:
    if (wide) RUN(peak_f32_avx512, 24, 32);
    if (begins(kernels, "avx2")) RUN(peak_f32_avx2, 12, 16);
    RUN(peak_f32_sse, 12, 8);
  case CK_PEAK_BF16:
    if (wide && __builtin_cpu_supports("avx512bf16")) RUN(peak_bf16_avx512, 24, 64);
    return 0;
  case CK_PEAK_INT8:
    if (begins(kernels, "avx512-")) RUN(peak_int8_avx512, 24, 128);
    if (begins(kernels, "avx2-vnni")) RUN(peak_int8_avx2, 12, 64);
    if (wide || begins(kernels, "avx2")) RUN(peak_int8_maddubs, 12, 64);
    return 0;
  }
#elif defined(__aarch64__)
  if (arithmetic == CK_PEAK_F32) RUN(peak_f32_neon, 24, 8);
  if (arithmetic == CK_PEAK_INT8 && begins(kernels, "neon-dot")) RUN(peak_int8_sdot, 24, 32);
#endif
  return 0;
#undef RUN
}

uint64_t ck_read(const struct ck_kernels *kernels, const void *bytes, size_t count, int streams) {
#if defined(__x86_64__)
  if (begins(kernels, "avx512")) return read_avx512(bytes, count, streams);
  if (begins(kernels, "avx2")) return read_avx2(bytes, count, streams);
#endif
  return read_plainly(bytes, count, streams);
}
