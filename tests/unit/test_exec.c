/* The executor, rule by rule of OpenFlow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "tests/unit/exec_samples.h"

#define REG(N) of_field_whole(OF_REG##N)

struct lab {
    struct flow_builder *fb;
    struct arena *arena;
    struct flow_table *table;
    uint64_t n;
    struct exec_result r;
    struct error err;
};

static int
setup(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    lab->fb = flow_builder_new();
    lab->arena = arena_new();
    lab->table = flow_table_new();
    *state = lab;
    return 0;
}

static int
teardown(void **state)
{
    struct lab *lab = *state;
    flow_table_free(lab->table);
    flow_builder_free(lab->fb);
    arena_free(lab->arena);
    free(lab);
    return 0;
}

static struct flow_builder *
flow(struct lab *lab, uint8_t table, uint16_t priority)
{
    flow_begin(lab->fb, table, priority, ++lab->n);
    return lab->fb;
}

static void
add(struct lab *lab, const struct spec *spec)
{
    assert_true(flow_table_set_block(lab->table, spec->cookie, &spec, 1, &lab->err));
}

/* Returns the flow's cookie. */
static uint64_t
end(struct lab *lab)
{
    add(lab, flow_end(lab->fb, lab->arena));
    return lab->n;
}

static bool
run(struct lab *lab, struct exec_packet packet)
{
    return exec_run(lab->table, &packet, lab->arena, &lab->r, &lab->err);
}

static void
assert_output(const struct lab *lab, size_t i, enum exec_output_kind kind, uint32_t port)
{
    assert_true(i < lab->r.n_outputs);
    assert_int_equal(lab->r.outputs[i].kind, kind);
    assert_int_equal(lab->r.outputs[i].port, port);
}

static void
assert_dropped(const struct lab *lab)
{
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_DROP, 0);
}

static void
a_table_miss_drops(void **state)
{
    struct lab *lab = *state;
    assert_true(run(lab, sample_tcp()));
    assert_dropped(lab);
    assert_int_equal(lab->r.n_steps, 1);
    assert_null(lab->r.steps[0].spec);

    act_set(flow(lab, 0, 10), REG(0), 5);
    act_goto(lab->fb, 7);
    end(lab);
    assert_true(run(lab, sample_tcp()));
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
    flow(lab, 0, 10);
    uint64_t cookie = end(lab);
    assert_true(run(lab, sample_tcp()));
    assert_dropped(lab);
    assert_int_equal(lab->r.steps[0].spec->cookie, cookie);
}

static void
the_highest_priority_that_matches_decides(void **state)
{
    struct lab *lab = *state;
    act_output(flow(lab, 0, 1), 2);
    end(lab);
    match_ip_dst(flow(lab, 0, 20), ip_prefix_host(ip4(0x0a000002)));
    act_output(lab->fb, 3);
    end(lab);
    match_ip_dst(flow(lab, 0, 30), ip_prefix_host(ip4(0x0a000003)));
    act_output(lab->fb, 4);
    end(lab);

    assert_true(run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
actions_run_in_order_and_outputs_see_what_is_so_then(void **state)
{
    struct lab *lab = *state;
    struct flow_builder *fb = flow(lab, 0, 1);
    act_output(fb, 2);
    act_set_mac(fb, OF_ETH_SRC, mac_from_u64(0x020000000009));
    act_move(fb, of_field_whole(OF_ETH_SRC), of_field_whole(OF_ETH_DST));
    act_set(fb, (struct of_field) { OF_REG3, 4, 8 }, 0x7b);
    act_output(fb, 3);
    end(lab);

    assert_true(run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 3);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_ETH_DST], 0x020000000002);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_ETH_DST], 0x020000000009);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_REG3], 0x7b0);
    assert_int_equal(exec_packet_get(&lab->r.after, (struct of_field) { OF_REG3, 4, 8 }), 0x7b);
}

static void
a_packet_does_not_go_back_unless_in_port_says_so(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    act_output(flow(lab, 0, 1), 1);
    end(lab);
    match_in_port(flow(lab, 0, 2), 2);
    act_output_in_port(lab->fb);
    end(lab);
    match_in_port(flow(lab, 0, 2), 3);
    act_set(lab->fb, of_field_whole(OF_IN_PORT), 0);
    act_output(lab->fb, 3);
    end(lab);

    assert_true(run(lab, p));
    assert_dropped(lab);
    p.field[OF_IN_PORT] = 2;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_IN_PORT, 2);
    p.field[OF_IN_PORT] = 3;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
an_output_to_a_field_goes_where_its_bits_say(void **state)
{
    struct lab *lab = *state;
    act_set(flow(lab, 0, 1), REG(1), 0x00070004);
    act_output_field(lab->fb, (struct of_field) { OF_REG1, 0, 16 });
    act_output_field(lab->fb, (struct of_field) { OF_REG1, 16, 16 });
    act_output_field(lab->fb, REG(1));   /* no such port can be */
    end(lab);
    assert_true(run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 2);
    assert_output(lab, 0, EXEC_PORT, 4);
    assert_output(lab, 1, EXEC_PORT, 7);
}

static void
a_used_up_ttl_ends_the_actions(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    match_family(flow(lab, 0, 1), IP_V4);
    act_dec_ttl(lab->fb);
    act_output(lab->fb, 2);
    end(lab);

    p.field[OF_IP_TTL] = 2;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_IP_TTL], 1);

    p.field[OF_IP_TTL] = 1;
    assert_true(run(lab, p));
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_CONTROLLER, 0);
    assert_null(lab->r.outputs[0].userdata);
}

static void
the_controller_gets_what_the_flow_says(void **state)
{
    struct lab *lab = *state;
    act_meter(flow(lab, 0, 1), 7);
    act_controller(lab->fb, 1, "abcdefghijk", 11);
    end(lab);
    assert_true(run(lab, sample_tcp()));
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
    act_resubmit(flow(lab, 0, 1), 1);
    act_output_field(lab->fb, (struct of_field) { OF_REG5, 0, 16 });
    end(lab);
    act_check_pkt_larger(flow(lab, 1, 1), 100, bit);
    act_set(lab->fb, REG(5), 9);
    act_goto(lab->fb, 2);
    end(lab);
    match_u64(flow(lab, 2, 1), bit, 0);
    act_output(lab->fb, 2);
    end(lab);
    match_u64(flow(lab, 2, 1), bit, 1);
    act_output(lab->fb, 3);
    end(lab);

    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 0);         /* register 5 is as before the check */
    p.bytes = 101;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
a_resubmit_returns_with_what_it_changed(void **state)
{
    struct lab *lab = *state;
    act_resubmit(flow(lab, 0, 1), 9);
    act_resubmit(lab->fb, 8);            /* nothing there */
    act_output_field(lab->fb, (struct of_field) { OF_REG0, 0, 16 });
    end(lab);
    act_set(flow(lab, 9, 1), REG(0), 6);
    end(lab);
    assert_true(run(lab, sample_tcp()));
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
    act_output(flow(lab, 0, 1), 2);
    end(lab);
    match_l4_dst(flow(lab, 0, 2), IP_V4, 6, 80, 0xffff);
    act_output(lab->fb, 3);
    end(lab);

    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
    p.field[OF_IP_FRAG] = OF_FRAG_ANY;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.after.field[OF_TCP_DST], 80);
    p.field[OF_IP_FRAG] = OF_FRAG_ANY | OF_FRAG_LATER;
    assert_true(run(lab, p));
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
    act_set(flow(lab, 0, 1), of_field_whole(OF_IPV4_DST), 99);
    act_set(lab->fb, of_field_whole(OF_ARP_OP), 2);
    end(lab);
    assert_true(run(lab, p));
    assert_int_equal(lab->r.after.field[OF_IPV4_DST], 0);
    assert_int_equal(lab->r.after.field[OF_TCP_DST], 0);
    assert_int_equal(lab->r.after.field[OF_ARP_OP], 2);
    assert_int_equal(lab->r.after.field[OF_ARP_TPA], 0x0a000007);
}

static const struct spec *
bucket(struct lab *lab, uint32_t port)
{
    flow_begin(lab->fb, 0, 1, 1);
    act_set(lab->fb, of_field_whole(OF_ETH_DST), port);
    act_output(lab->fb, port);
    return flow_end(lab->fb, lab->arena);
}

static void
buckets_work_on_copies_and_a_select_group_takes_one(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    const struct spec *buckets[] = { bucket(lab, 4), bucket(lab, 5) };
    add(lab, sample_group(lab->arena, 1, GROUP_ALL, buckets, 2));
    add(lab, sample_group(lab->arena, 2, GROUP_SELECT, buckets, 2));
    act_group(flow(lab, 0, 1), 1);
    act_group(lab->fb, 2);
    act_output(lab->fb, 6);
    end(lab);

    assert_true(run(lab, p));
    assert_int_equal(lab->r.n_outputs, 4);
    assert_output(lab, 0, EXEC_PORT, 4);
    assert_output(lab, 1, EXEC_PORT, 5);
    assert_output(lab, 2, EXEC_PORT, 4);
    assert_output(lab, 3, EXEC_PORT, 6);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_ETH_DST], 5);
    assert_int_equal(lab->r.outputs[3].packet.field[OF_ETH_DST], 0x020000000002);

    p.bucket = 1;
    assert_true(run(lab, p));
    assert_output(lab, 2, EXEC_PORT, 5);
}

static void
only_buckets_of_a_weight_are_chosen_from(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    group_begin(lab->fb, 3, 0x33, &(struct flow_group) { .kind = FLOW_GROUP_SELECT_DP_HASH });
    for (uint32_t i = 0; i < 4; i++) {
        bucket_begin(lab->fb, 100 + i, i % 2 ? i : 0);
        act_output(lab->fb, 2 + i);
    }
    add(lab, group_end(lab->fb, lab->arena));
    act_group(flow(lab, 0, 1), 3);
    end(lab);
    for (p.bucket = 0; p.bucket < 5; p.bucket++) {
        assert_true(run(lab, p));
        assert_int_equal(lab->r.n_outputs, 1);
        assert_output(lab, 0, EXEC_PORT, p.bucket % 2 ? 5 : 3);
    }

    group_begin(lab->fb, 3, 0x33, &(struct flow_group) { .kind = FLOW_GROUP_SELECT_DP_HASH });
    bucket_begin(lab->fb, 100, 0);
    act_output(lab->fb, 2);
    add(lab, group_end(lab->fb, lab->arena));
    assert_true(run(lab, p));
    assert_dropped(lab);
}

static void
tags_that_a_bucket_pushes_are_its_own(void **state)
{
    struct lab *lab = *state;
    group_begin(lab->fb, 3, 0x33, &(struct flow_group) { .kind = FLOW_GROUP_ALL });
    bucket_begin(lab->fb, 1, 0);
    act_push_vlan(lab->fb, 7);
    act_output(lab->fb, 2);
    add(lab, group_end(lab->fb, lab->arena));
    act_group(flow(lab, 0, 1), 3);
    act_output(lab->fb, 3);
    end(lab);
    assert_true(run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 3);
    assert_int_equal(lab->r.outputs[0].packet.bytes, 104);
    assert_int_equal(lab->r.outputs[1].packet.bytes, 100);
}

static void
conjunction_flow(struct lab *lab, uint64_t reg0, uint32_t id, uint8_t clause)
{
    match_u64(flow(lab, 0, 50), REG(0), reg0);
    act_conjunction(lab->fb, id, clause, 2);
    end(lab);
}

static void
a_conjunction_needs_all_its_clauses(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    conjunction_flow(lab, 1, 10, 1);
    conjunction_flow(lab, 2, 11, 1);
    match_ip_dst(flow(lab, 0, 50), ip_prefix_host(ip4(0x0a000002)));
    act_conjunction(lab->fb, 10, 2, 2);
    end(lab);
    match_conj_id(flow(lab, 0, 40), 10);
    act_output(lab->fb, 4);
    uint64_t decides = end(lab);
    match_conj_id(flow(lab, 0, 40), 11);
    act_output(lab->fb, 5);
    end(lab);
    act_output(flow(lab, 0, 30), 2);
    end(lab);

    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);         /* one clause only */
    p.field[OF_REG0] = 2;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);         /* two clauses, of two conjunctions */
    p.field[OF_REG0] = 1;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 4);
    assert_int_equal(lab->r.n_steps, 1);
    assert_int_equal(lab->r.steps[0].spec->cookie, decides);
}

/* As Open vSwitch does it: conj_id is a field to match, no more; and what has a conjunctive flow's match below it is not seen then. */
static void
a_met_conjunction_leaves_the_rest_to_priorities(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    p.field[OF_REG0] = 1;
    conjunction_flow(lab, 1, 10, 1);
    match_eth_dst(flow(lab, 0, 50), mac_from_u64(0x020000000002));
    act_conjunction(lab->fb, 10, 2, 2);
    end(lab);
    match_conj_id(flow(lab, 0, 20), 10);
    act_output(lab->fb, 4);
    end(lab);
    match_u64(flow(lab, 0, 30), REG(0), 1);
    act_output(lab->fb, 2);
    end(lab);

    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 4);         /* not 2 */
    p.field[OF_ETH_DST] = 0x020000000003;
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2);         /* not met */
    p.field[OF_ETH_DST] = 0x020000000002;
    act_output(flow(lab, 0, 40), 3);
    end(lab);
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
}

static void
what_cannot_be_followed_is_an_error_that_says_what(void **state)
{
    struct lab *lab = *state;
    act_output(flow(lab, 0, 1), 0xfffffffa);     /* NORMAL */
    end(lab);
    assert_false(run(lab, sample_tcp()));
    assert_non_null(strstr(lab->err.text, "output:NORMAL"));

    act_group(flow(lab, 0, 2), 77);
    end(lab);
    assert_false(run(lab, sample_tcp()));
    assert_non_null(strstr(lab->err.text, "group 77"));
}

static void
a_loop_ends_with_an_error(void **state)
{
    struct lab *lab = *state;
    act_resubmit(flow(lab, 0, 1), 0);
    act_resubmit(lab->fb, 0);
    end(lab);
    assert_false(run(lab, sample_tcp()));
}

static void
tunnel_fields_and_metadata_travel(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    p.field[OF_TUN_ID] = 77;
    p.field[OF_TUN_SRC] = 0xc0000201;
    match_u64(flow(lab, 0, 1), of_field_whole(OF_TUN_SRC), 0xc0000201);
    act_move(lab->fb, (struct of_field) { OF_TUN_ID, 0, 24 }, (struct of_field) { OF_METADATA, 0, 24 });
    act_set(lab->fb, of_field_whole(OF_TUN_DST), 0xc0000202);
    act_output(lab->fb, 3);
    end(lab);
    assert_true(run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_METADATA], 77);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_TUN_DST], 0xc0000202);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_TUN_SRC], 0xc0000201);
}

/* ---- tags, waiting, connections ---- */

static void
a_tag_is_pushed_matched_and_popped(void **state)
{
    struct lab *lab = *state;
    match_no_vlan(flow(lab, 0, 1));
    act_push_vlan(lab->fb, 7);
    act_output(lab->fb, 2);
    act_goto(lab->fb, 1);
    end(lab);
    match_vlan_id(flow(lab, 1, 1), 7);
    match_ip_dst(lab->fb, ip_prefix_host(ip4(0x0a000002)));
    act_pop_vlan(lab->fb);
    act_output(lab->fb, 3);
    end(lab);

    assert_true(run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 2);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_VLAN_TCI], 0x1007);
    assert_int_equal(lab->r.outputs[0].packet.bytes, 104);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_VLAN_TCI], 0);
    assert_int_equal(lab->r.outputs[1].packet.bytes, 100);

    struct exec_packet p = sample_tcp();
    p.field[OF_VLAN_TCI] = 0x1008;
    assert_true(run(lab, p));
    assert_dropped(lab);
}

static void
a_packet_that_waits_goes_on_as_it_is(void **state)
{
    struct lab *lab = *state;
    act_controller_pause(flow(lab, 0, 1), 3, "ab", 2);
    act_output(lab->fb, 2);
    end(lab);
    assert_true(run(lab, sample_tcp()));
    assert_int_equal(lab->r.n_outputs, 2);
    assert_output(lab, 0, EXEC_CONTROLLER, 0);
    assert_int_equal(lab->r.outputs[0].controller_id, 3);
    assert_output(lab, 1, EXEC_PORT, 2);
}

/* Table 0 tracks, then sends the rest of the list to port 9; table 1 sends to port 2. */
static void
put_tracking(struct lab *lab, struct flow_ct ct)
{
    ct.zone = 7;
    ct.table = 1;
    ct.ip = ip4(0xcb007105);
    match_family(flow(lab, 0, 1), IP_V4);
    act_set(lab->fb, REG(1), 5);
    act_ct(lab->fb, &ct);
    act_output(lab->fb, 9);
    end(lab);
    act_set(flow(lab, 1, 1), REG(2), 6);
    act_output(lab->fb, 2);
    end(lab);
}

static const struct flow_ct snat = { .is_commit = true, .nat = FLOW_NAT_SRC, .port_lo = 2000, .port_hi = 2009 };

/* The fields of what went on in table 1. */
static const uint64_t *
tracked(struct lab *lab, struct exec_packet p)
{
    if (!run(lab, p))
        fail_msg("%s", lab->err.text);
    assert_int_equal(lab->r.n_outputs, 2);
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 9);
    return lab->r.outputs[0].packet.field;
}

static void
assert_original(const uint64_t *field, uint32_t src, uint32_t dst, uint16_t tp_src, uint16_t tp_dst)
{
    assert_int_equal(field[OF_CT_NW_SRC], src);
    assert_int_equal(field[OF_CT_NW_DST], dst);
    assert_int_equal(field[OF_CT_TP_SRC], tp_src);
    assert_int_equal(field[OF_CT_TP_DST], tp_dst);
}

static void
a_new_connection_is_translated_and_the_rest_of_the_list_sees_nothing_of_it(void **state)
{
    struct lab *lab = *state;
    put_tracking(lab, snat);
    const uint64_t *field = tracked(lab, sample_tcp());
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_NEW | OF_CT_SNAT);
    assert_int_equal(field[OF_CT_ZONE], 7);
    assert_int_equal(field[OF_IPV4_SRC], 0xcb007105);
    assert_int_equal(field[OF_TCP_SRC], 2000);
    assert_int_equal(field[OF_REG1], 5);
    assert_int_equal(field[OF_CT_NW_PROTO], 6);
    assert_original(field, 0x0a000001, 0x0a000002, 1000, 80);

    field = lab->r.outputs[1].packet.field;
    assert_int_equal(field[OF_CT_STATE], 0);
    assert_int_equal(field[OF_CT_ZONE], 0);
    assert_int_equal(field[OF_CT_NW_SRC], 0);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
    assert_int_equal(field[OF_TCP_SRC], 1000);
    assert_int_equal(field[OF_REG2], 0);

    struct exec_packet p = sample_tcp();
    p.field[OF_TCP_SRC] = 2009;
    assert_int_equal(tracked(lab, p)[OF_TCP_SRC], 2009);
}

static void
what_is_not_committed_is_not_translated(void **state)
{
    struct lab *lab = *state;
    put_tracking(lab, (struct flow_ct) { .nat = FLOW_NAT_KNOWN });
    const uint64_t *field = tracked(lab, sample_tcp());
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_NEW);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
}

static void
a_later_fragment_and_icmp_keep_what_is_no_port(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, snat);
    p.field[OF_IP_FRAG] = OF_FRAG_ANY | OF_FRAG_LATER;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_IPV4_SRC], 0xcb007105);
    assert_original(field, 0x0a000001, 0x0a000002, 0, 0);

    p = sample_tcp();
    p.field[OF_IP_PROTO] = 1;
    p.field[OF_ICMPV4_TYPE] = 8;
    field = tracked(lab, p);
    assert_int_equal(field[OF_ICMPV4_TYPE], 8);
    assert_int_equal(field[OF_IPV4_SRC], 0xcb007105);
    assert_original(field, 0x0a000001, 0x0a000002, 8, 0);
}

/* The packet answers 10.0.0.2:80, which 10.9.9.9:5000 became. */
static void
a_reply_is_what_the_caller_says(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, (struct flow_ct) { .nat = FLOW_NAT_KNOWN });
    p.ct_next[0] = (struct exec_ct) { .state = OF_CT_EST | OF_CT_RPL | OF_CT_DNAT, .ip = 0x0a090909, .port = 5000 };
    p.n_ct_next = 1;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_EST | OF_CT_RPL | OF_CT_DNAT);
    assert_int_equal(field[OF_IPV4_DST], 0x0a090909);
    assert_int_equal(field[OF_TCP_DST], 5000);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
    assert_original(field, 0x0a090909, 0x0a000001, 5000, 1000);
    assert_int_equal(lab->r.outputs[0].packet.n_ct_next, 0);
}

static void
lookups_are_used_up_in_order_and_then_find_nothing(void **state)
{
    static const uint32_t states[] = { OF_CT_INV, OF_CT_EST, OF_CT_NEW };
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    match_family(flow(lab, 0, 1), IP_V4);
    for (unsigned i = 0; i < 3; i++)
        act_ct(lab->fb, &(struct flow_ct) { .zone = i, .table = 1 });
    end(lab);
    act_output(flow(lab, 1, 1), 2);
    end(lab);
    p.ct_next[0].state = OF_CT_INV;
    p.ct_next[1].state = OF_CT_EST;
    p.n_ct_next = 2;

    assert_true(run(lab, p));
    assert_int_equal(lab->r.n_outputs, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lab->r.outputs[i].packet.field[OF_CT_STATE], OF_CT_TRK | states[i]);
        assert_int_equal(lab->r.outputs[i].packet.n_ct_next, i == 0 ? 1 : 0);
    }
    assert_int_equal(lab->r.outputs[0].packet.ct_next[0].state, OF_CT_EST);
}

static void
without_a_free_port_nothing_is_translated(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, snat);
    p.ct_next[0].state = OF_CT_NEW;
    p.n_ct_next = 1;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_NEW);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
}

static void
a_flow_without_nat_does_not_translate_what_is_known(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, (struct flow_ct) { .nat = FLOW_NAT_NONE });
    p.ct_next[0] = (struct exec_ct) { .state = OF_CT_EST | OF_CT_DNAT, .ip = 0x0a090909 };
    p.n_ct_next = 1;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_EST);
    assert_int_equal(field[OF_IPV4_DST], 0x0a000002);
}

static void
a_cleared_packet_is_untracked_but_stays_translated(void **state)
{
    struct lab *lab = *state;
    match_family(flow(lab, 0, 1), IP_V4);
    act_ct(lab->fb, &(struct flow_ct) { .zone = 7, .table = 1, .is_commit = true, .nat = FLOW_NAT_DST, .ip = ip4(0xcb007105) });
    end(lab);
    match_ct_state(flow(lab, 1, 1), OF_CT_TRK | OF_CT_DNAT, OF_CT_TRK | OF_CT_DNAT);
    act_ct_clear(lab->fb);
    act_goto(lab->fb, 2);
    end(lab);
    match_ct_state(flow(lab, 2, 1), 0, OF_CT_TRK);
    act_output(lab->fb, 2);
    end(lab);

    assert_true(run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_IPV4_DST], 0xcb007105);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_CT_NW_DST], 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

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
        TEST(buckets_work_on_copies_and_a_select_group_takes_one),
        TEST(only_buckets_of_a_weight_are_chosen_from),
        TEST(tags_that_a_bucket_pushes_are_its_own),
        TEST(a_conjunction_needs_all_its_clauses),
        TEST(a_met_conjunction_leaves_the_rest_to_priorities),
        TEST(what_cannot_be_followed_is_an_error_that_says_what),
        TEST(a_loop_ends_with_an_error),
        TEST(tunnel_fields_and_metadata_travel),
        TEST(a_tag_is_pushed_matched_and_popped),
        TEST(a_packet_that_waits_goes_on_as_it_is),
        TEST(a_new_connection_is_translated_and_the_rest_of_the_list_sees_nothing_of_it),
        TEST(what_is_not_committed_is_not_translated),
        TEST(a_later_fragment_and_icmp_keep_what_is_no_port),
        TEST(a_reply_is_what_the_caller_says),
        TEST(lookups_are_used_up_in_order_and_then_find_nothing),
        TEST(without_a_free_port_nothing_is_translated),
        TEST(a_flow_without_nat_does_not_translate_what_is_known),
        TEST(a_cleared_packet_is_untracked_but_stays_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
