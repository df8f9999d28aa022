/* Room on the disk that holds the data directory. */
#ifndef OCK_SERVER_DISK_H
#define OCK_SERVER_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct ock_disk {
    uint64_t free_bytes; /* for us: what is reserved for root is not counted */
    uint64_t total_bytes;
};

/* false: it cannot be found out. */
bool ock_disk_look(struct ock_disk *out, const char *dir);

/* Below this, jobs are set aside before their checkpoints meet the wall: 64 MiB, on a small disk a
 * sixteenth of it. */
uint64_t ock_disk_low_bytes(const struct ock_disk *disk);

/* was_low: the answer before this one. Low ends at twice the bound, so that a job that was set aside
 * is not started into the same wall again and again. Worked by hand in tests/unit/test_disk.c. */
bool ock_disk_is_low(const struct ock_disk *disk, bool was_low);

#endif
