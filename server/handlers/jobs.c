/* /v1/jobs but for their events and models. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "server/handlers/handlers.h"
#include "server/member.h"

enum { CHANGE_MS_MIN = 250, CHANGE_LOOK_MS = 1000, KEY_BYTES_MAX = 255 };

bool ock_handler_json(const struct ock_exchange *x, cJSON **out, struct ock_problem *problem)
{
    struct ock_err err;
    if (x->body.size == 0) {
        ock_problem_set(problem, 400, "invalid_json", "The body is empty",
                        "send a JSON object, as curl -d @job.json does");
        return false;
    }
    enum ock_status status =
        ock_json_parse(out, x->body.data, x->body.size, &problem->faults, &err);
    if (status == OCK_OK)
        return true;
    if (status == OCK_INVALID || status == OCK_LIMIT)
        ock_problem_set(problem, 400, "invalid_json",
                        status == OCK_INVALID ? "The body is not JSON"
                                              : "The body is beyond what is read of JSON",
                        "%s", err.text);
    else
        ock_problem_from_err(problem, &err);
    return false;
}

static bool has_ended(const struct ock_buf *job)
{
    char status[24];
    if (!ock_member_string(job->data, job->size, "status", status, sizeof(status)))
        return false;
    return strcmp(status, "succeeded") == 0 || strcmp(status, "failed") == 0 ||
           strcmp(status, "cancelled") == 0;
}

/* Waits until the job has ended; then 200, at the deadline `late`. Called again and again. */
static enum ock_handled wait_for_end(struct ock_exchange *x, int late)
{
    struct ock_problem problem = {0};
    uint64_t version = 0;
    struct ock_buf *out = &x->reply.body;
    if (!ock_wait_look(x))
        return OCK_HANDLE_AGAIN;
    ock_buf_clear(out);
    if (!ock_engine_job(x->http->engine, x->job, out, &version, &problem))
        return ock_exchange_problem(x, &problem);
    bool ended = has_ended(out);
    if (!ended && !ock_wait_over(x))
        return OCK_HANDLE_AGAIN;
    ock_reply_field(&x->reply, "ETag", "\"%" PRIu64 "\"", version);
    ock_reply_json(&x->reply, ended ? 200 : late);
    return OCK_HANDLED;
}

/* --- POST /v1/jobs ----------------------------------------------------------------------------- */

static bool wants_stream(const struct ock_exchange *x)
{
    const char *accept = ock_exchange_field(x, OCK_HTTP_ACCEPT);
    return ock_query_bool(&x->target, "stream", false) ||
           ock_accept_names(accept, "text/event-stream") ||
           ock_accept_names(accept, "application/x-ndjson");
}

static enum ock_handled answer_stream(struct ock_exchange *x)
{
    static const char *const types[] = {"text/event-stream", "application/x-ndjson"};
    const char *accept = ock_exchange_field(x, OCK_HTTP_ACCEPT);
    int best = ock_accept_best(accept, types, 2);
    return ock_job_stream(x, x->job, 0, best == 1 ? OCK_FEED_NDJSON : OCK_FEED_SSE);
}

/* The answer to a new job, or to one that was sent again with its key: a stream, a wait, or 202 with
 * the job as it was stored. version 0: not known. */
static enum ock_handled answer_submitted(struct ock_exchange *x, uint64_t version)
{
    struct ock_problem problem = {0};
    int64_t wait_s = ock_query_whole(&x->target, "wait", 0);
    ock_reply_field(&x->reply, "Location", "/v1/jobs/%s", x->job);
    if (wants_stream(x)) {
        ock_buf_clear(&x->reply.body);
        return answer_stream(x);
    }
    if (wait_s > 0) {
        if (!ock_wait_begin(x, x->job, wait_s, &problem))
            return ock_exchange_problem(x, &problem);
        return wait_for_end(x, 202);
    }
    if (version > 0)
        ock_reply_field(&x->reply, "ETag", "\"%" PRIu64 "\"", version);
    ock_reply_json(&x->reply, 202);
    return OCK_HANDLED;
}

/* Stores the job; true with its id in x->job and its JSON in the reply. key may be NULL. */
static bool submit(struct ock_exchange *x, const char *key, const char *body_sha256,
                   uint64_t *version, struct ock_problem *problem)
{
    cJSON *spec = NULL;
    struct ock_submitted submitted;
    if (!ock_handler_json(x, &spec, problem))
        return false;
    const struct ock_submission submission = {
        .spec = spec, .spec_text = x->body.data, .key = key, .body_sha256 = body_sha256};
    bool done =
        ock_engine_submit(x->http->engine, &submission, &x->reply.body, &submitted, problem);
    cJSON_Delete(spec);
    if (!done)
        return false;
    memcpy(x->job, submitted.id, sizeof(x->job));
    *version = submitted.version;
    return true;
}

static bool key_is_valid(const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < size; i++) {
        if (!isprint((unsigned char)key[i]))
            return false;
    }
    return size > 0 && size <= KEY_BYTES_MAX;
}

static void hash_body(const struct ock_exchange *x, char text[OCK_SHA256_TEXT_SIZE])
{
    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, x->body.data, x->body.size);
    ock_sha256_text(&sha, text);
}

/* A job under a key: made now, or the first answer again. */
static enum ock_handled post_with_key(struct ock_exchange *x, const char *key)
{
    struct ock_problem problem = {0};
    struct ock_engine *engine = x->http->engine;
    char sha256[OCK_SHA256_TEXT_SIZE];
    int status = 0;
    if (!key_is_valid(key)) {
        ock_problem_set(&problem, 400, "invalid_header", "The Idempotency-Key is not valid",
                        "1 to %d printable ASCII characters", KEY_BYTES_MAX);
        return ock_exchange_problem(x, &problem);
    }
    hash_body(x, sha256);
    int claimed = ock_engine_idempotency_claim(engine, key, sha256, &status, &x->reply.body, x->job,
                                               &problem);
    if (claimed < 0)
        return ock_exchange_problem(x, &problem);
    if (claimed == 0)
        return answer_submitted(x, 0);
    uint64_t version = 0;
    bool done = submit(x, key, sha256, &version, &problem);
    ock_engine_idempotency_release(engine, key);
    return done ? answer_submitted(x, version) : ock_exchange_problem(x, &problem);
}

enum ock_handled ock_job_post(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    const char *key = ock_exchange_field(x, OCK_HTTP_IDEMPOTENCY_KEY);
    if (x->wait.active)
        return wait_for_end(x, 202);
    if (key)
        return post_with_key(x, key);
    uint64_t version = 0;
    if (!submit(x, NULL, NULL, &version, &problem))
        return ock_exchange_problem(x, &problem);
    return answer_submitted(x, version);
}

enum ock_handled ock_job_validate(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    cJSON *spec = NULL;
    if (!ock_handler_json(x, &spec, &problem))
        return ock_exchange_problem(x, &problem);
    bool valid = ock_engine_validate(x->http->engine, spec, &x->reply.body, &problem);
    cJSON_Delete(spec);
    if (!valid)
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

/* --- One job ----------------------------------------------------------------------------------- */

/* The job's JSON and ETag, or 304 for a client that has this version. */
static enum ock_handled answer_job(struct ock_exchange *x, uint64_t version)
{
    char etag[32];
    (void)snprintf(etag, sizeof(etag), "\"%" PRIu64 "\"", version);
    ock_reply_field(&x->reply, "ETag", "%s", etag);
    x->reply.cache = "private, no-cache";
    if (ock_etag_listed(ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH), etag))
        ock_reply_empty(&x->reply, 304);
    else
        ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

/* ?wait= with If-None-Match: until the version is another one, but 250 ms at least, so that a
 * client that asks again at once is told four times a second at most. */
static bool changed_enough(struct ock_exchange *x, uint64_t version, bool ended)
{
    const char *known = ock_exchange_field(x, OCK_HTTP_IF_NONE_MATCH);
    char etag[32];
    if (!known)
        return ended;
    (void)snprintf(etag, sizeof(etag), "\"%" PRIu64 "\"", version);
    int64_t now = ock_http_now_ms();
    bool changed = !ock_etag_listed(known, etag);
    if (changed && (ended || now - x->wait.begun_ms >= CHANGE_MS_MIN))
        return true;
    /* A PATCH tells nobody: look by the clock, too. */
    ock_wait_until(x, changed ? x->wait.begun_ms + CHANGE_MS_MIN : now + CHANGE_LOOK_MS);
    return false;
}

enum ock_handled ock_job_get(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_buf *out = &x->reply.body;
    int64_t wait_s = ock_query_whole(&x->target, "wait", 0);
    uint64_t version = 0;
    if (wait_s > 0 && !x->wait.active && !ock_wait_begin(x, x->args[0], wait_s, &problem))
        return ock_exchange_problem(x, &problem);
    if (wait_s > 0 && !ock_wait_look(x))
        return OCK_HANDLE_AGAIN;
    ock_buf_clear(out);
    if (!ock_engine_job(x->http->engine, x->args[0], out, &version, &problem))
        return ock_exchange_problem(x, &problem);
    if (wait_s > 0 && !ock_wait_over(x) && !changed_enough(x, version, has_ended(out)))
        return OCK_HANDLE_AGAIN;
    return answer_job(x, version);
}

enum ock_handled ock_job_patch(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    cJSON *patch = NULL;
    if (!ock_handler_json(x, &patch, &problem))
        return ock_exchange_problem(x, &problem);
    bool done = problem.faults.count == 0 &&
                ock_engine_patch(x->http->engine, x->args[0], patch, &x->reply.body, &problem);
    cJSON_Delete(patch);
    if (!done && problem.status == 0)
        ock_problem_set(&problem, 422, "invalid_patch", "The change is not valid", "%s", "");
    if (!done)
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

enum ock_handled ock_job_act(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    int status = 0;
    /* The action is the path's last part: a route each, so no other word gets here. */
    const char *action = x->target.segments[x->target.segment_count - 1];
    if (!ock_engine_act(x->http->engine, x->args[0], action, &status, &x->reply.body, &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, status);
    return OCK_HANDLED;
}

enum ock_handled ock_job_delete(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    if (!ock_engine_delete(x->http->engine, x->args[0], &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_empty(&x->reply, 204);
    return OCK_HANDLED;
}
