/* Arrays of numbers in a file: what IDX and NPY share once their headers are read. */
#ifndef OCK_DATA_ARRAY_H
#define OCK_DATA_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/room.h"
#include "core/base/status.h"
#include "core/data/builder.h"
#include "core/data/format.h"
#include "core/data/import.h"
#include "core/data/reader.h"
#include "core/data/stats.h"

enum { OCK_ARRAY_RANK_MAX = 5, OCK_ARRAY_BLOCKS_MAX = 4, OCK_ARRAY_ROOMS_MAX = 5 };

enum ock_element {
    OCK_ELEMENT_BYTE, /* unsigned; kept as a byte */
    OCK_ELEMENT_UNSIGNED,
    OCK_ELEMENT_SIGNED,
    OCK_ELEMENT_FLOAT, /* IEEE 754, of 2, 4 or 8 bytes */
};

struct ock_array {
    const char *what;    /* "x" or "labels", for errors */
    const char *scratch; /* path of the file that is made, for rooms beside it */
    struct ock_reader *reader;
    /* The header's: */
    enum ock_file_format file_format;
    const char *format; /* "IDX" or "NPY", for errors */
    enum ock_element element;
    size_t element_bytes; /* 1, 2, 4 or 8 */
    bool big_endian;
    bool fortran; /* the first index runs fastest */
    size_t rank;
    size_t shape_at; /* the byte where the header tells them */
    size_t dimensions[OCK_ARRAY_RANK_MAX];
    size_t rows, width; /* dimensions[0] and the product of the others */
    size_t header_bytes;
    /* What the passes over the elements learn of each column: */
    struct ock_stats *stats;                    /* [width] */
    uint64_t (*bitmaps)[OCK_BITMAP_WORDS];      /* [width]; bytes only */
    uint64_t *sums;                             /* [width]; bytes only */
    uint32_t *blocks, *offsets;                 /* [width] each */
    struct ock_room rooms[OCK_ARRAY_ROOMS_MAX]; /* of these */
    size_t room_count;
};

/* A format's header, from the first byte on: fills in everything up to header_bytes.
 * Errors: INVALID, UNSUPPORTED, LIMIT, IO, NOMEM. */
enum ock_status ock_idx_header(struct ock_array *array, struct ock_err *err);
enum ock_status ock_npy_header(struct ock_array *array, struct ock_err *err);

/* Exactly `size` bytes, which begin at byte `at` of the file. Errors: INVALID (it ends), IO. */
enum ock_status ock_array_read(const struct ock_array *array, void *bytes, size_t size, size_t at,
                               struct ock_err *err);

/* The next dimension, whose number stands at byte `at`. Errors: INVALID (zero), LIMIT. */
enum ock_status ock_array_add_dimension(struct ock_array *array, uint64_t dimension, size_t at,
                                        struct ock_err *err);

/* Reads the header and makes room for what is learnt of the columns. A file that is too short for
 * its header is refused before anything is allocated for it. Ends with deinit in any case. */
enum ock_status ock_array_open(struct ock_array *array, enum ock_format format,
                               struct ock_err *err);
void ock_array_deinit(struct ock_array *array);

/* Passes over the elements: gives each column its block, then fills the blocks.
 * Errors: INVALID (the file ends, an infinite number), IO, NOMEM. */
enum ock_status ock_array_lay_out(struct ock_array *array, size_t distinct_max,
                                  struct ock_build_block *blocks, size_t *count,
                                  struct ock_err *err);
enum ock_status ock_array_fill(struct ock_array *array, struct ock_build_block *blocks,
                               struct ock_err *err);

#endif
