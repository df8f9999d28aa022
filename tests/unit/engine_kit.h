/* For tests of the engine: a real engine with real worker processes on a directory of its own. */
#ifndef OCK_TESTS_ENGINE_KIT_H
#define OCK_TESTS_ENGINE_KIT_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/json.h"
#include "core/base/limits.h"
#include "server/engine.h"
#include "server/log.h"

enum { KIT_WAIT_MS = 60000, KIT_STEP_MS = 2, KIT_EPOCHS_MAX = 512 };

static char kit_dir[64];
static const char *kit_worker = OCK_BINARY_DIR "/ockham-worker";

static inline void kit_make_dir(void)
{
    ock_log_set_level(OCK_LOG_ERROR);
    (void)snprintf(kit_dir, sizeof(kit_dir), "/tmp/ock-engine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(kit_dir));
}

/* Directories of an engine are two levels deep. */
static inline void kit_remove_tree(const char *path)
{
    char command[160];
    pid_t child = fork();
    (void)snprintf(command, sizeof(command), "%s", path);
    if (child == 0) {
        execlp("rm", "rm", "-rf", command, (char *)NULL);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

static inline void kit_remove_dir(void)
{
    kit_remove_tree(kit_dir);
}

static inline struct ock_engine *kit_open_with(struct ock_engine_config config)
{
    struct ock_engine *engine = NULL;
    struct ock_err err = {0};
    config.data_dir = kit_dir;
    if (!config.worker_path)
        config.worker_path = kit_worker;
    ck_assert_msg(ock_engine_open(&engine, &config, &err) == OCK_OK, "%s", err.text);
    return engine;
}

static inline struct ock_engine *kit_open(void)
{
    return kit_open_with((struct ock_engine_config){.cores = 2, .memory_bytes = OCK_GIB});
}

static inline cJSON *kit_parse(const char *text)
{
    cJSON *json = cJSON_Parse(text);
    ck_assert_msg(json != NULL, "not JSON: %.200s", text);
    return json;
}

static inline const char *kit_text(const cJSON *json, const char *key)
{
    const cJSON *item = ock_json_get(json, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* The dataset's JSON; *http is the answer's status (0: a problem, kept in *problem). */
static inline cJSON *kit_upload_bytes(struct ock_engine *engine,
                                      const struct ock_upload_options *options, const void *bytes,
                                      size_t size, int *http, struct ock_problem *problem)
{
    struct ock_upload *upload = NULL;
    struct ock_buf out;
    cJSON *json = NULL;
    *http = 0;
    ock_buf_init(&out, 16 * OCK_MIB);
    memset(problem, 0, sizeof(*problem));
    if (ock_upload_begin(engine, &upload, options, problem)) {
        ck_assert(ock_upload_add(upload, bytes, size, problem));
        if (ock_upload_finish(upload, KIT_WAIT_MS, &out, http, problem))
            json = kit_parse(out.data);
    }
    ock_buf_deinit(&out);
    return json;
}

static inline void kit_upload_digits(struct ock_engine *engine)
{
    static char bytes[1 << 17];
    struct ock_problem problem;
    int http, fd = open(OCK_TEST_DATA "/digits.csv.gz", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ssize_t size = read(fd, bytes, sizeof(bytes));
    ck_assert_int_gt(size, 0);
    (void)close(fd);
    struct ock_upload_options options = {.name = "digits", .target = "-1"};
    cJSON *json = kit_upload_bytes(engine, &options, bytes, (size_t)size, &http, &problem);
    ck_assert_msg(http == 201, "upload: %d %s", problem.status, problem.detail);
    cJSON_Delete(json);
}

enum { KIT_LARGE_ROWS = 400000 };

/* A table that takes a while: owned by the caller. */
static inline char *kit_large_table(size_t *size)
{
    struct ock_buf text;
    ock_buf_init(&text, 64 * OCK_MIB);
    ock_buf_puts(&text, "a,b,c,d,label\n");
    for (int i = 0; i < KIT_LARGE_ROWS; i++)
        ock_buf_printf(&text, "%d,%d,%d.5,%d,%d\n", i, i % 7, i % 11, i * 3, i % 3);
    *size = text.size;
    char *out = ock_buf_take(&text);
    ck_assert_ptr_nonnull(out);
    return out;
}

/* The answer's status; it comes as soon as the import is promised. */
static inline int kit_upload_at_once(struct ock_engine *engine, const char *name,
                                     const char *target, const char *bytes, size_t size,
                                     char id[OCK_ID_SIZE])
{
    struct ock_upload *upload = NULL;
    struct ock_buf out;
    int http = 0;
    static struct ock_problem problem;
    const struct ock_upload_options options = {.name = name, .target = target};
    ock_buf_init(&out, 16 * OCK_MIB);
    ck_assert(ock_upload_begin(engine, &upload, &options, &problem));
    ck_assert(ock_upload_add(upload, bytes, size, &problem));
    ck_assert(ock_upload_finish(upload, 0, &out, &http, &problem));
    cJSON *json = kit_parse(out.data);
    (void)snprintf(id, OCK_ID_SIZE, "%s", kit_text(json, "id"));
    cJSON_Delete(json);
    ock_buf_deinit(&out);
    return http;
}

/* True and an id, or false and the problem. key may be NULL; else the job's JSON is appended to
 * out. */
static inline bool kit_submit_with(struct ock_engine *engine, const char *spec, const char *key,
                                   struct ock_buf *out, char id[OCK_ID_SIZE],
                                   struct ock_problem *problem)
{
    struct ock_submitted submitted = {0};
    memset(problem, 0, sizeof(*problem));
    cJSON *json = kit_parse(spec);
    const struct ock_submission submission = {
        .spec = json, .spec_text = spec, .key = key, .body_sha256 = "aaaa"};
    bool ok = ock_engine_submit(engine, &submission, out, &submitted, problem);
    cJSON_Delete(json);
    if (ok)
        memcpy(id, submitted.id, sizeof(submitted.id));
    return ok;
}

static inline bool kit_try_submit(struct ock_engine *engine, const char *spec, char id[OCK_ID_SIZE],
                                  struct ock_problem *problem)
{
    struct ock_buf out;
    ock_buf_init(&out, 64 * OCK_MIB);
    bool ok = kit_submit_with(engine, spec, NULL, &out, id, problem);
    ock_buf_deinit(&out);
    return ok;
}

static inline void kit_submit(struct ock_engine *engine, const char *spec, char id[OCK_ID_SIZE])
{
    static struct ock_problem problem;
    bool ok = kit_try_submit(engine, spec, id, &problem);
    ck_assert_msg(ok, "submit: %d %s %s %s", problem.status, problem.detail,
                  problem.faults.count ? problem.faults.items[0].pointer : "",
                  problem.faults.count ? problem.faults.items[0].detail : "");
}

static inline cJSON *kit_job(struct ock_engine *engine, const char *id)
{
    static struct ock_problem problem;
    struct ock_buf out;
    ock_buf_init(&out, 64 * OCK_MIB);
    ck_assert_msg(ock_engine_job(engine, id, &out, NULL, &problem), "%s", problem.detail);
    cJSON *json = kit_parse(out.data);
    ock_buf_deinit(&out);
    return json;
}

static inline double kit_number(const cJSON *json, const char *key)
{
    const cJSON *item = ock_json_get(json, key);
    ck_assert_msg(cJSON_IsNumber(item), "%s is no number", key);
    return item->valuedouble;
}

static inline bool kit_has_ended(const cJSON *job)
{
    const char *status = kit_text(job, "status");
    return strcmp(status, "succeeded") == 0 || strcmp(status, "failed") == 0 ||
           strcmp(status, "cancelled") == 0;
}

static inline cJSON *kit_dataset(struct ock_engine *engine, const char *id)
{
    static struct ock_problem problem;
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ck_assert_msg(ock_engine_dataset(engine, id, &out, &problem), "%s", problem.detail);
    cJSON *json = kit_parse(out.data);
    ock_buf_deinit(&out);
    return json;
}

/* Whether the dataset's status is this. */
static inline bool kit_is(struct ock_engine *engine, const char *id, const char *status)
{
    cJSON *json = kit_dataset(engine, id);
    bool same = strcmp(kit_text(json, "status"), status) == 0;
    cJSON_Delete(json);
    return same;
}

static inline void kit_sleep(void)
{
    struct timespec step = {.tv_nsec = KIT_STEP_MS * 1000000L};
    (void)nanosleep(&step, NULL);
}

/* Waits until the job's status is `status` (NULL: ended) and its latest epoch at least `epoch`. */
static inline cJSON *kit_wait(struct ock_engine *engine, const char *id, const char *status,
                              int epoch)
{
    for (int waited = 0; waited < KIT_WAIT_MS; waited += KIT_STEP_MS) {
        cJSON *job = kit_job(engine, id);
        bool there = status ? strcmp(kit_text(job, "status"), status) == 0 : kit_has_ended(job);
        int latest = (int)kit_number(ock_json_get(job, "progress"), "epoch");
        if (there && latest >= epoch)
            return job;
        ck_assert_msg(!kit_has_ended(job), "%s ended: %s", id, kit_text(job, "status"));
        cJSON_Delete(job);
        kit_sleep();
    }
    ck_abort_msg("%s is not %s after %d ms", id, status ? status : "ended", KIT_WAIT_MS);
    return NULL;
}

static inline void kit_wait_and_forget(struct ock_engine *engine, const char *id,
                                       const char *status, int epoch)
{
    cJSON_Delete(kit_wait(engine, id, status, epoch));
}

/* All events, as an array; checks that seq counts from 1 without gaps and that `end`, if it is
 * there, is the last. */
static inline cJSON *kit_events(struct ock_engine *engine, const char *id)
{
    static struct ock_problem problem;
    cJSON *all = cJSON_CreateArray();
    uint64_t last = 0;
    bool ended = false;
    for (;;) {
        struct ock_buf out;
        uint64_t before = last;
        ock_buf_init(&out, 64 * OCK_MIB);
        ck_assert_msg(
            ock_engine_events(engine, id, before, 7, OCK_MIB, &out, &last, &ended, &problem), "%s",
            problem.detail);
        char *line = out.data;
        for (uint64_t seq = before + 1; seq <= last; seq++) {
            char *end = strchr(line, '\n');
            ck_assert_ptr_nonnull(end);
            *end = '\0';
            cJSON *event = kit_parse(line);
            ck_assert_uint_eq((uint64_t)kit_number(event, "seq"), seq);
            ck_assert_str_eq(kit_text(event, "job"), id);
            cJSON_AddItemToArray(all, event);
            line = end + 1;
        }
        ock_buf_deinit(&out);
        if (last == before)
            break;
    }
    int count = cJSON_GetArraySize(all);
    for (int i = 0; i < count; i++) {
        bool is_end = strcmp(kit_text(cJSON_GetArrayItem(all, i), "type"), "end") == 0;
        ck_assert(!is_end || i == count - 1);
        ck_assert(!ended || i < count - 1 || is_end);
    }
    return all;
}

static inline int kit_count(const cJSON *events, const char *type)
{
    int count = 0;
    const cJSON *event = NULL;
    cJSON_ArrayForEach(event, events) count += strcmp(kit_text(event, "type"), type) == 0;
    return count;
}

/* The weights_sha256 of each epoch, one after the other; epochs are 1..n, each once. */
static inline void kit_hashes(struct ock_engine *engine, const char *id, char *out, size_t size)
{
    cJSON *events = kit_events(engine, id);
    const cJSON *event = NULL;
    int epoch = 0;
    out[0] = '\0';
    size_t used = 0;
    cJSON_ArrayForEach(event, events)
    {
        if (strcmp(kit_text(event, "type"), "epoch") != 0)
            continue;
        ck_assert_int_eq((int)kit_number(event, "epoch"), ++epoch);
        const char *hash = kit_text(event, "weights_sha256");
        ck_assert_uint_eq(strlen(hash), 64);
        ck_assert_uint_lt(used + 65, size);
        memcpy(out + used, hash, 65);
        used += 64;
    }
    cJSON_Delete(events);
}

/* Calls take for each process that is a child of this one; they are listed by the thread that made
 * them. */
static inline void kit_each_child(void (*take)(pid_t pid, void *ctx), void *ctx)
{
    char path[300], text[4096];
    DIR *tasks = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(tasks);
    for (;;) {
        const struct dirent *task = readdir(tasks);
        if (!task)
            break;
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/children", task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (!file)
            continue;
        size_t got = fread(text, 1, sizeof(text) - 1, file);
        (void)fclose(file);
        text[got] = '\0';
        char *at = text, *end;
        for (long pid = strtol(at, &end, 10); end > at; pid = strtol(at, &end, 10)) {
            take((pid_t)pid, ctx);
            at = end;
        }
    }
    (void)closedir(tasks);
}

static inline void kit_keep_pid(pid_t pid, void *ctx)
{
    *(pid_t *)ctx = pid;
}

/* The process id of the only worker that is a child of this process; 0: none. */
static inline pid_t kit_worker_pid(void)
{
    pid_t found = 0;
    kit_each_child(kit_keep_pid, &found);
    return found;
}

static inline void kit_signal_one(pid_t pid, void *ctx)
{
    (void)kill(pid, *(const int *)ctx);
}

static inline void kit_signal_children(int number)
{
    kit_each_child(kit_signal_one, &number);
}

/* A table that is sent in no time and takes a while to import: packed long numbers. */
static inline char *kit_long_import(size_t *size)
{
    static char rows[1 << 20];
    /* Under sanitizers an import takes many times as long. */
    enum { PIECES = OCK_TEST_STRIDE > 1 ? 6 : 20, PACKED_MAX = 1 << 20 };
    static const char row[] = "0.1234567890123456789012345678901,0\n0.3,1\n";
    size_t used = 0;
    for (; used + sizeof(row) <= sizeof(rows); used += sizeof(row) - 1)
        memcpy(rows + used, row, sizeof(row) - 1);
    unsigned char *out = malloc(PACKED_MAX);
    z_stream z = {.next_out = out, .avail_out = PACKED_MAX};
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t) "a,label\n";
    z.avail_in = 8;
    ck_assert_int_eq(deflate(&z, Z_NO_FLUSH), Z_OK);
    for (int i = 0; i < PIECES; i++) {
        z.next_in = (Bytef *)rows;
        z.avail_in = (uInt)used;
        int result = deflate(&z, i + 1 < PIECES ? Z_NO_FLUSH : Z_FINISH);
        ck_assert_int_eq(result, i + 1 < PIECES ? Z_OK : Z_STREAM_END);
    }
    *size = PACKED_MAX - z.avail_out;
    ck_assert_int_eq(deflateEnd(&z), Z_OK);
    return (char *)out;
}

static inline void kit_count_one(pid_t pid, void *ctx)
{
    (void)pid;
    ++*(size_t *)ctx;
}

static inline size_t kit_children(void)
{
    size_t count = 0;
    kit_each_child(kit_count_one, &count);
    return count;
}

/* All turns are taken: by two large imports, stopped until kit_signal_children(SIGCONT). */
static inline void kit_hold_imports(struct ock_engine *engine)
{
    size_t size;
    char other[OCK_ID_SIZE];
    char *large = kit_long_import(&size);
    for (size_t held = 0, tries = 0; held < 2;) {
        char name[32];
        size_t before = kit_children();
        (void)snprintf(name, sizeof(name), "large-%zu", ++tries);
        ck_assert_int_eq(kit_upload_at_once(engine, name, "label", large, size, other), 202);
        /* Its process is started by another thread, and may be over before it is seen. */
        for (int waited = 0; waited < 500 && kit_children() == before; waited += KIT_STEP_MS)
            kit_sleep();
        kit_signal_children(SIGSTOP);
        kit_sleep();
        held += kit_children() > before;
    }
    free(large);
}

static inline bool kit_act(struct ock_engine *engine, const char *id, const char *action, int *http)
{
    static struct ock_problem problem;
    struct ock_buf out;
    ock_buf_init(&out, 16 * OCK_MIB);
    memset(&problem, 0, sizeof(problem));
    bool ok = ock_engine_act(engine, id, action, http, &out, &problem);
    if (!ok)
        *http = problem.status;
    ock_buf_deinit(&out);
    return ok;
}

#endif
