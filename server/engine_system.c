/* The service's own facts. */
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/kernels/kernels.h"
#include "server/disk.h"
#include "server/ids.h"
#include "server/runner.h"

unsigned ock_engine_cores_free(const struct ock_engine *engine)
{
    unsigned used = 0;
    size_t memory_bytes, running;
    ock_runner_usage(engine->runner, &used, &memory_bytes, &running);
    return used < engine->cores ? engine->cores - used : 1;
}

static void write_budgets(struct ock_jsonw *w, struct ock_engine *engine)
{
    unsigned cores = 0;
    size_t memory_bytes = 0, running = 0;
    ock_runner_usage(engine->runner, &cores, &memory_bytes, &running);
    ock_jsonw_uint(w, "cores", engine->cores);
    ock_jsonw_uint(w, "cores_used", cores);
    ock_jsonw_uint(w, "memory_bytes", engine->memory_bytes);
    ock_jsonw_uint(w, "memory_reserved_bytes", memory_bytes);
    ock_jsonw_uint(w, "running", running);
    ock_jsonw_bool(w, "cgroups", engine->cgroups.version > 0);
}

static void write_disk(struct ock_jsonw *w, const struct ock_engine *engine)
{
    struct ock_disk disk;
    if (!ock_disk_look(&disk, engine->data_dir))
        return;
    ock_jsonw_object(w, "disk_bytes");
    ock_jsonw_uint(w, "total", disk.total_bytes);
    ock_jsonw_uint(w, "free", disk.free_bytes);
    ock_jsonw_uint(w, "low", ock_disk_low_bytes(&disk));
    ock_jsonw_end_object(w);
}

static void write_jobs(struct ock_jsonw *w, const uint64_t counts[OCK_JOB_STATUS_COUNT])
{
    ock_jsonw_object(w, "jobs");
    for (int i = 0; i < OCK_JOB_STATUS_COUNT; i++)
        ock_jsonw_uint(w, ock_job_status_name((enum ock_job_status)i), counts[i]);
    ock_jsonw_end_object(w);
}

/* 0 is no limit, said as null. */
static void write_limit(struct ock_jsonw *w, const char *key, double value)
{
    if (value > 0)
        ock_jsonw_double(w, key, value);
    else
        ock_jsonw_null(w, key);
}

static void write_limits(struct ock_jsonw *w, const struct ock_engine *engine)
{
    ock_jsonw_object(w, "limits");
    ock_jsonw_uint(w, "queue", engine->queue_max);
    ock_jsonw_uint(w, "upload_bytes", engine->upload_bytes_max);
    ock_jsonw_uint(w, "json_bytes", OCK_JSON_BYTES_MAX);
    ock_jsonw_uint(w, "event_bytes", OCK_EVENT_BYTES_MAX);
    write_limit(w, "keep_jobs", (double)engine->keep.jobs);
    write_limit(w, "keep_days", engine->keep.days);
    write_limit(w, "keep_bytes", (double)engine->keep.bytes);
    write_limit(w, "keep_events", (double)engine->keep.events);
    ock_jsonw_end_object(w);
}

unsigned ock_engine_degraded(struct ock_engine *engine)
{
    struct ock_disk disk;
    bool known = ock_disk_look(&disk, engine->data_dir);
    bool low = !known || ock_disk_is_low(&disk, atomic_load(&engine->disk_low)) ||
               ock_store_is_full(engine->store);
    unsigned degraded = low ? OCK_DEGRADED_DISK : 0;
    return ock_store_is_damaged(engine->store) ? degraded | OCK_DEGRADED_STORE : degraded;
}

void ock_engine_degraded_write(unsigned degraded, struct ock_buf *out)
{
    static const char *const names[] = {"disk", "store"};
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_array(&w, NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (degraded & 1u << i)
            ock_jsonw_string(&w, NULL, names[i]);
    }
    ock_jsonw_end_array(&w);
}

static void write_degraded(struct ock_jsonw *w, struct ock_engine *engine)
{
    struct ock_buf list;
    ock_buf_init(&list, 1024);
    ock_engine_degraded_write(ock_engine_degraded(engine), &list);
    if (ock_buf_status(&list, NULL) == OCK_OK)
        ock_jsonw_raw(w, "degraded", list.data);
    ock_buf_deinit(&list);
}

bool ock_engine_system(struct ock_engine *engine, struct ock_buf *out, struct ock_problem *problem)
{
    struct ock_err err = {0};
    size_t begin = out->size;
    uint64_t counts[OCK_JOB_STATUS_COUNT] = {0};
    struct ock_db *db = ock_store_read(engine->store, &err);
    enum ock_status status = db ? ock_store_count_jobs(db, counts, &err) : err.status;
    if (db)
        ock_store_read_end(engine->store, db);
    if (status == OCK_OK) {
        struct ock_jsonw w = ock_jsonw_make(out);
        ock_jsonw_object(&w, NULL);
        ock_jsonw_string(&w, "version", OCK_VERSION);
        ock_jsonw_string(&w, "numerics", ock_kernels_numerics(ock_kernels_get(NULL)));
        write_budgets(&w, engine);
        write_disk(&w, engine);
        write_jobs(&w, counts);
        ock_jsonw_uint(&w, "waiting", atomic_load(&engine->waiting));
        write_limits(&w, engine);
        write_degraded(&w, engine);
        ock_jsonw_bool(&w, "draining", atomic_load(&engine->draining));
        ock_jsonw_double(&w, "uptime_s", (double)(ock_now_ms() - engine->opened_ms) / 1000);
        ock_jsonw_end_object(&w);
        status = ock_buf_status(out, &err);
    }
    if (status == OCK_OK)
        return true;
    ock_answer_undo(out, begin);
    ock_problem_from_err(problem, &err);
    return false;
}

void ock_engine_meters(struct ock_engine *engine, struct ock_buf *out)
{
    unsigned cores = 0;
    size_t memory_bytes = 0, running = 0;
    ock_runner_usage(engine->runner, &cores, &memory_bytes, &running);
    ock_meters_write(&engine->meters, out);
    ock_buf_printf(out,
                   "# HELP ockham_cores Cores for training, by whether a job has them.\n"
                   "# TYPE ockham_cores gauge\n"
                   "ockham_cores{state=\"used\"} %u\nockham_cores{state=\"free\"} %u\n"
                   "# HELP ockham_memory_reserved_bytes Memory that running jobs may need.\n"
                   "# TYPE ockham_memory_reserved_bytes gauge\n"
                   "ockham_memory_reserved_bytes %zu\n",
                   cores, engine->cores > cores ? engine->cores - cores : 0, memory_bytes);
}
