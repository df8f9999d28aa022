/* Writing predictions. A probability is a float: it gets as few digits as read back as that float. */
#include "core/predict/answer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"

enum { PIECE_BYTES = 1 << 18, DIGITS_MIN = 6, DIGITS_MAX = 9 };

static void float_text(char text[OCK_NUMBER_TEXT_SIZE], float value)
{
    for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
        (void)snprintf(text, OCK_NUMBER_TEXT_SIZE, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            return;
    }
}

/* A field of a CSV: quoted where it has to be (RFC 4180). */
static void put_field(struct ock_buf *out, const char *text)
{
    if (*text != '\0' && !strpbrk(text, ",\"\r\n") && text[0] != ' ' &&
        text[strlen(text) - 1] != ' ') {
        ock_buf_puts(out, text);
        return;
    }
    ock_buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            ock_buf_putc(out, '"');
        ock_buf_putc(out, *text);
    }
    ock_buf_putc(out, '"');
}

static enum ock_status flush(struct ock_answer_file *answer, struct ock_err *err)
{
    enum ock_status status = ock_buf_status(&answer->piece, err);
    const char *at = answer->piece.data;
    size_t left = answer->piece.size;
    answer->bytes += left;
    if (status == OCK_OK && answer->bytes > answer->bytes_max)
        return ock_fail(err, OCK_LIMIT,
                        "the answer is longer than %llu MiB, the limit; predict fewer rows at a "
                        "time",
                        (unsigned long long)(answer->bytes_max >> 20));
    while (status == OCK_OK && left > 0) {
        ssize_t written = write(answer->fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ock_fail_errno(err, errno, "cannot write the predictions");
        at += written;
        left -= (size_t)written;
    }
    ock_buf_clear(&answer->piece);
    return status;
}

/* The classes' names, quoted once. */
static enum ock_status quote_names(struct ock_answer_file *answer, struct ock_err *err)
{
    const char *const *classes = ock_predictor_classes(answer->predictor, &answer->classes);
    size_t *begins = malloc((answer->classes + 1) * sizeof(*begins));
    answer->names = malloc((answer->classes + 1) * sizeof(*answer->names));
    for (size_t i = 0; begins && answer->names && i < answer->classes; i++) {
        begins[i] = answer->quoted.size;
        if (answer->format == OCK_ANSWER_CSV)
            put_field(&answer->quoted, classes[i]);
        else
            ock_json_quote(&answer->quoted, classes[i]);
        ock_buf_putc(&answer->quoted, '\0');
    }
    enum ock_status status = ock_buf_status(&answer->quoted, err);
    if (!begins || !answer->names)
        status = ock_fail(err, OCK_NOMEM, "out of memory for the classes");
    for (size_t i = 0; status == OCK_OK && i < answer->classes; i++)
        answer->names[i] = answer->quoted.data + begins[i];
    free(begins);
    return status;
}

static void put_head(struct ock_answer_file *answer, const struct ock_answer_head *head)
{
    struct ock_buf *out = &answer->piece;
    const struct ock_spec *spec = ock_predictor_spec(answer->predictor);
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    if (head->job)
        ock_jsonw_string(&w, "job", head->job);
    if (head->which)
        ock_jsonw_string(&w, "which", head->which);
    if (head->model_sha256)
        ock_jsonw_string(&w, "model_sha256", head->model_sha256);
    ock_jsonw_string(&w, "target", spec->data.target);
    if (answer->classes > 0) {
        ock_jsonw_array(&w, "classes");
        for (size_t i = 0; i < answer->classes; i++)
            ock_jsonw_raw(&w, NULL, answer->names[i]);
        ock_jsonw_end_array(&w);
    }
    ock_buf_puts(out, ",\"predictions\":[");
}

static void put_header(struct ock_answer_file *answer)
{
    char name[OCK_NAME_BYTES_MAX + 32];
    size_t count;
    const char *const *classes = ock_predictor_classes(answer->predictor, &count);
    ock_buf_puts(&answer->piece, "prediction");
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "probability_%s", classes[i]);
        ock_buf_putc(&answer->piece, ',');
        put_field(&answer->piece, name);
    }
    ock_buf_putc(&answer->piece, '\n');
}

enum ock_status ock_answer_begin(struct ock_answer_file *answer, const struct ock_answer_head *head,
                                 struct ock_err *err)
{
    ock_buf_init(&answer->piece, OCK_GIB);
    ock_buf_init(&answer->quoted, OCK_GIB);
    enum ock_status status = quote_names(answer, err);
    if (status != OCK_OK)
        return status;
    if (answer->format == OCK_ANSWER_JSON)
        put_head(answer, head);
    else if (answer->format == OCK_ANSWER_CSV)
        put_header(answer);
    return ock_buf_status(&answer->piece, err);
}

static void put_probability(struct ock_answer_file *answer, float p)
{
    char text[OCK_NUMBER_TEXT_SIZE];
    bool csv = answer->format == OCK_ANSWER_CSV;
    if (isfinite(p))
        float_text(text, p);
    ock_buf_puts(&answer->piece, isfinite(p) ? text : csv ? "" : "null");
}

static void put_class(struct ock_answer_file *answer, int32_t label, const float *p)
{
    struct ock_buf *out = &answer->piece;
    if (answer->format == OCK_ANSWER_CSV) {
        ock_buf_puts(out, answer->names[label]);
        for (size_t j = 0; j < answer->classes; j++) {
            ock_buf_putc(out, ',');
            put_probability(answer, p[j]);
        }
        return;
    }
    ock_buf_puts(out, "{\"class\":");
    ock_buf_puts(out, answer->names[label]);
    ock_buf_puts(out, ",\"probabilities\":{");
    for (size_t j = 0; j < answer->classes; j++) {
        if (j > 0)
            ock_buf_putc(out, ',');
        ock_buf_puts(out, answer->names[j]);
        ock_buf_putc(out, ':');
        put_probability(answer, p[j]);
    }
    ock_buf_puts(out, "}}");
}

static void put_number(struct ock_answer_file *answer, double value)
{
    char text[OCK_NUMBER_TEXT_SIZE];
    bool csv = answer->format == OCK_ANSWER_CSV;
    if (isfinite(value))
        ock_number_text(text, value);
    ock_buf_puts(&answer->piece, isfinite(value) ? text : csv ? "" : "null");
}

enum ock_status ock_answer_add(void *ctx, const struct ock_predictions *predictions,
                               struct ock_err *err)
{
    struct ock_answer_file *answer = ctx;
    for (size_t i = 0; i < predictions->rows; i++) {
        if (answer->format == OCK_ANSWER_JSON && answer->rows > 0)
            ock_buf_putc(&answer->piece, ',');
        answer->rows++;
        if (predictions->classes > 0)
            put_class(answer, predictions->label[i],
                      predictions->probabilities + i * predictions->classes);
        else
            put_number(answer, predictions->value[i]);
        if (answer->format != OCK_ANSWER_JSON)
            ock_buf_putc(&answer->piece, '\n');
        if (answer->piece.size < PIECE_BYTES)
            continue;
        enum ock_status status = flush(answer, err);
        if (status != OCK_OK)
            return status;
    }
    return ock_buf_status(&answer->piece, err);
}

enum ock_status ock_answer_end(struct ock_answer_file *answer, struct ock_err *err)
{
    if (answer->format == OCK_ANSWER_JSON)
        ock_buf_printf(&answer->piece, "],\"rows\":%zu}\n", answer->rows);
    return flush(answer, err);
}

void ock_answer_deinit(struct ock_answer_file *answer)
{
    ock_buf_deinit(&answer->piece);
    ock_buf_deinit(&answer->quoted);
    free(answer->names);
    answer->names = NULL;
}
