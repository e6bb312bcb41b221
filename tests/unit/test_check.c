/* The health of a target: scripts of probes, by time. */
#include "controller/check/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "controller/check/check_ears.h"
#include "controller/check/check_record.h"

#define BEGIN_MS 1000000
#define WALL_MS INT64_C(1795344000123)

static const struct check_rule rule = { .interval_ms = 1000, .timeout_ms = 400, .rise = 2, .fall = 3 };

struct script {
    struct check check;
    int64_t now_ms;
};

static struct script
begin(void)
{
    struct script s = { .now_ms = BEGIN_MS };
    check_start(&s.check, &rule, 250, s.now_ms);
    return s;
}

/* Until the next probe is due, which is sent. */
static void
ask(struct script *s)
{
    s->now_ms = check_due_ms(&s->check);
    assert_int_equal(check_step(&s->check, s->now_ms - 1), CHECK_WAIT);
    assert_int_equal(check_step(&s->check, s->now_ms), CHECK_ASK);
    check_asked(&s->check, &rule, 250, s->now_ms);
    assert_int_equal(check_due_ms(&s->check), s->now_ms + 400);
}

/* One letter a probe: A alive, R refused, T not answered in time, U unreachable; after each the state's first letter is wanted. */
static void
play(struct script *s, const char *probes, const char *states)
{
    for (; *probes; probes++, states++) {
        ask(s);
        enum check_end end = *probes == 'A'   ? CHECK_ALIVE
                             : *probes == 'R' ? CHECK_REFUSED
                             : *probes == 'U' ? CHECK_UNREACHABLE
                                              : CHECK_NO_ANSWER;
        s->now_ms += end == CHECK_NO_ANSWER ? 400 : 5;
        assert_int_equal(check_step(&s->check, s->now_ms), end == CHECK_NO_ANSWER ? CHECK_TIMED_OUT : CHECK_WAIT);
        enum target_state before = s->check.state;
        bool is_changed = check_ended(&s->check, &rule, end, WALL_MS + s->now_ms - BEGIN_MS);
        assert_int_equal(is_changed, s->check.state != before);
        assert_int_equal(target_state_word(s->check.state)[0], *states);
    }
}

static void
a_new_target_is_healthy_at_its_first_success(void **unused)
{
    struct script s = begin();
    assert_int_equal(check_due_ms(&s.check), BEGIN_MS);
    play(&s, "A", "h");
    s = begin();
    play(&s, "RTA", "iih");
    assert_int_equal(s.check.reason, CHECK_ALIVE);
}

static void
a_new_target_that_fails_is_unhealthy_after_fall_and_healthy_after_rise(void **unused)
{
    struct script s = begin();
    play(&s, "RR", "ii");
    assert_int_equal(s.check.reason, CHECK_REFUSED);
    play(&s, "TAA", "uuh");
}

static void
failures_in_a_row_make_it_unhealthy_and_successes_in_a_row_healthy(void **unused)
{
    struct script s = begin();
    play(&s, "ATTATTT", "hhhhhhu");
    assert_int_equal(s.check.reason, CHECK_NO_ANSWER);
    play(&s, "ATAUAA", "uuuuuh");
    assert_int_equal(s.check.reason, CHECK_ALIVE);
    play(&s, "RRR", "hhu");
}

static void
the_reason_is_that_of_the_last_probe(void **unused)
{
    struct script s = begin();
    play(&s, "ARTR", "hhhu");
    assert_int_equal(s.check.reason, CHECK_REFUSED);
    play(&s, "U", "u");
    assert_int_equal(s.check.reason, CHECK_UNREACHABLE);
    assert_int_equal(s.check.changes[0].reason, CHECK_REFUSED);
    play(&s, "A", "u");
    assert_int_equal(s.check.reason, CHECK_UNREACHABLE);
}

static void
it_is_asked_each_interval_whatever_the_answer_takes(void **unused)
{
    struct script s = begin();
    play(&s, "A", "h");
    int64_t second_ms = check_due_ms(&s.check);
    assert_int_equal(second_ms, BEGIN_MS + 500 + 250); /* a time of its own, in the second half */
    play(&s, "TATR", "hhhh");
    assert_int_equal(check_due_ms(&s.check), second_ms + 4000);
}

/* From its last success to the state, at worst: what the bar of the load balancer's detection counts. */
static void
a_death_is_known_after_fall_intervals_and_a_timeout(void **unused)
{
    struct script s = begin();
    play(&s, "AA", "hh");
    int64_t alive_ms = s.now_ms;
    play(&s, "TTT", "hhu");
    assert_true(s.now_ms - alive_ms <= 3 * 1000 + 400);
}

static void
many_targets_are_asked_at_times_of_their_own(void **unused)
{
    unsigned in_tenth[10] = { 0 };
    for (uint32_t i = 0; i < 1000; i++) {
        struct check c = { .state = TARGET_HEALTHY, .n_changes = 1 };
        check_start(&c, &rule, i * 2654435761u, BEGIN_MS);
        assert_true(check_due_ms(&c) >= BEGIN_MS && check_due_ms(&c) < BEGIN_MS + 1000);
        in_tenth[(check_due_ms(&c) - BEGIN_MS) / 100]++;
    }
    for (int i = 0; i < 10; i++)
        assert_true(in_tenth[i] > 50 && in_tenth[i] < 200);
}

static void
a_timeout_as_long_as_the_interval_leaves_one_probe_at_a_time(void **unused)
{
    struct check_rule slow = rule;
    slow.timeout_ms = slow.interval_ms;
    struct check c = { .state = TARGET_INITIAL };
    check_start(&c, &slow, 77, BEGIN_MS);
    check_asked(&c, &slow, 77, BEGIN_MS);
    for (int i = 1; i < 5; i++) {
        int64_t due_ms = check_due_ms(&c);
        assert_int_equal(due_ms, BEGIN_MS + 1000 * i);
        assert_int_equal(check_step(&c, due_ms), CHECK_TIMED_OUT);
        check_ended(&c, &slow, CHECK_NO_ANSWER, WALL_MS);
        assert_int_equal(check_step(&c, due_ms), CHECK_ASK);
        check_asked(&c, &slow, 77, due_ms);
    }
}

static void
what_cannot_be_asked_is_tried_less_and_less_often(void **unused)
{
    struct script s = begin();
    static const int64_t want_ms[] = { 20, 40, 80, 160, 320, 640, 1000, 1000 };
    for (size_t i = 0; i < sizeof want_ms / sizeof *want_ms; i++) {
        assert_int_equal(check_step(&s.check, s.now_ms), CHECK_ASK);
        check_put_off(&s.check, &rule, s.now_ms);
        assert_int_equal(check_due_ms(&s.check), s.now_ms + want_ms[i]);
        s.now_ms = check_due_ms(&s.check);
    }
    assert_int_equal(s.check.state, TARGET_INITIAL);
    play(&s, "A", "h");
    check_put_off(&s.check, &rule, s.now_ms);
    assert_int_equal(check_due_ms(&s.check), s.now_ms + 20);
}

static void
one_that_others_go_before_keeps_its_pace_afterwards(void **unused)
{
    struct script s = begin();
    play(&s, "AA", "hh");
    int64_t due_ms = check_due_ms(&s.check);
    check_queue(&s.check, 15, due_ms);
    assert_int_equal(check_due_ms(&s.check), due_ms + 15);
    play(&s, "A", "h");
    assert_int_equal(check_due_ms(&s.check), due_ms + 15 + 1000);
}

static void
who_looks_far_too_late_asks_again(void **unused)
{
    struct script s = begin();
    play(&s, "A", "h");
    ask(&s);
    int64_t late_ms = s.now_ms + 400 + CHECK_LATE_MS;
    assert_int_equal(check_step(&s.check, late_ms - 1), CHECK_TIMED_OUT);
    assert_int_equal(check_step(&s.check, late_ms), CHECK_ASK);
    check_asked(&s.check, &rule, 250, late_ms);
    assert_int_equal(check_due_ms(&s.check), late_ms + 400);
}

static void
a_shorter_interval_is_felt_at_once(void **unused)
{
    struct check_rule slow = { .interval_ms = 300000, .timeout_ms = 150000, .rise = 1, .fall = 1 };
    struct check c = { .state = TARGET_INITIAL };
    check_start(&c, &slow, 5, BEGIN_MS);
    check_asked(&c, &slow, 5, BEGIN_MS);
    check_hurry(&c, &rule, BEGIN_MS + 100);
    assert_int_equal(check_due_ms(&c), BEGIN_MS + 500);
    check_ended(&c, &rule, CHECK_ALIVE, WALL_MS);
    assert_int_equal(check_due_ms(&c), BEGIN_MS + 1100);
    check_hurry(&c, &slow, BEGIN_MS + 200);
    assert_int_equal(check_due_ms(&c), BEGIN_MS + 1100);
}

static void
one_that_moved_is_asked_again_at_once(void **unused)
{
    struct script s = begin();
    play(&s, "A", "h");
    ask(&s);
    check_again(&s.check, s.now_ms + 7);
    assert_int_equal(check_due_ms(&s.check), s.now_ms + 7);
    assert_int_equal(check_step(&s.check, s.now_ms + 7), CHECK_ASK);
}

static void
one_that_is_not_checked_is_healthy_and_never_asked(void **unused)
{
    struct script s = begin();
    assert_true(check_trust(&s.check, WALL_MS));
    assert_int_equal(s.check.state, TARGET_HEALTHY);
    assert_true(check_due_ms(&s.check) == INT64_MAX);
    assert_false(check_trust(&s.check, WALL_MS));
    assert_true(check_forget(&s.check, WALL_MS));
    assert_int_equal(s.check.state, TARGET_INITIAL);
}

static void
the_last_changes_are_kept_the_newest_first(void **unused)
{
    struct script s = begin();
    play(&s, "ARRRAATTTAARRR", "hhhuuhhhuuhhhu");
    static const enum target_state want[] = { TARGET_UNHEALTHY, TARGET_HEALTHY, TARGET_UNHEALTHY, TARGET_HEALTHY, TARGET_UNHEALTHY };
    assert_int_equal(s.check.n_changes, CHECK_CHANGES);
    for (int i = 0; i < CHECK_CHANGES; i++) {
        assert_int_equal(s.check.changes[i].state, want[i]);
        assert_true(!i || s.check.changes[i].at_ms < s.check.changes[i - 1].at_ms);
    }
    assert_int_equal(s.check.changes[2].reason, CHECK_NO_ANSWER);
    assert_int_equal(s.check.changes[1].reason, CHECK_ALIVE);
}

/* ---- the record ---- */

static void
a_record_is_read_as_it_was_written(void **unused)
{
    char text[CHECK_RECORD_MAX], again[CHECK_RECORD_MAX];
    struct script s = begin();
    assert_false(check_record_write(&s.check, text));
    static const struct {
        const char *probes, *states;
    } parts[] = {
        { "A", "h" }, { "RRR", "hhu" }, { "T", "u" }, { "AA", "uh" }, { "UUU", "hhu" }, { "AA", "uh" }, { "TTT", "hhu" },
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct check got = { .n_changes = 0 };
        play(&s, parts[i].probes, parts[i].states);
        assert_true(check_record_write(&s.check, text));
        assert_true(check_record_read(&got, text));
        assert_int_equal(got.state, s.check.state);
        assert_int_equal(got.reason, s.check.reason);
        assert_int_equal(got.n_changes, s.check.n_changes);
        assert_true(check_record_write(&got, again));
        assert_string_equal(text, again);
    }
}

static void
other_text_is_no_record(void **unused)
{
    static const char *const wrong[] = {
        "",
        ";",
        "healthy",
        ";healthy,,1;",
        ";healthy,1",
        ";healthy,,",
        ";healthy,,x",
        ";healthy,,1,",
        ";well,,1",
        "tired;healthy,,1",
        ";healthy,tired,1",
        ";healthy,,-1",
        ";healthy,,12345678901234567",
        ";healthy,,1;healthy,,1;healthy,,1;healthy,,1;healthy,,1;healthy,,1",
        ";unhealthy,a reason that is longer than any that there is,1",
        "refused",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct check c = { .n_changes = 0 };
        if (check_record_read(&c, wrong[i]))
            fail_msg("'%s' was read", wrong[i]);
        assert_int_equal(c.n_changes, 0);
        assert_int_equal(c.state, TARGET_INITIAL);
    }
}

/* ---- does vnetd hear? ---- */

static void
who_hears_nothing_is_deaf_until_something_is_heard(void **unused)
{
    struct check_ears e = { .n_heard = 0 };
    check_ears_begin(&e, 1000);
    check_ears_heard(&e, 1100);
    uint64_t asked = e.n_heard, period = e.period;
    check_ears_heard(&e, 1200);
    assert_true(check_ears_hear(&e, asked));
    assert_int_equal(e.period, period);

    asked = e.n_heard;
    assert_false(check_ears_hear(&e, asked));
    assert_false(check_ears_hear(&e, 0)); /* whatever was heard before */
    assert_false(check_ears_waits(&e, 0, 0, 1000 + CHECK_GRACE_MS));
    check_ears_heard(&e, 90000);
    assert_true(check_ears_hear(&e, asked));
    assert_int_equal(e.period, period + 1);
    assert_true(check_ears_waits(&e, 1200, period, 90000 + CHECK_GRACE_MS - 1));
    assert_false(check_ears_waits(&e, 1200, period, 90000 + CHECK_GRACE_MS));
    assert_false(check_ears_waits(&e, 1200, period + 1, 90001));

    check_ears_cut_off(&e);
    assert_false(check_ears_hear(&e, 0));
    check_ears_heard(&e, 91000);
    assert_int_equal(e.period, period + 2);
}

static void
who_is_far_too_late_has_slept(void **unused)
{
    struct check_ears e = { .n_heard = 0 };
    check_ears_begin(&e, 1000);
    uint64_t period = e.period;
    assert_false(check_ears_woke(&e, INT64_MAX, 50000));
    assert_false(check_ears_woke(&e, 50000, 50000 + CHECK_LATE_MS - 1));
    assert_int_equal(e.period, period);
    assert_true(check_ears_woke(&e, 50000, 50000 + CHECK_LATE_MS));
    assert_int_equal(e.period, period + 1);
    assert_true(check_ears_waits(&e, 50000, period, 50001 + CHECK_LATE_MS));
}

/* Times from the first period's beginning on, in ms: vnetd sleeps from 5,000 to 65,000, then hears nothing between 68,000 and 88,000. */
static void
who_was_away_before_vnetd_was_keeps_his_grace_and_its_end(void **unused)
{
    struct check_ears e = { .n_heard = 0 };
    const int64_t t0 = 100000, never = 0, early = t0 + 4000, asleep = t0 + 64000, deaf = t0 + 80000, end = t0 + CHECK_GRACE_MS + 80000;
    check_ears_begin(&e, t0);
    uint64_t first = e.period;
    check_ears_heard(&e, early);
    assert_false(check_ears_waits(&e, early, first, early + 1)); /* it has been spoken to, and is lost */
    assert_true(check_ears_woke(&e, t0 + 5000, t0 + 65000));
    assert_false(check_ears_waits(&e, early, first, t0 + 65001));
    assert_true(check_ears_waits(&e, asleep, first, t0 + 65001));
    assert_false(check_ears_waits(&e, asleep, first + 1, t0 + 65001));
    check_ears_heard(&e, t0 + 68000);
    check_ears_cut_off(&e);
    check_ears_heard(&e, t0 + 88000);

    assert_false(check_ears_waits(&e, early, first, t0 + 88001));
    assert_false(check_ears_waits(&e, asleep, first + 1, t0 + 88001));
    assert_true(check_ears_waits(&e, never, 0, end - 1)); /* it has had all its time but what vnetd was away */
    assert_false(check_ears_waits(&e, never, 0, end));
    assert_true(check_ears_waits(&e, asleep, first, t0 + 65000 + 20000 + CHECK_GRACE_MS - 1));
    assert_false(check_ears_waits(&e, asleep, first, t0 + 65000 + 20000 + CHECK_GRACE_MS));
    assert_true(check_ears_waits(&e, deaf, first + 1, t0 + 88000 + CHECK_GRACE_MS - 1));
    assert_false(check_ears_waits(&e, deaf, first + 2, t0 + 88001));
}

/* A vnetd with too much to do: late by a second and a half, time and again. */
static void
however_often_vnetd_is_late_who_was_away_before_is_lost_in_time(void **unused)
{
    struct check_ears e = { .n_heard = 0 };
    int64_t now_ms = 1000, heard_for_ms = 0;
    check_ears_begin(&e, now_ms);
    while (check_ears_waits(&e, 0, 0, now_ms)) {
        assert_true(heard_for_ms < CHECK_GRACE_MS);
        heard_for_ms += 500;
        assert_true(check_ears_woke(&e, now_ms + 500, now_ms + 2000));
        now_ms += 2000;
    }
    assert_true(heard_for_ms >= CHECK_GRACE_MS);
}

static void
a_probe_that_says_nothing_counts_for_nothing(void **unused)
{
    struct script s = begin();
    play(&s, "A", "h");
    int64_t now_ms = s.check.next_ms;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(check_step(&s.check, now_ms), CHECK_ASK);
        check_asked(&s.check, &rule, 250, now_ms);
        now_ms = check_due_ms(&s.check);
        assert_int_equal(check_step(&s.check, now_ms), CHECK_TIMED_OUT);
        check_extend(&s.check, 100, now_ms);
        assert_int_equal(check_step(&s.check, now_ms + 99), CHECK_WAIT);
        assert_int_equal(check_step(&s.check, now_ms + 100), CHECK_TIMED_OUT);
        check_unheard(&s.check);
        assert_int_equal(s.check.state, TARGET_HEALTHY);
        now_ms = check_due_ms(&s.check);
    }
    play(&s, "TTT", "hhu"); /* as if nothing had been */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_target_is_healthy_at_its_first_success),
        cmocka_unit_test(a_new_target_that_fails_is_unhealthy_after_fall_and_healthy_after_rise),
        cmocka_unit_test(failures_in_a_row_make_it_unhealthy_and_successes_in_a_row_healthy),
        cmocka_unit_test(the_reason_is_that_of_the_last_probe),
        cmocka_unit_test(it_is_asked_each_interval_whatever_the_answer_takes),
        cmocka_unit_test(a_death_is_known_after_fall_intervals_and_a_timeout),
        cmocka_unit_test(many_targets_are_asked_at_times_of_their_own),
        cmocka_unit_test(a_timeout_as_long_as_the_interval_leaves_one_probe_at_a_time),
        cmocka_unit_test(what_cannot_be_asked_is_tried_less_and_less_often),
        cmocka_unit_test(one_that_others_go_before_keeps_its_pace_afterwards),
        cmocka_unit_test(who_looks_far_too_late_asks_again),
        cmocka_unit_test(who_hears_nothing_is_deaf_until_something_is_heard),
        cmocka_unit_test(who_is_far_too_late_has_slept),
        cmocka_unit_test(who_was_away_before_vnetd_was_keeps_his_grace_and_its_end),
        cmocka_unit_test(however_often_vnetd_is_late_who_was_away_before_is_lost_in_time),
        cmocka_unit_test(a_probe_that_says_nothing_counts_for_nothing),
        cmocka_unit_test(a_shorter_interval_is_felt_at_once),
        cmocka_unit_test(one_that_moved_is_asked_again_at_once),
        cmocka_unit_test(one_that_is_not_checked_is_healthy_and_never_asked),
        cmocka_unit_test(the_last_changes_are_kept_the_newest_first),
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(other_text_is_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
