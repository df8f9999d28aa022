/* Events: numbered without gaps, told once.
 *
 * A key that is there already means that a worker tells again what it told before a crash. For an
 * epoch the weights are compared: other bits would break the first promise, so the job ends. */
#include "server/store_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/ids.h"
#include "server/store_jobs.h"

enum { WARNINGS_BYTES_MAX = 32 << 10 };

/* The row's part that a batch changes, written back once. */
struct progress {
    int64_t seq, reach, latest_seq; /* latest_seq 0: no epoch in this batch */
    int64_t bytes;                  /* what the stored lines take */
    const char *latest;             /* the last epoch's body, borrowed */
    struct ock_buf warnings;
    bool more_warnings;
    char broken[200];
};

void ock_event_write(struct ock_buf *out, const char *type, const char *id, uint64_t seq,
                     const char *body)
{
    char time[OCK_TIME_TEXT_SIZE];
    ock_time_text(time, ock_now_ms());
    ock_buf_printf(out, "{\"type\":\"%s\",\"job\":\"%s\",", type, id);
    if (seq > 0)
        ock_buf_printf(out, "\"seq\":%" PRIu64 ",", seq);
    ock_buf_printf(out, "\"time\":\"%s\"", time);
    body++; /* the brace */
    if (*body != '}')
        ock_buf_putc(out, ',');
    ock_buf_puts(out, body);
}

enum ock_status ock_store_add_bytes(struct ock_db *db, int64_t number, int64_t bytes,
                                    struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db, "UPDATE jobs SET bytes = bytes + ? WHERE number = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, bytes);
    ock_db_bind_int(stmt, 2, number);
    return ock_db_run(db, stmt, err);
}

/* Inserts unless (job, key) is there; *stored is the bytes that it takes, 0 if it was there. */
static enum ock_status insert_event(struct ock_db *db, int64_t number, const char *id,
                                    const char *type, const char *key, const char *body,
                                    int64_t seq, int64_t *stored, struct ock_err *err)
{
    struct ock_buf text;
    ock_buf_init(&text, 2 * OCK_EVENT_BYTES_MAX);
    ock_event_write(&text, type, id, (uint64_t)seq, body);
    enum ock_status status = ock_buf_status(&text, err);
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "INSERT INTO events(job, seq, key, body) VALUES (?, ?, ?, ?)"
                       " ON CONFLICT (job, key) WHERE key IS NOT NULL DO NOTHING",
                       err);
    if (status == OCK_OK && !stmt)
        status = OCK_IO;
    if (status == OCK_OK) {
        ock_db_bind_int(stmt, 1, number);
        ock_db_bind_int(stmt, 2, seq);
        ock_db_bind_text(stmt, 3, key);
        ock_db_bind_text(stmt, 4, text.data);
        status = ock_db_run(db, stmt, err);
        *stored = ock_db_changes(db) == 1 ? (int64_t)text.size : 0;
    }
    ock_buf_deinit(&text);
    return status;
}

enum ock_status ock_store_append_event(struct ock_db *db, int64_t number, const char *id,
                                       const char *type, const char *key, const char *body,
                                       struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db, "UPDATE jobs SET seq = seq + 1, version = version + 1 WHERE number = ? RETURNING seq",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no such job");
    int64_t seq = sqlite3_column_int64(stmt, 0);
    enum ock_status status = ock_db_run(db, stmt, err);
    int64_t stored = 0;
    if (status == OCK_OK)
        status = insert_event(db, number, id, type, key, body, seq, &stored, err);
    if (status == OCK_OK && stored == 0)
        status = ock_fail(err, OCK_CONFLICT, "the event was told before");
    return status == OCK_OK ? ock_store_add_bytes(db, number, stored, err) : status;
}

/* A member's text from an event that our own worker wrote, or "": found by its spelling, because
 * these lines are many and a full parse of each would cost more than storing it. */
static void peek_text(const char *body, const char *member, char *out, size_t size)
{
    out[0] = '\0';
    const char *at = strstr(body, member);
    if (!at)
        return;
    at += strlen(member);
    size_t length = strcspn(at, "\"");
    if (length >= size)
        return;
    memcpy(out, at, length);
    out[length] = '\0';
}

static int64_t peek_number(const char *body, const char *member)
{
    const char *at = strstr(body, member);
    return at ? strtoll(at + strlen(member), NULL, 10) : 0;
}

/* Another arithmetic has other bits: there is nothing to compare. An older version's events do not say
 * theirs, which was the only one. */
static bool is_comparable(const char *first, const char *again)
{
    static const char member[] = "\"numerics\":\"";
    char one[16], other[16];
    peek_text(first, member, one, sizeof(one));
    peek_text(again, member, other, sizeof(other));
    return one[0] == '\0' || other[0] == '\0' || strcmp(one, other) == 0;
}

/* Compares an epoch that is told again with its first telling. */
static enum ock_status compare_epoch(struct ock_db *db, int64_t number,
                                     const struct ock_event_line *line, struct progress *progress,
                                     struct ock_err *err)
{
    static const char member[] = "\"weights_sha256\":\"";
    sqlite3_stmt *stmt =
        ock_db_prepare(db, "SELECT body FROM events WHERE job = ? AND key = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    ock_db_bind_text(stmt, 2, line->key);
    int got = ock_db_next(db, stmt, err);
    if (got != 1)
        return got < 0 ? OCK_IO : OCK_OK;
    char first[72], again[72];
    bool comparable = is_comparable(ock_db_text(stmt, 0), line->body);
    peek_text(ock_db_text(stmt, 0), member, first, sizeof(first));
    peek_text(line->body, member, again, sizeof(again));
    ock_db_reset(stmt);
    if (comparable && strcmp(first, again) != 0)
        (void)snprintf(progress->broken, sizeof(progress->broken),
                       "%s was trained twice after an interruption, with different weights: "
                       "%.12s… and %.12s…",
                       line->key, first, again);
    return OCK_OK;
}

static void add_warning(struct progress *progress, const char *body)
{
    struct ock_buf *list = &progress->warnings;
    if (list->size < 2 || list->size + strlen(body) > WARNINGS_BYTES_MAX)
        return;
    if (strstr(list->data, body))
        return;   /* it follows from the spec and was known when the job was sent */
    list->size--; /* the bracket */
    if (list->data[list->size - 1] != '[')
        ock_buf_putc(list, ',');
    ock_buf_puts(list, body);
    ock_buf_putc(list, ']');
    progress->more_warnings = true;
}

static enum ock_status forget_resolved(struct ock_db *db, int64_t number, struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db,
                       "UPDATE jobs SET bytes = bytes - (SELECT length(CAST(resolved AS BLOB))"
                       " FROM specs WHERE job = ?1) WHERE number = ?1",
                       err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    return ock_db_run(db, stmt, err);
}

enum ock_status ock_store_replace_resolved(struct ock_db *db, int64_t number, const char *body,
                                           struct ock_err *err)
{
    enum ock_status status = forget_resolved(db, number, err);
    sqlite3_stmt *stmt = ock_db_prepare(db, "UPDATE specs SET resolved = ? WHERE job = ?", err);
    if (status != OCK_OK || !stmt)
        return status != OCK_OK ? status : OCK_IO;
    ock_db_bind_text(stmt, 1, body);
    ock_db_bind_int(stmt, 2, number);
    status = ock_db_run(db, stmt, err);
    return status == OCK_OK ? ock_store_add_bytes(db, number, (int64_t)strlen(body), err) : status;
}

/* What a stored line means for the row. */
static void note_line(struct progress *progress, const struct ock_event_line *line)
{
    bool is_epoch = strcmp(line->type, "epoch") == 0;
    if (is_epoch || strcmp(line->type, "checkpoint") == 0 || strcmp(line->type, "trial") == 0)
        progress->reach++; /* it was not told before */
    if (is_epoch) {
        progress->latest_seq = progress->seq;
        progress->latest = line->body;
    }
    if (strcmp(line->type, "warning") == 0)
        add_warning(progress, line->body);
}

static enum ock_status append_line(struct ock_db *db, const struct ock_event_batch *batch,
                                   const struct ock_event_line *line, struct progress *progress,
                                   struct ock_err *err)
{
    if (strcmp(line->type, "resolved") == 0)
        return ock_store_replace_resolved(db, batch->number, line->body, err);
    if (strcmp(line->type, "document") == 0)
        return ock_store_put_document(db, batch->number, line->key, line->body, err);
    char made[80];
    const char *key = line->key;
    if (!key[0] && strcmp(line->type, "checkpoint") == 0) {
        (void)snprintf(made, sizeof(made), "checkpoint:%" PRId64 ":%" PRId64,
                       peek_number(line->body, "\"epoch\":"), peek_number(line->body, "\"step\":"));
        key = made;
    }
    int64_t stored = 0;
    enum ock_status status =
        insert_event(db, batch->number, batch->id, line->type, key[0] ? key : NULL, line->body,
                     progress->seq + 1, &stored, err);
    if (status != OCK_OK)
        return status;
    if (stored > 0) {
        progress->seq++;
        progress->bytes += stored;
        note_line(progress, line);
    } else if (strcmp(line->type, "epoch") == 0) {
        status = compare_epoch(db, batch->number, line, progress, err);
    }
    return status;
}

static enum ock_status load_progress(struct ock_db *db, int64_t number, struct progress *out,
                                     struct ock_err *err)
{
    sqlite3_stmt *stmt =
        ock_db_prepare(db, "SELECT seq, reach, broken, warnings FROM jobs WHERE number = ?", err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, number);
    int got = ock_db_next(db, stmt, err);
    if (got < 0)
        return OCK_IO;
    if (got == 0)
        return ock_fail(err, OCK_NOTFOUND, "there is no such job");
    out->seq = sqlite3_column_int64(stmt, 0);
    out->reach = sqlite3_column_int64(stmt, 1);
    const char *broken = ock_db_text(stmt, 2);
    (void)snprintf(out->broken, sizeof(out->broken), "%s", broken ? broken : "");
    ock_buf_init(&out->warnings, (size_t)2 * WARNINGS_BYTES_MAX);
    ock_buf_puts(&out->warnings, ock_db_text(stmt, 3));
    ock_db_reset(stmt);
    return ock_buf_status(&out->warnings, err);
}

/* epoch, epochs, eta and best from the batch's last epoch event. */
static void bind_latest(sqlite3_stmt *stmt, const struct progress *progress, cJSON *latest,
                        char *best)
{
    const cJSON *epoch = ock_json_get(latest, "epoch");
    const cJSON *epochs = ock_json_get(latest, "epochs");
    const cJSON *eta = ock_json_get(latest, "eta_s");
    ock_db_bind_int(stmt, 1, progress->latest_seq);
    if (cJSON_IsNumber(epoch))
        ock_db_bind_int(stmt, 2, (int64_t)epoch->valuedouble);
    if (cJSON_IsNumber(epochs))
        ock_db_bind_int(stmt, 3, (int64_t)epochs->valuedouble);
    if (cJSON_IsNumber(eta))
        (void)sqlite3_bind_double(stmt, 4, eta->valuedouble);
    ock_db_bind_text(stmt, 5, best);
}

static enum ock_status save_latest(struct ock_db *db, int64_t number,
                                   const struct progress *progress, struct ock_err *err)
{
    cJSON *latest = NULL;
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    char *best = NULL;
    enum ock_status status =
        faults ? ock_json_parse(&latest, progress->latest, strlen(progress->latest), faults, err)
               : ock_fail(err, OCK_NOMEM, "no memory to read an event");
    if (status == OCK_INVALID)
        status = OCK_OK; /* stored as told; the row just does not show it */
    const cJSON *best_item = ock_json_get(latest, "best");
    if (cJSON_IsObject(best_item))
        best = ock_json_print(best_item);
    sqlite3_stmt *stmt =
        status != OCK_OK
            ? NULL
            : ock_db_prepare(db,
                             "UPDATE jobs SET latest_seq = ?1, epoch = ?2,"
                             " epochs = coalesce(?3, epochs), eta_s = ?4, best = coalesce(?5, best)"
                             " WHERE number = ?6",
                             err);
    if (stmt) {
        bind_latest(stmt, progress, latest, best);
        ock_db_bind_int(stmt, 6, number);
        status = ock_db_run(db, stmt, err);
    } else if (status == OCK_OK) {
        status = OCK_IO;
    }
    free(best);
    free(faults);
    cJSON_Delete(latest);
    return status;
}

static enum ock_status save_progress(struct ock_db *db, int64_t number,
                                     const struct progress *progress, struct ock_err *err)
{
    sqlite3_stmt *stmt = ock_db_prepare(
        db,
        "UPDATE jobs SET seq = ?1, reach = ?2, broken = ?3, warnings = coalesce(?4, warnings),"
        " bytes = bytes + ?5, version = version + 1 WHERE number = ?6",
        err);
    if (!stmt)
        return OCK_IO;
    ock_db_bind_int(stmt, 1, progress->seq);
    ock_db_bind_int(stmt, 2, progress->reach);
    ock_db_bind_text(stmt, 3, progress->broken[0] ? progress->broken : NULL);
    ock_db_bind_text(stmt, 4, progress->more_warnings ? progress->warnings.data : NULL);
    ock_db_bind_int(stmt, 5, progress->bytes);
    ock_db_bind_int(stmt, 6, number);
    enum ock_status status = ock_db_run(db, stmt, err);
    if (status == OCK_OK && progress->latest_seq > 0)
        status = save_latest(db, number, progress, err);
    return status;
}

enum ock_status ock_store_append_warning(struct ock_db *db, int64_t number, const char *id,
                                         const char *body, struct ock_err *err)
{
    struct progress progress = {0};
    enum ock_status status = load_progress(db, number, &progress, err);
    if (status == OCK_OK) {
        add_warning(&progress, body);
        status = save_progress(db, number, &progress, err);
    }
    ock_buf_deinit(&progress.warnings);
    if (status != OCK_OK)
        return status;
    return ock_store_append_event(db, number, id, "warning", NULL, body, err);
}

enum ock_status ock_store_append_events(struct ock_db *db, struct ock_event_batch *batch,
                                        struct ock_err *err)
{
    struct progress progress = {0};
    enum ock_status status = load_progress(db, batch->number, &progress, err);
    for (size_t i = 0; status == OCK_OK && i < batch->count && !progress.broken[0]; i++)
        status = append_line(db, batch, &batch->lines[i], &progress, err);
    if (status == OCK_OK)
        status = save_progress(db, batch->number, &progress, err);
    batch->broken = progress.broken[0] != '\0';
    ock_buf_deinit(&progress.warnings);
    return status;
}
