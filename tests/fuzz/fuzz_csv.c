/* Bytes as a table: whatever they are, the import ends with a status, what it writes can be opened
 * and verified, what it refuses leaves nothing behind. The first
 * byte picks header and delimiter, the second the types and the words for missing values; with its
 * highest bit the bytes are read as they are, packed or not, without options. */
#include "tests/fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {0, ',', ';', '\t', ' ', '|', 'a'};
    static const char *const types[] = {NULL, "0:number", "0:category,-1:boolean", "a:category",
                                        "{\"a\":\"boolean\"}"};
    static const char *const missing[] = {NULL, "", "-,none", "1,-999"};
    if (size < 2)
        return 0;
    struct ock_import import = {.format = OCK_FORMAT_CSV,
                                .header = (enum ock_header)(data[0] % 3),
                                .delimiter = delimiters[data[0] / 3 % 7],
                                .types = types[data[1] % 5],
                                .missing = missing[data[1] / 5 % 4],
                                .threads = 1 + data[1] / 20 % 2};
    if (data[1] & 0x80)
        import = (struct ock_import){.format = OCK_FORMAT_AUTO};
    fuzz_write("in", data + 2, size - 2);
    fuzz_import(import, 0);
    return 0;
}
