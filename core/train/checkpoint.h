/* Checkpoints: everything that is needed to go on to the same bits.
 *
 * The file: a fixed header (magic, version, numerics, the spec's hash, the data's sha256, sizes),
 * struct ock_progress, the state vectors, the last good state and the best weights, the event lines
 * that were not confirmed, and a SHA-256 of all that. Written under a temporary name, synced,
 * renamed, the directory synced; the one before stays as "<path>.previous", and is used when the
 * newest is damaged or cannot be read. Scaler and split are not in it: they follow from spec and data to the bit. */
#ifndef OCK_TRAIN_CHECKPOINT_H
#define OCK_TRAIN_CHECKPOINT_H

#include <stdbool.h>

#include "core/train/trainer.h"

/* Where a trainer's checkpoints go and how often. */
struct ock_checkpoint_plan {
    const char *path; /* NULL: none are written */
    char spec_hash[65];
    char data_sha256[65];
    bool sound;    /* what stands at path was written or read by this run */
    double last_s; /* clock of the last one, or of the start */
    double cost_s; /* what it took */
};

/* Writes one now and sends the event `checkpoint` {"epoch", "step", "bytes"}.
 * Errors: IO, NOSPACE, NOMEM, and the event hook's. */
enum ock_status ock_checkpoint_write(struct ock_trainer *trainer, struct ock_err *err);

/* Writes one when it is wanted, or due: the last is 2 s old, and all of them take at most 2 % of
 * the time. A no-op without a path, or when the spec asks for checkpoints by epochs. */
enum ock_status ock_checkpoint_if_due(struct ock_trainer *trainer, bool wanted,
                                      struct ock_err *err);

/* Brings a trainer to where the newest sound checkpoint stood; *found tells whether there was one.
 * A damaged, foreign or unreadable file is passed over (the reason goes to `note`, as a sentence, "" if none).
 * The restore hook gets the event lines. Errors: NOMEM, IO, and the hook's. */
enum ock_status ock_checkpoint_resume(struct ock_trainer *trainer, bool *found,
                                      char note[OCK_ERR_TEXT_SIZE], struct ock_err *err);

#endif
