/* Preloaded into the programs that are shipped (LD_PRELOAD), so that they are tested as they are:
 * kills a process at a named point, or makes its I/O fail for a while. Not armed, it only looks.
 *
 * Files steer it, named by the environment (without OCKHAM_ in front, so that workers inherit it):
 *
 *   SHIM_ARM    "ROLE POINT N [TEXT]": the process of this role (server, worker) whose command line
 *               holds TEXT dies by SIGKILL when it comes to POINT for the N-th time. It is read when a
 *               process starts; who dies takes the file away first, so that there is one death.
 *   SHIM_HITS   such deaths are noted here, a line each: "ROLE POINT N PID LAST", LAST being the last
 *               word of the command line (of a worker: its directory).
 *   SHIM_FAULT  "FAULT KIND N PREFIX": from the N-th call on of KIND (or any) on a path below PREFIX
 *               (once: "FAULT!", then only that one), calls fail as FAULT says: ENOSPC, EIO, or
 *               SHORT, half a write. It is read at every call: it goes when the file goes.
 *
 * Points are NAME.before and NAME.after: commit (the log's sync), log (a write to it), fold (the
 * database's sync), fsync (of anything else), rename, create, unlink, mkdir, truncate, spool (an
 * upload's bytes), event (a line of a worker to its pipe), write (a file in the data directory).
 * ENOSPC of any kind spares what frees room, and statvfs then says that there is none. */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "tests/shim/io_calls.h"

enum { TEXT_SIZE = 4200 };

/* Set before main, read-only after. */
static const char *role = "other";
static const char *arm_path, *hits_path, *fault_path;
static char arm_point[32];
static char last_word[PATH_MAX];
static long arm_count;

static atomic_long arm_seen, fault_seen;

/* --- Small files, without the calls that are watched ------------------------------------------- */

static bool read_text(const char *path, char *text, size_t size)
{
    long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0)
        return false;
    long got = syscall(SYS_read, fd, text, size - 1);
    (void)syscall(SYS_close, fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* --- Deaths ------------------------------------------------------------------------------------ */

static void find_role(char *command)
{
    const char *slash = strrchr(command, '/');
    const char *name = slash ? slash + 1 : command;
    if (strcmp(name, "ockham") == 0)
        role = "server";
    else if (strcmp(name, "ockham-worker") == 0)
        role = "worker";
}

/* Whether one of the command line's words (NUL after each) holds the text; keeps the last one. */
static bool command_holds(const char *command, size_t size, const char *text)
{
    bool holds = false;
    for (const char *word = command; word < command + size; word += strlen(word) + 1) {
        holds = holds || strstr(word, text);
        (void)snprintf(last_word, sizeof(last_word), "%s", word);
    }
    return holds;
}

__attribute__((constructor)) static void arm(void)
{
    char command[TEXT_SIZE] = "", line[TEXT_SIZE], wanted[16] = "", text[512] = "";
    arm_path = getenv("SHIM_ARM");
    hits_path = getenv("SHIM_HITS");
    fault_path = getenv("SHIM_FAULT");
    (void)read_text("/proc/self/cmdline", command, sizeof(command));
    size_t size = sizeof(command);
    while (size > 0 && command[size - 1] == '\0')
        size--;
    char first[TEXT_SIZE];
    (void)snprintf(first, sizeof(first), "%s", command);
    find_role(first);
    if (!read_text(arm_path, line, sizeof(line)))
        return;
    int found = sscanf(line, "%15s %31s %ld %511s", wanted, arm_point, &arm_count, text);
    if (found < 3 || strcmp(wanted, role) != 0 || !command_holds(command, size, text))
        arm_point[0] = '\0';
}

/* The one who can remove the file is the one who dies. */
static void die(void)
{
    static char line[PATH_MAX + 160];
    if (syscall(SYS_unlink, arm_path) != 0)
        return;
    long pid = syscall(SYS_getpid);
    int size = snprintf(line, sizeof(line), "%s %s %ld %ld %s\n", role, arm_point, arm_count, pid,
                        last_word);
    long fd = hits_path ? syscall(SYS_openat, AT_FDCWD, hits_path,
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                        : -1;
    if (fd >= 0)
        (void)syscall(SYS_write, fd, line, (size_t)size);
    (void)syscall(SYS_kill, pid, SIGKILL);
    for (;;)
        (void)syscall(SYS_pause); /* until the signal has come */
}

static bool ends_with(const char *path, const char *end)
{
    size_t size = strlen(path), end_size = strlen(end);
    return size >= end_size && strcmp(path + size - end_size, end) == 0;
}

static const char *write_point(const struct io_call *call, const char *path)
{
    if (strncmp(path, "pipe:", 5) == 0)
        return strcmp(role, "worker") == 0 && call->fd > STDERR_FILENO ? "event" : NULL;
    if (ends_with(path, "-wal"))
        return "log";
    if (strstr(path, "/uploads/") && !ends_with(path, ".tmp"))
        return "spool";
    return strstr(path, "/jobs/") || strstr(path, "/datasets/") ? "write" : NULL;
}

/* NULL: the call is at no point. */
static const char *point_of(const struct io_call *call)
{
    char path[PATH_MAX];
    switch (call->kind) {
    case IO_SYNC:
        io_path(call, path);
        return ends_with(path, "-wal") ? "commit" : ends_with(path, ".db") ? "fold" : "fsync";
    case IO_WRITE:
        io_path(call, path);
        return write_point(call, path);
    case IO_RENAME:
        return "rename";
    case IO_CREATE:
        return "create";
    case IO_UNLINK:
        return "unlink";
    case IO_MKDIR:
        return "mkdir";
    case IO_TRUNCATE:
        return "truncate";
    case IO_OPEN:
    case IO_READ:
    case IO_ALLOCATE:
    case IO_CLOSE:
    case IO_KIND_COUNT:
    default:
        return NULL;
    }
}

static void come_to(const struct io_call *call, const char *side)
{
    if (!arm_point[0] || !ends_with(arm_point, side))
        return;
    const char *name = point_of(call);
    size_t size = name ? strlen(name) : 0;
    if (!name || strncmp(arm_point, name, size) != 0 || strcmp(arm_point + size, side) != 0)
        return;
    if (atomic_fetch_add(&arm_seen, 1) + 1 == arm_count)
        die();
}

/* --- Faults ------------------------------------------------------------------------------------ */

struct fault {
    int error_number; /* 0: a short write */
    bool once;
    char kind[16];
    long count;
    char prefix[512];
};

static bool read_fault(struct fault *fault)
{
    char line[TEXT_SIZE], name[16] = "";
    if (!read_text(fault_path, line, sizeof(line))) {
        atomic_store(&fault_seen, 0);
        return false;
    }
    if (sscanf(line, "%15s %15s %ld %511s", name, fault->kind, &fault->count, fault->prefix) != 4)
        return false;
    size_t size = strlen(name);
    fault->once = name[size - 1] == '!';
    if (fault->once)
        name[size - 1] = '\0';
    fault->error_number = strcmp(name, "ENOSPC") == 0 ? ENOSPC : strcmp(name, "EIO") == 0 ? EIO : 0;
    return true;
}

static bool concerns(const struct fault *fault, const struct io_call *call)
{
    static const char *const names[IO_KIND_COUNT] = {"create", "open",   "read",     "write",
                                                     "sync",   "rename", "truncate", "allocate",
                                                     "unlink", "mkdir",  "close"};
    char path[PATH_MAX];
    bool any = strcmp(fault->kind, "any") == 0;
    if (!any && strcmp(fault->kind, names[call->kind]) != 0)
        return false;
    if (any && fault->error_number == ENOSPC && !io_takes_room(call))
        return false;
    if (fault->error_number == 0 && call->kind != IO_WRITE)
        return false;
    io_path(call, path);
    return strncmp(path, fault->prefix, strlen(fault->prefix)) == 0;
}

static int io_before(const struct io_call *call, size_t *size)
{
    struct fault fault = {0};
    come_to(call, ".before");
    if (!fault_path || !read_fault(&fault) || !concerns(&fault, call))
        return 0;
    long seen = atomic_fetch_add(&fault_seen, 1) + 1;
    if (seen < fault.count || (fault.once && seen > fault.count))
        return 0;
    if (fault.error_number == 0 && *size > 1)
        *size /= 2;
    return fault.error_number;
}

static void io_after(const struct io_call *call)
{
    come_to(call, ".after");
}

/* --- The room that is left --------------------------------------------------------------------- */

static bool is_full(void)
{
    struct fault fault = {0};
    return fault_path && read_fault(&fault) && fault.error_number == ENOSPC && !fault.once;
}

int statvfs(const char *restrict path, struct statvfs *restrict out)
{
    int (*next)(const char *, struct statvfs *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "statvfs");
    int result = next(path, out);
    if (result == 0 && is_full())
        out->f_bavail = out->f_bfree = 0;
    return result;
}

int fstatvfs(int fd, struct statvfs *out)
{
    int (*next)(int, struct statvfs *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "fstatvfs");
    int result = next(fd, out);
    if (result == 0 && is_full())
        out->f_bavail = out->f_bfree = 0;
    return result;
}
