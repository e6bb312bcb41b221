/* One OpenFlow session against a real Open vSwitch: flows, groups and meters, reconnections, TLS. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/session_world.h"

static unsigned
count_flows(const struct world *w)
{
    return world_count_lines(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0 | grep cookie=");
}

static void
a_bridge_gets_what_is_desired_and_loses_the_rest(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 50, 0, 0);
    world_start_ovs(w);
    free(ovs_fixture_sh(w->ovs, "ovs-ofctl -O OpenFlow15 add-flow br0 table=3,priority=5,ip,actions=drop"));
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(w->dpid, DPID);

    world_set_block(w, 50, NULL);
    world_set_block(w, 49, world_flow(w, 49, 300));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(world_count_lines(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0 table=7 | grep cookie="), 49);
    world_expect_output(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0 table=7", "priority=300,reg1=0x31");
    assert_int_equal(of_session_counters(w->session)->refused, 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
hidden_flows_of_ovs_are_not_there(void **state)
{
    struct world *w = *state;
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    world_expect_output(w, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" bridge/dump-flows br0", "table_id=254");
    assert_int_equal(world_count_lines(w, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" bridge/dump-flows br0 | grep priority=18000"), 0);
}

static void
a_reconnection_reads_back_and_sends_only_the_difference(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 2000, 0, 0);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    world_end_session(w);

    world_set_block(w, 3, NULL);
    world_set_block(w, 4, world_flow(w, 4, 400));
    world_set_block(w, 3000, world_flow(w, 3000, 100));
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 4); /* -3, -4 at 100, +4 at 400, +3000 */
    assert_int_equal(count_flows(w), 2000);
    assert_true(flow_table_is_clean(w->table));
}

static void
a_restarted_switch_is_filled_again(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 500, 0, 0);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    ovs_fixture_kill_vswitchd(w->ovs);
    assert_true(world_until(w, is_closed, 10000));
    w->n_committed = 0;
    ovs_fixture_start_vswitchd(w->ovs);
    assert_true(world_until(w, is_committed, 20000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 500);
    assert_int_equal(count_flows(w), 500);
}

/* Group 5 with so many targets, in one block with the flow that names it. */
static void
set_group(struct world *w, uint32_t n_targets)
{
    const struct of_field fields[] = { of_field_whole(OF_IPV4_SRC), of_field_whole(OF_TCP_SRC), of_field_whole(OF_TCP_DST) };
    const struct spec *specs[2];
    struct error err;
    group_begin(w->builder, 5, COOKIE(5), &(struct flow_group){ FLOW_GROUP_SELECT_HASH, fields, 3, 0 });
    for (uint32_t i = 0; i < n_targets; i++) {
        bucket_begin(w->builder, 1000 + i, 1);
        act_set(w->builder, of_field_whole(OF_REG1), i);
        act_resubmit(w->builder, 9);
    }
    specs[0] = group_end(w->builder, w->arena);
    flow_begin(w->builder, 7, 500, COOKIE(5));
    match_ip_proto(w->builder, IP_V4, 6);
    act_group(w->builder, 5);
    specs[1] = flow_end(w->builder, w->arena);
    assert_true(flow_table_set_block(w->table, COOKIE(5), specs, 2, &err));
}

static void
a_group_changes_under_its_flows_and_is_known_again(void **state)
{
    struct world *w = *state;
    set_group(w, 3);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(world_count_lines(w, "ovs-ofctl -O OpenFlow15 dump-groups br0 | grep -o bucket_id:"), 3);
    set_group(w, FLOW_BUCKETS_MAX);
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(world_count_lines(w, "ovs-ofctl -O OpenFlow15 dump-groups br0 | grep -o bucket_id:"), FLOW_BUCKETS_MAX);
    assert_int_equal(of_session_counters(w->session)->mods_sent, 3); /* both, then the group alone */
    assert_int_equal(count_flows(w), 1);
    world_end_session(w);

    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 0);
    assert_true(flow_table_is_clean(w->table));
    assert_true(flow_table_set_block(w->table, COOKIE(5), NULL, 0, NULL));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_int_equal(world_count_lines(w, "ovs-ofctl -O OpenFlow15 dump-groups br0 | grep -o group_id"), 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

/* Goes to a group that is not there: Open vSwitch says so. */
static const struct spec *
flow_to_group(struct world *w, uint32_t number, uint32_t group)
{
    flow_begin(w->builder, 7, 500, COOKIE(number));
    match_u64(w->builder, of_field_whole(OF_REG1), number);
    act_group(w->builder, group);
    return flow_end(w->builder, w->arena);
}

static const struct spec *
flow_to_meter(struct world *w, uint32_t number, uint32_t meter)
{
    flow_begin(w->builder, 7, 500, COOKIE(number));
    match_u64(w->builder, of_field_whole(OF_REG1), number);
    act_meter(w->builder, meter);
    return flow_end(w->builder, w->arena);
}

static void
what_open_vswitch_refuses_is_left_out_and_the_rest_is_there(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 100, 0, 0);
    world_set_block(w, 77, flow_to_group(w, 77, 4711));
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->refused_cookie, COOKIE(77));
    assert_non_null(strstr(w->refusal, "OFPBAC_BAD_OUT_GROUP"));
    assert_int_equal(count_flows(w), 99);

    world_set_block(w, 78, flow_to_meter(w, 78, 4711));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 10000));
    assert_int_equal(w->n_refused, 2);
    assert_int_equal(w->refused_cookie, COOKIE(78));
    assert_int_equal(count_flows(w), 98); /* the old flow of block 78 has another priority, and goes */
}

static void
set_metered_block(struct world *w, uint32_t number, uint32_t rate)
{
    struct error err = { 0 };
    const struct spec *specs[] = { meter_spec(w->arena, COOKIE(number), number, rate, 10), flow_to_meter(w, number, number) };
    bool ok = flow_table_set_block(w->table, COOKIE(number), specs, 2, &err);
    assert_true(ok);
}

static void
meters_come_before_and_go_after_the_flows_that_use_them(void **state)
{
    struct world *w = *state;
    set_metered_block(w, 5, 100);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 0);
    world_expect_output(w, "ovs-ofctl -O OpenFlow15 dump-meters br0", "meter=5 ");

    set_metered_block(w, 5, 200);
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    world_expect_output(w, "ovs-ofctl -O OpenFlow15 dump-meters br0", "rate=200");

    world_set_block(w, 5, NULL);
    of_session_flush(w->session, 3);
    w->n_committed = 0;
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(world_count_lines(w, "ovs-ofctl -O OpenFlow15 dump-meters br0 | grep meter="), 0);
    assert_int_equal(count_flows(w), 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
a_meter_of_a_batch_that_failed_is_not_added_twice(void **state)
{
    struct world *w = *state;
    set_metered_block(w, 5, 100);
    world_set_block(w, 77, flow_to_group(w, 77, 4711));
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->refused_cookie, COOKIE(77));
    assert_int_equal(count_flows(w), 1);

    world_end_session(w);
    assert_true(world_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 2); /* a new connection tries what was refused again, and only that */
    assert_int_equal(of_session_counters(w->session)->mods_sent, 1);
}

static void
a_reading_gives_the_flows_and_meters_of_a_bridge(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 1000, 0, 0);
    set_metered_block(w, 5000, 100);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    struct of_session_read read = world_reading(w, 0xff);
    assert_true(of_session_read(w->session, &read));
    assert_true(world_until(w, is_read_done, 5000));
    assert_true(w->is_read_ok);
    assert_int_equal(w->n_read_flows, 1001);
    assert_int_equal(w->n_read_specs, 1);

    w->n_reads_done = w->n_read_flows = w->n_read_specs = 0;
    read = world_reading(w, 7);
    read.want_groups_and_meters = false;
    read.cookie = COOKIE(5000);
    read.cookie_mask = UINT64_MAX;
    assert_true(of_session_read(w->session, &read));
    assert_true(world_until(w, is_read_done, 5000));
    assert_int_equal(w->n_read_flows, 1);
    assert_int_equal(w->n_read_specs, 0);
}

static void
all_of_it_works_over_tls(void **state)
{
    struct world *w = *state;
    world_set_blocks(w, 20000, 0, 0);
    world_start_ovs_tls(w, "hv1");
    assert_true(world_until(w, is_committed, 30000));
    assert_string_equal(of_session_peer(w->session)->cn, "hv1");
    assert_int_equal(of_session_counters(w->session)->mods_sent, 20000);

    world_end_session(w);
    assert_true(world_until(w, is_committed, 20000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bridge_gets_what_is_desired_and_loses_the_rest),
        TEST(hidden_flows_of_ovs_are_not_there),
        TEST(a_reconnection_reads_back_and_sends_only_the_difference),
        TEST(a_restarted_switch_is_filled_again),
        TEST(what_open_vswitch_refuses_is_left_out_and_the_rest_is_there),
        TEST(a_group_changes_under_its_flows_and_is_known_again),
        TEST(meters_come_before_and_go_after_the_flows_that_use_them),
        TEST(a_meter_of_a_batch_that_failed_is_not_added_twice),
        TEST(a_reading_gives_the_flows_and_meters_of_a_bridge),
        TEST(all_of_it_works_over_tls),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
