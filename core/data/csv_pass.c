/* Passes over all rows, in batches. While the threads work on one batch, one of them looks for the
 * next one's rows and another writes the one before; then they help. Each column is one thread's in a
 * batch, its rows come in order, and of faults the first in the file is told, so the number of threads
 * changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/data/csv_table.h"

enum {
    PARALLEL_FIELDS = 4096, /* fewer are done sooner than threads are told of them */
    PIECE_FIELDS = 4096     /* that a thread reads before it looks for more */
};

struct fault {
    size_t row, column;
    struct ock_err err;
};

/* What was found by the scanner: rows, or why there are none. */
struct found {
    struct ock_csv_rows rows;
    enum ock_status status;
    struct ock_err err;
};

struct pass {
    struct ock_csv_table *table;
    struct ock_csv_scanner *scanner; /* owned */
    struct ock_csv_store *store;     /* borrowed; NULL: nothing is written */
    bool examine;                    /* else only put: the second pass */
    bool unfit;                      /* some field does not go to its column's place. Atomic */
    struct ock_csv_batch batches[2]; /* owned rooms */
    struct ock_csv_batch *now;
    struct ock_csv_batch *before; /* is to be written; NULL: none */
    struct found next;
    enum ock_status stored; /* how that went */
    struct ock_err stored_err;
    struct fault first; /* critical */
};

static void look_for_next(struct pass *pass)
{
    pass->next.status = ock_csv_scanner_next(pass->scanner, &pass->next.rows, &pass->next.err);
}

static void write_before(struct pass *pass)
{
    pass->stored = OCK_OK;
    if (pass->before && pass->store)
        pass->stored = ock_csv_store_add(pass->store, pass->before, &pass->stored_err);
    pass->before = NULL;
}

static void note_fault(struct pass *pass, const struct fault *fault)
{
#pragma omp critical(ock_csv_fault)
    if (fault->row < pass->first.row ||
        (fault->row == pass->first.row && fault->column < pass->first.column))
        pass->first = *fault;
}

static void work_on_column(struct pass *pass, size_t c)
{
    struct fault fault = {.column = c};
    enum ock_status status = OCK_OK;
    if (pass->examine)
        status = ock_csv_examine(pass->now, pass->table, c, &fault.row, &fault.err);
    if (status == OCK_OK && pass->store) {
        status = ock_csv_put(pass->now, pass->table, c, &fault.row, &fault.err);
        if (pass->examine && status != OCK_OK && status != OCK_NOMEM) {
            status = OCK_OK; /* the second pass meets it again, if no other fault comes before */
#pragma omp atomic write
            pass->unfit = true;
        }
    }
    if (status != OCK_OK)
        note_fault(pass, &fault);
}

/* Any number of threads. Pieces are as many rows as PIECE_FIELDS allow. */
static void work(struct pass *pass)
{
    const struct ock_csv_batch *now = pass->now;
    size_t columns = pass->table->count, rows = now->count;
    size_t piece = PIECE_FIELDS / columns + 1;
    size_t pieces = (rows + piece - 1) / piece;
#pragma omp single nowait
    look_for_next(pass);
#pragma omp single nowait
    write_before(pass);
#pragma omp for schedule(dynamic)
    for (size_t p = 0; p < pieces; p++)
        ock_csv_read(now, pass->table, p * piece, p + 1 < pieces ? (p + 1) * piece : rows);
#pragma omp for schedule(dynamic)
    for (size_t c = 0; c < columns; c++)
        work_on_column(pass, c);
}

/* The same without others; OpenMP is not asked, which ends the process when it has no memory. */
static void work_alone(struct pass *pass)
{
    look_for_next(pass);
    write_before(pass);
    ock_csv_read(pass->now, pass->table, 0, pass->now->count);
    for (size_t c = 0; c < pass->table->count; c++)
        work_on_column(pass, c);
}

static enum ock_status work_on_batch(struct pass *pass, struct ock_err *err)
{
    int threads = pass->table->import->threads;
    bool many = threads > 1 && pass->table->count * pass->now->count >= PARALLEL_FIELDS;
    pass->first = (struct fault){.row = SIZE_MAX, .column = SIZE_MAX};
    if (many) {
#pragma omp parallel num_threads(threads) default(none) firstprivate(pass)
        work(pass);
    } else {
        work_alone(pass);
    }
    if (pass->first.row != SIZE_MAX)
        return ock_fail(err, pass->first.err.status, "%s", pass->first.err.text);
    /* What cannot be written on the way may be the second pass's trouble. */
    if (pass->stored == OCK_OK)
        return OCK_OK;
    if (!pass->examine || pass->stored == OCK_NOMEM)
        return ock_fail(err, pass->stored, "%s", pass->stored_err.text);
    pass->unfit = true;
    return OCK_OK;
}

enum ock_status ock_csv_each_column(const struct ock_csv_batch *batch, struct ock_csv_table *table,
                                    ock_csv_column_fn *work_on, struct ock_err *err)
{
    struct fault first = {.row = SIZE_MAX};
    for (size_t c = 0; c < table->count; c++) {
        struct fault fault = {.column = c};
        if (work_on(batch, table, c, &fault.row, &fault.err) != OCK_OK && fault.row < first.row)
            first = fault;
    }
    if (first.row == SIZE_MAX)
        return OCK_OK;
    return ock_fail(err, first.err.status, "%s", first.err.text);
}

/* Works on rows [begin, begin + count) of those that were found. */
static enum ock_status work_on(struct pass *pass, const struct ock_csv_rows *rows, size_t begin,
                               size_t count, struct ock_err *err)
{
    pass->now = pass->now == &pass->batches[0] ? &pass->batches[1] : &pass->batches[0];
    enum ock_status status = ock_csv_batch_take(pass->now, pass->table, rows, begin, count, err);
    if (status == OCK_OK)
        status = work_on_batch(pass, err);
    pass->before = pass->store ? pass->now : NULL;
    return status;
}

static enum ock_status start(struct pass *pass, struct ock_reader *reader, char delimiter,
                             struct ock_err *err)
{
    enum ock_status status =
        ock_csv_scanner_new(&pass->scanner, reader, delimiter, pass->table->import->out, err);
    if (status != OCK_OK)
        return status;
    look_for_next(pass);
    return OCK_OK;
}

/* Writes what is left. */
static enum ock_status end(struct pass *pass, enum ock_status status, struct ock_err *err)
{
    if (status == OCK_OK && pass->next.status != OCK_OK)
        status = ock_fail(err, pass->next.status, "%s", pass->next.err.text);
    if (status == OCK_OK && pass->before)
        status = ock_csv_store_add(pass->store, pass->before, err);
    ock_csv_scanner_free(pass->scanner);
    ock_room_free(&pass->batches[0].room);
    ock_room_free(&pass->batches[1].room);
    return status;
}

/* The rows that do not belong to the table: the first is refused. */
static enum ock_status refuse_row(const struct ock_csv_table *table, const struct ock_csv_row *row,
                                  size_t rows_max, struct ock_err *err)
{
    size_t found = row->count;
    if (found != table->count)
        return ock_fail(err, OCK_INVALID,
                        "line %zu, column %zu: has %zu field%s, expected the %zu of line %zu",
                        row->line, (found < table->count ? found : table->count) + 1, found,
                        found == 1 ? "" : "s", table->count, table->first_row.line);
    return ock_fail(err, OCK_LIMIT, "line %zu: there are more than %zu rows, the limit", row->line,
                    rows_max);
}

/* Puts and writes a batch at once, on this thread. */
static enum ock_status put_now(struct pass *pass, const struct ock_csv_batch *batch,
                               struct ock_err *err)
{
    enum ock_status status = ock_csv_each_column(batch, pass->table, ock_csv_put, err);
    return status == OCK_OK ? ock_csv_store_add(pass->store, batch, err) : status;
}

static enum ock_status put_first_row(struct pass *pass, struct ock_err *err)
{
    struct ock_csv_batch batch = {.count = 0};
    struct ock_csv_rows rows = ock_csv_first_row(pass->table);
    enum ock_status status = ock_csv_batch_take(&batch, pass->table, &rows, 0, 1, err);
    if (status == OCK_OK) {
        ock_csv_read(&batch, pass->table, 0, 1);
        status = put_now(pass, &batch, err);
    }
    ock_room_free(&batch.room);
    return status;
}

/* By the first batch: what the columns are, so that all rows can be written while they are
 * examined. Whatever is in its way may be seen to when all rows are known. */
static enum ock_status guess(struct pass *pass, struct ock_err *err)
{
    struct ock_err inner = {.status = OCK_OK};
    enum ock_status status = ock_csv_decide(pass->table, false, &inner);
    if (status == OCK_OK)
        status = ock_csv_store_new(&pass->store, pass->table, &inner);
    if (status == OCK_OK && !pass->table->header)
        status = put_first_row(pass, &inner);
    if (status == OCK_OK)
        status = put_now(pass, pass->now, &inner);
    if (status == OCK_NOMEM)
        return ock_fail(err, status, "%s", inner.text);
    pass->unfit = status != OCK_OK;
    pass->before = NULL; /* it is written */
    return OCK_OK;
}

static enum ock_status examine_batch(struct pass *pass, struct ock_err *err)
{
    struct ock_csv_table *table = pass->table;
    size_t rows_max = table->import->rows_max ? table->import->rows_max : OCK_ROWS_MAX;
    const struct ock_csv_rows rows = pass->next.rows;
    size_t begin = table->count == 0 ? 1 : 0, at = begin, rows_before = table->rows;
    enum ock_status status = begin > 0 ? ock_csv_keep_first(table, &rows, err) : OCK_OK;
    if (status != OCK_OK)
        return status;
    while (at < rows.count && rows.items[at].count == table->count && table->rows < rows_max) {
        table->rows++;
        at++;
    }
    status = work_on(pass, &rows, begin, at - begin, err);
    if (status == OCK_OK && at < rows.count)
        status = refuse_row(table, &rows.items[at], rows_max, err);
    if (status == OCK_OK && rows_before == 0 && table->rows > 0)
        status = guess(pass, err);
    if (pass->unfit) {
        ock_csv_store_free(pass->store);
        pass->store = NULL;
        pass->before = NULL;
    }
    return status;
}

enum ock_status ock_csv_first_pass(struct ock_csv_table *table, struct ock_reader *reader,
                                   char delimiter, struct ock_csv_store **store,
                                   struct ock_err *err)
{
    struct pass pass = {.table = table, .examine = true};
    enum ock_status status = start(&pass, reader, delimiter, err);
    while (status == OCK_OK && pass.next.status == OCK_OK && pass.next.rows.count > 0)
        status = examine_batch(&pass, err);
    status = end(&pass, status, err);
    *store = pass.store; /* the caller's in any case */
    return status;
}

static enum ock_status put_batch(struct pass *pass, size_t *row, bool first, struct ock_err *err)
{
    const struct ock_csv_table *table = pass->table;
    const struct ock_csv_rows rows = pass->next.rows;
    size_t begin = first && table->header ? 1 : 0;
    size_t count = rows.count - begin;
    bool same = count <= table->rows - *row;
    for (size_t r = begin; r < rows.count && same; r++)
        same = rows.items[r].count == table->count;
    if (!same)
        return ock_fail(err, OCK_IO, "the file was changed while it was read");
    *row += count;
    return work_on(pass, &rows, begin, count, err);
}

enum ock_status ock_csv_second_pass(struct ock_csv_table *table, struct ock_reader *reader,
                                    char delimiter, struct ock_csv_store *store,
                                    struct ock_err *err)
{
    struct pass pass = {.table = table, .store = store};
    size_t row = 0;
    for (size_t c = 0; c < table->count; c++)
        table->skip[c] = table->places[c].text;
    enum ock_status status = start(&pass, reader, delimiter, err);
    for (bool first = true;
         status == OCK_OK && pass.next.status == OCK_OK && pass.next.rows.count > 0; first = false)
        status = put_batch(&pass, &row, first, err);
    status = end(&pass, status, err);
    if (status == OCK_OK && row != table->rows)
        status = ock_fail(err, OCK_IO, "the file was changed while it was read");
    return status;
}
