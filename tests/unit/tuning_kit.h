/* Tuning tables made by hand, for tests of what reads them. */
#ifndef OCK_TESTS_TUNING_KIT_H
#define OCK_TESTS_TUNING_KIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "server/tuning.h"

static inline struct ock_tuning kit_tuning(const char *json)
{
    struct ock_tuning tuning = {0};
    struct ock_err err = {0};
    ck_assert_msg(ock_tuning_parse(&tuning, json, strlen(json), &err) == OCK_OK, "%s", err.text);
    return tuning;
}

/* The texts are the caller's (free). */
static inline char *kit_csv(const char *json)
{
    struct ock_tuning tuning = kit_tuning(json);
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ock_tuning_csv(&tuning, &out);
    ock_tuning_deinit(&tuning);
    return ock_buf_take(&out);
}

static inline char *kit_svg(const char *json, const char *name)
{
    struct ock_tuning tuning = kit_tuning(json);
    struct ock_err err = {0};
    struct ock_buf out;
    ock_buf_init(&out, 16 * OCK_MIB);
    ck_assert_msg(ock_tuning_svg(&tuning, name, &out, &err) == OCK_OK, "%s", err.text);
    ock_tuning_deinit(&tuning);
    return ock_buf_take(&out);
}

static inline int kit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
