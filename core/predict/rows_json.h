/* Rows in JSON, checked against a model's columns and written as the CSV that the importer takes. */
#ifndef OCK_PREDICT_ROWS_JSON_H
#define OCK_PREDICT_ROWS_JSON_H

#include "core/base/faults.h"
#include "core/predict/predictor.h"

/* json: {"rows": [{"column": value, …} or [value, …], …]} or {"x": [[value, …], …]}. The values of
 * an array stand in the order of the model's columns; null, or a key that is not there, is a missing
 * value. A key of the target's or the weights' name is passed over.
 * Appends a header and a line a row to out. All faults are added with their pointers ("/rows/3/age").
 * Errors: INVALID (faults were added), LIMIT (rows_max), NOMEM. */
enum ock_status ock_rows_json_write(const cJSON *json, const struct ock_predictor *predictor,
                                    size_t rows_max, struct ock_buf *out, struct ock_faults *faults,
                                    struct ock_err *err);

#endif
