/* The scanner against a reader of the same grammar that goes a byte at a time: on random texts of the
 * bytes that matter, behind a text that makes rows straddle the buffer's end. */
#include "tests/unit/data_kit.h"

#include "core/data/csv_scan.h"

enum { TEXT_MAX = 64, TOLD_MAX = 1 << 13 };

/* Rows as one text: "[field][field]\n" with the line before each. */
struct told {
    char text[TOLD_MAX];
    size_t size;
    size_t skip; /* rows that are not noted: the filler's */
};

static void note(struct told *told, const char *bytes, size_t size)
{
    ck_assert_uint_le(told->size + size, sizeof(told->text));
    memcpy(told->text + told->size, bytes, size);
    told->size += size;
}

static void note_line(struct told *told, size_t line)
{
    char text[32];
    note(told, text, (size_t)snprintf(text, sizeof(text), "\n%zu:", line));
}

static void note_field(struct told *told, const char *text, size_t size)
{
    note(told, "[", 1);
    note(told, text, size);
    note(told, "]", 1);
}

static void note_rows(struct told *told, const struct ock_csv_rows *rows)
{
    for (size_t r = 0; r < rows->count; r++) {
        if (told->skip > 0) {
            told->skip--;
            continue;
        }
        note_line(told, rows->items[r].line);
        for (size_t c = 0; c < rows->items[r].count; c++) {
            size_t size;
            const char *text = ock_csv_field(rows, r, c, &size);
            ck_assert_uint_eq(strlen(text), size);
            note_field(told, text, size);
        }
    }
}

/* Each call's rows are noted after the next call, for which they must stay. */
static enum ock_status scan_all(struct ock_reader *reader, struct told *told, struct ock_err *err)
{
    struct ock_csv_scanner *scanner = NULL;
    struct ock_csv_rows rows, last = {.count = 0};
    ck_assert_int_eq(ock_csv_scanner_new(&scanner, reader, ',', NULL, err), OCK_OK);
    enum ock_status status = OCK_OK;
    do {
        status = ock_csv_scanner_next(scanner, &rows, err);
        note_rows(told, &last);
        last = rows;
    } while (status == OCK_OK && rows.count > 0);
    ock_csv_scanner_free(scanner);
    return status;
}

/* A text that is read byte by byte. */
struct naive {
    const char *next;
    size_t line;
};

static bool at_line_end(const struct naive *n)
{
    return *n->next == '\0' || *n->next == '\n' || *n->next == '\r';
}

static void skip_line_end(struct naive *n)
{
    if (n->next[0] == '\r' && n->next[1] == '\n')
        n->next++;
    if (*n->next != '\0') {
        n->next++;
        n->line++;
    }
}

static void skip_spaces(struct naive *n)
{
    while (*n->next == ' ')
        n->next++;
}

/* False: the field is not right. */
static bool naive_field(struct naive *n, struct told *told, size_t *lines)
{
    char field[TEXT_MAX + 1];
    size_t size = 0;
    skip_spaces(n);
    if (*n->next != '"') {
        while (!at_line_end(n) && *n->next != ',')
            field[size++] = *n->next++;
        while (size > 0 && field[size - 1] == ' ')
            size--;
        note_field(told, field, size);
        return true;
    }
    for (n->next++; *n->next != '"' || n->next[1] == '"'; n->next++) {
        if (*n->next == '\0')
            return false;
        *lines += *n->next == '\n' || (*n->next == '\r' && n->next[1] != '\n');
        field[size++] = *n->next;
        n->next += *n->next == '"';
    }
    n->next++;
    skip_spaces(n);
    note_field(told, field, size);
    return at_line_end(n) || *n->next == ',';
}

static bool naive_scan(const char *text, size_t line, struct told *told)
{
    struct naive n = {text, line};
    while (*n.next) {
        struct naive row = n;
        size_t lines = 0;
        skip_spaces(&n);
        if (at_line_end(&n)) {
            skip_line_end(&n);
            continue;
        }
        n = row;
        size_t before = told->size;
        note_line(told, n.line);
        bool good = naive_field(&n, told, &lines);
        while (good && *n.next == ',') {
            n.next++;
            good = naive_field(&n, told, &lines);
        }
        if (!good) {
            told->size = before;
            return false;
        }
        n.line += lines;
        skip_line_end(&n);
    }
    return true;
}

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

/* `filler` whole rows, then the text. */
static void compare(const char *text, size_t filler)
{
    static struct told expected, found;
    expected.size = found.size = 0;
    found.skip = filler;
    (void)unlink(kit_path("in")); /* a file that is cut and written anew is flushed by some disks */
    FILE *file = fopen(kit_path("in"), "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < filler; i++)
        (void)fputs("123456,7\n", file);
    (void)fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    bool good = naive_scan(text, filler + 1, &expected);

    struct ock_reader *reader = NULL;
    struct ock_err err = {.text = ""};
    ck_assert_int_eq(ock_reader_open(&reader, kit_path("in"), kit_path("out"), &err), OCK_OK);
    enum ock_status status = scan_all(reader, &found, &err);
    ock_reader_free(reader);
    ck_assert_msg(status == (good ? OCK_OK : OCK_INVALID), "%s: %s", text, err.text);
    ck_assert_msg(found.size == expected.size && memcmp(found.text, expected.text, found.size) == 0,
                  "%s\n%.*s\n%.*s", text, (int)found.size, found.text, (int)expected.size,
                  expected.text);
}

START_TEST(random_texts_are_read_as_byte_by_byte)
{
    static const char bytes[] = "ab\"\"\",,\n\r  1";
    uint32_t state = (uint32_t)_i + 1;
    char text[TEXT_MAX + 1];
    for (size_t round = 0; round < 2000; round++) {
        size_t size = draw(&state) % 24;
        for (size_t i = 0; i < size; i++)
            text[i] = bytes[draw(&state) % (sizeof(bytes) - 1)];
        text[size] = '\0';
        compare(text, 0);
    }
}
END_TEST

/* Nine bytes a row: the buffer ends within the text, at another byte each time. */
START_TEST(the_buffers_end_may_be_anywhere)
{
    static const char text[] =
        "\"a\"\"b\" , x\r\n\r\n\"c\r\nd\",\"\"\"\"\r\"e\n\", \"\"\n y ,z \r\n";
    size_t filler = OCK_CSV_BUFFER_BYTES / 9;
    char shifted[TEXT_MAX + 1];
    for (size_t shift = 0; shift <= 9 && shift + sizeof(text) <= sizeof(shifted); shift++) {
        memset(shifted, '1', shift);
        shifted[0] = shift > 0 ? '\n' : text[0];
        memcpy(shifted + shift, text, sizeof(text));
        for (size_t back = 0; back < 6; back++)
            compare(shifted, filler - back);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_csv_scan");
    TCase *tcase = tcase_create("scan");
    tcase_add_checked_fixture(tcase, kit_setup, kit_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, random_texts_are_read_as_byte_by_byte, 0, 4);
    tcase_add_test(tcase, the_buffers_end_may_be_anywhere);
    suite_add_tcase(suite, tcase);
    return kit_run(suite);
}
