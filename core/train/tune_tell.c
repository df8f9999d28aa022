/* What a search tells and remembers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/jsonw.h"
#include "core/train/run.h"
#include "core/train/tune_private.h"

enum { TELL_EVERY_S = 1, SAVE_EVERY_S = 2, SAVE_SHARE = 50 }; /* at most 1/50 of the time */
static const size_t fold_ids_max = 1000000;

enum ock_status ock_search_tell_trial(struct ock_search *search, size_t trial, struct ock_err *err)
{
    char key[32];
    struct ock_buf body;
    ock_trial_settle(&search->table, trial);
    (void)snprintf(key, sizeof(key), "trial:%zu", trial + 1);
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_trial_write(&w, &search->table, trial, true);
    search->table.trials[trial].told = true;
    return ock_run_send(search->order->hooks, "trial", key, &body, err);
}

static size_t count_done(const struct ock_tune_table *table)
{
    size_t done = 0;
    for (size_t t = 0; t < table->count; t++)
        done += ock_trial_is_done(table, t);
    return done;
}

/* Epochs of all runs, without those that nobody needs any more: a run that is done, failed or ended
 * has all of its epochs behind it. */
static double count_epochs(const struct ock_search *search)
{
    const struct ock_tune_table *table = &search->table;
    double sum = 0;
    for (size_t i = 0; i < table->count * search->cut_count; i++) {
        size_t trial = i / search->cut_count, cut = i % search->cut_count;
        bool over = cut < table->fold_count && table->trials[trial].folds[cut].status;
        sum += over ? search->order->spec->train.epochs : search->reached[i];
    }
    return sum;
}

enum ock_status ock_search_tell_progress(struct ock_search *search, struct ock_err *err)
{
    double now = ock_clock_s();
    if (now - search->told_s < TELL_EVERY_S)
        return OCK_OK;
    search->told_s = now;
    double runs = (double)(search->table.count * search->cut_count);
    double fraction = count_epochs(search) / (runs * search->order->spec->train.epochs);
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_uint(&w, "epoch", 0);
    ock_jsonw_double(&w, "fraction", fraction < 1 ? fraction : 1);
    ock_jsonw_uint(&w, "trials_done", count_done(&search->table));
    ock_jsonw_uint(&w, "trials", search->table.count);
    ock_jsonw_end_object(&w);
    return ock_run_send(search->order->hooks, "progress", "", &body, err);
}

enum ock_status ock_search_tell_resolved(struct ock_search *search, struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    ock_spec_write(search->order->spec, &body);
    if (body.failed == OCK_LIMIT) {
        ock_buf_deinit(&body); /* thousands of feature names */
        return OCK_OK;
    }
    return ock_run_send(search->order->hooks, "resolved", "", &body, err);
}

static enum ock_status tell_log(struct ock_search *search, const char *key, const char *message,
                                struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "level", "info");
    ock_jsonw_string(&w, "message", message);
    ock_jsonw_end_object(&w);
    return ock_run_send(search->order->hooks, "log", key, &body, err);
}

enum ock_status ock_search_tell_bound(struct ock_search *search, struct ock_err *err)
{
    const struct ock_axis_spec *l1 = &search->order->spec->tune.axes[OCK_AXIS_L1];
    char message[160];
    (void)snprintf(message, sizeof(message),
                   "l1 from %.6g down to %.6g: %.6g is the least strength that leaves no weight",
                   l1->max, l1->min, l1->max);
    return tell_log(search, "log:l1", message, err);
}

enum ock_status ock_search_tell_foreign(struct ock_search *search, struct ock_err *err)
{
    struct ock_buf body;
    if (!search->state_path[0] || access(search->state_path, F_OK) != 0)
        return OCK_OK;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&body);
    ock_jsonw_object(&w, NULL);
    ock_jsonw_string(&w, "code", "checkpoint");
    ock_jsonw_string(&w, "message",
                     "the state of a search is damaged or another job's: it is not used");
    ock_jsonw_end_object(&w);
    return ock_run_send(search->order->hooks, "warning", "warning:checkpoint:tuning", &body, err);
}

/* "l1 0.01, l2 0.001" */
static void name_strength(const struct ock_search *search, size_t trial, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t a = 0; a < OCK_AXES && used < size; a++) {
        if (!search->table.spec.axes[a].given)
            continue;
        int got =
            snprintf(text + used, size - used, "%s%s %.6g", used > 0 ? ", " : "",
                     ock_axis_label((enum ock_axis_name)a), search->table.trials[trial].values[a]);
        used += got > 0 ? (size_t)got : 0;
    }
}

enum ock_status ock_search_tell_choice(struct ock_search *search, const struct ock_table_best *best,
                                       struct ock_err *err)
{
    const struct ock_tune_table *table = &search->table;
    char chosen[120], least[120], message[OCK_ERR_TEXT_SIZE];
    char error[40] = "";
    if (best->chosen == SIZE_MAX)
        return OCK_OK;
    const struct ock_trial *trial = &table->trials[best->chosen];
    if (table->fold_count > 1)
        (void)snprintf(error, sizeof(error), " ± %.3g", trial->standard_error);
    name_strength(search, best->chosen, chosen, sizeof(chosen));
    name_strength(search, best->min, least, sizeof(least));
    (void)snprintf(message, sizeof(message),
                   "rule %s chooses %s (mean validation loss %.4g%s); the least, %.4g, is at %s",
                   ock_tune_rule_name(table->spec.rule), chosen, trial->mean_data_loss, error,
                   table->trials[best->min].mean_data_loss, least);
    return tell_log(search, "log:chosen", message, err);
}

/* --- The table --------------------------------------------------------------------------------- */

static void write_head(struct ock_jsonw *w, const struct ock_search *search)
{
    const struct ock_tune_spec *tune = &search->order->spec->tune;
    ock_jsonw_string(w, "rule", ock_tune_rule_name(tune->rule));
    ock_jsonw_uint(w, "folds", tune->folds);
    ock_jsonw_string(w, "fold_assignment",
                     tune->folds > 0 ? ock_fold_assignment_name(tune->fold_assignment) : NULL);
}

char *ock_search_summary(const struct ock_search *search, const struct ock_table_best *best)
{
    struct ock_buf text;
    ock_buf_init(&text, OCK_EVENT_BYTES_MAX);
    struct ock_jsonw w = ock_jsonw_make(&text);
    ock_jsonw_object(&w, NULL);
    write_head(&w, search);
    ock_table_best_write(&w, &search->table, best);
    ock_jsonw_end_object(&w);
    char *out = ock_buf_take(&text);
    ock_buf_deinit(&text);
    return out;
}

/* "fold_ids": each row's fold, -1 for the rows that are in none. */
static enum ock_status write_fold_ids(struct ock_jsonw *w, const struct ock_search *search,
                                      struct ock_err *err)
{
    const struct ock_tune_order *order = search->order;
    size_t rows = search->table.rows;
    if (order->spec->tune.folds == 0 || rows > fold_ids_max)
        return OCK_OK;
    unsigned char *fold = malloc(rows > 0 ? rows : 1);
    if (!fold)
        return ock_fail(err, OCK_NOMEM, "out of memory for the folds of %zu rows", rows);
    enum ock_status status =
        ock_data_folds(order->spec, order->train, order->test != NULL, fold, err);
    if (status == OCK_OK) {
        ock_jsonw_array(w, "fold_ids");
        for (size_t row = 0; row < rows; row++)
            ock_jsonw_int(w, NULL, fold[row] < order->spec->tune.folds ? fold[row] : -1);
        ock_jsonw_end_array(w);
    }
    free(fold);
    return status;
}

static enum ock_status write_document(const struct ock_search *search,
                                      const struct ock_table_best *best, bool hashes, bool fold_ids,
                                      struct ock_buf *body, struct ock_err *err)
{
    const struct ock_tune_table *table = &search->table;
    struct ock_jsonw w = ock_jsonw_make(body);
    ock_jsonw_object(&w, NULL);
    write_head(&w, search);
    ock_jsonw_uint(&w, "rows", table->rows);
    ock_jsonw_uint(&w, "trials_total", table->count);
    ock_table_best_write(&w, table, best);
    ock_jsonw_array(&w, "trials");
    for (size_t t = 0; t < table->count; t++) {
        if (table->trials[t].told)
            ock_trial_write(&w, table, t, hashes);
    }
    ock_jsonw_end_array(&w);
    if (search->path.count > 0 && search->found.path_done)
        ock_tune_path_write(&w, &search->path, table, search->order->spec->layers[0].bias);
    enum ock_status status = fold_ids ? write_fold_ids(&w, search, err) : OCK_OK;
    ock_jsonw_end_object(&w);
    return status;
}

enum ock_status ock_search_write_document(const struct ock_search *search,
                                          const struct ock_table_best *best, size_t bytes_max,
                                          struct ock_buf *body, struct ock_err *err)
{
    for (int left_off = 0;; left_off++) {
        ock_buf_init(body, bytes_max);
        enum ock_status status =
            write_document(search, best, left_off < 1, left_off < 2, body, err);
        if (status != OCK_OK || body->failed != OCK_LIMIT || left_off == 2)
            return status;
        ock_buf_deinit(body);
    }
}

enum ock_status ock_search_tell_document(struct ock_search *search,
                                         const struct ock_table_best *best, struct ock_err *err)
{
    struct ock_buf body;
    enum ock_status status =
        ock_search_write_document(search, best, OCK_DOCUMENT_BYTES_MAX, &body, err);
    if (status != OCK_OK) {
        ock_buf_deinit(&body);
        return status;
    }
    return ock_run_tell_document(search->order->hooks, "tuning", &body, err);
}

/* --- The state --------------------------------------------------------------------------------- */

static enum ock_status tell_saved(struct ock_search *search, struct ock_err *err)
{
    struct ock_buf body;
    ock_buf_init(&body, OCK_EVENT_BYTES_MAX);
    ock_buf_printf(&body, "{\"epoch\":0,\"step\":%.0f,\"trials_done\":%zu}", count_epochs(search),
                   count_done(&search->table));
    return ock_run_send(search->order->hooks, "checkpoint", "", &body, err);
}

enum ock_status ock_search_save(struct ock_search *search, bool forced, struct ock_err *err)
{
    double now = ock_clock_s();
    double age_s = now - search->saved_s;
    bool due = age_s >= SAVE_EVERY_S && age_s >= SAVE_SHARE * search->save_cost_s;
    if (!search->state_path[0] || !(forced || due))
        return OCK_OK;
    enum ock_status status = ock_tune_state_write(search->state_path, &search->name, &search->found,
                                                  &search->table, &search->path, err);
    search->saved_s = ock_clock_s();
    search->save_cost_s = search->saved_s - now;
    return status == OCK_OK ? tell_saved(search, err) : status;
}
