/* The dataset file's layout, shared by the one writer (builder.c) and the one reader (dataset.c).
 *
 * header | blocks, each at a multiple of 64 bytes | column records | texts
 * All integers are little-endian as they lie in memory; texts are NUL-terminated UTF-8, one after
 * another. The records are binary so that opening a file costs a walk over its columns, whatever
 * the number of names and values, and no parser. */
#ifndef OCK_DATA_FORMAT_H
#define OCK_DATA_FORMAT_H

#include <assert.h>
#include <stdint.h>

#include "core/data/dataset.h"

#define OCK_FILE_MAGIC "OCKDS" /* with its NUL: six bytes */

enum {
    OCK_FILE_VERSION = 1,
    OCK_FILE_BYTE_ORDER = 0x01020304,
    OCK_FILE_BLOCKS_MAX = 8,
    OCK_FILE_ALIGNMENT = 64,
    OCK_FILE_HEADER_BYTES = 512,
    OCK_FILE_RECORD_BYTES = 128,
    OCK_BITMAP_WORDS = 4, /* 256 bits: the byte values that occur in a column */
};

enum { OCK_FILE_HAS_LABELS = 1 };                      /* header flags */
enum { OCK_RECORD_WHOLE = 1, OCK_RECORD_BOOLEAN = 2 }; /* record flags */
enum ock_file_format {
    OCK_FILE_CSV = 0,
    OCK_FILE_IDX,
    OCK_FILE_INLINE,
    OCK_FILE_NPY,
    OCK_FILE_SVMLIGHT,
    OCK_FILE_FORMATS
};

struct ock_file_block {
    uint32_t storage; /* enum ock_storage */
    uint32_t zero;
    uint64_t width; /* columns */
    uint64_t at;    /* byte in the file */
};

struct ock_file_header {
    char magic[6];
    uint16_t version;
    uint32_t byte_order;
    uint32_t block_count;
    uint64_t file_bytes;
    uint64_t rows;
    uint64_t columns;
    uint64_t target; /* UINT64_MAX: none */
    uint32_t format; /* enum ock_file_format */
    uint32_t flags;
    uint64_t shape_count;
    uint64_t shape[4];
    uint64_t records_at;
    uint64_t texts_at;
    uint64_t texts_bytes;
    struct ock_file_block blocks[OCK_FILE_BLOCKS_MAX];
    char sha256[72]; /* hex and NUL: of all after the header, then of the header with this zero */
    uint64_t missing_at; /* of the words for missing values, among the texts; 0: the usual ones */
    char reserved[120];
};
static_assert(sizeof(struct ock_file_header) == OCK_FILE_HEADER_BYTES, "the header has no holes");

struct ock_file_record {
    uint64_t name; /* offset into the texts */
    uint32_t type; /* enum ock_column_type */
    uint32_t flags;
    uint64_t block;
    uint64_t offset;
    uint64_t missing;
    double min, max, mean;
    uint64_t value_count;
    uint64_t values; /* offset of the first text; the others follow it. Unused for bytes */
    uint64_t bitmap[OCK_BITMAP_WORDS]; /* bytes: bit v is set if the value v occurs */
    uint64_t reserved[2];
};
static_assert(sizeof(struct ock_file_record) == OCK_FILE_RECORD_BYTES, "the record has no holes");

static inline uint64_t ock_file_aligned(uint64_t bytes)
{
    return (bytes + OCK_FILE_ALIGNMENT - 1) / OCK_FILE_ALIGNMENT * OCK_FILE_ALIGNMENT;
}

/* A CSR block: uint64 begins [rows + 1], uint32 indices and float32 values [terms], each part at a
 * multiple of 64 bytes. begins[rows] is the number of terms. */
struct ock_csr_layout {
    uint64_t index_at, value_at, bytes; /* from the block's first byte on */
};

/* rows < 2^32, terms < 2^56. */
static inline struct ock_csr_layout ock_csr_layout_of(uint64_t rows, uint64_t terms)
{
    struct ock_csr_layout layout = {.index_at = ock_file_aligned((rows + 1) * sizeof(uint64_t))};
    layout.value_at = layout.index_at + ock_file_aligned(terms * sizeof(uint32_t));
    layout.bytes = layout.value_at + terms * sizeof(float);
    return layout;
}

/* Bytes of one element; 0 of CSR, which has none. */
static inline size_t ock_storage_bytes(enum ock_storage storage)
{
    switch (storage) {
    case OCK_STORE_U8:
        return 1;
    case OCK_STORE_F32:
    case OCK_STORE_U32:
        return 4;
    case OCK_STORE_F64:
        return 8;
    case OCK_STORE_CSR:
        return 0;
    }
    return 0;
}

#endif
