/* Bytes as a table: whatever they are, the import ends with a status, what it writes can be opened
 * and verified, and what it refuses leaves nothing behind. The first byte picks the options. */
#include "tests/fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {0, ',', ';', '\t'};
    if (size == 0)
        return 0;
    struct ock_import import = {.format = OCK_FORMAT_CSV,
                                .header = (enum ock_header)(data[0] % 3),
                                .delimiter = delimiters[data[0] / 3 % 4]};
    fuzz_write("in", data + 1, size - 1);
    fuzz_import(import, 0);
    return 0;
}
