/* Bytes as arrays: the first byte says where x ends and the labels begin, in 256ths. */
#include "tests/fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t cut = (size - 1) * data[0] / 255;
    struct ock_import import = {.format = data[0] % 2 ? OCK_FORMAT_IDX : OCK_FORMAT_AUTO};
    fuzz_write("in", data + 1, cut);
    fuzz_write("labels", data + 1 + cut, size - 1 - cut);
    fuzz_import(import, cut < size - 1);
    return 0;
}
