/* Data files become datasets in a worker process: what is wrong with a file can hurt that alone. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/job.h"
#include "core/base/file.h"
#include "core/base/jsonw.h"
#include "core/data/import.h"
#include "server/resources.h"
#include "server/worker_process.h"

bool cli_split_files(const char *files, char **file, char **labels)
{
    const char *comma = access(files, F_OK) == 0 ? NULL : strrchr(files, ',');
    char *first = comma ? strndup(files, (size_t)(comma - files)) : strdup(files);
    char *second = comma ? strdup(comma + 1) : NULL;
    if (!first || (comma && !second)) {
        free(first);
        free(second);
        return false;
    }
    *file = first;
    *labels = second;
    return true;
}

/* The file's path from the root, for the worker; says what is wrong with it. */
static char *find_file(const char *path)
{
    char *real = realpath(path, NULL);
    if (real && access(real, R_OK) == 0)
        return real;
    if (!real && access(path, F_OK) == 0) /* /dev/fd/63, which leads to no name */
        cli_say("%s: is a pipe, not a file; save the data to a file first", path);
    else
        cli_say("%s: %s", path, strerror(errno));
    free(real);
    return NULL;
}

static enum ock_status write_request(const struct cli_job *job, const char *source,
                                     const char *labels, const struct cli_csv *csv, const char *out,
                                     struct ock_err *err)
{
    struct ock_buf text;
    char path[CLI_PATH_SIZE];
    ock_buf_init(&text, 64 << 10);
    struct ock_jsonw w = ock_jsonw_make(&text);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "source", source);
    ock_jsonw_string(&w, "labels", labels);
    ock_jsonw_string(&w, "out", out);
    ock_jsonw_null(&w, "target");
    ock_jsonw_string(&w, "format", "auto");
    ock_jsonw_string(&w, "delimiter", csv->delimiter);
    if (csv->header && strcmp(csv->header, "auto") != 0)
        ock_jsonw_bool(&w, "header", strcmp(csv->header, "true") == 0);
    ock_jsonw_string(&w, "types", csv->types);
    ock_jsonw_string(&w, "missing", csv->missing);
    ock_jsonw_uint(&w, "threads", ock_import_threads(ock_cores_available()));
    ock_jsonw_end_object(&w);
    cli_workdir_path(&job->dir, "import.json", path);
    enum ock_status status = ock_buf_status(&text, err);
    if (status == OCK_OK)
        status = ock_file_replace(path, text.data, text.size, err);
    ock_buf_deinit(&text);
    return status;
}

char *cli_worker_line(struct ock_worker *worker, struct cli_signals *signals)
{
    char *line = NULL;
    size_t size = 0;
    bool open = true;
    while (!line && open) {
        struct pollfd fds[2] = {{.fd = worker->out, .events = POLLIN},
                                {.fd = signals->fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        cli_signals_read(signals);
        if (signals->interrupts || signals->fatal)
            break;
        open = ock_worker_read(worker);
        line = ock_worker_next_line(worker, &size);
    }
    return line;
}

static enum cli_exit judge(const char *files, const char *line, struct ock_worker *worker,
                           const struct cli_signals *signals)
{
    char text[512];
    int wait_status = 0;
    if (signals->interrupts || signals->fatal)
        return CLI_FAILED;
    if (line && strcmp(line, "ok") == 0)
        return CLI_DONE;
    if (line) {
        const char *space = strchr(line, ' ');
        cli_say("%s: %s", files, space ? space + 1 : line);
        return CLI_FAILED;
    }
    (void)ock_worker_ended(worker, true, &wait_status);
    ock_worker_explain(wait_status, worker->said, text, sizeof(text));
    cli_say("%s: %s", files, text);
    return CLI_FAILED;
}

static enum cli_exit run_import(const struct cli_job *job, const char *files,
                                struct cli_signals *signals)
{
    struct ock_worker worker = {0};
    struct ock_err err = {0};
    if (ock_worker_start(&worker, job->program_fd, "import", job->dir.path, true, &err) != OCK_OK) {
        cli_say("%s", err.text);
        return CLI_FAILED;
    }
    const char *line = cli_worker_line(&worker, signals);
    enum cli_exit code = judge(files, line, &worker, signals);
    ock_worker_close(&worker);
    return code;
}

enum cli_exit cli_import(const struct cli_job *job, const char *files, const struct cli_csv *csv,
                         const char *out, struct cli_signals *signals)
{
    char *file = NULL, *labels = NULL, *source = NULL, *labels_source = NULL;
    struct ock_err err = {0};
    enum cli_exit code = CLI_FAILED;
    if (!cli_split_files(files, &file, &labels)) {
        cli_say("no memory");
        goto done;
    }
    source = find_file(file);
    labels_source = labels ? find_file(labels) : NULL;
    if (!source || (labels && !labels_source)) {
        code = CLI_USAGE;
        goto done;
    }
    if (write_request(job, source, labels_source, csv, out, &err) != OCK_OK) {
        cli_say("%s", err.text);
        goto done;
    }
    code = run_import(job, files, signals);
done:
    free(file);
    free(labels);
    free(source);
    free(labels_source);
    return code;
}
