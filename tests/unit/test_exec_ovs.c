/* The executor against Open vSwitch itself: random flows are installed in a private ovs-vswitchd, and for random packets
 * ofproto/trace must tell the same flows hit, in the same order, the same outputs and the same packet in the end. */
#include "tests/unit/exec_trace.h"

#include "base/alloc.h"
#include "tests/unit/ovs_fixture.h"

#define N_SETS 6
#define N_PACKETS 40
#define N_TRACKING_SETS 4 /* of flows, for one form of ct() */

struct lab {
    struct random random;
    struct ovs_fixture *ovs;
    struct set set;
};

static int
setup(void **state)
{
    struct lab *lab = mem_zalloc(sizeof *lab);
    lab->random = random_seeded();
    lab->ovs = ovs_fixture_start();
    ovs_fixture_add_bridge(lab->ovs, "br0", "0000000000000001");
    for (int i = 1; i <= N_PORTS; i++)
        free(ovs_fixture_sh(lab->ovs,
                            "ovs-vsctl --timeout=20 add-port br0 p%d -- set interface p%d type=dummy "
                            "ofport_request=%d",
                            i, i, i));
    *state = lab;
    return 0;
}

static void
set_done(struct set *s)
{
    flow_table_free(s->table);
    arena_free(s->arena);
    flow_builder_free(s->fb);
    *s = (struct set){ .table = NULL };
}

static int
teardown(void **state)
{
    struct lab *lab = *state;
    set_done(&lab->set);
    ovs_fixture_stop(lab->ovs);
    free(lab);
    return 0;
}

/* ---- random flows ---- */

static FILE *
file_open(const struct ovs_fixture *ovs, const char *name)
{
    char *path = mem_printf("%s/%s", ovs_fixture_dir(ovs), name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    free(path);
    return f;
}

static void
files_open(struct set *s, const struct ovs_fixture *ovs)
{
    s->flows = file_open(ovs, "flows");
    s->groups = file_open(ovs, "groups");
}

static void
files_install(struct set *s, const struct ovs_fixture *ovs)
{
    fclose(s->flows);
    fclose(s->groups);
    free(ovs_fixture_sh(ovs, "o='ovs-ofctl -O OpenFlow15' && $o del-flows br0 && $o del-groups br0 && "
                             "$o add-groups br0 groups && $o add-flows br0 flows"));
}

static void
set_install(struct set *s, const struct ovs_fixture *ovs)
{
    files_open(s, ovs);
    set_put_groups(s);
    set_put_flows(s);
    files_install(s, ovs);
}

/* A packet that is looked up more often than anything was said of it: which lookups find what was said is a matter of their order. */
static bool
is_looked_up_too_often(const struct exec_packet *p, const char *trace)
{
    return p->n_ct_next && strstr(trace, "resume conntrack with default");
}

static size_t
compare_packet(struct set *s, const struct ovs_fixture *ovs)
{
    struct exec_packet p = set_packet(s);
    struct exec_result r;
    struct error err;
    struct story ours = { .n_ports = 0 }, theirs = { .n_ports = 0 };
    char *trace = ovs_fixture_sh(ovs, "ovs-appctl -t \"$PWD/vswitchd.ctl\" ofproto/trace br0 '%s' %s", packet_text(s->arena, &p),
                                 lookups_text(s->arena, &p));
    p.bucket = bucket_of_trace(trace);
    if (!exec_run(s->table, &p, s->arena, &r, &err))
        fail_msg("%s", err.text);
    if (is_looked_up_too_often(&p, trace)) {
        free(trace);
        return 0;
    }
    story_of_result(&ours, &r);
    story_of_trace(&theirs, trace);
    if (s->is_tracking) {
        story_sort(&ours);
        story_sort(&theirs);
    }
    assert_same_story(&ours, &theirs, trace);
    assert_same_packet(s->arena, &p, &r.after, trace);
    free(trace);
    return ours.n_ports;
}

static void
random_flows_do_what_open_vswitch_says(void **state)
{
    struct lab *lab = *state;
    size_t n_outputs = 0;
    for (int i = 0; i < N_SETS; i++) {
        lab->set = (struct set){
            .random = &lab->random,
            .fb = flow_builder_new(),
            .arena = arena_new(),
            .table = flow_table_new(),
        };
        set_install(&lab->set, lab->ovs);
        for (int j = 0; j < N_PACKETS; j++)
            n_outputs += compare_packet(&lab->set, lab->ovs);
        set_done(&lab->set);
    }
    assert_true(n_outputs > N_SETS * N_PACKETS / 4); /* else it compared nothing worth comparing */
}

static size_t
compare_tracked(struct lab *lab, const struct flow_ct *ct)
{
    size_t n_outputs = 0;
    for (int i = 0; i < N_TRACKING_SETS; i++) {
        lab->set = (struct set){
            .random = &lab->random,
            .fb = flow_builder_new(),
            .arena = arena_new(),
            .table = flow_table_new(),
            .is_tracking = true,
            .ct = *ct,
        };
        lab->set.ct.ip = ip4(NAT_IP);
        set_install(&lab->set, lab->ovs);
        for (int j = 0; j < N_PACKETS / N_TRACKING_SETS; j++)
            n_outputs += compare_packet(&lab->set, lab->ovs);
        set_done(&lab->set);
    }
    return n_outputs;
}

static void
tracked_and_tagged_packets_do_what_open_vswitch_says(void **state)
{
    static const struct flow_ct forms[] = {
        { .zone = ZONE },
        { .zone = ZONE, .nat = FLOW_NAT_KNOWN },
        { .zone = ZONE, .is_commit = true },
        { .zone = ZONE, .is_commit = true, .nat = FLOW_NAT_SRC },
        { .zone = ZONE, .is_commit = true, .nat = FLOW_NAT_DST },
    };
    struct lab *lab = *state;
    size_t n_outputs = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        n_outputs += compare_tracked(lab, &forms[i]);
    assert_true(n_outputs > N_PACKETS);
}

static void
entries_zones_of_fields_and_lookups_without_a_table_do_what_open_vswitch_says(void **state)
{
    static const struct flow_ct_set sets[] = {
        { .field = { OF_CT_MARK, 8, 2 }, .value = 1 },
        { .field = { OF_CT_LABEL, 32, 16 }, .from = { OF_REG0, 0, 16 } },
        { .field = { OF_CT_LABEL, 62, 2 }, .value = 1 },
    };
    static const struct flow_ct forms[] = {
        { .zone_field = { OF_REG0, 0, 16 } },
        { .zone_field = { OF_REG15, 0, 16 }, .is_commit = true, .is_forced = true },
        { .zone = ZONE, .is_commit = true, .sets = sets, .n_sets = 3 },
        { .zone_field = { OF_METADATA, 0, 16 }, .is_commit = true, .nat = FLOW_NAT_DST, .sets = sets, .n_sets = 2 },
        { .zone = ZONE, .table = FLOW_CT_NO_TABLE },
        { .zone = ZONE, .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = sets, .n_sets = 3 },
        { .zone = ZONE, .table = FLOW_CT_NO_TABLE, .is_commit = true, .nat = FLOW_NAT_SRC },
    };
    struct lab *lab = *state;
    size_t n_outputs = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        n_outputs += compare_tracked(lab, &forms[i]);
    assert_true(n_outputs > N_PACKETS);
}

/* ---- a packet on the wire ---- */

/* The source address and port of the packet that left by 'port' (IPv4 and UDP). */
static void
source_on_wire(const struct ovs_fixture *ovs, unsigned port, uint32_t *ip, uint16_t *tp)
{
    char *hex = ovs_fixture_sh(ovs,
                               "for i in $(seq 1000); do [ -s p%u.pcap ] && ovs-pcap p%u.pcap | grep . && exit; "
                               "sleep 0.01; done; exit 1",
                               port, port);
    unsigned source, source_port;
    assert_true(strlen(hex) > 2 * 36);
    assert_int_equal(sscanf(hex + 2 * 26, "%8x", &source), 1);
    assert_int_equal(sscanf(hex + 2 * 34, "%4x", &source_port), 1);
    *ip = source;
    *tp = (uint16_t) source_port;
    free(hex);
}

/* Table 0 translates without a table, sends to port 2, has table 2 look it up again, sets an address and sends to port 3. */
static void
put_late_translation(struct set *s)
{
    set_begin(s, 0, 1);
    match_ip_proto(s->fb, IP_V4, 17);
    act_ct(s->fb, &(struct flow_ct){ .zone = 1,
                                     .table = FLOW_CT_NO_TABLE,
                                     .is_commit = true,
                                     .nat = FLOW_NAT_SRC,
                                     .ip = ip4(NAT_IP),
                                     .port_lo = 5000,
                                     .port_hi = 5000 });
    act_output(s->fb, 2);
    act_resubmit(s->fb, 2);
    act_set(s->fb, of_field_whole(OF_IPV4_SRC), 0x01020304);
    act_output(s->fb, 3);
    set_end(s);
    set_begin(s, 2, 1);
    match_ip_src(s->fb, ip_prefix_host(ip4(0x0a000001)));
    act_ct(s->fb, &(struct flow_ct){ .zone = 2, .table = 3 });
    set_end(s);
    set_begin(s, 3, 1);
    match_ip_src(s->fb, ip_prefix_host(ip4(NAT_IP)));
    match_u64(s->fb, of_field_whole(OF_CT_NW_SRC), NAT_IP);
    act_output(s->fb, 4);
    set_end(s);
}

static void
what_is_translated_without_a_table_leaves_as_executed(void **state)
{
    struct lab *lab = *state;
    struct set *s = &lab->set;
    struct exec_packet p = sample_tcp();
    struct exec_result r;
    struct error err;
    *s = (struct set){ .random = &lab->random, .fb = flow_builder_new(), .arena = arena_new(), .table = flow_table_new() };
    for (int i = 2; i <= N_PORTS; i++)
        free(ovs_fixture_sh(lab->ovs, "ovs-vsctl --timeout=20 set interface p%d options:tx_pcap=$PWD/p%d.pcap", i, i));
    files_open(s, lab->ovs);
    put_late_translation(s);
    files_install(s, lab->ovs);

    free(ovs_fixture_sh(lab->ovs, "ovs-appctl -t \"$PWD/vswitchd.ctl\" netdev-dummy/receive p1 "
                                  "'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),"
                                  "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1000,dst=80)'"));
    p.field[OF_IP_PROTO] = 17;
    p.field[OF_UDP_SRC] = 1000;
    p.field[OF_UDP_DST] = 80;
    if (!exec_run(s->table, &p, s->arena, &r, &err))
        fail_msg("%s", err.text);
    assert_int_equal(r.n_outputs, 3);
    for (size_t i = 0; i < r.n_outputs; i++) {
        uint32_t ip;
        uint16_t tp;
        source_on_wire(lab->ovs, r.outputs[i].port, &ip, &tp);
        assert_int_equal(r.outputs[i].packet.field[OF_IPV4_SRC], ip);
        assert_int_equal(r.outputs[i].packet.field[OF_UDP_SRC], tp);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_flows_do_what_open_vswitch_says, setup, teardown),
        cmocka_unit_test_setup_teardown(tracked_and_tagged_packets_do_what_open_vswitch_says, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_zones_of_fields_and_lookups_without_a_table_do_what_open_vswitch_says, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_translated_without_a_table_leaves_as_executed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
