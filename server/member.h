/* Looks into JSON texts of our own making without parsing them whole. */
#ifndef OCK_SERVER_MEMBER_H
#define OCK_SERVER_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of the top-level member `key` of a JSON object (valid JSON, written by us): its first
 * byte and its size in bytes. False if there is none. Nested objects are not looked into. */
bool ock_member_find(const char *json, size_t size, const char *key, const char **value,
                     size_t *value_size);

/* A string without escapes, copied (cut to fit is not done: false), or false. */
bool ock_member_string(const char *json, size_t size, const char *key, char *text,
                       size_t text_size);

/* A whole number from 0, or false. */
bool ock_member_uint(const char *json, size_t size, const char *key, uint64_t *value);

#endif
