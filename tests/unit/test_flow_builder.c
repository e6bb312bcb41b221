/* The builder: what it makes is canonical by libopenvswitch's own measure, and reads as meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/wire.h"
#include "tests/unit/flow_samples.h"

#define SAMPLES_MAX 200

struct fixture {
    struct flow_builder *fb;
    struct arena *arena;
};

static int
setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ flow_builder_new(), arena_new() };
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    flow_builder_free(f->fb);
    arena_free(f->arena);
    return 0;
}

static struct wire_flow
as_read_back(const struct spec *s)
{
    return (struct wire_flow){
        .cookie = s->cookie,
        .priority = s->priority,
        .table = s->table,
        .key = spec_key(s),
        .key_len = s->key_len,
        .body = spec_body(s),
        .body_len = s->body_len,
    };
}

static void
every_helper_builds_what_decoding_and_encoding_leaves_as_it_is(void **state)
{
    struct fixture *f = *state;
    const struct spec *specs[SAMPLES_MAX];
    size_t n = flow_samples(f->fb, f->arena, specs, SAMPLES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct wire_flow wf = as_read_back(specs[i]);
        const struct spec *again = wire_flow_canonical(&wf, f->arena);
        if (!again || !spec_key_equal(again, specs[i]) || again->body_len != specs[i]->body_len
            || memcmp(spec_body(again), spec_body(specs[i]), again->body_len))
            fail_msg("sample %zu is not canonical: %s", i, spec_format(specs[i], f->arena));
        assert_int_equal(spec_value_hash(again), spec_value_hash(specs[i]));
        assert_int_equal(spec_key_hash(again), spec_key_hash(specs[i]));
    }
}

static const char *
built(struct fixture *f)
{
    return spec_format(flow_end(f->fb, f->arena), f->arena);
}

static void
a_flow_reads_as_it_was_meant(void **state)
{
    struct fixture *f = *state;
    struct ip_prefix net;
    assert_true(ip_prefix_parse("10.1.2.0/24", &net, NULL));
    flow_begin(f->fb, 30, 100, 5);
    match_ip_dst(f->fb, net);
    match_u64(f->fb, of_field_whole(OF_METADATA), 7);
    act_set(f->fb, (struct of_field){ OF_REG1, 8, 4 }, 5);
    act_dec_ttl(f->fb);
    act_goto(f->fb, 40);
    assert_string_equal(built(f), "table=30, priority=100,ip,metadata=0x7,nw_dst=10.1.2.0/24 "
                                  "actions=set_field:0x500/0xf00->reg1,dec_ttl,goto_table:40");

    flow_begin(f->fb, 0, 1, 5);
    assert_string_equal(built(f), "table=0, priority=1 actions=drop");
}

static void
tracking_and_tags_read_as_they_were_meant(void **state)
{
    struct fixture *f = *state;
    flow_begin(f->fb, 30, 100, 5);
    match_vlan_id(f->fb, 7);
    match_family(f->fb, IP_V4);
    act_pop_vlan(f->fb);
    act_ct(f->fb,
           &(struct flow_ct){
               .zone = 9, .table = 31, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(0xcb007105), .port_lo = 1024, .port_hi = 2047 });
    act_ct_clear(f->fb);
    act_ct(f->fb, &(struct flow_ct){ .zone = 8, .table = 32, .nat = FLOW_NAT_KNOWN });
    act_push_vlan(f->fb, 12);
    act_output(f->fb, 1);
    assert_string_equal(built(f), "table=30, priority=100,ip,dl_vlan=7 actions=pop_vlan,"
                                  "ct(commit,table=31,zone=9,nat(src=203.0.113.5:1024-2047)),ct_clear,ct(table=32,zone=8,nat),"
                                  "push_vlan:0x8100,set_field:4108->vlan_vid,output:1");

    const struct flow_ct_set sets[] = {
        { .field = of_field_whole(OF_CT_MARK), .value = 7 },
        { .field = { OF_CT_LABEL, 32, 16 }, .value = 0xab },
        { .field = { OF_CT_LABEL, 0, 32 }, .from = of_field_whole(OF_REG1) },
    };
    flow_begin(f->fb, 30, 100, 5);
    match_tcp_flags(f->fb, IP_V4, OF_TCP_SYN, OF_TCP_SYN | OF_TCP_ACK);
    act_ct(f->fb, &(struct flow_ct){ .zone_field = { OF_REG2, 16, 16 },
                                     .table = FLOW_CT_NO_TABLE,
                                     .is_commit = true,
                                     .is_forced = true,
                                     .sets = sets,
                                     .n_sets = 3 });
    act_goto(f->fb, 40);
    assert_string_equal(built(f), "table=30, priority=100,tcp,tcp_flags=+syn-ack actions=ct(commit,force,zone=NXM_NX_REG2[16..31],"
                                  "exec(set_field:0x7->ct_mark,set_field:0xab00000000/0xffff00000000->ct_label,"
                                  "move:NXM_NX_REG1[]->NXM_NX_CT_LABEL[0..31])),goto_table:40");

    flow_begin(f->fb, 1, 2, 5);
    act_controller_pause(f->fb, 3, "\x01\x02", 2);
    act_output(f->fb, 1);
    assert_string_equal(built(f), "table=1, priority=2 actions=controller(id=3,userdata=01.02,pause),output:1");
}

static void
conjunctions_count_clauses_from_one_as_ovs_ofctl_does(void **state)
{
    struct fixture *f = *state;
    flow_begin(f->fb, 1, 2, 5);
    act_conjunction(f->fb, 9, 1, 2);
    assert_string_equal(built(f), "table=1, priority=2 actions=conjunction(9,1/2)");
}

static void
the_order_of_matches_does_not_matter(void **state)
{
    struct fixture *f = *state;
    flow_begin(f->fb, 1, 2, 3);
    match_u64(f->fb, of_field_whole(OF_CT_NW_SRC), 1);
    match_ct_state(f->fb, OF_CT_TRK | OF_CT_EST, OF_CT_TRK | OF_CT_EST);
    match_l4_dst(f->fb, IP_V4, 6, 80, 0xffff);
    match_in_port(f->fb, 1);
    const struct spec *a = flow_end(f->fb, f->arena);
    flow_begin(f->fb, 1, 2, 3);
    match_in_port(f->fb, 1);
    match_l4_dst(f->fb, IP_V4, 6, 80, 0xffff);
    match_ct_state(f->fb, OF_CT_TRK | OF_CT_EST, OF_CT_TRK | OF_CT_EST);
    match_u64(f->fb, of_field_whole(OF_CT_NW_SRC), 1);
    assert_true(spec_key_equal(a, flow_end(f->fb, f->arena)));
}

static void
host_bits_of_a_prefix_are_not_matched(void **state)
{
    struct fixture *f = *state;
    struct ip_prefix net = { .ip = ip4(0x0a010203), .len = 16 };
    flow_begin(f->fb, 1, 2, 3);
    match_ip_src(f->fb, net);
    assert_string_equal(built(f), "table=1, priority=2,ip,nw_src=10.1.0.0/16 actions=drop");
}

static void
bits_of_one_register_are_matched_together(void **state)
{
    struct fixture *f = *state;
    flow_begin(f->fb, 1, 2, 3);
    match_u64(f->fb, (struct of_field){ OF_REG6, 0, 8 }, 0x12);
    match_u64(f->fb, (struct of_field){ OF_REG6, 8, 24 }, 0xabcdef);
    match_u64(f->fb, (struct of_field){ OF_METADATA, 0, 8 }, 1);
    match_u64(f->fb, (struct of_field){ OF_METADATA, 8, 8 }, 2);
    assert_string_equal(built(f), "table=1, priority=2,reg6=0xabcdef12,metadata=0x201/0xffff actions=drop");
}

static void
a_builder_remembers_nothing_of_the_flow_before(void **state)
{
    struct fixture *f = *state;
    flow_begin(f->fb, 1, 2, 3);
    flow_shared(f->fb);
    match_arp(f->fb, 1);
    act_goto(f->fb, 9);
    flow_end(f->fb, f->arena);
    flow_begin(f->fb, 2, 3, 4);
    act_output(f->fb, 1);
    const struct spec *s = flow_end(f->fb, f->arena);
    assert_false(s->is_shared);
    assert_int_equal(s->cookie, 4);
    assert_string_equal(spec_format(s, f->arena), "table=2, priority=3 actions=output:1");
}

static void
a_meter_reads_as_it_was_meant(void **state)
{
    struct fixture *f = *state;
    const struct spec *s = meter_spec(f->arena, 1, 77, 100, 10);
    assert_string_equal(spec_format(s, f->arena), "meter=77 pktps burst stats bands= type=drop rate=100 burst_size=10");
}

/* As Open vSwitch writes them. */
static void
a_groups_bytes_are_those_of_a_description(void **state)
{
    static const uint8_t body[] = {
        1,
        0,
        0,
        0,
        /* bucket 5: output:1, weight 100 */
        0,
        32,
        0,
        16,
        0,
        0,
        0,
        5,
        0,
        0,
        0,
        16,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        8,
        0,
        100,
        0,
        0,
        /* bucket 9: output:1, weight 50 */
        0,
        32,
        0,
        16,
        0,
        0,
        0,
        9,
        0,
        0,
        0,
        16,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        8,
        0,
        50,
        0,
        0,
        /* experimenter property NTRT_SELECTION_METHOD, 'hash' over ip_src */
        0xff,
        0xff,
        0,
        48,
        0,
        0,
        0x15,
        0x4d,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        'h',
        'a',
        's',
        'h',
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0x80,
        0,
        0x16,
        4,
        0xff,
        0xff,
        0xff,
        0xff,
    };
    struct fixture *f = *state;
    const struct spec *groups[GROUP_SAMPLES];
    group_samples(f->fb, f->arena, groups);
    assert_int_equal(groups[0]->kind, SPEC_GROUP);
    assert_int_equal(groups[0]->id, SAMPLE_GROUP);
    assert_int_equal(groups[0]->key_len, 0);
    assert_int_equal(groups[0]->body_len, sizeof body);
    assert_memory_equal(spec_body(groups[0]), body, sizeof body);
}

static void
groups_read_as_they_were_meant(void **state)
{
    struct fixture *f = *state;
    const struct spec *groups[GROUP_SAMPLES];
    group_samples(f->fb, f->arena, groups);
    static const char *const texts[GROUP_SAMPLES - 1] = {
        "group_id=1,type=select,selection_method=hash,fields=ip_src,bucket=bucket_id:5,weight:100,actions=output:1,"
        "bucket=bucket_id:9,weight:50,actions=output:1",
        "group_id=2,type=select,selection_method=hash,selection_method_param=1311768467463790320,fields(ip_src,ip_dst,nw_proto,tcp_src,"
        "tcp_dst,udp_src,udp_dst),bucket=bucket_id:3735928320,actions=set_field:0/0xffff->reg1,"
        "move:NXM_NX_REG2[]->NXM_NX_REG3[],resubmit(,40),bucket=bucket_id:3735928321,actions=set_field:0x1/0xffff->reg1,"
        "move:NXM_NX_REG2[]->NXM_NX_REG3[],resubmit(,40),bucket=bucket_id:3735928322,actions=set_field:0x2/0xffff->reg1,"
        "move:NXM_NX_REG2[]->NXM_NX_REG3[],resubmit(,40),bucket=bucket_id:4294967040,weight:0,actions=drop",
        "group_id=3,type=select,selection_method=hash,fields(ct_label=0xf000000000000000,reg4=0x3f8,ip_src=255.255.255.0),"
        "bucket=bucket_id:0,weight:65535,actions=set_field:02:01:02:03:04:05->eth_dst,ct(commit,table=40,zone=3,"
        "nat(dst=10.0.0.5:80),exec(set_field:0x4d->ct_mark)),bucket=bucket_id:1,actions=ct_clear",
        "group_id=4,type=select,selection_method=dp_hash,selection_method_param=5,bucket=bucket_id:1,actions=resubmit(,40),"
        "bucket=bucket_id:2,weight:2,actions=resubmit(,40),bucket=bucket_id:3,weight:3,actions=resubmit(,40)",
        "group_id=5,type=all,bucket=bucket_id:1,actions=pop_vlan,dec_ttl,set_field:192.0.2.1->tun_dst,output:1,"
        "bucket=bucket_id:2,actions=IN_PORT,bucket=bucket_id:7,actions=group:1",
        "group_id=6,type=all",
        "group_id=7,type=select,selection_method=dp_hash",
    };
    for (size_t i = 0; i < GROUP_SAMPLES - 1; i++)
        assert_string_equal(spec_format(groups[i], f->arena), texts[i]);
}

static void
a_field_knows_its_width(void **state)
{
    (void) state;
    assert_int_equal(of_field_bits(OF_ETH_DST), 48);
    assert_int_equal(of_field_whole(OF_METADATA).bits, 64);
    assert_int_equal(of_field_whole(OF_IP_FRAG).bits, 8);
    assert_int_equal(of_field_bits(OF_CT_LABEL), 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_helper_builds_what_decoding_and_encoding_leaves_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flow_reads_as_it_was_meant, setup, teardown),
        cmocka_unit_test_setup_teardown(tracking_and_tags_read_as_they_were_meant, setup, teardown),
        cmocka_unit_test_setup_teardown(conjunctions_count_clauses_from_one_as_ovs_ofctl_does, setup, teardown),
        cmocka_unit_test_setup_teardown(the_order_of_matches_does_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(host_bits_of_a_prefix_are_not_matched, setup, teardown),
        cmocka_unit_test_setup_teardown(bits_of_one_register_are_matched_together, setup, teardown),
        cmocka_unit_test_setup_teardown(a_builder_remembers_nothing_of_the_flow_before, setup, teardown),
        cmocka_unit_test_setup_teardown(a_meter_reads_as_it_was_meant, setup, teardown),
        cmocka_unit_test_setup_teardown(a_groups_bytes_are_those_of_a_description, setup, teardown),
        cmocka_unit_test_setup_teardown(groups_read_as_they_were_meant, setup, teardown),
        cmocka_unit_test(a_field_knows_its_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
