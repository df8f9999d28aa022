/* Problem objects: one writer, so that a failed job's `error` and an HTTP answer look the same. */
#include "server/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "server/log.h"

void ock_problem_set(struct ock_problem *problem, int status, const char *code, const char *title,
                     const char *detail, ...)
{
    problem->status = status;
    problem->code = code;
    problem->title = title;
    va_list args;
    va_start(args, detail);
    (void)vsnprintf(problem->detail, sizeof(problem->detail), detail, args);
    va_end(args);
}

/* What a client may know: the sentence of a fault in what it sent; never a path or errno's words.
 */
static void set_internal(struct ock_problem *problem, const struct ock_err *err)
{
    ock_log(OCK_LOG_ERROR, "%s: %s", ock_status_name(err->status), err->text);
    if (err->status == OCK_NOMEM)
        ock_problem_set(problem, 500, "out_of_memory", "The server is out of memory",
                        "there is not enough memory for this request; try again later");
    else if (err->status == OCK_CORRUPT)
        ock_problem_set(problem, 500, "damaged", "The server's data is damaged",
                        "the store, or a file beside it, is damaged; the server's log has the "
                        "reason");
    else
        ock_problem_set(problem, 500, "internal", "Something went wrong in the server",
                        "the server's log has the reason");
}

void ock_problem_from_err(struct ock_problem *problem, const struct ock_err *err)
{
    switch (err->status) {
    case OCK_INVALID:
        ock_problem_set(problem, 422, "invalid", "The request is not valid", "%s", err->text);
        break;
    case OCK_UNSUPPORTED:
        ock_problem_set(problem, 422, "unsupported", "This is not supported", "%s", err->text);
        break;
    case OCK_LIMIT:
        ock_problem_set(problem, 422, "limit", "This is beyond a limit", "%s", err->text);
        break;
    case OCK_NOTFOUND:
        ock_problem_set(problem, 404, "not_found", "There is no such thing", "%s", err->text);
        break;
    case OCK_CONFLICT:
        ock_problem_set(problem, 409, "conflict", "The state does not allow this", "%s", err->text);
        break;
    case OCK_NOSPACE:
        ock_problem_set(problem, 507, "no_space", "The disk is full",
                        "there is no room on the server's disk; delete jobs or datasets");
        break;
    case OCK_OK:
    case OCK_NOMEM:
    case OCK_IO:
    case OCK_CORRUPT:
    case OCK_NONFINITE:
    case OCK_STOPPED:
    default:
        set_internal(problem, err);
        break;
    }
}

void ock_problem_hide_path(char *text, const char *dir)
{
    size_t size = strlen(dir);
    if (size == 0)
        return;
    for (char *at = strstr(text, dir); at; at = strstr(at, dir)) {
        const char *rest = at + size + (at[size] == '/');
        memmove(at, rest, strlen(rest) + 1);
    }
}

/* "/problems/invalid-spec" from "invalid_spec". */
static void write_type(struct ock_jsonw *w, const char *code)
{
    char type[96];
    (void)snprintf(type, sizeof(type), "/problems/%s", code);
    for (char *c = type; *c; c++) {
        if (*c == '_')
            *c = '-';
    }
    ock_jsonw_string(w, "type", type);
}

void ock_problem_write(const struct ock_problem *problem, const char *request_id,
                       struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    write_type(&w, problem->code ? problem->code : "internal");
    ock_jsonw_string(&w, "title", problem->title ? problem->title : "Something went wrong");
    ock_jsonw_int(&w, "status", problem->status);
    ock_jsonw_string(&w, "code", problem->code ? problem->code : "internal");
    if (problem->detail[0])
        ock_jsonw_string(&w, "detail", problem->detail);
    if (request_id)
        ock_jsonw_string(&w, "request_id", request_id);
    if (problem->faults.count > 0) {
        struct ock_buf errors;
        ock_buf_init(&errors, OCK_MIB);
        ock_faults_write(&problem->faults, &errors);
        if (ock_buf_status(&errors, NULL) == OCK_OK)
            ock_jsonw_raw(&w, "errors", errors.data);
        ock_buf_deinit(&errors);
    }
    ock_jsonw_end_object(&w);
}
