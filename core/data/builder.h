/* Makes a dataset file: space is taken first, the importer fills the blocks in place, names and
 * statistics come last. Or, where the rows are not known before they are read, the blocks are written
 * one after another. The file appears under its name whole or not at all. */
#ifndef OCK_DATA_BUILDER_H
#define OCK_DATA_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/data/dataset.h"
#include "core/data/format.h"
#include "core/data/stats.h"

/* A block to be filled: [rows, width] elements. Width 0 is left out of the file's arithmetic. */
struct ock_build_block {
    enum ock_storage storage;
    size_t width;
    size_t terms;        /* of CSR */
    unsigned char *data; /* set by open: writable, zeroed, 64-byte aligned */
};

/* Is a category a boolean? */
enum ock_build_boolean { OCK_BOOLEAN_FOUND, OCK_BOOLEAN_YES, OCK_BOOLEAN_NO };

/* A column as the importer knows it at the end. Everything is borrowed. */
struct ock_build_column {
    const char *name;
    enum ock_column_type type;
    size_t block, offset;
    const struct ock_stats *stats; /* of a category: only `missing` counts */
    const uint64_t *bitmap;        /* bytes: [OCK_BITMAP_WORDS] values that occur */
    const char *const *values;     /* categories: [value_count], in code order */
    size_t value_count;
    enum ock_build_boolean boolean; /* FOUND: by its values, as true and false, yes and no */
};

struct ock_build_schema {
    enum ock_file_format format;
    size_t column_count;
    const struct ock_build_column *columns; /* [column_count] */
    size_t target;                          /* SIZE_MAX: none */
    size_t shape_count;
    size_t shape[4];
    bool has_labels;
    const char *missing; /* words for missing values, between commas; NULL: the usual ones */
};

struct ock_builder {
    struct ock_newfile file;
    int fd;                /* for mapping and the tail; -1: closed */
    unsigned char *map;    /* NULL: the blocks are appended */
    size_t map_bytes;      /* header and blocks */
    size_t end;            /* of what is written */
    size_t synced;         /* of it, bytes that the disk was told of */
    struct ock_sha256 sha; /* of what was appended */
    size_t rows;
    size_t block_count;
    struct ock_file_block blocks[OCK_FILE_BLOCKS_MAX];
};

/* Creates the file and takes its space on the disk. blocks [block_count] get their data pointers.
 * After OK it must be ended by finish or discard. Errors: LIMIT, IO, NOSPACE. */
enum ock_status ock_builder_open(struct ock_builder *builder, const char *path, size_t rows,
                                 struct ock_build_block *blocks, size_t block_count,
                                 struct ock_err *err);

/* Creates the file for blocks that are appended. After OK it must be ended by finish or discard.
 * Errors: LIMIT, IO, NOSPACE. */
enum ock_status ock_builder_start(struct ock_builder *builder, const char *path,
                                  struct ock_err *err);
/* The block that is appended from here on. Errors: as append. */
enum ock_status ock_builder_begin_block(struct ock_builder *builder, enum ock_storage storage,
                                        size_t width, struct ock_err *err);
/* Whole rows of it, one after another. Errors: LIMIT, IO, NOSPACE. */
enum ock_status ock_builder_append(struct ock_builder *builder, const void *bytes, size_t size,
                                   struct ock_err *err);
/* Behind the last block: how many rows each has. Errors: as append. */
enum ock_status ock_builder_end_blocks(struct ock_builder *builder, size_t rows,
                                       struct ock_err *err);

/* What finish does at last. Errors: IO, NOSPACE. */
enum ock_status ock_builder_write_header(struct ock_builder *builder,
                                         const struct ock_file_header *header, struct ock_err *err);

/* Writes names, statistics, values and the checksum, and lets the file appear. The builder is ended
 * in any case. Errors: LIMIT, NOMEM, IO, NOSPACE. */
enum ock_status ock_builder_finish(struct ock_builder *builder,
                                   const struct ock_build_schema *schema, struct ock_err *err);
void ock_builder_discard(struct ock_builder *builder); /* after finish or twice: a no-op */

#endif
