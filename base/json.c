/* JSON documents by jansson. Requests, stored objects and OVSDB messages all pass json_parse().
 *
 * Strings with a zero byte are refused (jansson's default), so a json_string_value() is the whole string. */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

json_t *
json_parse(const char *bytes, size_t n, const char *what, struct error *err)
{
    json_error_t why;
    json_t *document = json_loadb(n ? bytes : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!document)
        error_set(err, ERROR_INVALID, "%s is not JSON: line %d, column %d: %s", what, why.line, why.column, why.text);
    return document;
}

char *
json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_WRITTEN);
    if (!text)
        abort(); /* out of memory, or not a document at all */
    return text;
}

json_t *
json_time(int64_t ms)
{
    char text[64];
    time_t seconds = ms / 1000;
    struct tm tm;
    if (ms <= 0 || !gmtime_r(&seconds, &tm))
        return json_null();
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03dZ", (int) (ms % 1000));
    return json_string(text);
}

const char *
json_member_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t
json_member_int(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool
json_member_bool(const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}
