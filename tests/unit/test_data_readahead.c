/* Rows that are asked for before they are read: exactly their pages, in as few requests as there are
 * runs of pages, and only of data that do not fit.
 *
 * Method: posix_madvise is this program's own and writes down what it is told. */
#include <sys/mman.h>

#include "core/base/limits.h"
#include "core/data/readahead.h"
#include "core/data/source.h"
#include "data_kit.h"

enum { ASKED_MAX = 4096, ROWS = 3000, COLUMNS = 8 };

static struct {
    uintptr_t begin, end;
} asked[ASKED_MAX];
static size_t asked_count;
static size_t random_bytes;

int posix_madvise(void *address, size_t size, int advice)
{
    if (advice == POSIX_MADV_RANDOM)
        random_bytes += size;
    if (advice != POSIX_MADV_WILLNEED)
        return 0;
    ck_assert_uint_lt(asked_count, ASKED_MAX);
    asked[asked_count].begin = (uintptr_t)address;
    asked[asked_count++].end = (uintptr_t)address + size;
    return 0;
}

static bool is_asked(const void *bytes, size_t size)
{
    uintptr_t at = (uintptr_t)bytes, end = at + size;
    for (size_t i = 0; i < asked_count && at < end; i++) {
        if (asked[i].begin <= at && at < asked[i].end) {
            at = asked[i].end;
            i = SIZE_MAX; /* from the first one again */
        }
    }
    return at >= end;
}

static size_t asked_bytes(void)
{
    size_t bytes = 0;
    for (size_t i = 0; i < asked_count; i++) {
        ck_assert_uint_eq(asked[i].begin % 4096, 0);
        bytes += asked[i].end - asked[i].begin;
    }
    return bytes;
}

/* Eight columns of float32 and one of the target, ROWS rows. */
static struct ock_dataset *dense(void)
{
    static char text[ROWS * 64];
    size_t size = (size_t)snprintf(text, sizeof(text), "a,b,c,d,e,f,g,h,y\n");
    for (unsigned i = 0; i < ROWS; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%u.5,%u,%u,%u,%u,%u,%u,%u,%s\n",
                                 i, i % 7, i % 5, i % 3, i % 9, i % 11, i % 13, i % 2,
                                 i % 2 ? "odd" : "even");
    return kit_csv(text, (struct ock_import){.target = "y"});
}

static const struct ock_block *block_of(const struct ock_dataset *dataset)
{
    size_t count;
    return &ock_dataset_blocks(dataset, &count)[ock_dataset_schema(dataset)->columns[0].block];
}

START_TEST(pages_of_rows_are_asked_for)
{
    struct ock_dataset *dataset = dense();
    const struct ock_block *block = block_of(dataset);
    ck_assert_int_eq(block->storage, OCK_STORE_F32);
    size_t size = block->width * sizeof(float);
    struct ock_segment segments[] = {
        {.storage = block->storage, .data = block->data, .stride = block->width, .width = 3},
        {.storage = block->storage, .data = block->data, .stride = block->width, .offset = 4}};
    struct ock_table table = {
        .dataset = dataset, .rows = ROWS, .segments = segments, .segment_count = 2};
    struct ock_source source = {.table = &table};
    static const uint32_t scattered[] = {ROWS - 1, 5, 1500, 0, 1501};
    static uint32_t all[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        all[i] = i;

    ock_dataset_expect_rows(dataset, OCK_GIB); /* there is enough */
    ck_assert(!ock_source_is_scattered(&source));
    ock_source_read_ahead(&source, scattered, 5);
    ck_assert_uint_eq(asked_count + random_bytes, 0);

    ock_dataset_expect_rows(dataset, size * ROWS);
    ck_assert(ock_source_is_scattered(&source));
    ck_assert_uint_gt(random_bytes, size * ROWS);
    ock_source_read_ahead(&source, scattered, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert(is_asked((const char *)block->data + scattered[i] * size, size));
    ck_assert(!is_asked((const char *)block->data + 700 * size, size));
    ck_assert_uint_le(asked_count, 5); /* a request for two segments, and for neighbours */
    ck_assert_uint_le(asked_bytes(), 5 * 2 * 4096);

    asked_count = 0;
    ock_source_read_ahead(&source, all, ROWS); /* in order they are one */
    ck_assert_uint_eq(asked_count, 1);
    ck_assert(is_asked(block->data, ROWS * size));
    ck_assert_uint_le(asked_bytes(), ROWS * size + 2 * 4096);

    asked_count = 0;
    float cached = 0;
    table.cache = &cached; /* rows that are kept as floats are not read again */
    ock_source_read_ahead(&source, all, ROWS);
    ck_assert_uint_eq(asked_count, 0);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(pages_of_sparse_rows_are_asked_for)
{
    static char text[ROWS * 64];
    size_t size = 0;
    struct ock_err err = {.text = ""};
    for (unsigned i = 0; i < ROWS; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%d %u:1 %u:2 5000:%u.5\n",
                                 i % 2 ? 1 : -1, i + 1, i + 7, i % 3);
    kit_write("in", text, size);
    ck_assert_msg(kit_import((struct ock_import){.format = OCK_FORMAT_SVMLIGHT}, 0, &err) == OCK_OK,
                  "%s", err.text);
    struct ock_dataset *dataset = kit_open("out");
    const struct ock_sparse_rows *sparse = &block_of(dataset)->sparse;
    struct ock_table table = {.dataset = dataset, .rows = ROWS, .sparse.rows = *sparse};
    struct ock_source source = {.table = &table};
    static const uint32_t rows[] = {2999, 3, 1500};
    ock_dataset_expect_rows(dataset, 1);
    ock_source_read_ahead(&source, rows, 3);
    for (size_t i = 0; i < 3; i++) {
        size_t begin = sparse->begin[rows[i]], terms = sparse->begin[rows[i] + 1] - begin;
        ck_assert_uint_ge(terms, 2);
        ck_assert(is_asked(sparse->begin + rows[i], 2 * sizeof(size_t)));
        ck_assert(is_asked(sparse->index + begin, terms * sizeof(uint32_t)));
        ck_assert(is_asked(sparse->value + begin, terms * sizeof(float)));
    }
    ck_assert(!is_asked(sparse->begin + 700, sizeof(size_t)));
    ck_assert_uint_le(asked_bytes(), 3 * 3 * 2 * 4096);
    ock_dataset_free(dataset);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_readahead");
    TCase *tests = tcase_create("readahead");
    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, pages_of_rows_are_asked_for);
    tcase_add_test(tests, pages_of_sparse_rows_are_asked_for);
    suite_add_tcase(suite, tests);
    return kit_run(suite);
}
