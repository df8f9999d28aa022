/* What the files of the uploads share. */
#ifndef OCK_SERVER_UPLOADS_PRIVATE_H
#define OCK_SERVER_UPLOADS_PRIVATE_H

#include "server/uploads.h"

struct ock_import_task {
    struct ock_uploads *uploads;
    struct ock_dataset_row row; /* the thread's */
    bool replace;
    int64_t promise_at_ms; /* monotonic */
    /* → uploads->mutex */
    bool promised, over;
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

#endif
