/* What the spec's tests share: parse a text, show the faults, a small schema. */
#ifndef OCK_TESTS_SPEC_KIT_H
#define OCK_TESTS_SPEC_KIT_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/train/spec.h"

static struct ock_faults kit_faults;
static struct ock_err kit_err;

/* Parses a spec's text; NULL when there are faults. The text itself must be JSON. */
static inline struct ock_spec *kit_parse_for(const char *text, bool need_dataset)
{
    struct ock_spec *spec = NULL;
    cJSON *json = NULL;
    memset(&kit_faults, 0, sizeof(kit_faults));
    memset(&kit_err, 0, sizeof(kit_err));
    ck_assert_msg(ock_json_parse(&json, text, strlen(text), &kit_faults, &kit_err) == OCK_OK,
                  "%s: %s", text, kit_err.text);
    enum ock_status status = ock_spec_parse(&spec, json, need_dataset, &kit_faults, &kit_err);
    cJSON_Delete(json);
    ck_assert((status == OCK_OK) == (spec != NULL));
    ck_assert((status == OCK_OK) == (kit_faults.count == 0));
    return spec;
}

static inline struct ock_spec *kit_parse(const char *text)
{
    return kit_parse_for(text, false);
}

/* The faults as one text for messages. Borrowed until the next call. */
static inline const char *kit_show_faults(void)
{
    static struct ock_buf out;
    out.size_max = OCK_MIB;
    ock_buf_clear(&out);
    ock_faults_write(&kit_faults, &out);
    return out.data;
}

/* A spec without faults. */
static inline struct ock_spec *kit_good(const char *text)
{
    struct ock_spec *spec = kit_parse(text);
    ck_assert_msg(spec != NULL, "%s: %s", text, spec ? "" : kit_show_faults());
    return spec;
}

/* Exactly this one fault, at the pointer, with code and suggestion (NULL: none). */
static inline void kit_only_fault(const char *text, const char *pointer, const char *code,
                                  const char *suggestion)
{
    ck_assert_msg(kit_faults.count == 1, "%s: %s", text, kit_show_faults());
    const struct ock_fault *fault = &kit_faults.items[0];
    ck_assert_msg(strcmp(fault->pointer, pointer) == 0 && strcmp(fault->code, code) == 0, "%s: %s",
                  text, kit_show_faults());
    ck_assert_msg(strcmp(fault->suggestion, suggestion ? suggestion : "") == 0, "%s: %s", text,
                  kit_show_faults());
    ck_assert_uint_gt(strlen(fault->detail), 5);
}

/* The text that a spec writes; owned by the caller. */
static inline char *kit_write(const struct ock_spec *spec)
{
    struct ock_buf out;
    ock_buf_init(&out, OCK_MIB);
    ock_spec_write(spec, &out);
    char *text = ock_buf_take(&out);
    ck_assert_ptr_nonnull(text);
    return text;
}

static inline int kit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
