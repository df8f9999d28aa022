/* A user's bytes, unpacked on the way if they are packed by gzip or zstd. */
#ifndef OCK_DATA_READER_H
#define OCK_DATA_READER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct ock_reader; /* opaque; one thread at a time */

/* Opens a file, a pipe or a device; what can't be read twice is copied to a nameless file in the
 * folder of scratch_path first. gzip and zstd are found by their first bytes; zip, bzip2 and xz are
 * UNSUPPORTED, by name. Errors: NOTFOUND, IO, NOSPACE, NOMEM, UNSUPPORTED. */
enum ock_status ock_reader_open(struct ock_reader **out, const char *path, const char *scratch_path,
                                struct ock_err *err);
void ock_reader_free(struct ock_reader *reader); /* NULL is a no-op */

/* Reads up to `size` bytes, as many as there are; *got below size only at the end.
 * Errors: IO, INVALID (damaged or cut packing), LIMIT (unpacks to more than a dataset may have, or
 * than bytes_max; zstd with too large a window), NOMEM. */
enum ock_status ock_reader_read(struct ock_reader *reader, void *bytes, size_t size, size_t *got,
                                struct ock_err *err);

/* Back to the first byte. Errors: IO. */
enum ock_status ock_reader_rewind(struct ock_reader *reader, struct ock_err *err);

/* The most bytes that there can be: the file's size; if it is packed OCK_UNPACKED_RATIO_MAX times as
 * many, or OCK_UNPACKED_FREE_BYTES. */
uint64_t ock_reader_bytes_max(const struct ock_reader *reader);

/* Says that `what` ("the data unpack to more bytes") is beyond it: INVALID, of a packed file LIMIT. */
enum ock_status ock_reader_refuse_size(const struct ock_reader *reader, const char *what,
                                       struct ock_err *err);

#endif
