/* Checkpoints, written and read by one list of parts so that the two cannot differ. */
#include "core/train/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsonw.h"

enum { CHECKPOINT_VERSION = 4, PARTS_MAX = 16 };

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

/* A checkpoint file that is open for reading. It is read, never mapped: a bad sector is then an error
 * and no signal, and the newest file's error leads to the one before it. */
struct source {
    int fd;
    size_t size;
    struct header header;
};

static enum ock_status source_open(struct source *out, const char *path, struct ock_err *err)
{
    struct source source = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat info;
    if (source.fd < 0 && errno == ENOENT)
        return ock_fail(err, OCK_NOTFOUND, "there is no checkpoint");
    if (source.fd < 0)
        return ock_fail_errno(err, errno, "the checkpoint cannot be opened");
    if (fstat(source.fd, &info) != 0) {
        enum ock_status status = ock_fail_errno(err, errno, "the checkpoint cannot be read");
        (void)close(source.fd);
        return status;
    }
    source.size = (size_t)info.st_size;
    *out = source;
    return OCK_OK;
}

/* Exactly size bytes. Errors: IO, CORRUPT (the file ends before). */
static enum ock_status source_read(const struct source *source, void *out, size_t size,
                                   struct ock_err *err)
{
    unsigned char *next = out;
    while (size > 0) {
        ssize_t got = read(source->fd, next, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ock_fail_errno(err, errno, "the checkpoint cannot be read");
        if (got == 0)
            return ock_fail(err, OCK_CORRUPT, "the checkpoint is cut short");
        next += got;
        size -= (size_t)got;
    }
    return OCK_OK;
}

/* Reads all behind the header once and compares with the checksum. */
static enum ock_status check_sum(const struct source *source, struct ock_err *err)
{
    unsigned char piece[16384];
    char digest[OCK_SHA256_TEXT_SIZE], wanted[OCK_SHA256_TEXT_SIZE];
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, &source->header, sizeof(source->header));
    size_t rest = source->size - sizeof(source->header) - sizeof(digest);
    enum ock_status status = OCK_OK;
    while (status == OCK_OK && rest > 0) {
        size_t size = rest < sizeof(piece) ? rest : sizeof(piece);
        status = source_read(source, piece, size, err);
        if (status == OCK_OK)
            ock_sha256_add(&sha, piece, size);
        rest -= size;
    }
    ock_sha256_text(&sha, digest);
    if (status == OCK_OK)
        status = source_read(source, wanted, sizeof(wanted), err);
    if (status == OCK_OK && memcmp(digest, wanted, sizeof(digest)) != 0)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint's checksum does not fit its content");
    return status;
}

/* Whether the file is a sound checkpoint of this very run; else why not. Nothing of the trainer is
 * touched. */
static enum ock_status check(const struct ock_trainer *trainer, struct source *source,
                             const struct parts *parts, struct ock_err *err)
{
    struct header *header = &source->header;
    if (source->size < sizeof(*header) + OCK_SHA256_TEXT_SIZE)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint is cut short");
    enum ock_status status = source_read(source, header, sizeof(*header), err);
    if (status != OCK_OK)
        return status;
    struct header wanted = header_of(trainer, parts, header->lines_size);
    size_t size = sizeof(*header) + wanted.body_size + OCK_SHA256_TEXT_SIZE;
    if (memcmp(header->magic, wanted.magic, sizeof(wanted.magic)) != 0 ||
        header->version != wanted.version || header->progress_size != wanted.progress_size)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint is not of this version of Ockham");
    if (header->body_size != wanted.body_size || header->lines_size > source->size ||
        source->size != size + header->lines_size)
        return ock_fail(err, OCK_CORRUPT, "the checkpoint's size does not fit its header");
    status = check_sum(source, err);
    if (status != OCK_OK)
        return status;
    if (strncmp(header->spec_hash, wanted.spec_hash, sizeof(header->spec_hash)) != 0)
        return ock_fail(err, OCK_CONFLICT, "the checkpoint is of another spec");
    if (strncmp(header->data_sha256, wanted.data_sha256, sizeof(header->data_sha256)) != 0)
        return ock_fail(err, OCK_CONFLICT, "the checkpoint is of other data");
    return OCK_OK;
}

/* What a person should know of a checkpoint that is used. */
static void note_numerics(const struct ock_trainer *trainer, const struct source *source,
                          char note[OCK_ERR_TEXT_SIZE])
{
    const char *here = ock_kernels_numerics(trainer->kernels);
    const struct header *header = &source->header;
    note[0] = '\0';
    if (strncmp(header->numerics, here, sizeof(header->numerics)) != 0)
        (void)snprintf(note, OCK_ERR_TEXT_SIZE,
                       "resumed under numerics %s a run of %.*s: from here on its bits are others",
                       here, (int)sizeof(header->numerics) - 1, header->numerics);
}

/* How far bringing a trainer back has come. */
struct resumption {
    struct ock_trainer *trainer;
    char *lines; /* owned; NUL behind them */
    bool found;
    bool half; /* the trainer was changed, and not to the end */
    char *note;
};

/* Reads the file once more, straight into the trainer: the plan has no room for a second copy. */
static enum ock_status load(struct resumption *resumption, const struct source *source,
                            const struct parts *parts, struct ock_err *err)
{
    size_t lines_size = source->header.lines_size;
    free(resumption->lines);
    resumption->lines = calloc(1, lines_size + 1);
    if (!resumption->lines)
        return ock_fail(err, OCK_NOMEM, "no memory for the checkpoint's events");
    if (lseek(source->fd, (off_t)sizeof(source->header), SEEK_SET) < 0)
        return ock_fail_errno(err, errno, "the checkpoint cannot be read");
    enum ock_status status = OCK_OK;
    resumption->half = true;
    for (size_t i = 0; status == OCK_OK && i < parts->count; i++)
        status = source_read(source, parts->items[i].data, parts->items[i].size, err);
    if (status == OCK_OK)
        status = source_read(source, resumption->lines, lines_size, err);
    resumption->half = status != OCK_OK;
    return status;
}

/* Errors: NOMEM. What else is wrong with the file goes to the note. */
static enum ock_status read_source(struct resumption *resumption, struct source *source,
                                   struct ock_err *err)
{
    struct ock_trainer *trainer = resumption->trainer;
    struct ock_err why = {0};
    struct parts parts = parts_of(trainer);
    enum ock_status status = check(trainer, source, &parts, &why);
    if (status == OCK_OK)
        status = load(resumption, source, &parts, &why);
    if (status == OCK_NOMEM)
        return ock_fail(err, status, "%s", why.text);
    if (status != OCK_OK) {
        (void)snprintf(resumption->note, OCK_ERR_TEXT_SIZE, "%.400s: it is not used", why.text);
        return OCK_OK;
    }
    trainer->spec->optimizer.lr = trainer->progress.lr;
    trainer->spec->optimizer.lr_auto = false;
    note_numerics(trainer, source, resumption->note);
    resumption->found = true;
    const struct ock_job_hooks *hooks = trainer->hooks;
    if (!hooks->restore)
        return OCK_OK;
    return hooks->restore(hooks->ctx, resumption->lines, source->header.lines_size, err);
}

static enum ock_status try_resume(struct resumption *resumption, const char *path,
                                  struct ock_err *err)
{
    struct source source = {.fd = -1};
    struct ock_err why = {0};
    enum ock_status status = source_open(&source, path, &why);
    if (status == OCK_NOTFOUND)
        return OCK_OK;
    if (status != OCK_OK) {
        (void)snprintf(resumption->note, OCK_ERR_TEXT_SIZE, "%.400s: it is not used", why.text);
        return OCK_OK;
    }
    status = read_source(resumption, &source, err);
    (void)close(source.fd);
    return status;
}

/* The file before the newest one, which is not used if there is one. */
static enum ock_status try_previous(struct resumption *resumption, struct ock_err *err)
{
    char previous[4096], first[OCK_ERR_TEXT_SIZE], *note = resumption->note;
    previous_path(previous, resumption->trainer->checkpoint->path);
    (void)snprintf(first, sizeof(first), "%s", note);
    enum ock_status status = try_resume(resumption, previous, err);
    /* Nothing is left to begin again with here; another process has a fresh trainer. */
    if (status == OCK_OK && resumption->half)
        return ock_fail(err, OCK_IO, "%.400s", note);
    if (resumption->found && note[0] == '\0' && first[0] != '\0')
        (void)snprintf(note, OCK_ERR_TEXT_SIZE, "%.300s; the one before is", first);
    return status;
}

enum ock_status ock_checkpoint_resume(struct ock_trainer *trainer, bool *found,
                                      char note[OCK_ERR_TEXT_SIZE], struct ock_err *err)
{
    struct resumption resumption = {.trainer = trainer, .note = note};
    *found = false;
    note[0] = '\0';
    if (!trainer->checkpoint || !trainer->checkpoint->path)
        return OCK_OK;
    enum ock_status status = try_resume(&resumption, trainer->checkpoint->path, err);
    trainer->checkpoint->sound = resumption.found;
    if (status == OCK_OK && !resumption.found)
        status = try_previous(&resumption, err);
    *found = status == OCK_OK && resumption.found;
    free(resumption.lines);
    return status;
}
