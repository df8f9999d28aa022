/* Lists first, cleans later. */
#include "server/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "server/ids.h"
#include "server/store_jobs.h"

struct listing {
    struct ock_sweep sweep;
    size_t capacity;
    bool failed; /* no memory */
};

static void add(struct listing *listing, const char *id)
{
    struct ock_sweep *sweep = &listing->sweep;
    if (listing->failed || !ock_id_valid(id, "job_"))
        return;
    if (sweep->count == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 256;
        void *ids = realloc(sweep->ids, capacity * sizeof(*sweep->ids));
        listing->failed = ids == NULL;
        if (!ids)
            return;
        sweep->ids = ids;
        listing->capacity = capacity;
    }
    memcpy(sweep->ids[sweep->count++], id, strlen(id) + 1);
}

static void add_entry(void *ctx, const char *entry)
{
    add(ctx, entry);
}

static enum ock_status add_row(void *ctx, const struct ock_job_row *row, struct ock_err *err)
{
    (void)err;
    add(ctx, row->id);
    return OCK_OK;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Jobs that have not ended. */
static enum ock_status list_unended(struct listing *out, const struct ock_engine *engine,
                                    struct ock_err *err)
{
    struct ock_db *db = ock_store_read(engine->store, err);
    if (!db)
        return OCK_IO;
    enum ock_status status = ock_store_unended_jobs(db, add_row, out, err);
    ock_store_read_end(engine->store, db);
    return status;
}

enum ock_status ock_sweep_list(struct ock_sweep *out, const struct ock_engine *engine,
                               struct ock_err *err)
{
    struct listing entries = {.failed = false}, unended = {.failed = false};
    ock_each_entry(engine, "jobs", add_entry, &entries);
    enum ock_status status = list_unended(&unended, engine, err);
    if (status == OCK_OK && (entries.failed || unended.failed))
        status = ock_fail(err, OCK_NOMEM, "no memory to look through the jobs");
    struct ock_sweep *sweep = &entries.sweep;
    size_t kept = 0;
    for (size_t i = 0; status == OCK_OK && i < sweep->count; i++) {
        if (!unended.sweep.count || !bsearch(sweep->ids[i], unended.sweep.ids, unended.sweep.count,
                                             sizeof(*sweep->ids), compare))
            memmove(sweep->ids[kept++], sweep->ids[i], sizeof(*sweep->ids));
    }
    sweep->count = kept;
    ock_sweep_deinit(&unended.sweep);
    if (status != OCK_OK) {
        ock_sweep_deinit(sweep);
        return status;
    }
    *out = *sweep;
    return OCK_OK;
}

bool ock_sweep_next(struct ock_sweep *sweep, const struct ock_engine *engine)
{
    if (sweep->next == sweep->count)
        return false;
    ock_job_clean(engine, sweep->ids[sweep->next++]);
    return true;
}

void ock_sweep_deinit(struct ock_sweep *sweep)
{
    free(sweep->ids);
    *sweep = (struct ock_sweep){.ids = NULL};
}
