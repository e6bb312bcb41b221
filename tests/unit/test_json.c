/* base/json: hostile documents are refused with a sentence; members are read with their type checked. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_OF(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static json_t *
parsed(const char *text)
{
    struct error err;
    json_t *document = json_parse(text, strlen(text), "the test's document", &err);
    if (!document)
        fail_msg("%s", err.text);
    return document;
}

static void
a_document_reads_back_compact_and_in_order(void **unused)
{
    static const char *const same[] = {
        "{\"z\":1,\"a\":[true,false,null,\"x\",-5],\"m\":{}}", "[]", "\"text\"", "7", "null", "9223372036854775807", "\"caf\xc3\xa9\"",
    };
    for (size_t i = 0; i < N_OF(same); i++) {
        json_t *document = parsed(same[i]);
        char *text = json_text(document);
        assert_string_equal(text, same[i]);
        free(text);
        json_decref(document);
    }
}

static void
what_is_not_one_document_is_refused(void **unused)
{
    static const char *const wrong[] = {
        "",   " ",   "{",        "[1,",      "{\"a\":1}x",  "{} {}",       "{\"a\":1,\"a\":2}",   "{a:1}", "{'a':1}", "[1,]", "nul", "01",
        "+1", "NaN", "\"\x01\"", "\"\xff\"", "\"\\u0000\"", "\"\\ud800\"", "9223372036854775808", "1e999", "\"open",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct error err = { N_ERROR_CODES, "" };
        if (json_parse(wrong[i], strlen(wrong[i]), "request body", &err))
            fail_msg("'%s' is taken as JSON", wrong[i]);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(strncmp(err.text, "request body is not JSON: line ", 31), 0);
    }
}

static void
no_bytes_at_all_are_refused(void **unused)
{
    struct error err;
    assert_null(json_parse(NULL, 0, "request body", &err));
    assert_non_null(strstr(err.text, "line 1, column 0: "));
}

static void
bytes_after_the_given_length_are_not_read(void **unused)
{
    struct error err;
    char *exact = malloc(2); /* of exact size, for the sanitizer */
    memcpy(exact, "[]", 2);
    json_t *document = json_parse(exact, 2, "x", &err);
    assert_non_null(document);
    json_decref(document);
    free(exact);

    assert_null(json_parse("[]\0", 3, "x", &err));
}

static void
the_error_says_where(void **unused)
{
    struct error err;
    const char *text = "{\n  \"a\": oops\n}";
    assert_null(json_parse(text, strlen(text), "file 'x.json'", &err));
    assert_non_null(strstr(err.text, "file 'x.json' is not JSON: line 2, column "));
    assert_non_null(strstr(err.text, "oops"));
}

static void
nesting_without_end_is_refused(void **unused)
{
    size_t n = 1 << 20;
    char *deep = malloc(n);
    struct error err;
    memset(deep, '[', n);
    assert_null(json_parse(deep, n, "request body", &err));
    free(deep);
}

static void
members_of_another_type_count_as_absent(void **unused)
{
    json_t *o = parsed("{\"s\":\"x\",\"i\":-5,\"r\":1.5,\"t\":true,\"f\":false,\"n\":null}");
    assert_string_equal(json_member_string(o, "s"), "x");
    assert_null(json_member_string(o, "i"));
    assert_null(json_member_string(o, "absent"));
    assert_int_equal(json_member_int(o, "i", 9), -5);
    assert_int_equal(json_member_int(o, "r", 9), 9);
    assert_int_equal(json_member_int(o, "s", 9), 9);
    assert_int_equal(json_member_int(o, "t", 9), 9);
    assert_int_equal(json_member_int(o, "absent", 9), 9);
    assert_true(json_member_bool(o, "t", false));
    assert_false(json_member_bool(o, "f", true));
    assert_true(json_member_bool(o, "n", true));
    assert_true(json_member_bool(o, "i", true));
    assert_false(json_member_bool(o, "absent", false));
    json_decref(o);
}

static void
what_is_no_object_has_no_members(void **unused)
{
    json_t *list = parsed("[1]");
    assert_null(json_member_string(list, "s"));
    assert_int_equal(json_member_int(list, "i", 9), 9);
    assert_true(json_member_bool(NULL, "b", true));
    json_decref(list);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_reads_back_compact_and_in_order),
        cmocka_unit_test(what_is_not_one_document_is_refused),
        cmocka_unit_test(no_bytes_at_all_are_refused),
        cmocka_unit_test(bytes_after_the_given_length_are_not_read),
        cmocka_unit_test(the_error_says_where),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(members_of_another_type_count_as_absent),
        cmocka_unit_test(what_is_no_object_has_no_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
