/* Lanes: threads that train the groups of a search, one group after the other. A run is trained by one
 * lane from its start to its end, and no lane writes what another reads but under the mutex, so
 * neither their number nor their order changes a bit.
 *
 * Lanes are threads of their own and no OpenMP region, because a run may want a team itself, and
 * OpenMP starts the threads of an inner region anew each time. */
#include <stdlib.h>

#include "core/train/tune_private.h"

bool ock_search_has_left(const struct ock_search *search)
{
    return atomic_load_explicit(&search->leave, memory_order_relaxed) != OCK_LEAVE_NOT;
}

void ock_search_fail(struct ock_search *search, enum ock_status status, const struct ock_err *err)
{
    pthread_mutex_lock(&search->mutex);
    if (search->status == OCK_OK) {
        search->status = status;
        search->err = *err;
    }
    pthread_mutex_unlock(&search->mutex);
    atomic_store(&search->leave, OCK_LEAVE_ERROR);
}

/* --- The data of a cut ------------------------------------------------------------------------- */

static int cut_of(const struct ock_search *search, size_t cut)
{
    if (search->order->spec->tune.folds == 0 && cut == 0)
        return OCK_CUT_SPLIT;
    return cut == search->table.fold_count ? OCK_CUT_ALL : (int)cut;
}

/* Rows without weight judge nothing: told before anything is trained for them. */
static enum ock_status check_judges(const struct ock_search *search, size_t cut,
                                    const struct ock_data *data, struct ock_err *err)
{
    uint32_t folds = search->order->spec->tune.folds;
    if (cut == search->table.fold_count || data->validation.weight_sum > 0)
        return OCK_OK;
    if (folds == 0)
        return ock_fail(err, OCK_INVALID,
                        "strengths are judged by the validation rows, and none has a weight above "
                        "0");
    return ock_fail(err, OCK_INVALID,
                    "no row of fold %zu of %u has a weight above 0, so it cannot judge: take fewer "
                    "folds, or leave such rows out",
                    cut + 1, folds);
}

enum ock_status ock_search_acquire(struct ock_search *search, size_t cut,
                                   const struct ock_data **out, struct ock_err *err)
{
    const struct ock_tune_order *order = search->order;
    struct ock_cut *slot = &search->cuts[cut];
    struct ock_data *data = NULL;
    enum ock_status status = OCK_OK;
    pthread_mutex_lock(&search->mutex);
    while (slot->state == OCK_CUT_OPENING)
        pthread_cond_wait(&search->opened, &search->mutex);
    bool opens = slot->state == OCK_CUT_CLOSED;
    if (opens) {
        slot->state = OCK_CUT_OPENING;
        pthread_mutex_unlock(&search->mutex);
        status = ock_data_open_cut(&data, order->spec, order->train, order->validation, NULL,
                                   cut_of(search, cut), err);
        if (status == OCK_OK)
            status = check_judges(search, cut, data, err);
        if (status != OCK_OK) {
            ock_data_free(data);
            data = NULL;
        }
        pthread_mutex_lock(&search->mutex);
        slot->state = status == OCK_OK ? OCK_CUT_OPEN : OCK_CUT_CLOSED;
        slot->data = data;
        pthread_cond_broadcast(&search->opened);
    }
    if (status == OCK_OK)
        *out = slot->data;
    pthread_mutex_unlock(&search->mutex);
    return status;
}

void ock_search_release(struct ock_search *search, size_t cut)
{
    struct ock_cut *slot = &search->cuts[cut];
    pthread_mutex_lock(&search->mutex);
    if (--slot->groups == 0 && search->is_last_rung) {
        ock_data_free(slot->data);
        slot->data = NULL;
        slot->state = OCK_CUT_CLOSED;
    }
    pthread_mutex_unlock(&search->mutex);
}

/* --- Lanes ------------------------------------------------------------------------------------- */

static bool take_group(struct ock_search *search, struct ock_tune_group *out)
{
    pthread_mutex_lock(&search->mutex);
    bool any = !ock_search_has_left(search) && search->next_group < search->group_count;
    if (any)
        *out = search->groups[search->next_group++];
    pthread_mutex_unlock(&search->mutex);
    return any;
}

static void *run_lane(void *ctx)
{
    struct ock_search *search = ctx;
    struct ock_tune_group group;
    while (take_group(search, &group)) {
        struct ock_err err = {0};
        enum ock_status status = ock_search_run_group(search, &group, &err);
        if (status != OCK_OK)
            ock_search_fail(search, status, &err);
    }
    return NULL;
}

void ock_search_run_lanes(struct ock_search *search)
{
    size_t others = search->layout.lanes - 1;
    size_t started = 0;
    pthread_t *threads = others > 0 ? calloc(others, sizeof(*threads)) : NULL;
    /* A lane that can't be had is no error: the others do its groups. */
    while (threads && started < others &&
           pthread_create(&threads[started], NULL, run_lane, search) == 0)
        started++;
    (void)run_lane(search);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    free(threads);
}
