/* Bytes from a file, through zlib or libzstd where they are packed. Two passes over the same bytes is
 * what the importers need, so the descriptor stays open: a file replaced meanwhile does not matter. */
#include "core/data/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/base/file.h"
#include "core/base/limits.h"

enum {
    PACKED_BYTES = 1 << 16,
    WINDOW_LOG_MAX = 24, /* of zstd: 16 MiB of memory, and twice where labels are read beside x */
    FRAME_MAGIC_BYTES = 4,
};

enum packing { PLAIN, GZIP, ZSTD };

struct ock_reader {
    int fd;
    uint64_t file_bytes;
    enum packing packing;
    bool member_done; /* between gzip's members, zstd's frames */
    bool any_member;  /* gzip: one whole member was read */
    bool file_end;
    uint64_t total;  /* bytes handed out since the start */
    z_stream stream; /* its next_in and avail_in serve zstd too */
    ZSTD_DCtx *zstd; /* owned; NULL: not packed so */
    unsigned char packed[PACKED_BYTES];
};

static enum ock_status read_some(int fd, void *bytes, size_t size, size_t *got, struct ock_err *err)
{
    for (;;) {
        ssize_t count = read(fd, bytes, size);
        if (count >= 0) {
            *got = (size_t)count;
            return OCK_OK;
        }
        if (errno != EINTR)
            return ock_fail_errno(err, errno, "cannot read the data");
    }
}

static enum ock_status write_all(int fd, const unsigned char *bytes, size_t size,
                                 struct ock_err *err)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ock_fail_errno(err, errno, "cannot keep a copy of the data");
        bytes += count;
        size -= (size_t)count;
    }
    return OCK_OK;
}

/* A pipe's bytes in a nameless file beside scratch_path; takes its place in reader->fd. */
static enum ock_status copy_pipe(struct ock_reader *reader, const char *scratch_path,
                                 struct ock_err *err)
{
    int copy = -1;
    enum ock_status status = ock_scratch_open(&copy, scratch_path, err);
    if (status != OCK_OK)
        return status;
    size_t got = 1;
    while (status == OCK_OK && got > 0) {
        status = read_some(reader->fd, reader->packed, sizeof(reader->packed), &got, err);
        if (status == OCK_OK)
            status = write_all(copy, reader->packed, got, err);
        reader->file_bytes += got;
        if (status == OCK_OK && reader->file_bytes > OCK_DATASET_BYTES_MAX)
            status = ock_fail(err, OCK_LIMIT, "the data are longer than %zu bytes, the limit",
                              OCK_DATASET_BYTES_MAX);
    }
    (void)close(reader->fd);
    reader->fd = copy;
    return status;
}

/* A frame of data, or one to be skipped. */
static bool begins_frame(const unsigned char *bytes)
{
    return memcmp(bytes, "\x28\xb5\x2f\xfd", FRAME_MAGIC_BYTES) == 0 ||
           ((bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0);
}

/* What the first bytes say of the packing. */
static enum ock_status find_packing(struct ock_reader *reader, struct ock_err *err)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *name;
    } others[] = {{"PK\x03\x04", 4, "zip"},
                  {"BZh", 3, "bzip2"},
                  {"\xfd"
                   "7zXZ",
                   5, "xz"}};
    unsigned char first[8];
    ssize_t got = pread(reader->fd, first, sizeof(first), 0);
    if (got < 0)
        return ock_fail_errno(err, errno, "cannot read the data");
    if (got >= 2 && memcmp(first, "\x1f\x8b", 2) == 0)
        reader->packing = GZIP;
    else if (got >= FRAME_MAGIC_BYTES && begins_frame(first))
        reader->packing = ZSTD;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if ((size_t)got >= others[i].count && memcmp(first, others[i].bytes, others[i].count) == 0)
            return ock_fail(err, OCK_UNSUPPORTED,
                            "byte 0: the data are packed with %s; unpack them, or use gzip or zstd",
                            others[i].name);
    }
    return OCK_OK;
}

static enum ock_status open_file(struct ock_reader *reader, const char *path,
                                 const char *scratch_path, struct ock_err *err)
{
    reader->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0 && errno == ENOENT)
        return ock_fail(err, OCK_NOTFOUND, "there is no file %s", path);
    if (reader->fd < 0)
        return ock_fail_errno(err, errno, "cannot open %s", path);
    struct stat info;
    if (fstat(reader->fd, &info) != 0)
        return ock_fail_errno(err, errno, "cannot stat %s", path);
    if (S_ISDIR(info.st_mode))
        return ock_fail(err, OCK_INVALID, "%s is a folder, not a file", path);
    if (!S_ISREG(info.st_mode))
        return copy_pipe(reader, scratch_path, err);
    reader->file_bytes = (uint64_t)info.st_size;
    return OCK_OK;
}

static enum ock_status start_unpacking(struct ock_reader *reader, struct ock_err *err)
{
    bool ready = true;
    if (reader->packing == GZIP) {
        ready = inflateInit2(&reader->stream, 15 + 16) == Z_OK;
    } else if (reader->packing == ZSTD) {
        reader->zstd = ZSTD_createDCtx();
        ready = reader->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(
                                    reader->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX));
    }
    return ready ? OCK_OK : ock_fail(err, OCK_NOMEM, "out of memory for unpacking");
}

enum ock_status ock_reader_open(struct ock_reader **out, const char *path, const char *scratch_path,
                                struct ock_err *err)
{
    struct ock_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return ock_fail(err, OCK_NOMEM, "out of memory for a reader");
    reader->fd = -1;
    enum ock_status status = open_file(reader, path, scratch_path, err);
    if (status == OCK_OK)
        status = find_packing(reader, err);
    if (status == OCK_OK)
        status = start_unpacking(reader, err);
    if (status == OCK_OK)
        status = ock_reader_rewind(reader, err);
    if (status == OCK_OK) {
        *out = reader;
        reader = NULL;
    }
    ock_reader_free(reader);
    return status;
}

void ock_reader_free(struct ock_reader *reader)
{
    if (!reader)
        return;
    if (reader->stream.state)
        (void)inflateEnd(&reader->stream);
    (void)ZSTD_freeDCtx(reader->zstd); /* NULL is fine */
    if (reader->fd >= 0)
        (void)close(reader->fd);
    free(reader);
}

enum ock_status ock_reader_rewind(struct ock_reader *reader, struct ock_err *err)
{
    if (lseek(reader->fd, 0, SEEK_SET) != 0)
        return ock_fail_errno(err, errno, "cannot read the data a second time");
    reader->total = 0;
    reader->file_end = false;
    reader->any_member = false;
    reader->member_done = true;
    reader->stream.avail_in = 0;
    if (reader->zstd)
        (void)ZSTD_DCtx_reset(reader->zstd, ZSTD_reset_session_only);
    return OCK_OK;
}

uint64_t ock_reader_bytes_max(const struct ock_reader *reader)
{
    if (reader->packing == PLAIN)
        return reader->file_bytes;
    uint64_t most = reader->file_bytes * OCK_UNPACKED_RATIO_MAX;
    return most > OCK_UNPACKED_FREE_BYTES ? most : OCK_UNPACKED_FREE_BYTES;
}

enum ock_status ock_reader_refuse_size(const struct ock_reader *reader, const char *what,
                                       struct ock_err *err)
{
    unsigned long long most = ock_reader_bytes_max(reader);
    if (reader->packing == PLAIN)
        return ock_fail(err, OCK_INVALID, "%s than the file's %llu", what, most);
    return ock_fail(
        err, OCK_LIMIT,
        "%s than %llu, which is %zu times the packed file's size or %zu MiB, the limit; "
        "unpack it first if it is right",
        what, most, OCK_UNPACKED_RATIO_MAX, OCK_UNPACKED_FREE_BYTES / OCK_MIB);
}

/* Makes `least` packed bytes ready, or all that are left. */
static enum ock_status refill(struct ock_reader *reader, size_t least, struct ock_err *err)
{
    z_stream *in = &reader->stream;
    while (in->avail_in < least && !reader->file_end) {
        size_t kept = in->avail_in, got = 0;
        if (kept > 0)
            memmove(reader->packed, in->next_in, kept);
        in->next_in = reader->packed;
        enum ock_status status =
            read_some(reader->fd, reader->packed + kept, PACKED_BYTES - kept, &got, err);
        if (status != OCK_OK)
            return status;
        in->avail_in = (uInt)(kept + got);
        reader->file_end = got == 0;
    }
    return OCK_OK;
}

/* The packed byte that unpacking has come to. */
static unsigned long long packed_at(const struct ock_reader *reader)
{
    off_t read = lseek(reader->fd, 0, SEEK_CUR);
    return read > 0 ? (unsigned long long)read - reader->stream.avail_in : 0;
}

/* `packed` is "gzip" or "zstd"; `got` bytes of this read were unpacked before the end. */
static enum ock_status refuse_cut(const struct ock_reader *reader, const char *packed, size_t got,
                                  struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID,
                    "byte %llu: the %s file is cut off after %zu unpacked bytes, more were "
                    "expected; send the whole file",
                    packed_at(reader), packed, (size_t)reader->total + got);
}

static enum ock_status refuse_rest(const struct ock_reader *reader, const char *packed,
                                   struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID,
                    "byte %llu: after its end the %s file goes on with bytes that are not %s; "
                    "expected the file's end",
                    packed_at(reader), packed, packed);
}

static enum ock_status refuse_damage(const struct ock_reader *reader, const char *packed,
                                     const char *why, struct ock_err *err)
{
    return ock_fail(err, OCK_INVALID, "byte %llu: the %s file is damaged: %s; pack it again",
                    packed_at(reader), packed, why);
}

/* Between members: another one, zeros that pad a tape's block, or the end. */
static enum ock_status next_member(struct ock_reader *reader, bool *end, struct ock_err *err)
{
    enum ock_status status = refill(reader, 1, err);
    while (status == OCK_OK && reader->any_member && reader->stream.avail_in > 0 &&
           *reader->stream.next_in == 0) {
        reader->stream.next_in++;
        reader->stream.avail_in--;
        status = refill(reader, 1, err);
    }
    if (status != OCK_OK)
        return status;
    *end = reader->stream.avail_in == 0;
    if (!*end && *reader->stream.next_in != 0x1f)
        return refuse_rest(reader, "gzip", err);
    if (!*end && inflateReset(&reader->stream) != Z_OK)
        return ock_fail(err, OCK_NOMEM, "cannot start unpacking");
    reader->member_done = false;
    return OCK_OK;
}

static enum ock_status read_gzip(struct ock_reader *reader, unsigned char *bytes, size_t size,
                                 size_t *got, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    *got = 0;
    while (*got < size) {
        if (reader->member_done) {
            bool end = false;
            status = next_member(reader, &end, err);
            if (status != OCK_OK || end)
                return status;
        }
        status = refill(reader, 1, err);
        if (status != OCK_OK)
            return status;
        size_t room = size - *got < OCK_GIB ? size - *got : OCK_GIB;
        reader->stream.next_out = bytes + *got;
        reader->stream.avail_out = (uInt)room;
        int result = inflate(&reader->stream, Z_NO_FLUSH);
        *got += room - reader->stream.avail_out;
        if (result == Z_STREAM_END) {
            reader->member_done = true;
            reader->any_member = true;
        } else if (result == Z_MEM_ERROR) {
            return ock_fail(err, OCK_NOMEM, "out of memory for unpacking");
        } else if (result == Z_BUF_ERROR && reader->file_end) {
            return refuse_cut(reader, "gzip", *got, err);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return refuse_damage(reader, "gzip",
                                 reader->stream.msg ? reader->stream.msg : "unknown fault", err);
        }
    }
    return OCK_OK;
}

static enum ock_status explain_zstd(const struct ock_reader *reader, size_t code,
                                    struct ock_err *err)
{
    ZSTD_ErrorCode error = ZSTD_getErrorCode(code);
    if (error == ZSTD_error_memory_allocation)
        return ock_fail(err, OCK_NOMEM, "out of memory for unpacking");
    if (error == ZSTD_error_frameParameter_windowTooLarge)
        return ock_fail(err, OCK_LIMIT,
                        "the zstd file needs more than %d MiB to be unpacked; pack it without "
                        "--long and --ultra",
                        1 << (WINDOW_LOG_MAX - 20));
    return refuse_damage(reader, "zstd", ZSTD_getErrorName(code), err);
}

/* Between frames: another one, or the end. The library would also take the frames of its old versions,
 * whose decoders know no limit to a window. */
static enum ock_status next_frame(struct ock_reader *reader, bool *end, struct ock_err *err)
{
    enum ock_status status = refill(reader, FRAME_MAGIC_BYTES, err);
    *end = reader->stream.avail_in == 0;
    if (status != OCK_OK || *end)
        return status;
    if (reader->stream.avail_in < FRAME_MAGIC_BYTES || !begins_frame(reader->stream.next_in))
        return refuse_rest(reader, "zstd", err);
    reader->member_done = false;
    return OCK_OK;
}

/* What libzstd still holds comes out after the file's end too. */
static enum ock_status read_zstd(struct ock_reader *reader, unsigned char *bytes, size_t size,
                                 size_t *got, struct ock_err *err)
{
    ZSTD_outBuffer out = {bytes, size, 0};
    *got = 0;
    while (out.pos < size) {
        bool end = false;
        enum ock_status status =
            reader->member_done ? next_frame(reader, &end, err) : refill(reader, 1, err);
        if (status != OCK_OK || end)
            return status;
        size_t before = out.pos;
        ZSTD_inBuffer in = {reader->stream.next_in, reader->stream.avail_in, 0};
        size_t left = ZSTD_decompressStream(reader->zstd, &out, &in);
        if (ZSTD_isError(left))
            return explain_zstd(reader, left, err);
        reader->stream.next_in += in.pos;
        reader->stream.avail_in -= (uInt)in.pos;
        reader->member_done = left == 0;
        *got = out.pos;
        if (in.size == 0 && left > 0 && out.pos == before)
            return refuse_cut(reader, "zstd", *got, err);
    }
    return OCK_OK;
}

static enum ock_status read_plain(struct ock_reader *reader, unsigned char *bytes, size_t size,
                                  size_t *got, struct ock_err *err)
{
    *got = 0;
    while (*got < size) {
        size_t some = 0;
        enum ock_status status = read_some(reader->fd, bytes + *got, size - *got, &some, err);
        if (status != OCK_OK)
            return status;
        if (some == 0)
            break;
        *got += some;
    }
    return OCK_OK;
}

enum ock_status ock_reader_read(struct ock_reader *reader, void *bytes, size_t size, size_t *got,
                                struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    switch (reader->packing) {
    case PLAIN:
        status = read_plain(reader, bytes, size, got, err);
        break;
    case GZIP:
        status = read_gzip(reader, bytes, size, got, err);
        break;
    case ZSTD:
        status = read_zstd(reader, bytes, size, got, err);
        break;
    }
    if (status != OCK_OK)
        return status;
    reader->total += *got;
    if (reader->total > OCK_DATASET_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT, "the data unpack to more than %zu bytes, the limit",
                        OCK_DATASET_BYTES_MAX);
    if (reader->packing != PLAIN && reader->total > ock_reader_bytes_max(reader)) {
        char what[64];
        (void)snprintf(what, sizeof(what), "byte %llu: the data unpack to more bytes",
                       packed_at(reader));
        return ock_reader_refuse_size(reader, what, err);
    }
    return OCK_OK;
}
