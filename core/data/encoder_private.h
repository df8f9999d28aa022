/* What encoder.c and encoder_fit.c share. */
#ifndef OCK_DATA_ENCODER_PRIVATE_H
#define OCK_DATA_ENCODER_PRIVATE_H

#include "core/data/encoder.h"

/* An encoder of its own of columns [count], whose features are not placed yet. Texts are copied.
 * Errors: LIMIT, NOMEM. */
enum ock_status ock_encoder_make(struct ock_encoder *out, const struct ock_encoding *columns,
                                 size_t count, struct ock_err *err);

#endif
