/* Worker processes, by posix_spawn through /proc/self/fd/N: never by fork alone (libgomp hangs in a
 * forked child), and always the executable that was opened at the start. Every descriptor is
 * O_CLOEXEC: a pipe end that a second worker inherited would keep the first from its end of file.
 */
#include "server/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, READ_STEP = 64 << 10, READ_MAX = 256 << 10, COMMANDS_MAX = 1 << 16 };

extern char **environ;

enum ock_status ock_worker_program_open(int *fd, const char *path, struct ock_err *err)
{
    char beside[PATH_SIZE];
    if (!path) {
        ssize_t length = readlink("/proc/self/exe", beside, sizeof(beside) - 1);
        if (length < 0)
            return ock_fail_errno(err, errno, "cannot read /proc/self/exe");
        beside[length] = '\0';
        char *slash = strrchr(beside, '/');
        size_t stem = slash ? (size_t)(slash - beside) + 1 : 0;
        int more = snprintf(beside + stem, sizeof(beside) - stem, "ockham-worker");
        if (more < 0 || (size_t)more >= sizeof(beside) - stem)
            return ock_fail(err, OCK_LIMIT, "the program's path is too long");
        path = beside;
    }
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT)
        return ock_fail(err, OCK_NOTFOUND, "the worker program %s is not there", path);
    if (opened < 0)
        return ock_fail_errno(err, errno, "cannot open the worker program %s", path);
    /* Above 2, where the child's dup2 cannot close it before it is executed. */
    if (opened <= STDERR_FILENO) {
        int moved = fcntl(opened, F_DUPFD_CLOEXEC, 3);
        int error_number = errno;
        (void)close(opened);
        if (moved < 0)
            return ock_fail_errno(err, error_number, "cannot open the worker program %s", path);
        opened = moved;
    }
    *fd = opened;
    return OCK_OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Moves two descriptors above 2, so that dup2 in the child cannot overwrite one of them. */
static enum ock_status move_up(int ends[2], const int raw[2], struct ock_err *err)
{
    int error_number = 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = raw[i];
        if (raw[i] > STDERR_FILENO)
            continue;
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
        error_number = ends[i] < 0 ? errno : error_number;
        (void)close(raw[i]);
    }
    if (ends[0] >= 0 && ends[1] >= 0)
        return OCK_OK;
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    return ock_fail_errno(err, error_number, "cannot move a descriptor");
}

static enum ock_status open_pipe(int ends[2], struct ock_err *err)
{
    int raw[2];
    if (pipe2(raw, O_CLOEXEC) != 0)
        return ock_fail_errno(err, errno, "cannot make a pipe");
    return move_up(ends, raw, err);
}

/* Commands go through a socket: writing to one whose reader has died can be told to raise no
 * SIGPIPE, whatever the process does with that signal. */
static enum ock_status open_socket(int ends[2], struct ock_err *err)
{
    int raw[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw) != 0)
        return ock_fail_errno(err, errno, "cannot make a socket pair");
    return move_up(ends, raw, err);
}

/* The environment without OCKHAM_…; the array is the caller's, the strings are the process' own.
 *
 * By default a thread that waits for its team spins for milliseconds; on a machine that is busy
 * otherwise it then burns the time that the one it waits for would need. Measured with 12 runnable
 * threads on 2 cores (512-512 MLP, batch 16, 2 threads): 300 samples/s by default, 15,700 with this;
 * an import of 100 MB at a load of 6 to 7: 12 s by default, 0.6 s. About 50 us of spinning still bridge
 * the gaps within a step. The user's own word stands. */
static char **clean_environment(void)
{
    static char spin_briefly[] = "GOMP_SPINCOUNT=2000";
    size_t count = 0;
    while (environ[count])
        count++;
    char **out = calloc(count + 2, sizeof(*out));
    size_t kept = 0;
    for (size_t i = 0; out && i < count; i++) {
        if (strncmp(environ[i], "OCKHAM_", 7) != 0)
            out[kept++] = environ[i];
    }
    if (out && !getenv("GOMP_SPINCOUNT"))
        out[kept] = spin_briefly;
    return out;
}

/* posix_spawn's two objects, made together. */
struct setup {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

static int setup_init(struct setup *setup)
{
    int failed = posix_spawn_file_actions_init(&setup->actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&setup->attributes);
    if (failed)
        posix_spawn_file_actions_destroy(&setup->actions);
    return failed;
}

static void setup_deinit(struct setup *setup)
{
    posix_spawnattr_destroy(&setup->attributes);
    posix_spawn_file_actions_destroy(&setup->actions);
}

static int setup_fill(struct setup *setup, const int child[3])
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = 0;
    for (int fd = 0; fd < 3 && !failed; fd++) {
        if (child[fd] >= 0)
            failed = posix_spawn_file_actions_adddup2(&setup->actions, child[fd], fd);
    }
    if (!failed)
        failed = posix_spawnattr_setsigmask(&setup->attributes, &none);
    if (!failed)
        failed = posix_spawnattr_setsigdefault(&setup->attributes, &all);
    if (!failed)
        failed = posix_spawnattr_setpgroup(&setup->attributes, 0);
    if (!failed)
        failed = posix_spawnattr_setflags(&setup->attributes, POSIX_SPAWN_SETSIGMASK |
                                                                  POSIX_SPAWN_SETSIGDEF |
                                                                  POSIX_SPAWN_SETPGROUP);
    return failed;
}

static enum ock_status spawn(pid_t *pid, int program_fd, const char *mode, const char *dir,
                             const int child[3], struct ock_err *err)
{
    char path[64], name[] = "ockham-worker";
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", program_fd);
    char *mode_copy = strdup(mode), *dir_copy = strdup(dir);
    char **environment = clean_environment();
    struct setup setup;
    int failed = !mode_copy || !dir_copy || !environment ? ENOMEM : setup_init(&setup);
    if (!failed) {
        char *argv[] = {name, mode_copy, dir_copy, NULL};
        failed = setup_fill(&setup, child);
        if (!failed)
            failed = posix_spawn(pid, path, &setup.actions, &setup.attributes, argv, environment);
        setup_deinit(&setup);
    }
    free(environment);
    free(mode_copy);
    free(dir_copy);
    return failed ? ock_fail_errno(err, failed, "cannot start a worker") : OCK_OK;
}

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

enum ock_status ock_worker_start(struct ock_worker *worker, int program_fd, const char *mode,
                                 const char *dir, bool inherit_err, struct ock_err *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, says[2] = {-1, -1};
    pid_t pid = 0;
    enum ock_status status = open_socket(in, err);
    if (status == OCK_OK)
        status = open_pipe(out, err);
    if (status == OCK_OK && !inherit_err)
        status = open_pipe(says, err);
    if (status == OCK_OK) {
        int child[3] = {in[0], out[1], says[1]};
        status = spawn(&pid, program_fd, mode, dir, child, err);
    }
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&says[1]);
    if (status != OCK_OK) {
        close_fd(&in[1]);
        close_fd(&out[0]);
        close_fd(&says[0]);
        return status;
    }
    *worker = (struct ock_worker){.pid = pid, .in = in[1], .out = out[0], .err = says[0]};
    worker->pidfd = pidfd_open(pid, 0); /* always O_CLOEXEC */
    set_nonblocking(worker->in);
    set_nonblocking(worker->out);
    if (worker->err >= 0)
        set_nonblocking(worker->err);
    ock_buf_init(&worker->commands, COMMANDS_MAX);
    ock_buf_init(&worker->lines, OCK_WORKER_LINE_BYTES_MAX + READ_MAX);
    return OCK_OK;
}

void ock_worker_flush(struct ock_worker *worker)
{
    while (worker->in >= 0 && worker->commands.size > 0) {
        ssize_t done = send(worker->in, worker->commands.data, worker->commands.size, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN)
            return;
        if (done < 0) {
            ock_buf_clear(&worker->commands);
            return;
        }
        ock_buf_consume(&worker->commands, (size_t)done);
    }
}

void ock_worker_send(struct ock_worker *worker, const char *command)
{
    ock_buf_puts(&worker->commands, command);
    ock_buf_putc(&worker->commands, '\n');
    ock_worker_flush(worker);
}

void ock_worker_confirm(struct ock_worker *worker, uint64_t number)
{
    char command[40];
    /* A later confirmation says all that this one would: it may be left out when the pipe is full.
     */
    ock_worker_flush(worker);
    if (worker->commands.size > COMMANDS_MAX / 2)
        return;
    (void)snprintf(command, sizeof(command), "confirm %" PRIu64, number);
    ock_worker_send(worker, command);
}

/* Appends what the descriptor has, at most READ_MAX bytes. false: end of file or error. */
static bool drain(int fd, struct ock_buf *buf)
{
    char step[READ_STEP];
    for (size_t total = 0; total < READ_MAX;) {
        ssize_t got = read(fd, step, sizeof(step));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN;
        if (got == 0)
            return false;
        ock_buf_add(buf, step, (size_t)got);
        total += (size_t)got;
        if ((size_t)got < sizeof(step))
            return true; /* most likely empty; poll will tell */
    }
    return true;
}

bool ock_worker_read(struct ock_worker *worker)
{
    if (worker->out < 0)
        return false;
    ock_buf_consume(&worker->lines, worker->taken);
    worker->taken = 0;
    bool open = drain(worker->out, &worker->lines);
    /* A line beyond every limit: no worker of ours writes one. */
    return open && ock_buf_status(&worker->lines, NULL) == OCK_OK;
}

char *ock_worker_next_line(struct ock_worker *worker, size_t *size)
{
    if (worker->taken >= worker->lines.size)
        return NULL;
    char *line = worker->lines.data + worker->taken;
    char *end = memchr(line, '\n', worker->lines.size - worker->taken);
    if (!end)
        return NULL;
    *end = '\0';
    *size = (size_t)(end - line);
    worker->taken += *size + 1;
    return line;
}

/* Keeps the last line that is not empty, without its newline, cut to fit. */
static void remember(struct ock_worker *worker, const char *text, size_t size)
{
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' '))
        size--;
    if (size == 0)
        return;
    const char *start = memrchr(text, '\n', size);
    start = start ? start + 1 : text;
    size_t length = size - (size_t)(start - text);
    if (length >= sizeof(worker->said))
        length = sizeof(worker->said) - 1;
    memcpy(worker->said, start, length);
    worker->said[length] = '\0';
}

bool ock_worker_read_err(struct ock_worker *worker)
{
    if (worker->err < 0)
        return false;
    struct ock_buf text;
    ock_buf_init(&text, 2 * READ_MAX);
    bool open = drain(worker->err, &text);
    if (text.size > 0)
        remember(worker, text.data, text.size);
    ock_buf_deinit(&text);
    return open;
}

bool ock_worker_parse_line(char *line, struct ock_worker_line *out)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(line, &end, 10);
    if (errno != 0 || end == line || *end != ' ' || number == 0)
        return false;
    char *type = end + 1;
    char *key = strchr(type, ' ');
    char *body = key ? strchr(key + 1, ' ') : NULL;
    if (!body || key == type || body == key + 1 || body[1] != '{')
        return false;
    *key++ = '\0';
    *body++ = '\0';
    *out = (struct ock_worker_line){
        .number = number, .type = type, .key = strcmp(key, "-") == 0 ? "" : key, .body = body};
    return true;
}

bool ock_worker_ended(struct ock_worker *worker, bool block, int *wait_status)
{
    if (worker->pid == 0)
        return false;
    pid_t got;
    do
        got = waitpid(worker->pid, wait_status, block ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    if (got < 0)
        *wait_status = 0xff00; /* someone else waited for it: exit code unknown, told as 255 */
    worker->pid = 0;
    return true;
}

void ock_worker_kill(struct ock_worker *worker, int signal_number)
{
    if (worker->pid > 0)
        (void)kill(worker->pid, signal_number);
}

void ock_worker_explain(int wait_status, const char *said, char *text, size_t size)
{
    const char *colon = said && said[0] ? ": " : "";
    if (WIFSIGNALED(wait_status)) {
        int number = WTERMSIG(wait_status);
        const char *name = sigabbrev_np(number), *words = sigdescr_np(number);
        (void)snprintf(text, size, "the worker was ended by signal %d (SIG%s, %s)%s%s", number,
                       name ? name : "?", words ? words : "unknown", colon, said ? said : "");
        return;
    }
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    if (code == 0)
        (void)snprintf(text, size, "the worker ended without a result%s%s", colon,
                       said ? said : "");
    else
        (void)snprintf(text, size, "the worker gave up (exit code %d)%s%s", code, colon,
                       said ? said : "");
}

void ock_worker_close(struct ock_worker *worker)
{
    int wait_status;
    if (worker->pid > 0) {
        ock_worker_kill(worker, SIGKILL);
        (void)ock_worker_ended(worker, true, &wait_status);
    }
    if (worker->lines.size_max == 0)
        return; /* never started: its descriptors are no descriptors */
    close_fd(&worker->in);
    close_fd(&worker->out);
    close_fd(&worker->err);
    close_fd(&worker->pidfd);
    ock_buf_deinit(&worker->commands);
    ock_buf_deinit(&worker->lines);
    worker->taken = 0;
}
