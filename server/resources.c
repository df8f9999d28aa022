/* Cores and memory, from the kernel's files. A container's quota is not what nproc says.
 * Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/, of the Linux kernel. */
#include "server/resources.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, TEXT_SIZE = 16 << 10 };

/* The file's beginning as a string; an empty one if it cannot be read. */
static void read_text(const char *path, char *text, size_t size)
{
    text[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    (void)close(fd);
}

unsigned ock_parse_cpu_max(const char *text)
{
    char *end;
    unsigned long long quota = strtoull(text, &end, 10);
    if (end == text)
        return 0;
    unsigned long long period = strtoull(end, NULL, 10);
    if (quota == 0 || period == 0)
        return 0;
    unsigned long long cores = quota / period;
    return cores < 1 ? 1 : cores > UINT_MAX ? UINT_MAX : (unsigned)cores;
}

static size_t parse_bytes(const char *text)
{
    char *end;
    unsigned long long bytes = strtoull(text, &end, 10);
    /* v1 says "no limit" with a number near 2^63. */
    return end == text || bytes == 0 || bytes > (1ull << 60) ? SIZE_MAX : (size_t)bytes;
}

/* Our path in the hierarchy: of v2 ("0::/path"), or of the v1 controller. "" if there is none. */
static void own_path(const char *controller, char *path, size_t size)
{
    char text[TEXT_SIZE];
    path[0] = '\0';
    read_text("/proc/self/cgroup", text, sizeof(text));
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        char *list = strchr(line, ':');
        char *name = list ? strchr(list + 1, ':') : NULL;
        if (name) {
            *name = '\0';
            if (strcmp(list + 1, controller) == 0 ||
                (controller[0] && strstr(list + 1, controller)))
                (void)snprintf(path, size, "%s", name + 1);
        }
        line = end ? end + 1 : NULL;
    }
}

/* Calls take with the file's text at our place and at every place above it. */
static void walk_up(const char *root, const char *controller, const char *file,
                    void (*take)(void *ctx, const char *text), void *ctx)
{
    char own[PATH_SIZE], path[3 * PATH_SIZE], text[256];
    own_path(controller, own, sizeof(own));
    for (;;) {
        (void)snprintf(path, sizeof(path), "%s%s/%s", root, strcmp(own, "/") == 0 ? "" : own, file);
        read_text(path, text, sizeof(text));
        if (text[0])
            take(ctx, text);
        char *slash = strrchr(own, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

static void least_cores(void *ctx, const char *text)
{
    unsigned cores = ock_parse_cpu_max(text), *least = ctx;
    if (cores > 0 && cores < *least)
        *least = cores;
}

static void least_bytes(void *ctx, const char *text)
{
    size_t bytes = parse_bytes(text), *least = ctx;
    if (bytes < *least)
        *least = bytes;
}

/* v1 has the quota and its period in two files. */
static unsigned v1_cores(void)
{
    char quota[64], period[64], both[160];
    read_text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof(quota));
    read_text("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof(period));
    if (quota[0] == '-' || !quota[0])
        return 0;
    (void)snprintf(both, sizeof(both), "%s %s", quota, period);
    return ock_parse_cpu_max(both);
}

unsigned ock_cores_available(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
    unsigned least = count > 0 ? (unsigned)count : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    walk_up("/sys/fs/cgroup", "", "cpu.max", least_cores, &least);
    unsigned v1 = v1_cores();
    if (v1 > 0 && v1 < least)
        least = v1;
    return least > 0 ? least : 1;
}

size_t ock_memory_available(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t least = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : (size_t)1 << 30;
    walk_up("/sys/fs/cgroup", "", "memory.max", least_bytes, &least);
    walk_up("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", least_bytes, &least);
    return least;
}

unsigned long long ock_oom_kills(void)
{
    char text[TEXT_SIZE];
    read_text("/proc/vmstat", text, sizeof(text));
    const char *at = strstr(text, "\noom_kill ");
    return at ? strtoull(at + 10, NULL, 10) : 0;
}
