/* RFC 9457 problem objects: how every error leaves the server, and a failed job's `error`. */
#ifndef OCK_SERVER_PROBLEM_H
#define OCK_SERVER_PROBLEM_H

#include "core/base/buf.h"
#include "core/base/faults.h"

struct ock_problem {
    int status;        /* HTTP's; 0: no problem */
    const char *code;  /* static, snake_case: "invalid_spec"; type is "/problems/invalid-spec" */
    const char *title; /* static, a sentence */
    char detail[512];  /* what happened and how to cure it; "" if the errors say it all */
    int retry_after_s; /* 0: none */
    struct ock_faults faults; /* count 0: none */
};

/* Sets status, code, title and detail (printf's format); leaves the faults. */
void ock_problem_set(struct ock_problem *problem, int status, const char *code, const char *title,
                     const char *detail, ...) __attribute__((format(printf, 5, 6)));

/* Turns a core error into a problem: INVALID, UNSUPPORTED, LIMIT 422; NOTFOUND 404; CONFLICT 409;
 * NOSPACE 507; all else 500 with a detail that names no path (the log has the whole text). */
void ock_problem_from_err(struct ock_problem *problem, const struct ock_err *err);

/* Takes a directory's own path out of a text that leaves the server: "DIR/jobs/x" becomes "jobs/x".
 * In place. */
void ock_problem_hide_path(char *text, const char *dir);

/* Appends the object; request_id may be NULL. */
void ock_problem_write(const struct ock_problem *problem, const char *request_id,
                       struct ock_buf *out);

#endif
