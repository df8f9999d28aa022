/* GET /v1/jobs/{id}/chart.svg: the curves, for those without a browser. */
#include "server/handlers/handlers.h"

/* Nearly a point a pixel. */
enum { POINTS = 600 };

enum ock_handled ock_job_chart(struct ock_exchange *x)
{
    struct ock_problem problem = {0};
    size_t points = (size_t)ock_query_whole(&x->target, "max_points", POINTS);
    if (!ock_engine_chart(x->http->engine, x->args[0], points, &x->reply.body, &problem))
        return ock_exchange_problem(x, &problem);
    return ock_handler_tagged(x, "image/svg+xml");
}
