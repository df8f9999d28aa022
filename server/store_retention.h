/* What a store lets go to stay small: ended jobs over a limit, the events of deleted jobs, free
 * pages. Each call is a small step, so that no other write waits long for it. */
#ifndef OCK_SERVER_STORE_RETENTION_H
#define OCK_SERVER_STORE_RETENTION_H

#include "server/engine.h"
#include "server/store.h"

enum {
    OCK_STEP_EVENTS = 500, /* events that one transaction removes: 3 ms */
    OCK_STEP_JOBS = 50,    /* jobs that one pick names */
    OCK_STEP_PAGES = 250,  /* pages that one transaction gives back to the disk */
};

/* The oldest ended jobs, by when they finished, that have to go until what is left is within all
 * limits of `keep`; at most OCK_STEP_JOBS. Nothing that has not ended counts or goes. */
struct ock_pick_over {
    size_t count;
    char ids[OCK_STEP_JOBS][OCK_ID_SIZE];
};
enum ock_status ock_store_pick_over(struct ock_db *db, const struct ock_keep *keep, int64_t now_ms,
                                    struct ock_pick_over *out, struct ock_err *err);

/* In a write: deletes the picked jobs from `done` on by ock_store_delete_job, as many as a step
 * takes, and moves `done` on. Those that are gone already are passed over. */
struct ock_deletion_step {
    const struct ock_pick_over *pick;
    size_t begin, done; /* in: begin; out: done */
};
enum ock_status ock_store_delete_step(struct ock_db *db, void *ctx, struct ock_err *err);

/* In a write: removes OCK_STEP_EVENTS events of jobs that were deleted; *(bool *)ctx: some are
 * left. */
enum ock_status ock_store_bury_step(struct ock_db *db, void *ctx, struct ock_err *err);

/* In a write: gives up to OCK_STEP_PAGES free pages back. */
enum ock_status ock_store_shrink_step(struct ock_db *db, void *ctx, struct ock_err *err);
/* Free pages, and all pages of the file. */
enum ock_status ock_store_free_pages(struct ock_db *db, int64_t *free_pages, int64_t *pages,
                                     struct ock_err *err);

#endif
