/* A queue, a mutex, a thread. */
#include "server/errands.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* first, last, stopping → mutex; thread and is_running → the owner. */
struct ock_errands {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct ock_errand *first, *last;
    bool stopping;
    bool is_running;
    pthread_t thread;
};

static void *run_errands(void *arg)
{
    struct ock_errands *errands = arg;
    for (;;) {
        (void)pthread_mutex_lock(&errands->mutex);
        while (!errands->first && !errands->stopping)
            (void)pthread_cond_wait(&errands->filled, &errands->mutex);
        struct ock_errand *errand = errands->first;
        if (errand)
            errands->first = errand->next;
        if (!errands->first)
            errands->last = NULL;
        (void)pthread_mutex_unlock(&errands->mutex);
        if (!errand)
            return NULL;
        errand->run(errand);
    }
}

enum ock_status ock_errands_new(struct ock_errands **out, struct ock_err *err)
{
    struct ock_errands *errands = calloc(1, sizeof(*errands));
    if (!errands)
        return ock_fail(err, OCK_NOMEM, "no memory for the errands");
    (void)pthread_mutex_init(&errands->mutex, NULL);
    (void)pthread_cond_init(&errands->filled, NULL);
    int failed = pthread_create(&errands->thread, NULL, run_errands, errands);
    if (failed) {
        ock_errands_free(errands);
        return ock_fail_errno(err, failed, "cannot start a thread");
    }
    errands->is_running = true;
    *out = errands;
    return OCK_OK;
}

void ock_errands_post(struct ock_errands *errands, struct ock_errand *errand)
{
    errand->next = NULL;
    (void)pthread_mutex_lock(&errands->mutex);
    bool late = errands->stopping;
    if (!late) {
        if (errands->last)
            errands->last->next = errand;
        else
            errands->first = errand;
        errands->last = errand;
        (void)pthread_cond_signal(&errands->filled);
    }
    (void)pthread_mutex_unlock(&errands->mutex);
    if (late)
        errand->run(errand);
}

void ock_errands_stop(struct ock_errands *errands)
{
    if (!errands || !errands->is_running)
        return;
    (void)pthread_mutex_lock(&errands->mutex);
    errands->stopping = true;
    (void)pthread_cond_signal(&errands->filled);
    (void)pthread_mutex_unlock(&errands->mutex);
    (void)pthread_join(errands->thread, NULL);
    errands->is_running = false;
}

void ock_errands_free(struct ock_errands *errands)
{
    if (!errands)
        return;
    ock_errands_stop(errands);
    (void)pthread_cond_destroy(&errands->filled);
    (void)pthread_mutex_destroy(&errands->mutex);
    free(errands);
}
