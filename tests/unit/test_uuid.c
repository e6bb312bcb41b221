/* base/uuid: one spelling, strictly. */
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define N_OF(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static void
a_uuid_reads_back_in_lower_case(void **unused)
{
    struct uuid u;
    char buf[UUID_STRLEN];
    assert_true(uuid_parse("01234567-89AB-cdef-8899-aAbBcCdDeEfF", &u));
    assert_int_equal(u.b[0], 0x01);
    assert_int_equal(u.b[15], 0xff);
    assert_string_equal(uuid_format(u, buf), "01234567-89ab-cdef-8899-aabbccddeeff");
}

static void
what_is_nearly_a_uuid_is_refused(void **unused)
{
    static const char *const wrong[] = {
        "",
        "0",
        "01234567",
        "01234567-",
        "01234567-89ab-cdef-8899-aabbccddeef",
        "01234567-89ab-cdef-8899-aabbccddeeff0",
        "01234567-89ab-cdef-8899-aabbccddeef ",
        " 1234567-89ab-cdef-8899-aabbccddeeff",
        "0123456789abcdef8899aabbccddeeff",
        "{01234567-89ab-cdef-8899-aabbccddeeff}",
        "01234567-89ab-cdef-8899_aabbccddeeff",
        "0123456-789ab-cdef-8899-aabbccddeeff",
        "01234567-89ab-cdef-8899-aabbccddeefg",
        "01234567-89ab-cdef-8899-aabbccddeeff-",
        "urn:uuid:01234567-89ab-cdef-8899-aabbccddeeff",
        "-1234567-89ab-cdef-8899-aabbccddeeff",
        "0x234567-89ab-cdef-8899-aabbccddeeff",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct uuid u = { { 42 } };
        if (uuid_parse(wrong[i], &u) || uuid_is_shape(wrong[i]))
            fail_msg("'%s' is taken as a UUID", wrong[i]);
        assert_int_equal(u.b[0], 42);
    }
    assert_true(uuid_is_shape("00000000-0000-0000-0000-000000000000"));
}

static void
a_random_uuid_is_of_version_4(void **unused)
{
    static const uint8_t fills[] = { 0x00, 0xff, 0x5a };
    for (size_t i = 0; i < N_OF(fills); i++) {
        uint8_t random[16];
        memset(random, fills[i], sizeof random);
        struct uuid u = uuid_from_random(random);
        char buf[UUID_STRLEN];
        uuid_format(u, buf);
        assert_int_equal(buf[14], '4');
        assert_non_null(strchr("89ab", buf[19]));
        assert_int_equal(u.b[0], fills[i]);
        assert_int_equal(u.b[15], fills[i]);
        assert_false(uuid_is_zero(u));
    }
}

static void
equality_and_hash_see_every_bit(void **unused)
{
    struct uuid zero = { { 0 } };
    assert_true(uuid_is_zero(zero));
    for (int bit = 0; bit < 128; bit++) {
        struct uuid u = zero;
        u.b[bit / 8] |= 1 << bit % 8;
        assert_false(uuid_equal(u, zero));
        assert_false(uuid_is_zero(u));
        assert_int_not_equal(uuid_hash(u), uuid_hash(zero));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_reads_back_in_lower_case),
        cmocka_unit_test(what_is_nearly_a_uuid_is_refused),
        cmocka_unit_test(a_random_uuid_is_of_version_4),
        cmocka_unit_test(equality_and_hash_see_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
