/* libopenvswitch and jansson both define json_object(), json_array() and four more. The build renames Open vSwitch's;
 * without that the static library's win in silence, and whoever calls jansson's crashes. Here both parse in one
 * program. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openvswitch/match.h>

/* Open vSwitch's own JSON, declared here because its header's names clash with jansson's. */
struct json;
struct json *json_from_string(const char *);
char *json_to_string(const struct json *, int flags);
void json_destroy__(struct json *, bool yield);

static const char document[] = "{\"list\":[1,true,null,\"x\"],\"name\":\"web\",\"number\":7,\"real\":1.5}";

/* Calls each of the six names itself: what the linker binds here is what the daemon's code gets. */
static json_t *
build_by_jansson(void)
{
    json_t *object = json_object(), *list = json_array();
    json_array_append_new(list, json_integer(1));
    json_array_append_new(list, json_true());
    json_array_append_new(list, json_null());
    json_array_append_new(list, json_string("x"));
    json_object_set_new(object, "list", list);
    json_object_set_new(object, "name", json_string("web"));
    json_object_set_new(object, "number", json_integer(7));
    json_object_set_new(object, "real", json_real(1.5));
    return object;
}

static void
jansson_parses_and_writes(void **unused)
{
    struct error err;
    json_t *parsed = json_parse(document, strlen(document), "document", &err), *built = build_by_jansson();
    assert_non_null(parsed);
    assert_true(json_equal(parsed, built));
    json_object_set_new(parsed, "number", json_integer(8));
    assert_false(json_equal(parsed, built));

    char *text = json_text(built);
    assert_string_equal(text, document);
    free(text);
    json_decref(parsed);
    json_decref(built);
}

static void
open_vswitch_parses_and_writes_its_own_json(void **unused)
{
    struct json *parsed = json_from_string(document);
    char *text = json_to_string(parsed, 1 << 1); /* sorted members */
    assert_string_equal(text, document);
    free(text);
    json_destroy__(parsed, false);
}

static void
open_vswitch_formats_a_match(void **unused)
{
    struct match match;
    match_init_catchall(&match);
    match_set_dl_type(&match, htons(0x0800));
    match_set_nw_dst_masked(&match, htonl(0x0a000100), htonl(0xffffff00));
    char *text = match_to_string(&match, NULL, OFP_DEFAULT_PRIORITY);
    assert_string_equal(text, "ip,nw_dst=10.0.1.0/24");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jansson_parses_and_writes),
        cmocka_unit_test(open_vswitch_parses_and_writes_its_own_json),
        cmocka_unit_test(open_vswitch_formats_a_match),
        cmocka_unit_test(jansson_parses_and_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
