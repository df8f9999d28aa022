/* Quantiles by the weight: the least residual that at least a share q of the weight does not exceed. */
#include "core/train/residual_report.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 65536, HISTOGRAM_BINS = 32 };

static bool is_exact(size_t rows)
{
    return rows <= OCK_RESIDUALS_MAX;
}

size_t ock_residual_report_bytes(size_t rows)
{
    /* Sorting takes as much again. */
    return is_exact(rows) ? 2 * rows * sizeof(struct ock_residual_item) : BINS * sizeof(double);
}

enum ock_status ock_residual_report_init(struct ock_residual_report *out, size_t rows,
                                         struct ock_err *err)
{
    struct ock_residual_report report = {.room = rows, .min = INFINITY, .max = -INFINITY};
    if (is_exact(rows))
        report.items = calloc(rows + 1, sizeof(*report.items));
    else
        report.bins = calloc(BINS, sizeof(*report.bins));
    if (!report.items && !report.bins)
        return ock_fail(err, OCK_NOMEM, "no memory for the residuals of %zu rows", rows);
    *out = report;
    return OCK_OK;
}

void ock_residual_report_deinit(struct ock_residual_report *report)
{
    free(report->items);
    free(report->bins);
    *report = (struct ock_residual_report){0};
}

/* --- Bins: the front 16 bits of a float, in the order of the numbers --------------------------- */

static size_t bin_of(double residual)
{
    float value = (float)residual;
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bits = bits >> 31 ? ~bits : bits | 0x80000000u;
    return bits >> 16;
}

/* The middle of the bin. */
static double middle_of(size_t bin)
{
    uint32_t bits = (uint32_t)bin << 16 | 0x8000u;
    float value;
    bits = bits >> 31 ? bits & 0x7fffffffu : ~bits;
    memcpy(&value, &bits, sizeof(value));
    return (double)value;
}

/* --- Rows -------------------------------------------------------------------------------------- */

static double size_of(const struct ock_residual_row *row)
{
    return fabs(row->prediction - row->truth);
}

/* Inserts behind all that are at least as large: of equal ones the first stays first. */
static void keep_worst(struct ock_residual_report *report, const struct ock_residual_row *row)
{
    size_t place = report->worst_count;
    while (place > 0 && size_of(&report->worst[place - 1]) < size_of(row))
        place--;
    if (place == OCK_RESIDUALS_WORST)
        return;
    if (report->worst_count < OCK_RESIDUALS_WORST)
        report->worst_count++;
    for (size_t i = report->worst_count - 1; i > place; i--)
        report->worst[i] = report->worst[i - 1];
    report->worst[place] = *row;
}

void ock_residual_report_add(struct ock_residual_report *report, const struct ock_residual_row *row)
{
    double residual = row->prediction - row->truth;
    assert(report->rows < report->room);
    if (report->rows == 0)
        report->shift = row->truth; /* near the data: the difference of squares loses nothing */
    double d = row->truth - report->shift;
    report->weight += row->s;
    report->squares += row->s * (residual * residual);
    report->absolute += row->s * fabs(residual);
    report->target += row->s * d;
    report->target2 += row->s * (d * d);
    if (report->items)
        report->items[report->rows] = (struct ock_residual_item){residual, row->s};
    else
        report->bins[bin_of(residual)] += row->s;
    report->rows++;
    if (!(row->s > 0))
        return;
    report->min = residual < report->min ? residual : report->min;
    report->max = residual > report->max ? residual : report->max;
    keep_worst(report, row);
}

/* --- Writing ----------------------------------------------------------------------------------- */

/* Residuals in order, with their weights: items or bins. */
static size_t count_of(const struct ock_residual_report *report)
{
    return report->items ? report->rows : BINS;
}

static struct ock_residual_item item_of(const struct ock_residual_report *report, size_t i)
{
    if (report->items)
        return report->items[i];
    double middle = middle_of(i);
    middle = middle < report->min ? report->min : middle;
    middle = middle > report->max ? report->max : middle;
    return (struct ock_residual_item){middle, report->bins[i]};
}

static int by_residual(const void *a, const void *b)
{
    const struct ock_residual_item *x = a, *y = b;
    if (x->residual < y->residual || x->residual > y->residual)
        return x->residual < y->residual ? -1 : 1;
    return (x->s > y->s) - (x->s < y->s);
}

static void write_quantiles(const struct ock_residual_report *report, struct ock_jsonw *w)
{
    static const struct {
        const char *name;
        double share;
    } wanted[] = {{"0.01", 0.01}, {"0.05", 0.05}, {"0.25", 0.25}, {"0.5", 0.5},
                  {"0.75", 0.75}, {"0.95", 0.95}, {"0.99", 0.99}};
    size_t i = 0;
    double below = 0; /* weight of the items before i, and of i once it counts */
    ock_jsonw_object(w, "quantiles");
    ock_jsonw_double(w, "0", report->min);
    double value = report->min;
    for (size_t q = 0; q < sizeof(wanted) / sizeof(wanted[0]); q++) {
        while (below < wanted[q].share * report->weight && i < count_of(report)) {
            struct ock_residual_item item = item_of(report, i++);
            below += item.s;
            value = item.s > 0 ? item.residual : value;
        }
        ock_jsonw_double(w, wanted[q].name, value);
    }
    ock_jsonw_double(w, "1", report->max);
    ock_jsonw_end_object(w);
}

static void write_histogram(const struct ock_residual_report *report, struct ock_jsonw *w)
{
    double counts[HISTOGRAM_BINS] = {0};
    double width = (report->max - report->min) / HISTOGRAM_BINS;
    for (size_t i = 0; i < count_of(report); i++) {
        struct ock_residual_item item = item_of(report, i);
        double place = width > 0 ? (item.residual - report->min) / width : 0;
        if (!(item.s > 0) || !(place >= 0))
            continue;
        counts[place < HISTOGRAM_BINS ? (size_t)place : HISTOGRAM_BINS - 1] += item.s;
    }
    ock_jsonw_object(w, "histogram");
    ock_jsonw_double(w, "min", report->min);
    ock_jsonw_double(w, "max", report->max);
    ock_jsonw_array(w, "counts");
    for (size_t i = 0; i < HISTOGRAM_BINS; i++)
        ock_jsonw_double(w, NULL, counts[i]);
    ock_jsonw_end_array(w);
    ock_jsonw_end_object(w);
}

static void write_worst(const struct ock_residual_report *report, struct ock_jsonw *w)
{
    ock_jsonw_array(w, "worst");
    for (size_t i = 0; i < report->worst_count; i++) {
        const struct ock_residual_row *row = &report->worst[i];
        ock_jsonw_object(w, NULL);
        ock_jsonw_uint(w, "row", row->number);
        ock_jsonw_double(w, "true", row->truth);
        ock_jsonw_double(w, "predicted", row->prediction);
        ock_jsonw_double(w, "residual", row->prediction - row->truth);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_array(w);
}

void ock_residual_report_write(struct ock_residual_report *report, struct ock_jsonw *w)
{
    double mse = report->squares / report->weight;
    double spread = report->target2 - report->target * report->target / report->weight;
    if (report->items)
        qsort(report->items, report->rows, sizeof(*report->items), by_residual);
    ock_jsonw_uint(w, "rows", report->rows);
    ock_jsonw_double(w, "weight", report->weight);
    ock_jsonw_double(w, "mse", mse);
    ock_jsonw_double(w, "rmse", sqrt(mse));
    ock_jsonw_double(w, "mae", report->absolute / report->weight);
    ock_jsonw_double(w, "r2", 1 - report->squares / spread);
    ock_jsonw_object(w, "residuals");
    write_quantiles(report, w);
    write_histogram(report, w);
    write_worst(report, w);
    ock_jsonw_end_object(w);
    ock_jsonw_bool(w, "approximate", !report->items);
}
