/* The options that say how a CSV is to be read. */
#include <string.h>

#include "clients/cli/job.h"
#include "core/data/column_types.h"
#include "core/data/import.h"
#include "core/data/missing.h"

enum { KEY_DELIMITER = 0x200, KEY_HEADER, KEY_TYPES, KEY_MISSING };

static const struct argp_option options[] = {
    {"delimiter", KEY_DELIMITER, "CHARACTER", 0,
     "Between a CSV's fields: one character, or tab or space", 1},
    {"header", KEY_HEADER, "true|false|auto", 0, "Whether a CSV's first line holds names", 1},
    {"types", KEY_TYPES, "COLUMN:TYPE,...", 0,
     "What a CSV's columns are, over what is found: number, category or boolean", 1},
    {"missing", KEY_MISSING, "WORD,...", 0,
     "What stands for a missing value, in place of ?,NA,N/A,NaN,null", 1},
    {0},
};

static void check_types(const char *text, struct argp_state *state)
{
    struct ock_err err = {0};
    struct ock_column_types types;
    if (ock_column_types_parse(&types, text, &err) != OCK_OK)
        argp_error(state, "%s", err.text);
    ock_column_types_deinit(&types);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct cli_csv *csv = state->input;
    struct ock_err err = {0};
    struct ock_missing missing;
    char delimiter;
    switch (key) {
    case KEY_DELIMITER:
        if (ock_import_delimiter(arg, &delimiter, &err) != OCK_OK)
            argp_error(state, "%s", err.text);
        csv->delimiter = arg;
        return 0;
    case KEY_HEADER:
        if (strcmp(arg, "true") != 0 && strcmp(arg, "false") != 0 && strcmp(arg, "auto") != 0)
            argp_error(state, "--header is true, false or auto");
        csv->header = arg;
        return 0;
    case KEY_TYPES:
        check_types(arg, state);
        csv->types = arg;
        return 0;
    case KEY_MISSING:
        if (ock_missing_parse(&missing, arg, &err) != OCK_OK)
            argp_error(state, "%s", err.text);
        csv->missing = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp cli_csv_argp = {options, parse_option, NULL, NULL, NULL, NULL, NULL};
