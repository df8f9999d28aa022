/* One request for each run of neighbouring pages. */
#include "core/data/readahead.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/data/format.h"
#include "core/data/source.h"

/* A run of bytes that is asked for when the next one does not go on where it ends. */
struct run {
    uintptr_t begin, end; /* whole pages */
    uintptr_t page;
};

static void ask(struct run *run)
{
    if (run->end > run->begin)
        (void)posix_madvise((void *)run->begin, run->end - run->begin, POSIX_MADV_WILLNEED);
    run->begin = run->end = 0;
}

static void add(struct run *run, const void *bytes, size_t size)
{
    uintptr_t begin = (uintptr_t)bytes / run->page * run->page;
    uintptr_t end = ((uintptr_t)bytes + size + run->page - 1) / run->page * run->page;
    if (size == 0)
        return;
    if (begin < run->begin || begin > run->end) {
        ask(run);
        run->begin = begin;
        run->end = end;
    } else if (end > run->end) {
        run->end = end;
    }
}

/* Segments of one block are asked for with the block's whole row. */
static void ask_dense(const struct ock_table *table, struct run *run, const uint32_t *rows,
                      size_t count)
{
    const void *last = NULL;
    for (size_t s = 0; s < table->segment_count; s++) {
        const struct ock_segment *segment = &table->segments[s];
        size_t size = segment->stride * ock_storage_bytes(segment->storage);
        if (segment->data == last)
            continue;
        last = segment->data;
        for (size_t i = 0; i < count; i++)
            add(run, (const unsigned char *)segment->data + rows[i] * size, size);
        ask(run);
    }
}

static void ask_sparse(const struct ock_sparse_rows *sparse, struct run *run, const uint32_t *rows,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(run, sparse->begin + rows[i], 2 * sizeof(*sparse->begin));
    ask(run);
    for (size_t i = 0; i < count; i++) {
        size_t begin = sparse->begin[rows[i]], terms = sparse->begin[rows[i] + 1] - begin;
        add(run, sparse->index + begin, terms * sizeof(*sparse->index));
    }
    ask(run);
    for (size_t i = 0; i < count; i++) {
        size_t begin = sparse->begin[rows[i]], terms = sparse->begin[rows[i] + 1] - begin;
        add(run, sparse->value + begin, terms * sizeof(*sparse->value));
    }
    ask(run);
}

bool ock_source_is_scattered(const struct ock_source *source)
{
    return !source->table->cache && ock_dataset_is_scattered(source->table->dataset);
}

void ock_source_read_ahead(const struct ock_source *source, const uint32_t *rows, size_t count)
{
    const struct ock_table *table = source->table;
    long page = sysconf(_SC_PAGESIZE);
    if (!ock_source_is_scattered(source) || page <= 0)
        return;
    struct run run = {.page = (uintptr_t)page};
    if (table->segments)
        ask_dense(table, &run, rows, count);
    else
        ask_sparse(&table->sparse.rows, &run, rows, count);
}
