/* A group of its own for a worker that may take much memory (cgroup v1 or v2), where one may be made.
 *
 * What it adds to RLIMIT_DATA: it bounds everything (page tables, mapped files, the kernel's part),
 * the kernel ends that worker and nobody else, and its own count says whether it did.
 * Pages of mapped datasets are counted too, but the kernel takes them back at the limit: a dataset
 * larger than the limit is read again and again, it makes no job fail (tests/unit/test_cgroups.c).
 *
 * The worker joins by itself, before it allocates: joining waits for a grace period of the kernel,
 * 10 ms at the median here, which the runner's one thread has not. A job with less memory than
 * OCK_CGROUP_BYTES_MIN has not got them either, and goes without. */
#ifndef OCK_SERVER_CGROUPS_H
#define OCK_SERVER_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/limits.h"

#define OCK_CGROUP_BYTES_MIN (64 * OCK_MIB) /* of the job's plan */

enum { OCK_CGROUP_PATH_SIZE = 4096, OCK_CGROUP_NAME_SIZE = 64 };

/* Immutable once opened. */
struct ock_cgroups {
    int version;                     /* 1 or 2; 0: none can be made */
    int lock_fd;                     /* flock on `path`: whose lock is free, that server is dead */
    char path[OCK_CGROUP_PATH_SIZE]; /* of this server's groups */
    char why[128];                   /* version 0: the reason, as half a sentence */
};

/* Looks for a place and makes this server's directory there; removes what killed servers left. Under
 * v2 this moves the process into a leaf of its own, because a group with processes cannot have
 * groups with limits; only where it is alone and the group is delegated to it. */
void ock_cgroups_open(struct ock_cgroups *groups);
void ock_cgroups_close(struct ock_cgroups *groups); /* all-zero and twice are no-ops */

/* Makes the group NAME with a limit. false: there is none, do without. */
bool ock_cgroup_make(const struct ock_cgroups *groups, const char *name, size_t bytes_max);
/* The file that a worker writes "0" to. */
void ock_cgroup_procs(const struct ock_cgroups *groups, const char *name,
                      char path[OCK_CGROUP_PATH_SIZE + OCK_CGROUP_NAME_SIZE]);
/* How many of its processes the kernel has ended for memory. */
unsigned long long ock_cgroup_oom_kills(const struct ock_cgroups *groups, const char *name);
/* Its processes must have ended. */
void ock_cgroup_remove(const struct ock_cgroups *groups, const char *name);

/* For tests. The path of /proc/self/cgroup's line for a v1 controller, or of v2's for "". */
bool ock_cgroup_parse_path(const char *text, const char *controller, char *path, size_t size);
/* The number behind a key at the beginning of a line; 0 if it is not there. */
unsigned long long ock_cgroup_parse_count(const char *text, const char *key);

#endif
