/* What the runner's files share. All of it belongs to the runner's thread, but where it says so. */
#ifndef OCK_SERVER_RUNNER_PRIVATE_H
#define OCK_SERVER_RUNNER_PRIVATE_H

#include "server/runner.h"
#include "server/scheduler.h"
#include "server/worker_process.h"

struct ock_live;

enum { OCK_LIVE_BUCKETS = 4096 };

/* What epoll hands back. */
enum ock_source_kind { OCK_SOURCE_MAILBOX, OCK_SOURCE_OUT, OCK_SOURCE_ERR, OCK_SOURCE_PID };
struct ock_watch {
    enum ock_source_kind kind;
    struct ock_live *live;
};

/* A job that has not ended. */
struct ock_live {
    int64_t number;
    char id[OCK_ID_SIZE];
    enum ock_job_status status;
    enum ock_want want;
    int priority;
    bool was_started, has_init;
    bool held;             /* set aside for want of room; goes on by itself (runner_hold.c) */
    uint32_t holds;        /* how often in a row without getting further */
    int64_t held_until_ms; /* monotonic; not started again before that */
    char dataset[OCK_ID_SIZE], validation[OCK_ID_SIZE], test[OCK_ID_SIZE]; /* "": none */
    struct ock_need need; /* 0 bytes: not known yet (runner_plan.c) */
    bool plan_again;      /* its data may be there now */
    int64_t plan_not_before_ms;
    uint32_t plan_failures; /* in a row */
    int64_t not_before_ms;  /* monotonic; 0: at once */
    int64_t queued_ms;      /* monotonic: since when it waits */
    /* While it runs. */
    struct ock_worker worker;
    struct ock_watch out_watch, err_watch, pid_watch;
    bool has_worker, out_open, out_paused, err_open;
    bool is_told;        /* its `running` is stored: progress may be shown */
    bool ending;         /* the worker told its end, or the job is being ended here */
    bool burying;        /* the store decides what follows from the worker's death */
    bool killed_for_end; /* SIGKILL was ours */
    uint32_t cores;      /* taken from the budget */
    size_t memory_bytes;
    bool has_cgroup;              /* named like the job */
    unsigned long long oom_kills; /* of the machine when it started, without a cgroup */
    size_t inflight_bytes;        /* posted, not committed */
    struct ock_told told;         /* for the meters */
    struct ock_live *next_in_bucket;
    /* The end of life: freed when it has ended, no worker is there and no post is out. */
    unsigned posts;
    struct ock_act *acts; /* are answered when no post is out */
    bool ended;
    bool aside; /* the store cannot take its news any more: it is dropped as it is */
    struct ock_live *prev, *next;
};

struct ock_letter {
    void (*open)(struct ock_runner *runner, struct ock_letter *letter);
    struct ock_letter *next;
};

/* letters, last_letter → mutex; abandons, usage_* → atomic; all else → the runner's thread. */
struct ock_runner {
    struct ock_engine *engine;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    struct ock_letter *letters, *last_letter;
    int epoll_fd, event_fd;
    struct ock_watch mailbox_watch;
    struct ock_live *lives;
    struct ock_live *buckets[OCK_LIVE_BUCKETS]; /* the same by id */
    struct ock_live **waiting;                  /* by priority, then age */
    size_t waiting_count, waiting_capacity;
    size_t delayed; /* of those, how many have a not_before_ms */
    size_t pidless; /* workers without a pidfd */
    size_t running, posts;
    uint32_t cores_used;
    size_t memory_used;
    int64_t again_ms;            /* monotonic: when somebody's patience ends; 0: nobody's */
    bool plans_due;              /* some job has plan_again */
    bool is_planning;            /* an errand is out */
    struct ock_letter *unstored; /* ends that wait to be tried again */
    atomic_bool abandons;        /* closing: what is large and not stored yet is left */
    bool closing;
    int64_t deadline_ms;
    int64_t disk_look_ms; /* the next look at the disk */
    atomic_uint usage_cores;
    atomic_size_t usage_memory, usage_running;
};

/* A handler that waits for an answer, but not for ever: the one who leaves last frees it. */
struct ock_act {
    struct ock_letter letter;
    char id[OCK_ID_SIZE];
    char action[16];
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t told;
    bool is_done, is_left;
    int http_when_stored; /* the runner's, as is next */
    struct ock_act *next;
    int http_status; /* 200, 202; else the problem's */
    const char *why; /* of 404 and 409, static */
};
/* The runner's side; the act must not be touched after it. */
void ock_act_tell(struct ock_act *act, int http_status, const char *why);

/* A write of the runner's and the letter that tells of its commit. */
enum ock_post_kind {
    OCK_POST_CHANGE,
    OCK_POST_WANT,
    OCK_POST_DEATH,
    OCK_POST_EVENTS,
    OCK_POST_END
};
struct ock_post {
    struct ock_write write;
    struct ock_letter letter;
    struct ock_errand errand; /* OCK_POST_END begins there */
    struct ock_runner *runner;
    struct ock_live *live;
    struct ock_act *act; /* NULL: nobody waits */
    enum ock_post_kind kind;
    enum ock_status status;
    struct ock_job_change change;
    struct ock_job_death death;
    char reason[320];   /* what change.reason and death.reason point to */
    bool out_of_memory; /* death: the kernel ended a process for memory in the meantime */
    /* events */
    struct ock_event_batch batch;
    struct ock_event_line *lines; /* owned */
    struct ock_buf text;          /* what the lines point to; or the end's body */
    uint64_t last_number;
    size_t bytes;
    /* end */
    struct ock_job_end end;
    char stop_reason[40];
    char *error; /* owned */
    struct ock_model_bytes models[2];
    struct ock_buf blobs[2];
    char model_sha256[65]; /* that the worker told; "": it has no model */
    bool is_large;         /* its errand runs on the large ones' thread */
    bool rewrite;          /* a sync of a model has failed */
    unsigned tries;
    int64_t again_ms;                                                   /* monotonic */
    void (*open)(struct ock_runner *runner, struct ock_letter *letter); /* its letter's own */
};

/* Allocates zeroed memory; waits until there is some. The runner cannot forget what it must do. */
void *ock_patient_calloc(size_t size);

void ock_runner_post_letter(struct ock_runner *runner, struct ock_letter *letter); /* any thread */
int64_t ock_monotonic_ms(void);

/* runner_post.c: makes and posts writes. */
void ock_post_change(struct ock_runner *runner, struct ock_live *live, enum ock_job_status status,
                     const char *reason, struct ock_act *act, bool more_attempt, bool begins);
void ock_post_want(struct ock_runner *runner, struct ock_live *live, struct ock_act *act);
/* Paused, with a warning that says why and what follows. */
void ock_post_hold(struct ock_runner *runner, struct ock_live *live);
void ock_post_death(struct ock_runner *runner, struct ock_live *live, const char *reason,
                    bool out_of_memory);
struct ock_ending {
    enum ock_job_status status;
    const char *stop_reason; /* copied; NULL: in text */
    char *error;             /* a problem object, taken; NULL: none, or in text */
    struct ock_buf text;     /* what the worker said, taken; no data: it said nothing */
    struct ock_act *act;     /* NULL: nobody waits */
};
void ock_post_end(struct ock_runner *runner, struct ock_live *live,
                  const struct ock_ending *ending);
/* Failed: its worker had no memory, and would have none again. */
void ock_post_out_of_memory(struct ock_runner *runner, struct ock_live *live, const char *detail);
void ock_post_cancelled(struct ock_runner *runner, struct ock_live *live, struct ock_act *act);
void ock_post_events(struct ock_runner *runner, struct ock_live *live, struct ock_post *post);

/* runner_end.c */
void ock_end_run(struct ock_errand *errand); /* of an OCK_POST_END; on an errand thread */
/* Tries ends again that could not be stored, when it is time; at every turn. */
void ock_runner_store_ends(struct ock_runner *runner);
void ock_runner_drop_ends(struct ock_runner *runner); /* after the store was closed */

/* runner_worker.c */
enum ock_status ock_live_start(struct ock_runner *runner, struct ock_live *live, uint32_t threads,
                               struct ock_err *err);
void ock_live_read(struct ock_runner *runner, struct ock_live *live);
void ock_live_reap(struct ock_runner *runner, struct ock_live *live);
void ock_live_resume_reading(struct ock_runner *runner, struct ock_live *live);

/* runner.c */
struct ock_live *ock_runner_find(struct ock_runner *runner, const char *id);
void ock_runner_link(struct ock_runner *runner, struct ock_live *live); /* into the list */
/* Starts the next job, if one may start. */
bool ock_runner_start_one(struct ock_runner *runner);
void ock_runner_enqueue(struct ock_runner *runner, struct ock_live *live);
void ock_runner_dequeue(struct ock_runner *runner, struct ock_live *live); /* if it waits */
void ock_runner_release(struct ock_runner *runner, struct ock_live *live); /* its budget */
void ock_runner_drop_if_over(struct ock_runner *runner, struct ock_live *live);
/* The worker is gone and the job has not ended: what comes next. */
void ock_runner_after_exit(struct ock_runner *runner, struct ock_live *live, int wait_status);

/* runner_hold.c: jobs on a full disk. */
/* Once a second: sets running jobs aside when the disk is low, and goes on with them when it is not.
 */
void ock_runner_watch_disk(struct ock_runner *runner);
/* A job's worker has left because of the disk: paused, with a warning. */
void ock_runner_hold(struct ock_runner *runner, struct ock_live *live);
/* It is a person's again: it does not go on by itself. */
void ock_live_unhold(struct ock_live *live);

/* runner_plan.c */
void ock_runner_plan(struct ock_runner *runner, struct ock_live *live); /* if it has none */
void ock_runner_make_plans(struct ock_runner *runner); /* that are due; at every turn */

/* runner_act.c */
void ock_live_tell_acts(struct ock_live *live); /* those that wait until all posts are stored */
void ock_runner_open_act(struct ock_runner *runner, struct ock_letter *letter);

#endif
