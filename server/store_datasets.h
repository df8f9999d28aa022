/* Datasets, idempotency keys and model bytes in the store. */
#ifndef OCK_SERVER_STORE_DATASETS_H
#define OCK_SERVER_STORE_DATASETS_H

#include "core/base/buf.h"
#include "server/engine.h"
#include "server/store.h"

enum { OCK_DATASET_NAME_SIZE = 65, OCK_OPTIONS_SIZE = 4096 };

/* A dataset's row; `schema` is what ock_schema_write made. */
struct ock_dataset_row {
    char id[OCK_ID_SIZE];
    char name[OCK_DATASET_NAME_SIZE];
    char status[16]; /* incomplete, preparing, ready, failed */
    int64_t created_ms;
    uint64_t rows, bytes;
    char sha256[65];        /* of the content; "" until it is ready */
    char source_sha256[65]; /* of the table or x, "" if it is not there */
    char labels_sha256[65];
    char options[OCK_OPTIONS_SIZE]; /* JSON */
    char error[512];                /* of a failed one */
};

/* Stores or replaces the row of row->id. replace: another dataset of that name loses it.
 * schema may be NULL. Errors: CONFLICT (the name is taken). */
enum ock_status ock_store_put_dataset(struct ock_db *db, const struct ock_dataset_row *row,
                                      const char *schema, bool replace, struct ock_err *err);
/* By id, or by name among those that have theirs. Errors: NOTFOUND. */
enum ock_status ock_store_find_dataset(struct ock_db *db, const char *id_or_name,
                                       struct ock_dataset_row *out, struct ock_err *err);
/* Appends the dataset's JSON. Errors: NOTFOUND. */
enum ock_status ock_store_dataset_json(struct ock_db *db, const char *id, struct ock_buf *out,
                                       struct ock_err *err);
/* {"items": […]}, newest first, without columns. */
enum ock_status ock_store_datasets_json(struct ock_db *db, struct ock_buf *out,
                                        struct ock_err *err);
/* Errors: NOTFOUND, CONFLICT (a job that has not ended uses it). */
enum ock_status ock_store_delete_dataset(struct ock_db *db, const char *id, struct ock_err *err);
/* Calls take for every name or (status not NULL) every id of that status. */
enum ock_status ock_store_each_dataset(struct ock_db *db, const char *status,
                                       void (*take)(void *ctx, const char *id, const char *name),
                                       void *ctx, struct ock_err *err);

/* A model's bytes: appended to out, or (is_file) in the job's directory. name is the job's.
 * which NULL: best. Errors: NOTFOUND. */
struct ock_model_row {
    bool is_file;
    char which[8];
    char sha256[65];
    uint64_t bytes;
    char name[256];
};
enum ock_status ock_store_model(struct ock_db *db, const char *id, const char *which,
                                struct ock_model_row *out, struct ock_buf *bytes,
                                struct ock_err *err);

/* Which models of the job are files in its directory: those that a row names. */
struct ock_model_files {
    bool best, last;
};
enum ock_status ock_store_model_files(struct ock_db *db, const char *id,
                                      struct ock_model_files *out, struct ock_err *err);

/* Idempotency keys. *found false: there is none (or it is older than a day). */
struct ock_key_row {
    char body_sha256[65];
    int status;
    char job[OCK_ID_SIZE];
};
enum ock_status ock_store_find_key(struct ock_db *db, const char *key, struct ock_key_row *out,
                                   struct ock_buf *body, bool *found, struct ock_err *err);
enum ock_status ock_store_put_key(struct ock_db *db, const char *key, const struct ock_key_row *row,
                                  const char *body, struct ock_err *err);

#endif
