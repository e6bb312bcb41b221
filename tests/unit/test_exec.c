/* The executor, rule by rule of OpenFlow: flows and their actions. */
#include "tests/unit/exec_lab.h"

static void
a_table_miss_drops(void **state)
{
    struct lab *lab = *state;
    assert_true(lab_run(lab, sample_tcp()));
    assert_dropped(lab);
    assert_int_equal(lab->r.n_steps, 1);
    assert_null(lab->r.steps[0].spec);

    act_set(lab_flow(lab, 0, 10), REG(0), 5);
    act_goto(lab->fb, 7);
    lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_dropped(lab);
    assert_int_equal(lab->r.n_steps, 2);
    assert_int_equal(lab->r.steps[1].table, 7);
    assert_null(lab->r.steps[1].spec);
    assert_int_equal(lab->r.outputs[0].step, 1);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_REG0], 5);
}

static void
a_flow_without_actions_drops(void **state)
{
    struct lab *lab = *state;
    lab_flow(lab, 0, 10);
    uint64_t cookie = lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_dropped(lab);
    assert_int_equal(lab->r.steps[0].spec->cookie, cookie);
}

static void
the_highest_priority_that_matches_decides(void **state)
{
    struct lab *lab = *state;
    act_output(lab_flow(lab, 0, 1), 2);
    lab_end(lab);
    match_ip_dst(lab_flow(lab, 0, 20), ip_prefix_host(ip4(0x0a000002)));
    act_output(lab->fb, 3);
    lab_end(lab);
    match_ip_dst(lab_flow(lab, 0, 30), ip_prefix_host(ip4(0x0a000003)));
    act_output(lab->fb, 4);
    lab_end(lab);

    assert_true(lab_run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
actions_run_in_order_and_outputs_see_what_is_so_then(void **state)
{
    struct lab *lab = *state;
    struct flow_builder *fb = lab_flow(lab, 0, 1);
    act_output(fb, 2);
    act_set_mac(fb, OF_ETH_SRC, mac_from_u64(0x020000000009));
    act_move(fb, of_field_whole(OF_ETH_SRC), of_field_whole(OF_ETH_DST));
    act_set(fb, (struct of_field){ OF_REG3, 4, 8 }, 0x7b);
    act_output(fb, 3);
    lab_end(lab);

    assert_true(lab_run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 3);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_ETH_DST], 0x020000000002);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_ETH_DST], 0x020000000009);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_REG3], 0x7b0);
    assert_int_equal(exec_packet_get(&lab->r.after, (struct of_field){ OF_REG3, 4, 8 }), 0x7b);
}

static void
a_packet_does_not_go_back_unless_in_port_says_so(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    act_output(lab_flow(lab, 0, 1), 1);
    lab_end(lab);
    match_in_port(lab_flow(lab, 0, 2), 2);
    act_output_in_port(lab->fb);
    lab_end(lab);
    match_in_port(lab_flow(lab, 0, 2), 3);
    act_set(lab->fb, of_field_whole(OF_IN_PORT), 0);
    act_output(lab->fb, 3);
    lab_end(lab);

    assert_true(lab_run(lab, p));
    assert_dropped(lab);
    p.field[OF_IN_PORT] = 2;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_IN_PORT, 2);
    p.field[OF_IN_PORT] = 3;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
an_output_to_a_field_goes_where_its_bits_say(void **state)
{
    struct lab *lab = *state;
    act_set(lab_flow(lab, 0, 1), REG(1), 0x00070004);
    act_output_field(lab->fb, (struct of_field){ OF_REG1, 0, 16 });
    act_output_field(lab->fb, (struct of_field){ OF_REG1, 16, 16 });
    act_output_field(lab->fb, REG(1)); /* no such port can be */
    lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 2);
    assert_output(lab, 0, EXEC_PORT, 4);
    assert_output(lab, 1, EXEC_PORT, 7);
}

static void
a_used_up_ttl_ends_the_actions(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    match_family(lab_flow(lab, 0, 1), IP_V4);
    act_dec_ttl(lab->fb);
    act_output(lab->fb, 2);
    lab_end(lab);

    p.field[OF_IP_TTL] = 2;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_IP_TTL], 1);

    p.field[OF_IP_TTL] = 1;
    assert_true(lab_run(lab, p));
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_CONTROLLER, 0);
    assert_null(lab->r.outputs[0].userdata);
}

static void
the_controller_gets_what_the_flow_says(void **state)
{
    struct lab *lab = *state;
    act_meter(lab_flow(lab, 0, 1), 7);
    act_controller(lab->fb, 1, "abcdefghijk", 11);
    lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_CONTROLLER, 0);
    assert_int_equal(lab->r.outputs[0].controller_id, 1);
    assert_int_equal(lab->r.outputs[0].userdata_len, 11);
    assert_memory_equal(lab->r.outputs[0].userdata, "abcdefghijk", 11);
}

static void
only_the_branch_of_the_packets_size_is_taken_and_then_forgotten(void **state)
{
    struct lab *lab = *state;
    struct of_field bit = { OF_REG2, 8, 1 };
    struct exec_packet p = sample_tcp();
    act_resubmit(lab_flow(lab, 0, 1), 1);
    act_output_field(lab->fb, (struct of_field){ OF_REG5, 0, 16 });
    lab_end(lab);
    act_check_pkt_larger(lab_flow(lab, 1, 1), 100, bit);
    act_set(lab->fb, REG(5), 9);
    act_goto(lab->fb, 2);
    lab_end(lab);
    match_u64(lab_flow(lab, 2, 1), bit, 0);
    act_output(lab->fb, 2);
    lab_end(lab);
    match_u64(lab_flow(lab, 2, 1), bit, 1);
    act_output(lab->fb, 3);
    lab_end(lab);

    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 0); /* register 5 is as before the check */
    p.bytes = 101;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
a_resubmit_returns_with_what_it_changed(void **state)
{
    struct lab *lab = *state;
    act_resubmit(lab_flow(lab, 0, 1), 9);
    act_resubmit(lab->fb, 8); /* nothing there */
    act_output_field(lab->fb, (struct of_field){ OF_REG0, 0, 16 });
    lab_end(lab);
    act_set(lab_flow(lab, 9, 1), REG(0), 6);
    lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_PORT, 6);
    assert_int_equal(lab->r.outputs[0].step, 0);
    assert_int_equal(lab->r.n_steps, 3);
}

static void
ports_of_fragments_are_not_matched(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    act_output(lab_flow(lab, 0, 1), 2);
    lab_end(lab);
    match_l4_dst(lab_flow(lab, 0, 2), IP_V4, 6, 80, 0xffff);
    act_output(lab->fb, 3);
    lab_end(lab);

    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
    p.field[OF_IP_FRAG] = OF_FRAG_ANY;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.after.field[OF_TCP_DST], 80);
    p.field[OF_IP_FRAG] = OF_FRAG_ANY | OF_FRAG_LATER;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.after.field[OF_TCP_DST], 0);
}

static void
fields_that_a_packet_has_not_are_neither_seen_nor_set(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    p.field[OF_ETH_TYPE] = 0x0806;
    p.field[OF_ARP_OP] = 1;
    p.field[OF_ARP_TPA] = 0x0a000007;
    act_set(lab_flow(lab, 0, 1), of_field_whole(OF_IPV4_DST), 99);
    act_set(lab->fb, of_field_whole(OF_ARP_OP), 2);
    lab_end(lab);
    assert_true(lab_run(lab, p));
    assert_int_equal(lab->r.after.field[OF_IPV4_DST], 0);
    assert_int_equal(lab->r.after.field[OF_TCP_DST], 0);
    assert_int_equal(lab->r.after.field[OF_ARP_OP], 2);
    assert_int_equal(lab->r.after.field[OF_ARP_TPA], 0x0a000007);
}

static void
what_cannot_be_followed_is_an_error_that_says_what(void **state)
{
    struct lab *lab = *state;
    act_output(lab_flow(lab, 0, 1), 0xfffffffa); /* NORMAL */
    lab_end(lab);
    assert_false(lab_run(lab, sample_tcp()));
    assert_non_null(strstr(lab->err.text, "output:NORMAL"));

    act_group(lab_flow(lab, 0, 2), 77);
    lab_end(lab);
    assert_false(lab_run(lab, sample_tcp()));
    assert_non_null(strstr(lab->err.text, "group 77"));
}

static void
a_loop_ends_with_an_error(void **state)
{
    struct lab *lab = *state;
    act_resubmit(lab_flow(lab, 0, 1), 0);
    act_resubmit(lab->fb, 0);
    lab_end(lab);
    assert_false(lab_run(lab, sample_tcp()));
}

static void
tunnel_fields_and_metadata_travel(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    p.field[OF_TUN_ID] = 77;
    p.field[OF_TUN_SRC] = 0xc0000201;
    match_u64(lab_flow(lab, 0, 1), of_field_whole(OF_TUN_SRC), 0xc0000201);
    act_move(lab->fb, (struct of_field){ OF_TUN_ID, 0, 24 }, (struct of_field){ OF_METADATA, 0, 24 });
    act_set(lab->fb, of_field_whole(OF_TUN_DST), 0xc0000202);
    act_output(lab->fb, 3);
    lab_end(lab);
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_METADATA], 77);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_TUN_DST], 0xc0000202);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_TUN_SRC], 0xc0000201);
}

static void
a_tag_is_pushed_matched_and_popped(void **state)
{
    struct lab *lab = *state;
    match_no_vlan(lab_flow(lab, 0, 1));
    act_push_vlan(lab->fb, 7);
    act_output(lab->fb, 2);
    act_goto(lab->fb, 1);
    lab_end(lab);
    match_vlan_id(lab_flow(lab, 1, 1), 7);
    match_ip_dst(lab->fb, ip_prefix_host(ip4(0x0a000002)));
    act_pop_vlan(lab->fb);
    act_output(lab->fb, 3);
    lab_end(lab);

    assert_true(lab_run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 2);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_VLAN_TCI], 0x1007);
    assert_int_equal(lab->r.outputs[0].packet.bytes, 104);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_VLAN_TCI], 0);
    assert_int_equal(lab->r.outputs[1].packet.bytes, 100);

    struct exec_packet p = sample_tcp();
    p.field[OF_VLAN_TCI] = 0x1008;
    assert_true(lab_run(lab, p));
    assert_dropped(lab);
}

static void
a_packet_that_waits_goes_on_as_it_is(void **state)
{
    struct lab *lab = *state;
    act_controller_pause(lab_flow(lab, 0, 1), 3, "ab", 2);
    act_output(lab->fb, 2);
    lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 2);
    assert_output(lab, 0, EXEC_CONTROLLER, 0);
    assert_int_equal(lab->r.outputs[0].controller_id, 3);
    assert_output(lab, 1, EXEC_PORT, 2);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, lab_setup, lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_miss_drops),
        TEST(a_flow_without_actions_drops),
        TEST(the_highest_priority_that_matches_decides),
        TEST(actions_run_in_order_and_outputs_see_what_is_so_then),
        TEST(a_packet_does_not_go_back_unless_in_port_says_so),
        TEST(an_output_to_a_field_goes_where_its_bits_say),
        TEST(a_used_up_ttl_ends_the_actions),
        TEST(the_controller_gets_what_the_flow_says),
        TEST(only_the_branch_of_the_packets_size_is_taken_and_then_forgotten),
        TEST(a_resubmit_returns_with_what_it_changed),
        TEST(ports_of_fragments_are_not_matched),
        TEST(fields_that_a_packet_has_not_are_neither_seen_nor_set),
        TEST(what_cannot_be_followed_is_an_error_that_says_what),
        TEST(a_loop_ends_with_an_error),
        TEST(tunnel_fields_and_metadata_travel),
        TEST(a_tag_is_pushed_matched_and_popped),
        TEST(a_packet_that_waits_goes_on_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
