/* What a user tells of a CSV: types of columns, words for missing values, any delimiter; quotes between
 * tabs; and that threads, which are told too, change nothing. */
#include "tests/unit/data_kit.h"

#include "core/base/buf.h"

/* What is told of the columns of a table, and the table. */
static const struct {
    const char *text, *types, *missing;
    char delimiter;
    enum ock_status status;
    const char *says[2];
} told[] = {
    {"zip,y\n10,1\n9,2\n", "zip:category", NULL, 0, OCK_OK, {"", ""}},
    {"zip,y\n10,1\n9,2\n", "0:category,-1:number", NULL, 0, OCK_OK, {"", ""}},
    {"zip,y\n10,1\n9,2\n", "zap:category", NULL, 0, OCK_INVALID, {"types", "\"zip\""}},
    {"zip,y\n10,1\n9,2\n", "2:number", NULL, 0, OCK_INVALID, {"types", "0 to 1"}},
    {"zip,y\n10,1\n9,2\n", "zip:number,0:number", NULL, 0, OCK_INVALID, {"types", "twice"}},
    {"zip,y\n10,1\n9,2\n", "zip:number,zip:number", NULL, 0, OCK_INVALID, {"types", "twice"}},
    {"zip,y\n10,1\n9,2\n", "zip:text", NULL, 0, OCK_INVALID, {"types: \"zip\"", "\"text\""}},
    {"zip,y\n10,1\n9,2\n", "zip", NULL, 0, OCK_INVALID, {"types", "column:type"}},
    {"zip,y\n10,1\n9,2\n", ":number", NULL, 0, OCK_INVALID, {"types", "column:type"}},
    {"zip,y\n10,1\n9,2\n", "{\"zip\":\"category\"}", NULL, 0, OCK_OK, {"", ""}},
    {"zip,y\n10,1\n9,2\n", "{\"zip\":1}", NULL, 0, OCK_INVALID, {"types", "\"zip\""}},
    {"zip,y\n10,1\n9,2\n", "{\"zip\":", NULL, 0, OCK_INVALID, {"types", "line 1"}},
    {"a:b,y\n1,x\n", "a:b:category", NULL, 0, OCK_OK, {"", ""}},
    {"\"a,b\",y\n1,x\n", "{\"a,b\":\"category\"}", NULL, 0, OCK_OK, {"", ""}},
    {"age,y\n1,x\nold,x\n",
     "age:number",
     NULL,
     0,
     OCK_INVALID,
     {"line 3, column 1 (\"age\"): expected a number", "found \"old\""}},
    {"age,y\n1,x\ninf,x\n", "age:number", NULL, 0, OCK_INVALID, {"line 3, column 1", "infinite"}},
    {"age,y\ninf,x\n1,x\n", "age:category", NULL, 0, OCK_OK, {"", ""}},
    {"m,y\n1,x\n0,x\n\n,z\n", "m:boolean", NULL, 0, OCK_OK, {"", ""}},
    {"m,y\nyes,x\nYES,x\n", "m:boolean", NULL, 0, OCK_OK, {"", ""}},
    {"m,y\nyes,x\ntrue,x\n", "m:boolean", NULL, 0, OCK_INVALID, {"line 3", "a boolean"}},
    {"m,y\n2,x\n", "m:boolean", NULL, 0, OCK_INVALID, {"line 2, column 1 (\"m\")", "a boolean"}},
    {"a,y\n1,x\n-,x\n-999,x\n", "a:number", "-,-999", 0, OCK_OK, {"", ""}},
    {"a,y\n1,x\nNA,x\n", "a:number", "-", 0, OCK_INVALID, {"line 3", "\"NA\""}},
    {"a,y\n1,x\n,x\n", "a:number", "", 0, OCK_OK, {"", ""}},
    {"a y\n1 x\n2 x\n", "a:number", NULL, ' ', OCK_OK, {"", ""}},
    {"a~y\n1~x\n2~x\n", "a:number", NULL, '~', OCK_OK, {"", ""}},
    {"a\ty\n1\t\"x\" z\n2\t\"x\n", "a:number", NULL, 0, OCK_OK, {"", ""}},
};

START_TEST(what_is_told_of_columns_holds)
{
    struct ock_err err = {.text = ""};
    struct ock_import import = {
        .types = told[_i].types, .missing = told[_i].missing, .delimiter = told[_i].delimiter};
    kit_write("in", told[_i].text, strlen(told[_i].text));
    enum ock_status status = kit_import(import, 0, &err);
    ck_assert_msg(status == told[_i].status, "%s: %s", ock_status_name(status), err.text);
    for (size_t i = 0; i < 2; i++)
        ck_assert_msg(strstr(err.text, told[_i].says[i]) != NULL, "%s", err.text);
}
END_TEST

START_TEST(told_types_are_in_the_schema)
{
    struct ock_import import = {.types = "zip:category,m:boolean,t:category",
                                .missing = "-999,none"};
    struct ock_dataset *dataset =
        kit_csv("zip,m,t,n\n10,1,true,-999\n9,0,false,NONE\n9.0,,true,3\n", import);
    const struct ock_column *zip = kit_column(dataset, "zip");
    ck_assert_int_eq(zip->type, OCK_COLUMN_CATEGORY);
    ck_assert_uint_eq(zip->value_count, 2); /* 9 and 9.0 are one, and by value it is the first */
    ck_assert_str_eq(zip->values[0], "9");
    ck_assert_str_eq(kit_text(dataset, "zip", 2), "9");
    ck_assert(kit_column(dataset, "m")->boolean);
    ck_assert_uint_eq(kit_column(dataset, "m")->missing, 1);
    ck_assert_str_eq(kit_text(dataset, "m", 0), "1");
    ck_assert(!kit_column(dataset, "t")->boolean); /* found as one, told to be none */
    ck_assert_uint_eq(kit_column(dataset, "n")->missing, 2);
    ck_assert_double_eq(kit_number(dataset, "n", 2), 3);
    struct ock_buf text;
    ock_buf_init(&text, 1 << 16);
    ock_schema_write(ock_dataset_schema(dataset), 10, &text);
    ck_assert_ptr_nonnull(strstr(text.data, "{\"name\":\"m\",\"type\":\"boolean\""));
    ck_assert_ptr_nonnull(strstr(text.data, "{\"name\":\"t\",\"type\":\"category\""));
    ock_buf_deinit(&text);
    ock_dataset_free(dataset);
}
END_TEST

/* "p,q" over text alone is a header or not; a type for p says that it is. */
START_TEST(a_told_name_makes_a_header)
{
    struct ock_import import = {.types = "p:number"};
    struct ock_dataset *dataset = kit_csv("p,p2,7\n1,2,3\n4,5,6\n", import);
    ck_assert_uint_eq(ock_dataset_schema(dataset)->rows, 2);
    ock_dataset_free(dataset);
}
END_TEST

START_TEST(quotes_between_tabs_are_characters)
{
    struct ock_dataset *dataset = kit_csv(
        "n\ty\n1\t\"so\" he said\n2\t\"whole \"\"one\"\"\"\n3\tit is 5\"\n4\t\"open\n5\t\"\"\n",
        (struct ock_import){0});
    ck_assert_str_eq(kit_text(dataset, "y", 0), "\"so\" he said");
    ck_assert_str_eq(kit_text(dataset, "y", 1), "whole \"one\"");
    ck_assert_str_eq(kit_text(dataset, "y", 2), "it is 5\"");
    ck_assert_str_eq(kit_text(dataset, "y", 3), "\"open");
    ck_assert_uint_eq(kit_column(dataset, "y")->missing, 1);
    ock_dataset_free(dataset);
}
END_TEST

/* Enough fields that threads are asked for; a text in a told column is found by the first line. */
START_TEST(threads_change_nothing)
{
    static char text[400000];
    size_t used = (size_t)snprintf(text, sizeof(text), "a,b,c,y\n");
    for (size_t i = 0; i < 9000; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%zu,%zu.%zu,t%zu,%zu\n", i,
                                 i % 7, i % 100, i % 50, i % 3);
    kit_write("in", text, used);
    struct ock_err err = {.text = ""};
    struct ock_import import = {.source = kit_path("in"), .out = kit_path("other")};
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    import.threads = 3;
    import.out = kit_path("out");
    ck_assert_msg(ock_import_run(&import, &err) == OCK_OK, "%s", err.text);
    struct ock_dataset *one = kit_open("other");
    struct ock_dataset *three = kit_open("out");
    ck_assert_str_eq(ock_dataset_sha256(one), ock_dataset_sha256(three));
    ock_dataset_free(one);
    ock_dataset_free(three);

    (void)unlink(kit_path("out"));
    import.types = "c:number,b:boolean";
    ck_assert_int_eq(ock_import_run(&import, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "line 2, column 2") != NULL, "%s", err.text);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("data_csv_told");
    TCase *tcase = tcase_create("told");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_add_loop_test(tcase, what_is_told_of_columns_holds, 0, COUNT(told));
    tcase_add_test(tcase, told_types_are_in_the_schema);
    tcase_add_test(tcase, a_told_name_makes_a_header);
    tcase_add_test(tcase, quotes_between_tabs_are_characters);
    tcase_add_test(tcase, threads_change_nothing);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
