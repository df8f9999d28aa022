/* A worker process: started, talked to, waited for. Used by the server's runner and by
 * `ockham train`; protocol.h says what the lines mean. Nothing here knows of jobs or stores.
 *
 * The parent's pipe ends do not block: poll `out` (and `err`, if it is piped) and call
 * ock_worker_read. A worker never outlives its parent for long: end of file on its standard input
 * is the sign. One thread at a time uses a struct ock_worker. */
#ifndef OCK_SERVER_WORKER_PROCESS_H
#define OCK_SERVER_WORKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/status.h"
#include "server/worker/protocol.h"

/* Opens the worker's executable once, so that replacing the file on disk cannot mix versions.
 * path NULL: "ockham-worker" beside /proc/self/exe. *fd is the caller's (close), O_CLOEXEC.
 * Errors: NOTFOUND (the text names the path), IO. */
enum ock_status ock_worker_program_open(int *fd, const char *path, struct ock_err *err);

struct ock_worker {
    pid_t pid;               /* 0: not running (never started, or waited for) */
    int in, out, err;        /* parent's ends; -1: closed. err is -1 when it was inherited */
    int pidfd;               /* readable when the process has ended; -1 where the system has none */
    struct ock_buf commands; /* not yet written */
    struct ock_buf lines;    /* read, not yet handed out */
    size_t taken;            /* bytes of lines handed out */
    char said[256];          /* the last line of standard error, if it is piped */
};

/* Starts `program_fd MODE DIR` ("train", "import" or "predict"). All signals are at their defaults in the
 * child, none is blocked, it is a process group of its own (a terminal's Ctrl-C is the parent's
 * business), and variables that begin with OCKHAM_ stay here (they may hold a token).
 *   inherit_err  true: the child's standard error is the parent's; false: a pipe
 * Errors: IO, NOMEM. On error nothing runs and *worker holds nothing. */
enum ock_status ock_worker_start(struct ock_worker *worker, int program_fd, const char *mode,
                                 const char *dir, bool inherit_err, struct ock_err *err);

/* Queues a command ("pause", without newline) and writes what the pipe takes; never blocks. What it
 * does not take is written by the next call, or by ock_worker_flush. A dead worker is no error. */
void ock_worker_send(struct ock_worker *worker, const char *command);
void ock_worker_confirm(struct ock_worker *worker, uint64_t number); /* "confirm N" */
void ock_worker_flush(struct ock_worker *worker);

/* Reads what is there, at most about a megabyte. false: end of file (or an error): the worker has
 * closed its side, and half a line at the end is discarded. */
bool ock_worker_read(struct ock_worker *worker);
/* The next whole line without its newline, NUL-terminated, borrowed until the next ock_worker_read;
 * NULL: none. */
char *ock_worker_next_line(struct ock_worker *worker, size_t *size);
/* Reads standard error (if it is piped) and keeps its last line in `said`. false: end of file. */
bool ock_worker_read_err(struct ock_worker *worker);

/* An event line's parts, borrowed from the line, which is cut by NULs. */
struct ock_worker_line {
    uint64_t number;
    const char *type;
    const char *key; /* "" for what is not stored */
    char *body;
};
/* false: the line is not of protocol.h's form. */
bool ock_worker_parse_line(char *line, struct ock_worker_line *out);

/* True once the process has ended; then *wait_status is waitpid's, and pid is 0. */
bool ock_worker_ended(struct ock_worker *worker, bool block, int *wait_status);
void ock_worker_kill(struct ock_worker *worker, int signal_number); /* nothing if it has ended */

/* What became of the worker, in words: "the worker was killed by signal 9 (Killed)". `said` is
 * added when there is some. */
void ock_worker_explain(int wait_status, const char *said, char *text, size_t size);

/* Closes the descriptors and frees the buffers; a process that still runs is killed and waited for.
 * An all-zero worker is a no-op; twice is harmless. */
void ock_worker_close(struct ock_worker *worker);

#endif
