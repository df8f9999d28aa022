/* What a job told at its end, beside its events: documents of the worker's, as they came. */
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

enum ock_handled ock_job_evaluation(struct ock_exchange *x)
{
    return answer(x, "evaluation");
}
