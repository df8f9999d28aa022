/* What this process may use: the affinity mask and the cgroup's limits, not the machine's size. */
#ifndef OCK_SERVER_RESOURCES_H
#define OCK_SERVER_RESOURCES_H

#include <stddef.h>

unsigned ock_cores_available(void);     /* at least 1 */
size_t ock_memory_available(void);      /* bytes; the cgroup's limit or the machine's memory */
unsigned long long ock_oom_kills(void); /* the kernel's count, 0 if it is not told */

/* For tests: the cores of a "cpu.max" text ("150000 100000" is 1, "max 100000" is 0: no limit). */
unsigned ock_parse_cpu_max(const char *text);

#endif
