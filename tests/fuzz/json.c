/* Documents from strangers: what is taken must survive being written and read again. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    json_t *json = json_parse((const char *) data, n, "input", &err);
    if (!json)
        return 0;
    char *text = json_text(json);
    json_t *again = json_parse(text, strlen(text), "output", &err);
    FUZZ_CLAIM(again && json_equal(json, again));
    const char *key;
    json_t *value;
    json_object_foreach (json, key, value) {
        FUZZ_CLAIM(!json_member_string(json, key) == !json_is_string(value));
        FUZZ_CLAIM(json_member_int(json, key, 7) == (json_is_integer(value) ? json_integer_value(value) : 7));
        FUZZ_CLAIM(json_member_bool(json, key, true) == !json_is_false(value));
    }
    json_decref(again);
    json_decref(json);
    free(text);
    return 0;
}
