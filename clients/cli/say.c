/* Words on stderr, bytes on stdout. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/cli.h"
#include "core/base/json.h"

static bool out_closed;
static bool out_failed; /* closed, and not by a reader that left */

void cli_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("ockham: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* Text from a file or a server, without control characters: they could drive the terminal. */
static void put_clean(const char *text)
{
    for (const char *p = text; *p; p++)
        fputc((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p, stderr);
}

static void say_fault(const char *pointer, const char *detail, const char *got,
                      const char *suggestion)
{
    fputs("  ", stderr);
    put_clean(*pointer ? pointer : "(the whole document)");
    fputs(": ", stderr);
    put_clean(detail);
    if (*got && !strstr(detail, got)) {
        fputs(" (got ", stderr);
        put_clean(got);
        fputs(")", stderr);
    }
    if (*suggestion) {
        fputs("; did you mean \"", stderr);
        put_clean(suggestion);
        fputs("\"?", stderr);
    }
    fputc('\n', stderr);
}

void cli_say_faults(const char *what, const struct ock_faults *faults)
{
    size_t all = faults->count + faults->dropped;
    cli_say("%s has %zu fault%s", what, all, all == 1 ? "" : "s");
    for (size_t i = 0; i < faults->count; i++) {
        const struct ock_fault *fault = &faults->items[i];
        say_fault(fault->pointer, fault->detail, fault->got, fault->suggestion);
    }
    if (faults->dropped)
        fprintf(stderr, "  … and %zu more\n", faults->dropped);
}

static const char *member_text(const cJSON *object, const char *key)
{
    const cJSON *value = ock_json_get(object, key);
    return cJSON_IsString(value) ? value->valuestring : "";
}

void cli_say_problem(const cJSON *problem)
{
    const char *title = member_text(problem, "title");
    const char *detail = member_text(problem, "detail");
    fputs("ockham: ", stderr);
    put_clean(*title ? title : "the server refused");
    if (*detail) {
        fputs(": ", stderr);
        put_clean(detail);
    }
    fputc('\n', stderr);
    const cJSON *errors = ock_json_get(problem, "errors");
    if (!cJSON_IsArray(errors))
        return;
    for (const cJSON *item = errors->child; item; item = item->next) {
        const cJSON *got = ock_json_get(item, "got");
        char *text = got ? ock_json_print(got) : NULL;
        say_fault(member_text(item, "pointer"), member_text(item, "detail"), text ? text : "",
                  member_text(item, "suggestion"));
        free(text);
    }
}

/* stdout's first failed write ends all output; a reader that left needs no message. */
static void check_out(bool good)
{
    if (good || out_closed)
        return;
    out_closed = true;
    if (errno == EPIPE)
        return;
    out_failed = true;
    cli_say("stdout: %s", strerror(errno));
}

void cli_out(const void *bytes, size_t size)
{
    if (!out_closed && size > 0)
        check_out(fwrite(bytes, 1, size, stdout) == size);
}

void cli_puts(const char *text)
{
    cli_out(text, strlen(text));
}

void cli_printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!out_closed)
        check_out(vprintf(format, arguments) >= 0);
    va_end(arguments);
}

void cli_out_flush(void)
{
    if (!out_closed)
        check_out(fflush(stdout) == 0);
}

bool cli_out_closed(void)
{
    return out_closed;
}

bool cli_out_failed(void)
{
    return out_failed;
}

void cli_out_give_up(void)
{
    out_closed = true;
}
