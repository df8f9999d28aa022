/* Bytes as a packed file, gzip or zstd or neither: reading ends with a status, stays below the limit
 * that is told beforehand, and a second reading from the start gives the same. */
#include "tests/fuzz/fuzz_import.h"

#include "core/data/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All bytes, in pieces of an odd size. */
static enum ock_status read_all(struct ock_reader *reader, uint64_t *count, uint64_t *sum)
{
    static uint8_t piece[4093];
    size_t got = sizeof(piece);
    struct ock_err err = {.text = ""};
    enum ock_status status = ock_reader_rewind(reader, &err);
    *count = *sum = 0;
    while (status == OCK_OK && got == sizeof(piece)) {
        status = ock_reader_read(reader, piece, sizeof(piece), &got, &err);
        for (size_t i = 0; status == OCK_OK && i < got; i++)
            *sum = *sum * 31 + piece[i];
        *count += status == OCK_OK ? got : 0;
    }
    fuzz_check(status == OCK_OK || err.text[0] != '\0', "an error without a text");
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ock_reader *reader = NULL;
    struct ock_err err = {.text = ""};
    uint64_t counts[2], sums[2];
    fuzz_write("in", data, size);
    if (ock_reader_open(&reader, fuzz_path("in"), fuzz_path("out"), &err) != OCK_OK) {
        fuzz_check(err.text[0] != '\0', "an error without a text");
        return 0;
    }
    enum ock_status first = read_all(reader, &counts[0], &sums[0]);
    enum ock_status second = read_all(reader, &counts[1], &sums[1]);
    fuzz_check(first == second && counts[0] == counts[1] && sums[0] == sums[1],
               "a second reading gives something else");
    fuzz_check(counts[0] <= ock_reader_bytes_max(reader), "more bytes than there can be");
    ock_reader_free(reader);
    return 0;
}
