/* The pool: one queue (an intrusive list, so that a poke can't fail), one mutex, one condition. */
#include "server/http/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct ock_pool {
    pthread_mutex_t lock; /* guards all below, and the tasks' next and state */
    pthread_cond_t filled;
    struct ock_task *first, *last;
    size_t depth;
    bool stopping;
    unsigned thread_count;
    pthread_t threads[];
};

static void push(struct ock_pool *pool, struct ock_task *task)
{
    task->state = OCK_TASK_QUEUED;
    task->next = NULL;
    if (pool->last)
        pool->last->next = task;
    else
        pool->first = task;
    pool->last = task;
    pool->depth++;
}

static struct ock_task *pop(struct ock_pool *pool)
{
    struct ock_task *task = pool->first;
    pool->first = task->next;
    if (!pool->first)
        pool->last = NULL;
    pool->depth--;
    task->state = OCK_TASK_RUNNING;
    return task;
}

static void *work(void *ctx)
{
    struct ock_pool *pool = ctx;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->first && !pool->stopping)
            pthread_cond_wait(&pool->filled, &pool->lock);
        if (!pool->first)
            break;
        struct ock_task *task = pop(pool);
        pthread_mutex_unlock(&pool->lock);
        bool still_ours = task->run(task);
        pthread_mutex_lock(&pool->lock);
        if (!still_ours)
            continue;
        if (task->state == OCK_TASK_AGAIN)
            push(pool, task);
        else
            task->state = OCK_TASK_IDLE;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum ock_status ock_pool_new(struct ock_pool **out, unsigned threads, struct ock_err *err)
{
    assert(threads > 0);
    struct ock_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
    if (!pool)
        return ock_fail(err, OCK_NOMEM, "out of memory for a pool of %u threads", threads);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    for (; pool->thread_count < threads; pool->thread_count++) {
        int failed = pthread_create(&pool->threads[pool->thread_count], NULL, work, pool);
        if (failed) {
            ock_pool_free(pool);
            return ock_fail(err, OCK_LIMIT, "the system refuses a thread (error %d)", failed);
        }
    }
    *out = pool;
    return OCK_OK;
}

void ock_pool_free(struct ock_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->filled);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->filled);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void ock_pool_poke(struct ock_pool *pool, struct ock_task *task)
{
    pthread_mutex_lock(&pool->lock);
    if (task->state == OCK_TASK_IDLE) {
        push(pool, task);
        pthread_cond_signal(&pool->filled);
    } else if (task->state == OCK_TASK_RUNNING) {
        task->state = OCK_TASK_AGAIN;
    }
    pthread_mutex_unlock(&pool->lock);
}

void ock_pool_release(struct ock_pool *pool, struct ock_task *task)
{
    pthread_mutex_lock(&pool->lock);
    assert(task->state == OCK_TASK_RUNNING || task->state == OCK_TASK_AGAIN);
    task->state = OCK_TASK_IDLE;
    pthread_mutex_unlock(&pool->lock);
}

size_t ock_pool_depth(struct ock_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t depth = pool->depth;
    pthread_mutex_unlock(&pool->lock);
    return depth;
}
