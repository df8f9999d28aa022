/* Two threads that run workers, and a list of the pages that have no file: those that are asked for,
 * those that failed a moment ago, and those that the disk did not take. Whoever asks for a page of the
 * list waits for that one: many clients make it once. */
#include "server/summaries_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/data/summary.h"
#include "server/log.h"
#include "server/runner_private.h"
#include "server/worker_process.h"

enum {
    POLL_MS = 100,
    RETRY_MS = 1000,
    PAGES_MAX = 64,   /* in the list */
    IN_MEMORY_MAX = 8 /* of those, made */
};

/* --- The list; the mutex is held --------------------------------------------------------------- */

static struct ock_page *find_page(struct ock_summaries *summaries, const char *id, size_t first)
{
    struct ock_page *page = summaries->pages;
    while (page && (page->forgotten || page->first != first || strcmp(page->id, id) != 0))
        page = page->next;
    return page;
}

static void remove_page(struct ock_summaries *summaries, struct ock_page *page)
{
    struct ock_page **at = &summaries->pages;
    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
    ock_buf_deinit(&page->text);
    free(page);
}

/* The oldest of a state, and how many there are. */
static struct ock_page *oldest(struct ock_summaries *summaries, enum ock_page_state state,
                               size_t *count)
{
    struct ock_page *found = NULL;
    *count = 0;
    for (struct ock_page *page = summaries->pages; page; page = page->next) {
        if (page->state != state)
            continue;
        found = found ? found : page;
        ++*count;
    }
    return found;
}

/* Failures that nobody asks about any more, and pages beyond what memory is for. */
static void tidy(struct ock_summaries *summaries)
{
    size_t count;
    struct ock_page *page = oldest(summaries, OCK_PAGE_MADE, &count);
    if (count > IN_MEMORY_MAX)
        remove_page(summaries, page);
    page = oldest(summaries, OCK_PAGE_FAILED, &count);
    if (page && ock_monotonic_ms() >= page->retry_ms)
        remove_page(summaries, page);
}

static enum ock_status add_page(struct ock_summaries *summaries, const char *id, const char *sha256,
                                size_t first, struct ock_err *err)
{
    size_t count = 0;
    struct ock_page **at = &summaries->pages;
    for (; *at; at = &(*at)->next)
        count++;
    if (count >= PAGES_MAX)
        return ock_fail(err, OCK_CONFLICT, "%d summaries are being made", PAGES_MAX);
    struct ock_page *page = calloc(1, sizeof(*page));
    if (!page)
        return ock_fail(err, OCK_NOMEM, "no memory for a summary");
    (void)snprintf(page->id, sizeof(page->id), "%s", id);
    (void)snprintf(page->sha256, sizeof(page->sha256), "%s", sha256);
    page->first = first;
    *at = page;
    (void)pthread_cond_signal(&summaries->filled);
    return OCK_OK;
}

/* What the list says of a page; OK and pending where it is under way. */
static enum ock_status ask_list(struct ock_summaries *summaries, struct ock_page *page,
                                struct ock_buf *out, bool *pending, struct ock_err *err)
{
    switch (page->state) {
    case OCK_PAGE_MADE:
        ock_buf_add(out, page->text.data, page->text.size);
        return ock_buf_status(out, err);
    case OCK_PAGE_FAILED:
        if (ock_monotonic_ms() < page->retry_ms) {
            *err = page->err;
            return page->err.status;
        }
        page->state = OCK_PAGE_QUEUED;
        (void)pthread_cond_signal(&summaries->filled);
        break;
    case OCK_PAGE_QUEUED:
    case OCK_PAGE_RUNNING:
        break;
    }
    *pending = true;
    return OCK_OK;
}

enum ock_status ock_summaries_page(struct ock_summaries *summaries, const char *id,
                                   const struct ock_dataset *dataset, size_t first,
                                   struct ock_buf *out, bool *pending, struct ock_err *err)
{
    const char *sha256 = ock_dataset_sha256(dataset);
    enum ock_status status = OCK_OK;
    (void)pthread_mutex_lock(&summaries->mutex);
    struct ock_page *page = find_page(summaries, id, first);
    if (page)
        status = ask_list(summaries, page, out, pending, err);
    (void)pthread_mutex_unlock(&summaries->mutex);
    if (page)
        return status;

    size_t begin = out->size;
    struct ock_err none = {0}; /* whatever is wrong with a file, it is made again */
    if (ock_summary_file_read(summaries->engine, id, sha256, first, out, &none) == OCK_OK)
        return OCK_OK;
    ock_answer_undo(out, begin);
    *pending = true;
    status = OCK_OK;
    (void)pthread_mutex_lock(&summaries->mutex);
    if (summaries->stopping)
        status = ock_fail(err, OCK_STOPPED, "the server is closing");
    else if (!find_page(summaries, id, first)) /* no other has asked meanwhile */
        status = add_page(summaries, id, sha256, first, err);
    (void)pthread_mutex_unlock(&summaries->mutex);
    return status;
}

void ock_summaries_forget(struct ock_summaries *summaries, const char *id)
{
    (void)pthread_mutex_lock(&summaries->mutex);
    struct ock_page *next;
    for (struct ock_page *page = summaries->pages; page; page = next) {
        next = page->next;
        if (strcmp(page->id, id) != 0)
            continue;
        if (page->state == OCK_PAGE_RUNNING) /* its thread removes it, and what it writes */
            page->forgotten = true;
        else
            remove_page(summaries, page);
    }
    (void)pthread_mutex_unlock(&summaries->mutex);
    ock_summary_files_remove(summaries->engine, id);
}

/* --- The worker -------------------------------------------------------------------------------- */

static bool is_wanted(struct ock_summaries *summaries, const struct ock_page *page)
{
    (void)pthread_mutex_lock(&summaries->mutex);
    bool wanted = !summaries->stopping && !page->forgotten;
    (void)pthread_mutex_unlock(&summaries->mutex);
    return wanted;
}

/* Lines of JSON are the page's; another one is the answer. true: it has come. */
static bool take_lines(struct ock_worker *worker, struct ock_buf *text, char *answer, size_t size)
{
    size_t length;
    for (const char *line = ock_worker_next_line(worker, &length); line;
         line = ock_worker_next_line(worker, &length)) {
        if (line[0] != '{' && strcmp(line, "null") != 0) {
            (void)snprintf(answer, size, "%s", line);
            return true;
        }
        ock_buf_add(text, line, length);
        ock_buf_putc(text, '\n');
    }
    return false;
}

static bool listen_to(struct ock_summaries *summaries, const struct ock_page *page,
                      struct ock_worker *worker, struct ock_buf *text, char *answer, size_t size)
{
    bool open = true, answered = false;
    while (open && !answered && is_wanted(summaries, page)) {
        struct pollfd polled[2] = {{.fd = worker->out, .events = POLLIN},
                                   {.fd = worker->err, .events = POLLIN}};
        (void)poll(polled, 2, POLL_MS);
        if (polled[1].revents && !ock_worker_read_err(worker)) {
            (void)close(worker->err);
            worker->err = -1;
        }
        if (polled[0].revents == 0)
            continue;
        open = ock_worker_read(worker);
        answered = take_lines(worker, text, answer, size);
    }
    return answered;
}

static enum ock_status judge(const char *answer, struct ock_err *err)
{
    if (strcmp(answer, "ok") == 0)
        return OCK_OK;
    bool corrupt = strncmp(answer, "corrupt ", 8) == 0,
         nomem = strncmp(answer, "no_memory ", 10) == 0;
    return ock_fail(err, corrupt ? OCK_CORRUPT : nomem ? OCK_NOMEM : OCK_IO, "%s", answer);
}

static enum ock_status make_page(struct ock_summaries *summaries, const struct ock_page *page,
                                 struct ock_buf *text, struct ock_err *err)
{
    struct ock_worker worker = {0};
    char path[OCK_PATH_SIZE], argument[OCK_PATH_SIZE + 32], why[320];
    char answer[OCK_ERR_TEXT_SIZE + 32];
    int wait_status = 0;
    ock_dataset_path(summaries->engine, path, page->id);
    (void)snprintf(argument, sizeof(argument), "%s,%zu", path, page->first);
    enum ock_status status =
        ock_worker_start(&worker, summaries->engine->program_fd, "summary", argument, false, err);
    if (status != OCK_OK)
        return status;
    bool answered = listen_to(summaries, page, &worker, text, answer, sizeof(answer));
    if (!answered && !is_wanted(summaries, page))
        ock_worker_kill(&worker, SIGKILL);
    (void)ock_worker_ended(&worker, true, &wait_status);
    if (answered) {
        status = judge(answer, err);
        status = status == OCK_OK ? ock_buf_status(text, err) : status;
    } else if (!is_wanted(summaries, page)) {
        status = ock_fail(err, OCK_STOPPED, "nobody wants it any more");
    } else {
        ock_worker_explain(wait_status, worker.said, why, sizeof(why));
        status = ock_fail(err, OCK_IO, "%s", why);
    }
    ock_worker_close(&worker);
    return status;
}

/* --- The threads ------------------------------------------------------------------------------- */

/* The result is in a file, in memory, or it is a failure; the page leaves the list, or says so. */
static void finish(struct ock_summaries *summaries, struct ock_page *page, struct ock_buf *text,
                   enum ock_status status, const struct ock_err *err, bool has_file)
{
    char id[OCK_ID_SIZE];
    memcpy(id, page->id, sizeof(id));
    (void)pthread_mutex_lock(&summaries->mutex);
    bool forgotten = page->forgotten;
    if (forgotten || (status == OCK_OK && has_file) || status == OCK_STOPPED) {
        remove_page(summaries, page);
    } else if (status == OCK_OK) {
        page->state = OCK_PAGE_MADE;
        page->text = *text;
        *text = (struct ock_buf){.data = NULL};
    } else {
        page->state = OCK_PAGE_FAILED;
        page->err = *err;
        page->retry_ms = ock_monotonic_ms() + RETRY_MS;
    }
    tidy(summaries);
    (void)pthread_mutex_unlock(&summaries->mutex);
    if (forgotten)
        ock_summary_files_remove(summaries->engine, id);
}

static bool is_there(const struct ock_summaries *summaries, const struct ock_page *page)
{
    char path[OCK_PATH_SIZE];
    ock_dataset_path(summaries->engine, path, page->id);
    return access(path, F_OK) == 0;
}

static void run_page(struct ock_summaries *summaries, struct ock_page *page)
{
    struct ock_err err = {0}, refusal = {0};
    struct ock_buf text;
    ock_buf_init(&text, OCK_SUMMARY_PAGE_BYTES_MAX);
    bool has_file = false;
    enum ock_status status = make_page(summaries, page, &text, &err);
    if (status == OCK_OK && !atomic_load(&summaries->engine->disk_low) &&
        is_there(summaries, page)) /* asked for in the moment of the deletion, it would stay */
        has_file = ock_summary_file_write(summaries->engine, page, &text, &refusal) == OCK_OK;
    if (refusal.status != OCK_OK)
        ock_log(OCK_LOG_WARNING, "a summary stays in memory: %s", refusal.text);
    if (status != OCK_OK && status != OCK_STOPPED)
        ock_log(OCK_LOG_ERROR, "the summary of %s broke off: %s", page->id, err.text);
    finish(summaries, page, &text, status, &err, has_file);
    ock_buf_deinit(&text);
}

static void *run(void *arg)
{
    struct ock_summaries *summaries = arg;
    size_t count;
    (void)pthread_mutex_lock(&summaries->mutex);
    while (!summaries->stopping) {
        struct ock_page *page = oldest(summaries, OCK_PAGE_QUEUED, &count);
        if (!page) {
            (void)pthread_cond_wait(&summaries->filled, &summaries->mutex);
            continue;
        }
        page->state = OCK_PAGE_RUNNING;
        (void)pthread_mutex_unlock(&summaries->mutex);
        run_page(summaries, page);
        (void)pthread_mutex_lock(&summaries->mutex);
    }
    (void)pthread_mutex_unlock(&summaries->mutex);
    return NULL;
}

enum ock_status ock_summaries_new(struct ock_summaries **out, struct ock_engine *engine,
                                  struct ock_err *err)
{
    struct ock_summaries *summaries = calloc(1, sizeof(*summaries));
    if (!summaries)
        return ock_fail(err, OCK_NOMEM, "no memory for the summaries");
    summaries->engine = engine;
    (void)pthread_mutex_init(&summaries->mutex, NULL);
    (void)pthread_cond_init(&summaries->filled, NULL);
    ock_summary_files_sweep(engine);
    for (; summaries->threads < OCK_SUMMARY_WORKERS; summaries->threads++) {
        int failed = pthread_create(&summaries->thread[summaries->threads], NULL, run, summaries);
        if (failed) {
            ock_summaries_stop(summaries);
            ock_summaries_free(summaries);
            return ock_fail_errno(err, failed, "cannot start a thread");
        }
    }
    *out = summaries;
    return OCK_OK;
}

void ock_summaries_stop(struct ock_summaries *summaries)
{
    if (!summaries)
        return;
    (void)pthread_mutex_lock(&summaries->mutex);
    summaries->stopping = true;
    (void)pthread_cond_broadcast(&summaries->filled);
    (void)pthread_mutex_unlock(&summaries->mutex);
    for (; summaries->threads > 0; summaries->threads--)
        (void)pthread_join(summaries->thread[summaries->threads - 1], NULL);
}

void ock_summaries_free(struct ock_summaries *summaries)
{
    if (!summaries)
        return;
    while (summaries->pages)
        remove_page(summaries, summaries->pages);
    (void)pthread_cond_destroy(&summaries->filled);
    (void)pthread_mutex_destroy(&summaries->mutex);
    free(summaries);
}
