/* base/text: nothing but well-formed, printable UTF-8 comes out, and within the buffer. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define N_OF(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static void
well_formed_characters_are_measured(void **unused)
{
    assert_int_equal(text_utf8_length("a"), 1);
    assert_int_equal(text_utf8_length("\xc2\x80"), 2);
    assert_int_equal(text_utf8_length("\xdf\xbf"), 2);
    assert_int_equal(text_utf8_length("\xe0\xa0\x80"), 3);
    assert_int_equal(text_utf8_length("\xed\x9f\xbf"), 3);
    assert_int_equal(text_utf8_length("\xef\xbf\xbf"), 3);
    assert_int_equal(text_utf8_length("\xf0\x90\x80\x80"), 4);
    assert_int_equal(text_utf8_length("\xf4\x8f\xbf\xbf"), 4);
}

static void
malformed_characters_are_told(void **unused)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2z",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2\x82z",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
    };
    for (size_t i = 0; i < N_OF(wrong); i++)
        assert_int_equal(text_utf8_length(wrong[i]), 0);
}

static void
only_control_characters_and_malformed_bytes_are_escaped(void **unused)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "", "" },
        { "plain ~", "plain ~" },
        { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "a\r\nb\tc", "a\\x0d\\x0ab\\x09c" },
        { "\x1b[31m\x7f", "\\x1b[31m\\x7f" },
        { "\xc2\x9b"
          "2J\xc2\xa0",
          "\\xc2\\x9b2J\xc2\xa0" },
        { "\xff\xe2\x82", "\\xff\\xe2\\x82" },
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char out[100];
        assert_int_equal(text_escape(out, sizeof out, cases[i].in), strlen(cases[i].out));
        assert_string_equal(out, cases[i].out);
    }
}

static void
what_does_not_fit_ends_in_dots(void **unused)
{
    char out[8];
    assert_int_equal(text_escape(out, sizeof out, "1234567"), 7);
    assert_string_equal(out, "1234567");
    assert_int_equal(text_escape(out, sizeof out, "12345678"), 7);
    assert_string_equal(out, "1234...");
    text_escape(out, sizeof out, "123\n45");
    assert_string_equal(out, "123...");
    text_escape(out, sizeof out, "\n\n");
    assert_string_equal(out, "\\x0a...");
}

static void
random_bytes_come_out_clean_and_within_bounds(void **unused)
{
    static const char likely[] = "\xc2\x9b\xe2\x82\xac\xf0\x9f\x80";
    struct random r = random_seeded();
    for (int i = 0; i < 20000; i++) {
        char in[40];
        size_t n = random_below(&r, sizeof in);
        for (size_t j = 0; j < n; j++)
            in[j] = random_below(&r, 2) ? (char) random_u64(&r) : likely[random_below(&r, 8)];
        in[n] = '\0';

        size_t size = 8 + random_below(&r, 100);
        char *out = malloc(size); /* of exact size, for the sanitizer */
        size_t length = text_escape(out, size, in);
        assert_true(length < size);
        assert_int_equal(strlen(out), length);
        for (const char *p = out; *p; p += text_utf8_length(p)) {
            assert_int_not_equal(text_utf8_length(p), 0);
            assert_in_range((unsigned char) *p, 0x20, 0xff);
        }
        free(out);
    }
}

static void
a_pair_of_hex_digits_is_a_byte(void **unused)
{
    assert_int_equal(text_hex_byte("00"), 0);
    assert_int_equal(text_hex_byte("fF:"), 255);
    assert_int_equal(text_hex_byte("7a"), 0x7a);
    assert_int_equal(text_hex_byte(""), -1);
    assert_int_equal(text_hex_byte("1"), -1);
    assert_int_equal(text_hex_byte("g0"), -1);
    assert_int_equal(text_hex_byte("0 "), -1);
    assert_int_equal(text_hex_byte("-1"), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_characters_are_measured),
        cmocka_unit_test(malformed_characters_are_told),
        cmocka_unit_test(only_control_characters_and_malformed_bytes_are_escaped),
        cmocka_unit_test(what_does_not_fit_ends_in_dots),
        cmocka_unit_test(random_bytes_come_out_clean_and_within_bounds),
        cmocka_unit_test(a_pair_of_hex_digits_is_a_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
