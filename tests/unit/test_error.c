/* base/error: one clean line of text, and one list of codes. */
#include "base/error.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void
setting_an_error_returns_false(void **unused)
{
    struct error err;
    assert_false(error_set(&err, ERROR_QUOTA, "tenant '%s': %d ports", "acme", 5));
    assert_int_equal(err.code, ERROR_QUOTA);
    assert_string_equal(err.text, "tenant 'acme': 5 ports");
}

static void
a_prefix_goes_before_the_text_and_keeps_the_code(void **unused)
{
    struct error err;
    error_set(&err, ERROR_UNKNOWN, "no such subnet 'web'");
    assert_false(error_prefix(&err, "line %d", 7));
    assert_string_equal(err.text, "line 7: no such subnet 'web'");
    assert_int_equal(err.code, ERROR_UNKNOWN);
}

static void
an_errors_own_text_may_be_an_argument(void **unused)
{
    struct error err;
    error_set(&err, ERROR_TIMEOUT, "no answer");
    error_set(&err, ERROR_UNAVAILABLE, "host 'h1' (%s)", err.text);
    assert_string_equal(err.text, "host 'h1' (no answer)");
}

static void
control_characters_from_a_stranger_are_escaped(void **unused)
{
    struct error err;
    error_set(&err, ERROR_INVALID, "name '%s'", "a\nb\x1b[2J\x7f");
    assert_string_equal(err.text, "name 'a\\x0ab\\x1b[2J\\x7f'");
}

static void
long_text_is_cut_between_characters(void **unused)
{
    char many[2000];
    for (size_t i = 0; i < 1998; i += 3)
        memcpy(many + i, "\xe2\x82\xac", 3);
    many[1998] = '\0';
    for (int shift = 0; shift < 8; shift++) {
        struct error err;
        error_set(&err, ERROR_INVALID, "%.*s%s", shift, "01234567", many);
        size_t n = strlen(err.text);
        assert_in_range(n, ERROR_TEXT_MAX - 8, ERROR_TEXT_MAX - 1);
        assert_string_equal(err.text + n - 3, "...");
        for (const char *p = err.text; *p; p += text_utf8_length(p))
            assert_int_not_equal(text_utf8_length(p), 0);
    }
}

static void
a_long_text_stays_whole_when_it_fits_exactly(void **unused)
{
    struct error err;
    error_set(&err, ERROR_INVALID, "%0*d", ERROR_TEXT_MAX - 1, 7);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    assert_int_equal(err.text[ERROR_TEXT_MAX - 2], '7');
}

static void
prefixing_without_end_stays_within_bounds(void **unused)
{
    struct error err;
    error_set(&err, ERROR_INTERNAL, "end");
    for (int i = 0; i < 200; i++)
        error_prefix(&err, "layer %d", i);
    assert_in_range(strlen(err.text), 400, ERROR_TEXT_MAX - 1);
    assert_int_equal(strncmp(err.text, "layer 199: layer 198: ", 22), 0);
}

static void
every_code_has_a_name_of_its_own_and_statuses(void **unused)
{
    for (int i = 0; i < N_ERROR_CODES; i++) {
        assert_non_null(error_code_name(i));
        assert_in_range(error_code_http(i), 400, 599);
        assert_in_range(error_code_exit(i), 1, 255);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(error_code_name(i), error_code_name(j));
    }
    assert_string_equal(error_code_name(ERROR_UNKNOWN), "not-found");
    assert_int_equal(error_code_http(ERROR_UNKNOWN), 404);
    assert_int_equal(error_code_exit(ERROR_TIMEOUT), 65);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_returns_false),
        cmocka_unit_test(a_prefix_goes_before_the_text_and_keeps_the_code),
        cmocka_unit_test(an_errors_own_text_may_be_an_argument),
        cmocka_unit_test(control_characters_from_a_stranger_are_escaped),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(a_long_text_stays_whole_when_it_fits_exactly),
        cmocka_unit_test(prefixing_without_end_stays_within_bounds),
        cmocka_unit_test(every_code_has_a_name_of_its_own_and_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
