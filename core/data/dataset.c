/* The one reader of dataset files: a mapping, and a walk over its column records that trusts none
 * of their numbers. Values and names point into the mapping. */
#include "core/data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/data/format.h"

struct ock_dataset {
    struct ock_mapping mapping;
    struct ock_file_header header; /* a copy: its texts are sure to end */
    struct ock_block blocks[OCK_FILE_BLOCKS_MAX];
    struct ock_schema schema;
    bool scattered;
    struct ock_column *columns; /* owned; the value pointers stand behind the columns */
};

/* "0" to "255", NUL-terminated, as pointers: shared by all byte columns. */
#define B1(a, b)                                                                                   \
    a b "0", a b "1", a b "2", a b "3", a b "4", a b "5", a b "6", a b "7", a b "8", a b "9"
#define B2(a)                                                                                      \
    B1(a, "0"), B1(a, "1"), B1(a, "2"), B1(a, "3"), B1(a, "4"), B1(a, "5"), B1(a, "6"),            \
        B1(a, "7"), B1(a, "8"), B1(a, "9")
static const char *const byte_texts[256] = {
    B1("", ""),   B1("", "1"),  B1("", "2"),  B1("", "3"),  B1("", "4"), B1("", "5"),
    B1("", "6"),  B1("", "7"),  B1("", "8"),  B1("", "9"),  B2("1"),     B1("2", "0"),
    B1("2", "1"), B1("2", "2"), B1("2", "3"), B1("2", "4"), "250",       "251",
    "252",        "253",        "254",        "255"};

static const char *const format_names[OCK_FILE_FORMATS] = {"csv", "idx", "inline", "npy",
                                                           "svmlight"};

static enum ock_status corrupt(struct ock_err *err, const char *what)
{
    return ock_fail(err, OCK_CORRUPT, "the dataset file is damaged: %s", what);
}

/* The range [at, at + size) lies in the file; no sum overflows. */
static bool inside(uint64_t at, uint64_t size, uint64_t file_bytes)
{
    return at <= file_bytes && size <= file_bytes - at;
}

static enum ock_status check_header(const struct ock_file_header *header, size_t file_bytes,
                                    struct ock_err *err)
{
    if (memcmp(header->magic, OCK_FILE_MAGIC, sizeof(header->magic)) != 0)
        return ock_fail(err, OCK_CORRUPT, "this is not a dataset file of Ockham");
    if (header->byte_order != OCK_FILE_BYTE_ORDER || header->version != OCK_FILE_VERSION)
        return ock_fail(err, OCK_CORRUPT, "the dataset file has version %u, this program reads %u",
                        header->version, OCK_FILE_VERSION);
    if (header->file_bytes != file_bytes)
        return corrupt(err, "it is not as long as its header says");
    if (header->rows == 0 || header->rows > OCK_ROWS_MAX || header->columns == 0 ||
        header->columns > OCK_COLUMNS_MAX || header->block_count > OCK_FILE_BLOCKS_MAX ||
        header->format >= OCK_FILE_FORMATS || header->shape_count > 4)
        return corrupt(err, "a count in its header is out of range");
    if (header->target != UINT64_MAX && header->target >= header->columns)
        return corrupt(err, "its target is no column");
    if (!inside(header->records_at, header->columns * OCK_FILE_RECORD_BYTES, file_bytes) ||
        header->records_at % OCK_FILE_ALIGNMENT != 0)
        return corrupt(err, "its column records lie outside");
    if (!inside(header->texts_at, header->texts_bytes, file_bytes) || header->texts_bytes == 0)
        return corrupt(err, "its texts lie outside");
    if (header->missing_at >= header->texts_bytes)
        return corrupt(err, "its words for missing values lie outside");
    return OCK_OK;
}

/* The parts of a CSR block whose begins lie in the file; the last of them says how long the others
 * are. */
static enum ock_status open_sparse(struct ock_dataset *dataset, uint64_t at,
                                   struct ock_block *block, struct ock_err *err)
{
    uint64_t rows = dataset->header.rows;
    const unsigned char *data = dataset->mapping.data + at;
    const size_t *begin = (const void *)data;
    uint64_t terms = begin[rows];
    if (terms > dataset->mapping.size ||
        !inside(at, ock_csr_layout_of(rows, terms).bytes, dataset->mapping.size))
        return corrupt(err, "a sparse block lies outside");
    struct ock_csr_layout layout = ock_csr_layout_of(rows, terms);
    block->sparse = (struct ock_sparse_rows){.begin = begin,
                                             .index = (const void *)(data + layout.index_at),
                                             .value = (const void *)(data + layout.value_at)};
    block->terms = terms;
    dataset->schema.sparse = true;
    dataset->schema.nonzeros += terms;
    return OCK_OK;
}

static enum ock_status open_blocks(struct ock_dataset *dataset, struct ock_err *err)
{
    for (size_t i = 0; i < dataset->header.block_count; i++) {
        const struct ock_file_block *block = &dataset->header.blocks[i];
        if (block->storage > OCK_STORE_CSR || block->width > OCK_COLUMNS_MAX)
            return corrupt(err, "a block has an unknown type or width");
        enum ock_storage storage = (enum ock_storage)block->storage;
        uint64_t rows = dataset->header.rows;
        uint64_t bytes = storage == OCK_STORE_CSR
                             ? (rows + 1) * sizeof(uint64_t)
                             : rows * block->width * ock_storage_bytes(storage);
        if (block->at % OCK_FILE_ALIGNMENT != 0 || !inside(block->at, bytes, dataset->mapping.size))
            return corrupt(err, "a block lies outside");
        dataset->blocks[i] =
            (struct ock_block){storage, block->width, dataset->mapping.data + block->at, {0}, 0};
        enum ock_status status = OCK_OK;
        if (storage == OCK_STORE_CSR)
            status = open_sparse(dataset, block->at, &dataset->blocks[i], err);
        if (status != OCK_OK)
            return status;
    }
    return OCK_OK;
}

enum ock_status ock_block_check_sparse(const struct ock_block *block, size_t rows,
                                       struct ock_err *err)
{
    const struct ock_sparse_rows *sparse = &block->sparse;
    size_t at = 0;
    for (size_t row = 0; row < rows; row++) {
        size_t end = sparse->begin[row + 1];
        if (sparse->begin[row] != at || end < at || end > block->terms)
            return corrupt(err, "a sparse row lies outside of its block");
        for (; at < end; at++) {
            bool rises = at == sparse->begin[row] || sparse->index[at - 1] < sparse->index[at];
            if (!rises || sparse->index[at] >= block->width)
                return corrupt(err, "a sparse row's indices do not rise below its width");
        }
    }
    return OCK_OK;
}

static enum ock_status check_record(const struct ock_dataset *dataset,
                                    const struct ock_file_record *record, struct ock_err *err)
{
    const struct ock_file_header *header = &dataset->header;
    if (record->type > OCK_COLUMN_CATEGORY || record->block >= header->block_count)
        return corrupt(err, "a column has an unknown type or block");
    const struct ock_block *block = &dataset->blocks[record->block];
    bool fits = record->type == OCK_COLUMN_BYTE ? block->storage == OCK_STORE_U8
                : record->type == OCK_COLUMN_CATEGORY
                    ? block->storage == OCK_STORE_U32
                    : block->storage == OCK_STORE_F32 || block->storage == OCK_STORE_F64 ||
                          block->storage == OCK_STORE_CSR;
    if (!fits || record->offset >= block->width)
        return corrupt(err, "a column does not fit its block");
    if (record->name >= header->texts_bytes || record->values > header->texts_bytes)
        return corrupt(err, "a column's texts lie outside");
    return OCK_OK;
}

/* Pointers needed for the column's values; byte columns whose values have no gap need none. */
static size_t pointers_needed(const struct ock_file_record *record)
{
    return record->type == OCK_COLUMN_BYTE ? 256 : record->value_count;
}

/* The values that a bitmap tells, as texts; returns the pointers used. */
static size_t open_byte_values(const struct ock_file_record *record, struct ock_column *column,
                               const char **pointers)
{
    size_t low = 256, high = 0, count = 0;
    for (size_t v = 0; v < 256; v++) {
        if (record->bitmap[v / 64] >> (v % 64) & 1) {
            low = v < low ? v : low;
            high = v;
            count++;
        }
    }
    column->value_count = count;
    if (count == 0)
        return 0;
    if (high - low + 1 == count) {
        column->values = byte_texts + low;
        return 0;
    }
    size_t used = 0;
    for (size_t v = low; v <= high; v++) {
        if (record->bitmap[v / 64] >> (v % 64) & 1)
            pointers[used++] = byte_texts[v];
    }
    column->values = pointers;
    return used;
}

/* value_count texts, one after another from record->values on. */
static enum ock_status open_text_values(const struct ock_dataset *dataset,
                                        const struct ock_file_record *record,
                                        struct ock_column *column, const char **pointers,
                                        struct ock_err *err)
{
    const char *texts = (const char *)dataset->mapping.data + dataset->header.texts_at;
    const char *end = texts + dataset->header.texts_bytes;
    const char *next = texts + record->values;
    for (size_t i = 0; i < record->value_count; i++) {
        const char *stop = next < end ? memchr(next, '\0', (size_t)(end - next)) : NULL;
        if (!stop)
            return corrupt(err, "a column's values lie outside");
        pointers[i] = next;
        next = stop + 1;
    }
    column->value_count = record->value_count;
    column->values = record->value_count ? pointers : NULL;
    return OCK_OK;
}

static enum ock_status open_columns(struct ock_dataset *dataset, struct ock_err *err)
{
    const struct ock_file_header *header = &dataset->header;
    const struct ock_file_record *records =
        (const void *)(dataset->mapping.data + header->records_at);
    size_t pointer_count = 0;
    for (size_t c = 0; c < header->columns; c++) {
        enum ock_status status = check_record(dataset, &records[c], err);
        if (status != OCK_OK)
            return status;
        /* Every text takes a byte at least, so more values than bytes are damage. */
        if (records[c].value_count > header->texts_bytes && records[c].type != OCK_COLUMN_BYTE)
            return corrupt(err, "a column has more values than there are texts");
        pointer_count += pointers_needed(&records[c]);
        if (pointer_count > header->texts_bytes + 256 * header->columns)
            return corrupt(err, "the columns have more values than there are texts");
    }
    dataset->columns =
        malloc(header->columns * sizeof(*dataset->columns) + pointer_count * sizeof(char *));
    if (!dataset->columns)
        return ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", (size_t)header->columns);

    const char **pointers = (const char **)(void *)(dataset->columns + header->columns);
    const char *texts = (const char *)dataset->mapping.data + header->texts_at;
    for (size_t c = 0; c < header->columns; c++) {
        const struct ock_file_record *record = &records[c];
        struct ock_column *column = &dataset->columns[c];
        *column = (struct ock_column){.name = texts + record->name,
                                      .type = (enum ock_column_type)record->type,
                                      .block = record->block,
                                      .offset = record->offset,
                                      .missing = record->missing,
                                      .whole = record->flags & OCK_RECORD_WHOLE,
                                      .boolean = record->flags & OCK_RECORD_BOOLEAN,
                                      .min = record->min,
                                      .max = record->max,
                                      .mean = record->mean};
        if (column->type == OCK_COLUMN_BYTE) {
            pointers += open_byte_values(record, column, pointers);
            continue;
        }
        enum ock_status status = open_text_values(dataset, record, column, pointers, err);
        if (status != OCK_OK)
            return status;
        pointers += column->value_count;
    }
    return OCK_OK;
}

static void open_schema(struct ock_dataset *dataset)
{
    const struct ock_file_header *header = &dataset->header;
    dataset->schema = (struct ock_schema){
        .sparse = dataset->schema.sparse,
        .nonzeros = dataset->schema.nonzeros,
        .rows = header->rows,
        .column_count = header->columns,
        .columns = dataset->columns,
        .target = header->target == UINT64_MAX ? SIZE_MAX : header->target,
        .shape_count = header->shape_count,
        .format = format_names[header->format],
        .has_labels = header->flags & OCK_FILE_HAS_LABELS,
    };
    for (size_t i = 0; i < header->shape_count; i++)
        dataset->schema.shape[i] = header->shape[i];
    if (header->missing_at > 0)
        dataset->schema.missing =
            (const char *)dataset->mapping.data + header->texts_at + header->missing_at;
}

enum ock_status ock_dataset_open(struct ock_dataset **out, const char *path, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    struct ock_dataset *dataset = calloc(1, sizeof(*dataset));
    if (!dataset)
        return ock_fail(err, OCK_NOMEM, "out of memory for a dataset");
    status = ock_mapping_open(&dataset->mapping, path, err);
    if (status != OCK_OK)
        goto done;
    if (dataset->mapping.size < sizeof(dataset->header)) {
        status = corrupt(err, "it is shorter than a header");
        goto done;
    }
    memcpy(&dataset->header, dataset->mapping.data, sizeof(dataset->header));
    dataset->header.sha256[OCK_SHA256_TEXT_SIZE - 1] = '\0';
    status = check_header(&dataset->header, dataset->mapping.size, err);
    if (status == OCK_OK &&
        dataset->mapping.data[dataset->header.texts_at + dataset->header.texts_bytes - 1] != '\0')
        status = corrupt(err, "its last text does not end");
    if (status == OCK_OK)
        status = open_blocks(dataset, err);
    if (status == OCK_OK)
        status = open_columns(dataset, err);
    if (status != OCK_OK)
        goto done;
    open_schema(dataset);
    *out = dataset;
    dataset = NULL;
done:
    ock_dataset_free(dataset);
    return status;
}

void ock_dataset_free(struct ock_dataset *dataset)
{
    if (!dataset)
        return;
    free(dataset->columns);
    ock_mapping_close(&dataset->mapping);
    free(dataset);
}

const struct ock_schema *ock_dataset_schema(const struct ock_dataset *dataset)
{
    return &dataset->schema;
}

const struct ock_block *ock_dataset_blocks(const struct ock_dataset *dataset, size_t *count)
{
    *count = dataset->header.block_count;
    return dataset->blocks;
}

const char *ock_dataset_sha256(const struct ock_dataset *dataset)
{
    return dataset->header.sha256;
}

void ock_dataset_expect_rows(struct ock_dataset *dataset, size_t memory_bytes)
{
    dataset->scattered = dataset->mapping.size > memory_bytes / 2;
    if (dataset->scattered)
        ock_mapping_advise_random(&dataset->mapping);
}

bool ock_dataset_is_scattered(const struct ock_dataset *dataset)
{
    return dataset->scattered;
}

enum ock_status ock_dataset_verify(const struct ock_dataset *dataset, struct ock_err *err)
{
    struct ock_file_header header;
    memcpy(&header, dataset->mapping.data, sizeof(header));
    memset(header.sha256, 0, OCK_SHA256_TEXT_SIZE - 1);

    struct ock_sha256 sha;
    char found[OCK_SHA256_TEXT_SIZE];
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, dataset->mapping.data + sizeof(header),
                   dataset->mapping.size - sizeof(header));
    ock_sha256_add(&sha, &header, sizeof(header));
    ock_sha256_text(&sha, found);
    if (strcmp(found, dataset->header.sha256) != 0)
        return corrupt(err, "its bytes are not those that its SHA-256 was made of");
    return OCK_OK;
}

/* A row's value in a sparse column: 0 where it has no term; NaN if the file is damaged. */
static double sparse_number(const struct ock_block *block, size_t column, size_t row)
{
    size_t low = block->sparse.begin[row];
    size_t high = block->sparse.begin[row + 1];
    if (high > block->terms)
        return (double)NAN;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (block->sparse.index[middle] == column)
            return (double)block->sparse.value[middle];
        if (block->sparse.index[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

double ock_dataset_number(const struct ock_dataset *dataset, size_t column, size_t row)
{
    const struct ock_column *c = &dataset->columns[column];
    const struct ock_block *block = &dataset->blocks[c->block];
    size_t place = row * block->width + c->offset;
    switch (block->storage) {
    case OCK_STORE_U8:
        return ((const uint8_t *)block->data)[place];
    case OCK_STORE_F32:
        return (double)((const float *)block->data)[place];
    case OCK_STORE_F64:
        return ((const double *)block->data)[place];
    case OCK_STORE_U32:
        return ((const uint32_t *)block->data)[place];
    case OCK_STORE_CSR:
        return sparse_number(block, c->offset, row);
    }
    return (double)NAN;
}
