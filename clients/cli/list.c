/* `ockham list`: a server's jobs, newest first. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/remote.h"
#include "clients/cli/table.h"
#include "core/base/json.h"
#include "core/base/limits.h"

enum { KEY_STATUS = 's', KEY_LIMIT = 'n', KEY_LABEL = 0x100, KEY_JSON, LABELS_MAX = 16 };

static const struct argp_option options[] = {
    {"status", KEY_STATUS, "STATUS", 0, "Only these, as running,queued", 0},
    {"label", KEY_LABEL, "KEY=VALUE", 0, "Only jobs with this label; may be repeated", 0},
    {"limit", KEY_LIMIT, "N", 0, "At most so many (default 20, at most 100)", 0},
    {"json", KEY_JSON, NULL, 0, "The server's page as JSON", 0},
    {0},
};

static const char doc[] = "Lists the server's jobs, newest first.";

struct list_options {
    const char *status, *limit;
    size_t label_count;
    const char *labels[LABELS_MAX];
    bool json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct list_options *o = state->input;
    switch (key) {
    case KEY_STATUS:
        o->status = arg;
        return 0;
    case KEY_LIMIT:
        o->limit = arg; /* the server judges it */
        return 0;
    case KEY_LABEL:
        if (!strchr(arg, '='))
            argp_error(state, "--label %s: must be KEY=VALUE", arg);
        if (o->label_count == LABELS_MAX)
            argp_error(state, "--label: at most %d", LABELS_MAX);
        o->labels[o->label_count++] = arg;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "list takes options only, not \"%s\"", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_query(struct ock_buf *url, const char *key, const char *value)
{
    ock_buf_putc(url, memchr(url->data, '?', url->size) ? '&' : '?');
    ock_buf_puts(url, key);
    ock_buf_putc(url, '=');
    cli_url_add(url, value);
}

static void make_url(struct ock_buf *url, const struct list_options *o)
{
    ock_buf_init(url, 16 * OCK_KIB);
    ock_buf_puts(url, "/v1/jobs");
    if (o->status)
        add_query(url, "status", o->status);
    if (o->limit)
        add_query(url, "limit", o->limit);
    for (size_t i = 0; i < o->label_count; i++) {
        char key[128];
        const char *equals = strchr(o->labels[i], '=');
        (void)snprintf(key, sizeof(key), "label.%.*s", (int)(equals - o->labels[i]), o->labels[i]);
        add_query(url, key, equals + 1);
    }
}

static void add_row(struct cli_table *table, const cJSON *job)
{
    char epoch[64] = "-", best[CLI_NUMBER_SIZE], created[20] = "-";
    double now = cli_number_at(job, "progress.epoch"), all = cli_number_at(job, "progress.epochs");
    double trials = cli_number_at(job, "progress.trials.total");
    const char *time = cli_text_at(job, "created_at");
    if (now <= 0 && trials > 0)
        (void)snprintf(epoch, sizeof(epoch), "search %.0f of %.0f",
                       cli_number_at(job, "progress.trials.done"), trials);
    else if (now >= 0 && all > 0)
        (void)snprintf(epoch, sizeof(epoch), "%.0f/%.0f", now, all);
    cli_format_loss(best, cli_number_at(job, "best.value"));
    if (time)
        (void)snprintf(created, sizeof(created), "%.10s %.5s", time,
                       strlen(time) > 11 ? time + 11 : "");
    const char *const cells[] = {
        cli_text_at(job, "id"),   cli_text_at(job, "status"),       epoch,  best,
        cli_text_at(job, "name"), cli_text_at(job, "dataset.name"), created};
    cli_table_row(table, cells);
}

static enum cli_exit print_page(const struct cli_answer *answer)
{
    static const char *const titles[] = {"JOB",  "STATUS",  "EPOCH",        "BEST",
                                         "NAME", "DATASET", "CREATED (UTC)"};
    struct cli_term term = cli_term_make();
    struct cli_table table;
    cJSON *page = cli_answer_json(answer);
    const cJSON *items = ock_json_get(page, "items");
    if (!cJSON_IsArray(items)) {
        cli_say("the server's list is not what it should be");
        cJSON_Delete(page);
        return CLI_FAILED;
    }
    cli_table_init(&table, sizeof(titles) / sizeof(titles[0]), titles);
    for (const cJSON *job = items->child; job; job = job->next)
        add_row(&table, job);
    cli_table_print(&table, &term);
    cli_table_deinit(&table);
    if (cli_text_at(page, "next"))
        cli_say("there are more; --limit and --status choose, --json shows the cursor");
    cJSON_Delete(page);
    return CLI_DONE;
}

enum cli_exit cli_list(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, NULL, doc, NULL, NULL, NULL};
    struct list_options o = {0};
    struct ock_buf url;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    make_url(&url, &o);
    enum cli_exit code = cli_get(&url, o.json, print_page);
    ock_buf_deinit(&url);
    return code;
}
