/* The distinct texts of a column, numbered as they come. */
#ifndef OCK_DATA_DICTIONARY_H
#define OCK_DATA_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/status.h"

struct ock_dictionary {
    struct ock_buf texts; /* NUL-terminated, one after another */
    uint64_t *begins;     /* owned, [capacity / 2]: where each text begins */
    uint32_t *table;      /* owned, [capacity]: code + 1, 0 is free */
    size_t capacity;      /* a power of two, or 0 */
    size_t count;
};

void ock_dictionary_init(struct ock_dictionary *dictionary);
void ock_dictionary_deinit(struct ock_dictionary *dictionary); /* all-zero: a no-op */

/* The text's code; *added says whether it is new. Errors: NOMEM, LIMIT (a column's texts). */
enum ock_status ock_dictionary_code(struct ock_dictionary *dictionary, const char *text,
                                    size_t size, uint32_t *code, int *added, struct ock_err *err);

/* values [count]: the texts in order: by value if all are numbers (equal ones become one: "1" and
 * "1.0"), else by bytes. codes [count]: the place in values of each old code. Pointers are borrowed
 * from the dictionary. Returns the number of values. Errors: NOMEM. */
enum ock_status ock_dictionary_sort(const struct ock_dictionary *dictionary, const char **values,
                                    uint32_t *codes, size_t *value_count, struct ock_err *err);

#endif
