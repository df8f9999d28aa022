/* Makes the n-th allocation fail: malloc, calloc and realloc of the test's whole process, its
 * libraries included. The sanitizers' own allocators stay behind, so that leaks are still found.
 * A program includes this in one file only.
 *
 *     for (long n = 0; ; n++) {
 *         alloc_fail_after(n);
 *         status = work();
 *         if (!alloc_fail_stop())
 *             break;          // no allocation was left to fail
 *         ck_assert_int_eq(status, OCK_NOMEM);
 *     } */
#ifndef OCK_TESTS_ALLOC_FAIL_H
#define OCK_TESTS_ALLOC_FAIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOC_ADDRESS 1
#elif __has_feature(thread_sanitizer)
#define ALLOC_THREAD 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ALLOC_ADDRESS 1
#elif defined(__SANITIZE_THREAD__)
#define ALLOC_THREAD 1
#endif

/* ThreadSanitizer's runtime dies of a malloc that is not its own; programs leave the tests of
 * allocations out there. */
#ifdef ALLOC_THREAD
enum { ALLOC_CAN_FAIL = 0 };
#else
enum { ALLOC_CAN_FAIL = 1 };
#endif

static long alloc_left = -1; /* allocations that still succeed; -1: all */
static bool alloc_failed;    /* one has failed; only that one does */

static inline void alloc_fail_after(long count)
{
    alloc_failed = false;
    alloc_left = count;
}

/* Ends it; true if an allocation has failed. */
static inline bool alloc_fail_stop(void)
{
    alloc_left = -1;
    return alloc_failed;
}

static inline bool alloc_fails_now(void)
{
    if (alloc_left < 0)
        return false;
    if (alloc_left-- > 0)
        return false;
    alloc_failed = true;
    errno = ENOMEM;
    return true;
}

#ifndef ALLOC_THREAD

#ifdef ALLOC_ADDRESS
void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *old, size_t size);
#define alloc_malloc  __interceptor_malloc
#define alloc_calloc  __interceptor_calloc
#define alloc_realloc __interceptor_realloc
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
#define alloc_malloc  __libc_malloc
#define alloc_calloc  __libc_calloc
#define alloc_realloc __libc_realloc
#endif

void *malloc(size_t size)
{
    return alloc_fails_now() ? NULL : alloc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return alloc_fails_now() ? NULL : alloc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return alloc_fails_now() ? NULL : alloc_realloc(old, size);
}

#endif

#endif
