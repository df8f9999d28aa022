/* Ranks find their way down, byte by byte. */
#include "core/data/select.h"

#include <assert.h>

void ock_select_init(struct ock_select *select, unsigned key_bytes)
{
    assert(key_bytes == 4 || key_bytes == 8);
    select->key_bytes = key_bytes;
    select->path_count = 1;
}

void ock_select_want(struct ock_select *select, const size_t *ranks, size_t count)
{
    assert(count <= OCK_SELECT_RANKS_MAX && select->pass == 0);
    memcpy(select->ranks, ranks, count * sizeof(*ranks));
    select->rank_count = count;
}

/* Ranks rise, so their new paths come in order, too: one that was found already is the last one. */
void ock_select_end_pass(struct ock_select *select)
{
    uint64_t paths[OCK_SELECT_RANKS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < select->rank_count; i++) {
        unsigned path = select->path_of[i], digit = 0;
        while (select->ranks[i] >= select->counts[path][digit] && digit < OCK_SELECT_DIGITS - 1)
            select->ranks[i] -= select->counts[path][digit++];
        uint64_t key = select->paths[path] << 8 | digit;
        if (count == 0 || paths[count - 1] != key)
            paths[count++] = key;
        select->path_of[i] = (unsigned)(count - 1);
        if (select->pass < OCK_SELECT_BYTES_MAX - 1)
            select->next[select->pass][path][digit] = (uint8_t)count;
    }
    memcpy(select->paths, paths, count * sizeof(*paths));
    select->path_count = count;
    memset(select->counts, 0, sizeof(select->counts));
    select->pass++;
}

double ock_select_value(const struct ock_select *select, size_t rank_index)
{
    assert(select->pass == select->key_bytes && rank_index < select->rank_count);
    uint64_t key = select->paths[select->path_of[rank_index]];
    if (select->key_bytes == 4) {
        uint32_t bits = (uint32_t)key;
        bits = bits >> 31 ? bits ^ UINT32_C(1) << 31 : ~bits;
        float number;
        memcpy(&number, &bits, sizeof(number));
        return (double)number;
    }
    uint64_t bits = key >> 63 ? key ^ UINT64_C(1) << 63 : ~key;
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}
