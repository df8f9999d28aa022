/* What a job told at its end, beside its events: documents of the worker's, as they came. The
 * confusion matrix is made into CSV for spreadsheets. */
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/jsonw.h"
#include "server/handlers/handlers.h"

static enum ock_handled answer(struct ock_exchange *x, const char *name)
{
    struct ock_problem problem = {0};
    if (!ock_engine_document(x->http->engine, x->args[0], name, &x->reply.body, &problem))
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    return OCK_HANDLED;
}

enum ock_handled ock_job_layers(struct ock_exchange *x)
{
    return answer(x, "layers");
}

/* --- The confusion matrix as CSV --------------------------------------------------------------- */

/* In quotation marks, always: any text is then one field. */
static void put_text(struct ock_buf *out, const char *text)
{
    ock_buf_putc(out, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"')
            ock_buf_putc(out, '"');
        ock_buf_putc(out, *c);
    }
    ock_buf_putc(out, '"');
}

static void put_name(struct ock_buf *out, const cJSON *class)
{
    const cJSON *name = ock_json_get(class, "name");
    put_text(out, cJSON_IsString(name) ? name->valuestring : "");
}

/* A column for each predicted class, a line for each true one. */
static void put_matrix(struct ock_buf *out, const cJSON *evaluation)
{
    const cJSON *classes = ock_json_get(evaluation, "classes"), *class = NULL;
    const cJSON *row = NULL, *cell = NULL;
    put_text(out, "true \\ predicted");
    cJSON_ArrayForEach(class, classes)
    {
        ock_buf_putc(out, ',');
        put_name(out, class);
    }
    ock_buf_puts(out, "\r\n");
    class = cJSON_GetArrayItem(classes, 0);
    cJSON_ArrayForEach(row, ock_json_get(evaluation, "confusion"))
    {
        put_name(out, class);
        class = class ? class->next : NULL;
        cJSON_ArrayForEach(cell, row)
        {
            char number[OCK_NUMBER_TEXT_SIZE];
            ock_number_text(number, cell->valuedouble);
            ock_buf_printf(out, ",%s", number);
        }
        ock_buf_puts(out, "\r\n");
    }
}

/* The document that stands in the reply becomes a table. false: it has none. */
static bool make_table(struct ock_buf *body, struct ock_problem *problem)
{
    cJSON *evaluation = NULL;
    struct ock_err err = {0};
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    enum ock_status status = faults
                                 ? ock_json_parse(&evaluation, body->data, body->size, faults, &err)
                                 : ock_fail(&err, OCK_NOMEM, "no memory for a table");
    bool has_matrix = status == OCK_OK && ock_json_get(evaluation, "confusion");
    if (status != OCK_OK)
        ock_problem_from_err(problem, &err);
    else if (!has_matrix)
        ock_problem_set(problem, 406, "not_acceptable", "There is no table of this",
                        "only the confusion matrix of up to 256 classes comes as text/csv");
    ock_buf_clear(body);
    if (has_matrix)
        put_matrix(body, evaluation);
    cJSON_Delete(evaluation);
    free(faults);
    return has_matrix;
}

enum ock_handled ock_job_evaluation(struct ock_exchange *x)
{
    static const char *const types[] = {"application/json", "text/csv"};
    struct ock_problem problem = {0};
    const char *asked = ock_target_get(&x->target, "format");
    int best = ock_accept_best(ock_exchange_field(x, OCK_HTTP_ACCEPT), types, 2);
    bool csv = asked ? strcmp(asked, "csv") == 0 : best == 1;
    if (!asked && best < 0) {
        ock_problem_set(&problem, 406, "not_acceptable", "An evaluation does not come in that type",
                        "application/json or text/csv");
        return ock_exchange_problem(x, &problem);
    }
    if (!ock_engine_document(x->http->engine, x->args[0], "evaluation", &x->reply.body, &problem) ||
        (csv && !make_table(&x->reply.body, &problem)))
        return ock_exchange_problem(x, &problem);
    ock_reply_json(&x->reply, 200);
    if (csv)
        x->reply.content_type = "text/csv; charset=utf-8";
    ock_reply_field(&x->reply, "Vary", "Accept");
    return OCK_HANDLED;
}
