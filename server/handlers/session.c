/* Signing in and out: a token becomes a cookie (session.h).
 *
 * Everyone may ask; a wrong token is answered late, so that one connection gets through few guesses.
 * The delay holds no thread and no other request: a right token is never late. */
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "server/handlers/handlers.h"
#include "server/ids.h"

enum { WRONG_TOKEN_MS = 500, WRONG_TOKENS_MAX = 256 };

/* The cookie with a value for so long; an empty one for 0 s makes the browser forget it. */
static void set_cookie(struct ock_exchange *x, const char *value, int seconds)
{
    const struct ock_access *access = &x->http->access;
    ock_reply_field(&x->reply, "Set-Cookie",
                    "%s=%s; Path=%s; Max-Age=%d; HttpOnly; SameSite=Strict%s", access->session.name,
                    value, access->public_path[0] ? access->public_path : "/", seconds,
                    access->public_tls ? "; Secure" : "");
}

static enum ock_handled answer(struct ock_exchange *x, enum ock_credential by, int64_t expires_s)
{
    char time[OCK_TIME_TEXT_SIZE];
    bool required = x->http->access.token_size > 0;
    struct ock_jsonw w = ock_jsonw_make(&x->reply.body);
    ock_time_text(time, expires_s * 1000);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_bool(&w, "token_required", required);
    ock_jsonw_bool(&w, "signed_in", !required || by != OCK_CREDENTIAL_NONE);
    ock_jsonw_string(&w, "by",
                     by == OCK_CREDENTIAL_TOKEN    ? "token"
                     : by == OCK_CREDENTIAL_COOKIE ? "cookie"
                                                   : NULL);
    ock_jsonw_string(&w, "expires_at", expires_s ? time : NULL);
    ock_jsonw_end_object(&w);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

enum ock_handled ock_session_get(struct ock_exchange *x)
{
    int64_t expires_s = 0;
    enum ock_credential by = ock_access_credential(&x->http->access, &x->headers, &expires_s);
    return answer(x, by, expires_s);
}

enum ock_handled ock_session_delete(struct ock_exchange *x)
{
    if (x->http->access.token_size > 0)
        set_cookie(x, "", 0);
    ock_reply_empty(&x->reply, 204);
    return OCK_HANDLED;
}

/* {"token": "…"} and nothing else. */
static const char *find_token(const cJSON *body, struct ock_faults *faults)
{
    const cJSON *token = ock_json_get(body, "token");
    if (!cJSON_IsObject(body))
        (void)ock_faults_add(faults, "", "wrong_type", "must be an object");
    else if (!cJSON_IsString(token))
        (void)ock_faults_add(faults, "/token", token ? "wrong_type" : "missing",
                             "must be the server's token, a string");
    for (const cJSON *each = cJSON_IsObject(body) ? body->child : NULL; each; each = each->next) {
        if (strcmp(each->string, "token") != 0)
            (void)ock_faults_add(faults, "", "unknown_key", "unknown key %.60s", each->string);
    }
    return token ? token->valuestring : NULL;
}

/* The body's token, compared. False with an empty problem: it is a wrong one. */
static bool body_is_right(const struct ock_exchange *x, struct ock_problem *problem)
{
    cJSON *body = NULL;
    if (!ock_handler_json(x, &body, problem))
        return false;
    const char *token = find_token(body, &problem->faults);
    bool right = problem->faults.count == 0 && ock_access_token_is(&x->http->access, token);
    cJSON_Delete(body);
    if (problem->faults.count > 0)
        ock_problem_set(problem, 422, "invalid_session", "The body is not valid",
                        "send {\"token\": \"…\"}, or no body and 'Authorization: Bearer TOKEN'");
    return right;
}

static bool is_right(const struct ock_exchange *x, struct ock_problem *problem)
{
    int64_t ignored;
    if (ock_access_credential(&x->http->access, &x->headers, &ignored) == OCK_CREDENTIAL_TOKEN)
        return true;
    return x->body.size > 0 && body_is_right(x, problem);
}

/* The wrong token's answer, when its time has come. */
static enum ock_handled deny(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct ock_http *http = x->http;
    if (!x->wait.active) {
        if (atomic_fetch_add(&http->denials, 1) >= WRONG_TOKENS_MAX) {
            atomic_fetch_sub(&http->denials, 1);
            problem.retry_after_s = 1;
            ock_problem_set(&problem, 429, "too_many_guesses", "Too many wrong tokens came at once",
                            "try again later");
            return ock_exchange_problem(x, &problem);
        }
        if (!ock_wait_begin(x, NULL, 1, &problem)) {
            atomic_fetch_sub(&http->denials, 1);
            return ock_exchange_problem(x, &problem);
        }
    }
    if (!ock_wait_over(x) && ock_http_now_ms() < x->wait.begun_ms + WRONG_TOKEN_MS) {
        ock_wait_until(x, x->wait.begun_ms + WRONG_TOKEN_MS);
        return OCK_HANDLE_AGAIN;
    }
    atomic_fetch_sub(&http->denials, 1);
    ock_problem_set(&problem, 401, "unauthorized", "That is not this server's token",
                    "it is in OCKHAM_TOKEN or in the file of --token-file where the server runs");
    return ock_exchange_problem(x, &problem);
}

enum ock_handled ock_session_post(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    char value[OCK_SESSION_VALUE_SIZE];
    const struct ock_access *access = &x->http->access;
    if (access->token_size == 0)
        return answer(x, OCK_CREDENTIAL_NONE, 0);
    if (x->wait.active || !is_right(x, &problem))
        return problem.status ? ock_exchange_problem(x, &problem) : deny(x);
    int64_t expires_s = ock_now_ms() / 1000 + OCK_SESSION_S;
    ock_session_make(&access->session, expires_s, value);
    set_cookie(x, value, OCK_SESSION_S);
    return answer(x, OCK_CREDENTIAL_COOKIE, expires_s);
}
