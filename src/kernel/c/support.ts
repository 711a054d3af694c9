/**
 * The small C functions and macros that printed kernels use. Only those in use are emitted.
 *
 * C99 leaves two things to the compiler that every one we target (gcc, clang, armcc, IAR, MSVC)
 * does alike: `>>` of a negative value is arithmetic, and a conversion to a narrower signed type
 * keeps the low bits.
 */

const TEXTS = {
  UNROLLED: `
/* A loop of at most 8 iterations is to be written out. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define UNROLLED _Pragma("GCC unroll 8")
#else
#define UNROLLED
#endif`,
  min_s32: `
static inline int32_t min_s32(int32_t a, int32_t b) {
  return a < b ? a : b;
}`,
  max_s32: `
static inline int32_t max_s32(int32_t a, int32_t b) {
  return a > b ? a : b;
}`,
  clamp_s32: `
static inline int32_t clamp_s32(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : value > high ? high : value;
}`,
  min_s64: `
static inline int64_t min_s64(int64_t a, int64_t b) {
  return a < b ? a : b;
}`,
  max_s64: `
static inline int64_t max_s64(int64_t a, int64_t b) {
  return a > b ? a : b;
}`,
  mul_shift: `
/* a * b / 2^shift, rounded to nearest, ties upward. */
static inline int32_t mul_shift(int32_t a, int32_t b, int32_t shift) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << (shift - 1))) >> shift);
}`,
  mul_high: `
/* a * b / 2^32, rounded to nearest, ties upward: one instruction on cores that have it. */
static inline int32_t mul_high(int32_t a, int32_t b) {
#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
  int32_t high;
  __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
  return high;
#else
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}`,
  mul_high_add: `
/* sum + a * b / 2^32, rounded to nearest, ties upward: likewise. */
static inline int32_t mul_high_add(int32_t sum, int32_t a, int32_t b) {
#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
  int32_t high;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(a), "r"(b), "r"(sum));
  return high;
#else
  return sum + (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}`,
  mul_high_sub: `
/* sum - a * b / 2^32, rounded to nearest, ties upward: likewise. */
static inline int32_t mul_high_sub(int32_t sum, int32_t a, int32_t b) {
#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
  int32_t high;
  __asm__("smmlsr %0, %1, %2, %3" : "=r"(high) : "r"(a), "r"(b), "r"(sum));
  return high;
#else
  return sum + (int32_t)((((int64_t)1 << 31) - (int64_t)a * b) >> 32);
#endif
}`,
  load_pair_s32: `
/* Neighbours at + i, at + i + 1: one instruction on cores that have it. */
static INLINED void load_pair_s32(const int32_t *at, int32_t i, int32_t *a, int32_t *b) {
#if defined(__GNUC__) && defined(__thumb2__)
  typedef int64_t pair __attribute__((may_alias, aligned(4)));
  __asm__("ldrd %0, %1, %2" : "=r"(*a), "=r"(*b) : "Uv"(*(const pair *)(at + i)));
#else
  *a = at[i];
  *b = at[i + 1];
#endif
}`,
  load_pair_s16: `
/* Neighbours at + i, at + i + 1: one instruction on cores that multiply the halves of a word. */
static INLINED void load_pair_s16(const int16_t *at, int32_t i, int32_t *a, int32_t *b) {
#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && \\
    defined(__ARM_FEATURE_UNALIGNED) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  int32_t both;
  __asm__("ldr %0, %1" : "=r"(both) : "m"(at[i]), "m"(at[i + 1]));
  *a = (int16_t)both;
  *b = both >> 16;
#else
  *a = at[i];
  *b = at[i + 1];
#endif
}`,
  store_pair_s32: `
/* Likewise; volatile, so that nothing waits in registers for stores that come later. */
static INLINED void store_pair_s32(int32_t *at, int32_t i, int32_t a, int32_t b) {
#if defined(__GNUC__) && defined(__thumb2__)
  typedef int64_t pair __attribute__((may_alias, aligned(4)));
  __asm__ volatile("strd %1, %2, %0" : "=Uv"(*(pair *)(at + i)) : "r"(a), "r"(b));
#else
  at[i] = a;
  at[i + 1] = b;
#endif
}`,
  s4: `
/* Element i of packed 4-bit values, low nibble first. */
static inline int32_t s4(const uint8_t *packed, int32_t i) {
  int32_t nibble = (packed[i >> 1] >> ((i & 1) * 4)) & 15;
  return (nibble ^ 8) - 8;
}`,
  clz_s32: `
/* Leading zero bits; 32 for 0. */
static inline int32_t clz_s32(int32_t value) {
  uint32_t bits = (uint32_t)value;
  int32_t zeros = 0;
  if (bits == 0) return 32;
#if defined(__GNUC__) && defined(__ARM_FEATURE_CLZ)
  if (sizeof(int) == 4) return __builtin_clz(bits);
#endif
  for (int32_t step = 16; step > 0; step /= 2) {
    if ((bits >> (32 - step)) == 0) {
      bits <<= step;
      zeros += step;
    }
  }
  return zeros;
}`,
  clz_s64: `
/* Leading zero bits; 64 for 0. */
static inline int32_t clz_s64(int64_t value) {
  uint64_t bits = (uint64_t)value;
  int32_t zeros = 0;
  if (bits == 0) return 64;
#if defined(__GNUC__) && defined(__ARM_FEATURE_CLZ)
  if (sizeof(long long) == 8) return __builtin_clzll(bits);
#endif
  for (int32_t step = 32; step > 0; step /= 2) {
    if ((bits >> (64 - step)) == 0) {
      bits <<= step;
      zeros += step;
    }
  }
  return zeros;
}`,
  shl_s32: `
static inline int32_t shl_s32(int32_t a, int32_t by) {
  return (int32_t)((uint32_t)a << by);
}`,
  shl_s64: `
static inline int64_t shl_s64(int64_t a, int32_t by) {
  return (int64_t)((uint64_t)a << by);
}`,
  shr_u32: `
static inline int32_t shr_u32(int32_t a, int32_t by) {
  return (int32_t)((uint32_t)a >> by);
}`,
  add_wrap: `
static inline int32_t add_wrap(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}`,
  mul_wrap: `
static inline int32_t mul_wrap(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a * (uint32_t)b);
}`,
} as const;

export type SupportName = keyof typeof TEXTS;

export const SUPPORT_NAMES: readonly SupportName[] = Object.keys(TEXTS) as SupportName[];

/** How functions are declared that cost less than their calls; -Os would call them. */
const INLINED = `
/* A function that is never called. */
#if defined(__GNUC__)
#define INLINED inline __attribute__((always_inline))
#else
#define INLINED inline
#endif`;

/** The definitions of the named functions, in a fixed order, each followed by an empty line. */
export function printSupport(names: Iterable<SupportName>): string {
  const wanted = new Set(names);
  const texts = SUPPORT_NAMES.filter((name) => wanted.has(name)).map((name): string => TEXTS[name]);
  const needed = texts.some((text) => text.includes("INLINED")) ? [INLINED, ...texts] : texts;
  return needed.map((text) => `${text.trimStart()}\n\n`).join("");
}
