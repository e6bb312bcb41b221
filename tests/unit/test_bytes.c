/* Bytes out and in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "base/bytes.h"

static void
integers_go_out_in_network_order(void **state)
{
    (void) state;
    struct bytes b = BYTES_INIT;
    bytes_put_u8(&b, 0x01);
    bytes_put_be16(&b, 0x0203);
    bytes_put_be32(&b, 0x04050607);
    bytes_put_be64(&b, 0x08090a0b0c0d0e0fULL);
    static const uint8_t expected[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    assert_int_equal(b.n, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    bytes_done(&b);
    assert_null(b.data);
}

static void
what_was_put_stays_while_it_grows(void **state)
{
    (void) state;
    struct bytes b = BYTES_INIT;
    for (uint32_t i = 0; i < 100000; i++)
        bytes_put_be32(&b, i);
    struct bytes_reader r;
    reader_init(&r, b.data, b.n);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(reader_be32(&r), i);
    assert_int_equal(reader_left(&r), 0);
    assert_false(r.bad);
    bytes_clear(&b);
    assert_int_equal(b.n, 0);
    uint8_t *zeros = bytes_extend_zero(&b, 3);
    assert_int_equal(zeros[0] | zeros[1] | zeros[2], 0);
    bytes_done(&b);
}

static void
nothing_may_be_put_and_read(void **state)
{
    (void) state;
    struct bytes b = BYTES_INIT;
    bytes_put(&b, NULL, 0);
    assert_int_equal(b.n, 0);
    struct bytes_reader r;
    reader_init(&r, NULL, 0);
    assert_int_equal(reader_left(&r), 0);
    reader_take(&r, 0);
    assert_false(r.bad);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.bad);
    bytes_done(&b);
}

static void
a_reader_past_its_end_is_bad_and_yields_zeros(void **state)
{
    (void) state;
    static const uint8_t data[] = { 1, 2, 3 };
    struct bytes_reader r;
    reader_init(&r, data, sizeof data);
    assert_int_equal(reader_be16(&r), 0x0102);
    assert_int_equal(reader_be16(&r), 0);
    assert_true(r.bad);
    assert_int_equal(reader_u8(&r), 0); /* though a byte was left */
    assert_int_equal(reader_left(&r), 0);
    assert_null(reader_take(&r, 1));
}

static void
a_huge_length_is_not_taken(void **state)
{
    (void) state;
    static const uint8_t data[] = { 1, 2, 3 };
    struct bytes_reader r;
    reader_init(&r, data, sizeof data);
    assert_null(reader_take(&r, SIZE_MAX));
    assert_true(r.bad);
    reader_init(&r, data, sizeof data);
    assert_ptr_equal(reader_take(&r, 3), data);
    assert_false(r.bad);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_go_out_in_network_order), cmocka_unit_test(what_was_put_stays_while_it_grows),
        cmocka_unit_test(nothing_may_be_put_and_read),      cmocka_unit_test(a_reader_past_its_end_is_bad_and_yields_zeros),
        cmocka_unit_test(a_huge_length_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
