/* What the files of the uploads share. */
#ifndef OCK_SERVER_UPLOADS_PRIVATE_H
#define OCK_SERVER_UPLOADS_PRIVATE_H

#include <string.h>

#include "server/uploads.h"

struct ock_import_task {
    struct ock_uploads *uploads;
    char name[OCK_DATASET_NAME_SIZE]; /* reserved; immutable */
    const char *undo;                 /* the import's thread alone, after the start */
    /* The thread's. */
    struct ock_dataset_row row;
    bool replace;
    bool made;        /* the dataset file is there */
    unsigned deaths;  /* workers in a row that ended without a word … */
    unsigned starved; /* … or said that they had no memory */
    unsigned rests;
    int64_t promise_at_ms; /* monotonic */
    /* → uploads->mutex */
    bool promised; /* the thread alone writes it */
    bool over;
    unsigned references;
    struct ock_import_answer answer;
    struct ock_import_task *next; /* in uploads->tasks while it is not over */
};

/* tasks, running, stopping and what the tasks say → mutex. */
struct ock_uploads {
    struct ock_engine *engine;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct ock_import_task *tasks;
    unsigned running; /* workers */
    unsigned threads;
    bool stopping;
};

bool ock_uploads_stopping(struct ock_uploads *uploads);

/* From now on the import outlives the request, and a restart: its files are synced and its row is
 * stored as "preparing". If that fails, who waits goes on waiting. */
void ock_import_promise(struct ock_import_task *task);

/* Makes the dataset file from the spool; promises the import when its time has come. Errors: what
 * the worker says, LIMIT (it ended without a word: one of task->deaths), STOPPED, IO, NOSPACE,
 * NOMEM. */
enum ock_status ock_import_run_worker(struct ock_import_task *task, struct ock_err *err);

static inline bool ock_import_is_pair(const struct ock_dataset_row *row)
{
    return strcmp(row->options, OCK_PAIR_OPTIONS) == 0;
}

#endif
