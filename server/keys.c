/* A key is claimed by the first request that brings it and released when that one is over. Its
 * answer is stored with the job, in one transaction (engine_submit.c), so a claim may be held in
 * memory only: a crash leaves either both or neither. */
#include "server/keys.h"

#include <stdlib.h>
#include <string.h>

#include "server/store_datasets.h"

struct claim {
    char *key; /* owned */
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
static int take_claim(struct ock_keys *keys, const char *key)
{
    struct claim *made = calloc(1, sizeof(*made));
    char *copy = strdup(key);
    if (!made || !copy) {
        free(made);
        free(copy);
        return -1;
    }
    made->key = copy;
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

/* Nothing if there is none. */
static void drop_claim(struct ock_keys *keys, const char *key)
{
    (void)pthread_mutex_lock(&keys->mutex);
    struct claim **at = &keys->claims;
    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    struct claim *found = *at;
    if (found)
        *at = found->next;
    (void)pthread_mutex_unlock(&keys->mutex);
    if (found)
        claim_free(found);
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
    /* Claimed first and looked up then: an answer is stored before its claim goes. */
    int claimed = take_claim(engine->keys, key);
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
            drop_claim(engine->keys, key);
        ock_problem_from_err(problem, &err);
        return -1;
    }
    if (!found)
        return 1;
    drop_claim(engine->keys, key);
    return answer_again(&row, body_sha256, status, job_id, problem);
}

void ock_engine_idempotency_release(struct ock_engine *engine, const char *key)
{
    drop_claim(engine->keys, key);
}
