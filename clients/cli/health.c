/* `ockham health`: is the server ready? For a container's health check and for scripts. */
#include <errno.h>
#include <string.h>

#include "clients/cli/remote.h"

enum { KEY_LIVE = 0x100, TIMEOUT_S = 5 };

static const struct argp_option options[] = {
    {"live", KEY_LIVE, NULL, 0, "Ask only whether it is alive, not whether it takes jobs", 0},
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    const char **path = state->input;
    switch (key) {
    case KEY_LIVE:
        *path = "/livez";
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "health takes options only, not \"%s\"", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum cli_exit cli_health(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse_option, "",  "Asks whether the server is ready.\vExit code: 0 yes, 1 no.",
        NULL,    NULL,         NULL};
    const char *path = "/readyz";
    struct cli_answer answer;
    argp_parse(&argp, argc, argv, 0, NULL, &path);
    cli_answer_init(&answer);
    struct cli_request request = {.method = "GET", .path = path, .timeout_s = TIMEOUT_S};
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE)
        cli_puts(strcmp(path, "/livez") == 0 ? "alive\n" : "ready\n");
    cli_answer_deinit(&answer);
    return code == CLI_DONE ? CLI_DONE : CLI_FAILED;
}
