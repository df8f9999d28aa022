/* The end of a dataset file: a record for each column, and their texts. Both are written as they are
 * made, by two walks over the columns: a million of them would take more memory than their rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonw.h"
#include "core/base/limits.h"
#include "core/data/builder.h"

/* Texts of distinct numbers beyond the target's own: enough for thousands of columns of codes, and
 * a file of a million columns still opens in milliseconds. */
enum { OCK_NUMBER_TEXTS_MAX = 1 << 18 };

enum { CHUNK_BYTES = 1 << 16 };

#define TEXTS_BYTES_MAX (4 * OCK_GIB)

/* What is on its way to the file. In the first walk texts are only counted. */
struct tail {
    struct ock_builder *builder;
    const struct ock_build_schema *schema;
    bool texts;         /* the second walk */
    size_t texts_bytes; /* of those before */
    size_t number_texts;
    char *chunk; /* owned, [CHUNK_BYTES] */
    size_t used;
};

static enum ock_status flush(struct tail *tail, struct ock_err *err)
{
    size_t size = tail->used;
    tail->used = 0;
    return ock_builder_append(tail->builder, tail->chunk, size, err);
}

static enum ock_status put(struct tail *tail, const void *bytes, size_t size, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    if (size > CHUNK_BYTES - tail->used)
        status = flush(tail, err);
    if (status == OCK_OK && size > CHUNK_BYTES)
        return ock_builder_append(tail->builder, bytes, size, err);
    if (status != OCK_OK)
        return status;
    memcpy(tail->chunk + tail->used, bytes, size);
    tail->used += size;
    return OCK_OK;
}

static enum ock_status put_text(struct tail *tail, const char *text, struct ock_err *err)
{
    size_t size = strlen(text) + 1;
    tail->texts_bytes += size;
    if (tail->texts_bytes > TEXTS_BYTES_MAX)
        return ock_fail(err, OCK_LIMIT, "the columns' texts would exceed their limit of %zu bytes",
                        TEXTS_BYTES_MAX);
    return tail->texts ? put(tail, text, size, err) : OCK_OK;
}

static enum ock_status put_numbers(struct tail *tail, const struct ock_stats *stats,
                                   struct ock_err *err)
{
    double *values = malloc((stats->set_count + 1) * sizeof(*values));
    if (!values)
        return ock_fail(err, OCK_NOMEM, "out of memory for a column's values");
    ock_stats_distinct(stats, values);
    enum ock_status status = OCK_OK;
    for (size_t i = 0; i < stats->set_count && status == OCK_OK; i++) {
        char text[OCK_NUMBER_TEXT_SIZE];
        ock_number_text(text, values[i]);
        status = put_text(tail, text, err);
    }
    free(values);
    return status;
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
    enum { SPELLINGS_MAX = 64 }; /* "false" and "true" have 48 */
    if (column->type != OCK_COLUMN_CATEGORY || column->value_count == 0 ||
        column->value_count > SPELLINGS_MAX)
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

/* One column's record, or its texts. */
static enum ock_status put_column(struct tail *tail, size_t c, struct ock_err *err)
{
    const struct ock_build_column *column = &tail->schema->columns[c];
    struct ock_file_record record = describe(column);
    record.name = tail->texts_bytes;
    enum ock_status status = put_text(tail, column->name, err);
    record.values = tail->texts_bytes;
    if (column->type == OCK_COLUMN_CATEGORY) {
        record.value_count = column->value_count;
        for (size_t i = 0; i < column->value_count && status == OCK_OK; i++)
            status = put_text(tail, column->values[i], err);
    } else if (column->type == OCK_COLUMN_BYTE) {
        record.values = 0;
        memcpy(record.bitmap, column->bitmap, sizeof(record.bitmap));
        record.value_count = bits_set(column->bitmap);
    } else if (c == tail->schema->target ||
               tail->number_texts + column->stats->set_count <= OCK_NUMBER_TEXTS_MAX) {
        tail->number_texts += column->stats->set_count;
        record.value_count = column->stats->set_count;
        if (status == OCK_OK)
            status = put_numbers(tail, column->stats, err);
    } else {
        record.values = 0;
    }
    if (status == OCK_OK && !tail->texts)
        status = put(tail, &record, sizeof(record), err);
    return status;
}

static enum ock_status walk(struct tail *tail, bool texts, struct ock_err *err)
{
    enum ock_status status = OCK_OK;
    tail->texts = texts;
    tail->texts_bytes = 0;
    tail->number_texts = 0;
    for (size_t c = 0; c < tail->schema->column_count && status == OCK_OK; c++)
        status = put_column(tail, c, err);
    if (status == OCK_OK && tail->schema->missing) /* the last text */
        status = put_text(tail, tail->schema->missing, err);
    return status == OCK_OK ? flush(tail, err) : status;
}

/* The header, with the checksum of everything in it. */
static struct ock_file_header seal(struct ock_builder *builder,
                                   const struct ock_build_schema *schema, size_t records_at,
                                   size_t texts_at)
{
    struct ock_file_header header = {
        .magic = OCK_FILE_MAGIC,
        .version = OCK_FILE_VERSION,
        .byte_order = OCK_FILE_BYTE_ORDER,
        .block_count = (uint32_t)builder->block_count,
        .file_bytes = builder->end,
        .rows = builder->rows,
        .columns = schema->column_count,
        .target = schema->target,
        .format = (uint32_t)schema->format,
        .flags = schema->has_labels ? OCK_FILE_HAS_LABELS : 0,
        .shape_count = schema->shape_count,
        .records_at = records_at,
        .texts_at = texts_at,
        .texts_bytes = builder->end - texts_at,
        .missing_at = schema->missing ? builder->end - texts_at - strlen(schema->missing) - 1 : 0,
    };
    for (size_t i = 0; i < schema->shape_count; i++)
        header.shape[i] = schema->shape[i];
    memcpy(header.blocks, builder->blocks, sizeof(header.blocks));
    ock_sha256_add(&builder->sha, &header, sizeof(header));
    ock_sha256_text(&builder->sha, header.sha256);
    return header;
}

static enum ock_status write_tail(struct tail *tail, struct ock_err *err)
{
    struct ock_builder *builder = tail->builder;
    size_t records_at = builder->end;
    if (builder->map) {
        ock_sha256_init(&builder->sha);
        ock_sha256_add(&builder->sha, builder->map + OCK_FILE_HEADER_BYTES,
                       builder->map_bytes - OCK_FILE_HEADER_BYTES);
    }
    enum ock_status status = walk(tail, false, err);
    size_t texts_at = builder->end;
    if (status == OCK_OK)
        status = walk(tail, true, err);
    if (status != OCK_OK)
        return status;
    struct ock_file_header header = seal(builder, tail->schema, records_at, texts_at);
    return ock_builder_write_header(builder, &header, err);
}

enum ock_status ock_builder_finish(struct ock_builder *builder,
                                   const struct ock_build_schema *schema, struct ock_err *err)
{
    struct tail tail = {.builder = builder, .schema = schema, .chunk = malloc(CHUNK_BYTES)};
    enum ock_status status = tail.chunk ? write_tail(&tail, err)
                                        : ock_fail(err, OCK_NOMEM, "out of memory for %zu columns",
                                                   schema->column_count);
    if (status == OCK_OK)
        status = ock_newfile_commit(&builder->file, err);
    free(tail.chunk);
    ock_builder_discard(builder);
    return status;
}
