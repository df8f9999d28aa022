/* The job's strength in other tools' terms: the table of SPEC.md, Conversions, read from right to
 * left. Each line is an equality of two objectives; where ours has both penalties, only tools whose
 * penalty mixes them are told. */
#include "core/train/spec_keys.h"

struct strength {
    double l1, l2;
    double rows, batch_rows;
    bool classes;
};

static void write_one(struct ock_jsonw *w, const char *tool, const char *name, double value)
{
    ock_jsonw_object(w, tool);
    ock_jsonw_double(w, name, value);
    ock_jsonw_end_object(w);
}

static void write_two(struct ock_jsonw *w, const char *tool, const char *first, double one,
                      const char *second, double two)
{
    ock_jsonw_object(w, tool);
    ock_jsonw_double(w, first, one);
    ock_jsonw_double(w, second, two);
    ock_jsonw_end_object(w);
}

/* A tool that has one penalty by name and one number for its strength. */
static void write_penalty(struct ock_jsonw *w, const char *tool, const char *penalty,
                          const char *name, double value)
{
    ock_jsonw_object(w, tool);
    ock_jsonw_string(w, "penalty", penalty);
    ock_jsonw_double(w, name, value);
    ock_jsonw_end_object(w);
}

/* Tools for classes, whose losses are means of log-losses or sums weighted by C. */
static void write_for_classes(struct ock_jsonw *w, const struct strength *s)
{
    if (s->l1 > 0 && !(s->l2 > 0)) {
        write_penalty(w, "sklearn_SGDClassifier", "l1", "alpha", s->l1);
        write_penalty(w, "sklearn_LogisticRegression", "l1", "C", 1 / (s->rows * s->l1));
    } else if (s->l2 > 0 && !(s->l1 > 0)) {
        write_penalty(w, "sklearn_SGDClassifier", "l2", "alpha", 2 * s->l2);
        write_penalty(w, "sklearn_LogisticRegression", "l2", "C", 1 / (2 * s->rows * s->l2));
    }
    double lambda = 2 * s->l2 + s->l1;
    write_two(w, "glmnet_logistic", "lambda", lambda, "alpha", s->l1 / lambda);
}

/* Tools for numbers; the target must be as it is (target_scaling none). */
static void write_for_numbers(struct ock_jsonw *w, const struct strength *s)
{
    double lambda = s->l1 / 2 + s->l2;
    write_two(w, "glmnet_gaussian", "lambda", lambda, "alpha", s->l1 / 2 / lambda);
    if (s->l1 > 0 && s->l2 > 0)
        return;
    if (s->l1 > 0)
        write_one(w, "sklearn_Lasso", "alpha", s->l1 / 2);
    else
        write_one(w, "sklearn_Ridge", "alpha", s->l2 * s->rows);
}

static void write_tools(struct ock_jsonw *w, const struct strength *s)
{
    if (s->l2 > 0)
        write_one(w, "pytorch", "weight_decay", 2 * s->l2);
    if (!(s->l1 > 0) && !(s->l2 > 0))
        return;
    write_two(w, "keras", "l1", s->l1, "l2", s->l2);
    if (s->l2 > 0 && !(s->l1 > 0))
        write_one(w, "sklearn_MLP", "alpha", 2 * s->l2 * s->batch_rows);
    if (s->classes)
        write_for_classes(w, s);
    else
        write_for_numbers(w, s);
    write_two(w, "h2o", "l1", s->l1, "l2", 2 * s->l2);
}

void ock_spec_write_conversions(const struct ock_spec *spec, size_t rows, size_t batch_rows,
                                struct ock_buf *out)
{
    const struct strength strength = {
        .l1 = spec->regularization.l1,
        .l2 = spec->regularization.l2,
        .rows = (double)rows,
        .batch_rows = (double)batch_rows,
        .classes = spec->data.target_type != OCK_TARGET_TYPE_NUMBER,
    };
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    write_tools(&w, &strength);
    if (spec->regularization.biases && (strength.l1 > 0 || strength.l2 > 0))
        ock_jsonw_string(&w, "note",
                         "pytorch penalises biases too; the others don't: set "
                         "regularization.biases to false to compare with them");
    ock_jsonw_end_object(&w);
}
