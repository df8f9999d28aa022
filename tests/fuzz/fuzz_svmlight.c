/* Bytes as svmlight. Indices of four digits and more are left to the unit tests: so many columns take
 * too long to look at. */
#include <ctype.h>

#include "tests/fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t digits = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == ':' && digits > 3)
            return 0;
        digits = isdigit(data[i]) ? digits + 1 : 0;
    }
    fuzz_write("in", data, size);
    fuzz_import((struct ock_import){.format = OCK_FORMAT_SVMLIGHT}, 0);
    return 0;
}
