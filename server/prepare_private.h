/* What the files that prepare jobs share. */
#ifndef OCK_SERVER_PREPARE_PRIVATE_H
#define OCK_SERVER_PREPARE_PRIVATE_H

#include "server/prepare.h"

void ock_prepared_init(struct ock_prepared *prepared, struct ock_engine *engine, bool may_wait);
/* Finds the dataset's row; what is wrong with it becomes a fault at the pointer. */
enum ock_status ock_prepare_find_dataset(struct ock_prepared *prepared, enum ock_role role,
                                         const char *name, const char *pointer,
                                         struct ock_faults *faults, struct ock_err *err);
/* What only the data can tell, and the sizes. On false, problem is set. */
bool ock_prepare_complete(struct ock_prepared *prepared, struct ock_problem *problem,
                          struct ock_err *err);

#endif
