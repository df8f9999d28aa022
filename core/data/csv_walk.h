/* The state that a CSV's scanner and its walk over unusual rows share. */
#ifndef OCK_DATA_CSV_WALK_H
#define OCK_DATA_CSV_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/room.h"
#include "core/data/csv_scan.h"

/* What a call of next gives: its bytes may be those of the call before. */
struct ock_csv_given {
    struct ock_room fields;
    struct ock_csv_row *rows; /* owned, [rows of a call] */
};

/* How an attempt at a row ended. MORE: it is not whole in the buffer. */
enum ock_outcome { ROW, MORE, END, FAULT };

struct ock_csv_scanner {
    struct ock_reader *reader;
    const char *path;           /* of the rooms' files; NULL: none */
    struct ock_room buffers[2]; /* [capacities + SLACK_BYTES] */
    size_t capacities[2];
    unsigned buffer;        /* the one that is read */
    char *bytes;            /* of it; bytes[end] is a line end, so that loops end */
    size_t begin, end;      /* what is not parsed yet; begin is a line's first byte */
    size_t row_end;         /* of the row that was found: the next one's begin */
    bool begun;             /* something was read */
    bool last;              /* nothing comes behind end */
    bool nul;               /* because there is a NUL */
    size_t line, row_lines; /* of begin, from 1; line ends of the row that was found */
    struct ock_csv_given given[2];
    unsigned turn;                /* the one that is filled */
    struct ock_csv_field *fields; /* of it */
    size_t field_capacity;
    size_t used;  /* fields of the rows that wait to be given */
    size_t count; /* fields behind them: of the row that is looked at */
    size_t row_count;
    char delimiter;
    bool ends[256]; /* bytes that end a field without quotes */
    bool odd[256];  /* bytes that are not simply a field's first or last */
    enum ock_status status;
    struct ock_err *err;
};

/* Room for so many fields; false, with the error noted, if there is none. */
bool ock_csv_grow_fields(struct ock_csv_scanner *scan, size_t capacity);

/* Notes the row whose fields are ended: it waits to be given. */
static inline void ock_csv_note_row(struct ock_csv_scanner *scan)
{
    scan->given[scan->turn].rows[scan->row_count++] =
        (struct ock_csv_row){scan->line, (uint32_t)scan->used, (uint32_t)scan->count};
    scan->used += scan->count;
    scan->begin = scan->row_end;
    scan->line += scan->row_lines;
}

/* Looks for the row at begin and takes it, whatever is in it. */
enum ock_outcome ock_csv_walk_row(struct ock_csv_scanner *scan);

#endif
