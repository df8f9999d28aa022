/* A plain table in the terminal: texts in columns that are as wide as their widest cell. */
#ifndef OCK_CLI_TABLE_H
#define OCK_CLI_TABLE_H

#include <stddef.h>

#include "clients/cli/cli.h"

enum { CLI_COLUMNS_MAX = 12 };

struct cli_table {
    size_t columns;
    size_t rows;     /* the first one holds the titles */
    size_t capacity; /* cells */
    char **cells;    /* owned; row by row */
    bool failed;     /* out of memory: nothing is printed but a sentence */
};

/* An empty table with the titles as its first row. */
void cli_table_init(struct cli_table *table, size_t columns, const char *const *titles);
void cli_table_deinit(struct cli_table *table);

/* Appends a row; the texts are copied, control characters become spaces. NULL is "-". */
void cli_table_row(struct cli_table *table, const char *const *texts);

/* Prints to stdout. On a terminal rows are made to fit: wide cells are cut, then the last columns
 * are left out; the first column stays whole. */
void cli_table_print(const struct cli_table *table, const struct cli_term *term);

#endif
