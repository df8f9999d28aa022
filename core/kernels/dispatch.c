/* The choice of an instruction family, once, by cpuid: neither ifunc nor target_clones (both crash
 * at start under ThreadSanitizer). The compiler's own test asks the system too: AVX-512 counts only
 * when the kernel saves the wide registers (XCR0). */
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "core/kernels/families.h"
#include "core/kernels/kernels.h"

static bool has_v2(void)
{
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") &&
           __builtin_cpu_supports("popcnt");
}

static bool has_fma(void)
{
    return __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma");
}

/* MOVBE and F16C (leaf 1, ECX bits 22 and 29) and LZCNT (leaf 0x80000001, ECX bit 5): parts of
 * x86-64-v3 that not every compiler's test knows by name. */
static bool has_v3_rest(void)
{
    const unsigned leaf1_bits = 1u << 22 | 1u << 29;
    unsigned a, b, c1 = 0, c2 = 0, d;
    if (!__get_cpuid(1, &a, &b, &c1, &d) || !__get_cpuid(0x80000001u, &a, &b, &c2, &d))
        return false;
    return (c1 & leaf1_bits) == leaf1_bits && (c2 & 1u << 5) != 0;
}

static bool has_v3(void)
{
    return has_v2() && has_fma() && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has_v3_rest();
}

static bool has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

const struct ock_kernels *ock_kernels_get(const char *family)
{
    static const struct {
        const struct ock_kernels *kernels;
        bool (*runs)(void);
    } families[] = {
        {&ock_kernels_v4, has_v4}, /* the best first; the reference is only for who asks for it */
        {&ock_kernels_v3, has_v3},
        {&ock_kernels_v2, has_v2},
        {&ock_kernels_reference, has_fma},
    };
    __builtin_cpu_init();
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (family && strcmp(family, families[i].kernels->family) != 0)
            continue;
        if (families[i].runs())
            return families[i].kernels;
        if (family)
            return NULL;
    }
    return NULL;
}

/* MXCSR's bits 15 (flush to zero) and 6 (denormals are zero). */
void ock_kernels_thread_init(void)
{
    _mm_setcsr(_mm_getcsr() | 0x8040u);
}

const char *ock_kernels_numerics(const struct ock_kernels *kernels)
{
    return kernels->fused ? "1-fma" : "1-v2";
}
