/* What the tests of searches share: a place with data, and what a search came to. */
#ifndef OCK_TESTS_TUNE_KIT_H
#define OCK_TESTS_TUNE_KIT_H

#include "tests/unit/job_kit.h"

struct place {
    char directory[KIT_PATH_SIZE], data[KIT_PATH_SIZE], checkpoint[KIT_PATH_SIZE];
    char best[KIT_PATH_SIZE];
};

static inline void place_make(struct place *place, const char *table, const char *target)
{
    kit_directory(place->directory);
    kit_path(place->data, place->directory, "data.ockds");
    kit_path(place->checkpoint, place->directory, "checkpoint");
    kit_path(place->best, place->directory, "best.safetensors");
    kit_import(table, target, place->data);
}

static inline size_t count_of(const struct kit *kit, const char *type)
{
    size_t count = 0;
    for (size_t i = 0; i < kit->count; i++)
        count += strcmp(kit->events[i].type, type) == 0;
    return count;
}

/* The document "tuning". */
static inline const cJSON *table_of(const struct kit *kit)
{
    for (size_t i = kit->count; i-- > 0;) {
        if (strcmp(kit->events[i].key, "document:tuning") == 0)
            return kit->events[i].body;
    }
    ck_abort_msg("no table");
    return NULL;
}

/* The figures and weights of all trials and the refit's last weights, as one text. */
static inline void fingerprint(const struct kit *kit, struct ock_buf *out)
{
    ock_buf_init(out, OCK_MIB);
    const cJSON *trials = ock_json_get(table_of(kit), "trials");
    char *text = cJSON_PrintUnformatted(trials);
    ock_buf_puts(out, text);
    free(text);
    const cJSON *end = kit_event(kit, "end", 0);
    text = cJSON_PrintUnformatted(ock_json_get(end, "tuning"));
    ock_buf_puts(out, text);
    free(text);
    const cJSON *latest = ock_json_get(end, "latest"); /* its event may be an earlier piece's */
    if (cJSON_IsObject(latest))
        ock_buf_puts(out, kit_text(latest, "weights_sha256"));
}

#endif
