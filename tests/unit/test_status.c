/* Goal: an error's text says what the system said, and its status what to do about it. Method: each
 * kind of errno, a missing struct, and texts that are too long. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/status.h"

static const struct {
    int error_number;
    enum ock_status status;
    const char *text;
} cases[] = {
    {ENOENT, OCK_IO, "cannot open x: No such file or directory"},
    {EISDIR, OCK_IO, "cannot open x: Is a directory"},
    {ENOSPC, OCK_NOSPACE, "cannot open x: No space left on device"},
    {EDQUOT, OCK_NOSPACE, "cannot open x: Disk quota exceeded"},
    {ENOMEM, OCK_NOMEM, "cannot open x: Cannot allocate memory"},
    {123456, OCK_IO, "cannot open x: Unknown error 123456"},
};

START_TEST(errno_becomes_words_and_a_status)
{
    struct ock_err err = {0};
    enum ock_status status = ock_fail_errno(&err, cases[_i].error_number, "cannot open %s", "x");
    ck_assert_int_eq(status, cases[_i].status);
    ck_assert_int_eq(err.status, cases[_i].status);
    ck_assert_str_eq(err.text, cases[_i].text);
    ck_assert_int_eq(ock_fail_errno(NULL, cases[_i].error_number, "x"), cases[_i].status);
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char name[2 * OCK_ERR_TEXT_SIZE];
    struct ock_err err;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(ock_fail(&err, OCK_LIMIT, "%s", name), OCK_LIMIT);
    ck_assert_uint_eq(strlen(err.text), OCK_ERR_TEXT_SIZE - 1);
    ck_assert_int_eq(ock_fail_errno(&err, EIO, "%s", name), OCK_IO);
    ck_assert_uint_eq(strlen(err.text), OCK_ERR_TEXT_SIZE - 1);
}
END_TEST

START_TEST(every_status_has_a_name_of_its_own)
{
    for (int a = OCK_OK; a <= OCK_STOPPED; a++) {
        ck_assert_uint_gt(strlen(ock_status_name((enum ock_status)a)), 1);
        for (int b = OCK_OK; b < a; b++)
            ck_assert_str_ne(ock_status_name((enum ock_status)a),
                             ock_status_name((enum ock_status)b));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("status");
    TCase *tests = tcase_create("status");
    tcase_add_loop_test(tests, errno_becomes_words_and_a_status, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tests, long_texts_are_cut);
    tcase_add_test(tests, every_status_has_a_name_of_its_own);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
