/* Rows in svmlight's form for a model that was trained on such: each row's terms among the model's
 * features, all others 0. They are written out block by block, which gives the sums of training to the
 * bit (core/model/sparse_linear.c). */
#ifndef OCK_PREDICT_SPARSE_ROWS_H
#define OCK_PREDICT_SPARSE_ROWS_H

#include "core/data/sparse_table.h"
#include "core/predict/model_parts.h"

/* The dataset's columns, called by their indices, as the model's features; indices that the model does
 * not know are passed over. To be ended by ock_sparse_table_deinit; on error there is nothing to end.
 * Errors: UNSUPPORTED (the model is none of sparse data), INVALID, CORRUPT, NOMEM. */
enum ock_status ock_sparse_rows_open(struct ock_sparse_table *out,
                                     const struct ock_model_parts *parts,
                                     const struct ock_dataset *dataset, struct ock_err *err);

/* The largest index that the model knows; 0 where it is none of sparse data. */
uint32_t ock_sparse_rows_index_max(const struct ock_model_parts *parts);

/* x [count, encoder.features]: rows begin, begin + 1, …, scaled. */
void ock_sparse_rows_encode(const struct ock_sparse_table *table,
                            const struct ock_model_parts *parts, size_t begin, size_t count,
                            float *x);

#endif
