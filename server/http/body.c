/* Request bodies. */
#include "server/http/body.h"

#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>

#include "server/http/server.h"

enum { NO_BODY_BYTES_MAX = 1 << 20, BRIEF_BODY_BYTES_MAX = 16 << 10, ROOM_LEFT_BYTES = 64 << 20 };

static bool one_of(const char *text, const char *const *list)
{
    for (; *list; list++) {
        if (strcmp(text, *list) == 0)
            return true;
    }
    return false;
}

static bool check_json_type(const struct ock_exchange *x, struct ock_problem *problem)
{
    /* curl -d says that it sends a form; who pastes a spec means JSON. */
    static const char *const taken[] = {
        "",           "application/json", "application/x-www-form-urlencoded",
        "text/plain", "text/json",        "application/octet-stream",
        NULL};
    const char *coding = ock_exchange_field(x, OCK_HTTP_CONTENT_ENCODING);
    char type[64];
    ock_media_type(ock_exchange_field(x, OCK_HTTP_CONTENT_TYPE), type, sizeof(type));
    size_t size = strlen(type);
    bool json = one_of(type, taken) || (size > 5 && strcmp(type + size - 5, "+json") == 0);
    if (json && (!coding || strcasecmp(coding, "identity") == 0))
        return true;
    ock_problem_set(problem, 415, "unsupported_media_type", "The body must be JSON",
                    "send it as application/json, without a Content-Encoding");
    return false;
}

static bool check_file_type(const struct ock_exchange *x, struct ock_problem *problem)
{
    const char *coding = ock_exchange_field(x, OCK_HTTP_CONTENT_ENCODING);
    char type[64];
    ock_media_type(ock_exchange_field(x, OCK_HTTP_CONTENT_TYPE), type, sizeof(type));
    if (strncmp(type, "multipart/", 10) == 0 || strcmp(type, "application/json") == 0) {
        ock_problem_set(problem, 415, "unsupported_media_type", "The body must be the file itself",
                        "send the file's bytes as they are, as curl -T FILE does; not a form");
        return false;
    }
    if (coding && strcasecmp(coding, "gzip") != 0 && strcasecmp(coding, "x-gzip") != 0 &&
        strcasecmp(coding, "zstd") != 0 && strcasecmp(coding, "identity") != 0) {
        ock_problem_set(problem, 415, "unsupported_media_type",
                        "The body's Content-Encoding is not supported",
                        "send it as it is, or packed with gzip or zstd");
        return false;
    }
    return true;
}

/* Rows: JSON or a table, which the worker tells apart by its content where the type says nothing. */
static bool check_rows_type(const struct ock_exchange *x, struct ock_problem *problem)
{
    char type[64];
    ock_media_type(ock_exchange_field(x, OCK_HTTP_CONTENT_TYPE), type, sizeof(type));
    if (strcmp(type, "application/json") == 0)
        return check_json_type(x, problem);
    return check_file_type(x, problem);
}

/* A disk that will be full at the upload's end: better told before it. */
static bool check_room(const struct ock_exchange *x, struct ock_problem *problem)
{
    struct statvfs disk;
    if (statvfs(x->http->data_dir, &disk) != 0)
        return true; /* then the upload itself will tell */
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (x->headers.content_length + ROOM_LEFT_BYTES <= room)
        return true;
    ock_problem_set(problem, 507, "no_space", "There is no room on the disk",
                    "%llu MiB are free, the body has %llu MiB and %d MiB stay free for the jobs;"
                    " delete jobs or datasets",
                    (unsigned long long)(room >> 20),
                    (unsigned long long)(x->headers.content_length >> 20), ROOM_LEFT_BYTES >> 20);
    return false;
}

static void set_too_large(struct ock_problem *problem, uint64_t limit_bytes, const char *cure)
{
    ock_problem_set(problem, 413, "too_large", "The body is too large",
                    "the limit is %llu bytes (%llu MiB); %s", (unsigned long long)limit_bytes,
                    (unsigned long long)(limit_bytes >> 20), cure);
}

static uint64_t limit_of(const struct ock_exchange *x)
{
    switch (x->route->body) {
    case OCK_BODY_JSON:
    case OCK_BODY_ROWS:
        return OCK_JSON_BODY_BYTES_MAX;
    case OCK_BODY_BRIEF:
        return BRIEF_BODY_BYTES_MAX;
    case OCK_BODY_FILE:
        return x->http->upload_bytes_max;
    case OCK_BODY_NONE:
    default:
        return NO_BODY_BYTES_MAX;
    }
}

static const char *cure_of(const struct ock_exchange *x)
{
    switch (x->route->body) {
    case OCK_BODY_JSON:
        return "upload large data with PUT /v1/datasets/NAME";
    case OCK_BODY_FILE:
        return "send the file gzipped or a part of it";
    case OCK_BODY_ROWS:
        return "send the rows as a gzipped CSV, or fewer at a time";
    case OCK_BODY_BRIEF:
        return "a token is shorter";
    case OCK_BODY_NONE:
    default:
        return "this request needs no body at all";
    }
}

bool ock_body_check(const struct ock_exchange *x, struct ock_problem *problem)
{
    enum ock_body body = x->route->body;
    bool needed = body != OCK_BODY_NONE && body != OCK_BODY_BRIEF;
    if (needed && !x->headers.has_length && !x->headers.chunked) {
        ock_problem_set(problem, 411, "length_required", "The body's length is needed",
                        "send a body with Content-Length or in chunks");
        return false;
    }
    if ((body == OCK_BODY_JSON || body == OCK_BODY_BRIEF) && !check_json_type(x, problem))
        return false;
    if (body == OCK_BODY_FILE && !check_file_type(x, problem))
        return false;
    if (body == OCK_BODY_ROWS && !check_rows_type(x, problem))
        return false;
    if (x->headers.content_length > limit_of(x)) {
        set_too_large(problem, limit_of(x), cure_of(x));
        return false;
    }
    return body != OCK_BODY_FILE || check_room(x, problem);
}

bool ock_body_add(struct ock_exchange *x, const char *bytes, size_t size,
                  struct ock_problem *problem)
{
    if (x->body_bytes > limit_of(x)) {
        set_too_large(problem, limit_of(x), cure_of(x));
    } else if (x->route->body == OCK_BODY_FILE) {
        if (ock_upload_add(x->upload, bytes, size, problem))
            return true;
    } else if (x->route->body != OCK_BODY_NONE) {
        ock_buf_add(&x->body, bytes, size);
        if (ock_buf_status(&x->body, NULL) == OCK_OK)
            return true;
        ock_problem_set(problem, 500, "out_of_memory", "The server is out of memory",
                        "there is no memory for this body; try again later");
    } else {
        return true;
    }
    ock_upload_discard(x->upload);
    x->upload = NULL;
    return false;
}
