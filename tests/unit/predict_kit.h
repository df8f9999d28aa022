/* For tests of predictions: small data, a model trained on them, rows predicted with it. */
#ifndef OCK_TESTS_PREDICT_KIT_H
#define OCK_TESTS_PREDICT_KIT_H

#include "core/base/file.h"
#include "core/predict/predict.h"
#include "tests/unit/job_kit.h"

/* The target: a number, three classes, or two. */
enum kind { NUMBERS, CLASSES, PAIRS };
enum { ROWS = 300, TEXT_BYTES_MAX = 1 << 20 };

struct place {
    char directory[KIT_PATH_SIZE], csv[KIT_PATH_SIZE], data[KIT_PATH_SIZE], model[KIT_PATH_SIZE];
    char answer[KIT_PATH_SIZE], rows[KIT_PATH_SIZE];
};

__attribute__((unused)) static void open_place(struct place *place)
{
    kit_directory(place->directory);
    kit_path(place->csv, place->directory, "data.csv");
    kit_path(place->data, place->directory, "data.ockds");
    kit_path(place->model, place->directory, "last.safetensors");
    kit_path(place->answer, place->directory, "answer");
    kit_path(place->rows, place->directory, "rows");
}

__attribute__((unused)) static void close_place(struct place *place)
{
    char path[KIT_PATH_SIZE];
    (void)unlink(place->answer);
    (void)unlink(place->rows);
    kit_path(path, place->directory, "rows.csv");
    (void)unlink(path);
    kit_path(path, place->directory, "rows.ockds");
    (void)unlink(path);
    kit_remove(place->directory);
}

/* a has few decimals (float32 in a dataset) and misses some, stamp is long (float64), c is whole; with
 * classes also a category with a rare value and missing ones, and a boolean. */
__attribute__((unused)) static void put_row(FILE *file, int i, enum kind kind)
{
    static const char *const jobs[] = {"clerk", "", "nurse, night", "7", "clerk"};
    double a = (i * 37 % 101) * 0.1, c = i % 7;
    if (kind != NUMBERS && i % 13 == 5)
        (void)fprintf(file, ",%d,%.0f,", 1700000000 + i * 977, c);
    else
        (void)fprintf(file, "%.1f,%d,%.0f,", a, 1700000000 + i * 977, c);
    if (kind != NUMBERS)
        (void)fprintf(file, "\"%s\",%s,", i == 17 ? "pilot" : jobs[i * 3 % 5],
                      i % 3 ? "Yes" : "no");
    if (kind != NUMBERS)
        (void)fprintf(file, "%s\n",
                      a + c > 8                        ? "\"yes, it is\""
                      : kind == CLASSES && i % 11 == 0 ? "maybe"
                                                       : "no");
    else
        (void)fprintf(file, "%.3f\n", 3 * a - c + 100 + (i % 5) * 0.01);
}

__attribute__((unused)) static const char *header_of(enum kind kind)
{
    return kind != NUMBERS ? "a,stamp,c,job,member,y\n" : "a,stamp,c,y\n";
}

__attribute__((unused)) static void make_data(const struct place *place, enum kind kind)
{
    struct ock_err err = {0};
    FILE *file = fopen(place->csv, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(header_of(kind), file);
    for (int i = 0; i < ROWS; i++)
        put_row(file, i, kind);
    ck_assert_int_eq(fclose(file), 0);
    struct ock_import import = {.source = place->csv, .out = place->data, .target = "y"};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
}

__attribute__((unused)) static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Trains on the data with itself as the validation dataset. */
__attribute__((unused)) static void train(struct kit *kit, const struct place *place,
                                          const char *model, const char *loss)
{
    char spec[512];
    (void)snprintf(spec, sizeof(spec),
                   "{\"data\":{\"validation\":{\"dataset\":\"self\"},\"target\":\"y\"},\"model\":%"
                   "s,\"loss\":%s,"
                   "\"train\":{\"epochs\":4,\"seed\":3}}",
                   model, loss);
    *kit = (struct kit){
        .train = place->data, .validation = place->data, .last = place->model, .threads = 1};
    kit_run(kit, spec);
}

__attribute__((unused)) static enum ock_status
predict(const struct place *place, const char *rows, bool json, enum ock_answer_format format,
        struct ock_buf *out, struct ock_faults *faults, struct ock_err *err)
{
    struct ock_predict order = {.model = place->model,
                                .source = rows,
                                .json = json,
                                .dir = place->directory,
                                .out = place->answer,
                                .format = format,
                                .threads = 2,
                                .rows_max = 1000};
    enum ock_status status = ock_predict_run(&order, faults, err);
    ock_buf_clear(out);
    if (status == OCK_OK)
        ck_assert_int_eq(ock_file_read(place->answer, out, NULL), OCK_OK);
    return status;
}

/* The predictions' line i (from 0, behind the CSV's header), NUL-terminated in `line`. */
__attribute__((unused)) static const char *line_of(const struct ock_buf *answer, int i,
                                                   char line[512])
{
    const char *at = strchr(answer->data, '\n') + 1;
    for (; i > 0; i--)
        at = strchr(at, '\n') + 1;
    (void)snprintf(line, 512, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

#endif
