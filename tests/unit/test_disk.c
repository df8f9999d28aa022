/* When a disk counts as full, worked by hand: on a large one below 64 MiB, on one of 128 MiB below
 * 8, and it stays so up to twice as much. */
#include <check.h>
#include <stdlib.h>

#include "server/disk.h"

#define MIB ((uint64_t)1 << 20)

static const struct {
    uint64_t free_bytes, total_bytes;
    bool was_low, low;
} cases[] = {
    {64 * MIB, 100000 * MIB, false, false}, {64 * MIB - 1, 100000 * MIB, false, true},
    {64 * MIB, 100000 * MIB, true, true},   {128 * MIB - 1, 100000 * MIB, true, true},
    {128 * MIB, 100000 * MIB, true, false}, {8 * MIB, 128 * MIB, false, false},
    {8 * MIB - 1, 128 * MIB, false, true},  {16 * MIB - 1, 128 * MIB, true, true},
    {16 * MIB, 128 * MIB, true, false},     {0, 1, false, false},
};

START_TEST(bound_and_its_return)
{
    struct ock_disk disk = {cases[_i].free_bytes, cases[_i].total_bytes};
    ck_assert_int_eq(ock_disk_is_low(&disk, cases[_i].was_low), cases[_i].low);
}
END_TEST

START_TEST(real_disk_is_seen)
{
    struct ock_disk disk = {0};
    ck_assert(ock_disk_look(&disk, "/"));
    ck_assert_uint_gt(disk.total_bytes, 0);
    ck_assert_uint_le(disk.free_bytes, disk.total_bytes);
    ck_assert(!ock_disk_look(&disk, "/no such directory"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk");
    TCase *tcase = tcase_create("disk");
    tcase_add_loop_test(tcase, bound_and_its_return, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_test(tcase, real_disk_is_seen);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
