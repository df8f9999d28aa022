/* Rows of single columns, read in tiles that stay in the cache: the dataset lies row by row, and who
 * describes a column wants it by itself. */
#ifndef OCK_DATA_SCAN_H
#define OCK_DATA_SCAN_H

#include "core/data/dataset.h"
#include "core/data/describe.h"

/* Describes columns of one block: describers[i] (may be NULL: not wanted) is of the column at offset
 * `low + i` of the block, i < count. All are freshly initialised, of the block's key size. Makes as
 * many passes as they need. Of OCK_STORE_F32, F64 or CSR (whose terms are checked first). Errors:
 * CORRUPT. */
enum ock_status ock_scan_numbers(const struct ock_block *block, size_t rows, size_t low,
                                 struct ock_describer *const *describers, size_t count,
                                 struct ock_err *err);

/* counts[i][v] of the byte column at offset low + i; NULL: not wanted. */
void ock_scan_bytes(const struct ock_block *block, size_t rows, size_t low,
                    uint32_t (*const *counts)[256], size_t count);

/* counts[i]: how often the code begin + i occurs, i < span; *missing: how often there is none. */
void ock_scan_codes(const struct ock_block *block, size_t rows, size_t offset, size_t begin,
                    uint32_t *counts, size_t span, size_t *missing);

#endif
