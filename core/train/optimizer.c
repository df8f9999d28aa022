/* One shared update, applied piece by piece. */
#include "core/train/optimizer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/base/real.h"

enum { CHUNK = 16384 }; /* parameters of a task in clip_norm's two passes */

static bool uses_adam(const struct ock_spec *spec)
{
    return spec->optimizer.name != OCK_SGD;
}

static bool is_cumulative(const struct ock_spec *spec)
{
    return spec->regularization.l1_method == OCK_CUMULATIVE;
}

void ock_optimizer_state_layout(struct ock_optimizer_state *state, const struct ock_spec *spec,
                                size_t parameters, size_t group_count, struct ock_arena *arena)
{
    size_t v_count = uses_adam(spec) || spec->optimizer.momentum > 0 ? parameters : 0;
    state->w = ock_arena_take(arena, parameters, sizeof(float));
    state->v = ock_arena_take(arena, v_count, sizeof(float));
    state->s = ock_arena_take(arena, uses_adam(spec) ? parameters : 0, sizeof(float));
    state->q = ock_arena_take(arena, is_cumulative(spec) ? parameters : 0, sizeof(double));
    state->l1_totals = ock_arena_take(arena, group_count, sizeof(double));
}

static void copy(void *dst, const void *src, size_t bytes)
{
    if (dst)
        memcpy(dst, src, bytes);
}

void ock_optimizer_state_copy(struct ock_optimizer_state *dst,
                              const struct ock_optimizer_state *src, size_t parameters,
                              size_t group_count)
{
    copy(dst->w, src->w, parameters * sizeof(float));
    copy(dst->v, src->v, parameters * sizeof(float));
    copy(dst->s, src->s, parameters * sizeof(float));
    copy(dst->q, src->q, parameters * sizeof(double));
    copy(dst->l1_totals, src->l1_totals, group_count * sizeof(double));
}

static size_t chunks_of(size_t parameters)
{
    return (parameters + CHUNK - 1) / CHUNK;
}

void ock_optimizer_layout(struct ock_optimizer *optimizer, const struct ock_spec *spec,
                          const struct ock_plan *plan, const struct ock_kernels *kernels,
                          const struct ock_team *team, struct ock_arena *arena)
{
    optimizer->spec = spec;
    optimizer->plan = plan;
    optimizer->kernels = kernels;
    optimizer->team = team;
    optimizer->group_count = ock_groups_make(optimizer->groups, spec, plan);
    ock_optimizer_state_layout(&optimizer->state, spec, plan->parameters, optimizer->group_count,
                               arena);
    bool clips = spec->optimizer.clip_norm > 0;
    optimizer->gradient = ock_arena_take(arena, clips ? plan->parameters : 0, sizeof(float));
    optimizer->partials =
        ock_arena_take(arena, clips ? chunks_of(plan->parameters) : 0, sizeof(double));
}

/* The decoupled part of the decay: AdamW's weight_decay always; with `decoupled`, weight_decay and
 * 2*lambda for SGD and adam too. */
static double decoupled_decay(const struct ock_spec *spec, double l2)
{
    const struct ock_optimizer_spec *optimizer = &spec->optimizer;
    double decay = 0;
    if (optimizer->decoupled || optimizer->name == OCK_ADAMW)
        decay += optimizer->weight_decay;
    if (optimizer->decoupled)
        decay += 2 * l2;
    return decay;
}

/* A beta in float32, still below 1. */
static float beta_of(double beta)
{
    float rounded = (float)beta;
    return rounded < 1.0f ? rounded : 0x1.fffffep-1f;
}

/* The moments are summed with the betas in float32; only with these very numbers does dividing by
 * 1 - beta^t make weighted means of them: 1 - 0.999f is not 0.001 but 1.3e-5 of it less. */
static void set_adam(struct ock_update *update, const struct ock_optimizer_spec *spec,
                     uint64_t updates)
{
    update->beta1 = beta_of(spec->beta1);
    update->beta2 = beta_of(spec->beta2);
    update->eps = (float)spec->eps;
    update->bias1 = (float)(1 - ock_power((double)update->beta1, updates + 1));
    update->bias2_sqrt = (float)sqrt(1 - ock_power((double)update->beta2, updates + 1));
}

/* The coefficients of one group in a step with `updates` updates before it. */
static struct ock_update update_of(const struct ock_optimizer *optimizer, size_t group_index,
                                   double lr, uint64_t updates)
{
    const struct ock_optimizer_spec *spec = &optimizer->spec->optimizer;
    const struct ock_group *group = &optimizer->groups[group_index];
    bool coupled_l2 = !spec->decoupled;
    bool coupled_decay = !spec->decoupled && spec->name != OCK_ADAMW;
    struct ock_update update = {
        .rule = spec->name,
        .l1_method = optimizer->spec->regularization.l1_method,
        .nesterov = spec->nesterov,
        .first_step = updates == 0,
        .lr = (float)lr,
        .momentum = (float)spec->momentum,
        .keep = (float)(1 - lr * decoupled_decay(optimizer->spec, group->l2)),
        .l1 = (float)group->l1,
        .l2 = coupled_l2 ? (float)group->l2 : 0.0f,
        .weight_decay = coupled_decay ? (float)spec->weight_decay : 0.0f,
        .l1_total = optimizer->state.l1_totals[group_index],
    };
    if (uses_adam(optimizer->spec))
        set_adam(&update, spec, updates);
    return update;
}

void ock_optimizer_begin(struct ock_optimizer *optimizer, double lr, double weight_sum,
                         uint64_t updates)
{
    assert(weight_sum > 0);
    optimizer->weight_sum = weight_sum;
    optimizer->grad_scale = (float)(1 / weight_sum);
    atomic_store_explicit(&optimizer->nonfinite, false, memory_order_relaxed);
    for (size_t i = 0; i < optimizer->group_count; i++) {
        if (is_cumulative(optimizer->spec))
            optimizer->state.l1_totals[i] += lr * optimizer->groups[i].l1;
        optimizer->updates[i] = update_of(optimizer, i, lr, updates);
    }
}

/* The group that parameter `begin` is in: groups lie in order. */
static size_t group_of(const struct ock_optimizer *optimizer, size_t begin)
{
    size_t low = 0;
    size_t high = optimizer->group_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (optimizer->groups[middle].begin <= begin)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Updates parameters begin…begin+count-1, all of one group, with their gradient g. */
static void apply(struct ock_optimizer *optimizer, size_t begin, size_t count, const float *g)
{
    struct ock_update update = optimizer->updates[group_of(optimizer, begin)];
    update.grad_scale = optimizer->grad_scale;
    const struct ock_optimizer_state *state = &optimizer->state;
    update.w = state->w + begin;
    update.g = g;
    update.v = state->v ? state->v + begin : NULL;
    update.s = state->s ? state->s + begin : NULL;
    update.q = state->q ? state->q + begin : NULL;
    if (!optimizer->kernels->update(&update, 0, count))
        atomic_store_explicit(&optimizer->nonfinite, true, memory_order_relaxed);
}

static void take_and_apply(void *ctx, size_t begin, size_t count, const float *g)
{
    apply(ctx, begin, count, g);
}

static void take_and_keep(void *ctx, size_t begin, size_t count, const float *g)
{
    struct ock_optimizer *optimizer = ctx;
    memcpy(optimizer->gradient + begin, g, count * sizeof(*g));
}

struct ock_sink ock_optimizer_sink(struct ock_optimizer *optimizer)
{
    return (struct ock_sink){optimizer, optimizer->gradient ? take_and_keep : take_and_apply};
}

static size_t chunk_size(const struct ock_optimizer *optimizer, size_t index)
{
    size_t left = optimizer->plan->parameters - index * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

static void norm_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    struct ock_optimizer *optimizer = ctx;
    optimizer->partials[index] = optimizer->kernels->sum_squares(
        chunk_size(optimizer, index), optimizer->gradient + index * CHUNK);
}

/* A chunk may reach over several groups. */
static void update_task(void *ctx, size_t index, size_t thread)
{
    (void)thread;
    struct ock_optimizer *optimizer = ctx;
    size_t begin = index * CHUNK;
    size_t end = begin + chunk_size(optimizer, index);
    while (begin < end) {
        const struct ock_group *group = &optimizer->groups[group_of(optimizer, begin)];
        size_t group_end = group->begin + group->count;
        size_t stop = group_end < end ? group_end : end;
        apply(optimizer, begin, stop - begin, optimizer->gradient + begin);
        begin = stop;
    }
}

/* g * min(1, c/(norm + 1e-6)) on the data gradient, the norm over all parameters in double. */
static void clip_and_update(struct ock_optimizer *optimizer)
{
    size_t chunks = chunks_of(optimizer->plan->parameters);
    ock_team_run(optimizer->team, chunks, norm_task, optimizer);
    double squares = 0;
    for (size_t i = 0; i < chunks; i++)
        squares += optimizer->partials[i];
    double norm = sqrt(squares) / optimizer->weight_sum;
    double factor = optimizer->spec->optimizer.clip_norm / (norm + 1e-6);
    optimizer->grad_scale = (float)((factor < 1 ? factor : 1) / optimizer->weight_sum);
    if (!isfinite(norm))
        atomic_store_explicit(&optimizer->nonfinite, true, memory_order_relaxed);
    ock_team_run(optimizer->team, chunks, update_task, optimizer);
}

bool ock_optimizer_end(struct ock_optimizer *optimizer)
{
    if (optimizer->gradient)
        clip_and_update(optimizer);
    double max_norm = optimizer->spec->regularization.max_norm;
    if (max_norm > 0)
        ock_max_norm(optimizer->plan, optimizer->kernels, optimizer->team, max_norm,
                     optimizer->state.w);
    return !atomic_load_explicit(&optimizer->nonfinite, memory_order_relaxed);
}
