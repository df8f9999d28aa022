/* Zeroed arrays, the large ones mapped from files that are gone once they are unmapped. The file's space
 * is taken before, so that a full disk is an error and never a signal. */
#include "core/base/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/file.h"

static enum ock_status map_file(struct ock_room *room, int fd, size_t bytes, struct ock_err *err)
{
    int failed = posix_fallocate(fd, 0, (off_t)bytes);
    if (failed)
        return ock_fail_errno(err, failed, "cannot take %zu bytes on the disk", bytes);
    void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
        return ock_fail_errno(err, errno, "cannot map %zu bytes", bytes);
    *room = (struct ock_room){.data = data, .bytes = bytes, .mapped = true};
    return OCK_OK;
}

enum ock_status ock_room_take(struct ock_room *room, size_t count, size_t size, const char *path,
                              struct ock_err *err)
{
    int fd = -1;
    size_t bytes = count * size;
    bool large = bytes > OCK_ROOM_BYTES && path;
    if (large && ock_scratch_open(&fd, path, NULL) == OCK_OK) {
        enum ock_status status = map_file(room, fd, bytes, err);
        (void)close(fd); /* the mapping keeps the file */
        return status;
    }
    void *data = calloc(count > 0 ? count : 1, size);
    if (!data)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu bytes", bytes);
    *room = (struct ock_room){.data = data, .bytes = bytes};
    return OCK_OK;
}

enum ock_status ock_room_grow(struct ock_room *room, size_t bytes, const char *path,
                              struct ock_err *err)
{
    struct ock_room larger;
    size_t doubled = 2 * room->bytes;
    if (bytes <= room->bytes)
        return OCK_OK;
    enum ock_status status =
        ock_room_take(&larger, doubled > bytes ? doubled : bytes, 1, path, err);
    if (status != OCK_OK)
        return status;
    if (room->bytes > 0)
        memcpy(larger.data, room->data, room->bytes);
    ock_room_free(room);
    *room = larger;
    return OCK_OK;
}

void ock_room_free(struct ock_room *room)
{
    if (room->mapped)
        (void)munmap(room->data, room->bytes);
    else
        free(room->data);
    *room = (struct ock_room){.data = NULL};
}
