/* Traces through a virtual network of two hosts, compiled as vnetd does it: what a tenant is told happens to a packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "controller/trace.h"
#include "tests/unit/vnet_lab.h"

struct world {
    struct lab *lab;
    json_t *answer; /* of the last trace; NULL: it failed */
    struct error err;
    uint32_t without_table; /* a host that has none */
    uint32_t only_tenant;   /* whoever asks sees this one's objects; 0: all */
};

#define PORT(NAME, SUBNET, IP) "{'op':'add','type':'port','name':'" NAME "','values':{'subnet':'" SUBNET "','ip':'" IP "','sg':'none'}}"

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct runtime_host hv2 = lab_facts(1);
    w->lab = lab_new();
    hv2.encap = ENCAP_VXLAN;
    lab_host(w->lab, "hv1", lab_facts(0));
    lab_host(w->lab, "hv2", hv2);
    lab_do(
        w->lab,
        "[{'op':'add','type':'vpc','name':'prod','values':{'cidr':'10.0.0.0/16'}},"
        "{'op':'add','type':'subnet','name':'web','values':{'vpc':'prod','cidr':'10.0.1.0/24'}},"
        "{'op':'add','type':'subnet','name':'db','values':{'vpc':'prod','cidr':'10.0.2.0/24'}}," PORT("web1", "web", "10.0.1.11") "," PORT(
            "web2", "web",
            "10.0.1.12") "," PORT("web3", "web",
                                  "10.0.1.13") "," PORT("db1", "db",
                                                        "10.0.2.11") "," PORT("lost", "db",
                                                                              "10.0.2.99") ","
                                                                                           "{'op':'add','type':'route','values':{'rtb':'prod','prefix':'10.9.0.0/16','target':'blackhole'}},"
                                                                                           "{'op':'add','type':'route','values':{'rtb':'prod','prefix':'192.168.0.0/16','target':'port:db1'}}]");
    lab_bind(w->lab, "web1", "hv1", 11);
    lab_bind(w->lab, "web2", "hv1", 12);
    lab_bind(w->lab, "web3", "hv2", 13);
    lab_bind(w->lab, "db1", "hv2", 14);
    lab_run(w->lab);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    json_decref(w->answer);
    lab_free(w->lab);
    free(w);
    return 0;
}

static struct flow_table *
table_of(void *aux, uint32_t host)
{
    const struct world *w = aux;
    return host == w->without_table ? NULL : lab_table(w->lab, host);
}

static bool
is_visible(void *aux, const struct object *o)
{
    const struct world *w = aux;
    return o->tenant == w->only_tenant;
}

static bool
trace_from(struct world *w, const struct trace_origin *origin, const char *proto, const char *dst, int port)
{
    struct trace_network network = {
        .view = { w->lab->model, w->lab->runtime }, .table = table_of, .may_see = w->only_tenant ? is_visible : NULL, .aux = w
    };
    struct trace_packet packet;
    json_t *json = json_pack("{s:s,s:s,s:i}", "proto", proto, "dst", dst, "port", port);
    bool ok = trace_packet_parse(json, &packet, &w->err);
    json_decref(json);
    json_decref(w->answer);
    w->answer = ok ? trace_run(&network, origin, &packet, &w->err) : NULL;
    return w->answer != NULL;
}

static bool
trace(struct world *w, const char *from, const char *proto, const char *dst, int port)
{
    return trace_from(w, &(struct trace_origin){ .port = lab_number(w->lab, OBJECT_PORT, from) }, proto, dst, port);
}

/* From outside. */
static bool
trace_in(struct world *w, const char *pool, const char *src, const char *dst)
{
    struct trace_origin origin = { .pool = lab_number(w->lab, OBJECT_POOL, pool) };
    if (!ip_parse(src, &origin.src))
        fail_msg("%s", src);
    return trace_from(w, &origin, "tcp", dst, 80);
}

static const char *
line(const struct world *w, size_t i)
{
    const char *text = json_string_value(json_array_get(json_object_get(w->answer, "lines"), i));
    return text ? text : "";
}

static bool
is_told(const struct world *w, const char *words)
{
    for (size_t i = 0; *line(w, i); i++) {
        if (strstr(line(w, i), words))
            return true;
    }
    return false;
}

static const json_t *
hop(const struct world *w, const char *host, const char *stage)
{
    size_t i;
    const json_t *h;
    json_array_foreach (json_object_get(w->answer, "hops"), i, h) {
        if (!strcmp(json_member_string(h, "host"), host) && !strcmp(json_member_string(h, "stage"), stage))
            return h;
    }
    return NULL;
}

static void
assert_verdict(struct world *w, const char *from, const char *dst, const char *verdict)
{
    char last[128];
    if (!trace(w, from, "icmp", dst, 0))
        fail_msg("icmp %s: %s", dst, w->err.text);
    assert_string_equal(json_member_string(w->answer, "verdict"), verdict);
    size_t n = json_array_size(json_object_get(w->answer, "lines"));
    snprintf(last, sizeof last, "VERDICT: %s", verdict);
    assert_string_equal(line(w, n - 1), last);
}

static void
a_neighbour_on_the_same_host_gets_it(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "10.0.1.12", "delivered web2");
    assert_string_equal(line(w, 0), "host hv1");
    assert_true(is_told(w, "'web1' sends from an address that it may use"));
    assert_false(is_told(w, "hv2"));
    assert_string_equal(json_member_string(hop(w, "hv1", "forward"), "output"), "port 12");
    assert_non_null(strstr(json_member_string(hop(w, "hv1", "forward"), "flow"), "actions=output:12"));
    assert_int_equal(json_member_int(hop(w, "hv1", "admit"), "table", -1), STAGE_ADMIT);
    assert_true(json_is_null(json_object_get(hop(w, "hv1", "admit"), "output")));
}

static void
a_neighbour_on_another_host_gets_it_through_the_tunnel_that_host_wants(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "10.0.1.13", "delivered web3");
    assert_true(is_told(w, "it goes by tunnel to host 'hv2'"));
    assert_true(is_told(w, "it comes by tunnel from host 'hv1'"));
    assert_string_equal(json_member_string(hop(w, "hv1", "size"), "output"), "port 2");
    assert_string_equal(json_member_string(hop(w, "hv2", "forward"), "output"), "port 13");

    assert_verdict(w, "web3", "10.0.1.11", "delivered web1");
    assert_string_equal(json_member_string(hop(w, "hv2", "size"), "output"), "port 1");
}

static void
another_subnet_is_reached_by_the_router(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "10.0.2.11", "delivered db1");
    assert_true(is_told(w, "route table 'prod': it is local in the VPC"));
    assert_non_null(hop(w, "hv2", "tunnel-in"));
}

static void
a_route_leads_to_a_port_whatever_the_address(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "192.168.7.7", "delivered db1");
    assert_true(is_told(w, "leads to 'db1'"));
}

static void
tcp_and_udp_go_the_same_way(void **state)
{
    struct world *w = *state;
    assert_true(trace(w, "web1", "tcp", "10.0.1.12", 443));
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered web2");
    assert_true(trace(w, "web1", "udp", "10.0.2.11", 53));
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered db1");
}

static void
the_gateway_answers_echo_but_nothing_else(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "10.0.1.1", "answered");
    assert_string_equal(json_member_string(hop(w, "hv1", "gateway"), "output"), "in_port");
    assert_verdict(w, "web1", "10.0.2.1", "answered");
    assert_true(trace(w, "web1", "tcp", "10.0.1.1", 80));
    assert_string_equal(json_member_string(w->answer, "verdict"), "dropped no-port 10.0.1.1");
}

static void
dhcp_is_answered(void **state)
{
    struct world *w = *state;
    assert_true(trace(w, "web1", "udp", "255.255.255.255", 67));
    assert_string_equal(json_member_string(w->answer, "verdict"), "answered");
    assert_string_equal(json_member_string(hop(w, "hv1", "dhcp"), "output"), "controller");
}

static void
an_address_without_port_hears_nothing(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "10.0.1.77", "dropped no-port 10.0.1.77");
    assert_true(is_told(w, "ARP for 10.0.1.77 is not answered"));
    assert_verdict(w, "web1", "10.0.2.77", "dropped no-port 10.0.2.77");
    assert_false(is_told(w, "ARP"));
    assert_verdict(w, "db1", "10.0.2.99", "dropped no-port 10.0.2.99"); /* there is a port, but it is nowhere */
}

static void
a_drop_names_its_reason_and_who_decided(void **state)
{
    struct world *w = *state;
    assert_verdict(w, "web1", "8.8.8.8", "dropped no-route prod");
    assert_string_equal(json_member_string(hop(w, "hv1", "reject"), "output"), "controller");
    assert_verdict(w, "web1", "10.9.1.1", "dropped blackhole prod/10.9.0.0/16");
    assert_string_equal(json_member_string(hop(w, "hv1", "reject"), "output"), "drop");
}

static void
a_receiver_that_does_not_know_the_sender_drops(void **state)
{
    struct world *w = *state;
    struct error err;
    uint32_t hv1 = lab_number(w->lab, OBJECT_HOST, "hv1"), hv2 = lab_number(w->lab, OBJECT_HOST, "hv2");
    assert_true(flow_table_set_block(lab_table(w->lab, hv2), cookie_make(FEATURE_TUNNEL, OBJECT_HOST, hv1), NULL, 0, &err));
    assert_verdict(w, "web1", "10.0.1.13", "dropped tunnel hv2");
}

static void
what_cannot_be_told_is_an_error(void **state)
{
    struct world *w = *state;
    assert_false(trace(w, "lost", "icmp", "10.0.1.12", 0));
    assert_string_equal(w->err.text, "port 'lost' is unbound: no host has an interface with its iface-id");
    assert_false(trace(w, "web1", "icmp", "10.0.1.11", 0));
    assert_int_equal(w->err.code, ERROR_INVALID);
    w->without_table = lab_number(w->lab, OBJECT_HOST, "hv2");
    assert_false(trace(w, "web3", "icmp", "10.0.1.11", 0));
    assert_non_null(strstr(w->err.text, "host 'hv2' has no complete flow table"));
    assert_false(trace(w, "web1", "icmp", "10.0.1.13", 0));
    assert_int_equal(w->err.code, ERROR_UNAVAILABLE);
}

static void
a_packet_that_is_none_is_refused(void **state)
{
    struct world *w = *state;
    assert_false(trace(w, "web1", "sctp", "10.0.1.12", 1));
    assert_false(trace(w, "web1", "icmp", "10.0.1", 0));
    assert_false(trace(w, "web1", "icmp", "2001:db8::1", 0));
    assert_false(trace(w, "web1", "tcp", "10.0.1.12", 0));
    assert_false(trace(w, "web1", "udp", "10.0.1.12", 65536));
}

/* ---- the way out and in ---- */

#define EIP(IP, PORT)                                                     \
    "{'op':'add','type':'eip','values':{'pool':'public','ip':'" IP "'}}," \
    "{'op':'set','type':'eip','name':'" IP "','values':{'attached':'" PORT "'}}"

/* hv1 reaches the network of pool 'public', hv2 does not; gw1 does, and is a gateway. web1 is on hv1, db1 on hv2, behind gw1. */
static void
give_way_out(struct world *w, int vlan)
{
    lab_host(w->lab, "hv1", lab_with_uplink(lab_facts(0), "public", 20, false));
    lab_host(w->lab, "gw1", lab_with_uplink(lab_facts(2), "public", 30, true));
    lab_do(w->lab,
           "[{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'%s}},"
           "{'op':'add','type':'igw','values':{'vpc':'prod'}},"
           "{'op':'add','type':'route','values':{'rtb':'prod','prefix':'0.0.0.0/0','target':'igw'}}," EIP(
               "203.0.113.10", "port:web1") "," EIP("203.0.113.11", "port:db1") "]",
           vlan ? ",'vlan':7" : "");
    lab_gateway_mac(w->lab, "public", (struct mac){ { 2, 0, 0, 0, 0, 0x99 } });
    lab_run(w->lab);
}

static void
a_packet_to_the_world_leaves_by_the_pool_of_its_address(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    assert_verdict(w, "web1", "8.8.8.8", "left public");
    assert_string_equal(json_member_string(hop(w, "hv1", "public-out"), "output"), "port 20");
    assert_verdict(w, "db1", "8.8.8.8", "left public");
    assert_non_null(hop(w, "hv2", "egress"));
    assert_string_equal(json_member_string(hop(w, "gw1", "public-out"), "output"), "port 30");
}

static void
without_a_public_address_it_does_not_leave(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    assert_true(trace(w, "web2", "icmp", "8.8.8.8", 0));
    assert_memory_equal(json_member_string(w->answer, "verdict"), "dropped no-route", 16);
}

static void
from_outside_it_comes_in_where_the_address_is_held(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    assert_true(trace_in(w, "public", "198.51.100.1", "203.0.113.10"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered web1");
    assert_string_equal(line(w, 0), "host hv1");
    assert_true(trace_in(w, "public", "203.0.113.200", "203.0.113.11"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered db1");
    assert_string_equal(line(w, 0), "host gw1");
    assert_non_null(hop(w, "hv2", "forward"));
}

static void
a_tagged_network_is_the_same(void **state)
{
    struct world *w = *state;
    give_way_out(w, 7);
    assert_true(trace_in(w, "public", "198.51.100.1", "203.0.113.11"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered db1");
    assert_verdict(w, "db1", "8.8.8.8", "left public");
}

static void
a_public_address_that_nobody_holds_is_not_delivered(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    assert_true(trace_in(w, "public", "198.51.100.1", "203.0.113.77"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "dropped no-port 203.0.113.77");
    assert_true(is_told(w, "no host holds 203.0.113.77 on the network of pool 'public'"));
    lab_do(w->lab, "[{'op':'add','type':'pool','name':'other','values':{'cidr':'192.0.2.0/24','uplink':'public','vlan':9}}]");
    lab_run(w->lab);
    assert_true(trace_in(w, "other", "198.51.100.1", "203.0.113.10"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "dropped no-port 203.0.113.10");
}

static void
one_public_address_reaches_another_and_itself(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    assert_verdict(w, "web1", "203.0.113.11", "delivered db1");
    assert_verdict(w, "db1", "203.0.113.10", "delivered web1");
    assert_verdict(w, "web1", "203.0.113.10", "delivered web1");
}

static void
a_nat_gateway_takes_a_new_connection_out(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    lab_do(w->lab, "[{'op':'add','type':'rtb','name':'inner','values':{'vpc':'prod'}},"
                   "{'op':'add','type':'natgw','name':'nat','values':{'subnet':'web'}},"
                   "{'op':'add','type':'route','values':{'rtb':'inner','prefix':'0.0.0.0/0','target':'natgw:nat'}},"
                   "{'op':'add','type':'subnet','name':'priv','values':{'vpc':'prod','cidr':'10.0.3.0/24','rtb':'inner'}}," PORT(
                       "p1", "priv", "10.0.3.11") "," EIP("203.0.113.12", "natgw:nat") "]");
    lab_bind(w->lab, "p1", "hv2", 15);
    lab_run(w->lab);
    assert_true(trace(w, "p1", "tcp", "8.8.8.8", 443));
    assert_string_equal(json_member_string(w->answer, "verdict"), "left public");
    assert_string_equal(json_member_string(hop(w, "gw1", "public-out"), "output"), "port 30");
}

static void
what_is_another_tenants_is_not_named(void **state)
{
    struct world *w = *state;
    give_way_out(w, 0);
    lab_do(w->lab, "[{'op':'add','type':'tenant','name':'acme'}]");
    w->only_tenant = lab_number(w->lab, OBJECT_TENANT, "acme");
    assert_true(trace_in(w, "public", "198.51.100.1", "203.0.113.10"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered another tenant's port");
    char *text = json_text(w->answer);
    assert_null(strstr(text, "web1"));
    assert_null(strstr(text, "10.0.1.11"));
    free(text);
}

/* Both rules allow it; how the narrower one of them is found is nobody's concern. */
static void
rules_that_are_found_are_told_but_not_how_they_are_compared(void **state)
{
    static const char wide[] = "00000001-0000-4000-8000-000000000000", narrow[] = "00000002-0000-4000-8000-000000000000";
    struct world *w = *state;
    char expected[400], told[400] = "";
    lab_do(
        w->lab,
        "[{'op':'add','type':'sg','name':'a','values':{'vpc':'prod'}}, {'op':'add','type':'sg','name':'b','values':{'vpc':'prod'}},"
        "{'op':'add','type':'sg-rule','id':'%s','values':{'sg':'a','direction':'ingress','proto':'tcp','ports':'80-90','peer':'0.0.0.0/0'}},"
        "{'op':'add','type':'sg-rule','id':'%s','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'80','peer':'0.0.0.0/0'}},"
        "{'op':'set','type':'port','name':'web2','values':{'sg':'a,b'}}]",
        wide, narrow);
    lab_run(w->lab);
    assert_true(trace(w, "web1", "tcp", "10.0.1.12", 80));
    for (size_t i = 0; *line(w, i); i++)
        if (!strncmp(line(w, i), "  sg", 4))
            snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", line(w, i));
    snprintf(expected, sizeof expected,
             "  sg          it is a packet of a connection of 'web2'\n"
             "  sg-peer     the other end has no group that a rule names\n"
             "  sg-match    rule '%s' is found\n"
             "  sg-match    rule '%s' is found\n"
             "  sg-rule     rule '%s' of security group 'b' allows it\n"
             "  sg-done     its security groups let it pass\n",
             wide, narrow, narrow);
    assert_string_equal(told, expected);
    assert_string_equal(json_member_string(w->answer, "verdict"), "delivered web2");

    lab_do(w->lab, "[{'op':'del','type':'sg-rule','name':'%s'}, {'op':'del','type':'sg-rule','name':'%s'}]", wide, narrow);
    lab_run(w->lab);
    assert_true(trace(w, "web1", "tcp", "10.0.1.12", 80));
    assert_true(is_told(w, "  sg-rule     no rule allows it"));
    assert_string_equal(json_member_string(w->answer, "verdict"), "dropped sg web2");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_neighbour_on_the_same_host_gets_it),
        TEST(a_neighbour_on_another_host_gets_it_through_the_tunnel_that_host_wants),
        TEST(another_subnet_is_reached_by_the_router),
        TEST(a_route_leads_to_a_port_whatever_the_address),
        TEST(tcp_and_udp_go_the_same_way),
        TEST(the_gateway_answers_echo_but_nothing_else),
        TEST(dhcp_is_answered),
        TEST(an_address_without_port_hears_nothing),
        TEST(a_drop_names_its_reason_and_who_decided),
        TEST(a_receiver_that_does_not_know_the_sender_drops),
        TEST(what_cannot_be_told_is_an_error),
        TEST(a_packet_that_is_none_is_refused),
        TEST(a_packet_to_the_world_leaves_by_the_pool_of_its_address),
        TEST(without_a_public_address_it_does_not_leave),
        TEST(from_outside_it_comes_in_where_the_address_is_held),
        TEST(a_tagged_network_is_the_same),
        TEST(a_public_address_that_nobody_holds_is_not_delivered),
        TEST(one_public_address_reaches_another_and_itself),
        TEST(a_nat_gateway_takes_a_new_connection_out),
        TEST(what_is_another_tenants_is_not_named),
        TEST(rules_that_are_found_are_told_but_not_how_they_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
