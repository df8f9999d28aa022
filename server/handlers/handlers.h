/* The handlers: one file a noun. Each is given a checked request (its route, query, size) and leaves
 * an answer in x->reply; routes.c is the table that names them all. */
#ifndef OCK_SERVER_HANDLERS_HANDLERS_H
#define OCK_SERVER_HANDLERS_HANDLERS_H

#include "server/http/exchange.h"
#include "server/http/server.h"

/* datasets.c */
bool ock_dataset_put_begin(struct ock_exchange *x, struct ock_problem *problem);
enum ock_handled ock_dataset_put(struct ock_exchange *x);
enum ock_handled ock_dataset_list(struct ock_exchange *x);
enum ock_handled ock_dataset_get(struct ock_exchange *x);
enum ock_handled ock_dataset_summary(struct ock_exchange *x);
enum ock_handled ock_dataset_delete(struct ock_exchange *x);

/* jobs.c */
enum ock_handled ock_job_post(struct ock_exchange *x);
enum ock_handled ock_job_validate(struct ock_exchange *x);
enum ock_handled ock_job_get(struct ock_exchange *x);
enum ock_handled ock_job_list(struct ock_exchange *x);
enum ock_handled ock_job_patch(struct ock_exchange *x);
enum ock_handled ock_job_act(struct ock_exchange *x);
enum ock_handled ock_job_delete(struct ock_exchange *x);

/* events.c */
enum ock_handled ock_job_events(struct ock_exchange *x);
enum ock_handled ock_all_events(struct ock_exchange *x);
enum ock_handled ock_job_metrics(struct ock_exchange *x);
/* Answers with the job's events after `after`, in the format; 204 if there are none to come. */
enum ock_handled ock_job_stream(struct ock_exchange *x, const char *job, uint64_t after,
                                enum ock_feed_format format);

/* tuning.c */
enum ock_handled ock_job_tuning(struct ock_exchange *x);

/* documents.c */
enum ock_handled ock_job_layers(struct ock_exchange *x);
enum ock_handled ock_job_evaluation(struct ock_exchange *x);

/* chart.c */
enum ock_handled ock_job_chart(struct ock_exchange *x);

/* tagged.c: 200 with the body that stands in the reply and an ETag of its bytes, or 304 for a client
 * that has these. */
enum ock_handled ock_handler_tagged(struct ock_exchange *x, const char *content_type);

/* models.c */
enum ock_handled ock_job_model(struct ock_exchange *x);

/* predict.c */
enum ock_handled ock_job_predict(struct ock_exchange *x);

/* dashboard.c */
enum ock_handled ock_dashboard_index(struct ock_exchange *x);
enum ock_handled ock_dashboard_file(struct ock_exchange *x);
enum ock_handled ock_dashboard_docs(struct ock_exchange *x);

/* session.c */
enum ock_handled ock_session_get(struct ock_exchange *x);
enum ock_handled ock_session_post(struct ock_exchange *x);
enum ock_handled ock_session_delete(struct ock_exchange *x);

/* service.c */
enum ock_handled ock_service_live(struct ock_exchange *x);
enum ock_handled ock_service_ready(struct ock_exchange *x);
enum ock_handled ock_service_version(struct ock_exchange *x);
enum ock_handled ock_service_system(struct ock_exchange *x);
enum ock_handled ock_service_schema(struct ock_exchange *x);
enum ock_handled ock_service_openapi(struct ock_exchange *x);
enum ock_handled ock_service_metrics(struct ock_exchange *x);

/* Makes the texts that never change: schema, OpenAPI, welcome. Errors: NOMEM. */
enum ock_status ock_handlers_prepare(struct ock_http *http, const char *url, struct ock_err *err);

/* openapi.c: the whole document, from the routes table. */
void ock_openapi_write(struct ock_buf *out);
/* welcome.c: the lines that show how to begin, as text or as a page; with a token, they say so. */
void ock_welcome_write(struct ock_buf *out, const char *url, bool token, bool html);

/* A body that is a JSON object; false: 400 or 422 in problem. Faults that the text's meaning has
 * (duplicate keys, 1e999) are left in problem->faults for the handler to go on with. */
bool ock_handler_json(const struct ock_exchange *x, cJSON **out, struct ock_problem *problem);

#endif
