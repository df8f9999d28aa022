/* What a tail's stream has between two numbers, from the engine, as a page. */
#include <string.h>

#include "server/http/server.h"
#include "server/http/tail.h"
#include "server/member.h"

enum {
    EVENTS_PER_PAGE = 1000,
    LINES_BYTES_MAX = 4 << 20, /* a page of the least size may hold one event of the largest */
    TEXT_BYTES_MAX = 8 << 20,
};

/* One look at the store. */
struct look {
    uint64_t after, until; /* which events */
    uint64_t to;           /* up to where they were read */
    bool ended;            /* nothing comes behind them */
    struct ock_buf text;   /* rendered */
};

/* A job's stored events; when there are none, its newest progress. Progress that is older than a
 * stored event is not told behind it: it is read first, and dropped then. */
static bool look_at_job(struct ock_tail *tail, struct look *look, bool progress,
                        struct ock_problem *problem)
{
    struct ock_engine *engine = tail->http->engine;
    struct ock_buf lines, news;
    uint64_t room = look->until > look->after ? look->until - look->after : 0;
    size_t limit = room < EVENTS_PER_PAGE ? (size_t)room : EVENTS_PER_PAGE;
    ock_buf_init(&lines, LINES_BYTES_MAX);
    ock_buf_init(&news, LINES_BYTES_MAX);
    if (progress)
        (void)ock_engine_progress(engine, tail->job, &tail->progress_stamp, &news);
    bool found = ock_engine_events(engine, tail->job, look->after, limit, OCK_FEED_PAGE_BYTES,
                                   &lines, &look->to, &look->ended, problem);
    if (found && lines.size == 0 && !look->ended)
        ock_format_events(&look->text, tail->format, OCK_NUMBER_IS_SEQ, &news);
    if (found)
        ock_format_events(&look->text, tail->format, OCK_NUMBER_IS_SEQ, &lines);
    if (!found || ock_buf_status(&lines, NULL) != OCK_OK)
        look->ended = true;
    ock_buf_deinit(&news);
    ock_buf_deinit(&lines);
    return found;
}

/* Progress lines, but for those of jobs whose stored events stand in the same page: they may be
 * older than these. */
static void add_progress(struct ock_tail *tail, const struct ock_buf *lines, struct look *look)
{
    struct ock_buf news, kept;
    ock_buf_init(&news, LINES_BYTES_MAX);
    ock_buf_init(&kept, LINES_BYTES_MAX);
    (void)ock_engine_progress(tail->http->engine, "", &tail->progress_stamp, &news);
    for (const char *at = news.data, *end = at + news.size; at < end;) {
        char job[OCK_ID_SIZE];
        size_t size = (size_t)((const char *)memchr(at, '\n', (size_t)(end - at)) - at);
        bool known = ock_member_string(at, size, "job", job, sizeof(job));
        if (known && (lines->size == 0 || !strstr(lines->data, job)))
            ock_buf_add(&kept, at, size + 1);
        at += size + 1;
    }
    ock_format_events(&look->text, tail->format, OCK_NUMBER_IS_SEQ, &kept);
    ock_buf_deinit(&kept);
    ock_buf_deinit(&news);
}

/* All jobs' events. */
static bool look_at_all(struct ock_tail *tail, struct look *look, bool progress,
                        struct ock_problem *problem)
{
    struct ock_buf lines;
    ock_buf_init(&lines, LINES_BYTES_MAX);
    bool found = ock_engine_all_events(tail->http->engine, look->after, look->until,
                                       OCK_FEED_ALL_PAGE_BYTES, &lines, &look->to, problem);
    if (found) {
        ock_format_events(&look->text, tail->format, OCK_NUMBER_IN_FRONT, &lines);
        if (progress)
            add_progress(tail, &lines, look);
    }
    look->ended = !found || ock_buf_status(&lines, NULL) != OCK_OK;
    ock_buf_deinit(&lines);
    return found;
}

struct ock_page *ock_tail_read(struct ock_tail *tail, uint64_t after, uint64_t until, bool progress,
                               bool *found, struct ock_problem *problem)
{
    struct look look = {.after = after, .until = until, .to = after};
    ock_buf_init(&look.text, TEXT_BYTES_MAX);
    *found = tail->job[0] ? look_at_job(tail, &look, progress, problem)
                          : look_at_all(tail, &look, progress, problem);
    struct ock_page *page = NULL;
    if (ock_buf_status(&look.text, NULL) == OCK_OK)
        page = ock_page_new(&look.text, after, look.to, look.ended);
    ock_buf_deinit(&look.text);
    return page;
}
