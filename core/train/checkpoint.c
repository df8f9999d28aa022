/* Checkpoints, written and read by one list of parts so that the two cannot differ. */
#include "core/train/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsonw.h"

enum { CHECKPOINT_VERSION = 3, PARTS_MAX = 16 };

static const char magic[8] = "OCKCKPT";

struct header {
    char magic[8];
    uint32_t version;
    uint32_t progress_size;
    char numerics[16];
    char spec_hash[72];
    char data_sha256[72];
    uint64_t parameters;
    uint64_t body_size; /* of progress and vectors */
    uint64_t lines_size;
};

/* The pieces of memory that a checkpoint holds, in the file's order. */
struct parts {
    size_t count;
    struct {
        void *data;
        size_t size;
    } items[PARTS_MAX];
};

static void add_part(struct parts *parts, void *data, size_t size)
{
    if (!data || size == 0)
        return;
    parts->items[parts->count].data = data;
    parts->items[parts->count++].size = size;
}

static void add_state(struct parts *parts, const struct ock_optimizer_state *state,
                      size_t parameters, size_t groups)
{
    add_part(parts, state->w, parameters * sizeof(float));
    add_part(parts, state->v, parameters * sizeof(float));
    add_part(parts, state->s, parameters * sizeof(float));
    add_part(parts, state->q, parameters * sizeof(double));
    add_part(parts, state->l1_totals, groups * sizeof(double));
}

static struct parts parts_of(struct ock_trainer *trainer)
{
    struct parts parts = {0};
    size_t P = trainer->plan->parameters;
    size_t groups = trainer->optimizer.group_count;
    add_part(&parts, &trainer->progress, sizeof(trainer->progress));
    add_state(&parts, &trainer->optimizer.state, P, groups);
    add_state(&parts, &trainer->good, P, groups);
    add_part(&parts, trainer->best_w, P * sizeof(float));
    add_part(&parts, &trainer->last_epoch, sizeof(trainer->last_epoch));
    return parts;
}

static struct header header_of(const struct ock_trainer *trainer, const struct parts *parts,
                               size_t lines_size)
{
    struct header header;
    memset(&header, 0, sizeof(header)); /* padding too: the bytes go to disk */
    memcpy(header.magic, magic, sizeof(header.magic));
    header.version = CHECKPOINT_VERSION;
    header.progress_size = sizeof(struct ock_progress);
    (void)snprintf(header.numerics, sizeof(header.numerics), "%s",
                   ock_kernels_numerics(trainer->kernels));
    (void)snprintf(header.spec_hash, sizeof(header.spec_hash), "%s",
                   trainer->checkpoint->spec_hash);
    (void)snprintf(header.data_sha256, sizeof(header.data_sha256), "%s",
                   trainer->checkpoint->data_sha256);
    header.parameters = trainer->plan->parameters;
    for (size_t i = 0; i < parts->count; i++)
        header.body_size += parts->items[i].size;
    header.lines_size = lines_size;
    return header;
}

/* --- Writing -----------------------------------------------------------------------------------
 */

static enum ock_status put(struct ock_newfile *file, struct ock_sha256 *sha, const void *bytes,
                           size_t size, struct ock_err *err)
{
    ock_sha256_add(sha, bytes, size);
    return ock_newfile_write(file, bytes, size, err);
}

static enum ock_status put_all(struct ock_newfile *file, const struct header *header,
                               const struct parts *parts, const struct ock_buf *lines,
                               struct ock_err *err)
{
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    enum ock_status status = put(file, &sha, header, sizeof(*header), err);
    for (size_t i = 0; i < parts->count && status == OCK_OK; i++)
        status = put(file, &sha, parts->items[i].data, parts->items[i].size, err);
    if (status == OCK_OK && lines->size > 0)
        status = put(file, &sha, lines->data, lines->size, err);
    char digest[OCK_SHA256_TEXT_SIZE];
    ock_sha256_text(&sha, digest);
    if (status == OCK_OK)
        status = ock_newfile_write(file, digest, sizeof(digest), err);
    return status;
}

/* "<path>.previous" */
static void previous_path(char out[4096], const char *path)
{
    (void)snprintf(out, 4096, "%s.previous", path);
}

static enum ock_status tell(const struct ock_trainer *trainer, uint64_t bytes, struct ock_err *err)
{
    char body[160];
    (void)snprintf(body, sizeof(body), "{\"epoch\":%u,\"step\":%llu,\"bytes\":%llu}",
                   trainer->progress.epoch, (unsigned long long)trainer->progress.step,
                   (unsigned long long)bytes);
    struct ock_event event = {"checkpoint", "", body};
    return trainer->hooks->event(trainer->hooks->ctx, &event, err);
}

enum ock_status ock_checkpoint_write(struct ock_trainer *trainer, struct ock_err *err)
{
    struct ock_checkpoint_plan *plan = trainer->checkpoint;
    struct ock_newfile file = {.fd = -1};
    struct ock_buf lines;
    ock_buf_init(&lines, 64 * OCK_MIB);
    double begin_s = ock_clock_s();
    /* Elapsed time goes on from here, in this process or in the next. */
    trainer->progress.elapsed_s += begin_s - trainer->run_begin_s;
    trainer->run_begin_s = begin_s;
    if (trainer->hooks->pending)
        trainer->hooks->pending(trainer->hooks->ctx, &lines);
    struct parts parts = parts_of(trainer);
    struct header header = header_of(trainer, &parts, lines.size);
    char previous[4096];
    previous_path(previous, plan->path);
    uint64_t bytes = sizeof(header) + header.body_size + lines.size + OCK_SHA256_TEXT_SIZE;

    enum ock_status status = ock_buf_status(&lines, err);
    if (status == OCK_OK)
        status = ock_newfile_open(&file, plan->path, err);
    if (status == OCK_OK)
        status = put_all(&file, &header, &parts, &lines, err);
    /* A damaged file must not push out the sound one before it. */
    if (status == OCK_OK && plan->sound && rename(plan->path, previous) != 0 && errno != ENOENT)
        status = ock_fail_errno(err, errno, "cannot rename %s", plan->path);
    if (status == OCK_OK)
        status = ock_newfile_commit(&file, err);
    plan->sound = status == OCK_OK;
    ock_newfile_discard(&file);
    ock_buf_deinit(&lines);
    plan->last_s = ock_clock_s();
    plan->cost_s = plan->last_s - begin_s;
    return status == OCK_OK ? tell(trainer, bytes, err) : status;
}

enum ock_status ock_checkpoint_if_due(struct ock_trainer *trainer, bool wanted, struct ock_err *err)
{
    const struct ock_checkpoint_plan *plan = trainer->checkpoint;
    if (!plan || !plan->path)
        return OCK_OK;
    double age_s = ock_clock_s() - plan->last_s;
    bool by_time = trainer->spec->train.checkpoint_every == 0;
    if (!wanted && !(by_time && age_s >= 2 && age_s >= 50 * plan->cost_s))
        return OCK_OK;
    return ock_checkpoint_write(trainer, err);
}

/* --- Reading -----------------------------------------------------------------------------------
 */

/* Whether the bytes are a sound checkpoint of this very run; else why not. */
static enum ock_status check(const struct ock_trainer *trainer, const struct ock_mapping *file,
                             const struct parts *parts, struct ock_err *err)
{
    struct header header;
    if (file->size < sizeof(header) + OCK_SHA256_TEXT_SIZE)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint is cut short");
    memcpy(&header, file->data, sizeof(header));
    struct header wanted = header_of(trainer, parts, header.lines_size);
    size_t size = sizeof(header) + wanted.body_size + OCK_SHA256_TEXT_SIZE;
    if (memcmp(header.magic, wanted.magic, sizeof(wanted.magic)) != 0 ||
        header.version != wanted.version || header.progress_size != wanted.progress_size)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint is not of this version of Ockham");
    if (header.body_size != wanted.body_size || header.lines_size > file->size ||
        file->size != size + header.lines_size)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint's size does not fit its header");
    struct ock_sha256 sha;
    char digest[OCK_SHA256_TEXT_SIZE];
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, file->data, file->size - sizeof(digest));
    ock_sha256_text(&sha, digest);
    if (memcmp(digest, file->data + file->size - sizeof(digest), sizeof(digest)) != 0)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint's checksum does not fit its content");
    if (strncmp(header.spec_hash, wanted.spec_hash, sizeof(header.spec_hash)) != 0)
        return ock_fail(err, OCK_CONFLICT, "the checkpoint is of another spec");
    if (strncmp(header.data_sha256, wanted.data_sha256, sizeof(header.data_sha256)) != 0)
        return ock_fail(err, OCK_CONFLICT, "the checkpoint is of other data");
    return OCK_OK;
}

/* What a person should know of a checkpoint that is used. */
static void note_numerics(const struct ock_trainer *trainer, const struct ock_mapping *file,
                          char note[OCK_ERR_TEXT_SIZE])
{
    struct header header;
    memcpy(&header, file->data, sizeof(header));
    header.numerics[sizeof(header.numerics) - 1] = '\0';
    const char *here = ock_kernels_numerics(trainer->kernels);
    if (strcmp(header.numerics, here) != 0)
        (void)snprintf(note, OCK_ERR_TEXT_SIZE,
                       "resumed under numerics %s a run of %s: from here on its bits are others",
                       here, header.numerics);
}

static enum ock_status load(struct ock_trainer *trainer, const struct ock_mapping *file,
                            const struct parts *parts, struct ock_err *err)
{
    const unsigned char *next = file->data + sizeof(struct header);
    for (size_t i = 0; i < parts->count; i++) {
        memcpy(parts->items[i].data, next, parts->items[i].size);
        next += parts->items[i].size;
    }
    trainer->spec->optimizer.lr = trainer->progress.lr;
    trainer->spec->optimizer.lr_auto = false;
    size_t lines_size = (size_t)(file->data + file->size - OCK_SHA256_TEXT_SIZE - next);
    const struct ock_job_hooks *hooks = trainer->hooks;
    if (!hooks->restore)
        return OCK_OK;
    return hooks->restore(hooks->ctx, (const char *)next, lines_size, err);
}

static enum ock_status try_resume(struct ock_trainer *trainer, const char *path, bool *found,
                                  char note[OCK_ERR_TEXT_SIZE], struct ock_err *err)
{
    struct ock_mapping file = {0};
    struct ock_err why = {0};
    enum ock_status status = ock_mapping_open(&file, path, &why);
    if (status == OCK_NOTFOUND)
        return OCK_OK;
    if (status != OCK_OK)
        return ock_fail(err, status, "%s", why.text);
    struct parts parts = parts_of(trainer);
    if (check(trainer, &file, &parts, &why) != OCK_OK) {
        (void)snprintf(note, OCK_ERR_TEXT_SIZE, "%.400s: it is not used", why.text);
    } else {
        note[0] = '\0';
        note_numerics(trainer, &file, note);
        status = load(trainer, &file, &parts, err);
        *found = status == OCK_OK;
    }
    ock_mapping_close(&file);
    return status;
}

enum ock_status ock_checkpoint_resume(struct ock_trainer *trainer, bool *found,
                                      char note[OCK_ERR_TEXT_SIZE], struct ock_err *err)
{
    *found = false;
    note[0] = '\0';
    if (!trainer->checkpoint || !trainer->checkpoint->path)
        return OCK_OK;
    enum ock_status status = try_resume(trainer, trainer->checkpoint->path, found, note, err);
    trainer->checkpoint->sound = *found;
    if (status != OCK_OK || *found)
        return status;
    char previous[4096];
    previous_path(previous, trainer->checkpoint->path);
    char first_note[OCK_ERR_TEXT_SIZE];
    (void)snprintf(first_note, sizeof(first_note), "%s", note);
    status = try_resume(trainer, previous, found, note, err);
    if (*found && note[0] == '\0' && first_note[0] != '\0')
        (void)snprintf(note, OCK_ERR_TEXT_SIZE, "%.300s; the one before is", first_note);
    return status;
}
