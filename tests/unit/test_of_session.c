/* One OpenFlow session against a scripted switch: how it is filled, what it refuses, what is read of it, how it ends. */
#include <signal.h>
#include <string.h>

#include "tests/unit/session_world.h"

static bool
has_controller_id(struct world *w)
{
    return w->fake.n_controller_ids > 0;
}

static void
a_switch_is_read_back_and_then_filled(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 3, 0, 0);
    world_start_fake(w);
    assert_string_equal(of_session_state_name(w->session), "HELLO");
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(w->dpid, DPID);
    assert_int_equal(of_session_dpid(w->session), DPID);
    assert_int_equal(w->seq, 1);
    assert_int_equal(w->fake.n_flows_committed, 3);
    assert_int_equal(w->fake.n_commits, 1);
    assert_int_equal(w->fake.controller_id, 1);
    assert_string_equal(of_session_state_name(w->session), "CURRENT");
    assert_true(flow_table_is_clean(w->table));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 3);
}

static void
nothing_is_sent_before_the_owner_says_that_its_view_is_complete(void **state)
{
    struct world *w = *state;
    w->reconciles_in_identify = false;
    world_set_blocks(w, 3, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, has_controller_id, 5000));
    assert_false(world_until(w, is_committed, 100));
    assert_string_equal(of_session_state_name(w->session), "IDENTIFIED");
    assert_int_equal(w->fake.n_messages[18] + w->fake.n_messages[33] + w->fake.n_messages[34], 0);
    of_session_reconcile(w->session, w->table, 9);
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(w->seq, 9);
}

static void
nothing_changed_sends_nothing(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 3, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    world_set_blocks(w, 3, 0, 0);
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->fake.n_commits, 1);
}

static void
changes_while_a_batch_is_in_flight_are_the_next_batch(void **state)
{
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    world_set_blocks(w, 5, 0, 0);
    of_session_push(w->session);
    event_base_loop(w->base, EVLOOP_ONCE);
    assert_string_equal(of_session_state_name(w->session), "COMMITTING");
    world_set_block(w, 1, world_flow(w, 1, 200));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->n_committed, 2);
    assert_int_equal(w->fake.n_commits, 2);
    assert_true(flow_table_is_clean(w->table));
}

static void
a_large_fill_goes_in_batches(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 2 * OF_SESSION_BATCH + 10, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 20000));
    assert_int_equal(w->n_committed, 1);
    assert_int_equal(w->fake.n_commits, 3);
    assert_int_equal(w->fake.n_flows_committed, 2 * OF_SESSION_BATCH + 10);
    assert_true(w->fake.largest_bundle <= OF_SESSION_BATCH);
}

static void
check_one_refused(struct world *w, unsigned n_flows)
{
    assert_true(world_until(w, is_committed, 20000));
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->refused_cookie, COOKIE(77));
    assert_int_equal(w->fake.n_flows_committed, n_flows - 1);
    assert_true(flow_table_is_clean(w->table));
    assert_int_equal(of_session_counters(w->session)->refused, 1);
}

static void
a_flow_refused_when_it_is_added_is_left_out_and_named(void **state)
{
    struct world *w = *state;
    w->fake.refuses_when_added = 999;
    world_set_blocks(w, 300, 77, 999);
    world_start_fake(w);
    check_one_refused(w, 300);
    assert_int_equal(w->fake.n_discards, 1);
    assert_int_equal(w->fake.n_commits, 1);
    assert_non_null(strstr(w->refusal, "OFPFMFC_TABLE_FULL"));
    assert_non_null(strstr(w->refusal, "table 7, priority 999"));

    w->fake.refuses_when_added = 0;
    world_set_block(w, 77, NULL);
    world_set_block(w, 77, world_flow(w, 77, 999));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->fake.n_flows_committed, 300);
}

static void
a_flow_refused_at_the_commit_is_left_out_and_named(void **state)
{
    struct world *w = *state;
    w->fake.refuses_when_committed = 999;
    world_set_blocks(w, 300, 77, 999);
    world_start_fake(w);
    check_one_refused(w, 300);
    assert_int_equal(w->fake.n_discards, 0);
}

static void
a_flow_that_spoils_commits_without_being_named_is_found(void **state)
{
    struct world *w = *state;
    w->fake.spoils_commit_namelessly = 999;
    world_set_blocks(w, 300, 77, 999);
    world_start_fake(w);
    check_one_refused(w, 300);
    assert_non_null(strstr(w->refusal, "OFPBFC_MSG_FAILED"));
}

static void
a_lost_bundle_is_sent_again(void **state)
{
    struct world *w = *state;
    w->fake.n_commits_to_lose = 2;
    world_set_blocks(w, 30, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(w->n_refused, 0);
    assert_int_equal(w->fake.n_flows_committed, 30);
}

static void
a_switch_that_loses_every_bundle_is_connected_anew(void **state)
{
    struct world *w = *state;
    w->fake.n_commits_to_lose = 1000;
    world_set_blocks(w, 30, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, is_closed, 5000));
    assert_int_equal(w->n_refused, 0);
    assert_int_equal(w->n_committed, 0);
    assert_non_null(strstr(w->reason, "OFPBFC_BAD_ID"));
    assert_false(flow_table_is_sending(w->table));
}

static void
an_error_that_answers_nothing_of_ours_does_not_end_the_session(void **state)
{
    struct world *w = *state;
    w->fake.refuses_set_async = true;
    world_set_blocks(w, 3, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(of_session_counters(w->session)->errors, 1);
}

static void
the_controller_id_can_be_given_away_and_taken_back(void **state)
{
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    w->fake.n_controller_ids = 0;
    of_session_set_controller_id(w->session, 0);
    assert_true(world_until(w, has_controller_id, 5000));
    assert_int_equal(w->fake.controller_id, 0);
}

static void
many_parts_of_a_reply_are_one_reading(void **state)
{
    struct world *w = *state;
    w->fake.n_multipart_parts = 1000;
    world_set_blocks(w, 3, 0, 0);
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
}

static bool
are_16_reads_done(struct world *w)
{
    return w->n_reads_done == 16;
}

static void
readings_queue_up_to_sixteen_beside_commits(void **state)
{
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    struct of_session_read read = world_reading(w, 0xff);
    for (int i = 0; i < 16; i++)
        assert_true(of_session_read(w->session, &read));
    assert_false(of_session_read(w->session, &read));
    world_set_blocks(w, 100, 0, 0);
    of_session_flush(w->session, 2);
    assert_true(world_until(w, are_16_reads_done, 5000));
    assert_true(w->is_read_ok);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_true(of_session_read(w->session, &read));
}

static void
a_closed_connection_ends_readings_and_the_session(void **state)
{
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    w->fake.is_deaf_to_tables = true;
    struct of_session_read read = world_reading(w, 0xff);
    assert_true(of_session_read(w->session, &read));
    assert_true(of_session_read(w->session, &read));
    assert_false(world_until(w, is_read_done, 50));
    fake_switch_stop(&w->fake);
    assert_true(world_until(w, is_closed, 5000));
    assert_int_equal(w->n_reads_done, 2);
    assert_false(w->is_read_ok);
    assert_string_equal(w->reason, "the switch closed the connection");
}

static void
closing_is_told_from_the_loop_with_the_reason(void **state)
{
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    of_session_close(w->session, "the host was removed");
    assert_int_equal(w->n_closed, 0);
    of_session_close(w->session, "again");
    assert_true(world_until(w, is_closed, 5000));
    assert_int_equal(w->n_closed, 1);
    assert_string_equal(w->reason, "the host was removed");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_switch_is_read_back_and_then_filled),
        TEST(nothing_is_sent_before_the_owner_says_that_its_view_is_complete),
        TEST(nothing_changed_sends_nothing),
        TEST(changes_while_a_batch_is_in_flight_are_the_next_batch),
        TEST(a_large_fill_goes_in_batches),
        TEST(a_flow_refused_when_it_is_added_is_left_out_and_named),
        TEST(a_flow_refused_at_the_commit_is_left_out_and_named),
        TEST(a_flow_that_spoils_commits_without_being_named_is_found),
        TEST(a_lost_bundle_is_sent_again),
        TEST(a_switch_that_loses_every_bundle_is_connected_anew),
        TEST(an_error_that_answers_nothing_of_ours_does_not_end_the_session),
        TEST(the_controller_id_can_be_given_away_and_taken_back),
        TEST(many_parts_of_a_reply_are_one_reading),
        TEST(readings_queue_up_to_sixteen_beside_commits),
        TEST(a_closed_connection_ends_readings_and_the_session),
        TEST(closing_is_told_from_the_loop_with_the_reason),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
