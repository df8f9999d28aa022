/* A few slots under a mutex; the one that was used longest ago makes room. */
#include "server/dataset_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64 };

struct slot {
    char id[OCK_ID_SIZE]; /* "": free, or forgotten */
    struct ock_dataset *dataset;
    unsigned users;
    uint64_t used; /* the clock when it was used last */
};

/* slots, clock → mutex. */
struct ock_dataset_cache {
    struct ock_engine *engine;
    pthread_mutex_t mutex;
    uint64_t clock;
    struct slot slots[SLOTS];
};

enum ock_status ock_dataset_cache_new(struct ock_dataset_cache **out, struct ock_engine *engine,
                                      struct ock_err *err)
{
    struct ock_dataset_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return ock_fail(err, OCK_NOMEM, "no memory for the dataset cache");
    cache->engine = engine;
    (void)pthread_mutex_init(&cache->mutex, NULL);
    *out = cache;
    return OCK_OK;
}

static void slot_close(struct slot *slot)
{
    ock_dataset_free(slot->dataset);
    *slot = (struct slot){0};
}

void ock_dataset_cache_free(struct ock_dataset_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        slot_close(&cache->slots[i]);
    (void)pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

/* The slot of the id, else the one to use for it; NULL: all are in use. */
static struct slot *find_slot(struct ock_dataset_cache *cache, const char *id)
{
    struct slot *best = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->dataset && strcmp(slot->id, id) == 0)
            return slot;
        if (slot->users == 0 && (!best || slot->used < best->used))
            best = slot;
    }
    return best;
}

static enum ock_status open_slot(struct ock_dataset_cache *cache, struct slot *slot, const char *id,
                                 struct ock_err *err)
{
    char path[OCK_PATH_SIZE];
    struct ock_dataset *dataset = NULL;
    ock_dataset_path(cache->engine, path, id);
    enum ock_status status = ock_dataset_open(&dataset, path, err);
    if (status == OCK_NOTFOUND) /* of a dataset that the store has: not the client's fault */
        return ock_fail(err, OCK_CORRUPT, "the dataset's file %s is gone", path);
    if (status != OCK_OK)
        return status;
    slot_close(slot);
    slot->dataset = dataset;
    (void)snprintf(slot->id, sizeof(slot->id), "%s", id);
    return OCK_OK;
}

enum ock_status ock_dataset_cache_get(struct ock_dataset_cache *cache, const char *id,
                                      const struct ock_dataset **out, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    (void)pthread_mutex_lock(&cache->mutex);
    struct slot *slot = find_slot(cache, id);
    if (!slot)
        status = ock_fail(err, OCK_LIMIT, "more than %d datasets are in use at once", SLOTS);
    else if (!slot->dataset || strcmp(slot->id, id) != 0)
        status = open_slot(cache, slot, id, err);
    if (status == OCK_OK) {
        slot->users++;
        slot->used = ++cache->clock;
        *out = slot->dataset;
    }
    (void)pthread_mutex_unlock(&cache->mutex);
    return status;
}

void ock_dataset_cache_release(struct ock_dataset_cache *cache, const struct ock_dataset *dataset)
{
    if (!dataset)
        return;
    (void)pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->dataset != dataset)
            continue;
        slot->users--;
        if (slot->users == 0 && slot->id[0] == '\0')
            slot_close(slot);
    }
    (void)pthread_mutex_unlock(&cache->mutex);
}

void ock_dataset_cache_forget(struct ock_dataset_cache *cache, const char *id)
{
    (void)pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (!slot->dataset || strcmp(slot->id, id) != 0)
            continue;
        slot->id[0] = '\0';
        if (slot->users == 0)
            slot_close(slot);
    }
    (void)pthread_mutex_unlock(&cache->mutex);
}
