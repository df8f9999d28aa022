/* The store's file before SQLite looks at it: SQLite makes an empty file into a new database and
 * finds a short one only when it needs what is missing. Where the file is not what it should be,
 * the sentence says what it is, so that whoever reads it knows what to put back.
 *
 * A new store is made under another name, so that a crash on the way leaves nothing that could be
 * taken for a store that lost its content. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store_private.h"

enum { HEADER_BYTES = 100 };

static int64_t file_bytes(const char *path, const char *end)
{
    char name[PATH_MAX];
    struct stat info;
    (void)snprintf(name, sizeof(name), "%s%s", path, end);
    return stat(name, &info) == 0 ? (int64_t)info.st_size : -1;
}

bool ock_store_has_log(const char *path)
{
    return file_bytes(path, "-wal") > 0;
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The header says how long the file is, unless a log beside it says otherwise. */
static enum ock_status check_header(const char *path, const unsigned char *header, int64_t size,
                                    struct ock_err *err)
{
    static const char magic[] = "SQLite format 3";
    if (memcmp(header, magic, sizeof(magic)) != 0)
        return ock_fail(err, OCK_CORRUPT,
                        "%s is damaged or no store at all: it does not begin as an SQLite database",
                        path);
    int64_t page = header[16] << 8 | header[17];
    page = page == 1 ? 65536 : page;
    int64_t pages = big_endian(header + 28);
    bool is_known = big_endian(header + 24) == big_endian(header + 92);
    if (is_known && !ock_store_has_log(path) && size < page * pages)
        return ock_fail(err, OCK_CORRUPT,
                        "%s is cut short: %" PRId64 " of its %" PRId64 " bytes are there", path,
                        size, page * pages);
    return OCK_OK;
}

static enum ock_status check_content(const char *path, int fd, struct ock_err *err)
{
    unsigned char header[HEADER_BYTES];
    struct stat info;
    if (fstat(fd, &info) != 0)
        return ock_fail_errno(err, errno, "cannot open the store %s", path);
    if (S_ISDIR(info.st_mode))
        return ock_fail(err, OCK_CORRUPT, "%s is a directory, where the store should be", path);
    if (!S_ISREG(info.st_mode))
        return ock_fail(err, OCK_CORRUPT, "%s is no file, where the store should be", path);
    if (info.st_size == 0)
        return ock_fail(err, OCK_CORRUPT, "%s is empty: the store's content is lost", path);
    ssize_t got = pread(fd, header, sizeof(header), 0);
    if (got < 0)
        return ock_fail_errno(err, errno, "cannot read the store %s", path);
    if (got < (ssize_t)sizeof(header))
        return ock_fail(err, OCK_CORRUPT, "%s is damaged or no store at all: it has %zd bytes",
                        path, got);
    return check_header(path, header, info.st_size, err);
}

enum ock_status ock_store_look(const char *path, bool *is_there, struct ock_err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == EISDIR)
        fd = open(path, O_RDONLY | O_CLOEXEC); /* check_content says it */
    if (fd < 0 && errno == ENOENT) {
        if (ock_store_has_log(path))
            return ock_fail(err, OCK_CORRUPT, "the store %s is gone, but its log %s-wal is there",
                            path, path);
        *is_there = false;
        return OCK_OK;
    }
    if (fd < 0)
        return ock_fail_errno(err, errno, "cannot open the store %s", path);
    enum ock_status status = check_content(path, fd, err);
    (void)close(fd);
    if (status == OCK_OK)
        *is_there = true;
    return status;
}

static void remove_all(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[PATH_MAX + 8];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

/* The log into the file: closing does that too, but does not say whether it worked. */
static enum ock_status fold_whole(struct ock_db *db, struct ock_err *err)
{
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? OCK_OK : ock_db_fail(db, code, err);
}

static enum ock_status make_file(const char *path, struct ock_err *err)
{
    struct ock_db *db = NULL;
    enum ock_status status = ock_db_new(&db, path, SQLITE_OPEN_CREATE, "", err);
    if (status == OCK_OK)
        status = ock_store_migrate(db, err);
    if (status == OCK_OK)
        status = fold_whole(db, err);
    ock_db_free(db);
    return status;
}

enum ock_status ock_store_make(const char *path, struct ock_err *err)
{
    char made[PATH_MAX];
    int length = snprintf(made, sizeof(made), "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof(made))
        return ock_fail(err, OCK_LIMIT, "the store's path is too long");
    remove_all(made); /* of a start that was cut off */
    enum ock_status status = make_file(made, err);
    if (status == OCK_OK && rename(made, path) != 0)
        status = ock_fail_errno(err, errno, "cannot make the store %s", path);
    remove_all(made); /* of one that failed */
    return status;
}
