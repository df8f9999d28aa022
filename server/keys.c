/* A key is claimed by the first request that brings it, settled with its answer, and told to all
 * later ones. A claim is held in memory only: a crash before the answer forgets it. */
#include "server/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/log.h"
#include "server/store_datasets.h"

struct claim {
    char *key; /* owned */
    char body_sha256[65];
    struct claim *next;
};

/* claims → mutex. */
struct ock_keys {
    pthread_mutex_t mutex;
    struct claim *claims;
};

enum ock_status ock_keys_new(struct ock_keys **out, struct ock_engine *engine, struct ock_err *err)
{
    (void)engine;
    struct ock_keys *keys = calloc(1, sizeof(*keys));
    if (!keys)
        return ock_fail(err, OCK_NOMEM, "no memory for the keys");
    (void)pthread_mutex_init(&keys->mutex, NULL);
    *out = keys;
    return OCK_OK;
}

static void claim_free(struct claim *claim)
{
    free(claim->key);
    free(claim);
}

void ock_keys_free(struct ock_keys *keys)
{
    if (!keys)
        return;
    while (keys->claims) {
        struct claim *claim = keys->claims;
        keys->claims = claim->next;
        claim_free(claim);
    }
    (void)pthread_mutex_destroy(&keys->mutex);
    free(keys);
}

/* 1: the key is ours; 0: it is in flight; -1: out of memory. */
static int take_claim(struct ock_keys *keys, const char *key, const char *body_sha256)
{
    struct claim *made = calloc(1, sizeof(*made));
    char *copy = strdup(key);
    if (!made || !copy) {
        free(made);
        free(copy);
        return -1;
    }
    made->key = copy;
    (void)snprintf(made->body_sha256, sizeof(made->body_sha256), "%s", body_sha256);
    (void)pthread_mutex_lock(&keys->mutex);
    const struct claim *at = keys->claims;
    while (at && strcmp(at->key, key) != 0)
        at = at->next;
    if (!at) {
        made->next = keys->claims;
        keys->claims = made;
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    if (at)
        claim_free(made);
    return at ? 0 : 1;
}

/* Removes the claim and copies its body's hash; false: there is none. */
static bool drop_claim(struct ock_keys *keys, const char *key, char body_sha256[65])
{
    (void)pthread_mutex_lock(&keys->mutex);
    struct claim **at = &keys->claims;
    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    struct claim *found = *at;
    if (found)
        *at = found->next;
    (void)pthread_mutex_unlock(&keys->mutex);
    if (!found)
        return false;
    memcpy(body_sha256, found->body_sha256, sizeof(found->body_sha256));
    claim_free(found);
    return true;
}

static enum ock_status look_up(struct ock_engine *engine, const char *key, struct ock_key_row *row,
                               struct ock_buf *body, bool *found, struct ock_err *err)
{
    struct ock_db *db = ock_store_read(engine->store, err);
    if (!db)
        return err->status;
    enum ock_status status = ock_store_find_key(db, key, row, body, found, err);
    ock_store_read_end(engine->store, db);
    return status;
}

/* The key has an answer: the same body gets it, another one is a mistake. */
static int answer_again(const struct ock_key_row *row, const char *body_sha256, int *status,
                        char job_id[OCK_ID_SIZE], struct ock_problem *problem)
{
    if (strcmp(row->body_sha256, body_sha256) != 0) {
        ock_problem_set(problem, 422, "idempotency_key_reused",
                        "The Idempotency-Key was used before",
                        "this key came with another body within the last 24 h; use a new key");
        return -1;
    }
    *status = row->status;
    memcpy(job_id, row->job, sizeof(row->job));
    return 0;
}

int ock_engine_idempotency_claim(struct ock_engine *engine, const char *key,
                                 const char *body_sha256, int *status, struct ock_buf *body,
                                 char job_id[OCK_ID_SIZE], struct ock_problem *problem)
{
    struct ock_key_row row = {0};
    struct ock_err err = {0};
    bool found = false;
    char forget[65];
    /* Claimed first and looked up then: who settles stores the answer before the claim goes. */
    int claimed = take_claim(engine->keys, key, body_sha256);
    if (claimed == 0) {
        ock_problem_set(problem, 409, "idempotency_key_in_flight", "The first request is in flight",
                        "a request with this key has not been answered yet; try again");
        problem->retry_after_s = 1;
        return -1;
    }
    if (claimed < 0)
        (void)ock_fail(&err, OCK_NOMEM, "no memory for a key");
    if (claimed < 0 || look_up(engine, key, &row, body, &found, &err) != OCK_OK) {
        if (claimed > 0)
            (void)drop_claim(engine->keys, key, forget);
        ock_problem_from_err(problem, &err);
        return -1;
    }
    if (!found)
        return 1;
    (void)drop_claim(engine->keys, key, forget);
    return answer_again(&row, body_sha256, status, job_id, problem);
}

struct settling {
    const char *key, *body;
    struct ock_key_row row;
};

static enum ock_status apply_settling(struct ock_db *db, void *ctx, struct ock_err *err)
{
    const struct settling *settling = ctx;
    return ock_store_put_key(db, settling->key, &settling->row, settling->body, err);
}

void ock_engine_idempotency_settle(struct ock_engine *engine, const char *key, int status,
                                   const char *body, const char *job_id)
{
    struct settling settling = {.key = key, .body = body ? body : "", .row.status = status};
    struct ock_err err = {0};
    (void)snprintf(settling.row.job, sizeof(settling.row.job), "%s", job_id ? job_id : "");
    /* The hash is needed before the claim may go: it is read under the lock, the claim goes last. */
    (void)pthread_mutex_lock(&engine->keys->mutex);
    const struct claim *at = engine->keys->claims;
    while (at && strcmp(at->key, key) != 0)
        at = at->next;
    if (at)
        memcpy(settling.row.body_sha256, at->body_sha256, sizeof(at->body_sha256));
    (void)pthread_mutex_unlock(&engine->keys->mutex);
    if (at && status >= 200 && status < 300 &&
        ock_store_write(engine->store, apply_settling, &settling, &err) != OCK_OK)
        ock_log(OCK_LOG_ERROR, "an idempotency key could not be stored: %s", err.text);
    char forget[65];
    (void)drop_claim(engine->keys, key, forget);
}
