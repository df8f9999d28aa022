/* Goal: no request target, Accept or Cookie field, entity tag list or listen address makes the server
 * read beyond its bytes. Method: the input as a C string through each of these parsers. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/address.h"
#include "server/http/headers.h"
#include "server/http/session.h"
#include "server/http/target.h"
#include "server/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_target(const char *text)
{
    struct ock_target target;
    if (ock_target_parse(&target, text, NULL) != OCK_OK)
        return;
    for (size_t i = 0; i < target.query_count; i++) {
        struct ock_buf again;
        ock_buf_init(&again, 64 << 10);
        ock_percent_encode(&again, target.query[i].value);
        ock_buf_deinit(&again);
        if (!ock_target_get(&target, target.query[i].name))
            abort();
    }
    ock_target_deinit(&target);
}

/* Nobody finds a MAC by chance. */
static void find_session(const char *text)
{
    struct ock_session_key key;
    int64_t expires_s;
    ock_session_key_init(&key, "fuzz", 4);
    memcpy(key.name, "s", 2);
    if (ock_session_find(&key, text, 0, &expires_s))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"text/event-stream", "application/json"};
    struct ock_address address;
    char media[16];
    uint64_t number;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    parse_target(text);
    (void)ock_accept_best(text, types, 2);
    (void)ock_accept_names(text, "application/json");
    (void)ock_accept_coding(text, "gzip");
    find_session(text);
    (void)ock_etag_listed(text, "\"1\"");
    ock_media_type(text, media, sizeof(media));
    (void)ock_address_parse(&address, text, NULL);
    (void)ock_member_uint((const char *)data, size, "seq", &number);
    (void)ock_member_string((const char *)data, size, "type", media, sizeof(media));
    free(text);
    return 0;
}
