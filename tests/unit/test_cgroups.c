/* Groups for workers: the kernel's texts by hand, and, where this machine lets a group be made, what
 * the kernel then does: a file larger than the limit can be read through it, memory cannot be had
 * beyond it, and the count says whose fault an end was. Where none can be made, the reason is told
 * and those tests say nothing. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/cgroups.h"

static const struct {
    const char *text, *controller, *path; /* NULL: none */
} paths[] = {
    {"0::/\n", "", "/"},
    {"0::/system.slice/ockham.service\n", "", "/system.slice/ockham.service"},
    {"0::/a:b\n", "", "/a:b"},
    {"4:memory:/box/7\n0::/\n", "memory", "/box/7"},
    {"4:memory:/box/7\n0::/x\n", "", "/x"},
    {"3:cpu,cpuacct:/c\n2:hugetlb,memory:/m\n", "memory", "/m"},
    {"3:cpu,cpuacct:/c\n", "cpu", "/c"},
    {"3:cpuacct,cpu:/c", "cpu", "/c"}, /* no newline at the end */
    {"3:cpuacct:/c\n", "cpu", NULL},
    {"3:memoryless:/c\n", "memory", NULL},
    {"9:name=systemd:/s\n", "", NULL},
    {"", "memory", NULL},
    {"nonsense\n", "", NULL},
    {"1:memory\n", "memory", NULL},
    {"1:memory:/a-path-of-more-than-thirty-one-bytes\n", "memory", NULL},
};

START_TEST(own_path_is_found)
{
    char path[32] = "untouched";
    bool found = ock_cgroup_parse_path(paths[_i].text, paths[_i].controller, path, sizeof(path));
    ck_assert_msg(found == (paths[_i].path != NULL), "%s", paths[_i].text);
    ck_assert_str_eq(path, found ? paths[_i].path : "untouched");
}
END_TEST

static const struct {
    const char *text, *key;
    unsigned long long count;
} counts[] = {
    {"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill", 3},
    {"low 0\nhigh 5\nmax 17\noom 2\noom_kill 1\noom_group_kill 1\n", "oom_kill", 1},
    {"low 0\nhigh 5\nmax 17\noom 2\noom_kill 1\noom_group_kill 1\n", "oom", 2},
    {"oom_kill_disable 1\nunder_oom 1\n", "oom_kill", 0},
    {"oom_kill 18446744073709551615", "oom_kill", 18446744073709551615ull},
    {"", "oom_kill", 0},
};

START_TEST(count_is_read)
{
    ck_assert_msg(ock_cgroup_parse_count(counts[_i].text, counts[_i].key) == counts[_i].count, "%s",
                  counts[_i].text);
}
END_TEST

/* --- With the kernel --------------------------------------------------------------------------- */

/* ThreadSanitizer takes many times the memory that is asked for. */
#ifdef __has_feature
enum { MEMORY_IS_OURS = !__has_feature(thread_sanitizer) };
#else
enum { MEMORY_IS_OURS = 1 };
#endif

static const size_t limit = 32 * OCK_MIB;
static const size_t large = 128 * OCK_MIB;

static bool opens(struct ock_cgroups *groups)
{
    ock_cgroups_open(groups);
    if (groups->version == 0)
        (void)fprintf(stderr, "not tested: %s\n", groups->why);
    return groups->version > 0;
}

/* In a child: joins the group as a worker does, then does its work; the child's exit code. */
static int run_in(const struct ock_cgroups *groups, const char *name, int (*work)(void))
{
    char procs[OCK_CGROUP_PATH_SIZE + OCK_CGROUP_NAME_SIZE];
    int wait_status;
    ock_cgroup_procs(groups, name, procs);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(procs, O_WRONLY | O_CLOEXEC);
        _exit(fd >= 0 && write(fd, "0", 1) == 1 ? work() : 99);
    }
    ck_assert_int_eq(waitpid(child, &wait_status, 0), child);
    return WIFSIGNALED(wait_status) ? -WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static char file_path[] = OCK_BINARY_DIR "/cgroup-test-XXXXXX";

static int read_file(void)
{
    int fd = open(file_path, O_RDONLY | O_CLOEXEC);
    const char *bytes = mmap(NULL, large, PROT_READ, MAP_SHARED, fd, 0);
    if (fd < 0 || bytes == MAP_FAILED)
        return 98;
    int sum = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < large; i += 4096)
            sum += bytes[i];
    }
    return sum == (int)(2 * large / 4096) ? 0 : 97;
}

static int take_memory(void)
{
    char *bytes = malloc(large);
    if (!bytes)
        return 96;
    for (size_t i = 0; i < large; i += 4096)
        ((volatile char *)bytes)[i] = 1;
    free(bytes);
    return 0;
}

static int be_killed(void)
{
    return raise(SIGKILL);
}

/* A file of ones on the disk, none of it in memory. */
static void write_large_file(void)
{
    static char ones[1 << 20];
    int fd = mkstemp(file_path);
    ck_assert_int_ge(fd, 0);
    memset(ones, 1, sizeof(ones));
    for (size_t i = 0; i < large; i += sizeof(ones))
        ck_assert_int_eq(write(fd, ones, sizeof(ones)), (ssize_t)sizeof(ones));
    ck_assert_int_eq(fsync(fd), 0);
    ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    ck_assert_int_eq(close(fd), 0);
}

START_TEST(mapped_data_may_be_larger_than_the_limit)
{
    struct ock_cgroups groups;
    if (!opens(&groups))
        return;
    write_large_file();
    ck_assert(ock_cgroup_make(&groups, "job_file", limit));
    int code = run_in(&groups, "job_file", read_file);
    (void)unlink(file_path);
    ck_assert_int_eq(code, 0);
    ck_assert_uint_eq(ock_cgroup_oom_kills(&groups, "job_file"), 0);
    ock_cgroup_remove(&groups, "job_file");
    ock_cgroups_close(&groups);
}
END_TEST

START_TEST(memory_beyond_the_limit_ends_its_group_alone)
{
    struct ock_cgroups groups;
    if (!opens(&groups))
        return;
    ck_assert(ock_cgroup_make(&groups, "job_large", limit));
    ck_assert(ock_cgroup_make(&groups, "job_other", 2 * large));
    ck_assert_int_eq(run_in(&groups, "job_large", take_memory), -SIGKILL);
    ck_assert_int_eq(run_in(&groups, "job_other", take_memory), 0);
    ck_assert_uint_ge(ock_cgroup_oom_kills(&groups, "job_large"), 1);
    ck_assert_uint_eq(ock_cgroup_oom_kills(&groups, "job_other"), 0);
    ck_assert_int_eq(run_in(&groups, "job_other", be_killed), -SIGKILL);
    ck_assert_uint_eq(ock_cgroup_oom_kills(&groups, "job_other"), 0); /* a person's signal */
    ock_cgroup_remove(&groups, "job_large");
    ock_cgroup_remove(&groups, "job_other");
    char path[OCK_CGROUP_PATH_SIZE];
    memcpy(path, groups.path, sizeof(path));
    ock_cgroups_close(&groups);
    ck_assert_int_ne(access(path, F_OK), 0);
    ock_cgroups_close(&groups); /* twice is harmless */
}
END_TEST

/* A server that died leaves its groups; one that lives keeps them. */
START_TEST(leftovers_are_removed)
{
    struct ock_cgroups living, groups;
    char left[2 * OCK_CGROUP_PATH_SIZE], kept[OCK_CGROUP_PATH_SIZE];
    int wait_status;
    if (!opens(&living))
        return;
    memcpy(kept, living.path, sizeof(kept));
    pid_t child = fork();
    if (child == 0) {
        ock_cgroups_open(&groups);
        _exit(groups.version > 0 && ock_cgroup_make(&groups, "job_left", limit) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &wait_status, 0), child);
    ck_assert_int_eq(wait_status, 0);
    (void)snprintf(left, sizeof(left), "%.*s%d", (int)(strrchr(kept, '-') - kept) + 1, kept,
                   (int)child);
    child = fork();
    if (child == 0) {
        ock_cgroups_open(&groups);
        ock_cgroups_close(&groups);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &wait_status, 0), child);
    ck_assert_int_ne(access(left, F_OK), 0);
    ck_assert_int_eq(access(kept, F_OK), 0);
    ock_cgroups_close(&living);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cgroups");
    TCase *tcase = tcase_create("cgroups");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, own_path_is_found, 0, (int)(sizeof(paths) / sizeof(paths[0])));
    tcase_add_loop_test(tcase, count_is_read, 0, (int)(sizeof(counts) / sizeof(counts[0])));
    if (MEMORY_IS_OURS) {
        tcase_add_test(tcase, mapped_data_may_be_larger_than_the_limit);
        tcase_add_test(tcase, memory_beyond_the_limit_ends_its_group_alone);
    }
    tcase_add_test(tcase, leftovers_are_removed);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
