/* The tuning table as CSV. */
#include <math.h>

#include "core/base/jsonw.h"
#include "server/tuning.h"

static void write_field(struct ock_buf *out, double value)
{
    char text[OCK_NUMBER_TEXT_SIZE] = "";
    if (isfinite(value))
        ock_number_text(text, value);
    ock_buf_puts(out, text);
}

/* l1 and l2 are always there. */
static bool has_column(const struct ock_tuning *tuning, size_t what)
{
    return what <= OCK_STRENGTH_L2 || tuning->tuned[what];
}

static size_t count_folds(const struct ock_tuning *tuning)
{
    size_t count = tuning->folds;
    for (size_t i = 0; i < tuning->trial_count; i++)
        if (tuning->trials[i].fold_count > count)
            count = tuning->trials[i].fold_count;
    return count;
}

static void write_header(const struct ock_tuning *tuning, size_t folds, struct ock_buf *out)
{
    for (size_t i = 0; i < OCK_STRENGTH_COUNT; i++)
        if (has_column(tuning, i))
            ock_buf_printf(out, "%s,", ock_strength_name((enum ock_strength)i));
    ock_buf_printf(out, "mean_data_loss,standard_error,%s,train_data_loss,zeros,l2_norm,status",
                   tuning->numbers ? "mean_rmse" : "mean_accuracy");
    for (size_t k = 1; k <= folds; k++)
        ock_buf_printf(out, ",fold_%zu", k);
    ock_buf_puts(out, "\r\n");
}

static void write_trial(const struct ock_tuning *tuning, const struct ock_tuning_trial *trial,
                        size_t folds, struct ock_buf *out)
{
    static const char *const statuses[] = {"succeeded", "failed", "ended"};
    const double figures[] = {trial->mean_data_loss,  trial->standard_error, trial->score,
                              trial->train_data_loss, trial->zeros,          trial->l2_norm};
    for (size_t i = 0; i < OCK_STRENGTH_COUNT; i++) {
        if (!has_column(tuning, i))
            continue;
        write_field(out, trial->strengths[i]);
        ock_buf_putc(out, ',');
    }
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        write_field(out, figures[i]);
        ock_buf_putc(out, ',');
    }
    ock_buf_puts(out, statuses[trial->status]);
    for (size_t k = 0; k < folds; k++) {
        ock_buf_putc(out, ',');
        write_field(out, k < trial->fold_count ? trial->folds[k] : (double)NAN);
    }
    ock_buf_puts(out, "\r\n");
}

void ock_tuning_csv(const struct ock_tuning *tuning, struct ock_buf *out)
{
    size_t folds = count_folds(tuning);
    write_header(tuning, folds, out);
    for (size_t i = 0; i < tuning->trial_count; i++)
        write_trial(tuning, &tuning->trials[i], folds, out);
}
