/* `ockham predict`: a model's word on new rows, here by a worker process or by a server. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/cli/args.h"
#include "clients/cli/job.h"
#include "clients/cli/remote.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "server/worker_process.h"

enum {
    KEY_OUTPUT = 'o',
    KEY_FORMAT = 'f',
    KEY_WHICH = 0x100,
    KEY_DELIMITER,
    KEY_HEADER,
    KEY_MISSING,
    KEY_SVMLIGHT
};

static const struct argp_option options[] = {
    {"format", KEY_FORMAT, "csv|json|ndjson", 0, "How the predictions are written (default: csv)",
     0},
    {"output", KEY_OUTPUT, "FILE", 0, "Where to (default: standard output)", 0},
    {"which", KEY_WHICH, "best|last", 0, "A job's model of the best epoch (default) or of the last",
     0},
    {"delimiter", KEY_DELIMITER, "CHARACTER|tab", 0, "What parts a table's fields", 0},
    {"header", KEY_HEADER, "true|false", 0, "Whether the first line has the columns' names", 0},
    {"missing", KEY_MISSING, "WORDS", 0,
     "Words for missing values in a table, between commas (default: those of the training data)",
     0},
    {"svmlight", KEY_SVMLIGHT, NULL, 0,
     "The rows are svmlight; needed only where the first one has no index:value", 0},
    {0},
};

static const char doc[] =
    "Predicts rows with a model file, here and without a server, or with a job of a server.\v"
    "FILE is a CSV whose first line names the columns (others than the model's are passed over), "
    "any table that ockham train takes (svmlight for models of sparse data), or JSON: {\"rows\": "
    "[{\"column\": value, ...}]}. - is "
    "standard input; a pipe will do. What is a file by its name is a model; else it is a job's "
    "id.\n\n"
    "Example:\n"
    "  ockham predict flowers.safetensors new.csv -o predicted.csv\n\n"
    "Exit code: 0 done, 1 failed, 2 bad usage or rows.";

struct predict_options {
    const char *model, *rows;
    const char *format, *output, *which, *delimiter, *header, *missing;
    bool svmlight;
};

static void check_word(struct argp_state *state, const char *option, const char *word,
                       const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0)
            return;
    }
    argp_error(state, "%s %s: is none of those that ockham predict --help lists", option, word);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    static const char *const formats[] = {"csv", "json", "ndjson", NULL};
    static const char *const models[] = {"best", "last", NULL};
    static const char *const answers[] = {"true", "false", NULL};
    struct predict_options *o = state->input;
    switch (key) {
    case KEY_OUTPUT:
        o->output = strcmp(arg, "-") == 0 ? NULL : arg;
        return 0;
    case KEY_FORMAT:
        check_word(state, "--format", arg, formats);
        o->format = arg;
        return 0;
    case KEY_WHICH:
        check_word(state, "--which", arg, models);
        o->which = arg;
        return 0;
    case KEY_DELIMITER:
        o->delimiter = arg;
        return 0;
    case KEY_MISSING:
        o->missing = arg;
        return 0;
    case KEY_SVMLIGHT:
        o->svmlight = true;
        return 0;
    case KEY_HEADER:
        check_word(state, "--header", arg, answers);
        o->header = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->rows)
            argp_error(state, "one file of rows at a time: %s and %s", o->rows, arg);
        if (o->model)
            o->rows = arg;
        else
            o->model = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->rows)
            argp_error(state, "which model (or job), and which rows?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* --- Here -------------------------------------------------------------------------------------- */

struct local {
    const struct predict_options *o;
    struct cli_workdir dir;
    struct cli_signals *signals;
    char *model, *rows; /* owned: paths from the root */
    bool json;
    int program_fd;
};

/* What can be read once, standard input or another pipe, as a file: the importer may read twice. */
static enum ock_status keep_pipe(const struct local *l, const char *rows, struct ock_err *err)
{
    char path[CLI_PATH_SIZE];
    cli_workdir_path(&l->dir, "source", path);
    int fd = strcmp(rows, "-") == 0 ? STDIN_FILENO : open(rows, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ock_fail_errno(err, errno, "%s", rows);
    enum ock_status status = ock_file_copy(path, fd, err);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return status;
}

static bool is_pipe(const char *rows)
{
    struct stat status;
    if (strcmp(rows, "-") == 0)
        return true;
    return stat(rows, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static bool looks_like_json(const char *path)
{
    FILE *file = fopen(path, "re");
    int c = file ? fgetc(file) : EOF;
    while (c != EOF && isspace(c))
        c = fgetc(file);
    if (file)
        (void)fclose(file);
    return c == '{' || c == '[';
}

static enum ock_status find_paths(struct local *l, struct ock_err *err)
{
    char path[CLI_PATH_SIZE];
    const char *rows = l->o->rows;
    enum ock_status status = OCK_OK;
    if (is_pipe(rows)) {
        status = keep_pipe(l, rows, err);
        cli_workdir_path(&l->dir, "source", path);
        rows = path;
    }
    if (status != OCK_OK)
        return status;
    l->model = realpath(l->o->model, NULL);
    if (!l->model)
        return ock_fail_errno(err, errno, "%s", l->o->model);
    l->rows = realpath(rows, NULL);
    if (!l->rows || access(l->rows, R_OK) != 0)
        return ock_fail_errno(err, errno, "%s", l->o->rows);
    l->json = looks_like_json(l->rows);
    return OCK_OK;
}

static enum ock_status write_request(const struct local *l, struct ock_err *err)
{
    char path[CLI_PATH_SIZE];
    struct ock_buf text;
    ock_buf_init(&text, OCK_MIB);
    struct ock_jsonw w = ock_jsonw_make(&text);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "model", l->model);
    ock_jsonw_string(&w, "source", l->rows);
    cli_workdir_path(&l->dir, "answer", path);
    ock_jsonw_string(&w, "out", path);
    ock_jsonw_bool(&w, "json", l->json && !l->o->svmlight);
    ock_jsonw_bool(&w, "svmlight", l->o->svmlight);
    ock_jsonw_string(&w, "format", l->o->format);
    ock_jsonw_string(&w, "delimiter", l->o->delimiter);
    ock_jsonw_string(&w, "missing", l->o->missing);
    if (l->o->header)
        ock_jsonw_bool(&w, "header", strcmp(l->o->header, "true") == 0);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    ock_jsonw_int(&w, "threads", cores > 0 ? cores : 1);
    ock_jsonw_end_object(&w);
    enum ock_status status = ock_buf_status(&text, err);
    cli_workdir_path(&l->dir, "predict.json", path);
    if (status == OCK_OK)
        status = ock_file_replace(path, text.data, text.size, err);
    ock_buf_deinit(&text);
    return status;
}

static enum cli_exit say_faults(const struct local *l, const char *text)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults)
        (void)ock_json_parse(&json, text, strlen(text), faults, NULL);
    for (const cJSON *item = json ? json->child : NULL; item; item = item->next) {
        const char *pointer = cli_text_at(item, "pointer"), *detail = cli_text_at(item, "detail");
        const char *near = cli_text_at(item, "suggestion");
        cli_say("%s: %s: %s%s%s%s", l->o->rows, pointer ? pointer : "", detail ? detail : "",
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    cJSON_Delete(json);
    free(faults);
    return CLI_USAGE;
}

static enum cli_exit judge(const struct local *l, const char *line, struct ock_worker *worker)
{
    char text[512];
    int wait_status = 0;
    if (l->signals->interrupts || l->signals->fatal)
        return CLI_FAILED;
    if (line && strcmp(line, "ok") == 0)
        return CLI_DONE;
    if (line && strncmp(line, "faults ", 7) == 0)
        return say_faults(l, line + 7);
    if (line) {
        bool in_model = strncmp(line, "model ", 6) == 0;
        line += in_model ? 6 : 0;
        const char *space = strchr(line, ' ');
        cli_say("%s: %s", in_model ? l->o->model : l->o->rows, space ? space + 1 : line);
        return strncmp(line, "invalid ", 8) == 0 ? CLI_USAGE : CLI_FAILED;
    }
    (void)ock_worker_ended(worker, true, &wait_status);
    ock_worker_explain(wait_status, worker->said, text, sizeof(text));
    cli_say("%s: %s", l->o->rows, text);
    return CLI_FAILED;
}

/* The answer's file to where it is wanted. */
static enum ock_status hand_out(const struct local *l, struct ock_err *err)
{
    char path[CLI_PATH_SIZE], bytes[64 << 10];
    cli_workdir_path(&l->dir, "answer", path);
    if (l->o->output)
        return cli_file_copy(path, l->o->output, err);
    FILE *file = fopen(path, "re");
    if (!file)
        return ock_fail_errno(err, errno, "cannot read the predictions");
    size_t got;
    do {
        got = fread(bytes, 1, sizeof(bytes), file);
        cli_out(bytes, got);
    } while (got > 0 && !cli_out_closed());
    (void)fclose(file);
    return OCK_OK;
}

static enum cli_exit run_local(struct local *l)
{
    struct ock_worker worker = {0};
    struct ock_err err = {0};
    enum ock_status status = cli_workdir_make(&l->dir, &err);
    if (status == OCK_OK)
        status = ock_worker_program_open(&l->program_fd, NULL, &err);
    if (status == OCK_OK)
        status = find_paths(l, &err);
    if (status == OCK_OK)
        status = write_request(l, &err);
    if (status == OCK_OK)
        status = ock_worker_start(&worker, l->program_fd, "predict", l->dir.path, true, &err);
    enum cli_exit code = CLI_FAILED;
    if (status == OCK_OK) {
        const char *line = cli_worker_line(&worker, l->signals);
        code = judge(l, line, &worker);
    }
    ock_worker_close(&worker);
    if (status == OCK_OK && code == CLI_DONE)
        status = hand_out(l, &err);
    if (status == OCK_OK)
        return code;
    cli_say("%s", err.text);
    return CLI_FAILED;
}

static enum cli_exit predict_here(const struct predict_options *o)
{
    struct cli_signals signals;
    if (!cli_signals_open(&signals)) {
        cli_say("cannot make a pipe: %s", strerror(errno));
        return CLI_FAILED;
    }
    struct local l = {.o = o, .signals = &signals, .program_fd = -1};
    enum cli_exit code = run_local(&l);
    if (l.program_fd >= 0)
        (void)close(l.program_fd);
    free(l.model);
    free(l.rows);
    cli_workdir_remove(&l.dir);
    if (signals.fatal || signals.interrupts)
        cli_signals_die(signals.fatal ? signals.fatal : SIGINT);
    return code;
}

/* --- By a server ------------------------------------------------------------------------------- */

struct target {
    const char *output; /* NULL: standard output */
    struct ock_newfile file;
    bool open;
    struct ock_err err;
};

static bool sink(void *ctx, const char *bytes, size_t size)
{
    struct target *target = ctx;
    if (!target->output) {
        cli_out(bytes, size);
        return !cli_out_closed();
    }
    if (!target->open)
        target->open = ock_newfile_open(&target->file, target->output, &target->err) == OCK_OK;
    return target->open && ock_newfile_write(&target->file, bytes, size, &target->err) == OCK_OK;
}

static void make_path(struct ock_buf *path, const struct predict_options *o)
{
    cli_job_path(path, o->model, "/predict?format=");
    ock_buf_puts(path, o->format);
    ock_buf_puts(path, "&which=");
    ock_buf_puts(path, o->which);
    if (o->header)
        ock_buf_printf(path, "&header=%s", o->header);
    if (o->delimiter) {
        ock_buf_puts(path, "&delimiter=");
        cli_url_add(path, o->delimiter);
    }
    if (o->missing) {
        ock_buf_puts(path, "&missing=");
        cli_url_add(path, o->missing);
    }
}

static enum cli_exit finish(struct target *target, const struct cli_answer *answer)
{
    enum cli_exit code = target->err.status == OCK_OK ? cli_remote_judge(answer) : CLI_FAILED;
    if (code == CLI_DONE && target->open)
        (void)ock_newfile_commit(&target->file, &target->err);
    if (target->err.status == OCK_OK)
        return code;
    cli_say("%s", target->err.text);
    return CLI_FAILED;
}

static enum cli_exit predict_there(const struct predict_options *o)
{
    struct ock_buf path;
    struct cli_answer answer;
    struct stat status;
    struct target target = {.output = o->output, .file = {.fd = -1}};
    bool from_stdin = strcmp(o->rows, "-") == 0;
    FILE *rows = from_stdin ? stdin : fopen(o->rows, "re");
    if (!rows) {
        cli_say("%s: %s", o->rows, strerror(errno));
        return CLI_USAGE;
    }
    bool sized = fstat(fileno(rows), &status) == 0 && S_ISREG(status.st_mode);
    make_path(&path, o);
    cli_answer_init(&answer);
    struct cli_request request = {.method = "POST",
                                  .path = path.data,
                                  .accept = "*/*",
                                  .header = o->svmlight ? "Content-Type: text/x-svmlight" : NULL,
                                  .upload = rows,
                                  .upload_size = sized ? status.st_size : -1,
                                  .sink = sink,
                                  .ctx = &target};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = finish(&target, &answer);
    ock_newfile_discard(&target.file);
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    if (!from_stdin)
        (void)fclose(rows);
    return code;
}

enum cli_exit cli_predict(int argc, char **argv)
{
    static const struct argp argp = {options, parse_option, "MODEL|JOB FILE", doc, NULL,
                                     NULL,    NULL};
    struct predict_options o = {.format = "csv", .which = "best"};
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    bool is_file = access(o.model, F_OK) == 0 || strchr(o.model, '/') || strchr(o.model, '.');
    return is_file ? predict_here(&o) : predict_there(&o);
}
