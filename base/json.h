/* JSON documents: jansson, with the limits that hostile input needs and errors in our form. Include this, never
 * <jansson.h> itself, and never Open vSwitch's json.h (the two libraries share names). */
#ifndef BASE_JSON_H
#define BASE_JSON_H 1

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Parses one complete document of any type; duplicate keys are refused. 'what' names the source in the error, e.g.
 * "request body". Returns a new reference, or NULL with *err set. Depth is bounded by jansson (2048). */
json_t *json_parse(const char *bytes, size_t n, const char *what, struct error *err) MUST_CHECK;

/* How documents are written: as short as can be, and 0.1 as 0.1. */
#define JSON_WRITTEN (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

/* Compact text, keys in insertion order; free() it. */
char *json_text(const json_t *);

/* A time since 1970 as RFC 3339 in UTC; null if it is not after that. New reference. */
json_t *json_time(int64_t ms);

/* Members of an object; NULL or the default if absent or of another type. Borrowed. */
const char *json_member_string(const json_t *object, const char *key);
int64_t json_member_int(const json_t *object, const char *key, int64_t otherwise);
bool json_member_bool(const json_t *object, const char *key, bool otherwise);

#endif
