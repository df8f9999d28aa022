/* Groups for workers, by the files of the kernel's two interfaces.
 * Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, of the Linux kernel.
 *
 * OURS/ockham-PID/           locked while the server lives
 *                job_…/      one for each worker that has one
 *                server/     v2 alone: where the server itself went */
#include "server/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { TEXT_SIZE = 32 << 10, LONG_PATH_SIZE = OCK_CGROUP_PATH_SIZE + 3 * OCK_CGROUP_NAME_SIZE };

static const char prefix[] = "ockham-";

/* --- Texts ------------------------------------------------------------------------------------- */

bool ock_cgroup_parse_path(const char *text, const char *controller, char *path, size_t size)
{
    size_t length = strlen(controller);
    while (*text) {
        const char *end = strchrnul(text, '\n');
        const char *list = memchr(text, ':', (size_t)(end - text));
        const char *stop = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
        bool found = stop && stop == list + 1 && length == 0;
        for (const char *at = list; stop && at < stop && length > 0 && !found;) {
            const char *next = memchr(at + 1, ',', (size_t)(stop - at - 1));
            next = next ? next : stop;
            found = (size_t)(next - at - 1) == length && memcmp(at + 1, controller, length) == 0;
            at = next;
        }
        if (found && (size_t)(end - stop) <= size) {
            (void)snprintf(path, size, "%.*s", (int)(end - stop - 1), stop + 1);
            return true;
        }
        text = *end ? end + 1 : end;
    }
    return false;
}

unsigned long long ock_cgroup_parse_count(const char *text, const char *key)
{
    size_t length = strlen(key);
    while (*text) {
        if (strncmp(text, key, length) == 0 && text[length] == ' ')
            return strtoull(text + length + 1, NULL, 10);
        text = strchrnul(text, '\n');
        text += *text == '\n';
    }
    return 0;
}

/* --- Files ------------------------------------------------------------------------------------- */

static void join(char out[LONG_PATH_SIZE], const char *directory, const char *name)
{
    (void)snprintf(out, LONG_PATH_SIZE, "%.*s/%.*s", OCK_CGROUP_PATH_SIZE + OCK_CGROUP_NAME_SIZE,
                   directory, OCK_CGROUP_NAME_SIZE, name);
}

static bool read_file(const char *directory, const char *name, char text[TEXT_SIZE])
{
    char path[LONG_PATH_SIZE];
    join(path, directory, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, TEXT_SIZE - 1);
    text[got > 0 ? got : 0] = '\0';
    (void)close(fd);
    return got >= 0;
}

static bool write_file(const char *directory, const char *name, const char *text)
{
    char path[LONG_PATH_SIZE];
    join(path, directory, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    return close(fd) == 0 && done;
}

/* Whether our process is in the group, and whether another one is. */
static bool holds_us(const char *directory, bool *others)
{
    char text[TEXT_SIZE], own[32];
    bool found = false;
    *others = false;
    if (!read_file(directory, "cgroup.procs", text))
        return false;
    (void)snprintf(own, sizeof(own), "%d", (int)getpid());
    for (char *line = text; *line;) {
        char *end = strchrnul(line, '\n');
        bool last = *end == '\0';
        *end = '\0';
        if (strcmp(line, own) == 0)
            found = true;
        else
            *others = true;
        line = last ? end : end + 1;
    }
    return found;
}

/* --- Where ------------------------------------------------------------------------------------- */

static const char v1_root[] = "/sys/fs/cgroup/memory", v2_root[] = "/sys/fs/cgroup";

/* The directory of our own group. In a container it may be mounted as the root. */
static bool find_own(const char *root, const char *controller, char path[OCK_CGROUP_PATH_SIZE],
                     bool *others)
{
    char text[TEXT_SIZE], own[OCK_CGROUP_PATH_SIZE / 2];
    if (!read_file("/proc/self", "cgroup", text) ||
        !ock_cgroup_parse_path(text, controller, own, sizeof(own)))
        return false;
    (void)snprintf(path, OCK_CGROUP_PATH_SIZE, "%s%s", root, strcmp(own, "/") == 0 ? "" : own);
    if (holds_us(path, others))
        return true;
    (void)snprintf(path, OCK_CGROUP_PATH_SIZE, "%s", root);
    return holds_us(path, others);
}

/* Whether groups below this one are ours to make: it belongs to us, its manager says so, or it is
 * the root of a container's view. */
static bool is_delegated(const char *path)
{
    struct stat info;
    char value[4] = "";
    if (geteuid() != 0)
        return stat(path, &info) == 0 && info.st_uid == geteuid();
    return strcmp(path, v2_root) == 0 ||
           (getxattr(path, "trusted.delegate", value, sizeof(value)) == 1 && value[0] == '1') ||
           (getxattr(path, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1');
}

/* --- Leftovers --------------------------------------------------------------------------------- */

/* A group with processes stays: their server's next start tries again. */
static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) { /* one directory stream, one thread */
        char child[LONG_PATH_SIZE];
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        join(child, path, entry->d_name);
        (void)rmdir(child);
    }
    (void)closedir(directory);
    (void)rmdir(path);
}

/* Opens and locks a server's directory; -1: it is another's, or not there. */
static int lock_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static void sweep(const char *own)
{
    DIR *directory = opendir(own);
    if (!directory)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char path[LONG_PATH_SIZE];
        if (entry->d_type != DT_DIR || strncmp(entry->d_name, prefix, sizeof(prefix) - 1) != 0)
            continue;
        join(path, own, entry->d_name);
        int fd = lock_directory(path);
        if (fd < 0)
            continue;
        remove_tree(path);
        (void)close(fd);
    }
    (void)closedir(directory);
}

/* --- Opening ----------------------------------------------------------------------------------- */

static void give_up(struct ock_cgroups *groups, const char *why)
{
    if (groups->lock_fd >= 0) {
        remove_tree(groups->path);
        (void)close(groups->lock_fd);
    }
    *groups = (struct ock_cgroups){.lock_fd = -1};
    (void)snprintf(groups->why, sizeof(groups->why), "%s", why);
}

/* OWN/ockham-PID, locked. */
static bool make_own(struct ock_cgroups *groups, const char *own)
{
    char name[OCK_CGROUP_NAME_SIZE], path[LONG_PATH_SIZE];
    sweep(own);
    (void)snprintf(name, sizeof(name), "%s%d", prefix, (int)getpid());
    join(path, own, name);
    if (strlen(path) >= sizeof(groups->path) || mkdir(path, 0755) != 0)
        return false;
    memcpy(groups->path, path, strlen(path) + 1);
    groups->lock_fd = lock_directory(path);
    if (groups->lock_fd < 0)
        (void)rmdir(path);
    return groups->lock_fd >= 0;
}

static void open_v1(struct ock_cgroups *groups, const char *own)
{
    if (!make_own(groups, own)) {
        give_up(groups, "the memory cgroup cannot be written");
        return;
    }
    char text[TEXT_SIZE];
    /* Without it a group's limit would not be within its parent's. */
    if (read_file(groups->path, "memory.use_hierarchy", text) && text[0] == '1')
        groups->version = 1;
    else
        give_up(groups, "the memory cgroup has no hierarchy");
}

/* A group with processes cannot hand a controller down: the server leaves it for a leaf. */
static void open_v2(struct ock_cgroups *groups, const char *own, bool others)
{
    char server[LONG_PATH_SIZE], text[TEXT_SIZE];
    if (!read_file(own, "cgroup.controllers", text) || !strstr(text, "memory")) {
        give_up(groups, "there is no memory controller");
        return;
    }
    if (others || !is_delegated(own)) {
        give_up(groups, others ? "other processes are in the server's cgroup"
                               : "the server's cgroup is not delegated to it");
        return;
    }
    if (!make_own(groups, own)) {
        give_up(groups, "the server's cgroup cannot be written");
        return;
    }
    join(server, groups->path, "server");
    if (mkdir(server, 0755) == 0 && write_file(server, "cgroup.procs", "0") &&
        write_file(own, "cgroup.subtree_control", "+memory") &&
        write_file(groups->path, "cgroup.subtree_control", "+memory")) {
        groups->version = 2;
        return;
    }
    (void)write_file(own, "cgroup.subtree_control", "-memory");
    (void)write_file(own, "cgroup.procs", "0");
    give_up(groups, "the server's cgroup hands no memory controller down");
}

void ock_cgroups_open(struct ock_cgroups *groups)
{
    char own[OCK_CGROUP_PATH_SIZE];
    bool others;
    *groups = (struct ock_cgroups){.lock_fd = -1};
    if (find_own(v1_root, "memory", own, &others))
        open_v1(groups, own);
    else if (find_own(v2_root, "", own, &others))
        open_v2(groups, own, others);
    else
        give_up(groups, "no cgroup of the server's is in sight");
}

/* Under v2 the server is still in its leaf: then the directory stays for the next start. */
void ock_cgroups_close(struct ock_cgroups *groups)
{
    if (groups->version == 0)
        return;
    remove_tree(groups->path);
    (void)close(groups->lock_fd);
    *groups = (struct ock_cgroups){.lock_fd = -1};
}

/* --- A worker's group -------------------------------------------------------------------------- */

bool ock_cgroup_make(const struct ock_cgroups *groups, const char *name, size_t bytes_max)
{
    char path[LONG_PATH_SIZE], limit[32];
    if (groups->version == 0)
        return false;
    join(path, groups->path, name);
    (void)snprintf(limit, sizeof(limit), "%zu", bytes_max);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return false;
    if (write_file(path, groups->version == 2 ? "memory.max" : "memory.limit_in_bytes", limit)) {
        if (groups->version == 2)
            (void)write_file(path, "memory.oom.group", "1");
        return true;
    }
    (void)rmdir(path);
    return false;
}

void ock_cgroup_procs(const struct ock_cgroups *groups, const char *name,
                      char path[OCK_CGROUP_PATH_SIZE + OCK_CGROUP_NAME_SIZE])
{
    (void)snprintf(path, OCK_CGROUP_PATH_SIZE + OCK_CGROUP_NAME_SIZE, "%s/%.40s/cgroup.procs",
                   groups->path, name);
}

unsigned long long ock_cgroup_oom_kills(const struct ock_cgroups *groups, const char *name)
{
    char path[LONG_PATH_SIZE], text[TEXT_SIZE];
    join(path, groups->path, name);
    const char *events = groups->version == 2 ? "memory.events" : "memory.oom_control";
    return read_file(path, events, text) ? ock_cgroup_parse_count(text, "oom_kill") : 0;
}

void ock_cgroup_remove(const struct ock_cgroups *groups, const char *name)
{
    char path[LONG_PATH_SIZE];
    join(path, groups->path, name);
    (void)rmdir(path);
}
