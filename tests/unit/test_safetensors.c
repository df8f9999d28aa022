/* Goal: a model file comes back as it was written, bytes where the format says, and no malformed
 * file is taken. Method: one file worked out by hand byte by byte; a round trip; a table of
 * malformed headers made from JSON texts; every prefix of a good file; every allocation failing. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/export/safetensors.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_FAIL_MALLOC 0 /* the sanitizers bring an allocator of their own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAN_FAIL_MALLOC 0
#endif
#endif
#ifndef CAN_FAIL_MALLOC
#define CAN_FAIL_MALLOC 1
#endif

#if CAN_FAIL_MALLOC
/* glibc's own allocator behind a counter: the n-th allocation from now fails (0: none). */
static long fail_after;
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static int fails_now(void)
{
    return fail_after > 0 && --fail_after == 0;
}

void *malloc(size_t size)
{
    return fails_now() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return fails_now() ? NULL : __libc_realloc(block, size);
}
#endif

static char dir[64];
static char path[96];

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ock-safetensors-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/model.safetensors", dir);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing else is left behind, no .tmp either */
}

static void put_file(const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
}

static size_t get_file(unsigned char *bytes, size_t size)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t got = fread(bytes, 1, size, f);
    ck_assert_int_eq(fclose(f), 0);
    return got;
}

/* A file of the header text and data_size bytes 0, 1, 2, …. */
static void put_header(const char *header, size_t data_size)
{
    unsigned char bytes[4096];
    uint64_t length = strlen(header);
    ck_assert_uint_le(8 + length + data_size, sizeof(bytes));
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_size; i++)
        bytes[8 + length + i] = (unsigned char)i;
    put_file(bytes, 8 + length + data_size);
}

static const float weight[6] = {1.0f, -2.5f, 0.0f, 3e-40f, 1e30f, -0.0f};
static const float bias[2] = {0.5f, 0.25f};
static const struct ock_tensor two[2] = {
    {.name = "0.weight", .dims = 2, .shape = {2, 3}, .data = weight},
    {.name = "0.bias", .dims = 1, .shape = {2}, .data = bias},
};

START_TEST(file_is_as_worked_out_by_hand)
{
    static const struct ock_metadata meta[1] = {{"format", "ockham"}};
    /* Spaces follow up to a multiple of 8, so that the data can be used where they stand. */
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"ockham\"},"
        "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}}";
    uint64_t bytes = 0;
    char sha[OCK_SHA256_TEXT_SIZE] = "";
    struct ock_err err;
    ck_assert_int_eq(ock_safetensors_write(path, two, 2, meta, 1, &bytes, sha, &err), OCK_OK);

    unsigned char file[1024];
    size_t size = get_file(file, sizeof(file));
    uint64_t length = (sizeof(header) - 1 + 7) / 8 * 8;
    ck_assert_uint_eq(size, 8 + length + 32);
    ck_assert_uint_eq(bytes, size);
    ck_assert_mem_eq(file, &length, 8);
    ck_assert_mem_eq(file + 8, header, sizeof(header) - 1);
    for (size_t i = 8 + sizeof(header) - 1; i < 8 + length; i++)
        ck_assert_int_eq(file[i], ' ');
    ck_assert_mem_eq(file + 8 + length, weight, 24);
    ck_assert_mem_eq(file + 8 + length + 24, bias, 8);

    struct ock_sha256 again;
    char want[OCK_SHA256_TEXT_SIZE];
    ock_sha256_init(&again);
    ock_sha256_add(&again, file, size);
    ock_sha256_text(&again, want);
    ck_assert_str_eq(sha, want);
}
END_TEST

START_TEST(round_trip_keeps_bits_shapes_and_metadata)
{
    static const struct ock_metadata meta[2] = {{"spec", "{\"l2\": 1e-4, \"name\": \"\\u00e4\"}"},
                                                {"classes", "[\"a\\\"b\",\"\xc3\xa4\"]"}};
    struct ock_tensor many[5] = {two[0], two[1]};
    snprintf(many[2].name, OCK_TENSOR_NAME_SIZE, "scalar");
    many[2].data = bias;
    snprintf(many[3].name, OCK_TENSOR_NAME_SIZE, "empty");
    many[3].dims = 2;
    many[3].shape[0] = 0;
    many[3].shape[1] = 7;
    memset(many[4].name, 'x', OCK_TENSOR_NAME_SIZE - 1); /* the longest name */
    many[4].dims = 4;
    for (size_t i = 0; i < 4; i++)
        many[4].shape[i] = i == 1 ? 6 : 1;
    many[4].data = weight;
    struct ock_err err;
    ck_assert_int_eq(ock_safetensors_write(path, many, 5, meta, 2, NULL, NULL, &err), OCK_OK);

    struct ock_safetensors *file = NULL;
    ck_assert_msg(ock_safetensors_open(&file, path, &err) == OCK_OK, "%s", err.text);
    size_t count = 0;
    const struct ock_tensor *tensors = ock_safetensors_tensors(file, &count);
    ck_assert_uint_eq(count, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_str_eq(tensors[i].name, many[i].name);
        ck_assert_uint_eq(tensors[i].dims, many[i].dims);
        ck_assert_mem_eq(tensors[i].shape, many[i].shape, many[i].dims * sizeof(size_t));
    }
    ck_assert_mem_eq(tensors[0].data, weight, sizeof(weight));
    ck_assert_mem_eq(tensors[2].data, bias, sizeof(float));
    ck_assert_mem_eq(tensors[4].data, weight, sizeof(weight));
    ck_assert_ptr_eq(ock_safetensors_find(file, "0.bias"), &tensors[1]);
    ck_assert_ptr_null(ock_safetensors_find(file, "0.Bias"));
    ck_assert_str_eq(ock_safetensors_metadata(file, "spec"), meta[0].value);
    ck_assert_str_eq(ock_safetensors_metadata(file, "classes"), meta[1].value);
    ck_assert_ptr_null(ock_safetensors_metadata(file, "Spec"));
    ock_safetensors_free(file);
    ock_safetensors_free(NULL);
}
END_TEST

START_TEST(other_writers_files_are_read)
{
    /* Tensors out of order, another type between them, spaces, no metadata, an unaligned start. */
    put_header("{ \"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[6,10]},"
               "\"half\":{\"shape\":[1],\"dtype\":\"F16\",\"data_offsets\":[4,6]},"
               "\"new\":{\"shape\":[3,3,3,3,3],\"dtype\":\"F4\",\"data_offsets\":[10,11]},"
               "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}  ",
               11);
    struct ock_safetensors *file = NULL;
    struct ock_err err;
    ck_assert_msg(ock_safetensors_open(&file, path, &err) == OCK_OK, "%s", err.text);
    size_t count = 0;
    const struct ock_tensor *tensors = ock_safetensors_tensors(file, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(tensors[0].name, "b");
    ck_assert_mem_eq(tensors[0].data, "\6\7\10\11", 4);
    ck_assert_mem_eq(tensors[1].data, "\0\1\2\3", 4);
    ck_assert_ptr_null(ock_safetensors_find(file, "half"));
    ck_assert_ptr_null(ock_safetensors_metadata(file, "format"));
    ock_safetensors_free(file);
}
END_TEST

START_TEST(pytorchs_file_is_read)
{
    static const struct {
        const char *name;
        size_t dims, shape[2];
    } want[] = {{"0.weight", 2, {24, 12}}, {"0.bias", 1, {24}},      {"2.weight", 2, {16, 24}},
                {"2.bias", 1, {16}},       {"4.weight", 2, {4, 16}}, {"4.bias", 1, {4}}};
    struct ock_safetensors *file = NULL;
    struct ock_err err = {0};
    enum ock_status status =
        ock_safetensors_open(&file, OCK_GOLDEN "/init-12-24-16-4.safetensors", &err);
    ck_assert_msg(status == OCK_OK, "%s", err.text);
    size_t count = 0;
    const struct ock_tensor *tensors = ock_safetensors_tensors(file, &count);
    ck_assert_uint_eq(count, sizeof(want) / sizeof(want[0]));
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(tensors[i].name, want[i].name);
        ck_assert_uint_eq(tensors[i].dims, want[i].dims);
        ck_assert_mem_eq(tensors[i].shape, want[i].shape, want[i].dims * sizeof(size_t));
    }
    /* Read by another program (Python's struct), in hexadecimal: no rounding. */
    const float first = -0x1.c2f8a20000000p-2f, first_bias = -0x1.8666ee0000000p-6f,
                last_bias = -0x1.784bb60000000p-3f;
    ck_assert_mem_eq(&tensors[0].data[0], &first, sizeof(float));
    ck_assert_mem_eq(&tensors[1].data[0], &first_bias, sizeof(float));
    ck_assert_mem_eq(&tensors[5].data[3], &last_bias, sizeof(float));
    ock_safetensors_free(file);
}
END_TEST

START_TEST(no_tensors_is_a_file_too)
{
    struct ock_err err;
    ck_assert_int_eq(ock_safetensors_write(path, NULL, 0, NULL, 0, NULL, NULL, &err), OCK_OK);
    struct ock_safetensors *file = NULL;
    ck_assert_int_eq(ock_safetensors_open(&file, path, &err), OCK_OK);
    size_t count = 1;
    ock_safetensors_tensors(file, &count);
    ck_assert_uint_eq(count, 0);
    ock_safetensors_free(file);
}
END_TEST

#define F32(name, shape, begin, end)                                                               \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define NAME_64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* A good header first, to see that the table's frame itself is right. */
static const struct malformed {
    const char *header;
    size_t data_size;
    enum ock_status status;
    const char *says; /* part of the error's text */
} malformed[] = {
    {"{" F32("a", "[2]", "0", "8") "}", 8, OCK_OK, ""},
    {"", 0, OCK_INVALID, "begin"},
    {"[]", 0, OCK_INVALID, "begin"},
    {" {}", 0, OCK_INVALID, "begin"},
    {"{", 0, OCK_INVALID, "header"},
    {"{} x", 0, OCK_INVALID, "header"},
    {"{\"a\":\xff}", 0, OCK_INVALID, "header"},
    {"{\"a\":NaN}", 0, OCK_INVALID, "header"},
    {"{\"a\":1}", 0, OCK_INVALID, "not an object"},
    {"{\"a\":{}}", 0, OCK_INVALID, "dtype"},
    {"{\"a\":{\"dtype\":32,\"shape\":[],\"data_offsets\":[0,4]}}", 4, OCK_INVALID, "dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, OCK_INVALID, "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, OCK_INVALID, "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":4}}", 4, OCK_INVALID, "offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[]}}", 4, OCK_INVALID, "offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4, OCK_INVALID,
     "offsets"},
    {"{" F32("a", "[1]", "-4", "0") "}", 4, OCK_INVALID, "offsets"},
    {"{" F32("a", "[1]", "0", "4.5") "}", 4, OCK_INVALID, "offsets"},
    {"{" F32("a", "[1]", "\"0\"", "4") "}", 4, OCK_INVALID, "offsets"},
    {"{" F32("a", "[1]", "4", "0") "}", 4, OCK_INVALID, "not within"},
    {"{" F32("a", "[2]", "0", "8") "}", 7, OCK_INVALID, "not within"},
    {"{" F32("a", "[1]", "9007199254740991", "9007199254740995") "}", 4, OCK_INVALID, "offsets"},
    {"{" F32("a", "[1]", "0", "1e999") "}", 4, OCK_INVALID, "header"},
    {"{" F32("a", "[-1]", "0", "4") "}", 4, OCK_INVALID, "whole"},
    {"{" F32("a", "[0.5]", "0", "2") "}", 2, OCK_INVALID, "whole"},
    {"{" F32("a", "[null]", "0", "4") "}", 4, OCK_INVALID, "whole"},
    {"{" F32("a", "2", "0", "8") "}", 8, OCK_INVALID, "shape"},
    {"{" F32("a", "[3]", "0", "8") "}", 8, OCK_INVALID, "fit"},
    {"{" F32("a", "[]", "0", "8") "}", 8, OCK_INVALID, "fit"},
    {"{" F32("a", "[4294967296,4294967296]", "0", "0") "}", 0, OCK_INVALID, "fit"},
    {"{" F32("a", "[4503599627370496,1024,0]", "0", "0") "}", 0, OCK_INVALID, "fit"},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, OCK_INVALID, "fit"},
    {"{" F32("a", "[1,1,1,1,1]", "0", "4") "}", 4, OCK_LIMIT, "4 dimensions"},
    {"{" F32(NAME_64, "[1]", "0", "4") "}", 4, OCK_LIMIT, "63 bytes"},
    {"{" F32("a", "[2]", "0", "8") "," F32("b", "[1]", "4", "8") "}", 8, OCK_INVALID, "overlap"},
    {"{" F32("a", "[1]", "0", "4") "," F32("b", "[1]", "0", "4") "}", 4, OCK_INVALID, "overlap"},
    {"{" F32("a", "[1]", "0", "4") "," F32("b", "[1]", "8", "12") "}", 12, OCK_INVALID, "hole"},
    {"{" F32("a", "[1]", "4", "8") "}", 8, OCK_INVALID, "hole"},
    {"{" F32("a", "[1]", "0", "4") "}", 9, OCK_INVALID, "5 bytes behind"},
    {"{}", 1, OCK_INVALID, "1 bytes behind"},
    {"{" F32("a", "[1]", "0", "4") "," F32("a", "[1]", "4", "8") "}", 8, OCK_INVALID, "header"},
    {"{\"__metadata__\":[]}", 0, OCK_INVALID, "__metadata__"},
    {"{\"__metadata__\":{\"n\":1}}", 0, OCK_INVALID, "not a string"},
};

START_TEST(malformed_header_is_refused)
{
    const struct malformed *t = &malformed[_i];
    put_header(t->header, t->data_size);
    struct ock_safetensors *file = NULL;
    struct ock_err err = {0};
    enum ock_status status = ock_safetensors_open(&file, path, &err);
    ck_assert_msg(status == t->status, "%s: %s: %s", t->header, ock_status_name(status), err.text);
    ck_assert_int_eq(file != NULL, t->status == OCK_OK);
    ck_assert_msg(strstr(err.text, t->says) != NULL, "%s: %s", t->header, err.text);
    ock_safetensors_free(file);
}
END_TEST

START_TEST(every_prefix_is_refused)
{
    struct ock_err err;
    unsigned char bytes[1024];
    ck_assert_int_eq(ock_safetensors_write(path, two, 2, NULL, 0, NULL, NULL, &err), OCK_OK);
    size_t size = get_file(bytes, sizeof(bytes));
    for (size_t cut = 0; cut < size; cut++) {
        put_file(bytes, cut);
        struct ock_safetensors *file = NULL;
        ck_assert_int_eq(ock_safetensors_open(&file, path, &err), OCK_INVALID);
        ck_assert_ptr_null(file);
    }
}
END_TEST

START_TEST(header_length_beyond_the_limits)
{
    unsigned char bytes[16] = {0};
    struct ock_safetensors *file = NULL;
    struct ock_err err;
    memset(bytes, 0xff, 8);
    put_file(bytes, sizeof(bytes));
    ck_assert_int_eq(ock_safetensors_open(&file, path, &err), OCK_INVALID);
    uint64_t length = OCK_JSON_BYTES_MAX + 1;
    memcpy(bytes, &length, 8);
    put_file(bytes, sizeof(bytes));
    ck_assert_int_eq(truncate(path, (off_t)(length + 8)), 0); /* sparse: takes no room */
    ck_assert_int_eq(ock_safetensors_open(&file, path, &err), OCK_LIMIT);
    ck_assert_ptr_null(file);
}
END_TEST

START_TEST(missing_file_and_directory)
{
    struct ock_safetensors *file = NULL;
    struct ock_err err;
    ck_assert_int_eq(ock_safetensors_open(&file, path, &err), OCK_NOTFOUND);
    ck_assert_int_ne(ock_safetensors_write("/no/such/dir/m", two, 2, NULL, 0, NULL, NULL, &err),
                     OCK_OK);
}
END_TEST

START_TEST(a_tensor_beyond_64_bits_is_refused)
{
    struct ock_tensor huge = {
        .name = "huge", .dims = 2, .shape = {(size_t)1 << 40, (size_t)1 << 40}};
    struct ock_err err;
    ck_assert_int_eq(ock_safetensors_write(path, &huge, 1, NULL, 0, NULL, NULL, &err), OCK_LIMIT);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

#if CAN_FAIL_MALLOC
START_TEST(every_allocation_failing_once)
{
    static const struct ock_metadata meta[1] = {{"format", "ockham"}};
    struct ock_err err;
    long n = 0;
    enum ock_status status = OCK_NOMEM;
    for (n = 1; status != OCK_OK && n < 1000; n++) {
        uint64_t bytes = 77;
        fail_after = n;
        status = ock_safetensors_write(path, two, 2, meta, 1, &bytes, NULL, &err);
        fail_after = 0;
        if (status != OCK_OK) {
            ck_assert_int_eq(status, OCK_NOMEM);
            ck_assert_uint_eq(bytes, 77);
            ck_assert_int_ne(access(path, F_OK), 0);
        }
    }
    ck_assert_int_gt(n, 2);
    ck_assert_int_eq(status, OCK_OK);

    status = OCK_NOMEM;
    for (n = 1; status != OCK_OK && n < 1000; n++) {
        struct ock_safetensors *file = NULL;
        fail_after = n;
        status = ock_safetensors_open(&file, path, &err);
        fail_after = 0;
        ck_assert_int_eq(file != NULL, status == OCK_OK);
        if (status != OCK_OK)
            ck_assert_int_eq(status, OCK_NOMEM);
        ock_safetensors_free(file);
    }
    ck_assert_int_gt(n, 5);
    ck_assert_int_eq(status, OCK_OK);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("safetensors");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, file_is_as_worked_out_by_hand);
    tcase_add_test(tests, round_trip_keeps_bits_shapes_and_metadata);
    tcase_add_test(tests, other_writers_files_are_read);
    tcase_add_test(tests, pytorchs_file_is_read);
    tcase_add_test(tests, no_tensors_is_a_file_too);
    tcase_add_loop_test(tests, malformed_header_is_refused, 0,
                        sizeof(malformed) / sizeof(malformed[0]));
    tcase_add_test(tests, every_prefix_is_refused);
    tcase_add_test(tests, header_length_beyond_the_limits);
    tcase_add_test(tests, missing_file_and_directory);
    tcase_add_test(tests, a_tensor_beyond_64_bits_is_refused);
#if CAN_FAIL_MALLOC
    tcase_add_test(tests, every_allocation_failing_once);
#endif
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
