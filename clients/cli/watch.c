/* `ockham watch`: a job's events, from the first one to the end, over broken connections too. */
#include <curl/curl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/cli/args.h"
#include "clients/cli/remote.h"
#include "clients/cli/view.h"
#include "core/base/json.h"
#include "core/base/limits.h"

/* How often, and for how long, a lost server is called again. */
enum { RETRIES_MAX = 30, PAUSE_MS_MIN = 250, PAUSE_MS_MAX = 4000 };

struct watch {
    struct cli_view view;
    struct ock_buf partial; /* the bytes of a line that is not whole yet */
    bool table;
    bool ended;
    bool succeeded;
    bool met;   /* a server has answered: one that is gone may come back */
    bool moved; /* something came since the last connection was made */
    uint64_t last_seq;
};

static cJSON *parse(const char *line, size_t size)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults)
        (void)ock_json_parse(&json, line, size, faults, NULL);
    free(faults);
    return json;
}

static void take_line(struct watch *watch, const char *line, size_t size)
{
    cJSON *event = size > 0 ? parse(line, size) : NULL; /* an empty line is a heartbeat */
    const char *type = cli_text_at(event, "type");
    double seq = cli_number_at(event, "seq");
    watch->moved = true;
    if (type) {
        bool old = seq > 0 && (uint64_t)seq <= watch->last_seq;
        if (seq > 0 && !old)
            watch->last_seq = (uint64_t)seq;
        if (strcmp(type, "end") == 0) {
            const char *status = cli_text_at(event, "status");
            watch->ended = true;
            watch->succeeded = status && strcmp(status, "succeeded") == 0;
        }
        if (watch->table && !old)
            cli_view_event(&watch->view, event);
        else if (!watch->table && !old && seq > 0) {
            cli_out(line, size);
            cli_puts("\n");
        }
    }
    cJSON_Delete(event);
}

/* Lines out of the bytes as they come; false when nobody reads any more. */
static bool sink(void *ctx, const char *bytes, size_t size)
{
    struct watch *watch = ctx;
    const char *newline = memchr(bytes, '\n', size);
    while (newline) {
        size_t part = (size_t)(newline - bytes);
        ock_buf_add(&watch->partial, bytes, part);
        if (ock_buf_status(&watch->partial, NULL) != OCK_OK)
            return false;
        take_line(watch, watch->partial.size > 0 ? watch->partial.data : "", watch->partial.size);
        ock_buf_clear(&watch->partial);
        bytes += part + 1;
        size -= part + 1;
        newline = memchr(bytes, '\n', size);
    }
    ock_buf_add(&watch->partial, bytes, size);
    cli_out_flush();
    return !cli_out_closed() && ock_buf_status(&watch->partial, NULL) == OCK_OK;
}

/* --- The terminal's size -------------------------------------------------------------------------- */

static volatile sig_atomic_t resized; /* since the last look */

static void on_resize(int signal_number)
{
    (void)signal_number;
    resized = 1;
}

/* The chart asks for the size whenever it is drawn; a signal says that it should be, though nothing
 * has come. */
static void heed_resizing(void)
{
    struct sigaction action = {.sa_handler = on_resize, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGWINCH, &action, NULL);
}

static void tick(void *ctx)
{
    struct watch *watch = ctx;
    if (!resized)
        return;
    resized = 0;
    cli_view_fit(&watch->view);
}

/* --- Connections ---------------------------------------------------------------------------------- */

/* One connection, from the first event not seen. false: there is no point in another. */
static bool connect_once(struct watch *watch, const char *path, struct cli_answer *answer)
{
    char resume[64];
    (void)snprintf(resume, sizeof(resume), "Last-Event-ID: %" PRIu64, watch->last_seq);
    struct cli_request request = {
        .method = "GET",
        .path = path,
        .accept = "application/x-ndjson",
        .header = watch->last_seq > 0 ? resume : NULL,
        .sink = sink,
        .tick = watch->view.as_chart ? tick : NULL,
        .ctx = watch,
    };
    ock_buf_clear(&watch->partial);
    watch->moved = false;
    (void)cli_remote(&request, answer);
    if (watch->ended || cli_out_closed() || answer->status == 204)
        return false;
    /* Broken off, or a server that starts again: worth another call. */
    watch->met = watch->met || answer->status / 100 == 2;
    return answer->status / 100 == 2 || answer->status == 503 ||
           (answer->status == 0 && watch->met);
}

static void wait_ms(int ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static enum cli_exit follow(struct watch *watch, const char *path, const char *job)
{
    struct cli_answer answer;
    char hint[128];
    int retries = 0, pause_ms = PAUSE_MS_MIN;
    cli_answer_init(&answer);
    while (connect_once(watch, path, &answer) && retries < RETRIES_MAX) {
        retries = watch->moved ? 0 : retries + 1;
        pause_ms = watch->moved || pause_ms > PAUSE_MS_MAX / 2 ? pause_ms : pause_ms * 2;
        pause_ms = watch->moved ? PAUSE_MS_MIN : pause_ms;
        wait_ms(pause_ms);
    }
    enum cli_exit code = watch->succeeded ? CLI_DONE : CLI_FAILED;
    (void)snprintf(hint, sizeof(hint), "ockham model %s downloads the model.", job);
    if (watch->table)
        cli_view_close(&watch->view, NULL, watch->succeeded ? hint : NULL);
    if (!watch->ended && !cli_out_closed()) {
        code = cli_remote_judge(&answer);
        if (code == CLI_DONE) /* 204, or 2xx without an end */
            cli_say("%s: no more events", job);
        code = code == CLI_USAGE ? CLI_USAGE : CLI_FAILED;
    }
    cli_answer_deinit(&answer);
    return code;
}

enum cli_exit cli_follow(const char *job, enum cli_form form)
{
    struct watch watch = {0};
    struct ock_buf path;
    cli_view_init(&watch.view, 0);
    watch.view.as_chart = form == CLI_FORM_CHART;
    watch.table = form == CLI_FORM_CHART || (watch.view.term.tty && form != CLI_FORM_JSON);
    if (watch.view.as_chart)
        heed_resizing();
    ock_buf_init(&watch.partial, 2 * OCK_EVENT_BYTES_MAX);
    cli_job_path(&path, job, "/events");
    enum cli_exit code = follow(&watch, path.data, job);
    ock_buf_deinit(&path);
    ock_buf_deinit(&watch.partial);
    cli_view_deinit(&watch.view);
    return code;
}

enum cli_exit cli_watch(int argc, char **argv)
{
    struct cli_args args;
    cli_args_parse(
        &args, argc, argv, "JOB", CLI_ARGS_JSON_OR_CHART,
        "Follows a job from its first event to its end.\v"
        "On a terminal: the table that ockham train shows, or with --chart the curves of "
        "training and validation loss. Else, or with --json: one event a line. A broken "
        "connection is made again where it broke. Ctrl-C ends the watching; the job goes "
        "on.\n\n"
        "Exit code: 0 the job succeeded, 1 it did not, 2 bad usage.");
    return cli_follow(args.name, args.form);
}
