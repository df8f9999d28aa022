/* Open datasets of the server: mapped once, shared, kept for the next job. */
#ifndef OCK_SERVER_DATASET_CACHE_H
#define OCK_SERVER_DATASET_CACHE_H

#include "core/data/dataset.h"
#include "server/engine_private.h"

struct ock_dataset_cache;

enum ock_status ock_dataset_cache_new(struct ock_dataset_cache **out, struct ock_engine *engine,
                                      struct ock_err *err);
void ock_dataset_cache_free(struct ock_dataset_cache *cache); /* NULL is a no-op */

/* The open dataset of an id; borrowed until ock_dataset_cache_release. Errors: CORRUPT
 * (its file is damaged or gone), LIMIT, IO, NOMEM. Thread-safe. */
enum ock_status ock_dataset_cache_get(struct ock_dataset_cache *cache, const char *id,
                                      const struct ock_dataset **out, struct ock_err *err);
void ock_dataset_cache_release(struct ock_dataset_cache *cache, const struct ock_dataset *dataset);
/* A deleted dataset: closed as soon as nobody uses it. */
void ock_dataset_cache_forget(struct ock_dataset_cache *cache, const char *id);

#endif
