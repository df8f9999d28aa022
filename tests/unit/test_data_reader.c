/* What was packed by zstd: the same bytes in pieces of any size, frames, and files that are cut,
 * damaged, or bombs. gzip's are in test_data_import_csv.c. */
#include <zstd.h>

#include "core/base/limits.h"
#include "core/data/reader.h"
#include "tests/unit/data_kit.h"

enum { SIZE = 300000 };
static unsigned char plain[SIZE];

static void make_plain(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < SIZE; i++) {
        state = state * 1664525u + 1013904223u;
        plain[i] = (unsigned char)('0' + (state >> 24) % 10);
    }
}

/* A frame with its checksum. */
static size_t pack(unsigned char *out, size_t room, const void *bytes, size_t size, int window_log)
{
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    ck_assert_ptr_nonnull(ctx);
    (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
    if (window_log > 0) {
        (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, window_log);
        (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
    }
    ZSTD_outBuffer to = {out, room, 0};
    ZSTD_inBuffer from = {bytes, size, 0};
    while (from.pos < size) /* piece by piece: the size is not known in advance */
        ck_assert(!ZSTD_isError(ZSTD_compressStream2(ctx, &to, &from, ZSTD_e_continue)));
    ck_assert_uint_eq(ZSTD_compressStream2(ctx, &to, &from, ZSTD_e_end), 0);
    (void)ZSTD_freeCCtx(ctx);
    return to.pos;
}

static struct ock_reader *open_in(void)
{
    struct ock_err err = {.text = ""};
    struct ock_reader *reader = NULL;
    ck_assert_msg(ock_reader_open(&reader, kit_path("in"), kit_path("out"), &err) == OCK_OK, "%s",
                  err.text);
    return reader;
}

/* All of "in", in pieces; then the end stays the end. */
static enum ock_status read_in(size_t piece, unsigned char *out, size_t *total, struct ock_err *err)
{
    struct ock_reader *reader = open_in();
    enum ock_status status = OCK_OK;
    size_t got = piece;
    for (*total = 0; status == OCK_OK && got == piece; *total += got)
        status = ock_reader_read(reader, out + *total, piece, &got, err);
    if (status == OCK_OK) {
        ck_assert_int_eq(ock_reader_read(reader, out, 1, &got, err), OCK_OK);
        ck_assert_uint_eq(got, 0);
    }
    ock_reader_free(reader);
    return status;
}

START_TEST(pieces_of_any_size_and_frames)
{
    static const size_t pieces[] = {1, 7, 4096, 100000, SIZE + 1};
    static unsigned char file[2 * SIZE], out[2 * SIZE];
    struct ock_err err = {.text = ""};
    static const char skipped[] = "\x50\x2a\x4d\x18\3\0\0\0abc";
    size_t size = sizeof(skipped) - 1;
    memcpy(file, skipped, size);
    size += pack(file + size, sizeof(file) - size, plain, 100, 0);
    size += pack(file + size, sizeof(file) - size, "", 0, 0); /* a frame of nothing */
    memcpy(file + size, skipped, sizeof(skipped) - 1);
    size += sizeof(skipped) - 1;
    size += pack(file + size, sizeof(file) - size, plain + 100, SIZE - 100, 0);
    kit_write("in", file, size);
    size_t total = 0;
    ck_assert_msg(read_in(pieces[_i], out, &total, &err) == OCK_OK, "%s", err.text);
    ck_assert_uint_eq(total, SIZE);
    ck_assert_mem_eq(out, plain, SIZE);
}
END_TEST

START_TEST(a_rewound_file_begins_anew)
{
    static unsigned char file[2 * SIZE], out[SIZE];
    kit_write("in", file, pack(file, sizeof(file), plain, SIZE, 0));
    struct ock_reader *reader = open_in();
    for (size_t read = 1; read <= SIZE; read += 99999) {
        size_t got = 0;
        ck_assert_int_eq(ock_reader_rewind(reader, NULL), OCK_OK);
        ck_assert_int_eq(ock_reader_read(reader, out, read, &got, NULL), OCK_OK);
        ck_assert_uint_eq(got, read);
        ck_assert_mem_eq(out, plain, read);
    }
    ock_reader_free(reader);
}
END_TEST

START_TEST(cut_or_damaged_anywhere_is_refused)
{
    static unsigned char file[4096], out[4096];
    size_t size = pack(file, sizeof(file), plain, 1000, 0), total = 0;
    for (size_t cut = 4; cut < size; cut++) {
        struct ock_err err = {.text = ""};
        kit_write("in", file, cut);
        ck_assert_int_eq(read_in(500, out, &total, &err), OCK_INVALID);
        ck_assert_msg(strstr(err.text, "cut off after") != NULL, "%s", err.text);
    }
    for (size_t at = 6; at < size; at++) {
        struct ock_err err = {.text = ""};
        file[at] ^= 0x20;
        kit_write("in", file, size);
        file[at] ^= 0x20;
        enum ock_status status = read_in(500, out, &total, &err);
        ck_assert_msg(status == OCK_INVALID || status == OCK_LIMIT, "byte %zu: %s", at, err.text);
    }
}
END_TEST

START_TEST(what_follows_must_be_zstd)
{
    static unsigned char file[4096], out[4096];
    struct ock_err err = {.text = ""};
    size_t size = pack(file, sizeof(file), plain, 1000, 0), total = 0;
    memcpy(file + size, "rest", 4);
    kit_write("in", file, size + 4);
    ck_assert_int_eq(read_in(500, out, &total, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "goes on with bytes that are not zstd") != NULL, "%s", err.text);
}
END_TEST

/* The library's decoders of old formats would take a window of any size. */
START_TEST(frames_of_old_versions_are_refused)
{
    static const char old[] = "\x27\xb5\x2f\xfd\x00\x88" /* version 0.7, 128 MiB */
                              "\x40\x00\x04"
                              "1,2\n"
                              "\xc0\x00\x00";
    static unsigned char file[3 << 16], out[3 << 16];
    struct ock_err err = {.text = ""};
    size_t total = 0, size = 0;
    if (_i == 1) { /* the magic over the end of a piece of 64 KiB */
        memcpy(file, "\x50\x2a\x4d\x18", 4);
        uint32_t skipped = (1 << 16) - 2 - 8;
        memcpy(file + 4, &skipped, 4);
        size = 8 + skipped;
    } else {
        size = pack(file, sizeof(file), plain, 1000, 0);
    }
    memcpy(file + size, old, sizeof(old) - 1);
    kit_write("in", file, size + sizeof(old) - 1);
    ck_assert_int_eq(read_in(500, out, &total, &err), OCK_INVALID);
    ck_assert_msg(strstr(err.text, "not zstd") != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_window_has_its_limit)
{
    static unsigned char file[2 * SIZE], out[2 * SIZE];
    struct ock_err err = {.text = ""};
    size_t total = 0;
    kit_write("in", file, pack(file, sizeof(file), plain, SIZE, 24));
    ck_assert_int_eq(read_in(5000, out, &total, &err), OCK_OK);
    kit_write("in", file, pack(file, sizeof(file), plain, SIZE, 25));
    ck_assert_int_eq(read_in(5000, out, &total, &err), OCK_LIMIT);
    ck_assert_msg(strstr(err.text, "more than 16 MiB to be unpacked") != NULL, "%s", err.text);
}
END_TEST

/* 100 MiB of zeros in a few KiB: as far as the limit, then refused. */
START_TEST(a_bomb_is_refused)
{
    size_t total = 100 * OCK_MIB, got = 0, read = 0;
    unsigned char *zeros = calloc(1, total), *file = malloc(OCK_MIB);
    ck_assert(zeros && file);
    size_t size = pack(file, OCK_MIB, zeros, total, 0);
    ck_assert_uint_lt(size * OCK_UNPACKED_RATIO_MAX, OCK_UNPACKED_FREE_BYTES);
    kit_write("in", file, size);
    struct ock_err err = {.text = ""};
    struct ock_reader *reader = open_in();
    ck_assert_uint_eq(ock_reader_bytes_max(reader), OCK_UNPACKED_FREE_BYTES);
    enum ock_status status = OCK_OK;
    while (status == OCK_OK && read < total) {
        status = ock_reader_read(reader, zeros, OCK_MIB, &got, &err);
        read += got;
    }
    ck_assert_int_eq(status, OCK_LIMIT);
    ck_assert_uint_le(read, OCK_UNPACKED_FREE_BYTES + OCK_MIB);
    ck_assert_ptr_nonnull(strstr(err.text, "500 times the packed file's size"));
    ock_reader_free(reader);
    free(zeros);
    free(file);
}
END_TEST

int main(void)
{
    make_plain();
    Suite *suite = suite_create("data_reader");
    TCase *tcase = tcase_create("zstd");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_add_loop_test(tcase, pieces_of_any_size_and_frames, 0, 5);
    tcase_add_test(tcase, a_rewound_file_begins_anew);
    tcase_add_test(tcase, cut_or_damaged_anywhere_is_refused);
    tcase_add_test(tcase, what_follows_must_be_zstd);
    tcase_add_loop_test(tcase, frames_of_old_versions_are_refused, 0, 2);
    tcase_add_test(tcase, a_window_has_its_limit);
    tcase_add_test(tcase, a_bomb_is_refused);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
