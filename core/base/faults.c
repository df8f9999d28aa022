/* The list of faults: fixed in size, so that telling what is wrong can't itself run out of memory.
 */
#include "core/base/faults.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/jsonw.h"
#include "core/base/utf8.h"

struct ock_fault *ock_faults_add(struct ock_faults *faults, const char *pointer, const char *code,
                                 const char *detail, ...)
{
    if (faults->count >= OCK_FAULTS_MAX) {
        faults->dropped++;
        return NULL;
    }
    struct ock_fault *fault = &faults->items[faults->count++];
    fault->code = code;
    fault->suggestion[0] = '\0';
    fault->got[0] = '\0';
    (void)snprintf(fault->pointer, sizeof(fault->pointer), "%s", pointer);
    ock_utf8_trim(fault->pointer);

    va_list args;
    va_start(args, detail);
    (void)vsnprintf(fault->detail, sizeof(fault->detail), detail, args);
    va_end(args);
    ock_utf8_trim(fault->detail);
    return fault;
}

void ock_faults_write(const struct ock_faults *faults, struct ock_buf *out)
{
    struct ock_jsonw w = ock_jsonw_make(out);
    ock_jsonw_array(&w, NULL);
    for (size_t i = 0; i < faults->count; i++) {
        const struct ock_fault *fault = &faults->items[i];
        ock_jsonw_object(&w, NULL);
        ock_jsonw_string(&w, "pointer", fault->pointer);
        ock_jsonw_string(&w, "code", fault->code);
        ock_jsonw_string(&w, "detail", fault->detail);
        if (fault->suggestion[0] != '\0')
            ock_jsonw_string(&w, "suggestion", fault->suggestion);
        if (fault->got[0] != '\0')
            ock_jsonw_raw(&w, "got", fault->got);
        ock_jsonw_end_object(&w);
    }
    ock_jsonw_end_array(&w);
}
