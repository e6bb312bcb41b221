/* What vnetd makes of hosts' facts: remembered across its restarts, who watches whom by BFD, who is dead, who compiles first. Hosts say
 * what tests make them say; none has a session. */
#include "tests/unit/controller_switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/host/host_peers.h"
#include "vnet/pipeline/placement.h"

#define EIP "203.0.113.10"
#define NETWORK                                                                                        \
    "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'},"                  \
    "{'op':'add','type':'host','name':'g1'},{'op':'add','type':'host','name':'g2'},"                   \
    "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"                            \
    "{'op':'add','type':'igw','values':{'vpc':'v'}},"                                                  \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"               \
    "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"            \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s'}},"                                   \
    "{'op':'add','type':'port','name':'q','values':{'subnet':'s'}},"                                   \
    "{'op':'add','type':'natgw','name':'n','values':{'subnet':'s'}},"                                  \
    "{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'}}," \
    "{'op':'add','type':'eip','values':{'pool':'public','ip':'" EIP "'}}]"
#define ATTACH(TO) "[{'op':'set','type':'eip','name':'" EIP "','values':{'attached':'" TO "'}}]"
#define DETACH "[{'op':'set','type':'eip','name':'" EIP "','values':{'attached':null}}]"

/* The host's facts and its ports' numbers are told; last byte of its address; its uplink's port, 0: it has none. */
static void
tell(struct controller_lab *lab, const char *host, uint8_t ip, bool is_gateway, uint32_t uplink)
{
    struct hypervisor *h = controller_lab_host(lab, host);
    h->facts = (struct ovsdb_facts){ .encap_ip = ip4(0xc0000200 + ip), .encap_type = "geneve", .mtu = 1500, .is_gateway = is_gateway };
    h->ports = (struct ovsdb_ports){ .geneve = 1 };
    if (uplink) {
        h->facts.n_uplinks = 1;
        h->facts.uplinks[0] = (struct ovsdb_uplink){ "public", "br-ex" };
        h->ports.patch[0] = uplink;
    }
    h->has_facts = h->has_ports = true;
    host_tell_runtime(h);
}

static int
start(void **state)
{
    struct controller_lab *lab = controller_lab_start();
    *state = lab;
    controller_lab_do(lab, NETWORK);
    tell(lab, "h1", 1, false, 0);
    tell(lab, "h2", 2, false, 0);
    tell(lab, "g1", 11, true, 5);
    tell(lab, "g2", 12, true, 6);
    return 0;
}

static const struct runtime_host *
facts(struct controller_lab *lab, const char *host)
{
    return runtime_host(lab->c.runtime, controller_lab_host(lab, host)->number);
}

static void
plug(struct controller_lab *lab, const char *port, const char *host)
{
    controller_lab_connect(lab, host);
    controller_lab_show(lab, host, port, 9);
    controller_lab_host(lab, host)->db = NULL; /* there is none that could be told what is wanted */
}

static const char *
other_gateway(const char *name)
{
    return strcmp(name, "g1") ? "g1" : "g2";
}

static const char *
holder(struct controller_lab *lab)
{
    struct view view = { .model = lab->c.model, .runtime = lab->c.runtime };
    struct placement p;
    struct ip ip;
    assert_true(ip_parse(EIP, &ip));
    return placement_get(&view, model_eip_by_ip(lab->c.model, ip), &p) ? host_by_number(lab->c.hosts, p.holder->number)->name : "";
}

/* ---- facts ---- */

static void
facts_outlive_vnetd(void **state)
{
    struct controller_lab *lab = *state;
    assert_true(host_set_dead(controller_lab_host(lab, "g2"), true));
    controller_lab_restart(lab);
    assert_false(facts(lab, "h1")->is_gateway);
    assert_int_equal(facts(lab, "h1")->n_uplinks, 0);
    assert_true(facts(lab, "g1")->is_gateway && !facts(lab, "g1")->is_dead);
    assert_true(facts(lab, "g2")->is_gateway && facts(lab, "g2")->is_dead);
    assert_int_equal(facts(lab, "g2")->n_uplinks, 1);
    assert_string_equal(facts(lab, "g2")->uplinks[0].network, "public");
    assert_int_equal(facts(lab, "g2")->uplinks[0].ofport, 6);
}

static void
facts_of_an_older_vnetd_are_read(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t number = controller_lab_host(lab, "g1")->number;
    hosts_remember(lab->c.hosts, number, "192.0.2.99 1 1400 3 4");
    assert_int_equal(facts(lab, "g1")->mtu, 1400);
    assert_int_equal(facts(lab, "g1")->tunnel_port[ENCAP_VXLAN], 4);
    assert_false(facts(lab, "g1")->is_gateway);
    hosts_remember(lab->c.hosts, number, "192.0.2.99 1 1400 3 4 1 1 a.b-c:7 lab:65279 bad:65280 none:0");
    assert_true(facts(lab, "g1")->is_gateway && facts(lab, "g1")->is_dead);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 2);
    assert_int_equal(facts(lab, "g1")->uplinks[1].ofport, 65279);
    assert_false(facts(lab, "g1")->uplinks[1].is_down);
    hosts_remember(lab->c.hosts, number, "192.0.2.99 1 1400 3 4 1 1 a:7/1500/down b:8/downhill c:9/70000 d:10/down");
    const struct runtime_uplink *u = facts(lab, "g1")->uplinks;
    assert_int_equal(facts(lab, "g1")->n_uplinks, 4);
    assert_true(u[0].is_down && !u[1].is_down && !u[2].is_down && u[3].is_down);
    assert_true(u[0].mtu == 1500 && !u[1].mtu && !u[2].mtu && !u[3].mtu);
    hosts_remember(lab->c.hosts, number, "nonsense");
    assert_int_equal(facts(lab, "g1")->n_uplinks, 4);
}

static void
an_uplink_stands_while_its_port_has_no_number(void **state)
{
    struct controller_lab *lab = *state;
    struct hypervisor *h = controller_lab_host(lab, "g1");
    h->ports.patch[0] = 0;
    h->ports.is_patch_due[0] = true;
    host_tell_runtime(h);
    assert_int_equal(facts(lab, "g1")->uplinks[0].ofport, 5);
    h->ports.is_patch_due[0] = false; /* there is no such port any more */
    host_tell_runtime(h);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
    h->ports.patch[0] = 8;
    host_tell_runtime(h);
    assert_int_equal(facts(lab, "g1")->uplinks[0].ofport, 8);
    h->facts.n_uplinks = 0;
    host_tell_runtime(h);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
}

/* As its database tells: facts first, then ports by the new list. */
static void
tell_uplinks(struct controller_lab *lab, const struct ovsdb_uplink *uplinks, size_t n, const struct ovsdb_ports *ports)
{
    struct hypervisor *h = controller_lab_host(lab, "g1");
    struct ovsdb_facts now = h->facts;
    strcpy(now.system_id, "g1");
    memset(now.uplinks, 0, sizeof now.uplinks);
    memcpy(now.uplinks, uplinks, n * sizeof *uplinks);
    now.n_uplinks = n;
    host_set_facts(h, &now);
    if (ports)
        h->ports = *ports;
    h->has_ports = h->has_ports || ports;
    host_tell_runtime(h);
}

static uint32_t
way_to(struct controller_lab *lab, const char *network)
{
    return runtime_uplink_port(facts(lab, "g1"), network);
}

static void
another_uplink_has_nothing_of_the_one_before(void **state)
{
    struct controller_lab *lab = *state;
    const struct ovsdb_uplink public[] = { { "public", "br-ex" } }, other[] = { { "other", "br-other" } },
                              typo[] = { { "public", "br-typo" } }, both[] = { { "other", "br-other" }, { "public", "br-ex" } };
    const struct ovsdb_ports none = { .geneve = 1 }, due = { .geneve = 1, .is_patch_due = { true, true } },
                             first = { .geneve = 1, .patch = { 5 } }, second = { .geneve = 1, .patch = { 6, 5 } };
    tell_uplinks(lab, public, 1, &first);
    assert_int_equal(way_to(lab, "public"), 5);

    tell_uplinks(lab, both, 2, NULL); /* one more, and the old one has another place in the list */
    assert_true(way_to(lab, "public") == 5 && !way_to(lab, "other"));
    tell_uplinks(lab, both, 2, &second);
    assert_true(way_to(lab, "public") == 5 && way_to(lab, "other") == 6);

    tell_uplinks(lab, public, 1, NULL);
    assert_true(way_to(lab, "public") == 5 && !way_to(lab, "other"));
    tell_uplinks(lab, other, 1, NULL); /* replaced */
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
    tell_uplinks(lab, other, 1, &none);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
    tell_uplinks(lab, public, 1, &first);

    tell_uplinks(lab, typo, 1, NULL); /* the same network by another bridge */
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
    tell_uplinks(lab, typo, 1, &due); /* its port is there, and has no number yet: public's last one is not it */
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
}

static void
an_uplink_that_changed_while_the_host_was_away_has_nothing_of_the_one_before(void **state)
{
    struct controller_lab *lab = *state;
    const struct ovsdb_uplink public[] = { { "public", "br-ex" } }, typo[] = { { "public", "br-typo" } };
    const struct ovsdb_ports due = { .geneve = 1, .is_patch_due = { true } }, first = { .geneve = 1, .patch = { 5 } };
    tell_uplinks(lab, public, 1, &first);
    controller_lab_host(lab, "g1")->has_ports = false; /* it has connected anew */
    tell_uplinks(lab, public, 1, NULL);
    assert_int_equal(way_to(lab, "public"), 5);
    tell_uplinks(lab, public, 1, &due);
    assert_int_equal(way_to(lab, "public"), 5);
    controller_lab_host(lab, "g1")->has_ports = false;
    tell_uplinks(lab, typo, 1, NULL);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
    tell_uplinks(lab, typo, 1, &due);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
}

static void
a_remembered_uplink_stands_until_ports_are_told(void **state)
{
    struct controller_lab *lab = *state;
    const struct ovsdb_uplink public[] = { { "public", "br-ex" } };
    const struct ovsdb_ports none = { .geneve = 1 };
    controller_lab_restart(lab);
    struct hypervisor *h = controller_lab_host(lab, "g1");
    h->facts = (struct ovsdb_facts){ .encap_ip = ip4(0xc000020b), .encap_type = "geneve", .mtu = 1500, .is_gateway = true };
    tell_uplinks(lab, public, 1, NULL);
    assert_int_equal(way_to(lab, "public"), 5);
    tell_uplinks(lab, public, 1, &none);
    assert_int_equal(facts(lab, "g1")->n_uplinks, 0);
}

/* ---- uplinks that are dead ---- */

/* What its database says of the cards in the bridge of its one uplink. */
static void
tell_cards(struct controller_lab *lab, const char *host, bool is_down)
{
    struct hypervisor *h = controller_lab_host(lab, host);
    struct ovsdb_uplink_state state = { .is_down = is_down, .mtu = 1500 };
    if (is_down)
        strcpy(state.cards, "eth9");
    host_uplinks_told(h, &state);
    host_tell_runtime(h);
}

static bool
is_cut_off(struct controller_lab *lab, const char *host)
{
    return runtime_uplink(facts(lab, host), "public")->is_down;
}

static const char *
error_of(struct controller_lab *lab, const char *host)
{
    return host_error(controller_lab_host(lab, host));
}

static bool
is_g1_alive(void *lab)
{
    return !is_cut_off(lab, "g1");
}

static void
an_uplink_is_dead_at_once_and_alive_when_it_has_been_up_for_a_while(void **state)
{
    struct controller_lab *lab = *state;
    struct hypervisor *h = controller_lab_host(lab, "g1");
    tell_cards(lab, "g1", false);
    assert_false(is_cut_off(lab, "g1"));
    assert_string_equal(error_of(lab, "g1"), "");
    tell_cards(lab, "g1", true);
    assert_true(is_cut_off(lab, "g1"));
    assert_string_equal(error_of(lab, "g1"), "no network card with a carrier to network 'public' by bridge 'br-ex' (eth9)");

    tell_cards(lab, "g1", false);
    assert_true(is_cut_off(lab, "g1"));
    assert_string_equal(error_of(lab, "g1"), "no network card with a carrier to network 'public' by bridge 'br-ex' (eth9)");
    h->uplinks[0].up_since_ms -= 900;
    tell_cards(lab, "g1", true); /* it flaps: its time begins anew */
    tell_cards(lab, "g1", false);
    h->uplinks[0].up_since_ms -= 900;
    host_tell_runtime(h);
    assert_true(is_cut_off(lab, "g1"));
    assert_true(controller_lab_until(lab, is_g1_alive, lab)); /* by itself */
    assert_string_equal(error_of(lab, "g1"), "");
    tell_cards(lab, "g1", true);
    assert_true(is_cut_off(lab, "g1"));
}

static void
a_dead_uplink_outlives_vnetd_until_its_cards_are_told(void **state)
{
    struct controller_lab *lab = *state;
    const struct ovsdb_uplink public[] = { { "public", "br-ex" } };
    tell_cards(lab, "g1", true);
    controller_lab_restart(lab);
    assert_true(is_cut_off(lab, "g1") && runtime_uplink(facts(lab, "g1"), "public")->mtu == 1500);
    assert_false(is_cut_off(lab, "g2"));
    controller_lab_host(lab, "g1")->facts = (struct ovsdb_facts){ .encap_ip = ip4(0xc000020b), .encap_type = "geneve", .mtu = 1500 };
    tell_uplinks(lab, public, 1, NULL);
    assert_true(is_cut_off(lab, "g1"));
    tell_cards(lab, "g1", false);
    assert_true(is_cut_off(lab, "g1")); /* for a while yet */
    assert_true(controller_lab_until(lab, is_g1_alive, lab));
}

static bool
has_looked_again(void *h)
{
    return !evtimer_pending(((struct hypervisor *) h)->uplink_rises, NULL);
}

static void
a_host_whose_address_is_another_s_does_not_take_it_back_when_an_uplink_lives_again(void **state)
{
    struct controller_lab *lab = *state;
    struct hypervisor *away = controller_lab_host(lab, "g1"), *h = controller_lab_host(lab, "g2");
    tell_cards(lab, "g1", true);
    tell_cards(lab, "g1", false);
    h->facts.encap_ip = away->facts.encap_ip;
    host_tell_runtime(h);
    assert_null(facts(lab, "g1"));
    assert_true(controller_lab_until(lab, has_looked_again, away));
    assert_null(facts(lab, "g1"));
    assert_non_null(facts(lab, "g2"));
}

static void
what_is_said_of_an_uplink_goes_with_it_in_the_list(void **state)
{
    struct controller_lab *lab = *state;
    const struct ovsdb_uplink public[] = { { "public", "br-ex" } }, both[] = { { "other", "br-other" }, { "public", "br-ex" } };
    const struct ovsdb_ports first = { .geneve = 1, .patch = { 5 } }, second = { .geneve = 1, .patch = { 6, 5 } };
    tell_uplinks(lab, public, 1, &first);
    tell_cards(lab, "g1", true);
    tell_uplinks(lab, both, 2, &second);
    assert_true(is_cut_off(lab, "g1"));
    assert_false(runtime_uplink(facts(lab, "g1"), "other")->is_down);
    const struct ovsdb_uplink_state states[] = { { .is_down = true, .cards = "a, b" }, { .is_down = false } };
    host_uplinks_told(controller_lab_host(lab, "g1"), states);
    host_tell_runtime(controller_lab_host(lab, "g1"));
    assert_true(runtime_uplink(facts(lab, "g1"), "other")->is_down);
    assert_string_equal(error_of(lab, "g1"), "no network card with a carrier to network 'other' by bridge 'br-other' (a, b), "
                                             "network 'public' by bridge 'br-ex' (eth9)"); /* that counts as dead for a while yet */
}

static void
who_is_no_gateway_is_not_dead(void **state)
{
    struct controller_lab *lab = *state;
    assert_true(host_set_dead(controller_lab_host(lab, "g1"), true));
    assert_false(host_set_dead(controller_lab_host(lab, "g1"), true));
    tell(lab, "g1", 11, true, 7);
    assert_true(facts(lab, "g1")->is_dead);
    tell(lab, "g1", 11, false, 7);
    assert_false(facts(lab, "g1")->is_dead);
}

/* ---- who watches whom ---- */

struct expected {
    struct controller_lab *lab;
    const char *host, *peers;
};

static bool
has_peers(void *aux)
{
    const struct expected *e = aux;
    char text[64] = "";
    size_t n;
    struct ovsdb_peer *peers = host_peers_list(hosts_peers(e->lab->c.hosts), controller_lab_host(e->lab, e->host)->number, &n);
    for (size_t i = 0; i < n; i++)
        sprintf(text + strlen(text), "%s ", host_by_number(e->lab->c.hosts, peers[i].number)->name);
    free(peers);
    return !strcmp(text, e->peers);
}

static void
expect_peers(struct controller_lab *lab, const char *host, const char *peers)
{
    struct expected e = { lab, host, peers };
    if (!controller_lab_until(lab, has_peers, &e))
        fail_msg("the peers of %s do not become '%s'", host, peers);
}

static void
gateways_watch_each_other(void **state)
{
    struct controller_lab *lab = *state;
    expect_peers(lab, "g1", "g2 ");
    expect_peers(lab, "g2", "g1 ");
    expect_peers(lab, "h1", "");
    tell(lab, "h1", 1, true, 0);
    expect_peers(lab, "g2", "h1 g1 ");
    tell(lab, "h1", 1, false, 0);
    expect_peers(lab, "g2", "g1 ");
}

static void
a_gateway_and_the_host_of_a_port_that_it_serves_watch_each_other(void **state)
{
    struct controller_lab *lab = *state;
    char both[16];
    controller_lab_do(lab, ATTACH("port:p"));
    expect_peers(lab, "h1", "");
    plug(lab, "p", "h1");
    const char *first = holder(lab), *second = other_gateway(first);
    snprintf(both, sizeof both, "h1 %s ", second);
    expect_peers(lab, first, both);
    snprintf(both, sizeof both, "%s ", first);
    expect_peers(lab, "h1", both);
    expect_peers(lab, second, both);

    /* It dies: its heir is watched instead. */
    host_set_dead(controller_lab_host(lab, first), true);
    assert_string_equal(holder(lab), second);
    snprintf(both, sizeof both, "%s ", second);
    expect_peers(lab, "h1", both);
    expect_peers(lab, first, both);

    /* The port moves, and its address goes. */
    controller_lab_remove(lab, "h1", "p");
    plug(lab, "p", "h2");
    expect_peers(lab, "h2", both);
    expect_peers(lab, "h1", "");
    controller_lab_do(lab, DETACH);
    expect_peers(lab, "h2", "");
    snprintf(both, sizeof both, "%s ", first);
    expect_peers(lab, second, both);
}

static void
a_nat_gateways_holder_and_all_hosts_of_its_vpc_watch_each_other(void **state)
{
    struct controller_lab *lab = *state;
    char one[16];
    plug(lab, "p", "h1");
    controller_lab_do(lab, ATTACH("natgw:n"));
    snprintf(one, sizeof one, "%s ", holder(lab));
    expect_peers(lab, "h1", one);
    expect_peers(lab, "h2", "");
    plug(lab, "q", "h2");
    expect_peers(lab, "h2", one);
    controller_lab_remove(lab, "h1", "p");
    expect_peers(lab, "h1", "");
    expect_peers(lab, "h2", one);
    controller_lab_do(lab, DETACH);
    expect_peers(lab, "h2", "");
}

static void
two_hosts_hear_each_other_by_one_encapsulation(void **state)
{
    struct controller_lab *lab = *state;
    size_t n;
    const char *const names[] = { "g1", "g2" };
    struct hypervisor *low = controller_lab_host(lab, "g1");
    assert_true(low->number < controller_lab_host(lab, "g2")->number);
    strcpy(low->facts.encap_type, "vxlan");
    host_tell_runtime(low);
    for (size_t i = 0; i < 2; i++) {
        struct ovsdb_peer *peers = host_peers_list(hosts_peers(lab->c.hosts), controller_lab_host(lab, names[i])->number, &n);
        assert_int_equal(n, 1);
        assert_true(peers[0].is_vxlan);
        assert_true(ip_equal(peers[0].ip, ip4(i ? 0xc000020b : 0xc000020c)));
        free(peers);
    }
}

/* ---- who is dead ---- */

/* Judges as if those hosts had both sessions. */
static void
judge(struct controller_lab *lab, const char *const *connected)
{
    static char session;
    for (const char *const *name = connected; *name; name++) {
        controller_lab_host(lab, *name)->db = (void *) &session;
        controller_lab_host(lab, *name)->of = (void *) &session;
    }
    hosts_judge_now(lab->c.hosts);
    for (const char *const *name = connected; *name; name++) {
        controller_lab_host(lab, *name)->db = NULL;
        controller_lab_host(lab, *name)->of = NULL;
    }
}

static void
see(struct controller_lab *lab, const char *host, const char *peer, enum ovsdb_peer_state state)
{
    host_saw_peer(controller_lab_host(lab, host), controller_lab_host(lab, peer)->number, state);
}

/* They reach it, and when they have done so for a second it is alive. */
static void
expect_revival(struct controller_lab *lab, const char *host, const char *const *connected)
{
    judge(lab, connected);
    assert_true(facts(lab, host)->is_dead);
    controller_lab_host(lab, host)->alive_since_ms -= 1000;
    judge(lab, connected);
    assert_false(facts(lab, host)->is_dead);
}

static void
what_connected_hosts_see_decides(void **state)
{
    struct controller_lab *lab = *state;
    const char *const all[] = { "h1", "h2", "g1", "g2", NULL }, *const without_g2[] = { "h1", "h2", "g1", NULL };
    see(lab, "h1", "g1", OVSDB_PEER_DOWN);
    judge(lab, (const char *const[]){ NULL });
    assert_false(facts(lab, "g1")->is_dead);
    see(lab, "g2", "g1", OVSDB_PEER_UP);
    judge(lab, all);
    assert_false(facts(lab, "g1")->is_dead);
    judge(lab, without_g2);
    assert_true(facts(lab, "g1")->is_dead);
    see(lab, "h1", "g1", OVSDB_PEER_UNKNOWN);
    judge(lab, without_g2);
    assert_true(facts(lab, "g1")->is_dead);
    expect_revival(lab, "g1", all);

    see(lab, "h1", "g1", OVSDB_PEER_DOWN);
    see(lab, "h2", "g1", OVSDB_PEER_DOWN);
    judge(lab, all);
    assert_true(facts(lab, "g1")->is_dead);
    host_forget_views(controller_lab_host(lab, "h1"));
    host_keep_views(controller_lab_host(lab, "h2"), NULL, 0);
    expect_revival(lab, "g1", all);
}

static void
who_says_that_its_own_link_is_down_accuses_nobody(void **state)
{
    struct controller_lab *lab = *state;
    const char *const both[] = { "g1", "g2", NULL };
    controller_lab_host(lab, "g2")->is_underlay_down = true;
    see(lab, "g2", "g1", OVSDB_PEER_DOWN); /* its word is there first */
    judge(lab, both);
    assert_false(facts(lab, "g1")->is_dead || facts(lab, "g2")->is_dead);
    see(lab, "g1", "g2", OVSDB_PEER_DOWN);
    judge(lab, both);
    assert_true(!facts(lab, "g1")->is_dead && facts(lab, "g2")->is_dead);
    controller_lab_host(lab, "g2")->is_underlay_down = false; /* neither sees the other yet */
    judge(lab, both);
    assert_true(!facts(lab, "g1")->is_dead && facts(lab, "g2")->is_dead);
    see(lab, "g1", "g2", OVSDB_PEER_UP);
    expect_revival(lab, "g2", both);
    assert_false(facts(lab, "g1")->is_dead);
}

static void
who_comes_and_goes_is_dead_until_it_stays(void **state)
{
    struct controller_lab *lab = *state;
    const char *const all[] = { "h1", "g1", "g2", NULL };
    struct hypervisor *h = controller_lab_host(lab, "g1");
    see(lab, "g2", "g1", OVSDB_PEER_DOWN);
    judge(lab, all);
    assert_true(facts(lab, "g1")->is_dead);
    see(lab, "g2", "g1", OVSDB_PEER_UP);
    judge(lab, all);
    h->alive_since_ms -= 900;
    judge(lab, all);
    assert_true(facts(lab, "g1")->is_dead);
    see(lab, "g2", "g1", OVSDB_PEER_DOWN);
    judge(lab, all);
    assert_int_equal(h->alive_since_ms, 0);
    see(lab, "g2", "g1", OVSDB_PEER_UP);
    expect_revival(lab, "g1", all);
}

/* ---- zones ---- */

struct flushed {
    const struct fake_switch *fake;
    uint16_t zone;
};

static bool
is_flushed(void *aux)
{
    const struct flushed *f = aux;
    for (unsigned i = 0; i < f->fake->n_flushed_zones; i++)
        if (f->fake->flushed_zones[i] == f->zone)
            return true;
    return false;
}

/* p comes to h1, whose database then tells of p's and q's zones, 5 and 6: only p's is emptied, once its switch is to get flows. */
static void
comes_before_zones(struct controller_lab *lab, bool is_reconciling)
{
    struct controller_switch s;
    controller_switch_connect(&s, lab, "h1", 1);
    struct hypervisor *h = controller_lab_host(lab, "h1");
    h->is_reconciling = is_reconciling;
    controller_lab_show(lab, "h1", "p", 9);
    h->db = NULL; /* there is none that could store a zone */
    const struct ovsdb_zone zones[] = { { controller_lab_number(lab, OBJECT_PORT, "p"), 5 },
                                        { controller_lab_number(lab, OBJECT_PORT, "q"), 6 } };
    struct flushed p = { &s.fake, 5 }, q = { &s.fake, 6 };
    host_zones_told(h, zones, 2);
    for (int i = 0; i < 5; i++)
        controller_lab_turn(lab);
    assert_int_equal(is_flushed(&p), is_reconciling);
    if (!is_reconciling)
        host_zones_flush(h);
    assert_true(controller_lab_until(lab, is_flushed, &p));
    assert_false(is_flushed(&q));
    controller_switch_disconnect(&s);
}

static void
the_zone_of_who_came_before_any_was_known_is_emptied_when_it_is(void **state)
{
    comes_before_zones(*state, true);
}

static void
and_if_the_switch_is_not_ready_then_before_it_gets_flows(void **state)
{
    comes_before_zones(*state, false);
}

/* ---- order ---- */

static void
new_holders_compile_first(void **state)
{
    struct controller_lab *lab = *state;
    struct compile_queue *q = hosts_compile_queue(lab->c.hosts);
    controller_lab_do(lab, ATTACH("port:p"));
    plug(lab, "p", "h1");
    const char *first = holder(lab), *second = other_gateway(first);
    controller_lab_host(lab, first);
    while (q->first)
        controller_lab_turn(lab);

    host_concern(controller_lab_host(lab, first), lab->c.seq);
    struct hypervisor *h = controller_lab_host(lab, second);
    host_set_dead(controller_lab_host(lab, first), true);
    while (q->first)
        controller_lab_turn(lab);
    host_concern(h, lab->c.seq);
    host_set_dead(controller_lab_host(lab, first), false);
    assert_ptr_equal(q->first, controller_lab_host(lab, first));

    /* The port moves: its own host, then the gateway. */
    while (q->first)
        controller_lab_turn(lab);
    host_concern(controller_lab_host(lab, "h1"), lab->c.seq);
    controller_lab_remove(lab, "h1", "p");
    plug(lab, "p", "h2");
    assert_ptr_equal(q->first, controller_lab_host(lab, "h2"));
    assert_ptr_equal(q->first->next_turn, controller_lab_host(lab, first));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_outlive_vnetd, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(facts_of_an_older_vnetd_are_read, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(an_uplink_stands_while_its_port_has_no_number, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(another_uplink_has_nothing_of_the_one_before, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(an_uplink_that_changed_while_the_host_was_away_has_nothing_of_the_one_before, start,
                                        controller_lab_teardown),
        cmocka_unit_test_setup_teardown(a_remembered_uplink_stands_until_ports_are_told, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(an_uplink_is_dead_at_once_and_alive_when_it_has_been_up_for_a_while, start,
                                        controller_lab_teardown),
        cmocka_unit_test_setup_teardown(a_dead_uplink_outlives_vnetd_until_its_cards_are_told, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(a_host_whose_address_is_another_s_does_not_take_it_back_when_an_uplink_lives_again, start,
                                        controller_lab_teardown),
        cmocka_unit_test_setup_teardown(what_is_said_of_an_uplink_goes_with_it_in_the_list, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(who_is_no_gateway_is_not_dead, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(gateways_watch_each_other, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(a_gateway_and_the_host_of_a_port_that_it_serves_watch_each_other, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(a_nat_gateways_holder_and_all_hosts_of_its_vpc_watch_each_other, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(two_hosts_hear_each_other_by_one_encapsulation, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(what_connected_hosts_see_decides, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(who_says_that_its_own_link_is_down_accuses_nobody, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(who_comes_and_goes_is_dead_until_it_stays, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(the_zone_of_who_came_before_any_was_known_is_emptied_when_it_is, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(and_if_the_switch_is_not_ready_then_before_it_gets_flows, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(new_holders_compile_first, start, controller_lab_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
