/* When an upstream gateway is asked for its MAC address: a script of times. */
#include "controller/gateway_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool
answer(struct gateway_probe *p, bool is_other, int64_t now_ms)
{
    bool was_lost;
    return gateway_probe_answered(p, is_other, now_ms, &was_lost);
}

static void
an_unknown_gateway_is_asked_at_once_and_with_growing_gaps(void **unused)
{
    static const int64_t want_s[] = { 0, 1, 3, 7, 15, 25, 35, 45 };
    struct gateway_probe p;
    gateway_probe_start(&p, false, 0);
    for (size_t i = 0; i < sizeof want_s / sizeof *want_s; i++) {
        assert_int_equal(p.due_ms, want_s[i] * 1000);
        assert_true(gateway_probe_lost(&p) == (i == PROBE_LOST_AFTER));
        gateway_probe_asked(&p, p.due_ms);
    }
}

static void
a_known_one_is_asked_every_ten_seconds(void **unused)
{
    struct gateway_probe p;
    gateway_probe_start(&p, false, 0);
    gateway_probe_asked(&p, 0);
    assert_true(answer(&p, true, 3));
    for (int64_t now_ms = 3; now_ms < 200000;) {
        assert_int_equal(p.due_ms, now_ms + PROBE_INTERVAL_MS);
        now_ms = p.due_ms;
        assert_false(gateway_probe_lost(&p));
        gateway_probe_asked(&p, now_ms);
        assert_true(answer(&p, false, ++now_ms));
    }
}

static void
lost_answers_are_reported_once_and_the_next_answer_ends_that(void **unused)
{
    bool was_lost;
    struct gateway_probe p;
    gateway_probe_start(&p, true, 1000);
    for (int i = 0; i < PROBE_LOST_AFTER; i++) {
        assert_int_equal(p.due_ms, 1000 + i * 1000);
        assert_false(gateway_probe_lost(&p));
        gateway_probe_asked(&p, p.due_ms);
    }
    assert_int_equal(p.due_ms, 4000);
    assert_true(gateway_probe_lost(&p));
    gateway_probe_asked(&p, 4000);
    assert_int_equal(p.due_ms, 4000 + PROBE_INTERVAL_MS);
    assert_false(gateway_probe_lost(&p));
    gateway_probe_asked(&p, p.due_ms);
    assert_int_equal(p.due_ms, 4000 + 2 * PROBE_INTERVAL_MS);
    assert_true(gateway_probe_answered(&p, false, 50000, &was_lost));
    assert_true(was_lost);
    assert_true(gateway_probe_answered(&p, false, 50001, &was_lost));
    assert_false(was_lost);
}

static void
questions_that_nobody_can_ask_are_not_lost_answers(void **unused)
{
    struct gateway_probe p;
    gateway_probe_start(&p, true, 0);
    gateway_probe_asked(&p, 0);
    gateway_probe_idle(&p);
    assert_true(p.due_ms == INT64_MAX);
    gateway_probe_wake(&p, 500000);
    assert_int_equal(p.due_ms, 500000);
    gateway_probe_wake(&p, 600000);
    assert_int_equal(p.due_ms, 500000);
    assert_false(gateway_probe_lost(&p));
}

static void
a_new_way_to_an_unknown_gateway_is_tried_at_once(void **unused)
{
    struct gateway_probe p;
    gateway_probe_start(&p, false, 0);
    while (p.due_ms < 100000)
        gateway_probe_asked(&p, p.due_ms);
    gateway_probe_hurry(&p, 100000);
    assert_int_equal(p.due_ms, 100000);
    gateway_probe_asked(&p, 100000);
    assert_int_equal(p.due_ms, 101000);
    assert_true(answer(&p, true, 100001));
    gateway_probe_hurry(&p, 100002);
    assert_int_equal(p.due_ms, 100001 + PROBE_INTERVAL_MS);
}

static void
two_that_claim_the_address_change_it_once_a_second_at_most(void **unused)
{
    struct gateway_probe p;
    gateway_probe_start(&p, false, 0);
    assert_true(answer(&p, true, 1000));
    assert_false(answer(&p, true, 1001));
    assert_int_equal(p.due_ms, 1000 + PROBE_CHANGE_MS);
    assert_true(answer(&p, false, 1002));
    assert_false(answer(&p, true, 1999));
    assert_true(answer(&p, true, 2000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_gateway_is_asked_at_once_and_with_growing_gaps),
        cmocka_unit_test(a_known_one_is_asked_every_ten_seconds),
        cmocka_unit_test(lost_answers_are_reported_once_and_the_next_answer_ends_that),
        cmocka_unit_test(questions_that_nobody_can_ask_are_not_lost_answers),
        cmocka_unit_test(a_new_way_to_an_unknown_gateway_is_tried_at_once),
        cmocka_unit_test(two_that_claim_the_address_change_it_once_a_second_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
