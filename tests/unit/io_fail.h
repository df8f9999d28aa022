/* Makes the n-th I/O call on a test's own directory fail, SQLite's calls included: with ENOSPC, EIO,
 * or as a short write (which is no error, but has to be gone on with). A program includes this in
 * one file only.
 *
 *     for (long n = 0; ; n++) {
 *         io_fail_after(n, IO_ENOSPC, false, directory);
 *         work();
 *         if (!io_fail_stop())
 *             break;          // no call was left to fail
 *         …                   // what was answered OK is there
 *     } */
#ifndef OCK_TESTS_IO_FAIL_H
#define OCK_TESTS_IO_FAIL_H

#include <stdatomic.h>

#include "tests/shim/io_calls.h"

/* CUT: half a write, then ENOSPC at the next, as a disk does that becomes full. */
enum io_fault { IO_ENOSPC, IO_EIO, IO_SHORT, IO_CUT, IO_FAULT_COUNT };

static char io_directory[PATH_MAX]; /* set while nothing is armed */
static enum io_fault io_fault;
static bool io_for_good;    /* all later ones fail too */
static long io_first;       /* the number of the first call that fails */
static atomic_long io_seen; /* calls so far */
static atomic_bool io_armed, io_failed;

static inline void io_fail_after(long count, enum io_fault fault, bool for_good,
                                 const char *directory)
{
    (void)snprintf(io_directory, sizeof(io_directory), "%s", directory);
    io_fault = fault;
    io_for_good = for_good;
    atomic_store(&io_failed, false);
    io_first = count;
    atomic_store(&io_seen, 0);
    atomic_store(&io_armed, true);
}

/* Whether one has failed since. */
static inline bool io_has_failed(void)
{
    return atomic_load(&io_failed);
}

/* Ends it; true if a call has failed. */
static inline bool io_fail_stop(void)
{
    atomic_store(&io_armed, false);
    return io_has_failed();
}

/* A full disk refuses what takes room; a broken one refuses anything. */
static inline bool io_concerns(const struct io_call *call)
{
    char path[PATH_MAX];
    if (io_fault == IO_ENOSPC && !io_takes_room(call))
        return false;
    if ((io_fault == IO_SHORT || io_fault == IO_CUT) && call->kind != IO_WRITE)
        return false;
    io_path(call, path);
    return strncmp(path, io_directory, strlen(io_directory)) == 0;
}

static int io_before(const struct io_call *call, size_t *size)
{
    if (!atomic_load(&io_armed) || !io_concerns(call))
        return 0;
    long number = atomic_fetch_add(&io_seen, 1) - io_first;
    long last = io_for_good ? LONG_MAX : io_fault == IO_CUT ? 1 : 0;
    if (number < 0 || number > last)
        return 0;
    atomic_store(&io_failed, true);
    if (io_fault == IO_SHORT || (io_fault == IO_CUT && number == 0)) {
        *size = *size > 1 ? *size / 2 : *size;
        return 0;
    }
    return io_fault == IO_EIO ? EIO : ENOSPC;
}

static void io_after(const struct io_call *call)
{
    (void)call;
}

#endif
