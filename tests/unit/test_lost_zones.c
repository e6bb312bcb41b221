/* Zones that lose their place in connections while their port is not filtered: what the switch is told to forget, when, and how often; and that a
 * vnetd that is started in between knows. */
#include "tests/unit/zones_lab.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define ZONE 9
#define NETWORK                                                                                                      \
    "[{'op':'add','type':'host','name':'hv1'},{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}}," \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"                             \
    "{'op':'add','type':'sg','name':'g','values':{'vpc':'v'}},"                                                      \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s','sg':'g'}}]"
#define FILTERED "[{'op':'set','type':'port','name':'p','values':{'sg':'g'}}]"
#define OPEN "[{'op':'set','type':'port','name':'p','values':{'sg':'none'}}]"

struct world {
    struct zones_lab z;
    uint32_t port;
    unsigned n;
};

/* The host tells its facts, that the port is there, and which zone it has. */
static void
tell(struct world *w)
{
    struct controller *c = &w->z.lab->c;
    struct hypervisor *h = controller_lab_host(w->z.lab, "hv1");
    h->facts = (struct ovsdb_facts){ .encap_ip = ip4(0xc0000201), .encap_type = "geneve", .mtu = 1500 };
    h->ports = (struct ovsdb_ports){ .geneve = 1 };
    h->has_facts = h->has_ports = h->has_zones = true;
    host_tell_runtime(h);
    runtime_set_zone(c->runtime, h->number, w->port, ZONE);
    struct vnet_event event = { .kind = EVENT_BINDING, .number = w->port, .after = { h->number, 7 } };
    runtime_bind(c->runtime, w->port, event.after);
    controller_fact_changed(c, &event);
}

static void
change(struct world *w, const char *ops)
{
    controller_lab_do(w->z.lab, ops);
    zones_lab_compile(&w->z);
}

static int
setup(void **state)
{
    struct world *w = *state = zones_lab_start(sizeof *w, NETWORK);
    w->port = controller_lab_number(w->z.lab, OBJECT_PORT, "p");
    tell(w);
    controller_switch_connect(&w->z.hv, w->z.lab, "hv1", 1);
    zones_lab_compile(&w->z);
    return 0;
}

static bool
is_flushed(void *aux)
{
    const struct world *w = aux;
    return w->z.hv.fake.n_flushed_zones >= w->n;
}

static void
expect_flushed(struct world *w, unsigned n)
{
    w->n = n;
    assert_true(controller_lab_until(w->z.lab, is_flushed, w));
    assert_int_equal(w->z.hv.fake.n_flushed_zones, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(w->z.hv.fake.flushed_zones[i], ZONE);
}

static void
a_zone_is_emptied_once_when_its_port_is_filtered_again(void **state)
{
    struct world *w = *state;
    controller_switch_confirm(&w->z.hv);
    change(w, OPEN);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 0);
    change(w, FILTERED);
    expect_flushed(w, 1);
    change(w, "[{'op':'set','type':'port','name':'p','values':{'source_dest_check':false}}]");
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 1);
    controller_switch_confirm(&w->z.hv);
    change(
        w,
        "[{'op':'add','type':'sg','name':'other','values':{'vpc':'v'}},{'op':'set','type':'port','name':'p','values':{'sg':'g,other'}}]");
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 1);

    change(w, OPEN);
    change(w, FILTERED);
    change(w, OPEN); /* nothing of that has been confirmed */
    change(w, FILTERED);
    expect_flushed(w, 3);
}

static void
reconnect(struct world *w)
{
    controller_switch_connect(&w->z.hv, w->z.lab, "hv1", 1);
    host_lost_zones_flush(controller_lab_host(w->z.lab, "hv1"));
    zones_lab_compile(&w->z);
}

static void
what_a_switch_that_is_away_has_to_forget_it_forgets_before_it_is_read_back(void **state)
{
    struct world *w = *state;
    change(w, OPEN);
    controller_switch_disconnect(&w->z.hv);
    change(w, FILTERED);
    reconnect(w);
    expect_flushed(w, 1);
    controller_switch_disconnect(&w->z.hv); /* who knows whether it was heard */
    reconnect(w);
    expect_flushed(w, 1);
    controller_switch_confirm(&w->z.hv);
    controller_switch_disconnect(&w->z.hv);
    reconnect(w);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 0);
}

static void
restart(struct world *w)
{
    controller_switch_disconnect(&w->z.hv);
    w->z.hv.lab = NULL;
    controller_lab_restart(w->z.lab);
    tell(w);
    zones_lab_compile(&w->z);
    reconnect(w);
}

static void
a_vnetd_that_is_started_in_between_knows_what_is_to_be_forgotten(void **state)
{
    struct world *w = *state;
    restart(w); /* it was filtered all the time */
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 0);
    change(w, OPEN);
    controller_switch_disconnect(&w->z.hv);
    controller_lab_do(w->z.lab, FILTERED);
    restart(w);
    expect_flushed(w, 1);
    controller_switch_confirm(&w->z.hv);
    restart(w);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 0);

    change(w, OPEN);
    restart(w);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 0);
    change(w, FILTERED);
    expect_flushed(w, 1);
}

static void
a_port_that_is_gone_leaves_nothing(void **state)
{
    struct world *w = *state;
    change(w, OPEN);
    hosts_number_released(w->z.lab->c.hosts, w->port);
    change(w, FILTERED);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 0);
}

static bool
is_told(void *aux)
{
    const struct world *w = aux;
    return w->z.hv.fake.n_ct_flushes >= w->n;
}

/* By the zone, and by a mark of 0: without a mask all of it counts. */
static void
what_balancers_have_in_the_zone_stays(void **state)
{
    static const uint8_t zone[] = { 0, 2, 0, 8, 0, ZONE }, mark[] = { 0, 3, 0, 8, 0, 0, 0, 0 };
    struct world *w = *state;
    const struct fake_switch *f = &w->z.hv.fake;
    change(w, "[{'op':'add','type':'lb','name':'b','values':{'subnet':'s'}}]");
    change(w, OPEN);
    w->n = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->z.lab, is_told, w));
    change(w, FILTERED);
    w->n = 2;
    assert_true(controller_lab_until(w->z.lab, is_told, w));
    assert_int_equal(f->n_flushed_zones, 0);
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, zone, sizeof zone));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, mark, sizeof mark));
}

/* ---- a switch that connects by itself ---- */

static bool
is_confirmed(void *aux)
{
    const struct hypervisor *h = controller_lab_host(((const struct world *) aux)->z.lab, "hv1");
    return h->of && h->confirmed_seq && h->confirmed_seq >= h->wanted_seq;
}

static bool
is_gone(void *aux)
{
    const struct hypervisor *h = controller_lab_host(((const struct world *) aux)->z.lab, "hv1");
    return !h->of && !h->ending;
}

/* As a real one: its handshake says whose it is before it says what it can. OVSDB has stayed up, so all is ready for it. */
static void
arrive(struct world *w, bool refuses_ct_flush)
{
    const struct hypervisor *h = controller_lab_host(w->z.lab, "hv1");
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(hosts_openflow_port(w->z.lab->c.hosts, 0)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *) &at, sizeof at), 0);
    w->z.hv.fake = (struct fake_switch){ .hello_versions = 1u << 6, .dpid = h->dpid, .refuses_ct_flush = refuses_ct_flush };
    fake_switch_start(&w->z.hv.fake, w->z.lab->c.base, fd);
    assert_true(controller_lab_until(w->z.lab, is_confirmed, w));
}

static void
leave(struct world *w)
{
    fake_switch_stop(&w->z.hv.fake);
    assert_true(controller_lab_until(w->z.lab, is_gone, w));
}

/* In a VPC with a balancer. The port becomes open while the scripted switch of the other tests is there, and filtered while none is. */
static void
lose_a_zone(struct world *w)
{
    struct error err;
    struct hypervisor *h = controller_lab_host(w->z.lab, "hv1");
    change(w, "[{'op':'add','type':'lb','name':'b','values':{'subnet':'s'}}]");
    change(w, OPEN);
    controller_switch_disconnect(&w->z.hv);
    change(w, FILTERED);
    w->z.lab->options.openflow = (struct option_list){ .v = { "ptcp:0:127.0.0.1" }, .n = 1 };
    assert_true(hosts_listen(w->z.lab->c.hosts, &err));
    controller_lab_connect(w->z.lab, "hv1");
    h->has_interfaces = h->is_configured = true;
}

static void
what_balancers_do_not_have_is_forgotten_as_soon_as_the_switch_says_that_it_can(void **state)
{
    struct world *w = *state;
    lose_a_zone(w);
    arrive(w, true);
    assert_int_equal(w->z.hv.fake.n_ct_flushes, 2); /* the first is the question */
    assert_int_equal(w->z.hv.fake.n_commits_at_ct_flush, 0);
    leave(w);
    arrive(w, true);
    assert_int_equal(w->z.hv.fake.n_ct_flushes, 1);
    leave(w);
}

static void
a_switch_that_cannot_forget_by_mark_is_told_nothing_and_not_waited_for(void **state)
{
    struct world *w = *state;
    lose_a_zone(w);
    arrive(w, false);
    assert_int_equal(w->z.hv.fake.n_ct_flushes, 1);
    leave(w);
    arrive(w, true); /* it has been filtered for a while */
    assert_int_equal(w->z.hv.fake.n_ct_flushes, 1);
    leave(w);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, zones_lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_zone_is_emptied_once_when_its_port_is_filtered_again),
        TEST(what_a_switch_that_is_away_has_to_forget_it_forgets_before_it_is_read_back),
        TEST(a_vnetd_that_is_started_in_between_knows_what_is_to_be_forgotten),
        TEST(a_port_that_is_gone_leaves_nothing),
        TEST(what_balancers_have_in_the_zone_stays),
        TEST(what_balancers_do_not_have_is_forgotten_as_soon_as_the_switch_says_that_it_can),
        TEST(a_switch_that_cannot_forget_by_mark_is_told_nothing_and_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
