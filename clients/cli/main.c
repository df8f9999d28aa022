/* `ockham`: finds the command and hands over. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/cli.h"
#include "clients/cli/signals.h"
#include "core/base/json.h"
#include "core/kernels/kernels.h"

static const struct cli_command commands[] = {
    {"train", "train a job here, without a server", cli_train},
    {"validate", "check a job file and print it with every default", cli_validate},
    {"serve", "serve the HTTP API", cli_serve},
    {"backup", "copy a data directory, also while it is served", cli_backup},
    {"upload", "send a data file to a server", cli_upload},
    {"summary", "describe the columns of a dataset", cli_summary},
    {"submit", "send a job to a server", cli_submit},
    {"watch", "follow a job's epochs", cli_watch},
    {"tuning", "show what each strength of a tuning job came to", cli_tuning},
    {"list", "list a server's jobs", cli_list},
    {"show", "show one job", cli_show},
    {"cancel", "end a job and keep nothing", cli_cancel},
    {"stop", "end a job now and keep its best model", cli_stop},
    {"pause", "set a job aside", cli_pause},
    {"resume", "go on with a paused job", cli_resume},
    {"model", "download a job's model", cli_model},
    {"predict", "predict rows with a model file or a job", cli_predict},
    {"delete", "remove an ended job, or a dataset", cli_delete},
    {"health", "ask whether a server is ready", cli_health},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
    fputs("Usage: ockham COMMAND [OPTION...]\n"
          "Trains neural networks and linear models, and keeps them from overfitting.\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs(
        "\n"
        "  ockham COMMAND --help   its options\n"
        "  ockham --version        the version, and the id of its arithmetic\n\n"
        "Example:\n"
        "  ockham train job.json --data flowers.csv --target species --model flowers.safetensors\n"
        "where job.json may be as short as\n"
        "  {\"data\": {\"target\": \"species\"}, \"regularization\": {\"l2\": 1e-4}}\n\n"
        "Commands that talk to a server take its address from OCKHAM_URL (default\n"
        "http://127.0.0.1:8080) and its token from OCKHAM_TOKEN.\n",
        out);
}

static void print_version(void)
{
    const struct ock_kernels *kernels = ock_kernels_get(NULL);
    cli_printf("ockham %s (numerics %s, %s kernels)\n", OCK_VERSION, ock_kernels_numerics(kernels),
               kernels->family);
}

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static enum cli_exit unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *near = ock_nearest_word(name, names, COMMAND_COUNT);
    if (near)
        cli_say("no command \"%s\"; did you mean \"%s\"?", name, near);
    else
        cli_say("no command \"%s\"; ockham --help lists them", name);
    return CLI_USAGE;
}

/* argv[0] becomes "ockham NAME", which argp's texts show. */
static enum cli_exit run_command(const struct cli_command *command, int argc, char **argv)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "ockham %s", command->name);
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    return command->run(argc, argv);
}

/* "ockham help", "ockham help NAME", or what NAME --help says. */
static enum cli_exit help(int argc, char **argv)
{
    char option[] = "--help";
    char *arguments[] = {argv[0], option, NULL};
    if (argc < 2) {
        print_help(stdout);
        return CLI_DONE;
    }
    const struct cli_command *command = find_command(argv[1]);
    return command ? run_command(command, 2, arguments) : unknown_command(argv[1]);
}

static enum cli_exit dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        print_version();
        return CLI_DONE;
    }
    if (name[0] == '-') {
        cli_say("no option %s before a command; ockham --help lists the commands", name);
        return CLI_USAGE;
    }
    const struct cli_command *command = find_command(name);
    return command ? run_command(command, argc - 1, argv + 1) : unknown_command(name);
}

int main(int argc, char **argv)
{
    /* A reader that leaves shows as a failed write, so that temporary files can still be removed.
     */
    (void)signal(SIGPIPE, SIG_IGN);
    enum cli_exit code = dispatch(argc, argv);
    bool closed = cli_out_closed(); /* a command's own output, seen at its flushes */
    cli_out_flush();
    if (cli_out_failed())
        return CLI_FAILED;
    if (closed || cli_out_closed())
        cli_signals_die(SIGPIPE);
    return (int)code;
}
