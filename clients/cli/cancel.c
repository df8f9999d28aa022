/* `ockham cancel`, `stop`, `pause`, `resume`: one word to a job; `delete`: the last one. */
#include <string.h>

#include "clients/cli/args.h"
#include "clients/cli/remote.h"
#include "core/base/limits.h"

enum cli_exit cli_act(const char *job, const char *action)
{
    struct ock_buf path;
    struct cli_answer answer;
    char rest[32];
    (void)snprintf(rest, sizeof(rest), "/%s", action);
    cli_job_path(&path, job, rest);
    cli_answer_init(&answer);
    struct cli_request request = {.method = "POST", .path = path.data, .timeout_s = 60};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE) {
        /* 202: it was told; what becomes of it shows in its status. */
        cJSON *json = cli_answer_json(&answer);
        const char *status = cli_text_at(json, "status");
        cli_printf("%s %s\n", job, status ? status : "told");
        cJSON_Delete(json);
    }
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    return code;
}

static enum cli_exit act(int argc, char **argv, const char *action, const char *doc)
{
    struct cli_args args;
    cli_args_parse(&args, argc, argv, "JOB", CLI_ARGS_ALONE, doc);
    return cli_act(args.name, action);
}

enum cli_exit cli_cancel(int argc, char **argv)
{
    return act(argc, argv, "cancel",
               "Ends a job; its model is not kept.\v"
               "ockham stop ends it and keeps the best model so far.");
}

enum cli_exit cli_stop(int argc, char **argv)
{
    return act(argc, argv, "stop", "Ends a running job now and keeps its best model.");
}

enum cli_exit cli_pause(int argc, char **argv)
{
    return act(argc, argv, "pause",
               "Sets a job aside with a checkpoint.\v"
               "ockham resume goes on, to the same bits as if nothing had happened.");
}

enum cli_exit cli_resume(int argc, char **argv)
{
    return act(argc, argv, "resume", "Goes on with a paused job.");
}

/* An id says what it is; any other word is a dataset's name. */
enum cli_exit cli_delete(int argc, char **argv)
{
    struct cli_args args;
    struct ock_buf path;
    struct cli_answer answer;
    cli_args_parse(
        &args, argc, argv, "JOB|DATASET", CLI_ARGS_ALONE,
        "Removes a job that has ended, with its events and its model, or a dataset, by its "
        "id or name.\v"
        "A job that has not ended has to be cancelled first; a dataset that such a job "
        "uses stays.");
    ock_buf_init(&path, 8 * OCK_KIB);
    ock_buf_puts(&path, strncmp(args.name, "job_", 4) == 0 ? "/v1/jobs/" : "/v1/datasets/");
    cli_url_add(&path, args.name);
    cli_answer_init(&answer);
    struct cli_request request = {.method = "DELETE", .path = path.data, .timeout_s = 60};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE)
        cli_printf("%s deleted\n", args.name);
    cli_answer_deinit(&answer);
    ock_buf_deinit(&path);
    return code;
}
