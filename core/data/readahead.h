/* Rows of data that do not fit into memory, asked for before they are read: many reads are under way
 * at once, of single pages, where page faults would wait for one after another. Nothing is changed by
 * it but the time that the same bits take. */
#ifndef OCK_DATA_READAHEAD_H
#define OCK_DATA_READAHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ock_source;

/* Whether the source reads from a file that is scattered (dataset.h). */
bool ock_source_is_scattered(const struct ock_source *source);

/* Asks for the pages of these rows and does not wait; of a source that is not scattered, nothing. */
void ock_source_read_ahead(const struct ock_source *source, const uint32_t *rows, size_t count);

#endif
