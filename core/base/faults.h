/* The faults of a request or a spec, all of them at once, as API.md's "errors" array shows them. */
#ifndef OCK_BASE_FAULTS_H
#define OCK_BASE_FAULTS_H

#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/limits.h"

struct ock_fault {
    char pointer[320];   /* JSON pointer (RFC 6901), escaped: "/optimizer/lr"; "" is the document */
    const char *code;    /* static: "unknown_key", "wrong_type", "out_of_range", … */
    char detail[400];    /* one sentence for a person: what is wrong and what would be right */
    char suggestion[64]; /* the nearest right key or value, "" if none */
    char got[64]; /* the offending value as JSON text (cut values are left out), "" if none */
};

struct ock_faults {
    size_t count;   /* in items, at most OCK_FAULTS_MAX */
    size_t dropped; /* found beyond that */
    struct ock_fault items[OCK_FAULTS_MAX];
};

/* Adds a fault; code must live for ever. detail is printf's format. Returns the new item so that
 * suggestion or got can be set, or NULL when the list is full (then it is only counted). */
struct ock_fault *ock_faults_add(struct ock_faults *faults, const char *pointer, const char *code,
                                 const char *detail, ...) __attribute__((format(printf, 4, 5)));

/* Appends the JSON array [{"pointer":…,"code":…,"detail":…,"suggestion":…,"got":…}, …]. */
void ock_faults_write(const struct ock_faults *faults, struct ock_buf *out);

#endif
