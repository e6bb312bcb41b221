/* What an OpenFlow session does besides flows: packets in and out, connections that are forgotten, flows that tell their removal. Against a
 * scripted switch and a real Open vSwitch. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/unit/session_world.h"

static void
read_to_the_end(struct world *w)
{
    struct of_session_read barrier = world_reading(w, 0); /* answered after what was sent before was carried out */
    w->n_reads_done = 0;
    assert_true(of_session_read(w->session, &barrier));
    assert_true(world_until(w, is_read_done, 5000));
}

/* ---- packets in and out ---- */

static bool
has_packet_in(struct world *w)
{
    return w->n_packet_ins > 0;
}

static void
a_flow_sends_a_packet_here_with_its_userdata_and_an_answer_goes_out(void **state)
{
    struct world *w = *state;
    flow_begin(w->builder, 0, 10, COOKIE(1));
    match_eth_type(w->builder, 0x0806);
    act_controller(w->builder, 1, "answer me", 9);
    world_set_block(w, 1, flow_end(w->builder, w->arena));
    flow_begin(w->builder, 0, 10, COOKIE(2));
    match_eth_type(w->builder, 0x0800);
    act_controller(w->builder, 9, "not for id 1", 12);
    world_set_block(w, 2, flow_end(w->builder, w->arena));
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 "
                                "options:tx_pcap=p1-tx.pcap"));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                                "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                                "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)'"));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                                "'in_port(1),eth(src=50:54:00:00:00:01,dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806),"
                                "arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=50:54:00:00:00:01,tha=00:00:00:00:00:00)'"));
    assert_true(world_until(w, has_packet_in, 5000));
    assert_int_equal(w->n_packet_ins, 1);
    assert_int_equal(w->in_port, 1);
    assert_int_equal(w->userdata_len, 9);
    assert_memory_equal(w->userdata, "answer me", 9);
    assert_true(w->packet_len >= 42);

    uint8_t packet[60] = "the answer of at least 60 bytes";
    of_session_packet_out(w->session, 1, packet, sizeof packet);
    struct of_session_read barrier = world_reading(w, 0); /* answered after the packet-out was carried out */
    assert_true(of_session_read(w->session, &barrier));
    assert_true(world_until(w, is_read_done, 5000));
    world_expect_output(w, "grep -c 'the answer of at least' p1-tx.pcap", "1");
}

static void
a_packet_that_waits_goes_on_changed(void **state)
{
    struct world *w = *state;
    w->resumes_with = "changed while it waited";
    flow_begin(w->builder, 0, 10, COOKIE(1));
    match_eth_type(w->builder, 0x0800);
    act_set(w->builder, of_field_whole(OF_REG1), 77);
    act_controller_pause(w->builder, 1, "answer me", 9);
    act_set_mac(w->builder, OF_ETH_SRC, mac_from_u64(0x56414e454e4f)); /* "VANENO" */
    act_goto(w->builder, 1);
    world_set_block(w, 1, flow_end(w->builder, w->arena));
    flow_begin(w->builder, 1, 10, COOKIE(2));
    match_u64(w->builder, of_field_whole(OF_REG1), 77);
    act_output_in_port(w->builder);
    world_set_block(w, 2, flow_end(w->builder, w->arena));
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 "
                                "options:tx_pcap=p1-tx.pcap"));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                                "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                                "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)' --len 100"));
    assert_true(world_until(w, has_packet_in, 5000));
    assert_memory_equal(w->userdata, "answer me", 9);
    read_to_the_end(w);
    assert_int_equal(world_count_lines(w, "grep -ao VANENO p1-tx.pcap"), 1); /* it did not go on before */
    world_expect_output(w, "grep -ac 'changed while it waited' p1-tx.pcap", "1");
    assert_int_equal(w->n_packet_ins, 1);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static bool
has_two_packet_ins(struct world *w)
{
    return w->n_packet_ins == 2;
}

static void
only_a_packet_that_waits_is_resumed(void **state)
{
    struct world *w = *state;
    uint8_t body[40] = { 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 18 }; /* a packet of 14 bytes, padded */
    static const uint8_t continuation[8] = { 0, 8, 0, 8 };
    w->resumes_with = "x";
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    unsigned before = w->fake.n_messages[4];
    fake_switch_send(&w->fake, 6, 4, 0, body, 32);
    memcpy(body + 32, continuation, sizeof continuation);
    fake_switch_send(&w->fake, 6, 4, 0, body, 40);
    assert_true(world_until(w, has_two_packet_ins, 5000));
    read_to_the_end(w);
    assert_int_equal(w->fake.n_messages[4] - before, 1);
}

static void
a_flood_of_packets_is_cut_to_what_is_allowed(void **state)
{
    struct world *w = *state;
    uint8_t body[40] = { 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 18 }; /* a packet of 14 bytes, padded */
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    for (int i = 0; i < 5000; i++)
        fake_switch_send(&w->fake, 6, 4, 0, body, 32);
    fake_switch_send(&w->fake, 6, 2, 5, NULL, 0);
    assert_true(world_until(w, has_echo_reply, 5000));
    const struct of_session_counters *c = of_session_counters(w->session);
    assert_int_equal(c->packet_ins, 5000);
    assert_int_equal(c->packet_ins_dropped + w->n_packet_ins, 5000);
    assert_in_range(w->n_packet_ins, 1000, 1999);
}

static void
a_flood_of_one_kind_holds_back_no_other(void **state)
{
    struct world *w = *state;
    uint8_t body[48] = { 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 18, [32] = 0, 4, 0, 16, 0, 0, 0, 0, 4 }; /* with a cookie */
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    for (int i = 0; i < 5000; i++)
        fake_switch_send(&w->fake, 6, 4, 0, body, sizeof body);
    body[40] = 15;
    for (int i = 0; i < 900; i++)
        fake_switch_send(&w->fake, 6, 4, 0, body, sizeof body);
    fake_switch_send(&w->fake, 6, 2, 5, NULL, 0);
    assert_true(world_until(w, has_echo_reply, 5000));
    const struct of_session_counters *c = of_session_counters(w->session);
    assert_int_equal(c->packet_ins, 5900);
    assert_in_range(w->n_packet_ins, 1900, 2899);
}

/* ---- connections ---- */

static void
track_in(struct world *w, uint32_t in_port, uint16_t zone)
{
    flow_begin(w->builder, 0, 10, COOKIE(in_port));
    match_in_port(w->builder, in_port);
    match_family(w->builder, IP_V4);
    act_ct(w->builder, &(struct flow_ct){ .zone = zone, .table = 1, .is_commit = true });
    world_set_block(w, in_port, flow_end(w->builder, w->arena));
}

static void
connection_begins(const struct world *w, unsigned in_port)
{
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p%u -- set interface p%u type=dummy ofport_request=%u", in_port,
                        in_port, in_port));
    free(ovs_fixture_sh(w->ovs,
                        "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p%u "
                        "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)'",
                        in_port));
}

static unsigned
count_connections(const struct world *w, const char *what)
{
    char *command = mem_printf("ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" dpctl/dump-conntrack | grep '%s'", what);
    unsigned n = world_count_lines(w, command);
    free(command);
    return n;
}

static void
a_zone_forgets_its_connections_and_only_its_own(void **state)
{
    struct world *w = *state;
    track_in(w, 1, 5);
    track_in(w, 2, 6);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    connection_begins(w, 1);
    connection_begins(w, 2);
    for (int tries = 0; count_connections(w, "zone=") < 2; tries++)
        assert_in_range(tries, 0, 500);

    of_session_flush_zone(w->session, 5);
    read_to_the_end(w);
    assert_int_equal(count_connections(w, "zone=5"), 0);
    assert_int_equal(count_connections(w, "zone=6"), 1);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

/* In by port 3, committed in zone 5 with the given destination port's own mark and label. */
static void
mark_by_port(struct world *w, uint16_t port)
{
    const struct flow_ct_set sets[] = {
        { .field = of_field_whole(OF_CT_MARK), .value = 0xa0000000u | port },
        { .field = of_field_whole(OF_CT_LABEL), .value = 0x1234567800000000u | port },
    };
    flow_begin(w->builder, 0, 10, COOKIE(port));
    match_in_port(w->builder, 3);
    match_l4_dst(w->builder, IP_V4, 17, port, 0xffff);
    act_ct(w->builder, &(struct flow_ct){ .zone = 5, .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = sets, .n_sets = 2 });
    world_set_block(w, port, flow_end(w->builder, w->arena));
}

static void
udp_arrives(const struct world *w, unsigned port)
{
    free(ovs_fixture_sh(w->ovs,
                        "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p3 "
                        "'in_port(3),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=77,dst=%u)'",
                        port));
}

/* Flushes by 'match': the ports of 'left' are still known, and no others of 1..4. */
static void
assert_left(struct world *w, const struct of_ct_match *match, unsigned left)
{
    assert_true(of_session_flush_ct(w->session, match));
    read_to_the_end(w);
    for (unsigned port = 1; port <= 4; port++) {
        char *what = mem_printf("orig=([^)]*dport=%u)", port);
        assert_int_equal(count_connections(w, what), left >> port & 1);
        free(what);
    }
}

static void
connections_that_match_are_forgotten_and_no_others(void **state)
{
    struct world *w = *state;
    for (uint16_t port = 1; port <= 4; port++)
        mark_by_port(w, port);
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p3 -- set interface p3 type=dummy ofport_request=3"));
    for (unsigned port = 1; port <= 4; port++)
        udp_arrives(w, port);
    for (int tries = 0; count_connections(w, "zone=5") < 4; tries++)
        assert_in_range(tries, 0, 500);

    const struct ip src = ip4(0x0a000001), dst = ip4(0x0a000002);
    struct of_ct_match match = { .has_zone = true, .zone = 6, .proto = 17 };
    assert_left(w, &match, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
    match = (struct of_ct_match){ .has_zone = true, .zone = 5, .mark = 4, .mark_mask = 0xff };
    assert_left(w, &match, 1 << 1 | 1 << 2 | 1 << 3);
    match = (struct of_ct_match){ .label = 0x1234567800000003, .label_mask = UINT64_MAX };
    assert_left(w, &match, 1 << 1 | 1 << 2);
    match = (struct of_ct_match){ .has_zone = true, .zone = 5, .proto = 17, .src = src, .dst = dst, .src_port = 77, .dst_port = 2 };
    assert_left(w, &match, 1 << 1);
    match = (struct of_ct_match){ .has_zone = true, .zone = 5, .src = dst };
    assert_left(w, &match, 1 << 1);
    match = (struct of_ct_match){ .has_zone = true, .zone = 5, .src = src };
    assert_left(w, &match, 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
connections_are_forgotten_by_mark_only_where_what_is_unknown_is_refused(void **state)
{
    struct world *w = *state;
    const struct of_ct_match by_mark = { .has_zone = true, .zone = 7, .mark = 1, .mark_mask = 1 };
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    unsigned before = w->fake.n_messages[4];
    assert_false(of_session_flush_ct(w->session, &by_mark));
    assert_true(of_session_flush_ct(w->session, &(struct of_ct_match){ .has_zone = true, .zone = 7, .proto = 6 }));
    read_to_the_end(w);
    assert_int_equal(w->fake.n_messages[4] - before, 1);
}

static void
a_switch_that_refuses_to_forget_is_served_on(void **state)
{
    struct world *w = *state;
    w->fake.refuses_ct_flush = true;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    assert_int_equal(of_session_counters(w->session)->errors, 0); /* what refuses the probe is as it should be */
    assert_true(of_session_flush_ct(w->session, &(struct of_ct_match){ .has_zone = true, .zone = 7, .label = 1, .label_mask = 1 }));
    read_to_the_end(w);
    assert_int_equal(of_session_counters(w->session)->errors, 1);
    assert_string_equal(of_session_state_name(w->session), "CURRENT");
    world_set_blocks(w, 3, 0, 0);
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
}

/* ---- flows that tell their removal ---- */

static const struct spec *
telling_flow(struct world *w, uint32_t number)
{
    flow_begin(w->builder, 0, 100, COOKIE(number));
    match_family(w->builder, IP_V4);
    flow_tell_removal(w->builder);
    return flow_end(w->builder, w->arena);
}

static void
add_dummy(const struct world *w)
{
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p1 -- set interface p1 type=dummy ofport_request=1"));
}

static void
send_udp(const struct world *w, unsigned n)
{
    while (n--)
        free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                                    "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                                    "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)' --len 100"));
}

/* The switch has counted so many for the flow: it collects what its fast path has seen twice a second. */
static void
wait_counted(const struct world *w, unsigned n)
{
    char *command = mem_printf("ovs-ofctl -O OpenFlow15 dump-flows br0 | grep n_packets=%u,", n);
    for (int tries = 0; !world_count_lines(w, command); tries++)
        assert_in_range(tries, 0, 2000);
    free(command);
}

static bool
has_removal(struct world *w)
{
    return w->n_removed == 1;
}
static bool
has_two_removals(struct world *w)
{
    return w->n_removed == 2;
}
static bool
is_at_seq_3(struct world *w)
{
    return w->seq == 3;
}

static void
a_flow_tells_its_removal_with_all_its_packets_and_its_successor_begins_anew(void **state)
{
    struct world *w = *state;
    world_set_block(w, 1, telling_flow(w, 1));
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    add_dummy(w);
    send_udp(w, 3);
    wait_counted(w, 3);
    world_set_block(w, 1, NULL);
    world_set_block(w, 2, telling_flow(w, 2));
    of_session_flush(w->session, 2);
    assert_true(world_until(w, is_at_seq_2, 5000));
    assert_true(world_until(w, has_removal, 15000));
    assert_int_equal(w->removed_cookie, COOKIE(1));
    assert_int_equal(w->removed_packets, 3);
    assert_int_equal(w->removed_bytes, 300);
    world_expect_output(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0", "send_flow_rem");

    send_udp(w, 2);
    wait_counted(w, 2);
    world_set_block(w, 2, NULL);
    of_session_flush(w->session, 3);
    assert_true(world_until(w, is_at_seq_3, 5000));
    assert_true(world_until(w, has_two_removals, 15000));
    assert_int_equal(w->removed_cookie, COOKIE(2));
    assert_int_equal(w->removed_packets, 2);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
nothing_is_sent_for_a_telling_flow_that_is_there(void **state)
{
    struct world *w = *state;
    world_set_block(w, 1, telling_flow(w, 1));
    world_start_ovs(w);
    assert_true(world_until(w, is_committed, 10000));
    world_end_session(w);
    assert_true(world_until(w, is_committed, 20000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 0);
    assert_int_equal(w->n_removed, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flood_of_packets_is_cut_to_what_is_allowed),
        TEST(a_flood_of_one_kind_holds_back_no_other),
        TEST(only_a_packet_that_waits_is_resumed),
        TEST(a_flow_sends_a_packet_here_with_its_userdata_and_an_answer_goes_out),
        TEST(a_packet_that_waits_goes_on_changed),
        TEST(a_zone_forgets_its_connections_and_only_its_own),
        TEST(connections_that_match_are_forgotten_and_no_others),
        TEST(connections_are_forgotten_by_mark_only_where_what_is_unknown_is_refused),
        TEST(a_switch_that_refuses_to_forget_is_served_on),
        TEST(a_flow_tells_its_removal_with_all_its_packets_and_its_successor_begins_anew),
        TEST(nothing_is_sent_for_a_telling_flow_that_is_there),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
