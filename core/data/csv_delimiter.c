/* Which character cuts a CSV's lines, from the first of them. */
#include <stdbool.h>
#include <stdlib.h>

#include "core/data/csv_scan.h"

enum { PIECE_BYTES = 1 << 16, SNIFFED_LINES = 20 };

/* How often c stands outside quotes in each of the first whole lines; returns the lines. */
static size_t count_in_lines(const char *bytes, size_t size, char c, size_t counts[SNIFFED_LINES])
{
    size_t line = 0;
    bool quoted = false;
    bool blank = true;
    counts[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            line += !blank;
            if (line == SNIFFED_LINES)
                return line;
            counts[line] = 0;
            blank = true;
            continue;
        }
        blank = false;
        counts[line] += bytes[i] == c;
    }
    return line > 0 ? line : line + !blank;
}

enum ock_status ock_csv_delimiter(struct ock_reader *reader, char *delimiter, struct ock_err *err)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    char *bytes = malloc(PIECE_BYTES);
    if (!bytes)
        return ock_fail(err, OCK_NOMEM, "out of memory for reading");
    size_t got = 0;
    enum ock_status status = ock_reader_rewind(reader, err);
    if (status == OCK_OK)
        status = ock_reader_read(reader, bytes, PIECE_BYTES, &got, err);

    /* Best is the candidate that is in all lines, most often as often as in the first one; among
     * equals the one that makes more columns. */
    size_t best_same = 0, best_count = 0;
    *delimiter = ',';
    for (size_t i = 0; status == OCK_OK && i < sizeof(candidates); i++) {
        size_t counts[SNIFFED_LINES];
        size_t lines = count_in_lines(bytes, got, candidates[i], counts);
        size_t same = 0;
        for (size_t line = 0; line < lines && counts[0] > 0; line++)
            same += counts[line] == counts[0];
        if (same > best_same || (same == best_same && same > 0 && counts[0] > best_count)) {
            best_same = same;
            best_count = counts[0];
            *delimiter = candidates[i];
        }
    }
    free(bytes);
    return status;
}
