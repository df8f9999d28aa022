/* A prediction from beginning to end: a model file and rows in any form to a file of answers. */
#ifndef OCK_PREDICT_PREDICT_H
#define OCK_PREDICT_PREDICT_H

#include "core/data/import.h"
#include "core/predict/answer.h"

struct ock_predict {
    const char *model;   /* path */
    const char *source;  /* path of the rows */
    bool json;           /* they are JSON (rows_json.h); else a table that the importer takes, */
    bool svmlight;       /* which is svmlight: else that is found by its first row */
    char delimiter;      /* 0: found */
    const char *missing; /* as of struct ock_import, for tables; NULL: the model's own words */
    enum ock_header header;
    const char *dir; /* for "rows.csv" and "rows.ockds", which stay there */
    const char *out; /* path of the answer; made or replaced */
    enum ock_answer_format format;
    struct ock_answer_head head;
    uint32_t threads;
    size_t rows_max;    /* 0: no limit but the dataset's */
    size_t values_max;  /* rows times the model's columns; 0: none */
    uint64_t bytes_max; /* of the answer; 0: none */
    bool *in_model; /* set to true where the fault is in the model's file; NULL: not asked for */
};

/* Faults in JSON rows are added with their pointers; of what is no JSON at all, one of the code
 * "invalid_json". Errors: those of predictor.h, import.h,
 * rows_json.h and answer.h. */
enum ock_status ock_predict_run(const struct ock_predict *predict, struct ock_faults *faults,
                                struct ock_err *err);

#endif
