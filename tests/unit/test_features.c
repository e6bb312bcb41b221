/* The features together: each flow is explained and counted by the right reason, answers come out of packet-ins, and packets traced
 * through a real Open vSwitch go where the pipeline's promises say. */
#include "vnet/pipeline/feature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tests/unit/ovs_fixture.h"
#include "tests/unit/vnet_lab.h"
#include "vnet/feature/reject/reject.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/ipv4.h"

#define ROUTER ROUTER_MAC_TEXT
#define MAX_LOOKUPS 12

/* web1 (10.0.1.5, on hv1 at 10), web2 (10.0.1.6, hv1 11), fw1 (10.0.9.5, hv2 10, may forward), db1 (10.0.2.5, nowhere); beside it a VPC of the
 * same addresses with other1 (10.0.1.5, hv1 12) and other2 (10.0.1.7, hv2 12). */
static struct lab *
lab_with_network(void)
{
    struct lab *lab = lab_new();
    lab_host(lab, "hv1", lab_facts(0));
    lab_host(lab, "hv2", lab_facts(1));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'net','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'rtb','name':'edge','values':{'vpc':'net'}},"
                "{'op':'add','type':'subnet','name':'web','values':{'vpc':'net','cidr':'10.0.1.0/24','rtb':'edge'}},"
                "{'op':'add','type':'subnet','name':'db','values':{'vpc':'net','cidr':'10.0.2.0/24'}},"
                "{'op':'add','type':'subnet','name':'fw','values':{'vpc':'net','cidr':'10.0.9.0/24'}}]");
    lab_do(lab, "[{'op':'add','type':'port','name':'web1','values':{'subnet':'web','sg':'none','ip':'10.0.1.5','mac':'02:00:00:00:00:05'}},"
                "{'op':'add','type':'port','name':'web2','values':{'subnet':'web','sg':'none','ip':'10.0.1.6','mac':'02:00:00:00:00:06'}},"
                "{'op':'add','type':'port','name':'db1','values':{'subnet':'db','sg':'none','ip':'10.0.2.5','mac':'02:00:00:00:00:25'}},"
                "{'op':'add','type':'port','name':'fw1','values':{'subnet':'fw','sg':'none','ip':'10.0.9.5','mac':'02:00:00:00:00:95',"
                "'source_dest_check':false}},"
                "{'op':'add','type':'route','values':{'rtb':'edge','prefix':'198.51.100.0/24','target':'port:fw1'}},"
                "{'op':'add','type':'route','values':{'rtb':'edge','prefix':'10.0.3.0/24','target':'blackhole'}}]");
    lab_do(lab,
           "[{'op':'add','type':'vpc','name':'twin','values':{'cidr':'10.0.0.0/16'}},"
           "{'op':'add','type':'subnet','name':'tw','values':{'vpc':'twin','cidr':'10.0.1.0/24'}},"
           "{'op':'add','type':'port','name':'other1','values':{'subnet':'tw','sg':'none','ip':'10.0.1.5','mac':'02:00:00:00:00:05'}},"
           "{'op':'add','type':'port','name':'other2','values':{'subnet':'tw','sg':'none','ip':'10.0.1.7','mac':'02:00:00:00:00:07'}}]");
    lab_bind(lab, "web1", "hv1", 10);
    lab_bind(lab, "web2", "hv1", 11);
    lab_bind(lab, "fw1", "hv2", 10);
    lab_bind(lab, "other1", "hv1", 12);
    lab_bind(lab, "other2", "hv2", 12);
    lab_run(lab);
    return lab;
}

static struct flow_table *
table_of(const struct lab *lab, const char *host)
{
    return lab_table(lab, lab_number(lab, OBJECT_HOST, host));
}

/* ---- without a switch ---- */

static void
features_are_found_by_their_number(void **unused)
{
    unsigned n;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++) {
        assert_ptr_equal(feature_by_number(features[i]->number), features[i]);
        assert_non_null(features[i]->touches);
        assert_non_null(features[i]->blocks);
        assert_non_null(features[i]->flows);
    }
    assert_null(feature_by_number(0));
    assert_null(feature_by_number(FEATURE_MAX));
    assert_null(feature_by_number(255));
}

struct counts {
    const struct lab *lab;
    unsigned of[REASON_MAX];
};

static void
count_reason(void *aux, const struct spec *s)
{
    struct counts *c = aux;
    enum reason reason = reject_reason_of(s->cookie, s->table, s->priority);
    uint32_t web1 = lab_number(c->lab, OBJECT_PORT, "web1"), hv1 = lab_number(c->lab, OBJECT_HOST, "hv1");
    if (cookie_number(s->cookie) == web1 || cookie_number(s->cookie) == hv1)
        c->of[reason]++;
}

static void
each_reason_of_a_port_is_counted_by_one_flow(void **unused)
{
    struct lab *lab = lab_with_network();
    struct counts counts = { .lab = lab };
    flow_table_each(table_of(lab, "hv1"), count_reason, &counts);
    for (unsigned reason = REASON_MAC; reason < REASON_TUNNEL; reason++)
        assert_int_equal(counts.of[reason], 1);
    assert_int_equal(counts.of[REASON_TUNNEL], 4);
    lab_free(lab);
}

/* How the narrowest rule is found is not told, only which are found. */
static bool
is_between_rules(const struct spec *s)
{
    switch (s->table) {
    case STAGE_SG_JUDGE:
    case STAGE_SG_GROUP:
    case STAGE_SG_NARROWER:
    case STAGE_SG_COMPARE: return true;
    default: return s->table == STAGE_SG_MATCH && !cookie_number(s->cookie);
    }
}

static void
assert_explained(void *aux, const struct spec *s)
{
    const struct lab *lab = aux;
    struct view view = { .model = lab->model, .runtime = lab->runtime };
    char text[200] = "";
    feature_by_number(cookie_feature(s->cookie))->explain(&view, s, text, sizeof text);
    if (is_between_rules(s))
        assert_string_equal(text, "");
    else if (cookie_feature(s->cookie) != FEATURE_BASE)
        assert_true(strlen(text) > 10);
    assert_null(strstr(text, "number"));
}

static void
every_step_is_put_into_words(void **unused)
{
    struct lab *lab = lab_with_network();
    flow_table_each(table_of(lab, "hv1"), assert_explained, lab);
    flow_table_each(table_of(lab, "hv2"), assert_explained, lab);
    lab_free(lab);
}

struct block_of {
    uint64_t cookie;
    struct lab *lab;
    char text[200];
};

static void
explain_last(void *aux, const struct spec *s)
{
    struct block_of *b = aux;
    struct view view = { .model = b->lab->model, .runtime = b->lab->runtime };
    if (s->kind == SPEC_FLOW)
        feature_by_number(cookie_feature(s->cookie))->explain(&view, s, b->text, sizeof b->text);
}

static void
a_route_is_explained_with_its_target(void **unused)
{
    struct lab *lab = lab_with_network();
    struct block_of b = { .lab = lab };
    b.cookie = cookie_make(FEATURE_ROUTE, OBJECT_ROUTE, lab_number(lab, OBJECT_ROUTE, "edge/198.51.100.0/24"));
    flow_table_each_of(table_of(lab, "hv1"), b.cookie, explain_last, &b);
    assert_string_equal(b.text, "route 'edge/198.51.100.0/24' leads to 'fw1'");
    lab_free(lab);
}

/* The userdata of a flow that sends to a responder: after the action's fixed part, which begins with the version. */
struct wanted {
    uint8_t table;
    uint16_t priority;
    struct bytes userdata;
};

static void
find_userdata(void *aux, const struct spec *s)
{
    struct wanted *w = aux;
    if (s->kind != SPEC_FLOW || s->table != w->table || s->priority != w->priority || w->userdata.n)
        return;
    struct arena *arena = arena_new();
    const char *p = strstr(spec_format(s, arena), "userdata=");
    assert_non_null(p);
    for (p += strlen("userdata="); *p && *p != ')'; p += *p == '.')
        bytes_put_u8(&w->userdata, strtoul(p, (char **) &p, 16));
    arena_free(arena);
}

static struct wanted
userdata_of(const struct lab *lab, uint64_t cookie, uint8_t table, uint16_t priority)
{
    struct wanted w = { .table = table, .priority = priority, .userdata = BYTES_INIT };
    flow_table_each_of(table_of(lab, "hv1"), cookie, find_userdata, &w);
    assert_true(w.userdata.n > 0);
    return w;
}

static void
a_packet_too_big_is_answered_with_the_paths_mtu(void **unused)
{
    struct lab *lab = lab_with_network();
    uint64_t cookie = cookie_make(FEATURE_REJECT, OBJECT_PORT, lab_number(lab, OBJECT_PORT, "web1"));
    struct wanted w = userdata_of(lab, cookie, STAGE_REJECT, 100 + REASON_TOO_BIG);
    struct bytes frame = BYTES_INIT, out = BYTES_INIT;
    struct ipv4_answer packet = { ROUTER_MAC, { { 2, 0, 0, 0, 0, 5 } }, ip4(0x0a000105), ip4(0x0a000905), 17 };
    ipv4_put(&frame, &packet, 1480);
    struct packet_in in = {
        .packet = frame.data, .packet_len = frame.n, .userdata = w.userdata.data, .userdata_len = w.userdata.n, .cookie = cookie
    };
    in.reg[13] = 1450u << 16 | 1;
    assert_true(feature_by_number(cookie_feature(cookie))->answer(&in, &out));
    const uint8_t *icmp = out.data + ETHERNET_HEADER + IPV4_HEADER;
    assert_int_equal(icmp[0], 3);
    assert_int_equal(icmp[1], 4);
    assert_int_equal(get_be16(icmp + 6), 1450);
    assert_int_equal(get_be32(out.data + ETHERNET_HEADER + 12), 0x0a000101);

    in.reg[4] = 0x0a000164; /* it was sent to a load balancer */
    in.reg[5] = 80;
    bytes_clear(&out);
    assert_true(feature_reject.answer(&in, &out));
    const uint8_t *quoted = out.data + ETHERNET_HEADER + IPV4_HEADER + 8;
    assert_int_equal(get_be32(quoted + 16), 0x0a000164);
    assert_int_equal(get_be16(quoted + IPV4_HEADER + 2), 80);

    in.userdata_len--;
    bytes_clear(&out);
    assert_false(feature_reject.answer(&in, &out));
    assert_false(feature_dhcp.answer(&in, &out));
    bytes_done(&frame);
    bytes_done(&out);
    bytes_done(&w.userdata);
    lab_free(lab);
}

/* ---- on a switch ---- */

struct bench {
    struct lab *lab;
    struct ovs_fixture *ovs;
};

struct load {
    FILE *flows, *meters;
    struct arena *arena;
};

static void
write_spec(void *aux, const struct spec *s)
{
    struct load *l = aux;
    if (s->kind == SPEC_METER)
        fprintf(l->meters, "meter=%u pktps burst stats band=type=drop rate=50 burst_size=50\n", s->id);
    else
        fprintf(l->flows, "cookie=%#llx, %s\n", (unsigned long long) s->cookie, spec_format(s, l->arena));
}

/* Fills a bridge that is called like its host with the host's desired table. */
static void
bridge_load(const struct bench *b, const char *host)
{
    const char *dir = ovs_fixture_dir(b->ovs);
    char *flows = mem_printf("%s/%s.flows", dir, host), *meters = mem_printf("%s/%s.meters", dir, host);
    struct load l = { fopen(flows, "w"), fopen(meters, "w"), arena_new() };
    flow_table_each(table_of(b->lab, host), write_spec, &l);
    fclose(l.flows);
    fclose(l.meters);
    arena_free(l.arena);
    free(
        ovs_fixture_sh(b->ovs, "while read -r meter; do ovs-ofctl -O OpenFlow15 add-meter %s \"$meter\" || exit; done < %s", host, meters));
    free(ovs_fixture_sh(b->ovs, "ovs-ofctl -O OpenFlow15 --bundle add-flows %s %s", host, flows));
    free(flows);
    free(meters);
}

static void
bridge_add(const struct bench *b, const char *host, unsigned i)
{
    char dpid[17];
    snprintf(dpid, sizeof dpid, "%016x", i + 1);
    ovs_fixture_add_bridge(b->ovs, host, dpid);
    free(ovs_fixture_sh(b->ovs,
                        "ovs-vsctl --timeout=20 add-port %s g%u -- set interface g%u type=geneve options:remote_ip=flow "
                        "options:key=flow ofport_request=1 -- add-port %s x%u -- set interface x%u type=vxlan "
                        "options:remote_ip=flow options:key=flow ofport_request=2",
                        host, i, i, host, i, i));
    for (unsigned port = 10; port <= 12; port++)
        free(ovs_fixture_sh(b->ovs, "ovs-vsctl --timeout=20 add-port %s p%u-%u -- set interface p%u-%u type=dummy ofport_request=%u", host,
                            i, port, i, port, port));
    bridge_load(b, host);
}

static int
bench_start(void **state)
{
    struct bench *b = mem_zalloc(sizeof *b);
    b->lab = lab_with_network();
    b->ovs = ovs_fixture_start();
    bridge_add(b, "hv1", 0);
    bridge_add(b, "hv2", 1);
    *state = b;
    return 0;
}

static int
bench_stop(void **state)
{
    struct bench *b = *state;
    ovs_fixture_stop(b->ovs);
    lab_free(b->lab);
    free(b);
    return 0;
}

static char *
trace(const struct bench *b, const char *host, const char *packet)
{
    return ovs_fixture_sh(b->ovs, "ovs-appctl -t %s/vswitchd.ctl ofproto/trace %s '%s'", ovs_fixture_dir(b->ovs), host, packet);
}

/* The trace must mention, or (after '!') not mention, each of the NULL-ended words. */
#define ASSERT_TRACE(BENCH, HOST, PACKET, ...) assert_trace(BENCH, HOST, PACKET, (const char *const[]){ __VA_ARGS__, NULL })

static void
assert_trace(const struct bench *b, const char *host, const char *packet, const char *const *words)
{
    char *text = trace(b, host, packet);
    for (; *words; words++) {
        bool is_unwanted = **words == '!';
        if ((strstr(text, *words + is_unwanted) != NULL) == is_unwanted)
            fail_msg("%s: %s '%s' in\n%s", packet, is_unwanted ? "unwanted" : "no", *words + is_unwanted, text);
    }
    free(text);
}

#define WEB1 "in_port=10,dl_src=02:00:00:00:00:05,"
#define FROM_WEB1 WEB1 "dl_dst=" ROUTER ",ip,nw_src=10.0.1.5,nw_ttl=64,"
#define DROPPED "Datapath actions: drop"
#define TO_CONTROLLER "controller(id=1"

static void
a_switch_takes_every_flow(void **state)
{
    const struct bench *b = *state;
    char *text = ovs_fixture_sh(b->ovs, "ovs-ofctl -O OpenFlow15 dump-flows --no-stats hv1 | grep -c cookie=");
    assert_int_equal(atoi(text), flow_table_n_desired(table_of(b->lab, "hv1")));
    free(text);
}

static void
neighbours_on_one_host_talk(void **state)
{
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=02:00:00:00:00:06,ip,nw_src=10.0.1.5,nw_dst=10.0.1.6", "output:11", "!" DROPPED);
}

static unsigned
n_lookups(char *text)
{
    unsigned n = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *end;
        unsigned long table = strtoul(line, &end, 10);
        n += end > line && *end == '.' && stage_name(table);
    }
    return n;
}

static void
a_routed_packet_to_another_host_takes_at_most_twelve_lookups(void **state)
{
    const struct bench *b = *state;
    ASSERT_TRACE(b, "hv1", FROM_WEB1 "nw_dst=198.51.100.9", "goto_table:35", "set_field:192.0.2.12->tun_dst",
                 "set_field:" ROUTER "->eth_src", "set_field:02:00:00:00:00:95->eth_dst", "dec_ttl", "output:NXM_NX_REG13[0..15]");
    ASSERT_TRACE(b, "hv2", "in_port=1,tun_src=192.0.2.11,tun_id=1,dl_src=" ROUTER ",dl_dst=02:00:00:00:00:95,ip,nw_src=10.0.1.5",
                 "output:10", "!" DROPPED);

    /* The trace shows SIZE for both outcomes, and REJECT for one: two more than any packet meets. */
    char *out = trace(b, "hv1", FROM_WEB1 "nw_dst=198.51.100.9");
    char *in = trace(b, "hv2", "in_port=1,tun_src=192.0.2.11,tun_id=1,dl_dst=02:00:00:00:00:95,ip");
    unsigned n = n_lookups(out) + n_lookups(in);
    assert_in_range(n, 5, MAX_LOOKUPS);
    free(out);
    free(in);
}

static void
what_comes_by_tunnel_is_delivered_or_dropped_here(void **state)
{
    const struct bench *b = *state;
    ASSERT_TRACE(b, "hv2", "in_port=1,tun_src=192.0.2.99,tun_id=1,dl_dst=02:00:00:00:00:95,ip", DROPPED, "!goto_table");
    ASSERT_TRACE(b, "hv2", "in_port=1,tun_src=192.0.2.11,tun_id=77,dl_dst=02:00:00:00:00:95,ip", DROPPED, "!goto_table:30");
    ASSERT_TRACE(b, "hv2", "in_port=1,tun_src=192.0.2.11,tun_id=2,dl_dst=02:00:00:00:00:95,ip", DROPPED);
    ASSERT_TRACE(b, "hv2", "in_port=1,tun_src=192.0.2.11,tun_id=1,dl_dst=02:00:00:00:00:05,ip", DROPPED, "!goto_table:35");
    ASSERT_TRACE(b, "hv2", "in_port=1,tun_src=192.0.2.11,tun_id=1,dl_dst=02:00:00:00:00:95,arp", DROPPED);
    ASSERT_TRACE(b, "hv2", "in_port=2,tun_src=192.0.2.11,tun_id=1,dl_dst=02:00:00:00:00:95,ip", "output:10");
}

static void
a_vpc_does_not_reach_its_twin(void **state)
{
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=02:00:00:00:00:07,ip,nw_src=10.0.1.5,nw_dst=10.0.1.7", DROPPED);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.1.7", DROPPED);
    ASSERT_TRACE(*state, "hv1", "in_port=12,dl_src=02:00:00:00:00:05,dl_dst=02:00:00:00:00:07,ip,nw_src=10.0.1.5,nw_dst=10.0.1.7",
                 "set_field:192.0.2.12->tun_dst");
}

static void
arp_is_answered_for_the_gateway_and_for_ports(void **state)
{
#define ASKS WEB1 "dl_dst=ff:ff:ff:ff:ff:ff,arp,arp_op=1,arp_sha=02:00:00:00:00:05,arp_spa=10.0.1.5,"
    ASSERT_TRACE(*state, "hv1", ASKS "arp_tpa=10.0.1.1", "arp_spa=10.0.1.1,arp_tpa=10.0.1.5,arp_op=2,arp_sha=" ROUTER, "IN_PORT");
    ASSERT_TRACE(*state, "hv1", ASKS "arp_tpa=10.0.1.6", "arp_spa=10.0.1.6,arp_tpa=10.0.1.5,arp_op=2,arp_sha=02:00:00:00:00:06", "IN_PORT");
    ASSERT_TRACE(*state, "hv1", ASKS "arp_tpa=10.0.1.77", DROPPED); /* no such port */
    ASSERT_TRACE(*state, "hv1", ASKS "arp_tpa=10.0.2.5", DROPPED);  /* another subnet's */
    ASSERT_TRACE(*state, "hv1", ASKS "arp_tpa=10.0.1.5", DROPPED);  /* an announcement */
    ASSERT_TRACE(*state, "hv1", WEB1 "arp,arp_op=1,arp_sha=02:00:00:00:00:05,arp_spa=0.0.0.0,arp_tpa=10.0.1.5", DROPPED);
    ASSERT_TRACE(*state, "hv1", WEB1 "arp,arp_op=1,arp_sha=02:00:00:00:00:05,arp_spa=0.0.0.0,arp_tpa=10.0.1.6", "IN_PORT");
    ASSERT_TRACE(*state, "hv1", WEB1 "arp,arp_op=2,arp_sha=02:00:00:00:00:05,arp_spa=10.0.1.5,arp_tpa=10.0.1.6", DROPPED);
}

static void
echo_to_any_gateway_of_the_vpc_is_answered(void **state)
{
    static const char *const answered[] = { "10.0.1.1,nw_proto=1,icmp_type=8", "10.0.2.1,nw_proto=1,icmp_type=8",
                                            "10.0.1.1,nw_proto=1,nw_frag=first", "10.0.1.1,nw_proto=1,nw_frag=later" };
    for (unsigned i = 0; i < 4; i++) {
        char *packet = mem_printf(FROM_WEB1 "nw_dst=%s", answered[i]);
        ASSERT_TRACE(*state, "hv1", packet, "nw_dst=10.0.1.5", "IN_PORT", "!" DROPPED);
        free(packet);
    }
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=" ROUTER ",icmp,icmp_type=8,nw_src=10.0.1.5,nw_dst=10.0.1.1,nw_ttl=1", "IN_PORT");
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.1.1,nw_proto=6,tp_dst=22", DROPPED);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.1.1,nw_proto=1,icmp_type=0", DROPPED);
}

static void
what_a_port_may_not_send_ends_in_the_first_table(void **state)
{
    static const char *const refused[] = {
        "in_port=10,dl_src=02:00:00:00:00:99,ip,nw_src=10.0.1.5,dl_dst=" ROUTER,
        WEB1 "ip,nw_src=10.0.1.9,dl_dst=" ROUTER,
        WEB1 "arp,arp_sha=02:00:00:00:00:05,arp_spa=10.0.1.1,arp_op=1,arp_tpa=10.0.1.6",
        WEB1 "arp,arp_sha=02:00:00:00:00:09,arp_spa=10.0.1.5,arp_op=1,arp_tpa=10.0.1.6",
        WEB1 "dl_vlan=5,ip,nw_src=10.0.1.5,dl_dst=02:00:00:00:00:06",
        WEB1 "ipv6,dl_dst=02:00:00:00:00:06",
        WEB1 "dl_type=0x88cc,dl_dst=01:80:c2:00:00:0e",
        "in_port=11,dl_src=02:00:00:00:00:06,ip,nw_src=0.0.0.0,nw_dst=255.255.255.255,nw_proto=17,udp_src=68,udp_dst=68",
        "in_port=13,ip",
        "in_port=LOCAL,ip,dl_dst=02:00:00:00:00:05",
    };
    for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ASSERT_TRACE(*state, "hv1", refused[i], DROPPED, "!goto_table");
    ASSERT_TRACE(*state, "hv2", "in_port=10,dl_src=02:00:00:00:00:95,dl_dst=" ROUTER ",ip,nw_src=203.0.113.9,nw_dst=10.0.1.5,nw_ttl=9",
                 "set_field:192.0.2.11->tun_dst");
}

static void
dhcp_goes_to_the_responder(void **state)
{
#define DHCP "nw_proto=17,udp_src=68,udp_dst=67"
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=ff:ff:ff:ff:ff:ff,ip,nw_src=0.0.0.0,nw_dst=255.255.255.255," DHCP, TO_CONTROLLER);
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=ff:ff:ff:ff:ff:ff,ip,nw_src=10.0.1.5,nw_dst=255.255.255.255," DHCP, TO_CONTROLLER);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.1.1," DHCP, TO_CONTROLLER);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.2.1," DHCP, "!" TO_CONTROLLER);
    ASSERT_TRACE(*state, "hv2",
                 "in_port=10,dl_src=02:00:00:00:00:95,dl_dst=ff:ff:ff:ff:ff:ff,ip,nw_src=0.0.0.0,"
                 "nw_dst=255.255.255.255," DHCP,
                 TO_CONTROLLER);
}

static void
what_cannot_be_routed_is_answered_or_counted(void **state)
{
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=203.0.113.1", "reg12=0x7/0xff", TO_CONTROLLER);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.3.9", "reg12=0x8/0xff", DROPPED);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.77.9", "reg12=0x6/0xff", DROPPED);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=10.0.2.5", "reg12=0x6/0xff", DROPPED); /* nowhere */
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=ff:ff:ff:ff:ff:ff,ip,nw_src=10.0.1.5,nw_dst=10.0.1.255", "reg12=0x6/0xff", DROPPED);
    ASSERT_TRACE(*state, "hv1", WEB1 "dl_dst=" ROUTER ",ip,nw_src=10.0.1.5,nw_dst=10.0.1.6,nw_ttl=1", "reg12=0xa/0xff", TO_CONTROLLER);
    ASSERT_TRACE(*state, "hv1", FROM_WEB1 "nw_dst=198.51.100.9", "check_pkt_larger(1464)", "reg12=0xb/0xff", TO_CONTROLLER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_found_by_their_number),
        cmocka_unit_test(each_reason_of_a_port_is_counted_by_one_flow),
        cmocka_unit_test(every_step_is_put_into_words),
        cmocka_unit_test(a_route_is_explained_with_its_target),
        cmocka_unit_test(a_packet_too_big_is_answered_with_the_paths_mtu),
    };
    const struct CMUnitTest on_a_switch[] = {
        cmocka_unit_test(a_switch_takes_every_flow),
        cmocka_unit_test(neighbours_on_one_host_talk),
        cmocka_unit_test(a_routed_packet_to_another_host_takes_at_most_twelve_lookups),
        cmocka_unit_test(what_comes_by_tunnel_is_delivered_or_dropped_here),
        cmocka_unit_test(a_vpc_does_not_reach_its_twin),
        cmocka_unit_test(arp_is_answered_for_the_gateway_and_for_ports),
        cmocka_unit_test(echo_to_any_gateway_of_the_vpc_is_answered),
        cmocka_unit_test(what_a_port_may_not_send_ends_in_the_first_table),
        cmocka_unit_test(dhcp_goes_to_the_responder),
        cmocka_unit_test(what_cannot_be_routed_is_answered_or_counted),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + cmocka_run_group_tests(on_a_switch, bench_start, bench_stop);
}
