/* The table of routes. What is not in it is not there: 404, or 405 with Allow. */
#include "server/handlers/handlers.h"

static const struct ock_parameter
    format_file = {"format",
                   OCK_PARAMETER_CHOICE,
                   0,
                   0,
                   "csv,idx",
                   "the file's format; found from Content-Type or the content if left out"},
    target = {"target",
              OCK_PARAMETER_TEXT,
              0,
              0,
              NULL,
              "the target column: its name, else its position from 0, negative from the end"},
    delimiter = {"delimiter", OCK_PARAMETER_TEXT, 0, 0, NULL, "one character, or tab"},
    header = {"header", OCK_PARAMETER_BOOL, 0, 0, NULL, "whether the first line has the names"},
    replace = {"replace", OCK_PARAMETER_BOOL,
               0,         0,
               NULL,      "give a taken name to the new data, under a new id"},
    stream = {"stream", OCK_PARAMETER_BOOL,
              0,        0,
              NULL,     "answer with the job's events as they come"},
    wait = {"wait", OCK_PARAMETER_WHOLE, 0, OCK_WAIT_S_MAX, NULL, "seconds to wait for"},
    status = {"status", OCK_PARAMETER_TEXT, 0, 0, NULL, "one or more, between commas"},
    label = {"label.", OCK_PARAMETER_PREFIX, 0, 0, NULL, "label.KEY=VALUE: jobs with this label"},
    limit = {"limit", OCK_PARAMETER_WHOLE, 1, 100, NULL, "how many at most; 20 if left out"},
    limit_events = {"limit", OCK_PARAMETER_WHOLE,
                    1,       10000,
                    NULL,    "how many at most in a JSON page; 100 if left out"},
    cursor = {"after", OCK_PARAMETER_TEXT, 0, 0, NULL, "the cursor `next` of the page before"},
    after = {"after", OCK_PARAMETER_WHOLE,
             0,       INT64_MAX,
             NULL,    "only events with a greater seq; Last-Event-ID goes before it"},
    format_events = {"format", OCK_PARAMETER_CHOICE, 0,
                     0,        "sse,ndjson,json",    "in place of the header field Accept"},
    names = {"names", OCK_PARAMETER_TEXT, 0, 0, NULL, "which metrics, between commas"},
    max_points = {"max_points",
                  OCK_PARAMETER_WHOLE,
                  2,
                  100000,
                  NULL,
                  "thins the epochs out; the first, the last and the best stay"},
    format_metrics = {"format", OCK_PARAMETER_CHOICE, 0,
                      0,        "json,csv",           "in place of the header field Accept"},
    which = {"which", OCK_PARAMETER_CHOICE, 0, 0, "best,last", "best if left out"},
    format_model = {"format", OCK_PARAMETER_CHOICE, 0, 0, "safetensors", "the file's format"},
    prune = {"prune", OCK_PARAMETER_BOOL, 0, 0, NULL, "not supported yet: true is a 422"};

#define PARAMETERS(...) ((const struct ock_parameter *const[]){__VA_ARGS__, NULL})
#define JSON_TYPE       "application/json"
#define DATASET_ANSWERS                                                                            \
    {                                                                                              \
        {201, JSON_TYPE, "ready; its schema"}, {200, JSON_TYPE, "the same bytes were there"},      \
        {                                                                                          \
            202, JSON_TYPE, "still being prepared"                                                 \
        }                                                                                          \
    }
#define ACTION(where_to, name, about)                                                              \
    {                                                                                              \
        .method = OCK_POST, .path = (where_to), .handle = ock_job_act, .where = OCK_ON_POOL,       \
        .operation = (name), .summary = (about), .answers = {                                      \
            {202, JSON_TYPE, "told; the job"},                                                     \
            {200, JSON_TYPE, "it is so already; the job"}                                          \
        }                                                                                          \
    }
#define UPLOAD(where_to, name, about, ...)                                                         \
    {                                                                                              \
        .method = OCK_PUT, .path = (where_to), .handle = ock_dataset_put,                          \
        .begin = ock_dataset_put_begin, .body = OCK_BODY_FILE, .where = OCK_ON_IMPORT,             \
        .parameters = PARAMETERS(__VA_ARGS__), .operation = (name), .summary = (about),            \
        .answers = DATASET_ANSWERS                                                                 \
    }
#define LOOK(where_to, handler, place, name, about, type)                                          \
    {                                                                                              \
        .method = OCK_GET, .path = (where_to), .handle = (handler), .where = (place),              \
        .operation = (name), .summary = (about), .answers = {                                      \
            {200, (type), (about)}                                                                 \
        }                                                                                          \
    }

const struct ock_route ock_routes[] = {
    UPLOAD("/v1/datasets/{id}", "putDataset", "upload a table", &format_file, &target, &delimiter,
           &header, &replace),
    UPLOAD("/v1/datasets/{name}/x", "putDatasetRows", "upload the rows of a dataset in two parts",
           &format_file, &replace),
    UPLOAD("/v1/datasets/{name}/y", "putDatasetLabels",
           "upload the targets of a dataset in two parts", &format_file, &replace),
    LOOK("/v1/datasets", ock_dataset_list, OCK_ON_POOL, "listDatasets", "all datasets", JSON_TYPE),
    LOOK("/v1/datasets/{id}", ock_dataset_get, OCK_ON_POOL, "getDataset",
         "one dataset by its id or name", JSON_TYPE),
    {.method = OCK_DELETE,
     .path = "/v1/datasets/{id}",
     .handle = ock_dataset_delete,
     .where = OCK_ON_POOL,
     .operation = "deleteDataset",
     .summary = "delete a dataset",
     .answers = {{204, NULL, "it is gone"}}},
    {.method = OCK_POST,
     .path = "/v1/jobs",
     .handle = ock_job_post,
     .body = OCK_BODY_JSON,
     .where = OCK_ON_POOL,
     .parameters = PARAMETERS(&stream, &wait),
     .operation = "createJob",
     .summary = "submit a job",
     .answers = {{202, JSON_TYPE, "the job, which waits or runs"},
                 {200, "text/event-stream", "with stream: its events; with wait: the ended job"}}},
    {.method = OCK_GET,
     .path = "/v1/jobs",
     .handle = ock_job_list,
     .where = OCK_ON_POOL,
     .parameters = PARAMETERS(&status, &label, &limit, &cursor),
     .operation = "listJobs",
     .summary = "jobs, the newest first",
     .answers = {{200, JSON_TYPE, "a page; Link has the next one"}}},
    {.method = OCK_POST,
     .path = "/v1/jobs/validate",
     .handle = ock_job_validate,
     .body = OCK_BODY_JSON,
     .where = OCK_ON_POOL,
     .operation = "validateJob",
     .summary = "check a spec and see every default filled in",
     .answers = {{200, JSON_TYPE, "the resolved spec and what it will need"}}},
    {.method = OCK_GET,
     .path = "/v1/jobs/{id}",
     .handle = ock_job_get,
     .where = OCK_ON_POOL,
     .parameters = PARAMETERS(&wait),
     .operation = "getJob",
     .summary = "one job",
     .answers = {{200, JSON_TYPE, "the job"}, {304, NULL, "as in If-None-Match"}}},
    {.method = OCK_PATCH,
     .path = "/v1/jobs/{id}",
     .handle = ock_job_patch,
     .body = OCK_BODY_JSON,
     .where = OCK_ON_POOL,
     .operation = "patchJob",
     .summary = "change name, labels or priority",
     .answers = {{200, JSON_TYPE, "the job"}}},
    {.method = OCK_DELETE,
     .path = "/v1/jobs/{id}",
     .handle = ock_job_delete,
     .where = OCK_ON_POOL,
     .operation = "deleteJob",
     .summary = "delete a job that has ended, its events and its model",
     .answers = {{204, NULL, "it is gone"}}},
    ACTION("/v1/jobs/{id}/cancel", "cancelJob", "end a job and drop its work"),
    ACTION("/v1/jobs/{id}/pause", "pauseJob", "write a checkpoint and free the cores"),
    ACTION("/v1/jobs/{id}/resume", "resumeJob", "queue a paused job again"),
    ACTION("/v1/jobs/{id}/stop", "stopJob", "end now, keep the best model"),
    {.method = OCK_GET,
     .path = "/v1/jobs/{id}/events",
     .handle = ock_job_events,
     .where = OCK_ON_POOL,
     .parameters = PARAMETERS(&format_events, &after, &limit_events),
     .operation = "getJobEvents",
     .summary = "a job's events, followed until it ends, or a page of them",
     .answers = {{200, "text/event-stream", "all events after the given one, then live"},
                 {204, NULL, "nothing will come after the given one"}}},
    {.method = OCK_GET,
     .path = "/v1/jobs/{id}/metrics",
     .handle = ock_job_metrics,
     .where = OCK_ON_POOL,
     .parameters = PARAMETERS(&names, &max_points, &format_metrics),
     .operation = "getJobMetrics",
     .summary = "the history of a job's metrics as columns",
     .answers = {{200, JSON_TYPE, "a list for epoch and for each metric"}}},
    {.method = OCK_GET,
     .path = "/v1/jobs/{id}/model",
     .handle = ock_job_model,
     .where = OCK_ON_POOL,
     .parameters = PARAMETERS(&which, &format_model, &prune),
     .operation = "getJobModel",
     .summary = "the trained weights",
     .answers = {{200, "application/octet-stream", "the file"},
                 {206, "application/octet-stream", "the range that was asked for"},
                 {304, NULL, "as in If-None-Match"}}},
    LOOK("/v1/system", ock_service_system, OCK_ON_POOL, "getSystem",
         "version, cores, memory, queue and limits", JSON_TYPE),
    LOOK("/v1/schema/job", ock_service_schema, OCK_ON_LOOP, "getJobSchema",
         "a job's spec as JSON Schema", "application/schema+json"),
    {.method = OCK_GET,
     .path = "/livez",
     .handle = ock_service_live,
     .probe = true,
     .operation = "live",
     .summary = "whether the process answers",
     .answers = {{200, JSON_TYPE, "it does"}}},
    {.method = OCK_GET,
     .path = "/readyz",
     .handle = ock_service_ready,
     .probe = true,
     .operation = "ready",
     .summary = "whether jobs are taken",
     .answers = {{200, JSON_TYPE, "they are; `degraded` names what is short"}}},
    LOOK("/version", ock_service_version, OCK_ON_LOOP, "getVersion", "version and numerics",
         JSON_TYPE),
    LOOK("/metrics", ock_service_metrics, OCK_ON_POOL, "getMetrics", "counters for Prometheus",
         "text/plain"),
    LOOK("/openapi.json", ock_service_openapi, OCK_ON_LOOP, "getOpenApi", "this document",
         JSON_TYPE),
    LOOK("/", ock_service_index, OCK_ON_LOOP, "getIndex", "how to begin", "text/plain"),
};

const size_t ock_route_count = sizeof(ock_routes) / sizeof(ock_routes[0]);
