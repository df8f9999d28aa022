/* `ockham-worker summary FILE,FIRST`: seconds of reading, which the server has no thread for. Nothing
 * is written to the disk, so that a full one, or a kill, changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "core/data/summary.h"
#include "server/worker/protocol.h"
#include "server/worker/worker.h"

static enum ock_status describe(const char *page, struct ock_buf *out, struct ock_err *err)
{
    struct ock_dataset *dataset = NULL;
    const char *comma = strrchr(page, ',');
    char *path = comma ? strndup(page, (size_t)(comma - page)) : NULL;
    if (!path)
        return ock_fail(err, OCK_INVALID, "a summary needs FILE,FIRST");
    unsigned long first = strtoul(comma + 1, NULL, 10);
    enum ock_status status = ock_dataset_open(&dataset, path, err);
    free(path);
    if (status == OCK_OK && first >= ock_dataset_schema(dataset)->column_count)
        status = ock_fail(err, OCK_INVALID, "there is no column %lu", first);
    if (status == OCK_OK)
        status = ock_summary_write(dataset, first, out, err);
    ock_dataset_free(dataset);
    return status;
}

int ock_worker_summary(const char *page)
{
    static struct ock_control control;
    struct ock_err err = {0};
    struct ock_buf out;
    if (ock_worker_listen(&control, &err) != OCK_OK)
        return ock_worker_fail(&err);
    ock_buf_init(&out, OCK_SUMMARY_PAGE_BYTES_MAX);
    enum ock_status status = describe(page, &out, &err);
    bool told = status != OCK_OK || ock_control_write(&control, out.data, out.size);
    ock_buf_deinit(&out);
    return told ? ock_worker_answer(&control, status, &err) : OCK_WORKER_ORPHANED;
}
