/* The search for a strength in front of a person: a row a trial, the strongest first, with its mean
 * loss drawn on a scale that all rows share. `train`, `watch` and `tuning` show it. */
#ifndef OCK_CLI_TRIALS_H
#define OCK_CLI_TRIALS_H

#include <cjson/cJSON.h>

#include "clients/cli/cli.h"

enum { CLI_STRENGTHS = 4, CLI_RULE_SIZE = 8 };

struct cli_trial {
    double number;                   /* its place in the table, from 1 */
    double strengths[CLI_STRENGTHS]; /* l1, l2, weight_decay, dropout; NaN: not searched */
    double mean, error;              /* of the validation loss; NaN: not known */
    double score;                    /* accuracy, or RMSE */
    double weights;                  /* that are not zero */
    bool succeeded, ended;           /* ended: early; neither: failed */
};

struct cli_trials {
    size_t count, capacity;
    struct cli_trial *rows; /* owned; by number */
    double total;           /* how many there will be; NaN: not told */
    bool numbers;           /* the score is an RMSE */
    char rule[CLI_RULE_SIZE];
    size_t min, one_se; /* places in rows, so far; count: none */
    size_t newest;      /* the row that came last */
    size_t drawn;       /* lines on the terminal that the next drawing goes over */
    bool closed;        /* the whole table has been shown */
};

void cli_trials_deinit(struct cli_trials *trials);

/* The rule that chooses, of a table; while it is not known both choices stand out alike, and none is
 * told. */
void cli_trials_rule(struct cli_trials *trials, const cJSON *table);

/* Takes a row of the table, as `trial` events have it. False: no memory. */
bool cli_trials_add(struct cli_trials *trials, const cJSON *row);

/* Draws the table at the cursor, over what was drawn before. On a terminal, as many rows as fit,
 * around the newest. */
void cli_trials_draw(struct cli_trials *trials, const struct cli_term *term);
/* Takes the drawing off the terminal, so that something else can be written. */
void cli_trials_hide(struct cli_trials *trials);
/* What is drawn stays where it is: the next drawing begins below. */
void cli_trials_leave(struct cli_trials *trials);
/* Draws all rows for good, and says how many there are of how many, or what the rule chose. A second
 * time is a no-op. */
void cli_trials_close(struct cli_trials *trials, const struct cli_term *term);

#endif
