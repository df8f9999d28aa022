/* Requests by libcurl. Redirects are not followed and only HTTP is spoken: a token goes nowhere but
 * to the server that OCKHAM_URL names. */
#include "clients/cli/remote.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/json.h"
#include "core/base/limits.h"

enum { CONNECT_TIMEOUT_S = 10, SILENCE_S = 60, URL_SIZE = 2048 };

const char *cli_server_url(void)
{
    static char url[URL_SIZE];
    const char *given = getenv("OCKHAM_URL");
    (void)snprintf(url, sizeof(url), "%s", given && *given ? given : "http://127.0.0.1:8080");
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        url[--length] = '\0';
    return url;
}

void cli_answer_init(struct cli_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    ock_buf_init(&answer->body, OCK_JSON_BYTES_MAX);
}

void cli_answer_deinit(struct cli_answer *answer)
{
    ock_buf_deinit(&answer->body);
}

void cli_url_add(struct ock_buf *url, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (isalnum(c) || strchr("-._~", c)) {
            ock_buf_putc(url, *p);
        } else {
            ock_buf_putc(url, '%');
            ock_buf_putc(url, hex[c >> 4]);
            ock_buf_putc(url, hex[c & 15]);
        }
    }
}

/* One exchange on its way. */
struct exchange {
    CURL *curl;
    const struct cli_request *request;
    struct cli_answer *answer;
    struct curl_slist *headers; /* owned */
};

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t total = size * count;
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    if (x->request->sink && status / 100 == 2)
        return x->request->sink(x->request->ctx, bytes, total) ? total : 0;
    ock_buf_add(&x->answer->body, bytes, total);
    return ock_buf_status(&x->answer->body, NULL) == OCK_OK ? total : 0;
}

/* The name in quotes of Content-Disposition; only what is harmless as a file's name. */
static void take_filename(struct cli_answer *answer, const char *line, size_t size)
{
    const char *end = line + size, *name = memmem(line, size, "filename=\"", 10);
    size_t length = 0;
    if (!name)
        return;
    for (name += 10; name < end && *name != '"' && length + 1 < sizeof(answer->filename); name++)
        answer->filename[length++] =
            isalnum((unsigned char)*name) || strchr("-_.", *name) ? *name : '_';
    answer->filename[length] = '\0';
    if (answer->filename[0] == '.')
        answer->filename[0] = '_';
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t total = size * count;
    static const char name[] = "content-disposition:";
    if (total > sizeof(name) && strncasecmp(line, name, sizeof(name) - 1) == 0)
        take_filename(x->answer, line, total);
    return total;
}

static size_t on_upload(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t got = fread(bytes, size, count, x->request->upload);
    return got == 0 && ferror(x->request->upload) ? CURL_READFUNC_ABORT : got * size;
}

static int on_tick(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                   curl_off_t up)
{
    struct exchange *x = ctx;
    (void)down_total, (void)down, (void)up_total, (void)up;
    x->request->tick(x->request->ctx);
    return 0;
}

static bool add_header(struct exchange *x, const char *text)
{
    struct curl_slist *longer = curl_slist_append(x->headers, text);
    if (!longer)
        return false;
    x->headers = longer;
    return true;
}

static bool set_headers(struct exchange *x)
{
    const struct cli_request *request = x->request;
    const char *token = getenv("OCKHAM_TOKEN");
    char text[4200];
    (void)snprintf(text, sizeof(text), "Accept: %s",
                   request->accept ? request->accept : "application/json");
    bool good = add_header(x, text);
    if (token && *token) {
        (void)snprintf(text, sizeof(text), "Authorization: Bearer %.4096s", token);
        good = good && add_header(x, text);
    }
    if (request->header)
        good = good && add_header(x, request->header);
    if (request->body)
        good = good && add_header(x, "Content-Type: application/json");
    bool typed = request->header && strncmp(request->header, "Content-Type:", 13) == 0;
    if (request->upload && !typed) /* the server finds the format from the content */
        good = good && add_header(x, "Content-Type: application/octet-stream");
    return good && curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

static void set_body(struct exchange *x)
{
    const struct cli_request *request = x->request;
    if (request->upload) {
        curl_easy_setopt(x->curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(x->curl, CURLOPT_CUSTOMREQUEST, request->method);
        curl_easy_setopt(x->curl, CURLOPT_READFUNCTION, on_upload);
        curl_easy_setopt(x->curl, CURLOPT_READDATA, x);
        if (request->upload_size >= 0)
            curl_easy_setopt(x->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload_size);
    } else if (strcmp(request->method, "POST") == 0) {
        const char *body = request->body ? request->body : "";
        curl_easy_setopt(x->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(x->curl, CURLOPT_POSTFIELDS, body);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(x->curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static bool set_up(struct exchange *x)
{
    char url[2 * URL_SIZE];
    CURL *curl = x->curl;
    (void)snprintf(url, sizeof(url), "%s%s", cli_server_url(), x->request->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "ockham/" OCK_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, x->request->timeout_s);
    if (x->request->timeout_s == 0 && !x->request->upload) {
        /* Streams have a heartbeat every 15 s: a silent minute is a dead connection. */
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    }
    if (x->request->tick) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_tick);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->answer->trouble);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
    set_body(x);
    return set_headers(x);
}

bool cli_remote(const struct cli_request *request, struct cli_answer *answer)
{
    static_assert(sizeof(answer->trouble) >= CURL_ERROR_SIZE, "libcurl writes this much");
    struct exchange x = {.request = request, .answer = answer};
    cli_answer_deinit(answer);
    cli_answer_init(answer);
    x.curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (x.curl && set_up(&x))
        code = curl_easy_perform(x.curl);
    if (x.curl)
        curl_easy_getinfo(x.curl, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->cut = code != CURLE_OK;
    answer->refused = code == CURLE_COULDNT_CONNECT;
    if (code != CURLE_OK && !*answer->trouble)
        (void)snprintf(answer->trouble, sizeof(answer->trouble), "%s", curl_easy_strerror(code));
    curl_slist_free_all(x.headers);
    curl_easy_cleanup(x.curl);
    return answer->status != 0;
}

cJSON *cli_answer_json(const struct cli_answer *answer)
{
    struct ock_faults *faults = calloc(1, sizeof(*faults));
    cJSON *json = NULL;
    if (faults && answer->body.size > 0)
        (void)ock_json_parse(&json, answer->body.data, answer->body.size, faults, NULL);
    free(faults);
    return json;
}

enum cli_exit cli_remote_judge(const struct cli_answer *answer)
{
    if (answer->status / 100 == 2 && !answer->cut)
        return CLI_DONE;
    if (answer->refused) {
        cli_say("no server at %s (OCKHAM_URL); ockham serve starts one", cli_server_url());
        return CLI_FAILED;
    }
    if (answer->status / 100 == 2 || answer->status == 0) {
        cli_say("%s: %s", cli_server_url(), answer->trouble);
        return CLI_FAILED;
    }
    cJSON *problem = cli_answer_json(answer);
    if (cJSON_IsObject(problem))
        cli_say_problem(problem);
    else
        cli_say("%s answered with status %ld and no reason; is it an Ockham server?",
                cli_server_url(), answer->status);
    if (answer->status == 401)
        cli_say("the token is taken from the environment's OCKHAM_TOKEN");
    cJSON_Delete(problem);
    return answer->status == 400 || answer->status == 422 ? CLI_USAGE : CLI_FAILED;
}

enum cli_exit cli_get(const struct ock_buf *path, bool json,
                      enum cli_exit (*print)(const struct cli_answer *answer))
{
    struct cli_answer answer;
    const struct cli_request request = {.method = "GET", .path = path->data, .timeout_s = 60};
    cli_answer_init(&answer);
    (void)cli_remote(&request, &answer);
    enum cli_exit code = cli_remote_judge(&answer);
    if (code == CLI_DONE && json) {
        cli_out(answer.body.data, answer.body.size);
        cli_puts("\n");
    } else if (code == CLI_DONE) {
        code = print(&answer);
    }
    cli_answer_deinit(&answer);
    return code;
}
