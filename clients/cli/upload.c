/* `ockham upload`: a data file to a server. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clients/cli/job.h"
#include "clients/cli/remote.h"
#include "core/base/json.h"
#include "core/base/limits.h"

enum { KEY_TARGET = 't', KEY_FORMAT = 0x100, KEY_REPLACE, KEY_JSON };

static const struct argp_option options[] = {
    {"target", KEY_TARGET, "NAME", 0,
     "The column to predict: its name, or its position from 0 (-1: the last)", 0},
    {"format", KEY_FORMAT, "FORMAT", 0, "csv, tsv, npy or idx (default: found from the content)",
     0},
    {"replace", KEY_REPLACE, NULL, 0, "Other data under a name that is taken", 0},
    {"json", KEY_JSON, NULL, 0, "Print the dataset as JSON", 0},
    {0},
};

static const char doc[] =
    "Sends a data file to the server, which keeps it as the dataset NAME.\v"
    "A CSV or NPY file, or NPY or IDX arrays with their labels as FILE,LABELS; packed by gzip or "
    "zstd, or not. FILE may be - for standard input.\n\n"
    "Example:\n"
    "  ockham upload flowers train.csv.gz --target species\n"
    "  ockham upload fashion train-images-idx3-ubyte.gz,train-labels-idx1-ubyte.gz\n\n"
    "Exit code: 0 done, 1 failed, 2 bad usage or data that are refused.";

struct upload_options {
    const char *name, *files;
    const char *target, *format;
    struct cli_csv csv;
    bool replace, json;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct upload_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->csv;
        return 0;
    case KEY_TARGET:
        o->target = arg;
        return 0;
    case KEY_FORMAT:
        o->format = arg;
        return 0;
    case KEY_REPLACE:
        o->replace = true;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            o->name = arg;
        else if (state->arg_num == 1)
            o->files = arg;
        else
            argp_error(state, "too many arguments, from \"%s\" on", arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->files)
            argp_error(state, "give a NAME and a FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_query(struct ock_buf *url, char *separator, const char *key, const char *value)
{
    if (!value)
        return;
    ock_buf_putc(url, *separator);
    ock_buf_puts(url, key);
    ock_buf_putc(url, '=');
    cli_url_add(url, value);
    *separator = '&';
}

static void make_url(struct ock_buf *url, const struct upload_options *o, const char *part)
{
    char separator = '?';
    ock_buf_init(url, 8 * OCK_KIB);
    ock_buf_puts(url, "/v1/datasets/");
    cli_url_add(url, o->name);
    ock_buf_puts(url, part);
    add_query(url, &separator, "target", o->target);
    add_query(url, &separator, "format", o->format);
    add_query(url, &separator, "delimiter", o->csv.delimiter);
    add_query(url, &separator, "header", o->csv.header);
    add_query(url, &separator, "types", o->csv.types);
    add_query(url, &separator, "missing", o->csv.missing);
    add_query(url, &separator, "replace", o->replace ? "true" : NULL);
}

/* Opens the file; *size is -1 where it can't be told beforehand (a pipe). */
static FILE *open_file(const char *path, int64_t *size)
{
    struct stat status;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (!file || fstat(fileno(file), &status) != 0) {
        cli_say("%s: %s", path, strerror(errno));
        if (file && file != stdin)
            (void)fclose(file);
        return NULL;
    }
    if (S_ISDIR(status.st_mode)) {
        cli_say("%s is a directory", path);
        if (file != stdin)
            (void)fclose(file);
        return NULL;
    }
    *size = S_ISREG(status.st_mode) ? (int64_t)status.st_size : -1;
    return file;
}

static enum cli_exit send_part(const struct upload_options *o, const char *path, const char *part,
                               struct cli_answer *answer)
{
    int64_t size = -1;
    struct ock_buf url;
    FILE *file = open_file(path, &size);
    if (!file)
        return CLI_USAGE;
    make_url(&url, o, part);
    struct cli_request request = {
        .method = "PUT", .path = url.data, .upload = file, .upload_size = size};
    (void)cli_remote(&request, answer);
    ock_buf_deinit(&url);
    if (file != stdin)
        (void)fclose(file);
    return cli_remote_judge(answer);
}

static void print_dataset(const struct upload_options *o, const struct cli_answer *answer)
{
    char rows[CLI_NUMBER_SIZE];
    cJSON *json = cli_answer_json(answer);
    const cJSON *schema = cli_at(json, "schema") ? cli_at(json, "schema") : json;
    const char *target = cli_text_at(schema, "target.name");
    const char *kind = cli_text_at(schema, "target.kind"), *id = cli_text_at(json, "id");
    const char *status = cli_text_at(json, "status");
    cli_format_count(rows, cli_number_at(schema, "rows"));
    if (o->json) {
        cli_out(answer->body.data, answer->body.size);
        cli_puts("\n");
    } else if (answer->status == 202) {
        cli_printf("%s %s: %s\n", o->name, id ? id : "", status ? status : "preparing");
    } else {
        cli_printf("%s %s: %s rows, target %s (%s)\n", o->name, id ? id : "", rows,
                   target ? target : "none", kind ? kind : "-");
    }
    cJSON_Delete(json);
}

enum cli_exit cli_upload(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cli_csv_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse_option, "NAME FILE[,LABELS]", doc, children,
                                     NULL,    NULL};
    struct upload_options o = {0};
    struct cli_answer answer;
    char *file = NULL, *labels = NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (!cli_split_files(o.files, &file, &labels)) {
        cli_say("no memory");
        return CLI_FAILED;
    }
    cli_answer_init(&answer);
    enum cli_exit code = send_part(&o, file, labels ? "/x" : "", &answer);
    if (code == CLI_DONE && labels)
        code = send_part(&o, labels, "/y", &answer);
    if (code == CLI_DONE)
        print_dataset(&o, &answer);
    cli_answer_deinit(&answer);
    free(file);
    free(labels);
    return code;
}
