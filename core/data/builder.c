/* The one writer of dataset files. The blocks are written through a shared mapping of a file whose
 * space was taken before, so that a full disk is an error here and never a signal there. */
#include "core/data/builder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"

/* Texts of distinct numbers beyond the target's own: enough for thousands of columns of codes, and
 * a file of a million columns still opens in milliseconds. */
enum { OCK_NUMBER_TEXTS_MAX = 1 << 18 };

static uint64_t bytes_of(const struct ock_build_block *block, size_t rows)
{
    if (block->storage == OCK_STORE_CSR)
        return ock_csr_layout_of(rows, block->terms).bytes;
    return rows * block->width * ock_storage_bytes(block->storage);
}

static enum ock_status lay_out(struct ock_builder *builder, const struct ock_build_block *blocks,
                               struct ock_err *err)
{
    /* rows < 2^32, width <= 2^20 and 8 bytes an element: no sum here can overflow. */
    size_t at = OCK_FILE_HEADER_BYTES;
    for (size_t i = 0; i < builder->block_count; i++) {
        builder->blocks[i] = (struct ock_file_block){
            .storage = (uint32_t)blocks[i].storage, .width = blocks[i].width, .at = at};
        at = ock_file_aligned(at + bytes_of(&blocks[i], builder->rows));
    }
    if (at > OCK_DATASET_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT, "the dataset would take %zu bytes, the limit is %zu", at,
                        OCK_DATASET_BYTES_MAX);
    builder->map_bytes = at;
    return OCK_OK;
}

static enum ock_status map_file(struct ock_builder *builder, struct ock_err *err)
{
    builder->fd = open(builder->file.tmp_path, O_RDWR | O_CLOEXEC);
    if (builder->fd < 0)
        return ock_fail_errno(err, errno, "cannot open the new dataset");
    int failed = posix_fallocate(builder->fd, 0, (off_t)builder->map_bytes);
    if (failed)
        return ock_fail_errno(err, failed, "cannot take %zu bytes for the dataset",
                              builder->map_bytes);
    void *map = mmap(NULL, builder->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, builder->fd, 0);
    if (map == MAP_FAILED)
        return ock_fail_errno(err, errno, "cannot map the new dataset");
    builder->map = map;
    return OCK_OK;
}

enum ock_status ock_builder_open(struct ock_builder *builder, const char *path, size_t rows,
                                 struct ock_build_block *blocks, size_t block_count,
                                 struct ock_err *err)
{
    struct ock_builder made = {.file.fd = -1, .fd = -1, .rows = rows, .block_count = block_count};
    enum ock_status status = lay_out(&made, blocks, err);
    if (status != OCK_OK)
        return status;
    status = ock_newfile_open(&made.file, path, err);
    if (status != OCK_OK)
        return status;
    status = map_file(&made, err);
    if (status != OCK_OK) {
        ock_builder_discard(&made);
        return status;
    }
    for (size_t i = 0; i < block_count; i++)
        blocks[i].data = made.map + made.blocks[i].at;
    *builder = made;
    return OCK_OK;
}

void ock_builder_discard(struct ock_builder *builder)
{
    if (builder->map)
        (void)munmap(builder->map, builder->map_bytes);
    builder->map = NULL;
    if (builder->fd >= 0)
        (void)close(builder->fd);
    builder->fd = -1;
    ock_newfile_discard(&builder->file);
}

/* Appends the column's values as texts and notes them in its record. */
static void put_categories(const struct ock_build_column *column, struct ock_file_record *record,
                           struct ock_buf *texts)
{
    record->values = texts->size;
    record->value_count = column->value_count;
    for (size_t i = 0; i < column->value_count; i++)
        ock_buf_add(texts, column->values[i], strlen(column->values[i]) + 1);
}

static enum ock_status put_numbers(const struct ock_stats *stats, struct ock_file_record *record,
                                   struct ock_buf *texts, struct ock_err *err)
{
    double *values = malloc((stats->set_count + 1) * sizeof(*values));
    if (!values)
        return ock_fail(err, OCK_NOMEM, "out of memory for a column's values");
    ock_stats_distinct(stats, values);
    record->values = texts->size;
    record->value_count = stats->set_count;
    for (size_t i = 0; i < stats->set_count; i++) {
        char text[OCK_NUMBER_TEXT_SIZE];
        ock_number_text(text, values[i]);
        ock_buf_add(texts, text, strlen(text) + 1);
    }
    free(values);
    return OCK_OK;
}

static size_t bits_set(const uint64_t bitmap[OCK_BITMAP_WORDS])
{
    size_t count = 0;
    for (size_t i = 0; i < OCK_BITMAP_WORDS; i++)
        count += (size_t)__builtin_popcountll(bitmap[i]);
    return count;
}

/* A category of two words that mean yes and no. */
static bool is_boolean(const struct ock_build_column *column)
{
    static const char *const pairs[][2] = {
        {"false", "true"}, {"no", "yes"}, {"f", "t"}, {"n", "y"}};
    if (column->type != OCK_COLUMN_CATEGORY || column->value_count == 0)
        return false;
    for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
        size_t fit = 0;
        for (size_t i = 0; i < column->value_count; i++)
            fit += strcasecmp(column->values[i], pairs[p][0]) == 0 ||
                   strcasecmp(column->values[i], pairs[p][1]) == 0;
        if (fit == column->value_count)
            return true;
    }
    return false;
}

static struct ock_file_record describe(const struct ock_build_column *column)
{
    const struct ock_stats *stats = column->stats;
    struct ock_file_record record = {.type = (uint32_t)column->type,
                                     .block = column->block,
                                     .offset = column->offset,
                                     .missing = stats->missing};
    if (column->boolean == OCK_BOOLEAN_YES ||
        (column->boolean == OCK_BOOLEAN_FOUND && is_boolean(column)))
        record.flags |= OCK_RECORD_BOOLEAN;
    if (column->type == OCK_COLUMN_CATEGORY)
        return record;
    if (!stats->fraction)
        record.flags |= OCK_RECORD_WHOLE;
    record.min = stats->min;
    record.max = stats->max;
    record.mean = stats->count ? stats->sum / (double)stats->count : 0;
    return record;
}

/* Records [column_count] and texts of all columns. */
static enum ock_status describe_all(const struct ock_build_schema *schema,
                                    struct ock_file_record *records, struct ock_buf *texts,
                                    struct ock_err *err)
{
    size_t number_texts = 0;
    for (size_t c = 0; c < schema->column_count; c++) {
        const struct ock_build_column *column = &schema->columns[c];
        records[c] = describe(column);
        records[c].name = texts->size;
        ock_buf_add(texts, column->name, strlen(column->name) + 1);
        if (column->type == OCK_COLUMN_CATEGORY) {
            put_categories(column, &records[c], texts);
        } else if (column->type == OCK_COLUMN_BYTE) {
            memcpy(records[c].bitmap, column->bitmap, sizeof(records[c].bitmap));
            records[c].value_count = bits_set(column->bitmap);
        } else if (c == schema->target ||
                   number_texts + column->stats->set_count <= OCK_NUMBER_TEXTS_MAX) {
            number_texts += column->stats->set_count;
            enum ock_status status = put_numbers(column->stats, &records[c], texts, err);
            if (status != OCK_OK)
                return status;
        }
    }
    if (schema->missing) /* the last text */
        ock_buf_add(texts, schema->missing, strlen(schema->missing) + 1);
    return ock_buf_status(texts, err);
}

static enum ock_status write_at(int fd, const void *bytes, size_t size, size_t at,
                                struct ock_err *err)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t written = pwrite(fd, next, size, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ock_fail_errno(err, errno, "cannot write the dataset");
        next += written;
        at += (size_t)written;
        size -= (size_t)written;
    }
    return OCK_OK;
}

/* The header, with the checksum of everything in it. */
static void seal(struct ock_builder *builder, const struct ock_build_schema *schema,
                 const struct ock_file_record *records, const struct ock_buf *texts)
{
    size_t record_bytes = schema->column_count * sizeof(*records);
    struct ock_file_header header = {
        .magic = OCK_FILE_MAGIC,
        .version = OCK_FILE_VERSION,
        .byte_order = OCK_FILE_BYTE_ORDER,
        .block_count = (uint32_t)builder->block_count,
        .file_bytes = builder->map_bytes + record_bytes + texts->size,
        .rows = builder->rows,
        .columns = schema->column_count,
        .target = schema->target,
        .format = (uint32_t)schema->format,
        .flags = schema->has_labels ? OCK_FILE_HAS_LABELS : 0,
        .shape_count = schema->shape_count,
        .records_at = builder->map_bytes,
        .texts_at = builder->map_bytes + record_bytes,
        .texts_bytes = texts->size,
        .missing_at = schema->missing ? texts->size - strlen(schema->missing) - 1 : 0,
    };
    for (size_t i = 0; i < schema->shape_count; i++)
        header.shape[i] = schema->shape[i];
    memcpy(header.blocks, builder->blocks, sizeof(header.blocks));

    struct ock_sha256 sha;
    ock_sha256_init(&sha);
    ock_sha256_add(&sha, builder->map + sizeof(header), builder->map_bytes - sizeof(header));
    ock_sha256_add(&sha, records, record_bytes);
    ock_sha256_add(&sha, texts->data, texts->size);
    ock_sha256_add(&sha, &header, sizeof(header));
    ock_sha256_text(&sha, header.sha256);
    memcpy(builder->map, &header, sizeof(header));
}

enum ock_status ock_builder_finish(struct ock_builder *builder,
                                   const struct ock_build_schema *schema, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    struct ock_buf texts;
    ock_buf_init(&texts, 4 * OCK_GIB);
    size_t record_bytes = schema->column_count * sizeof(struct ock_file_record);
    struct ock_file_record *records = calloc(schema->column_count, sizeof(*records));
    if (!records) {
        status = ock_fail(err, OCK_NOMEM, "out of memory for %zu columns", schema->column_count);
        goto done;
    }
    status = describe_all(schema, records, &texts, err);
    if (status != OCK_OK)
        goto done;
    seal(builder, schema, records, &texts);
    status = write_at(builder->fd, records, record_bytes, builder->map_bytes, err);
    if (status == OCK_OK)
        status =
            write_at(builder->fd, texts.data, texts.size, builder->map_bytes + record_bytes, err);
    if (status == OCK_OK)
        status = ock_newfile_commit(&builder->file, err);
done:
    free(records);
    ock_buf_deinit(&texts);
    ock_builder_discard(builder);
    return status;
}
