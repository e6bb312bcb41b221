/* What vnetd says on physical networks, and hears: from a commit or a fact to the switch's port, and back to the columns. */
#include "controller/outside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/columns.h"
#include "controller/feed.h"
#include "controller/store/store.h"
#include "controller/waiter.h"
#include "tests/unit/controller_switch.h"
#include "vnet/model/public_mac.h"
#include "vnet/packet/arp.h"
#include "vnet/packet/userdata.h"

#define PACKET_OUT 13
#define UPLINK_PORT 20
#define ARP_BYTES 42
#define EIP "203.0.113.10"
#define N_HOSTS 2

struct world {
    struct controller_lab *lab;
    struct controller_switch switches[N_HOSTS];
    unsigned at_least; /* packets wanted, for controller_lab_until() */
    struct controller_switch *of;
};

static const char *const host_names[N_HOSTS] = { "hv1", "hv2" };

/* ---- switches ---- */

static struct hypervisor *
host(struct world *w, unsigned i)
{
    return controller_lab_host(w->lab, host_names[i]);
}

static void
connect_host(struct world *w, unsigned i)
{
    controller_switch_connect(&w->switches[i], w->lab, host_names[i], i + 1);
}

static void
confirm(struct world *w, unsigned i)
{
    controller_switch_confirm(&w->switches[i]);
}

static void
disconnect_host(struct world *w, unsigned i)
{
    controller_switch_disconnect(&w->switches[i]);
}

static unsigned
n_sent(const struct world *w, unsigned i)
{
    return w->switches[i].fake.n_messages[PACKET_OUT];
}

static bool
has_sent(void *aux)
{
    const struct world *w = aux;
    return w->of->fake.n_messages[PACKET_OUT] >= w->at_least;
}

/* The n-th frame, which is ARP, was sent by the host. */
static struct arp_frame
sent(struct world *w, unsigned i, unsigned n)
{
    struct arp_frame arp;
    struct fake_switch *f = &w->switches[i].fake;
    w->of = &w->switches[i];
    w->at_least = n;
    assert_true(controller_lab_until(w->lab, has_sent, w));
    assert_true(arp_parse(f->packet_out + f->packet_out_len - ARP_BYTES, ARP_BYTES, &arp));
    return arp;
}

/* What is due now has been done. */
static void
settle(struct world *w)
{
    for (int i = 0; i < 5; i++)
        controller_lab_turn(w->lab);
}

/* ---- the network ---- */

static void
set_way(struct world *w, unsigned i, uint32_t ofport, bool is_down)
{
    struct controller *c = &w->lab->c;
    struct runtime_host facts = { .number = host(w, i)->number, .encap_ip = ip4(0xc000020bu + i), .mtu = 1500, .tunnel_port = { 1, 2 } };
    const struct runtime_host *known = runtime_host(c->runtime, facts.number);
    struct runtime_host before = known ? *known : facts;
    if (ofport) {
        facts.n_uplinks = 1;
        strcpy(facts.uplinks[0].network, "public");
        facts.uplinks[0].ofport = ofport;
        facts.uplinks[0].is_down = is_down;
    }
    struct vnet_event event = { .kind = EVENT_HOST, .number = facts.number, .host_before = known ? &before : NULL, .host_after = &facts };
    runtime_set_host(c->runtime, &facts);
    controller_fact_changed(c, &event);
}

/* By which OpenFlow port it reaches the network; 0: by none. */
static void
set_uplink(struct world *w, unsigned i, uint32_t ofport)
{
    set_way(w, i, ofport, false);
}

static void
bind_port(struct world *w, const char *port, unsigned i, uint32_t ofport)
{
    struct controller *c = &w->lab->c;
    uint32_t number = controller_lab_number(w->lab, OBJECT_PORT, port);
    struct vnet_event event = {
        .kind = EVENT_BINDING, .number = number, .before = runtime_binding(c->runtime, number), .after = { host(w, i)->number, ofport }
    };
    runtime_bind(c->runtime, number, event.after);
    controller_fact_changed(c, &event);
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->lab = controller_lab_start();
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv1'},{'op':'add','type':'host','name':'hv2'},"
                              "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                              "{'op':'add','type':'igw','values':{'vpc':'v'}},"
                              "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                              "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"
                              "{'op':'add','type':'port','name':'web','values':{'subnet':'a'}}]");
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < N_HOSTS; i++)
        disconnect_host(w, i);
    controller_lab_stop(w->lab);
    free(w);
    return 0;
}

#define POOL "{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'}}"
#define EIP_ADD "{'op':'add','type':'eip','values':{'pool':'public','ip':'" EIP "'}}"
#define EIP_ATTACH "{'op':'set','type':'eip','name':'" EIP "','values':{'attached':'port:web'}}"

/* Its pool, too, but with a gateway that is known, so that nothing is asked meanwhile. */
static void
add_eip(struct world *w)
{
    controller_lab_do(w->lab, "[" POOL "]");
    controller_lab_do(w->lab, "[" EIP_ADD "," EIP_ATTACH "]");
}

static const char *
column(struct world *w, enum object_type type, const char *name, const char *column)
{
    static char text[160];
    const struct object *o = model_get(w->lab->c.model, controller_lab_number(w->lab, type, name), type);
    json_t *json = columns_object(&w->lab->c, o, NULL);
    const char *value = json_member_string(json, column);
    snprintf(text, sizeof text, "%s", value ? value : "");
    json_decref(json);
    return text;
}

static void
assert_announcement(const struct arp_frame *a)
{
    struct ip ip;
    assert_true(ip_parse(EIP, &ip));
    assert_int_equal(a->op, ARP_REQUEST);
    assert_true(mac_equal(a->sha, public_mac_of_ip(ip)) && mac_equal(a->eth_src, a->sha));
    assert_true(ip_equal(a->spa, ip) && ip_equal(a->tpa, ip));
}

/* ---- announcing ---- */

static void
an_address_is_announced_by_its_holder_once_that_has_the_flows(void **state)
{
    struct world *w = *state;
    set_uplink(w, 0, UPLINK_PORT);
    bind_port(w, "web", 0, 7);
    connect_host(w, 0);
    add_eip(w);
    host_concern(host(w, 0), w->lab->c.seq);
    settle(w);
    assert_int_equal(n_sent(w, 0), 0);
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "hv1");
    assert_string_equal(column(w, OBJECT_EIP, EIP, "announced_at"), "");
    /* The upstream gateway is asked for first, or the address announced: both are due now. */
    confirm(w, 0);
    unsigned n = 1;
    struct arp_frame a = sent(w, 0, n);
    while (!ip_equal(a.spa, a.tpa))
        a = sent(w, 0, ++n);
    assert_announcement(&a);
    assert_int_equal(strlen(column(w, OBJECT_EIP, EIP, "announced_at")), strlen("2026-01-01T00:00:00.000Z"));
}

static bool
is_announced(void *aux)
{
    struct world *w = aux;
    return *column(w, OBJECT_EIP, EIP, "announced_at");
}

/* Once the hosts that are connected have what they want. */
static void
assert_announced(struct world *w)
{
    assert_false(is_announced(w));
    for (unsigned i = 0; i < N_HOSTS; i++)
        if (host(w, i)->of)
            confirm(w, i);
    assert_true(controller_lab_until(w->lab, is_announced, w));
}

static void
a_move_is_announced_from_the_new_place(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < N_HOSTS; i++) {
        set_uplink(w, i, UPLINK_PORT);
        connect_host(w, i);
        confirm(w, i);
    }
    bind_port(w, "web", 0, 7);
    add_eip(w);
    assert_announced(w);
    bind_port(w, "web", 1, 8);
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "hv2");
    assert_announced(w);
    unsigned n = 1;
    struct arp_frame a = sent(w, 1, n);
    while (!ip_equal(a.spa, a.tpa))
        a = sent(w, 1, ++n);
    assert_announcement(&a);
}

static void
another_way_to_the_network_is_announced_too(void **state)
{
    struct world *w = *state;
    set_uplink(w, 0, UPLINK_PORT);
    bind_port(w, "web", 0, 7);
    connect_host(w, 0);
    add_eip(w);
    assert_announced(w);
    set_uplink(w, 0, UPLINK_PORT + 1);
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "hv1");
    assert_announced(w);
}

static void
a_holder_that_is_away_announces_when_it_is_back(void **state)
{
    struct world *w = *state;
    set_uplink(w, 0, UPLINK_PORT);
    bind_port(w, "web", 0, 7);
    add_eip(w);
    settle(w);
    assert_false(is_announced(w));
    connect_host(w, 0);
    settle(w);
    assert_false(is_announced(w));
    assert_announced(w);
}

/* Nobody has heard what it said meanwhile. */
static void
a_holder_that_gets_its_carrier_back_announces_again(void **state)
{
    struct world *w = *state;
    set_uplink(w, 0, UPLINK_PORT);
    bind_port(w, "web", 0, 7);
    connect_host(w, 0);
    confirm(w, 0);
    add_eip(w);
    assert_announced(w);
    set_way(w, 0, UPLINK_PORT, true);
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "hv1"); /* there is no other */
    settle(w);
    unsigned before = n_sent(w, 0);
    set_way(w, 0, UPLINK_PORT, false);
    confirm(w, 0);
    struct arp_frame a = sent(w, 0, ++before);
    while (!ip_equal(a.spa, a.tpa))
        a = sent(w, 0, ++before);
    assert_announcement(&a);
}

static void
count_pools(void *aux, const struct feed_event *e)
{
    *(unsigned *) aux += e->type == OBJECT_POOL;
}

static void
a_pool_says_when_nobody_has_a_carrier_to_its_network(void **state)
{
    unsigned n = 0;
    struct world *w = *state;
    controller_lab_do(w->lab, "[" POOL "]");
    set_uplink(w, 0, UPLINK_PORT);
    set_uplink(w, 1, UPLINK_PORT);
    settle(w);
    struct feed_reader *r = feed_subscribe(w->lab->c.feed, feed_last(w->lab->c.feed), count_pools, &n);
    set_way(w, 0, UPLINK_PORT, true);
    settle(w);
    assert_string_equal(column(w, OBJECT_POOL, "public", "error"), "");
    set_way(w, 1, UPLINK_PORT, true);
    settle(w);
    assert_int_equal(n, 2);
    assert_string_equal(column(w, OBJECT_POOL, "public", "error"),
                        "no host with network 'public' has a carrier there; its addresses are cut off");
    set_uplink(w, 0, UPLINK_PORT);
    assert_string_equal(column(w, OBJECT_POOL, "public", "error"), "");
    feed_unsubscribe(r);
}

static void
what_is_detached_or_unbound_is_nowhere(void **state)
{
    struct world *w = *state;
    set_uplink(w, 0, UPLINK_PORT);
    connect_host(w, 0);
    bind_port(w, "web", 0, 7);
    add_eip(w);
    assert_announced(w);
    set_uplink(w, 0, 0);
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "");
    assert_false(is_announced(w));
    set_uplink(w, 0, UPLINK_PORT);
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "hv1");
    controller_lab_do(w->lab, "[{'op':'set','type':'eip','name':'" EIP "','values':{'attached':null}}]");
    assert_string_equal(column(w, OBJECT_EIP, EIP, "host"), "");
    controller_lab_do(w->lab, "[{'op':'del','type':'eip','name':'" EIP "'}]");
}

static void
count_eips(void *aux, const struct feed_event *e)
{
    *(unsigned *) aux += e->type == OBJECT_EIP && !e->revision;
}

static void
who_waits_hears_of_place_and_announcement(void **state)
{
    unsigned n = 0;
    struct world *w = *state;
    set_uplink(w, 0, UPLINK_PORT);
    connect_host(w, 0);
    confirm(w, 0);
    add_eip(w);
    settle(w);
    struct feed_reader *r = feed_subscribe(w->lab->c.feed, feed_last(w->lab->c.feed), count_eips, &n);
    bind_port(w, "web", 0, 7);
    settle(w);
    assert_int_equal(n, 1);
    assert_announced(w);
    settle(w);
    assert_int_equal(n, 2);
    feed_unsubscribe(r);
}

struct natgw_news {
    struct world *w;
    unsigned n;
    char ip[IP_STRLEN], host[16]; /* as the last event shows them */
};

static void
note_natgw(void *aux, const struct feed_event *e)
{
    struct natgw_news *news = aux;
    if (e->type != OBJECT_NATGW)
        return;
    news->n++;
    snprintf(news->ip, sizeof news->ip, "%s", column(news->w, OBJECT_NATGW, "n", "ip"));
    snprintf(news->host, sizeof news->host, "%s", column(news->w, OBJECT_NATGW, "n", "host"));
}

static void
expect_news(struct natgw_news *news, const char *ip, const char *host)
{
    settle(news->w);
    assert_int_equal(news->n, 1);
    assert_string_equal(news->ip, ip);
    assert_string_equal(news->host, host);
    news->n = 0;
}

static void
set_gateway(struct world *w, unsigned i)
{
    struct controller *c = &w->lab->c;
    struct runtime_host before = *runtime_host(c->runtime, host(w, i)->number), after = before;
    after.is_gateway = true;
    runtime_set_host(c->runtime, &after);
    controller_fact_changed(
        c, &(struct vnet_event){ .kind = EVENT_HOST, .number = after.number, .host_before = &before, .host_after = &after });
}

static void
who_waits_hears_of_a_nat_gateways_address_and_host(void **state)
{
    struct world *w = *state;
    struct natgw_news news = { .w = w };
    controller_lab_do(w->lab, "[" POOL "," EIP_ADD ",{'op':'add','type':'natgw','name':'n','values':{'subnet':'a'}}]");
    settle(w);
    struct feed_reader *r = feed_subscribe(w->lab->c.feed, feed_last(w->lab->c.feed), note_natgw, &news);
    controller_lab_do(w->lab, "[{'op':'set','type':'eip','name':'" EIP "','values':{'attached':'natgw:n'}}]");
    expect_news(&news, EIP, ""); /* no gateway as yet */
    set_uplink(w, 0, UPLINK_PORT);
    set_gateway(w, 0);
    expect_news(&news, EIP, "hv1");
    controller_lab_do(w->lab, "[{'op':'set','type':'eip','name':'" EIP "','values':{'attached':'port:web'},'move':true}]");
    expect_news(&news, "", "");
    controller_lab_do(w->lab, "[{'op':'set','type':'eip','name':'" EIP "','values':{'attached':'natgw:n'},'move':true}]");
    expect_news(&news, EIP, "hv1");
    feed_unsubscribe(r);
}

/* ---- the upstream gateway ---- */

static void
hear(struct world *w, unsigned i, const struct arp_frame *arp, uint32_t in_port)
{
    struct bytes frame = BYTES_INIT, userdata = BYTES_INIT;
    arp_put(&frame, arp);
    userdata_put_pool(&userdata, controller_lab_number(w->lab, OBJECT_POOL, "public"));
    struct packet_in in = {
        .packet = frame.data, .packet_len = frame.n, .userdata = userdata.data, .userdata_len = userdata.n, .in_port = in_port
    };
    outside_packet_in(&w->lab->c, host(w, i)->number, &in);
    bytes_done(&frame);
    bytes_done(&userdata);
}

static struct arp_frame
answer_of(struct mac mac)
{
    return (struct arp_frame){ .eth_src = mac, .op = ARP_REPLY, .sha = mac, .spa = ip4(0xcb007101) };
}

static void
a_gateway_is_asked_for_by_each_host_in_turn(void **state)
{
    struct world *w = *state;
    controller_lab_do(w->lab, "[" POOL "]");
    for (unsigned i = 0; i < N_HOSTS; i++) {
        set_uplink(w, i, UPLINK_PORT);
        connect_host(w, i);
        confirm(w, i);
    }
    struct arp_frame a = sent(w, 0, 1);
    assert_int_equal(a.op, ARP_REQUEST);
    assert_true(mac_equal(a.sha, public_mac_of_host(host(w, 0)->number)));
    assert_true(ip_equal(a.spa, ip4(0)) && ip_equal(a.tpa, ip4(0xcb007101)));
    sent(w, 1, 1);
}

static void
a_gateway_is_not_asked_for_by_who_has_no_carrier_unless_nobody_has(void **state)
{
    struct world *w = *state;
    controller_lab_do(w->lab, "[" POOL "]");
    for (unsigned i = 0; i < N_HOSTS; i++) {
        set_way(w, i, UPLINK_PORT, !i);
        connect_host(w, i);
        confirm(w, i);
    }
    sent(w, 1, 1);
    assert_int_equal(n_sent(w, 0), 0);
    set_way(w, 1, UPLINK_PORT, true);
    confirm(w, 1);
    sent(w, 0, 1);
}

static void
a_host_that_holds_an_address_asks_with_it(void **state)
{
    struct world *w = *state;
    bind_port(w, "web", 0, 7);
    add_eip(w);
    set_uplink(w, 0, UPLINK_PORT);
    connect_host(w, 0);
    confirm(w, 0);
    struct arp_frame a = sent(w, 0, 1);
    for (unsigned n = 1; ip_equal(a.spa, a.tpa);)
        a = sent(w, 0, ++n);
    struct ip ip;
    assert_true(ip_parse(EIP, &ip));
    assert_true(ip_equal(a.spa, ip) && mac_equal(a.sha, public_mac_of_ip(ip)) && ip_equal(a.tpa, ip4(0xcb007101)));
}

static void
its_answer_is_learnt_shown_and_remembered(void **state)
{
    struct world *w = *state;
    controller_lab_do(w->lab, "[" POOL "]");
    set_uplink(w, 0, UPLINK_PORT);
    struct arp_frame a = answer_of((struct mac){ { 2, 0, 0, 0, 0, 9 } });
    uint64_t seq = w->lab->c.seq;
    hear(w, 0, &a, UPLINK_PORT);
    assert_string_equal(column(w, OBJECT_POOL, "public", "gateway_mac"), "02:00:00:00:00:09");
    assert_int_equal(w->lab->c.seq, seq + 1);
    hear(w, 0, &a, UPLINK_PORT);
    assert_int_equal(w->lab->c.seq, seq + 1);
    controller_lab_restart(w->lab);
    assert_string_equal(column(w, OBJECT_POOL, "public", "gateway_mac"), "02:00:00:00:00:09");
    controller_lab_do(w->lab, "[{'op':'del','type':'pool','name':'public'}]");
    controller_lab_do(w->lab, "[" POOL "]");
    assert_string_equal(column(w, OBJECT_POOL, "public", "gateway_mac"), "");
}

static void
what_is_not_the_gateways_is_not_believed(void **state)
{
    struct world *w = *state;
    const struct mac good = { { 2, 0, 0, 0, 0, 9 } };
    controller_lab_do(w->lab, "[" POOL "]");
    set_uplink(w, 0, UPLINK_PORT);
    struct arp_frame wrong[] = { answer_of(good),
                                 answer_of(good),
                                 answer_of((struct mac){ { 3, 0, 0, 0, 0, 9 } }),
                                 answer_of((struct mac){ { 0 } }),
                                 answer_of(public_mac_of_ip(ip4(0xcb00710a))),
                                 answer_of(good) };
    wrong[0].spa = ip4(0xcb007102);
    wrong[1].op = 3;
    wrong[5].vlan = 5;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        hear(w, 0, &wrong[i], UPLINK_PORT);
    struct arp_frame right = answer_of(good);
    hear(w, 0, &right, UPLINK_PORT + 1);
    hear(w, 1, &right, UPLINK_PORT);
    struct packet_in none = { .in_port = UPLINK_PORT };
    outside_packet_in(&w->lab->c, host(w, 0)->number, &none);
    assert_string_equal(column(w, OBJECT_POOL, "public", "gateway_mac"), "");
    hear(w, 0, &right, UPLINK_PORT);
    assert_string_equal(column(w, OBJECT_POOL, "public", "gateway_mac"), "02:00:00:00:00:09");
    struct arp_frame other = answer_of((struct mac){ { 2, 0, 0, 0, 0, 8 } });
    hear(w, 0, &other, UPLINK_PORT); /* at once after it */
    assert_string_equal(column(w, OBJECT_POOL, "public", "gateway_mac"), "02:00:00:00:00:09");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_is_announced_by_its_holder_once_that_has_the_flows),
        TEST(a_move_is_announced_from_the_new_place),
        TEST(another_way_to_the_network_is_announced_too),
        TEST(a_holder_that_is_away_announces_when_it_is_back),
        TEST(a_holder_that_gets_its_carrier_back_announces_again),
        TEST(a_pool_says_when_nobody_has_a_carrier_to_its_network),
        TEST(what_is_detached_or_unbound_is_nowhere),
        TEST(who_waits_hears_of_place_and_announcement),
        TEST(who_waits_hears_of_a_nat_gateways_address_and_host),
        TEST(a_gateway_is_asked_for_by_each_host_in_turn),
        TEST(a_gateway_is_not_asked_for_by_who_has_no_carrier_unless_nobody_has),
        TEST(a_host_that_holds_an_address_asks_with_it),
        TEST(its_answer_is_learnt_shown_and_remembered),
        TEST(what_is_not_the_gateways_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
