/* Many subscribers of one job's events: does each get all of them, and how late.
 *
 * One thread, one epoll, N connections. Every subscriber's stream is taken apart as it comes: chunks,
 * then SSE blocks. A stored event has to have the id after the last one's, and all subscribers have
 * to get the same bytes (a hash of all stored blocks). An event's delay runs from the time that it
 * bears, written just before its transaction begins, to its receipt here, so it includes the sync to
 * the disk; it is in whole milliseconds, as that time is. `spread` is what the fan-out alone costs:
 * from an event's first receipt to each other one.
 *
 *     bench_subscribers PORT JOB N
 *
 * Prints "ready" when all are connected and have the events so far, and a line of JSON when all
 * streams have ended. tests/bench/subscribers.py starts the server and the job around it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 4096,
    OPENING_MAX = 200, /* connections that wait for their first bytes */
    READ_BYTES = 256 << 10,
    DELAYS_MAX = 1 << 24,
};

struct subscriber {
    int fd;
    bool begun, ended;
    bool in_body;
    uint64_t id; /* of the last stored event */
    uint64_t hash;
    char *rest; /* bytes of the raw stream that are no whole chunk yet */
    size_t rest_size;
    char *block; /* text that is no whole block yet */
    size_t block_size;
};

static struct {
    struct subscriber *all;
    size_t count, begun, ended, wrong;
    int epoll;
    bool told_ready;
    double first_s[EVENTS_MAX]; /* by id: when the first subscriber had it */
    float *delay_ms, *spread_ms;
    size_t delays;
} bench;

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench_subscribers: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size);
    if (!grown)
        fail("memory");
    return grown;
}

/* Adds bytes to a growing piece of memory. */
static void append(char **to, size_t *size, const char *bytes, size_t count)
{
    if (count == 0)
        return;
    *to = grow(*to, *size + count);
    memcpy(*to + *size, bytes, count);
    *size += count;
}

/* "2026-01-31T09:12:44.120Z" behind "time":" in a block; 0: there is none. */
static double event_time_s(const char *block, size_t size)
{
    const char *at = memmem(block, size, "\"time\":\"", 8);
    struct tm tm = {0};
    char text[32] = "";
    if (!at || (size_t)(block + size - at) < 40)
        return 0;
    memcpy(text, at + 8, 24);
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    return rest ? (double)timegm(&tm) + strtod(rest, NULL) : 0;
}

static uint64_t add_hash(uint64_t hash, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u; /* FNV-1a */
    return hash;
}

static void note_delay(uint64_t id, const char *block, size_t size, double now)
{
    double told = event_time_s(block, size);
    if (id >= EVENTS_MAX || bench.delays == DELAYS_MAX || told <= 0 || !bench.told_ready)
        return;
    if (bench.first_s[id] <= 0)
        bench.first_s[id] = now;
    bench.delay_ms[bench.delays] = (float)((now - told) * 1e3);
    bench.spread_ms[bench.delays++] = (float)((now - bench.first_s[id]) * 1e3);
}

/* One SSE block without its empty line. */
static void take_block(struct subscriber *s, const char *block, size_t size, double now)
{
    if (size < 4 || memcmp(block, "id: ", 4) != 0)
        return; /* retry, a heartbeat, progress */
    uint64_t id = strtoull(block + 4, NULL, 10);
    if (id != s->id + 1)
        bench.wrong++;
    s->id = id;
    s->hash = add_hash(s->hash, block, size);
    note_delay(id, block, size, now);
}

static void take_text(struct subscriber *s, const char *bytes, size_t size, double now)
{
    append(&s->block, &s->block_size, bytes, size);
    size_t at = 0;
    for (;;) {
        char *end = memmem(s->block + at, s->block_size - at, "\n\n", 2);
        if (!end)
            break;
        take_block(s, s->block + at, (size_t)(end - s->block) - at, now);
        at = (size_t)(end - s->block) + 2;
    }
    s->block_size -= at;
    memmove(s->block, s->block + at, s->block_size);
    if (s->block_size == 0) {
        free(s->block);
        s->block = NULL;
    }
}

/* The whole chunks in rest; returns how many bytes they are. */
static size_t take_chunks(struct subscriber *s, double now)
{
    size_t at = 0;
    for (;;) {
        const char *line = s->rest + at;
        char *end = memmem(line, s->rest_size - at, "\r\n", 2);
        if (!end)
            return at;
        size_t size = strtoull(line, NULL, 16), head = (size_t)(end - line) + 2;
        if (s->rest_size - at < head + size + 2)
            return at;
        if (size == 0)
            s->ended = true;
        take_text(s, line + head, size, now);
        at += head + size + 2;
    }
}

static void take_bytes(struct subscriber *s, const char *bytes, size_t size, double now)
{
    append(&s->rest, &s->rest_size, bytes, size);
    if (!s->in_body) {
        const char *body = memmem(s->rest, s->rest_size, "\r\n\r\n", 4);
        if (!body)
            return;
        if (memcmp(s->rest, "HTTP/1.1 200", 12) != 0)
            bench.wrong++;
        s->in_body = true;
        size_t head = (size_t)(body - s->rest) + 4;
        s->rest_size -= head;
        memmove(s->rest, body + 4, s->rest_size);
    }
    size_t taken = take_chunks(s, now);
    s->rest_size -= taken;
    memmove(s->rest, s->rest + taken, s->rest_size);
    if (s->rest_size == 0) {
        free(s->rest);
        s->rest = NULL;
    }
}

static void end_subscriber(struct subscriber *s)
{
    (void)close(s->fd);
    s->fd = -1;
    bench.ended++;
    if (!s->ended)
        bench.wrong++; /* cut off */
}

static void read_from(struct subscriber *s)
{
    static char bytes[READ_BYTES];
    ssize_t got = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        take_bytes(s, bytes, (size_t)got, now_s());
    if (!s->begun && s->id > 0) {
        s->begun = true;
        bench.begun++;
    }
    if (got <= 0 || s->ended)
        end_subscriber(s);
}

static void subscribe(struct subscriber *s, unsigned port, const char *job)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char request[256];
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->hash = 14695981039346656037u;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    int length = snprintf(request, sizeof(request),
                          "GET /v1/jobs/%s/events HTTP/1.1\r\nHost: localhost\r\n"
                          "Accept: text/event-stream\r\nConnection: close\r\n\r\n",
                          job);
    if (send(s->fd, request, (size_t)length, 0) != length)
        fail("send");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(bench.epoll, EPOLL_CTL_ADD, s->fd, &event) != 0)
        fail("epoll_ctl");
}

static void read_ready(int wait_ms)
{
    struct epoll_event events[512];
    int count = epoll_wait(bench.epoll, events, 512, wait_ms);
    for (int i = 0; i < count; i++)
        read_from(events[i].data.ptr);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, float *ms, size_t count)
{
    qsort(ms, count, sizeof(*ms), compare);
    if (count > 0)
        (void)printf("\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},", name,
                     (double)ms[count / 2], (double)ms[count - 1 - count / 100],
                     (double)ms[count - 1]);
}

static void report(double begin_s, double ready_s)
{
    size_t different = 0;
    for (size_t i = 1; i < bench.count; i++)
        different += bench.all[i].hash != bench.all[0].hash || bench.all[i].id != bench.all[0].id;
    (void)printf("{\"subscribers\":%zu,\"events\":%llu,\"wrong\":%zu,\"different\":%zu,"
                 "\"connect_s\":%.2f,",
                 bench.count, (unsigned long long)bench.all[0].id, bench.wrong, different,
                 ready_s - begin_s);
    print_times("delay_ms", bench.delay_ms, bench.delays);
    print_times("spread_ms", bench.spread_ms, bench.delays);
    (void)printf("\"receipts\":%zu}\n", bench.delays);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_subscribers PORT JOB N\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
    bench.count = strtoul(argv[3], NULL, 10);
    bench.all = calloc(bench.count, sizeof(*bench.all));
    bench.delay_ms = malloc(DELAYS_MAX * sizeof(float));
    bench.spread_ms = malloc(DELAYS_MAX * sizeof(float));
    bench.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!bench.all || !bench.delay_ms || !bench.spread_ms || bench.epoll < 0)
        fail("start");
    double begin_s = now_s();
    for (size_t i = 0; i < bench.count; i++) {
        subscribe(&bench.all[i], port, argv[2]);
        while (i + 1 - bench.begun > OPENING_MAX)
            read_ready(100);
    }
    while (bench.begun < bench.count)
        read_ready(100);
    double ready_s = now_s();
    (void)printf("ready\n");
    (void)fflush(stdout);
    bench.told_ready = true;
    while (bench.ended < bench.count)
        read_ready(1000);
    report(begin_s, ready_s);
    return bench.wrong > 0;
}
