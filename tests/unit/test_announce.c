/* When public addresses are announced: a script of times. */
#include "controller/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN_MS 5000

static void
an_address_is_announced_at_once_and_with_growing_gaps_for_a_minute(void **unused)
{
    static const int64_t want_ms[] = { 0, 100, 400, 1400, 4400, 13400, 33400, 63400 };
    struct announcer a;
    struct announcement one = { 0 };
    announcer_init(&a);
    assert_true(announce_due_ms(&a) == INT64_MAX);
    announce_start(&a, &one, BEGIN_MS);
    for (size_t i = 0; i < sizeof want_ms / sizeof *want_ms; i++) {
        int64_t due_ms = announce_due_ms(&a);
        assert_int_equal(due_ms, BEGIN_MS + want_ms[i]);
        assert_null(announce_next(&a, due_ms - 1));
        assert_ptr_equal(announce_next(&a, due_ms), &one);
        assert_null(announce_next(&a, due_ms));
    }
    assert_true(announce_due_ms(&a) == INT64_MAX);
}

static void
a_new_binding_begins_anew(void **unused)
{
    struct announcer a;
    struct announcement one = { 0 };
    announcer_init(&a);
    announce_start(&a, &one, 0);
    assert_non_null(announce_next(&a, 0));
    assert_non_null(announce_next(&a, 1000));
    announce_start(&a, &one, 1500);
    assert_int_equal(announce_due_ms(&a), 1500);
    assert_non_null(announce_next(&a, 1500));
    assert_int_equal(announce_due_ms(&a), 1600);
}

static void
what_is_stopped_is_silent_and_others_go_on(void **unused)
{
    struct announcer a;
    struct announcement v[3] = { { 0 }, { 0 }, { 0 } };
    announcer_init(&a);
    for (int i = 0; i < 3; i++)
        announce_start(&a, &v[i], i);
    announce_stop(&a, &v[2]);
    announce_stop(&a, &v[2]);
    announce_start(&a, &v[2], 3);
    announce_stop(&a, &v[1]);
    assert_ptr_equal(announce_next(&a, 3), &v[0]);
    assert_ptr_equal(announce_next(&a, 3), &v[2]);
    assert_null(announce_next(&a, 3));
    announce_stop(&a, &v[0]);
    assert_int_equal(announce_due_ms(&a), 103);
    announce_stop(&a, &v[2]);
    assert_true(announce_due_ms(&a) == INT64_MAX);
}

/* First ones first: a second round does not overtake a first one that is due earlier. */
static void
the_longest_due_comes_first(void **unused)
{
    struct announcer a;
    struct announcement early = { 0 }, late = { 0 };
    announcer_init(&a);
    announce_start(&a, &early, 0);
    assert_ptr_equal(announce_next(&a, 0), &early);
    announce_start(&a, &late, 1200);
    assert_ptr_equal(announce_next(&a, 1300), &early);
    assert_ptr_equal(announce_next(&a, 1300), &late);
}

static void
a_thousand_at_once_are_spread_over_time(void **unused)
{
    static struct announcement all[1000];
    struct announcer a;
    unsigned n = 0, turns = 0;
    int64_t now_ms = BEGIN_MS;
    announcer_init(&a);
    for (size_t i = 0; i < 1000; i++)
        announce_start(&a, &all[i], now_ms);
    for (; n < 1000; turns++) {
        unsigned said = 0;
        while (announce_next(&a, now_ms))
            said++;
        assert_in_range(said, 1, ANNOUNCE_BURST);
        n += said;
        assert_null(announce_next(&a, now_ms));
        if (n < 1000)
            assert_int_equal(announce_due_ms(&a), now_ms + ANNOUNCE_PAUSE_MS);
        now_ms += ANNOUNCE_PAUSE_MS;
    }
    assert_int_equal(turns, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_announced_at_once_and_with_growing_gaps_for_a_minute),
        cmocka_unit_test(a_new_binding_begins_anew),
        cmocka_unit_test(what_is_stopped_is_silent_and_others_go_on),
        cmocka_unit_test(the_longest_due_comes_first),
        cmocka_unit_test(a_thousand_at_once_are_spread_over_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
