/* The worker's line to its parent: commands in, events out (protocol.h).
 *
 * A thread of its own reads commands from standard input; the training thread writes events and
 * asks for commands with one atomic load. Lines that the parent has not confirmed are kept, because
 * a checkpoint has to carry them. When the parent is gone, the reader gives the training thread 1.9 s
 * for a checkpoint and then ends the process. */
#ifndef OCK_WORKER_CONTROL_H
#define OCK_WORKER_CONTROL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/train/job.h"

/* Lock table: pending → mutex; command, orphaned → atomic; number, progress_ns, line → training
 * thread; out_fd and in_fd are immutable after start. */
struct ock_control {
    int in_fd;
    int out_fd;
    pthread_mutex_t mutex;
    struct ock_buf pending; /* unconfirmed lines, oldest first, as they went out */
    atomic_int command;     /* enum ock_command, taken by ock_control_poll */
    atomic_bool orphaned;   /* the parent is gone: end of file on in_fd or EPIPE on out_fd */
    uint64_t number;        /* of the last line */
    int64_t progress_ns;    /* when the last progress line went out */
    struct ock_buf line;
};

/* Takes fd 1 for events (points 1 at 2, so that no library's print can get between them) and
 * starts the reader of fd 0. Errors: IO, NOMEM. */
enum ock_status ock_control_start(struct ock_control *control, struct ock_err *err);

/* The hooks of core/train/job.h; ctx is the struct ock_control. */
struct ock_job_hooks ock_control_hooks(struct ock_control *control);

/* Writes all bytes to the parent; waits while the pipe is full. false: the parent is gone. */
bool ock_control_write(struct ock_control *control, const char *bytes, size_t size);

#endif
