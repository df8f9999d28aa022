/* The loop between a worker and the terminal.
 *
 * What the worker says becomes events: type, job, seq and time in front of its body, as a server
 * would store them. Written to stdout and flushed is this program's "stored": then it confirms.
 *
 * Ctrl-C: the first one asks for a stop, which keeps the best model (with --checkpoint, for a
 * checkpoint first; a search that is stopped chooses among what it has, and what is kept is from
 * before that); the second ends the worker. SIGTERM and SIGHUP pause a job that has a
 * --checkpoint and abort any other. */
#include "clients/cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clients/cli/kept.h"
#include "clients/cli/view.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "server/resources.h"
#include "server/worker_process.h"

struct run {
    struct cli_job *job;                   /* borrowed */
    const struct cli_run_options *options; /* borrowed */
    struct cli_signals *signals;           /* borrowed */
    struct ock_worker worker;
    struct cli_view view;
    struct ock_buf line; /* the event that is being put together */
    bool table;          /* the view shows events; else they are printed as lines */
    bool ended;          /* the end event has come */
    bool succeeded;
    bool stopped; /* before all was done: a checkpoint is worth keeping */
    bool stop_after_checkpoint;
    int interrupts_seen;
    bool fatal_seen;
    bool killed;
    bool foreign; /* the file at --checkpoint is not one of this job: it must not be touched */
    uint64_t seq;
    struct cli_kept kept;
};

/* --- Before the start ---------------------------------------------------------------------------
 */

static void write_path(struct ock_jsonw *w, const char *key, const char *path)
{
    ock_jsonw_string(w, key, path && *path ? path : NULL);
}

static enum ock_status write_job(struct run *run, const char *init, struct ock_err *err)
{
    char path[CLI_PATH_SIZE];
    char *spec = ock_json_print(run->job->json);
    if (!spec)
        return ock_fail(err, OCK_NOMEM, "no memory for the spec");
    struct ock_buf text;
    ock_buf_init(&text, OCK_JSON_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&text);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "job", "local");
    ock_jsonw_raw(&w, "spec", spec);
    write_path(&w, "train", run->job->paths[CLI_TRAIN]);
    write_path(&w, "validation", run->job->paths[CLI_VALIDATION]);
    write_path(&w, "test", run->job->paths[CLI_TEST]);
    write_path(&w, "init", init);
    ock_jsonw_uint(&w, "threads", run->options->threads);
    ock_jsonw_uint(&w, "data_bytes_max", 0);
    ock_jsonw_uint(&w, "memory_bytes", ock_memory_available());
    ock_jsonw_end_object(&w);
    cli_workdir_path(&run->job->dir, "job.json", path);
    enum ock_status status = ock_buf_status(&text, err);
    if (status == OCK_OK)
        status = ock_file_replace(path, text.data, text.size, err);
    ock_buf_deinit(&text);
    free(spec);
    return status;
}

/* Everything in its place, then the worker. */
static enum ock_status start(struct run *run, struct ock_err *err)
{
    const struct cli_run_options *options = run->options;
    char *init = NULL;
    enum ock_status status = OCK_OK;
    if (options->init) {
        init = realpath(options->init, NULL);
        if (!init)
            return ock_fail_errno(err, errno, "%s", options->init);
    }
    cli_kept_init(&run->kept, options->checkpoint, run->job->spec->tune.on, &run->job->dir);
    status = cli_kept_bring(&run->kept, err);
    if (status == OCK_OK)
        status = write_job(run, init, err);
    if (status == OCK_OK)
        status = ock_worker_start(&run->worker, run->job->program_fd, "train", run->job->dir.path,
                                  false, err);
    free(init);
    return status;
}

/* --- Events
 * --------------------------------------------------------------------------------------- */

static void add_time(struct ock_buf *out)
{
    struct timespec now = {0};
    struct tm utc = {0};
    char text[32] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    ock_buf_printf(out, "\"time\":\"%s.%03dZ\"", text, (int)(now.tv_nsec / 1000000));
}

/* The event as everybody sees it; seq 0 is none (progress). body is a JSON object. */
static bool compose(struct run *run, const char *type, uint64_t seq, const char *body)
{
    struct ock_buf *line = &run->line;
    ock_buf_clear(line);
    ock_buf_printf(line, "{\"type\":\"%s\",\"job\":\"local\",", type);
    if (seq > 0)
        ock_buf_printf(line, "\"seq\":%" PRIu64 ",", seq);
    add_time(line);
    ock_buf_puts(line, strcmp(body, "{}") == 0 ? "" : ",");
    ock_buf_puts(line, body + 1); /* behind its brace */
    return ock_buf_status(line, NULL) == OCK_OK;
}

/* The composed line as JSON, NULL if it is none. */
static cJSON *parse_line(const struct run *run)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults)
        (void)ock_json_parse(&json, run->line.data, run->line.size, faults, NULL);
    free(faults);
    return json;
}

static void note_end(struct run *run, const cJSON *event)
{
    const char *status = cli_text_at(event, "status");
    const char *reason = cli_text_at(event, "stop_reason");
    run->ended = true;
    run->succeeded = status && strcmp(status, "succeeded") == 0;
    run->stopped = !run->succeeded || (reason && strcmp(reason, "stopped") == 0);
}

/* The trainer passes a checkpoint over that is damaged or another job's, and begins anew. Here that
 * would write over a file that somebody named: better to ask. */
static bool is_foreign(const struct run *run, const char *type, const char *body)
{
    return run->options->checkpoint && strcmp(type, "warning") == 0 &&
           strstr(body, "\"code\":\"checkpoint\"") && strstr(body, "it is not used");
}

static void refuse_checkpoint(struct run *run, const char *key, const char *body)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults)
        (void)ock_json_parse(&json, body, strlen(body), faults, NULL);
    const char *message = cli_text_at(json, "message");
    bool search = strcmp(key, "warning:checkpoint:tuning") == 0;
    cli_say("--checkpoint %s: %s; remove it, or name another file",
            search ? run->kept.search_file : run->options->checkpoint,
            message ? message : "it is not used");
    cJSON_Delete(json);
    free(faults);
    run->foreign = true;
}

static void tell(struct run *run, const char *type, const char *key, const char *body)
{
    bool is_end = strcmp(type, "end") == 0;
    if (*key)
        run->seq++;
    if (!compose(run, type, *key ? run->seq : 0, body))
        return;
    if (run->table || is_end) {
        cJSON *event = parse_line(run);
        if (is_end)
            note_end(run, event);
        if (run->table)
            cli_view_event(&run->view, event);
        cJSON_Delete(event);
    }
    if (!run->table && *key) {
        ock_buf_putc(&run->line, '\n');
        cli_out(run->line.data, run->line.size);
    }
}

/* A worker that died cannot tell its end: this program does, as a server would. */
static void tell_crash(struct run *run, const char *text)
{
    struct ock_buf body;
    ock_buf_init(&body, 4096);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "status", "failed");
    ock_jsonw_string(&w, "stop_reason", "crash");
    ock_jsonw_null(&w, "model");
    ock_jsonw_object(&w, "error");
    ock_jsonw_string(&w, "type", "/problems/worker-crashed");
    ock_jsonw_string(&w, "title", "The worker ended before the job did");
    ock_jsonw_int(&w, "status", 500);
    ock_jsonw_string(&w, "code", "worker_crashed");
    ock_jsonw_string(&w, "detail", text);
    ock_jsonw_end_object(&w);
    ock_jsonw_end_object(&w);
    if (ock_buf_status(&body, NULL) == OCK_OK)
        tell(run, "end", "end", body.data);
    ock_buf_deinit(&body);
}

/* --- Checkpoints and signals
 * ----------------------------------------------------------------------- */

static void keep_checkpoint(struct run *run)
{
    struct ock_err err = {0};
    if (cli_kept_take(&run->kept, &err) != OCK_OK) {
        cli_view_break(&run->view);
        cli_out_flush();
        cli_say("the checkpoint is not kept: %s", err.text);
    }
}

/* A search that is stopped remembers that it was, and trains the best so far: the next run goes on
 * with what was kept before. */
static void on_checkpoint(struct run *run, const char *body)
{
    keep_checkpoint(run);
    if (run->stop_after_checkpoint) {
        run->kept.frozen = strstr(body, "\"trials_done\":") != NULL;
        ock_worker_send(&run->worker, "stop");
    }
    run->stop_after_checkpoint = false;
}

static void kill_worker(struct run *run)
{
    run->killed = true;
    ock_worker_kill(&run->worker, SIGKILL);
}

static void say(struct run *run, const char *text)
{
    cli_view_break(&run->view);
    cli_out_flush();
    cli_say("%s", text);
}

static void on_interrupt(struct run *run)
{
    if (run->interrupts_seen++ > 0) {
        kill_worker(run);
        return;
    }
    say(run, "stopping; the best model is kept (Ctrl-C again aborts)");
    run->stop_after_checkpoint = run->options->checkpoint != NULL;
    ock_worker_send(&run->worker, run->options->checkpoint ? "checkpoint" : "stop");
}

static void on_signals(struct run *run)
{
    cli_signals_read(run->signals);
    while (run->interrupts_seen < run->signals->interrupts && !run->killed)
        on_interrupt(run);
    if (!run->signals->fatal || run->fatal_seen)
        return;
    run->fatal_seen = true;
    if (run->options->checkpoint)
        ock_worker_send(&run->worker, "pause");
    else
        kill_worker(run);
}

/* --- The loop
 * ------------------------------------------------------------------------------------------ */

static void take_line(struct run *run, const struct ock_worker_line *line)
{
    if (strcmp(line->type, "checkpoint") == 0) {
        on_checkpoint(run, line->body);
    } else if (is_foreign(run, line->type, line->body)) {
        refuse_checkpoint(run, line->key, line->body);
        kill_worker(run);
    } else if (strcmp(line->type, "resolved") != 0 && strcmp(line->type, "document") != 0) {
        tell(run, line->type, line->key, line->body);
    }
}

static void take_lines(struct run *run)
{
    struct ock_worker_line line;
    uint64_t last = 0;
    size_t size = 0;
    char *text = ock_worker_next_line(&run->worker, &size);
    while (text && !run->killed) {
        if (ock_worker_parse_line(text, &line)) {
            last = line.number;
            take_line(run, &line);
        }
        text = ock_worker_next_line(&run->worker, &size);
    }
    cli_out_flush();
    if (last > 0)
        ock_worker_confirm(&run->worker, last);
}

static void loop(struct run *run)
{
    bool open = true, said = true; /* standard error still has a writer */
    while (open && !run->killed) {
        struct pollfd fds[4] = {{.fd = run->worker.out, .events = POLLIN},
                                {.fd = run->signals->fd, .events = POLLIN},
                                {.fd = said ? run->worker.err : -1, .events = POLLIN},
                                {.fd = STDOUT_FILENO, .events = 0}}; /* POLLERR: the reader left */
        if (poll(fds, run->table ? 3 : 4, -1) < 0 && errno != EINTR)
            break;
        on_signals(run);
        if (fds[2].revents)
            said = ock_worker_read_err(&run->worker);
        if (fds[0].revents) {
            open = ock_worker_read(&run->worker);
            take_lines(run);
        }
        if (!run->table && (fds[3].revents & POLLERR))
            cli_out_give_up();
        if (cli_out_closed())
            kill_worker(run);
    }
}

/* The worker has closed its side: what became of it, and of the job. */
static enum cli_exit finish(struct run *run)
{
    char text[512];
    int wait_status = 0;
    if (!run->killed)
        cli_out_flush();
    (void)ock_worker_ended(&run->worker, true, &wait_status);
    if (run->foreign)
        return CLI_USAGE;
    bool paused = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == OCK_WORKER_PAUSED;
    if (run->killed || paused) {
        keep_checkpoint(run);
        return CLI_FAILED;
    }
    if (!run->ended) {
        (void)ock_worker_read_err(&run->worker); /* its last words */
        ock_worker_explain(wait_status, run->worker.said, text, sizeof(text));
        tell_crash(run, text);
        if (!run->table)
            cli_say("%s", text);
    }
    if (run->stopped)
        keep_checkpoint(run);
    else
        cli_kept_remove(&run->kept);
    return run->succeeded ? CLI_DONE : CLI_FAILED;
}

static enum cli_exit keep_model(struct run *run)
{
    char best[CLI_PATH_SIZE];
    struct ock_err err = {0};
    if (!run->options->model)
        return CLI_DONE;
    cli_workdir_path(&run->job->dir, "best.safetensors", best);
    if (cli_file_copy(best, run->options->model, &err) == OCK_OK)
        return CLI_DONE;
    say(run, err.text);
    return CLI_FAILED;
}

enum cli_exit cli_run(struct cli_job *job, const struct cli_run_options *options,
                      struct cli_signals *signals, int *died_of)
{
    struct run run = {.job = job, .options = options, .signals = signals};
    struct ock_err err = {0};
    cli_view_init(&run.view, job->spec->train.epochs);
    ock_buf_init(&run.line, OCK_WORKER_LINE_BYTES_MAX);
    run.table = run.view.term.tty && !options->json;
    enum cli_exit code = CLI_FAILED;
    if (start(&run, &err) != OCK_OK) {
        cli_say("%s", err.text);
        code = err.status == OCK_INVALID ? CLI_USAGE : CLI_FAILED;
    } else {
        loop(&run);
        code = finish(&run);
        if (code == CLI_DONE)
            code = keep_model(&run);
        const char *model = code == CLI_DONE ? options->model : NULL;
        const char *hint = run.succeeded && !options->model
                               ? "The model was not kept: --model FILE writes it."
                               : NULL;
        if (run.table)
            cli_view_close(&run.view, model, hint);
    }
    if (run.interrupts_seen > 1)
        *died_of = SIGINT;
    else if (signals->fatal)
        *died_of = signals->fatal;
    ock_worker_close(&run.worker);
    ock_buf_deinit(&run.line);
    cli_view_deinit(&run.view);
    return code;
}
