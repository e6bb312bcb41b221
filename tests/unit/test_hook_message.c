/* What hook and agent say to each other. */
#include "agent/hook_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
what_is_put_is_parsed(void **state)
{
    struct bytes b = BYTES_INIT;
    struct error err;
    struct hook_message m, in = { "a guest", "prepare", "begin", "-", 5000, "<domain/>", 9 };
    hook_message_put(&b, &in);
    assert_true(hook_message_parse((const char *) b.data, b.n, &m, &err));
    assert_string_equal(m.guest, "a guest");
    assert_string_equal(m.operation, "prepare");
    assert_string_equal(m.suboperation, "begin");
    assert_string_equal(m.extra, "-");
    assert_int_equal(m.timeout_ms, 5000);
    assert_int_equal(m.n_xml, 9);
    assert_memory_equal(m.xml, "<domain/>", 9);
    bytes_done(&b);
}

static void
a_message_that_is_cut_is_refused_at_every_place(void **state)
{
    struct bytes b = BYTES_INIT;
    struct error err;
    struct hook_message m, in = { "g", "start", "begin", "-", 1, NULL, 0 };
    hook_message_put(&b, &in);
    for (size_t n = 0; n < b.n; n++)
        assert_false(hook_message_parse((const char *) b.data, n, &m, &err));
    assert_true(hook_message_parse((const char *) b.data, b.n, &m, &err));
    bytes_done(&b);
}

static void
another_version_is_refused_and_a_long_wait_is_bounded(void **state)
{
    static const char other[] = "vnet-hook/9\0g\0start\0begin\0-\0"
                                "5000",
                      word[] = "vnet-hook/1\0g\0start\0begin\0-\0soon",
                      lots[] = "vnet-hook/1\0g\0start\0begin\0-\0"
                               "999999999999";
    struct error err;
    struct hook_message m;
    assert_false(hook_message_parse(other, sizeof other, &m, &err));
    assert_non_null(strstr(err.text, "one version"));
    assert_false(hook_message_parse(word, sizeof word, &m, &err));
    assert_true(hook_message_parse(lots, sizeof lots, &m, &err));
    assert_int_equal(m.timeout_ms, HOOK_TIMEOUT_MAX_MS);
}

static void
answers_are_told_apart(void **state)
{
    char ok[] = "ok\n", refused[] = "refused it is wrong\n", other[] = "perhaps\n";
    const char *refusal;
    assert_true(hook_answer_parse(ok, &refusal));
    assert_null(refusal);
    assert_true(hook_answer_parse(refused, &refusal));
    assert_string_equal(refusal, "it is wrong");
    assert_false(hook_answer_parse(other, &refusal));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_parsed),
        cmocka_unit_test(a_message_that_is_cut_is_refused_at_every_place),
        cmocka_unit_test(another_version_is_refused_and_a_long_wait_is_bounded),
        cmocka_unit_test(answers_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
