/* A page of a summary as a file: one line that says of what it is, then the page. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/data/summary.h"
#include "server/ids.h"
#include "server/store_datasets.h"
#include "server/summaries_private.h"

enum { HEAD_SIZE = 192 };

static void page_path(const struct ock_engine *engine, char path[OCK_PATH_SIZE], const char *id,
                      size_t first)
{
    (void)snprintf(path, OCK_PATH_SIZE, "%s/summaries/%s/%zu", engine->data_dir, id, first);
}

static void make_head(char head[HEAD_SIZE], const char *sha256, size_t first, const char *text,
                      size_t size)
{
    struct ock_sha256 sha;
    char own[OCK_SHA256_TEXT_SIZE];
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, text, size);
    ock_sha256_text(&sha, own);
    (void)snprintf(head, HEAD_SIZE, "summary %d %s %zu %s\n", OCK_SUMMARY_VERSION, sha256, first,
                   own);
}

enum ock_status ock_summary_file_read(const struct ock_engine *engine, const char *id,
                                      const char *sha256, size_t first, struct ock_buf *out,
                                      struct ock_err *err)
{
    char path[OCK_PATH_SIZE], head[HEAD_SIZE];
    struct ock_buf file;
    ock_buf_init(&file, OCK_SUMMARY_PAGE_BYTES_MAX + HEAD_SIZE);
    page_path(engine, path, id, first);
    enum ock_status status = ock_file_read(path, &file, err);
    const char *end = status == OCK_OK ? memchr(file.data, '\n', file.size) : NULL;
    if (status == OCK_OK && !end)
        status = ock_fail(err, OCK_NOTFOUND, "the summary's file has no first line");
    if (status == OCK_OK) {
        size_t size = (size_t)(end + 1 - file.data);
        make_head(head, sha256, first, end + 1, file.size - size);
        if (strlen(head) != size || memcmp(head, file.data, size) != 0)
            status = ock_fail(err, OCK_NOTFOUND, "the summary's file is of another time");
        else
            ock_buf_add(out, end + 1, file.size - size);
    }
    ock_buf_deinit(&file);
    return status == OCK_OK ? ock_buf_status(out, err) : status;
}

enum ock_status ock_summary_file_write(const struct ock_engine *engine, const struct ock_page *page,
                                       const struct ock_buf *text, struct ock_err *err)
{
    char path[OCK_PATH_SIZE], head[HEAD_SIZE];
    struct ock_newfile file = {.fd = -1};
    make_head(head, page->sha256, page->first, text->data, text->size);
    (void)snprintf(path, sizeof(path), "%s/summaries/%s", engine->data_dir, page->id);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ock_fail_errno(err, errno, "cannot make a directory for a summary");
    page_path(engine, path, page->id, page->first);
    enum ock_status status = ock_newfile_open(&file, path, err);
    if (status != OCK_OK)
        return status;
    file.quick = true;
    status = ock_newfile_write(&file, head, strlen(head), err);
    if (status == OCK_OK)
        status = ock_newfile_write(&file, text->data, text->size, err);
    if (status == OCK_OK)
        status = ock_newfile_commit(&file, err);
    ock_newfile_discard(&file);
    return status;
}

void ock_summary_files_remove(const struct ock_engine *engine, const char *id)
{
    char path[OCK_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/summaries/%s", engine->data_dir, id);
    ock_remove_directory(path, false);
}

struct sweep {
    const struct ock_engine *engine;
    const char *id;
};

static void sweep_file(void *ctx, const char *entry)
{
    const struct sweep *sweep = ctx;
    char path[OCK_PATH_SIZE];
    if (!strchr(entry, '.')) /* whole ones are called by a number */
        return;
    (void)snprintf(path, sizeof(path), "%s/summaries/%s/%s", sweep->engine->data_dir, sweep->id,
                   entry);
    (void)unlink(path);
}

static void sweep_dataset(void *ctx, const char *entry)
{
    const struct ock_engine *const *engine = ctx;
    struct sweep sweep = {.engine = *engine, .id = entry};
    struct ock_dataset_row row;
    struct ock_err err = {0};
    char name[OCK_ID_SIZE + 16];
    if (!ock_id_valid(entry, "ds_"))
        return;
    struct ock_db *db = ock_store_read(sweep.engine->store, &err);
    if (!db)
        return;
    enum ock_status status = ock_store_find_dataset(db, entry, &row, &err);
    ock_store_read_end(sweep.engine->store, db);
    if (status == OCK_NOTFOUND) {
        ock_summary_files_remove(sweep.engine, entry);
        return;
    }
    (void)snprintf(name, sizeof(name), "summaries/%s", entry);
    ock_each_entry(sweep.engine, name, sweep_file, &sweep);
}

void ock_summary_files_sweep(const struct ock_engine *engine)
{
    ock_each_entry(engine, "summaries", sweep_dataset, &engine);
}
