/* One job from its resolved files to its end: what the worker runs, with or without a server.
 *
 * Everything that goes out is an event: a type, a key and a JSON object. The key names what is told
 * ("epoch:3", "log:lr", "warning:rollback:1", "end"), the same whenever the same thing is told
 * again after a crash, so that a store can refuse a second telling (and compare an epoch's
 * weights_sha256 with the first). */
#ifndef OCK_TRAIN_JOB_H
#define OCK_TRAIN_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/status.h"
#include "core/train/spec.h"

struct ock_event {
    const char *type; /* "epoch", "warning", "log", "checkpoint", "progress", "resolved",
                       * "document", "end" */
    const char *key;  /* unique within the job; "" for what is not stored (progress, checkpoint) */
    const char *body; /* a JSON object without type, job, seq and time */
};

enum ock_command {
    OCK_GO_ON = 0,
    OCK_COMMAND_PAUSE,      /* write a checkpoint, return with outcome paused */
    OCK_COMMAND_STOP,       /* end now as succeeded (stopped); the model keeps best and last */
    OCK_COMMAND_CHECKPOINT, /* write a checkpoint and go on */
};

/* Callbacks from the training thread; all may be NULL but event. The threads of a search call poll and
 * peek side by side, the others one at a time. */
struct ock_job_hooks {
    void *ctx;
    /* Delivers an event; may wait (then training waits). An error ends the job's run. */
    enum ock_status (*event)(void *ctx, const struct ock_event *event, struct ock_err *err);
    /* Asked after every minibatch; must be cheap (an atomic load). A command is told once. */
    enum ock_command (*poll)(void *ctx);
    /* What poll would say, not taken: asked before every block of rows that is measured and every
     * step of the search for a learning rate, where a pause can be obeyed and nothing else. */
    enum ock_command (*peek)(void *ctx);
    /* Appends the event lines that are not confirmed yet; the checkpoint carries these bytes. */
    void (*pending)(void *ctx, struct ock_buf *out);
    /* Before the first event of a resumed run: the bytes that the checkpoint carried. */
    enum ock_status (*restore)(void *ctx, const char *bytes, size_t size, struct ock_err *err);
};

struct ock_job {
    struct ock_spec *spec;  /* parsed, borrowed; the run resolves it and writes the lr it finds */
    const char *train_path; /* dataset files; validation and test NULL unless the spec names them */
    const char *validation_path;
    const char *test_path;
    const char *init_path;       /* safetensors with the starting weights, NULL: none */
    const char *checkpoint_path; /* written and, if it is there, resumed from; NULL: neither */
    const char *best_path;       /* safetensors to write; NULL: don't */
    const char *last_path;
    size_t memory_bytes; /* for the datasets' pages; 0: enough. Nothing but speed depends on it */
    uint64_t told_step;  /* of the last epoch that an earlier run told; a stop waits for it */
    uint32_t threads;    /* decided by the scheduler; 0: by the spec, else auto */
    const char *kernels; /* family, NULL: the best */
    size_t tile_rows;    /* 0: the plan's own; tests cut the work otherwise */
};

enum ock_outcome { OCK_SUCCEEDED = 0, OCK_FAILED, OCK_PAUSED };

/* Runs the job: opens data, resolves, plans, resumes from the checkpoint if there is a good one of
 * the same spec, trains, writes models, sends "end" last (not when paused).
 * "end" is {"status": "succeeded" | "failed", "stop_reason", "best", "latest", "test", "model":
 * {"bytes", "sha256"}, "state_sha256", "error": problem object or null}.
 * A failure of the job itself (nonfinite, data, memory) is an "end" with status failed and
 * *outcome OCK_FAILED: the return is OCK_OK. Anything else (the event hook's error, an unreadable
 * dataset file) is returned. */
enum ock_status ock_job_run(const struct ock_job *job, const struct ock_job_hooks *hooks,
                            enum ock_outcome *outcome, struct ock_err *err);

#endif
