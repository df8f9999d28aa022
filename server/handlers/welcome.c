/* What GET / and the start of `ockham serve` show: how to begin, in lines that can be pasted. */
#include <string.h>

#include "server/handlers/handlers.h"

static const struct line {
    const char *before; /* of the URL */
    const char *behind;
    const char *about;
} lines[] = {
    {"curl -T train.csv.gz '", "/v1/datasets/flowers?target=species'", "stream a file up"},
    {"curl ", "/v1/jobs -d '{\"data\":{\"dataset\":\"flowers\"},\"regularization\":{\"l2\":1e-4}}'",
     "train on it"},
    {"curl -N ", "/v1/jobs/JOB/events", "watch it learn"},
    {"curl -OJ ", "/v1/jobs/JOB/model", "take the model home"},
    {"curl -N '", "/v1/jobs?stream=true' -d @job.json", "or all in one: submit and watch"},
};

/* Text for HTML: the lines have quotes and an ampersand may come in the URL. */
static void add_escaped(struct ock_buf *out, const char *text, bool html)
{
    for (const char *c = text; *c; c++) {
        if (html && *c == '<')
            ock_buf_puts(out, "&lt;");
        else if (html && *c == '&')
            ock_buf_puts(out, "&amp;");
        else
            ock_buf_putc(out, *c);
    }
}

static void add_lines(struct ock_buf *out, const char *url, bool token, bool html)
{
    if (token)
        ock_buf_puts(out, "# this server asks for its token: add to each line\n"
                          "#   -H \"Authorization: Bearer $OCKHAM_TOKEN\"\n");
    /* curl takes http:// for granted; the lines are shorter without. */
    const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : url;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        ock_buf_printf(out, "# %s\n", lines[i].about);
        add_escaped(out, lines[i].before, html);
        add_escaped(out, host, html);
        add_escaped(out, lines[i].behind, html);
        ock_buf_putc(out, '\n');
    }
}

void ock_welcome_write(struct ock_buf *out, const char *url, bool token, bool html)
{
    static const char intro[] = "Ockham " OCK_VERSION " trains neural networks and linear models, "
                                "and keeps them from overfitting.";
    if (!html) {
        ock_buf_printf(out, "%s\n\n", intro);
        add_lines(out, url, token, false);
        ock_buf_puts(out,
                     "\nEverything else: /openapi.json, and /v1/schema/job for a job's keys.\n");
        return;
    }
    ock_buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width\">\n"
                      "<title>Ockham</title>\n<style>"
                      ":root{color-scheme:light dark}"
                      "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:3rem auto;"
                      "padding:0 1rem}"
                      "pre{overflow-x:auto;padding:1rem;border:1px solid;border-radius:.4rem}"
                      "</style></head>\n<body>\n<h1>Ockham</h1>\n");
    ock_buf_printf(out, "<p>%s</p>\n<pre>", intro);
    add_lines(out, url, token, true);
    ock_buf_puts(out, "</pre>\n<p>This server was built without its dashboard "
                      "(<code>-DOCK_DASHBOARD=OFF</code>).</p>\n<p>Everything else: <a "
                      "href=\"openapi.json\">/openapi.json</a>, "
                      "and <a href=\"v1/schema/job\">/v1/schema/job</a> for a job's keys.</p>\n"
                      "</body></html>\n");
}
