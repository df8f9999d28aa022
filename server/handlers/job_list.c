/* GET /v1/jobs: filters and pages. */
#include <stdio.h>
#include <string.h>

#include "core/base/json.h"
#include "server/handlers/handlers.h"
#include "server/ids.h"

enum { LIST_LIMIT = 20, LABELS_MAX = 16 };

static const char *const states[] = {"queued",    "running", "paused",
                                     "succeeded", "failed",  "cancelled"};
enum { STATE_COUNT = sizeof(states) / sizeof(states[0]) };

static bool is_state(const char *text, size_t size)
{
    for (size_t i = 0; i < STATE_COUNT; i++) {
        if (strlen(states[i]) == size && memcmp(states[i], text, size) == 0)
            return true;
    }
    return false;
}

/* ?status=running,queued: every word must be a state. */
static void check_status(const char *list, struct ock_faults *faults)
{
    while (list && *list) {
        char word[32];
        size_t size = strcspn(list, ",");
        (void)snprintf(word, sizeof(word), "%.*s", (int)(size < 31 ? size : 31), list);
        if (!is_state(list, size)) {
            struct ock_fault *fault =
                ock_faults_add(faults, "", "invalid_parameter", "%s is no status of a job", word);
            const char *nearest = ock_nearest_word(word, states, STATE_COUNT);
            if (fault && nearest)
                (void)snprintf(fault->suggestion, sizeof(fault->suggestion), "%s", nearest);
        }
        list += size + (list[size] == ',');
    }
}

/* ?after=: a job's id, as "next" gave it. Any other text would end a client's paging silently. */
static void check_cursor(const char *after, struct ock_faults *faults)
{
    if (after && !ock_id_valid(after, "job_"))
        (void)ock_faults_add(faults, "", "invalid_parameter",
                             "query parameter after must be a page's next, a job's id");
}

struct labels {
    size_t count;
    const char *keys[LABELS_MAX];
    const char *values[LABELS_MAX];
};

/* ?label.team=vision: the key is what follows the first dot. */
static void find_labels(const struct ock_target *target, struct labels *labels,
                        struct ock_faults *faults)
{
    for (size_t i = 0; i < target->query_count; i++) {
        if (strncmp(target->query[i].name, "label.", 6) != 0)
            continue;
        if (labels->count == LABELS_MAX) {
            (void)ock_faults_add(faults, "", "invalid_parameter",
                                 "at most %d labels can be asked for", LABELS_MAX);
            return;
        }
        labels->keys[labels->count] = target->query[i].name + 6;
        labels->values[labels->count++] = target->query[i].value;
    }
}

/* Link: the same query with another cursor. */
static void add_link(struct ock_exchange *x, const char *next)
{
    struct ock_buf link;
    ock_buf_init(&link, 1800);
    ock_buf_puts(&link, "</v1/jobs?");
    for (size_t i = 0; i < x->target.query_count; i++) {
        if (strcmp(x->target.query[i].name, "after") == 0)
            continue;
        ock_percent_encode(&link, x->target.query[i].name);
        ock_buf_putc(&link, '=');
        ock_percent_encode(&link, x->target.query[i].value);
        ock_buf_putc(&link, '&');
    }
    ock_buf_puts(&link, "after=");
    ock_percent_encode(&link, next);
    ock_buf_puts(&link, ">; rel=\"next\"");
    /* One that does not fit is left out: the body has the cursor, too. */
    if (ock_buf_status(&link, NULL) == OCK_OK)
        ock_reply_field(&x->reply, "Link", "%s", link.data);
    ock_buf_deinit(&link);
}

enum ock_handled ock_job_list(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    struct labels labels = {0};
    char next[OCK_ID_SIZE] = "";
    const char *status = ock_target_get(&x->target, "status");
    const char *after = ock_target_get(&x->target, "after");
    check_status(status, &problem.faults);
    check_cursor(after, &problem.faults);
    find_labels(&x->target, &labels, &problem.faults);
    if (problem.faults.count > 0) {
        ock_problem_set(&problem, 400, "invalid_query", "The query is not valid", "%s",
                        problem.faults.items[0].detail);
        return ock_exchange_problem(x, &problem);
    }
    struct ock_job_query query = {
        .status = status && *status ? status : NULL,
        .label_count = labels.count,
        .label_keys = labels.keys,
        .label_values = labels.values,
        .limit = (size_t)ock_query_whole(&x->target, "limit", LIST_LIMIT),
        .after = after,
    };
    if (!ock_engine_jobs(x->http->engine, &query, &x->reply.body, next, &problem))
        return ock_exchange_problem(x, &problem);
    if (next[0])
        add_link(x, next);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}
