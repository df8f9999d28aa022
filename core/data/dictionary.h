/* The distinct texts of a column, numbered as they come. */
#ifndef OCK_DATA_DICTIONARY_H
#define OCK_DATA_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bump.h"
#include "core/base/room.h"
#include "core/base/status.h"

/* An array that grows: one of the bump allocator's while it is small, later a room of its own. */
struct ock_dictionary_array {
    void *data;
    size_t bytes;
    struct ock_room room;
};

struct ock_dictionary {
    struct ock_dictionary_array texts;  /* NUL-terminated, one after another */
    struct ock_dictionary_array begins; /* uint32_t [capacity / 2]: where each text begins */
    struct ock_dictionary_array table;  /* uint32_t [capacity]: code + 1, 0 is free */
    size_t texts_bytes;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    struct ock_bump *bump; /* borrowed; NULL: small arrays are rooms as well */
};

/* bump: shared by a table's many dictionaries, and has to outlive them; NULL: none. */
void ock_dictionary_init(struct ock_dictionary *dictionary, struct ock_bump *bump);
void ock_dictionary_deinit(struct ock_dictionary *dictionary); /* all-zero: a no-op */

/* The text's code; *added says whether it is new. Errors: NOMEM, LIMIT (a column's texts). */
enum ock_status ock_dictionary_code(struct ock_dictionary *dictionary, const char *text,
                                    size_t size, uint32_t *code, int *added, struct ock_err *err);

/* The text's code, if it has one. */
bool ock_dictionary_find(const struct ock_dictionary *dictionary, const char *text, size_t size,
                         uint32_t *code);

/* values [count]: the texts in order: by value if all are numbers (equal ones become one: "1" and
 * "1.0"), else by bytes. codes [count]: the place in values of each old code. Pointers are borrowed
 * from the dictionary. Returns the number of values. Errors: NOMEM. */
enum ock_status ock_dictionary_sort(const struct ock_dictionary *dictionary, const char **values,
                                    uint32_t *codes, size_t *value_count, struct ock_err *err);

#endif
