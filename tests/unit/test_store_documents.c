/* Documents: what is told is read again to the byte and under its name alone, a later one takes an
 * earlier one's place, none is an event, and they go with their job. */
#include "store_kit.h"

static const struct {
    const char *key, *name;
} keys[] = {
    {"document:layers", "layers"},
    {"document:a_b", "a_b"},
    {"document:abcdefghijklmnopqrstuvwxyz_abcde", "abcdefghijklmnopqrstuvwxyz_abcde"}, /* 32 */
    {"document:abcdefghijklmnopqrstuvwxyz_abcdef", NULL},
    {"document:", NULL},
    {"document", NULL},
    {"", NULL},
    {"layers", NULL},
    {"document:Layers", NULL},
    {"document:layers/..", NULL},
    {"document:layers 1", NULL},
};

START_TEST(name_is_in_the_key)
{
    const char *name = ock_document_name(keys[_i].key);
    ck_assert_int_eq(name != NULL, keys[_i].name != NULL);
    if (name)
        ck_assert_str_eq(name, keys[_i].name);
}
END_TEST

/* The document's text, or NULL; the caller frees it. */
static char *document_of(const char *id, const char *name)
{
    struct ock_err err = {0};
    struct ock_buf out;
    ock_buf_init(&out, OCK_DOCUMENT_BYTES_MAX);
    struct ock_db *db = ock_store_read(kit_store, &err);
    ck_assert_ptr_nonnull(db);
    enum ock_status status = ock_store_document(db, id, name, &out, &err);
    ock_store_read_end(kit_store, db);
    ck_assert(status == OCK_OK || status == OCK_NOTFOUND);
    char *text = status == OCK_OK ? ock_buf_take(&out) : NULL;
    ock_buf_deinit(&out);
    return text;
}

static void expect(const char *id, const char *name, const char *text)
{
    char *got = document_of(id, name);
    ck_assert_int_eq(got != NULL, text != NULL);
    if (got)
        ck_assert_str_eq(got, text);
    free(got);
}

START_TEST(last_told_is_read)
{
    static const struct ock_event_line first[] = {
        {"document", "document:layers", "{\"of\":\"a\",\"long\":\"Gewölbe\"}"},
        {"document", "document:evaluation", "{}"}};
    static const struct ock_event_line again = {"document", "document:layers", "{\"of\":\"a\"}"};
    static const struct ock_event_line other = {"document", "document:layers", "{\"of\":\"b\"}"};
    kit_setup();
    int64_t a = kit_insert("job_a"), b = kit_insert("job_b");
    kit_append(a, "job_a", first, 2);
    kit_append(b, "job_b", &other, 1);
    expect("job_a", "layers", first[0].body);
    kit_append(a, "job_a", &again, 1);
    expect("job_a", "layers", "{\"of\":\"a\"}");
    expect("job_a", "evaluation", "{}");
    expect("job_b", "layers", "{\"of\":\"b\"}");
    expect("job_b", "evaluation", NULL);
    expect("job_c", "layers", NULL);
    /* "queued" alone has a number: documents have none. */
    ck_assert_int_eq(kit_value(kit_path, "SELECT max(seq) FROM jobs"), 1);
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM events"), 2);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    kit_teardown();
}
END_TEST

START_TEST(goes_with_its_job)
{
    static const struct ock_event_line line = {"document", "document:layers", "{\"of\":1}"};
    struct ock_err err = {0};
    char id[] = "job_a";
    kit_setup();
    int64_t a = kit_insert("job_a"), b = kit_insert("job_b");
    kit_append(a, "job_a", &line, 1);
    kit_append(b, "job_b", &line, 1);
    kit_end(a, "job_a", OCK_JOB_SUCCEEDED);
    ck_assert_int_eq(ock_store_delete(kit_store, kit_apply_delete, id, &err), OCK_OK);
    expect("job_a", "layers", NULL);
    expect("job_b", "layers", "{\"of\":1}");
    ck_assert_int_eq(kit_value(kit_path, "SELECT count(*) FROM documents"), 1);
    kit_teardown();
}
END_TEST

static enum ock_status put(struct ock_db *db, void *ctx, struct ock_err *err)
{
    const struct ock_event_line *line = ctx;
    return ock_store_put_document(db, 1, line->key, line->body, err);
}

START_TEST(largest_fits_and_one_byte_more_does_not)
{
    struct ock_err err = {0};
    char *body = malloc(OCK_DOCUMENT_BYTES_MAX + 2);
    ck_assert_ptr_nonnull(body);
    memset(body, 'x', OCK_DOCUMENT_BYTES_MAX);
    body[OCK_DOCUMENT_BYTES_MAX] = '\0';
    struct ock_event_line line = {"document", "document:layers", body};
    kit_setup();
    (void)kit_insert("job_a");
    ck_assert_msg(ock_store_write(kit_store, put, &line, &err) == OCK_OK, "%s", err.text);
    expect("job_a", "layers", body);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    memcpy(body + OCK_DOCUMENT_BYTES_MAX, "x", 2);
    ck_assert_int_eq(ock_store_write(kit_store, put, &line, &err), OCK_INVALID);
    line.key = "layers";
    body[1] = '\0';
    ck_assert_int_eq(ock_store_write(kit_store, put, &line, &err), OCK_INVALID);
    ck_assert_int_eq(kit_wrong_bytes(kit_path), 0);
    kit_teardown();
    free(body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: documents");
    TCase *tcase = tcase_create("documents");
    tcase_add_loop_test(tcase, name_is_in_the_key, 0, sizeof(keys) / sizeof(keys[0]));
    tcase_add_test(tcase, last_told_is_read);
    tcase_add_test(tcase, goes_with_its_job);
    tcase_add_test(tcase, largest_fits_and_one_byte_more_does_not);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
