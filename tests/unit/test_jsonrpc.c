/* Framing and classification of JSON-RPC messages from a hostile stream. */
#include "ofproto/ovsdb/jsonrpc.h"

#include <event2/buffer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tests/unit/random.h"

static struct error err;

/* Feeds 'text' in pieces of at most 'piece' bytes; returns the methods of the messages found, each followed by a space. */
static char *
methods_of(const char *text, size_t piece)
{
    struct jsonrpc_framer f;
    struct evbuffer *input = evbuffer_new();
    struct bytes found = BYTES_INIT;
    jsonrpc_framer_init(&f);
    for (size_t i = 0, n = strlen(text); i < n; i += piece) {
        evbuffer_add(input, text + i, n - i < piece ? n - i : piece);
        bool is_whole = true;
        while (is_whole) {
            struct jsonrpc_message m;
            assert_true(jsonrpc_receive(&f, input, &m, &is_whole, &err));
            if (!is_whole)
                break;
            bytes_put(&found, m.method, strlen(m.method));
            bytes_put_u8(&found, ' ');
            jsonrpc_message_done(&m);
        }
        assert_int_equal(evbuffer_get_length(input), 0);
    }
    bytes_put_u8(&found, 0);
    evbuffer_free(input);
    jsonrpc_framer_done(&f);
    return (char *) found.data;
}

static void
messages_back_to_back_are_told_apart_however_they_are_cut(void **state)
{
    const char *text = "{\"method\":\"a\",\"params\":[]}{\"method\":\"b}{\",\"params\":[{}]} \n\t{\"params\":[\"\\\\\",\"\\\"}\"],"
                       "\"method\":\"c\"}{\"method\":\"unfini";
    for (size_t piece = 1; piece < strlen(text) + 2; piece++) {
        char *found = methods_of(text, piece);
        assert_string_equal(found, "a b}{ c ");
        free(found);
    }
}

static bool
push(struct jsonrpc_framer *f, const char *p, size_t n)
{
    size_t used;
    bool is_whole;
    return jsonrpc_framer_push(f, p, n, &used, &is_whole, &err);
}

static void
what_does_not_begin_with_a_brace_is_refused(void **state)
{
    const char *const wrong[] = { "[1]", "GET / HTTP/1.1", "\x16\x03\x01", "  null", "\"{\"", "}" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct jsonrpc_framer f;
        jsonrpc_framer_init(&f);
        assert_false(push(&f, wrong[i], strlen(wrong[i])));
        assert_non_null(strstr(err.text, "should begin with '{'"));
        jsonrpc_framer_done(&f);
    }
}

static void
nesting_has_a_limit(void **state)
{
    char open[JSONRPC_DEPTH_MAX + 1];
    memset(open, '[', sizeof open);
    open[0] = '{';
    struct jsonrpc_framer f;
    jsonrpc_framer_init(&f);
    assert_true(push(&f, open, JSONRPC_DEPTH_MAX));
    assert_false(push(&f, "[", 1));
    assert_non_null(strstr(err.text, "64 levels"));
    jsonrpc_framer_done(&f);
}

static void
the_number_of_values_has_a_limit(void **state)
{
    char commas[4096];
    memset(commas, ',', sizeof commas);
    struct jsonrpc_framer f;
    jsonrpc_framer_init(&f);
    bool ok = push(&f, "{", 1);
    size_t n = 0;
    while (ok && n < LIMIT_OVSDB_MESSAGE_BYTES) {
        ok = push(&f, commas, sizeof commas);
        n += sizeof commas;
    }
    assert_false(ok);
    assert_in_range(n, JSONRPC_VALUES_MAX, JSONRPC_VALUES_MAX + sizeof commas);
    jsonrpc_framer_done(&f);
}

static void
a_message_without_end_is_refused_at_the_limit_and_each_byte_is_looked_at_once(void **state)
{
    char filler[1000];
    memset(filler, 'x', sizeof filler);
    struct jsonrpc_framer f;
    jsonrpc_framer_init(&f);
    bool ok = push(&f, "{\"", 2);
    size_t n = 2;
    while (ok && n < 2 * (size_t) LIMIT_OVSDB_MESSAGE_BYTES) {
        ok = push(&f, filler, sizeof filler);
        n += sizeof filler;
    }
    assert_false(ok);
    assert_in_range(n, LIMIT_OVSDB_MESSAGE_BYTES, LIMIT_OVSDB_MESSAGE_BYTES + sizeof filler);
    assert_non_null(strstr(err.text, "longer than"));
    jsonrpc_framer_done(&f);
}

static void
a_buffer_grown_by_a_big_message_is_given_back(void **state)
{
    char filler[1 << 16];
    memset(filler, 'x', sizeof filler);
    struct jsonrpc_framer f;
    jsonrpc_framer_init(&f);
    assert_true(push(&f, "{\"", 2));
    for (int i = 0; i < 16; i++)
        assert_true(push(&f, filler, sizeof filler));
    assert_true(push(&f, "\":1}", 4));
    jsonrpc_framer_reset(&f);
    assert_int_equal(f.text.cap, 0);
    jsonrpc_framer_done(&f);
}

static bool
parse(const char *text, struct jsonrpc_message *m)
{
    return jsonrpc_parse(text, strlen(text), m, &err);
}

static void
requests_notifications_and_replies_are_told_apart(void **state)
{
    struct jsonrpc_message m;
    assert_true(parse("{\"method\":\"echo\",\"params\":[],\"id\":\"x\"}", &m));
    assert_int_equal(m.kind, JSONRPC_REQUEST);
    assert_string_equal(json_string_value(m.id), "x");
    jsonrpc_message_done(&m);

    assert_true(parse("{\"method\":\"update\",\"params\":[null,{}],\"id\":null}", &m));
    assert_int_equal(m.kind, JSONRPC_NOTIFICATION);
    jsonrpc_message_done(&m);

    assert_true(parse("{\"id\":7,\"result\":{},\"error\":null}", &m));
    assert_int_equal(m.kind, JSONRPC_REPLY);
    assert_null(m.error);
    jsonrpc_message_done(&m);

    assert_true(parse("{\"id\":7,\"result\":null,\"error\":\"no\"}", &m));
    assert_string_equal(json_string_value(m.error), "no");
    jsonrpc_message_done(&m);
}

static void
messages_of_no_kind_are_refused(void **state)
{
    const char *const wrong[] = {
        "{}",
        "{\"method\":1,\"params\":[]}",
        "{\"method\":\"a\"}",
        "{\"method\":\"a\",\"params\":{}}",
        "{\"id\":null,\"result\":1}",
        "{\"id\":1,\"error\":null}",
        "{\"id\":1]",
        "{\"id\":1,\"id\":2,\"result\":1}",
        "{\"a\":\"\\u0000\",\"id\":1,\"result\":1}",
        "{\"id\":1,\"result\":\"\xff\"}",
        "{\"method\":\"a\x01\",\"params\":[]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct jsonrpc_message m;
        assert_false(parse(wrong[i], &m));
        assert_int_equal(err.code, ERROR_PROTOCOL);
        for (const char *p = err.text; *p; p++)
            assert_in_range((unsigned char) *p, 0x20, 0x7e);
    }
}

static void
mutated_streams_are_refused_or_understood_but_never_crash(void **state)
{
    static const char seed_text[] = "{\"id\":1,\"result\":[\"a\\\"b\",{\"c\":[1,2.5,-3e7,true,null]}],\"error\":null}"
                                    "{\"method\":\"update2\",\"params\":[\"v\",{\"T\":{}}],\"id\":null}";
    struct random r = { 20240613 };
    for (int round = 0; round < 20000; round++) {
        char text[sizeof seed_text];
        memcpy(text, seed_text, sizeof text);
        for (uint32_t k = random_below(&r, 6); k-- > 0;)
            text[random_below(&r, sizeof text - 1)] = "{}[]\",:\\ \x80"[random_below(&r, 10)];
        struct jsonrpc_framer f;
        struct evbuffer *input = evbuffer_new();
        jsonrpc_framer_init(&f);
        evbuffer_add(input, text, sizeof text - 1);
        bool is_whole = true;
        while (is_whole) {
            struct jsonrpc_message m;
            if (!jsonrpc_receive(&f, input, &m, &is_whole, &err))
                break;
            if (is_whole)
                jsonrpc_message_done(&m);
        }
        evbuffer_free(input);
        jsonrpc_framer_done(&f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_back_to_back_are_told_apart_however_they_are_cut),
        cmocka_unit_test(what_does_not_begin_with_a_brace_is_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(the_number_of_values_has_a_limit),
        cmocka_unit_test(a_message_without_end_is_refused_at_the_limit_and_each_byte_is_looked_at_once),
        cmocka_unit_test(a_buffer_grown_by_a_big_message_is_given_back),
        cmocka_unit_test(requests_notifications_and_replies_are_told_apart),
        cmocka_unit_test(messages_of_no_kind_are_refused),
        cmocka_unit_test(mutated_streams_are_refused_or_understood_but_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
