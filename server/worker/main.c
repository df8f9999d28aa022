/* ockham-worker: one process, one job. It links the core alone, so that it starts in a millisecond,
 * and can fail in any way without taking anything else down. protocol.h says how it is talked to.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/limits.h"
#include "server/worker/protocol.h"
#include "server/worker/worker.h"

enum { PATH_SIZE = 4096 };

enum ock_status ock_worker_read_json(cJSON **out, const char *dir, const char *name,
                                     struct ock_err *err)
{
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return ock_fail(err, OCK_LIMIT, "the directory's path is too long");
    struct ock_buf text;
    ock_buf_init(&text, OCK_JSON_BYTES_MAX);
    struct ock_faults *faults = NULL;
    cJSON *json = NULL;
    enum ock_status status = ock_file_read(path, &text, err);
    if (status != OCK_OK)
        goto done;
    faults = calloc(1, sizeof(*faults));
    if (!faults) {
        status = ock_fail(err, OCK_NOMEM, "no memory to parse %s", name);
        goto done;
    }
    status = ock_json_parse(&json, text.data, text.size, faults, err);
    if (status == OCK_OK && faults->count > 0)
        status = ock_fail(err, OCK_INVALID, "%s: %s: %s", name, faults->items[0].pointer,
                          faults->items[0].detail);
    if (status != OCK_OK)
        goto done;
    *out = json;
    json = NULL;
done:
    cJSON_Delete(json);
    free(faults);
    ock_buf_deinit(&text);
    return status;
}

const char *ock_worker_text(const cJSON *object, const char *key)
{
    const cJSON *item = ock_json_get(object, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* The sanitizers reserve terabytes of shadow memory, which the limit would count. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WORKER_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORKER_SANITIZED 1
#endif

#ifdef WORKER_SANITIZED
void ock_worker_limit_memory(const cJSON *object)
{
    (void)object;
}
#else
void ock_worker_limit_memory(const cJSON *object)
{
    const cJSON *item = ock_json_get(object, "data_bytes_max");
    if (!item || !ock_json_whole(item) || item->valuedouble < 1)
        return;
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return;
    rlim_t wanted = (rlim_t)item->valuedouble;
    if (limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max)
        limit.rlim_cur = wanted;
    (void)setrlimit(RLIMIT_DATA, &limit);
}
#endif

int ock_worker_fail(const struct ock_err *err)
{
    (void)fprintf(stderr, "%s\n", err->text);
    return err->status == OCK_NOMEM ? OCK_WORKER_NO_MEMORY : OCK_WORKER_FAILED;
}

/* Not allowed everywhere, and nothing depends on it. */
static void tell_kernel(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t done = write(fd, text, strlen(text));
    (void)done;
    (void)close(fd);
}

void ock_worker_join_cgroup(const cJSON *object)
{
    const char *procs = ock_worker_text(object, "cgroup");
    if (procs)
        tell_kernel(procs, "0");
}

/* When the machine runs out of memory, a job has to go before its server. */
static void volunteer_for_oom(void)
{
    tell_kernel("/proc/self/oom_score_adj", "500");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("ockham-worker %s\n", OCK_VERSION);
        return 0;
    }
    static const struct {
        const char *name;
        int (*run)(const char *argument);
    } modes[] = {{"train", ock_worker_train},
                 {"import", ock_worker_import},
                 {"predict", ock_worker_predict},
                 {"summary", ock_worker_summary}};
    size_t mode = 0, count = sizeof(modes) / sizeof(modes[0]);
    while (argc == 3 && mode < count && strcmp(argv[1], modes[mode].name) != 0)
        mode++;
    if (argc != 3 || mode == count) {
        (void)fprintf(stderr, "usage: ockham-worker train DIR | import DIR | predict DIR | "
                              "summary FILE,FIRST | --version\n");
        return 2;
    }
    /* The parent's death shows as EPIPE, not as a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    volunteer_for_oom();
    return modes[mode].run(argv[2]);
}
