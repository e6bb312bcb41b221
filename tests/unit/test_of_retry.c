/* What a switch has refused is tried again by itself, less and less often, beside everything else. */
#include <string.h>

#include "ofproto/session/of_session_private.h"
#include "tests/unit/session_world.h"

#define REFUSED 999 /* the priority of what the switch refuses */

static unsigned discards_awaited;

static bool
has_discarded(struct world *w)
{
    return w->fake.n_discards >= discards_awaited;
}

static bool
is_nothing_refused(struct world *w)
{
    return !flow_table_n_refused(w->table) && flow_table_is_clean(w->table);
}

static bool
is_one_more_there(struct world *w)
{
    return w->fake.n_flows_committed == 31;
}

/* The switch refuses the flows of blocks 'first' and on, 'n' of them, and takes 30 others. */
static void
start(struct world *w, uint32_t first, uint32_t n)
{
    w->fake.refuses_when_added = REFUSED;
    world_set_blocks(w, 30, 0, 0);
    for (uint32_t i = 0; i < n; i++)
        world_set_block(w, first + i, world_flow(w, first + i, REFUSED));
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(w->n_refused, n);
    assert_int_equal(w->fake.n_flows_committed, 30);
}

static void
wait_for_discards(struct world *w, unsigned n, int ms)
{
    discards_awaited = n;
    assert_true(world_until(w, has_discarded, ms));
}

static void
a_refusal_is_told_once_tried_ever_more_seldom_and_taken_in_the_end(void **state)
{
    struct world *w = *state;
    int64_t begin = of_session_now_ms();
    uint64_t cookie = 0;
    start(w, 77, 1);
    wait_for_discards(w, 3, 20000);
    assert_true(of_session_now_ms() - begin > 2500); /* after one second, and after two more */
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(of_session_counters(w->session)->refused, 1);
    w->fake.refuses_when_added = 0;
    assert_true(world_until(w, is_nothing_refused, 20000));
    assert_int_equal(w->fake.n_flows_committed, 31);
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->seq, 1);
    assert_true(w->n_committed > 1);
    assert_true(flow_table_next_accepted(w->table, &cookie));
    assert_int_equal(cookie, COOKIE(77));
}

/* Without a removal the next gaps would be of 4 and 8 seconds. */
static void
what_is_removed_from_the_switch_ends_a_long_gap(void **state)
{
    struct world *w = *state;
    start(w, 77, 1);
    wait_for_discards(w, 3, 20000);
    world_set_block(w, 1, NULL);
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    wait_for_discards(w, 5, 9000);
    assert_string_equal(of_session_state_name(w->session), "CURRENT");
}

static void
what_is_new_is_sent_and_told_at_once_whatever_is_refused(void **state)
{
    struct world *w = *state;
    start(w, 77, 1);
    wait_for_discards(w, 2, 20000);
    world_set_block(w, 31, world_flow(w, 31, 100));
    world_set_block(w, 78, world_flow(w, 78, REFUSED));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->fake.n_flows_committed, 31);
    assert_int_equal(w->n_refused, 2);
    assert_int_equal(w->refused_cookie, COOKIE(78));
    world_set_block(w, 77, world_flow(w, 77, 100));
    of_session_flush(w->session, 3);
    w->fake.refuses_when_added = 0;
    assert_true(world_until(w, is_nothing_refused, 20000));
    assert_int_equal(w->fake.n_flows_committed, 33);
}

static void
many_are_tried_some_at_a_time_and_all_at_once_when_they_are_taken(void **state)
{
    struct world *w = *state;
    start(w, 100, 300);
    w->fake.refuses_when_added = 0;
    w->fake.largest_bundle = 0;
    unsigned n_commits = w->fake.n_commits;
    assert_true(world_until(w, is_nothing_refused, 20000));
    assert_int_equal(w->fake.n_flows_committed, 330);
    assert_int_equal(w->fake.largest_bundle, 64);
    assert_int_equal(w->fake.n_commits - n_commits, 5);
}

/* Those that are still refused come back at the end of the queue. */
static void
one_that_can_be_taken_is_found_behind_many_that_cannot(void **state)
{
    struct world *w = *state;
    start(w, 100, 100);
    w->fake.refuses_when_added = REFUSED - 1;
    world_set_block(w, 300, world_flow(w, 300, REFUSED - 1));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    w->fake.refuses_when_added = REFUSED;
    assert_int_equal(flow_table_n_refused(w->table), 101);
    assert_int_equal(w->fake.n_flows_committed, 30);
    assert_true(world_until(w, is_one_more_there, 20000));
    assert_int_equal(flow_table_n_refused(w->table), 100);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refusal_is_told_once_tried_ever_more_seldom_and_taken_in_the_end),
        TEST(what_is_removed_from_the_switch_ends_a_long_gap),
        TEST(what_is_new_is_sent_and_told_at_once_whatever_is_refused),
        TEST(many_are_tried_some_at_a_time_and_all_at_once_when_they_are_taken),
        TEST(one_that_can_be_taken_is_found_behind_many_that_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
