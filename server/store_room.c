/* The file that keeps room for deletions on a full disk. SQLite's log has to grow even for a
 * deletion, so without it nobody could delete to make room. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "server/log.h"
#include "server/store_private.h"

enum {
    ROOM_BYTES = 2 << 20,   /* the log of a large job's deletion */
    PLENTY_BYTES = 8 << 20, /* free beside it, else a job's checkpoint would lack it */
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
           (uint64_t)disk.f_bavail * disk.f_frsize >= ROOM_BYTES + PLENTY_BYTES;
}

void ock_store_keep_room(struct ock_store *store)
{
    if (store->has_room || ock_store_now_ms() < store->room_retry_ms)
        return;
    store->room_retry_ms = ock_store_now_ms() + RETRY_MS;
    int fd = open(store->room_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    /* One from an earlier run holds its blocks already. */
    store->has_room = lseek(fd, 0, SEEK_END) >= ROOM_BYTES ||
                      (has_plenty(fd) && posix_fallocate(fd, 0, ROOM_BYTES) == 0);
    (void)close(fd);
    if (!store->has_room)
        (void)unlink(store->room_path);
}

bool ock_store_give_room(struct ock_store *store)
{
    if (!store->has_room)
        return false;
    store->has_room = false;
    ock_log(OCK_LOG_WARNING, "the disk is full: deletions get the room that was kept for them");
    return unlink(store->room_path) == 0;
}
