/* A hash table of channels, one for each job that someone subscribes to and one for all jobs; all
 * under one mutex. */
#include "server/hub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine.h"

enum { BUCKETS = 1024 };

struct channel {
    char id[OCK_ID_SIZE];
    struct ock_subscription *first;
    char *progress; /* owned, NULL: none yet */
    uint64_t stamp; /* of progress; grows over all jobs */
    struct channel *next;
};

struct ock_subscription {
    struct ock_hub *hub;
    struct channel *channel;
    void (*wake)(void *ctx);
    void *ctx;
    struct ock_subscription *prev, *next;
};

/* A line for those who subscribe to all jobs. */
struct recent {
    char *line; /* owned, NULL: none yet */
    uint64_t stamp;
};

/* Everything → mutex. */
struct ock_hub {
    pthread_mutex_t mutex;
    uint64_t stamp, count;
    struct recent recent[OCK_HUB_RECENT_MAX]; /* a ring */
    size_t recent_at;                         /* where the oldest one stands */
    struct channel *buckets[BUCKETS];
};

static struct channel **bucket_of(struct ock_hub *hub, const char *id)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return &hub->buckets[hash % BUCKETS];
}

static struct channel *find(struct ock_hub *hub, const char *id)
{
    struct channel *channel = *bucket_of(hub, id);
    while (channel && strcmp(channel->id, id) != 0)
        channel = channel->next;
    return channel;
}

enum ock_status ock_hub_new(struct ock_hub **out, struct ock_err *err)
{
    struct ock_hub *hub = calloc(1, sizeof(*hub));
    if (!hub)
        return ock_fail(err, OCK_NOMEM, "no memory for the subscriptions");
    (void)pthread_mutex_init(&hub->mutex, NULL);
    *out = hub;
    return OCK_OK;
}

static void channel_free(struct channel *channel)
{
    free(channel->progress);
    free(channel);
}

void ock_hub_free(struct ock_hub *hub)
{
    if (!hub)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (hub->buckets[i]) {
            struct channel *channel = hub->buckets[i];
            hub->buckets[i] = channel->next;
            channel_free(channel);
        }
    }
    for (size_t i = 0; i < OCK_HUB_RECENT_MAX; i++)
        free(hub->recent[i].line);
    (void)pthread_mutex_destroy(&hub->mutex);
    free(hub);
}

/* The channel, made if there is none; NULL: out of memory. */
static struct channel *find_or_make(struct ock_hub *hub, const char *id)
{
    struct channel *channel = find(hub, id);
    if (channel)
        return channel;
    channel = calloc(1, sizeof(*channel));
    if (!channel)
        return NULL;
    (void)snprintf(channel->id, sizeof(channel->id), "%s", id);
    struct channel **bucket = bucket_of(hub, id);
    channel->next = *bucket;
    *bucket = channel;
    return channel;
}

enum ock_status ock_hub_subscribe(struct ock_hub *hub, const char *id, void (*wake)(void *ctx),
                                  void *ctx, struct ock_subscription **out, struct ock_err *err)
{
    struct ock_subscription *made = calloc(1, sizeof(*made));
    if (!made)
        return ock_fail(err, OCK_NOMEM, "no memory for a subscription");
    *made = (struct ock_subscription){.hub = hub, .wake = wake, .ctx = ctx};
    (void)pthread_mutex_lock(&hub->mutex);
    struct channel *channel = find_or_make(hub, id);
    if (channel) {
        made->channel = channel;
        made->next = channel->first;
        if (made->next)
            made->next->prev = made;
        channel->first = made;
        hub->count++;
    }
    (void)pthread_mutex_unlock(&hub->mutex);
    if (!channel) {
        free(made);
        return ock_fail(err, OCK_NOMEM, "no memory for a subscription");
    }
    *out = made;
    return OCK_OK;
}

static void drop_channel(struct ock_hub *hub, struct channel *channel)
{
    struct channel **at = bucket_of(hub, channel->id);
    while (*at != channel)
        at = &(*at)->next;
    *at = channel->next;
    channel_free(channel);
}

void ock_hub_unsubscribe(struct ock_subscription *subscription)
{
    if (!subscription)
        return;
    struct ock_hub *hub = subscription->hub;
    (void)pthread_mutex_lock(&hub->mutex);
    struct channel *channel = subscription->channel;
    if (subscription->prev)
        subscription->prev->next = subscription->next;
    else
        channel->first = subscription->next;
    if (subscription->next)
        subscription->next->prev = subscription->prev;
    if (!channel->first)
        drop_channel(hub, channel);
    hub->count--;
    (void)pthread_mutex_unlock(&hub->mutex);
    free(subscription);
}

static void wake_all(const struct channel *channel)
{
    for (struct ock_subscription *s = channel ? channel->first : NULL; s; s = s->next)
        s->wake(s->ctx);
}

void ock_hub_wake(struct ock_hub *hub, const char *id)
{
    (void)pthread_mutex_lock(&hub->mutex);
    wake_all(find(hub, id));
    wake_all(find(hub, ""));
    (void)pthread_mutex_unlock(&hub->mutex);
}

/* For the job's own readers. No memory: progress may be dropped. */
static void keep_newest(struct ock_hub *hub, struct channel *channel, const char *line)
{
    char *copy = channel ? strdup(line) : NULL;
    if (!copy)
        return;
    free(channel->progress);
    channel->progress = copy;
    channel->stamp = ++hub->stamp;
    wake_all(channel);
}

/* For the readers of all jobs. */
static void keep_recent(struct ock_hub *hub, const char *line)
{
    const struct channel *all = find(hub, "");
    char *copy = all ? strdup(line) : NULL;
    if (!copy)
        return;
    struct recent *recent = &hub->recent[hub->recent_at];
    hub->recent_at = (hub->recent_at + 1) % OCK_HUB_RECENT_MAX;
    free(recent->line);
    *recent = (struct recent){.line = copy, .stamp = ++hub->stamp};
    wake_all(all);
}

void ock_hub_progress(struct ock_hub *hub, const char *id, const char *line)
{
    (void)pthread_mutex_lock(&hub->mutex);
    keep_newest(hub, find(hub, id), line);
    keep_recent(hub, line);
    (void)pthread_mutex_unlock(&hub->mutex);
}

static bool read_newest(const struct channel *channel, uint64_t *stamp, struct ock_buf *out)
{
    if (!channel || !channel->progress || channel->stamp <= *stamp)
        return false;
    *stamp = channel->stamp;
    ock_buf_puts(out, channel->progress);
    ock_buf_putc(out, '\n');
    return true;
}

static bool read_recent(const struct ock_hub *hub, uint64_t *stamp, struct ock_buf *out)
{
    uint64_t before = *stamp;
    for (size_t i = 0; i < OCK_HUB_RECENT_MAX; i++) {
        const struct recent *recent = &hub->recent[(hub->recent_at + i) % OCK_HUB_RECENT_MAX];
        if (!recent->line || recent->stamp <= before)
            continue;
        *stamp = recent->stamp;
        ock_buf_puts(out, recent->line);
        ock_buf_putc(out, '\n');
    }
    return *stamp > before;
}

bool ock_hub_read_progress(struct ock_hub *hub, const char *id, uint64_t *stamp,
                           struct ock_buf *out)
{
    (void)pthread_mutex_lock(&hub->mutex);
    bool newer = id[0] ? read_newest(find(hub, id), stamp, out) : read_recent(hub, stamp, out);
    (void)pthread_mutex_unlock(&hub->mutex);
    return newer;
}

uint64_t ock_hub_count(struct ock_hub *hub)
{
    (void)pthread_mutex_lock(&hub->mutex);
    uint64_t count = hub->count;
    (void)pthread_mutex_unlock(&hub->mutex);
    return count;
}
