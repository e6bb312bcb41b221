/* The address of a balancer and that of a NAT gateway come back to a host that another has held them after: what its switch forgets, and that it forgets
 * nothing where nobody has. */
#include "tests/unit/zones_lab.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ofproto/session/of_session_private.h"

#define LB_ZONE 9
#define NATGW_ZONE 8
#define NETWORK                                                                                        \
    "[{'op':'add','type':'host','name':'hv1'},{'op':'add','type':'host','name':'hv2'},"                \
    "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"                            \
    "{'op':'add','type':'igw','values':{'vpc':'v'}},"                                                  \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"               \
    "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"            \
    "{'op':'add','type':'lb','name':'b','values':{'subnet':'s'}},"                                     \
    "{'op':'add','type':'natgw','name':'n','values':{'subnet':'s'}},"                                  \
    "{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'}}," \
    "{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.10','attached':'lb:b'}},"      \
    "{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.11','attached':'natgw:n'}}]"

enum { HV1, HV2 };

/* Only the first host has a switch. */
struct world {
    struct zones_lab z;
    bool is_gateway[2];
};

static void
tell(struct world *w, unsigned i, const char *name)
{
    struct hypervisor *h = controller_lab_host(w->z.lab, name);
    h->facts = (struct ovsdb_facts){
        .encap_ip = ip4(0xc0000201 + i), .encap_type = "geneve", .mtu = 1500, .n_uplinks = 1, .is_gateway = w->is_gateway[i]
    };
    h->facts.uplinks[0] = (struct ovsdb_uplink){ "public", "br-ex" };
    h->ports = (struct ovsdb_ports){ .geneve = 1, .patch = { 5 } };
    h->has_facts = h->has_ports = true;
    host_tell_runtime(h);
}

static void
tell_all(struct world *w)
{
    struct ovsdb_zone zones[] = { { controller_lab_number(w->z.lab, OBJECT_LB, "b"), LB_ZONE },
                                  { controller_lab_number(w->z.lab, OBJECT_NATGW, "n"), NATGW_ZONE } };
    tell(w, HV1, "hv1");
    tell(w, HV2, "hv2");
    host_zones_told(controller_lab_host(w->z.lab, "hv1"), zones, 2);
    zones_lab_compile(&w->z);
}

static void
set_gateway(struct world *w, unsigned i, bool is_gateway)
{
    w->is_gateway[i] = is_gateway;
    tell(w, i, i == HV1 ? "hv1" : "hv2");
    zones_lab_compile(&w->z);
}

static bool
is_known(void *aux)
{
    return of_session_is_ct_known(((const struct world *) aux)->z.hv.session);
}

/* Its database is not spoken to: there is nothing behind that of a controller lab. */
static void
connect_switch(struct world *w)
{
    controller_switch_connect(&w->z.hv, w->z.lab, "hv1", 1);
    controller_lab_host(w->z.lab, "hv1")->db = NULL;
    assert_true(controller_lab_until(w->z.lab, is_known, w));
    host_lost_zones_flush(controller_lab_host(w->z.lab, "hv1"));
    zones_lab_compile(&w->z);
}

static int
setup(void **state)
{
    struct world *w = *state = zones_lab_start(sizeof *w, NETWORK);
    w->is_gateway[HV1] = true;
    tell_all(w);
    connect_switch(w);
    controller_switch_confirm(&w->z.hv);
    zones_lab_compile(&w->z);
    return 0;
}

static void
restart(struct world *w)
{
    controller_switch_disconnect(&w->z.hv);
    w->z.hv.lab = NULL;
    controller_lab_restart(w->z.lab);
    tell_all(w);
    connect_switch(w);
}

/* Of the balancer what has its mark, of the NAT gateway all; or nothing. The session itself asks once what its switch can. */
static void
expect_forgotten(const struct world *w, bool is_forgotten)
{
    static const uint8_t zone[] = { 0, 2, 0, 8, 0, LB_ZONE }, mark[] = { 0, 3, 0, 8, 0, 0, 0, 1 }, mask[] = { 0, 4, 0, 8, 0, 0, 0, 1 };
    const struct fake_switch *f = &w->z.hv.fake;
    assert_int_equal(f->n_ct_flushes, 1 + is_forgotten);
    assert_int_equal(f->n_flushed_zones, is_forgotten);
    if (!is_forgotten)
        return;
    assert_int_equal(f->flushed_zones[0], NATGW_ZONE);
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, zone, sizeof zone));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, mark, sizeof mark));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, mask, sizeof mask));
}

static void
what_another_has_held_meanwhile_is_forgotten_once(void **state)
{
    struct world *w = *state;
    set_gateway(w, HV1, false);
    set_gateway(w, HV2, true);
    set_gateway(w, HV2, false);
    expect_forgotten(w, false);
    set_gateway(w, HV1, true);
    expect_forgotten(w, true);
    controller_switch_confirm(&w->z.hv);
    set_gateway(w, HV1, false);
    set_gateway(w, HV1, true);
    expect_forgotten(w, true);
}

static void
what_nobody_has_held_meanwhile_is_kept(void **state)
{
    struct world *w = *state;
    set_gateway(w, HV1, false);
    set_gateway(w, HV1, true);
    restart(w);
    set_gateway(w, HV1, false);
    restart(w);
    set_gateway(w, HV1, true);
    expect_forgotten(w, false);
}

static void
a_vnetd_that_is_started_meanwhile_knows_who_held_it_last(void **state)
{
    struct world *w = *state;
    set_gateway(w, HV1, false);
    set_gateway(w, HV2, true);
    restart(w);
    set_gateway(w, HV2, false);
    expect_forgotten(w, false);
    set_gateway(w, HV1, true);
    expect_forgotten(w, true);
    restart(w); /* its switch has confirmed nothing of that */
    expect_forgotten(w, true);
    controller_switch_confirm(&w->z.hv);
    zones_lab_compile(&w->z);
    restart(w);
    expect_forgotten(w, false);
}

static void
a_switch_that_is_away_forgets_it_when_it_is_back(void **state)
{
    struct world *w = *state;
    controller_switch_disconnect(&w->z.hv);
    set_gateway(w, HV1, false);
    set_gateway(w, HV2, true);
    set_gateway(w, HV2, false);
    set_gateway(w, HV1, true);
    connect_switch(w);
    expect_forgotten(w, true);
}

/* As before Open vSwitch 3.3: what targets have with themselves goes, too. */
static void
a_switch_that_cannot_forget_by_mark_forgets_all_of_the_zone(void **state)
{
    struct world *w = *state;
    w->z.hv.session->does_refuse_unknown_ct = false;
    set_gateway(w, HV1, false);
    set_gateway(w, HV2, true);
    set_gateway(w, HV2, false);
    set_gateway(w, HV1, true);
    assert_int_equal(w->z.hv.fake.n_ct_flushes, 1);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 2);
    assert_int_equal(w->z.hv.fake.flushed_zones[0] + w->z.hv.fake.flushed_zones[1], LB_ZONE + NATGW_ZONE);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, zones_lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_another_has_held_meanwhile_is_forgotten_once),           TEST(what_nobody_has_held_meanwhile_is_kept),
        TEST(a_vnetd_that_is_started_meanwhile_knows_who_held_it_last),    TEST(a_switch_that_is_away_forgets_it_when_it_is_back),
        TEST(a_switch_that_cannot_forget_by_mark_forgets_all_of_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
