/* The document `layers`, and the short form of it in `end`. */
#include <stdio.h>

#include "core/base/jsonw.h"
#include "core/train/layers.h"

static void write_name(struct ock_jsonw *w, const struct ock_layer_facts *facts)
{
    char name[24];
    (void)snprintf(name, sizeof(name), "%zu", facts->layer);
    ock_jsonw_string(w, "name", name);
}

static void write_count_or_null(struct ock_jsonw *w, const char *key, bool known, size_t count)
{
    if (known)
        ock_jsonw_uint(w, key, count);
    else
        ock_jsonw_null(w, key);
}

static void write_histogram(struct ock_jsonw *w, const struct ock_layer_facts *facts)
{
    ock_jsonw_object(w, "histogram");
    ock_jsonw_double(w, "min", facts->min);
    ock_jsonw_double(w, "max", facts->max);
    ock_jsonw_array(w, "counts");
    for (size_t i = 0; i < OCK_HISTOGRAM_BINS; i++)
        ock_jsonw_uint(w, NULL, facts->histogram[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_end_object(w);
}

static void write_layer(struct ock_jsonw *w, const struct ock_layer_facts *facts)
{
    ock_jsonw_object(w, NULL);
    write_name(w, facts);
    ock_jsonw_uint(w, "in", facts->in);
    ock_jsonw_uint(w, "out", facts->out);
    ock_jsonw_uint(w, "count", facts->count);
    ock_jsonw_double(w, "l1_norm", facts->l1_norm);
    ock_jsonw_double(w, "l2_norm", facts->l2_norm);
    ock_jsonw_uint(w, "zeros", facts->zeros);
    ock_jsonw_uint(w, "near_zeros", facts->near_zeros);
    write_count_or_null(w, "dead", facts->has_dead, facts->dead);
    write_count_or_null(w, "unread", facts->has_unread, facts->unread);
    ock_jsonw_double(w, "data_gradient", facts->data_gradient);
    ock_jsonw_double(w, "penalty_gradient", facts->penalty_gradient);
    ock_jsonw_double(w, "penalty_share", facts->penalty_share);
    write_histogram(w, facts);
    ock_jsonw_end_object(w);
}

static void write_report(struct ock_jsonw *w, const char *key,
                         const struct ock_layers_report *report)
{
    ock_jsonw_object(w, key);
    ock_jsonw_uint(w, "epoch", report->epoch);
    ock_jsonw_double(w, "lambda_hat", report->lambda_hat);
    ock_jsonw_array(w, "layers");
    for (size_t i = 0; i < report->count; i++)
        write_layer(w, &report->layers[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_end_object(w);
}

void ock_layers_write(const struct ock_layers_report *best, const struct ock_layers_report *last,
                      struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_uint(&w, "rows", best->rows);
    write_report(&w, "best", best);
    write_report(&w, "last", last);
    ock_jsonw_end_object(&w);
}

void ock_layers_write_short(struct ock_jsonw *w, const char *key,
                            const struct ock_layers_report *report)
{
    ock_jsonw_array(w, key);
    for (size_t i = 0; i < report->count; i++) {
        const struct ock_layer_facts *facts = &report->layers[i];
        ock_jsonw_object(w, NULL);
        write_name(w, facts);
        ock_jsonw_uint(w, "count", facts->count);
        ock_jsonw_uint(w, "zeros", facts->zeros);
        write_count_or_null(w, "dead", facts->has_dead, facts->dead);
        write_count_or_null(w, "unread", facts->has_unread, facts->unread);
        ock_jsonw_double(w, "penalty_share", facts->penalty_share);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_array(w);
}
