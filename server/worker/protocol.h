/* How a server (or `ockham train`) and a worker talk. This comment is the protocol.
 *
 * Start. `ockham-worker train DIR`, `import DIR` or `predict DIR`; DIR is the job's directory, made
 * by the parent, and holds job.json, import.json or predict.json (below). The parent opens the worker's
 * executable once at start and spawns /proc/self/fd/N. The worker's stdin takes commands, its
 * stdout carries events (the worker moves it to another descriptor at once and points 1 at 2), its
 * stderr is free text for the log. The worker holds flock(DIR/lock); a successor waits up to 2 s.
 *
 * job.json    {"job": "job_…", "spec": {…as sent, without inline…}, "train": PATH,
 *              "validation": PATH|null, "test": PATH|null, "init": PATH|null,
 *              "told_step": N (of the last stored epoch; 0: none), "threads": N,
 *              "data_bytes_max": N (RLIMIT_DATA; 0: none),
 *              "memory_bytes": N (what there is for the datasets' pages),
 *              "cgroup": PATH|null (the cgroup.procs of the group to join before anything large)}
 *             Checkpoint and models are DIR/checkpoint, DIR/best.safetensors, DIR/last.safetensors.
 * import.json {"source": PATH, "labels": PATH|null, "out": PATH, "target": TEXT|null,
 *              "format": "auto"|"csv"|"npy"|"idx", "delimiter": TEXT|null, "header": true|false|null,
 *              "types": TEXT|null, "missing": TEXT|null (both as in ?types= and ?missing=),
 *              "data_bytes_max": N, "threads": N}
 *             The answer is one line on stdout: "ok\n", or "invalid TEXT\n", "limit TEXT\n",
 *             "no_space TEXT\n", … (ock_status_name), and exit code 0.
 * predict.json {"model": PATH, "source": PATH, "json": BOOL (else a table), "svmlight": BOOL (that
 *              it is one; else found), "out": PATH,
 *              "format": "json"|"ndjson"|"csv", "delimiter": TEXT|null, "header": BOOL|null,
 *              "job": TEXT|null, "which": TEXT|null, "model_sha256": TEXT|null, "threads": N,
 *              "rows_max": N, "values_max": N (rows times columns), "bytes_max": N (of the answer;
 *              0: none), "data_bytes_max": N}
 *             The answer is as an import's, "model " in front of it where the fault is in the
 *             model's file, or "faults [{…}, …]\n" (core/base/faults.h); the predictions stand
 *             in "out".
 * summary     `ockham-worker summary FILE,FIRST` needs no directory: the columns of a dataset file
 *             from the position FIRST on are described (core/data/summary.h). The answer is a line
 *             for the target, one for each column, and "ok\n"; or "corrupt TEXT\n", …
 *
 * Events, worker to parent, one line each, at most OCK_EVENT_BYTES_MAX:
 *     N TYPE KEY BODY\n        KEY is "-" for what is not stored; BODY is a JSON object
 * N counts the worker's lines from 1. Half a line at end of file is discarded.
 * TYPE is of core/train/job.h. Two are not events for users: the body of "resolved" is the resolved
 * spec once lr is found; a "document", KEY "document:NAME" (lower case letters and '_'), has a body of
 * at most OCK_DOCUMENT_BYTES_MAX, which is kept under its name, in place of an earlier one. It comes
 * before "end".
 *
 * Commands, parent to worker, one line each:
 *     confirm N\n    all lines up to N are stored
 *     pause\n        checkpoint and exit with OCK_WORKER_PAUSED
 *     stop\n         end now, keep the best; a run that comes after a crash first tells again all that
 *                    was told, up to told_step: no epoch is stored whole and told cut short
 *     checkpoint\n   write one and go on
 * End of file: the parent is gone; checkpoint, exit OCK_WORKER_ORPHANED, within 2 s in any case.
 * A pause or an end of file is obeyed after the minibatch at work, between blocks of rows that are
 * measured, and in the search for a learning rate; a stop after a minibatch or an epoch.
 *
 * Exit codes: 0 after "end" was written (whatever status it tells); those below: paused, orphaned,
 * no room on the disk for a checkpoint or a model (the last checkpoint stands); 1 with a sentence on
 * stderr for everything else; a signal is a crash. Who runs out
 * of memory says so in "end", or, when there is none left for that, by NO_MEMORY and a sentence. */
#ifndef OCK_SERVER_WORKER_PROTOCOL_H
#define OCK_SERVER_WORKER_PROTOCOL_H

#include <stddef.h>

enum {
    OCK_WORKER_ENDED = 0,
    OCK_WORKER_FAILED = 1,
    OCK_WORKER_PAUSED = 10,
    OCK_WORKER_ORPHANED = 11,
    OCK_WORKER_NO_SPACE = 12,
    OCK_WORKER_NO_MEMORY = 13,
};

/* A line's maximum: what is stored is bound by OCK_EVENT_BYTES_MAX, a document by
 * OCK_DOCUMENT_BYTES_MAX, "resolved" (which lists every feature) by this. */
#define OCK_WORKER_LINE_BYTES_MAX ((size_t)32 << 20)

#endif
