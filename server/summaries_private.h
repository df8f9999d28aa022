/* What the files of the summaries share. */
#ifndef OCK_SERVER_SUMMARIES_PRIVATE_H
#define OCK_SERVER_SUMMARIES_PRIVATE_H

#include "server/summaries.h"

enum ock_page_state { OCK_PAGE_QUEUED, OCK_PAGE_RUNNING, OCK_PAGE_MADE, OCK_PAGE_FAILED };

/* A page that has no file (yet). id, sha256, first are immutable; the rest → summaries->mutex. */
struct ock_page {
    char id[OCK_ID_SIZE];
    char sha256[65]; /* of the dataset */
    size_t first;
    enum ock_page_state state;
    bool forgotten;   /* while it was being made */
    int64_t retry_ms; /* FAILED: until then (monotonic) the same is answered again */
    struct ock_err err;
    struct ock_buf text; /* MADE */
    struct ock_page *next;
};

enum { OCK_SUMMARY_WORKERS = 2 };

struct ock_summaries {
    struct ock_engine *engine;
    pthread_mutex_t mutex; /* pages, stopping, and what the pages say */
    pthread_cond_t filled;
    struct ock_page *pages; /* in the order in which they were asked for */
    bool stopping;
    unsigned threads; /* the owner's */
    pthread_t thread[OCK_SUMMARY_WORKERS];
};

/* --- summary_file.c */

/* Errors: NOTFOUND (no such file, or not of this dataset and version, or damaged), IO, NOMEM. */
enum ock_status ock_summary_file_read(const struct ock_engine *engine, const char *id,
                                      const char *sha256, size_t first, struct ock_buf *out,
                                      struct ock_err *err);
enum ock_status ock_summary_file_write(const struct ock_engine *engine, const struct ock_page *page,
                                       const struct ock_buf *text, struct ock_err *err);
void ock_summary_files_remove(const struct ock_engine *engine, const char *id);
void ock_summary_files_sweep(const struct ock_engine *engine);

#endif
