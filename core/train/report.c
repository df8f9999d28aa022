/* From the history and the layers to the report's members. */
#include "core/train/report.h"

#include <math.h>

#include "core/train/verdict.h"

static void write_set(struct ock_jsonw *w, const char *key, const struct ock_metrics *metrics,
                      bool classes)
{
    if (!metrics->present)
        return;
    ock_jsonw_object(w, key);
    ock_jsonw_double(w, "data_loss", metrics->data_loss);
    ock_jsonw_double(w, classes ? "accuracy" : "rmse", classes ? metrics->accuracy : metrics->rmse);
    ock_jsonw_end_object(w);
}

/* One of the two epochs, by its number; 0: null. */
static void write_epoch(struct ock_jsonw *w, const char *key, uint32_t number,
                        const struct ock_metrics *train, const struct ock_metrics *validation,
                        bool classes)
{
    if (number == 0) {
        ock_jsonw_null(w, key);
        return;
    }
    ock_jsonw_object(w, key);
    ock_jsonw_uint(w, "epoch", number);
    write_set(w, "train", train, classes);
    write_set(w, "validation", validation, classes);
    if (train->present && validation->present) {
        struct ock_gap gap = ock_gap_of(train, validation);
        ock_jsonw_object(w, "gap");
        ock_jsonw_double(w, "loss", gap.loss);
        ock_jsonw_double(w, "low", gap.low);
        ock_jsonw_double(w, "high", gap.high);
        ock_jsonw_end_object(w);
    }
    ock_jsonw_end_object(w);
}

static struct ock_verdict_facts facts_of(const struct ock_trainer *trainer, double lambda_hat)
{
    const struct ock_spec *spec = trainer->spec;
    struct ock_verdict_facts facts = {.history = trainer->progress.history,
                                      .constant_loss = trainer->progress.constant_loss,
                                      .was_cut = trainer->progress.stop != OCK_STOP_EARLY_STOPPING,
                                      .one_l2 = !(spec->optimizer.weight_decay > 0),
                                      .l2 = spec->regularization.l2,
                                      .lambda_hat = lambda_hat};
    for (size_t i = 0; i < trainer->plan->layer_count; i++) {
        const struct ock_layer_spec *layer = trainer->plan->layers[i].spec;
        if (layer->type != OCK_LINEAR)
            continue;
        facts.penalised = facts.penalised || layer->l1 > 0 || layer->l2 > 0;
        facts.one_l2 = facts.one_l2 && !(layer->l2 < facts.l2) && !(layer->l2 > facts.l2);
    }
    return facts;
}

void ock_report_write(struct ock_jsonw *w, const struct ock_trainer *trainer,
                      const struct ock_layers_report *best)
{
    const struct ock_progress *progress = &trainer->progress;
    const struct ock_epoch *last = &trainer->last_epoch;
    bool classes = trainer->data->classes > 0;
    double lambda_hat = best ? best->lambda_hat : (double)NAN;
    struct ock_verdict_facts facts = facts_of(trainer, lambda_hat);
    struct ock_judgement judgement = ock_verdict_make(&facts);
    ock_jsonw_double(w, "lambda_hat", lambda_hat);
    ock_jsonw_object(w, "report");
    ock_jsonw_string(w, "verdict", ock_verdict_name(judgement.verdict));
    ock_jsonw_string(w, "sentence", judgement.sentence);
    ock_jsonw_double(w, "suggested_l2", judgement.suggested_l2);
    write_epoch(w, "best", progress->best.epoch, &progress->history.best_train,
                &progress->history.best_validation, classes);
    write_epoch(w, "last", last->epoch, &last->train, &last->validation, classes);
    if (best)
        ock_layers_write_short(w, "layers", best);
    ock_jsonw_end_object(w);
}
