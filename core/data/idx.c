/* IDX, the format of MNIST: two zero bytes, a type, a rank, the dimensions as big-endian 32-bit
 * numbers, then the elements in row order, big-endian. */
#include "core/data/array.h"

static bool set_element(struct ock_array *array, unsigned type)
{
    static const struct {
        unsigned type;
        enum ock_element element;
        size_t bytes;
    } types[] = {
        {0x08, OCK_ELEMENT_BYTE, 1},   {0x09, OCK_ELEMENT_SIGNED, 1}, {0x0b, OCK_ELEMENT_SIGNED, 2},
        {0x0c, OCK_ELEMENT_SIGNED, 4}, {0x0d, OCK_ELEMENT_FLOAT, 4},  {0x0e, OCK_ELEMENT_FLOAT, 8},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == type) {
            array->element = types[i].element;
            array->element_bytes = types[i].bytes;
            return true;
        }
    }
    return false;
}

enum ock_status ock_idx_header(struct ock_array *array, struct ock_err *err)
{
    unsigned char magic[4], bytes[4 * OCK_ARRAY_RANK_MAX];
    array->file_format = OCK_FILE_IDX;
    array->format = "IDX";
    array->big_endian = true;
    enum ock_status status = ock_array_read(array, magic, sizeof(magic), 0, err);
    if (status != OCK_OK)
        return status;
    if (magic[0] != 0 || magic[1] != 0 || !set_element(array, magic[2]))
        return ock_fail(err, OCK_INVALID,
                        "%s: byte 0: not IDX, it begins with %02x %02x %02x %02x instead of "
                        "00 00, a type (08, 09, 0b to 0e) and a rank",
                        array->what, magic[0], magic[1], magic[2], magic[3]);
    size_t rank = magic[3];
    if (rank < 1 || rank > OCK_ARRAY_RANK_MAX)
        return ock_fail(err, OCK_INVALID, "%s: byte 3: has %zu dimensions, 1 to %d are read",
                        array->what, rank, OCK_ARRAY_RANK_MAX);
    array->header_bytes = 4 + 4 * rank;
    status = ock_array_read(array, bytes, 4 * rank, 4, err);
    for (size_t i = 0; status == OCK_OK && i < rank; i++) {
        const unsigned char *d = bytes + 4 * i;
        uint32_t dimension =
            (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
        status = ock_array_add_dimension(array, dimension, 4 + 4 * i, err);
    }
    return status;
}
