/* Models without what nothing reads, made when somebody asks for one (core/export/prune.h).
 *
 * The stored file is mapped and read twice, once to find what can go and once to write what stays: a
 * small one into memory, a larger one into a file without a name in the data directory. Neither takes
 * memory that grows with the model. */
#ifndef OCK_SERVER_PRUNED_H
#define OCK_SERVER_PRUNED_H

#include "server/engine.h"

/* Puts the pruned model in the stored one's place, whose bytes or descriptor it takes or drops; a
 * model of which nothing can go stays. The file's name says "-pruned" in any case. sha256 stays that of
 * the stored model. False with the problem, *model as it was: 503 too many at once, 507. */
bool ock_engine_prune_model(struct ock_engine *engine, struct ock_model *model,
                            struct ock_problem *problem);

#endif
