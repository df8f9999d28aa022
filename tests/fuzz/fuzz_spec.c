/* Bytes as a job spec: whatever they are, the strict parser ends with a status, and a spec that is
 * taken is written as a text that is taken again and written the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/train/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ock_faults faults;

static struct ock_spec *parse(const char *text, size_t size)
{
    struct ock_spec *spec = NULL;
    struct ock_err err = {0};
    cJSON *json = NULL;
    memset(&faults, 0, sizeof(faults));
    if (ock_json_parse(&json, text, size, &faults, &err) != OCK_OK) {
        assert(err.text[0] != '\0' && !json);
        return NULL;
    }
    char *printed = ock_json_print(json);
    assert(printed || faults.count > 0);
    free(printed);
    enum ock_status status = ock_spec_parse(&spec, json, false, &faults, &err);
    assert((status == OCK_OK) == (spec != NULL));
    assert((status == OCK_OK) == (faults.count == 0));
    cJSON_Delete(json);
    return spec;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ock_spec *spec = parse((const char *)data, size);
    if (!spec)
        return 0;
    struct ock_buf once, twice;
    ock_buf_init(&once, 64 * OCK_MIB);
    ock_buf_init(&twice, 64 * OCK_MIB);
    ock_spec_write(spec, &once);
    struct ock_spec *again = parse(once.data, once.size);
    assert(again);
    ock_spec_write(again, &twice);
    assert(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    ock_spec_free(again);
    ock_spec_free(spec);
    ock_buf_deinit(&once);
    ock_buf_deinit(&twice);
    return 0;
}
