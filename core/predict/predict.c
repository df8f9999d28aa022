/* The importer makes a private dataset of the rows, as it made one of the training data. */
#include "core/predict/predict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/predict/rows_json.h"

enum { PATH_SIZE = 4096 };

static enum ock_status join(char path[PATH_SIZE], const char *dir, const char *name,
                            struct ock_err *err)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s", dir, name);
    return length < 0 || length >= PATH_SIZE
               ? ock_fail(err, OCK_LIMIT, "the directory's path is too long")
               : OCK_OK;
}

static enum ock_status write_quickly(const char *path, const struct ock_buf *text,
                                     struct ock_err *err)
{
    struct ock_newfile file = {.fd = -1};
    enum ock_status status = ock_newfile_open(&file, path, err);
    if (status != OCK_OK)
        return status;
    file.quick = true;
    status = ock_newfile_write(&file, text->data, text->size, err);
    if (status == OCK_OK)
        status = ock_newfile_commit(&file, err);
    ock_newfile_discard(&file);
    return status;
}

/* Rows of the model's columns that may be predicted at once; 0: any. One in any case. */
static size_t rows_max_of(const struct ock_predict *predict, const struct ock_predictor *predictor)
{
    size_t columns = ock_predictor_columns(predictor)->total;
    if (predict->values_max == 0)
        return predict->rows_max;
    size_t rows = columns < predict->values_max ? predict->values_max / columns : 1;
    return predict->rows_max > 0 && predict->rows_max < rows ? predict->rows_max : rows;
}

/* The JSON at `source` as a CSV at `csv`. */
static enum ock_status convert(const struct ock_predict *predict,
                               const struct ock_predictor *predictor, const char *csv,
                               struct ock_faults *faults, struct ock_err *err)
{
    struct ock_buf text, table;
    cJSON *json = NULL;
    size_t rows_max = rows_max_of(predict, predictor);
    rows_max = rows_max ? rows_max : OCK_ROWS_MAX;
    ock_buf_init(&text, OCK_JSON_BYTES_MAX);
    ock_buf_init(&table, 8 * OCK_JSON_BYTES_MAX);
    enum ock_status status = ock_file_read(predict->source, &text, err);
    if (status == OCK_OK) {
        status = ock_json_parse(&json, text.data, text.size, faults, err);
        if (status == OCK_INVALID || status == OCK_LIMIT)
            ock_faults_add(faults, "", "invalid_json", "%s", err->text);
    }
    ock_buf_deinit(&text);
    if (status == OCK_OK)
        status = ock_rows_json_write(json, predictor, rows_max, &table, faults, err);
    cJSON_Delete(json);
    if (status == OCK_OK && faults->count > 0) /* of the JSON itself: a key twice, 1e999 */
        status = ock_fail(err, OCK_INVALID, "the rows are not valid");
    if (status == OCK_OK)
        status = write_quickly(csv, &table, err);
    ock_buf_deinit(&table);
    return status;
}

static enum ock_status import_rows(const struct ock_predict *predict,
                                   const struct ock_predictor *predictor, const char *out,
                                   struct ock_faults *faults, struct ock_err *err)
{
    char csv[PATH_SIZE];
    struct ock_import import = {.source = predict->source,
                                .out = out,
                                .delimiter = predict->delimiter,
                                .format = predict->svmlight ? OCK_FORMAT_SVMLIGHT : OCK_FORMAT_AUTO,
                                .header = predict->header,
                                .missing = predict->missing,
                                .rows = ock_predictor_columns(predictor),
                                .index_max = ock_predictor_index_max(predictor),
                                .rows_max = rows_max_of(predict, predictor)};
    if (!import.missing || predict->json)
        import.missing = ock_predictor_missing(predictor);
    enum ock_status status = join(csv, predict->dir, "rows.csv", err);
    if (status == OCK_OK && predict->json) {
        status = convert(predict, predictor, csv, faults, err);
        import.source = csv;
        import.format = OCK_FORMAT_CSV;
        import.delimiter = ',';
        import.header = OCK_HEADER_YES;
    }
    return status == OCK_OK ? ock_import_run(&import, err) : status;
}

static enum ock_status answer_rows(const struct ock_predict *predict,
                                   struct ock_predictor *predictor,
                                   const struct ock_dataset *dataset, struct ock_err *err)
{
    const struct ock_schema *schema = ock_dataset_schema(dataset);
    size_t rows = schema->rows;
    size_t rows_max = schema->sparse ? predict->rows_max : rows_max_of(predict, predictor);
    if (rows_max > 0 && rows > rows_max)
        return ock_fail(err, OCK_LIMIT, "there are %zu rows of %zu columns, the limit is %zu rows",
                        rows, ock_predictor_columns(predictor)->total, rows_max);
    struct ock_answer_file answer = {.format = predict->format,
                                     .predictor = predictor,
                                     .bytes_max =
                                         predict->bytes_max ? predict->bytes_max : UINT64_MAX};
    answer.fd = open(predict->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (answer.fd < 0)
        return ock_fail_errno(err, errno, "cannot write the predictions");
    enum ock_status status = ock_answer_begin(&answer, &predict->head, err);
    if (status == OCK_OK)
        status = ock_predictor_run(predictor, dataset, ock_answer_add, &answer, err);
    if (status == OCK_OK)
        status = ock_answer_end(&answer, err);
    ock_answer_deinit(&answer);
    if (close(answer.fd) != 0 && status == OCK_OK)
        status = ock_fail_errno(err, errno, "cannot write the predictions");
    return status;
}

enum ock_status ock_predict_run(const struct ock_predict *predict, struct ock_faults *faults,
                                struct ock_err *err)
{
    struct ock_predictor *predictor = NULL;
    struct ock_dataset *dataset = NULL;
    char path[PATH_SIZE];
    enum ock_status status = join(path, predict->dir, "rows.ockds", err);
    if (status == OCK_OK) {
        status = ock_predictor_open(&predictor, predict->model, predict->threads, err);
        if (predict->in_model)
            *predict->in_model = status != OCK_OK && status != OCK_NOMEM;
    }
    if (status == OCK_OK)
        status = import_rows(predict, predictor, path, faults, err);
    if (status == OCK_OK)
        status = ock_dataset_open(&dataset, path, err);
    if (status == OCK_OK)
        status = answer_rows(predict, predictor, dataset, err);
    ock_dataset_free(dataset);
    ock_predictor_free(predictor);
    return status;
}
