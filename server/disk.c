/* What statvfs says, and what follows from it. */
#include "server/disk.h"

#include <sys/statvfs.h>

static const uint64_t low_bytes_max = (uint64_t)64 << 20;

bool ock_disk_look(struct ock_disk *out, const char *dir)
{
    struct statvfs disk;
    if (statvfs(dir, &disk) != 0)
        return false;
    *out = (struct ock_disk){.free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize,
                             .total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize};
    return true;
}

uint64_t ock_disk_low_bytes(const struct ock_disk *disk)
{
    uint64_t share = disk->total_bytes / 16;
    return share < low_bytes_max ? share : low_bytes_max;
}

bool ock_disk_is_low(const struct ock_disk *disk, bool was_low)
{
    uint64_t low = ock_disk_low_bytes(disk);
    return disk->free_bytes < (was_low ? 2 * low : low);
}
