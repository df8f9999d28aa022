/* Commands in, events out. The one rule: an event is in `pending` before it is in the pipe, so no
 * checkpoint can miss a line that the parent may never have stored. */
#include "server/worker/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "server/worker/protocol.h"

/* An orphan has less than two seconds: then its successor wants the lock. */
enum { COMMAND_BYTES_MAX = 256, ORPHAN_MS_MAX = 1900 };
static const size_t PENDING_BYTES_MAX = (size_t)256 << 20;

/* Removes the lines up to number `last` from the front of pending. */
static void confirm(struct ock_control *control, uint64_t last)
{
    pthread_mutex_lock(&control->mutex);
    size_t at = 0;
    while (at < control->pending.size) {
        const char *line = control->pending.data + at;
        if (strtoull(line, NULL, 10) > last)
            break;
        const char *end = memchr(line, '\n', control->pending.size - at);
        at = end ? (size_t)(end - control->pending.data) + 1 : control->pending.size;
    }
    ock_buf_consume(&control->pending, at);
    pthread_mutex_unlock(&control->mutex);
}

static void obey(struct ock_control *control, const char *line)
{
    int none = OCK_GO_ON;
    if (strncmp(line, "confirm ", 8) == 0)
        confirm(control, strtoull(line + 8, NULL, 10));
    else if (strcmp(line, "pause") == 0)
        atomic_store(&control->command, OCK_COMMAND_PAUSE);
    else if (strcmp(line, "stop") == 0)
        atomic_store(&control->command, OCK_COMMAND_STOP);
    else if (strcmp(line, "checkpoint") == 0)
        /* A pause or a stop that was not taken yet writes one, or needs none: it stays. */
        (void)atomic_compare_exchange_strong(&control->command, &none, OCK_COMMAND_CHECKPOINT);
}

/* Obeys every whole line of the buffer; returns how many bytes of half a line stay in front. */
static size_t obey_lines(struct ock_control *control, char *buffer, size_t size)
{
    char *at = buffer;
    for (;;) {
        char *end = memchr(at, '\n', size - (size_t)(at - buffer));
        if (!end)
            break;
        *end = '\0';
        obey(control, at);
        at = end + 1;
    }
    size_t rest = size - (size_t)(at - buffer);
    memmove(buffer, at, rest);
    return rest < COMMAND_BYTES_MAX ? rest : 0; /* no command is that long: drop the noise */
}

/* The parent is gone. The training thread writes its checkpoint at the next minibatch or block; if
 * that takes too long (one huge minibatch, a slow disk, a pipe that nobody reads), the process leaves
 * anyway. A checkpoint that is half written is a temporary file, and the one before it stays. */
static void leave_soon(void)
{
    struct timespec rest = {.tv_sec = ORPHAN_MS_MAX / 1000,
                            .tv_nsec = ORPHAN_MS_MAX % 1000 * 1000000L};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        continue;
    _exit(OCK_WORKER_ORPHANED);
}

static void *read_commands(void *arg)
{
    struct ock_control *control = arg;
    char buffer[2 * COMMAND_BYTES_MAX];
    size_t size = 0;
    for (;;) {
        ssize_t got = read(control->in_fd, buffer + size, sizeof(buffer) - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size = obey_lines(control, buffer, size + (size_t)got);
    }
    atomic_store(&control->orphaned, true);
    leave_soon();
    return NULL;
}

static enum ock_status start_reader(struct ock_control *control, struct ock_err *err)
{
    pthread_attr_t attr;
    pthread_t thread;
    int failed = pthread_attr_init(&attr);
    if (failed)
        return ock_fail_errno(err, failed, "cannot start the control thread");
    /* The default of 8 MiB would count against the job's RLIMIT_DATA. */
    (void)pthread_attr_setstacksize(&attr, (size_t)64 << 10);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    failed = pthread_create(&thread, &attr, read_commands, control);
    pthread_attr_destroy(&attr);
    if (failed)
        return ock_fail_errno(err, failed, "cannot start the control thread");
    return OCK_OK;
}

enum ock_status ock_control_start(struct ock_control *control, struct ock_err *err)
{
    int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return ock_fail_errno(err, errno, "cannot keep standard output for the events");
    *control = (struct ock_control){.in_fd = STDIN_FILENO, .out_fd = out, .progress_ns = INT64_MIN};
    int failed = pthread_mutex_init(&control->mutex, NULL);
    if (failed)
        return ock_fail_errno(err, failed, "cannot make a mutex");
    ock_buf_init(&control->pending, PENDING_BYTES_MAX);
    ock_buf_init(&control->line, OCK_WORKER_LINE_BYTES_MAX);
    return start_reader(control, err);
}

bool ock_control_write(struct ock_control *control, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(control->out_fd, bytes, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            atomic_store(&control->orphaned, true);
            return false;
        }
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

/* True if a progress line went out less than a second ago. */
static bool too_soon(struct ock_control *control)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    if (control->progress_ns != INT64_MIN && ns - control->progress_ns < INT64_C(1000000000))
        return true;
    control->progress_ns = ns;
    return false;
}

/* Sends "N REST\n", where control->line holds nothing yet; keep: until it is confirmed. */
static enum ock_status send_line(struct ock_control *control, const char *rest, size_t size,
                                 bool keep, struct ock_err *err)
{
    struct ock_buf *line = &control->line;
    control->number++;
    ock_buf_clear(line);
    ock_buf_printf(line, "%" PRIu64 " ", control->number);
    ock_buf_add(line, rest, size);
    ock_buf_putc(line, '\n');
    enum ock_status status = ock_buf_status(line, err);
    if (status == OCK_OK && keep) {
        pthread_mutex_lock(&control->mutex);
        ock_buf_add(&control->pending, line->data, line->size);
        status = ock_buf_status(&control->pending, err);
        pthread_mutex_unlock(&control->mutex);
    }
    /* Without a parent the line only waits for the checkpoint that is about to be written. */
    if (status == OCK_OK && !atomic_load(&control->orphaned))
        (void)ock_control_write(control, line->data, line->size);
    return status;
}

static enum ock_status send_event(void *ctx, const struct ock_event *event, struct ock_err *err)
{
    struct ock_control *control = ctx;
    if (strcmp(event->type, "progress") == 0 && too_soon(control))
        return OCK_OK;
    bool keep = event->key[0] != '\0' || strcmp(event->type, "resolved") == 0;
    bool is_event = strcmp(event->type, "resolved") != 0 && strcmp(event->type, "document") != 0;
    struct ock_buf rest;
    ock_buf_init(&rest, is_event ? OCK_EVENT_BYTES_MAX : OCK_WORKER_LINE_BYTES_MAX);
    ock_buf_printf(&rest, "%s %s ", event->type, event->key[0] ? event->key : "-");
    ock_buf_puts(&rest, event->body);
    enum ock_status status = ock_buf_status(&rest, err);
    if (status == OCK_OK && memchr(rest.data, '\n', rest.size))
        status = ock_fail(err, OCK_INVALID, "a line break in an event of type %s", event->type);
    if (status == OCK_OK)
        status = send_line(control, rest.data, rest.size, keep, err);
    ock_buf_deinit(&rest);
    return status;
}

static enum ock_command poll_command(void *ctx)
{
    struct ock_control *control = ctx;
    if (atomic_load_explicit(&control->orphaned, memory_order_relaxed))
        return OCK_COMMAND_PAUSE;
    if (atomic_load_explicit(&control->command, memory_order_relaxed) == OCK_GO_ON)
        return OCK_GO_ON;
    return (enum ock_command)atomic_exchange(&control->command, OCK_GO_ON);
}

static enum ock_command peek_command(void *ctx)
{
    struct ock_control *control = ctx;
    if (atomic_load_explicit(&control->orphaned, memory_order_relaxed))
        return OCK_COMMAND_PAUSE;
    return (enum ock_command)atomic_load_explicit(&control->command, memory_order_relaxed);
}

static void write_pending(void *ctx, struct ock_buf *out)
{
    struct ock_control *control = ctx;
    pthread_mutex_lock(&control->mutex);
    if (control->pending.size > 0)
        ock_buf_add(out, control->pending.data, control->pending.size);
    pthread_mutex_unlock(&control->mutex);
}

/* The lines of a checkpoint go out first, under numbers of this run. */
static enum ock_status restore_pending(void *ctx, const char *bytes, size_t size,
                                       struct ock_err *err)
{
    const char *end = bytes + size;
    while (bytes < end) {
        const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *rest = stop ? memchr(bytes, ' ', (size_t)(stop - bytes)) : NULL;
        if (!rest)
            return ock_fail(err, OCK_CORRUPT, "the checkpoint's event lines are damaged");
        rest++;
        enum ock_status status = send_line(ctx, rest, (size_t)(stop - rest), true, err);
        if (status != OCK_OK)
            return status;
        bytes = stop + 1;
    }
    return OCK_OK;
}

struct ock_job_hooks ock_control_hooks(struct ock_control *control)
{
    return (struct ock_job_hooks){
        .ctx = control,
        .event = send_event,
        .poll = poll_command,
        .peek = peek_command,
        .pending = write_pending,
        .restore = restore_pending,
    };
}
