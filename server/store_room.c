/* The file that keeps room for deletions on a full disk. SQLite's log has to grow even for a
 * deletion, so without it nobody could delete to make room. It is given away in slices: whoever else
 * writes to the disk takes what a deletion leaves of its slice, but not the rest. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "server/log.h"
#include "server/store_private.h"

enum {
    SLICE_BYTES =
        OCK_STORE_ROOM_BYTES / 8, /* the log of a deletion; a large job's takes some of them */
    PLENTY_BYTES = 8 << 20,       /* free beside it, else a job's checkpoint would lack it */
    RETRY_MS = 1000,
};

int64_t ock_store_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool has_plenty(int fd)
{
    struct statvfs disk;
    return fstatvfs(fd, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize >= OCK_STORE_ROOM_BYTES + PLENTY_BYTES;
}

void ock_store_keep_room(struct ock_store *store)
{
    if (store->room_bytes == OCK_STORE_ROOM_BYTES || ock_store_now_ms() < store->room_retry_ms)
        return;
    store->room_retry_ms = ock_store_now_ms() + RETRY_MS;
    int fd = open(store->room_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    /* One from an earlier run holds its blocks already. */
    int64_t kept = lseek(fd, 0, SEEK_END);
    if (kept < OCK_STORE_ROOM_BYTES && has_plenty(fd) &&
        posix_fallocate(fd, 0, OCK_STORE_ROOM_BYTES) == 0)
        kept = OCK_STORE_ROOM_BYTES;
    store->room_bytes =
        kept < OCK_STORE_ROOM_BYTES ? kept / SLICE_BYTES * SLICE_BYTES : OCK_STORE_ROOM_BYTES;
    (void)close(fd);
    if (store->room_bytes <= 0)
        (void)unlink(store->room_path);
}

static bool cut(const char *path, int64_t bytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = ftruncate(fd, bytes) == 0;
    (void)close(fd);
    return done;
}

bool ock_store_give_room(struct ock_store *store, int64_t reserve)
{
    if (store->room_bytes - SLICE_BYTES < reserve)
        return false;
    if (store->room_bytes == OCK_STORE_ROOM_BYTES)
        ock_log(OCK_LOG_WARNING, "the disk is full: deletions get the room that was kept for them");
    store->room_bytes -= SLICE_BYTES;
    return store->room_bytes > 0 ? cut(store->room_path, store->room_bytes)
                                 : unlink(store->room_path) == 0;
}
