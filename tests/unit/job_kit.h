/* For tests of whole jobs: runs a spec on a dataset file and keeps the events. */
#ifndef OCK_TESTS_JOB_KIT_H
#define OCK_TESTS_JOB_KIT_H

#include <check.h>
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/data/import.h"
#include "core/train/job.h"

enum { KIT_EVENTS_MAX = 20000, KIT_PATH_SIZE = 256 };

struct kit_event {
    char type[16];
    char key[64];
    cJSON *body;
};

struct kit {
    /* Set before kit_run: */
    const char *train, *validation, *test, *init, *checkpoint, *best, *last; /* paths or NULL */
    const char *kernels;
    uint32_t threads;
    size_t tile_rows;
    uint64_t pause_after; /* minibatches of this run; 0: never */
    uint64_t stop_after;
    uint64_t checkpoint_after;
    uint64_t told_step;
    uint64_t pause_at, stop_at; /* calls of peek in this run; 0: never */
    bool may_fail;              /* an error is kept in status; else it fails the test */
    const char *pending;        /* the lines that a checkpoint carries, or NULL */
    /* Set by it: */
    enum ock_status status;
    enum ock_outcome outcome;
    char restored[256]; /* the lines that a checkpoint brought back */
    size_t count;
    struct kit_event *events;
    atomic_uint_fast64_t polls, peeks; /* a search's lanes ask side by side */
    uint64_t peeks_of_epochs;          /* up to the last epoch event */
};

static enum ock_status kit_take(void *ctx, const struct ock_event *event, struct ock_err *err)
{
    (void)err;
    struct kit *kit = ctx;
    ck_assert_uint_lt(kit->count, KIT_EVENTS_MAX);
    struct kit_event *out = &kit->events[kit->count++];
    (void)snprintf(out->type, sizeof(out->type), "%s", event->type);
    (void)snprintf(out->key, sizeof(out->key), "%s", event->key);
    if (strcmp(event->type, "epoch") == 0)
        kit->peeks_of_epochs = kit->peeks;
    out->body = cJSON_Parse(event->body);
    ck_assert_msg(out->body != NULL, "not JSON: %s", event->body);
    return OCK_OK;
}

static enum ock_command kit_poll(void *ctx)
{
    struct kit *kit = ctx;
    uint64_t polls = ++kit->polls;
    if (kit->pause_at > 0 && kit->peeks >= kit->pause_at)
        return OCK_COMMAND_PAUSE;
    if (kit->pause_after > 0 && polls == kit->pause_after)
        return OCK_COMMAND_PAUSE;
    if (kit->stop_after > 0 && polls == kit->stop_after)
        return OCK_COMMAND_STOP;
    if (kit->checkpoint_after > 0 && polls == kit->checkpoint_after)
        return OCK_COMMAND_CHECKPOINT;
    return OCK_GO_ON;
}

/* A command that was peeked at goes on waiting. */
static enum ock_command kit_peek(void *ctx)
{
    struct kit *kit = ctx;
    kit->peeks++;
    if (kit->pause_at > 0 && kit->peeks >= kit->pause_at)
        return OCK_COMMAND_PAUSE;
    if (kit->stop_at > 0 && kit->peeks >= kit->stop_at)
        return OCK_COMMAND_STOP;
    return OCK_GO_ON;
}

static void kit_pending(void *ctx, struct ock_buf *out)
{
    const struct kit *kit = ctx;
    if (kit->pending)
        ock_buf_puts(out, kit->pending);
}

static enum ock_status kit_restore(void *ctx, const char *bytes, size_t size, struct ock_err *err)
{
    (void)err;
    struct kit *kit = ctx;
    ck_assert_uint_lt(size, sizeof(kit->restored));
    (void)snprintf(kit->restored, sizeof(kit->restored), "%.*s", (int)size, bytes);
    return OCK_OK;
}

__attribute__((unused)) static void kit_free(struct kit *kit)
{
    for (size_t i = 0; i < kit->count; i++)
        cJSON_Delete(kit->events[i].body);
    free(kit->events);
    kit->events = NULL;
    kit->count = 0;
    kit->polls = 0;
    kit->peeks = 0;
}

/* Runs the job; spec faults fail the test. */
__attribute__((unused)) static void kit_run(struct kit *kit, const char *spec_text)
{
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    struct ock_spec *spec = NULL;
    cJSON *json = NULL;
    kit_free(kit);
    kit->events = calloc(KIT_EVENTS_MAX, sizeof(*kit->events));
    ck_assert_int_eq(ock_json_parse(&json, spec_text, strlen(spec_text), faults, &err), OCK_OK);
    enum ock_status status = ock_spec_parse(&spec, json, false, faults, &err);
    ck_assert_msg(status == OCK_OK, "%s: %s", faults->items[0].pointer, faults->items[0].detail);
    struct ock_job job = {.spec = spec,
                          .train_path = kit->train,
                          .validation_path = kit->validation,
                          .test_path = kit->test,
                          .init_path = kit->init,
                          .checkpoint_path = kit->checkpoint,
                          .best_path = kit->best,
                          .last_path = kit->last,
                          .told_step = kit->told_step,
                          .threads = kit->threads,
                          .kernels = kit->kernels,
                          .tile_rows = kit->tile_rows};
    struct ock_job_hooks hooks = {.ctx = kit,
                                  .event = kit_take,
                                  .poll = kit_poll,
                                  .peek = kit_peek,
                                  .pending = kit_pending,
                                  .restore = kit_restore};
    kit->restored[0] = '\0';
    kit->status = ock_job_run(&job, &hooks, &kit->outcome, &err);
    ck_assert_msg(kit->status == OCK_OK || kit->may_fail, "%s", err.text);
    ock_spec_free(spec);
    cJSON_Delete(json);
    free(faults);
}

/* The n-th event of a type (from 0; -1: the last), NULL if there is none. */
__attribute__((unused)) static const cJSON *kit_event(const struct kit *kit, const char *type,
                                                      int n)
{
    const cJSON *found = NULL;
    for (size_t i = 0; i < kit->count; i++) {
        if (strcmp(kit->events[i].type, type) != 0)
            continue;
        found = kit->events[i].body;
        if (n-- == 0)
            return found;
    }
    return n < 0 ? found : NULL;
}

/* A number by its path ("train.data_loss") in an event body. */
__attribute__((unused)) static double kit_number(const cJSON *body, const char *path)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s", path);
    char *rest = text;
    for (char *dot = strchr(rest, '.'); dot; dot = strchr(rest, '.')) {
        *dot = '\0';
        body = ock_json_get(body, rest);
        rest = dot + 1;
    }
    const cJSON *item = ock_json_get(body, rest);
    ck_assert_msg(cJSON_IsNumber(item), "no number %s", path);
    return item->valuedouble;
}

__attribute__((unused)) static const char *kit_text(const cJSON *body, const char *key)
{
    const cJSON *item = ock_json_get(body, key);
    ck_assert_msg(cJSON_IsString(item), "no text %s", key);
    return item->valuestring;
}

/* A directory of the test's own; its name is in path. */
static void kit_directory(char path[KIT_PATH_SIZE])
{
    (void)snprintf(path, KIT_PATH_SIZE, "/tmp/ockham-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

/* Removes the files in it. */
static void kit_empty(const char *directory)
{
    char path[2 * KIT_PATH_SIZE + 256];
    DIR *dir = opendir(directory);
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        (void)unlink(path); /* "." and ".." stay */
    }
    (void)closedir(dir);
}

static void kit_remove(const char *directory)
{
    kit_empty(directory);
    (void)rmdir(directory);
}

static void kit_path(char out[KIT_PATH_SIZE], const char *directory, const char *name)
{
    int length = snprintf(out, KIT_PATH_SIZE, "%.200s/%s", directory, name);
    ck_assert_int_lt(length, KIT_PATH_SIZE);
}

/* Imports a table of tests/data. */
__attribute__((unused)) static void kit_import(const char *name, const char *target,
                                               const char *out)
{
    char source[512];
    struct ock_err err = {0};
    (void)snprintf(source, sizeof(source), OCK_TEST_DATA "/%s", name);
    struct ock_import import = {.source = source, .out = out, .target = target};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
}

#endif
