/* The one writer of dataset files. The blocks are written through a shared mapping of a file whose
 * space was taken before, so that a full disk is an error here and never a signal there; or appended
 * by plain writes, which cost less than a mapping's page faults. */
#include "core/data/builder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/limits.h"

enum { EARLY_BYTES = 8 << 20 };

static uint64_t bytes_of(const struct ock_build_block *block, size_t rows)
{
    if (block->storage == OCK_STORE_CSR)
        return ock_csr_layout_of(rows, block->terms).bytes;
    return rows * block->width * ock_storage_bytes(block->storage);
}

static enum ock_status refuse_bytes(size_t bytes, struct ock_err *err)
{
    return ock_fail(err, OCK_LIMIT, "the dataset would take %zu bytes, the limit is %zu", bytes,
                    OCK_DATASET_BYTES_MAX);
}

static enum ock_status lay_out(struct ock_builder *builder, const struct ock_build_block *blocks,
                               struct ock_err *err)
{
    /* rows < 2^32, width <= 2^20 and 8 bytes an element: no sum here can overflow. */
    size_t at = OCK_FILE_HEADER_BYTES;
    for (size_t i = 0; i < builder->block_count; i++) {
        builder->blocks[i] = (struct ock_file_block){
            .storage = (uint32_t)blocks[i].storage, .width = blocks[i].width, .at = at};
        at = ock_file_aligned(at + bytes_of(&blocks[i], builder->rows));
    }
    if (at > OCK_DATASET_BYTES_MAX)
        return refuse_bytes(at, err);
    builder->map_bytes = at;
    return OCK_OK;
}

static enum ock_status map_file(struct ock_builder *builder, struct ock_err *err)
{
    builder->fd = open(builder->file.tmp_path, O_RDWR | O_CLOEXEC);
    if (builder->fd < 0)
        return ock_fail_errno(err, errno, "cannot open the new dataset");
    int failed = posix_fallocate(builder->fd, 0, (off_t)builder->map_bytes);
    if (failed)
        return ock_fail_errno(err, failed, "cannot take %zu bytes for the dataset",
                              builder->map_bytes);
    void *map = mmap(NULL, builder->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, builder->fd, 0);
    if (map == MAP_FAILED)
        return ock_fail_errno(err, errno, "cannot map the new dataset");
    builder->map = map;
    return OCK_OK;
}

enum ock_status ock_builder_open(struct ock_builder *builder, const char *path, size_t rows,
                                 struct ock_build_block *blocks, size_t block_count,
                                 struct ock_err *err)
{
    struct ock_builder made = {.file.fd = -1, .fd = -1, .rows = rows, .block_count = block_count};
    enum ock_status status = lay_out(&made, blocks, err);
    if (status != OCK_OK)
        return status;
    status = ock_newfile_open(&made.file, path, err);
    if (status != OCK_OK)
        return status;
    status = map_file(&made, err);
    if (status != OCK_OK) {
        ock_builder_discard(&made);
        return status;
    }
    for (size_t i = 0; i < block_count; i++)
        blocks[i].data = made.map + made.blocks[i].at;
    made.end = made.map_bytes;
    *builder = made;
    return OCK_OK;
}

static enum ock_status write_at(int fd, const void *bytes, size_t size, size_t at,
                                struct ock_err *err)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t written = pwrite(fd, next, size, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ock_fail_errno(err, errno, "cannot write the dataset");
        next += written;
        at += (size_t)written;
        size -= (size_t)written;
    }
    return OCK_OK;
}

enum ock_status ock_builder_write_header(struct ock_builder *builder,
                                         const struct ock_file_header *header, struct ock_err *err)
{
    if (!builder->map)
        return write_at(builder->file.fd, header, sizeof(*header), 0, err);
    memcpy(builder->map, header, sizeof(*header));
    return OCK_OK;
}

enum ock_status ock_builder_start(struct ock_builder *builder, const char *path,
                                  struct ock_err *err)
{
    struct ock_builder made = {.file.fd = -1, .fd = -1, .end = OCK_FILE_HEADER_BYTES};
    enum ock_status status = ock_newfile_open(&made.file, path, err);
    if (status != OCK_OK)
        return status;
    ock_sha256_init(&made.sha);
    *builder = made;
    return OCK_OK;
}

/* The disk begins to write what comes, so that the sync at the end finds most of it done. */
static void write_early(struct ock_builder *builder)
{
    if (builder->end - builder->synced < EARLY_BYTES || builder->file.quick)
        return;
    (void)sync_file_range(builder->file.fd, (off_t)builder->synced,
                          (off_t)(builder->end - builder->synced), SYNC_FILE_RANGE_WRITE);
    builder->synced = builder->end;
}

enum ock_status ock_builder_append(struct ock_builder *builder, const void *bytes, size_t size,
                                   struct ock_err *err)
{
    if (size > OCK_DATASET_BYTES_MAX - builder->end)
        return refuse_bytes(builder->end + size, err);
    enum ock_status status = write_at(builder->file.fd, bytes, size, builder->end, err);
    if (status != OCK_OK)
        return status;
    ock_sha256_add(&builder->sha, bytes, size);
    builder->end += size;
    write_early(builder);
    return OCK_OK;
}

/* Zeros up to where the next part begins. */
static enum ock_status align(struct ock_builder *builder, struct ock_err *err)
{
    static const char zeros[OCK_FILE_ALIGNMENT];
    size_t gap = ock_file_aligned(builder->end) - builder->end;
    return ock_builder_append(builder, zeros, gap, err);
}

enum ock_status ock_builder_begin_block(struct ock_builder *builder, enum ock_storage storage,
                                        size_t width, struct ock_err *err)
{
    assert(builder->block_count < OCK_FILE_BLOCKS_MAX);
    enum ock_status status = align(builder, err);
    builder->blocks[builder->block_count++] =
        (struct ock_file_block){.storage = (uint32_t)storage, .width = width, .at = builder->end};
    return status;
}

enum ock_status ock_builder_end_blocks(struct ock_builder *builder, size_t rows,
                                       struct ock_err *err)
{
    builder->rows = rows;
    return align(builder, err);
}

void ock_builder_discard(struct ock_builder *builder)
{
    if (builder->map)
        (void)munmap(builder->map, builder->map_bytes);
    builder->map = NULL;
    if (builder->fd >= 0)
        (void)close(builder->fd);
    builder->fd = -1;
    ock_newfile_discard(&builder->file);
}
