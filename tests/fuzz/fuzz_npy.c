/* Bytes as a NumPy array: the first byte says where x ends and the labels begin, in 256ths. */
#include "tests/fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t cut = (size - 1) * data[0] / 255;
    fuzz_write("in", data + 1, cut);
    fuzz_write("labels", data + 1 + cut, size - 1 - cut);
    fuzz_import((struct ock_import){.format = OCK_FORMAT_NPY}, cut < size - 1);
    return 0;
}
