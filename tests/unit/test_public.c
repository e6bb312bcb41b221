/* Public addresses: which host holds them, and that any sequence of changes leaves each host with what a fresh compile gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/vnet_storm.h"
#include "vnet/feature/reject/reject.h"
#include "vnet/packet/icmp.h"
#include "vnet/pipeline/placement.h"

#define N_STEPS 1500
#define N_PORTS 6
#define N_EIPS 8
#define N_HOSTS 4 /* hv1 with an uplink, hv2 without one, gw1 and gw2 */

static const char *const host_names[N_HOSTS] = { "hv1", "hv2", "gw1", "gw2" };

static struct runtime_host
facts_of(unsigned h)
{
    struct runtime_host facts = lab_facts(h);
    return h == 1 ? facts : lab_with_uplink(facts, "public", 20 + h, h >= 2);
}

/* A VPC with a public subnet (a, which routes to the internet gateway) and a private one (b, which routes to NAT gateway n). */
static struct lab *
lab_with_pool(void)
{
    struct lab *lab = lab_new();
    for (unsigned h = 0; h < N_HOSTS; h++)
        lab_host(lab, host_names[h], facts_of(h));
    lab_do(lab, "[{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'}},"
                "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'igw','values':{'vpc':'v'}},"
                "{'op':'add','type':'rtb','name':'inner','values':{'vpc':'v'}},"
                "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                "{'op':'add','type':'subnet','name':'b','values':{'vpc':'v','cidr':'10.0.2.0/24','rtb':'inner'}},"
                "{'op':'add','type':'natgw','name':'n','values':{'subnet':'a'}},"
                "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"
                "{'op':'add','type':'route','values':{'rtb':'inner','prefix':'0.0.0.0/0','target':'natgw:n'}}]");
    for (unsigned i = 0; i < N_PORTS; i++)
        lab_do(lab, "[{'op':'add','type':'port','name':'p%u','values':{'subnet':'%s'}}]", i, i < 4 ? "a" : "b");
    for (unsigned i = 0; i < N_EIPS; i++)
        lab_do(lab, "[{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.%u'}}]", 10 + i);
    return lab;
}

static void
attach(struct lab *lab, unsigned eip, const char *to)
{
    lab_do(lab, "[{'op':'set','type':'eip','name':'203.0.113.%u','values':{'attached':'%s'}}]", 10 + eip, to);
}

/* The name of the holder's host, "" if none holds it. */
static const char *
holder(const struct lab *lab, unsigned eip)
{
    struct view view = { .model = lab->model, .runtime = lab->runtime };
    struct placement p;
    char name[24];
    snprintf(name, sizeof name, "203.0.113.%u", 10 + eip);
    if (!placement_get(&view, lab_number(lab, OBJECT_EIP, name), &p))
        return "";
    return model_host(lab->model, p.holder->number)->o.name;
}

static void
an_address_is_held_where_its_port_is_if_that_host_reaches_the_network(void **unused)
{
    struct lab *lab = lab_with_pool();
    attach(lab, 0, "port:p0");
    assert_string_equal(holder(lab, 0), "");
    lab_bind(lab, "p0", "hv1", 10);
    assert_string_equal(holder(lab, 0), "hv1");
    lab_bind(lab, "p0", "hv2", 10);
    assert_memory_equal(holder(lab, 0), "gw", 2);
    lab_bind(lab, "p0", NULL, 0);
    assert_string_equal(holder(lab, 0), "");
    lab_free(lab);
}

static void
without_a_route_to_the_internet_gateway_no_address_is_held(void **unused)
{
    struct lab *lab = lab_with_pool();
    lab_bind(lab, "p0", "hv1", 10);
    lab_bind(lab, "p4", "hv1", 11);
    attach(lab, 0, "port:p0");
    attach(lab, 1, "port:p4");
    assert_string_equal(holder(lab, 0), "hv1");
    assert_string_equal(holder(lab, 1), "");
    lab_do(lab, "[{'op':'del','type':'route','name':'v/0.0.0.0/0'}]");
    assert_string_equal(holder(lab, 0), "");
    lab_free(lab);
}

static void
a_dead_gateway_s_addresses_go_to_another_and_no_other_moves(void **unused)
{
    struct lab *lab = lab_with_pool();
    char before[N_EIPS][8], target[16];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(target, sizeof target, "p%u", i);
        lab_bind(lab, target, "hv2", 10 + i);
        snprintf(target, sizeof target, "port:p%u", i);
        attach(lab, i, target);
        snprintf(before[i], sizeof before[i], "%s", holder(lab, i));
    }
    struct runtime_host dead = facts_of(2);
    dead.is_dead = true;
    lab_host(lab, "gw1", dead);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(holder(lab, i), "gw2");
    lab_host(lab, "gw1", facts_of(2));
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(holder(lab, i), before[i]);

    dead = facts_of(3);
    dead.is_dead = true;
    struct runtime_host both = facts_of(2);
    both.is_dead = true;
    lab_host(lab, "gw1", both);
    lab_host(lab, "gw2", dead);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(holder(lab, i), before[i]); /* better a place that may come back than none */
    lab_free(lab);
}

static struct runtime_host
cut_off(unsigned h)
{
    struct runtime_host facts = facts_of(h);
    facts.uplinks[0].is_down = true;
    return facts;
}

static void
a_gateway_without_a_carrier_holds_nothing_while_another_has_one(void **unused)
{
    struct lab *lab = lab_with_pool();
    char before[N_EIPS][8], target[16];
    attach(lab, 4, "natgw:n");
    for (unsigned i = 0; i < 4; i++) {
        snprintf(target, sizeof target, "p%u", i);
        lab_bind(lab, target, "hv2", 10 + i);
        snprintf(target, sizeof target, "port:p%u", i);
        attach(lab, i, target);
    }
    for (unsigned i = 0; i < 5; i++)
        snprintf(before[i], sizeof before[i], "%s", holder(lab, i));
    lab_host(lab, "gw1", cut_off(2));
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(holder(lab, i), "gw2");
    lab_host(lab, "gw2", cut_off(3));
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(holder(lab, i), before[i]);
    struct runtime_host dead = facts_of(3);
    dead.is_dead = true;
    lab_host(lab, "gw2", dead); /* by one that is cut off addresses still reach each other, by one that is dead they do not */
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(holder(lab, i), "gw1");
    lab_host(lab, "gw1", facts_of(2));
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(holder(lab, i), "gw1");
    lab_free(lab);
}

static void
a_port_s_own_host_without_a_carrier_leaves_its_address_to_a_gateway(void **unused)
{
    struct lab *lab = lab_with_pool();
    lab_bind(lab, "p0", "hv1", 10);
    attach(lab, 0, "port:p0");
    lab_host(lab, "hv1", cut_off(0));
    assert_memory_equal(holder(lab, 0), "gw", 2);
    lab_host(lab, "gw1", cut_off(2));
    assert_string_equal(holder(lab, 0), "gw2");
    lab_host(lab, "gw2", cut_off(3));
    assert_string_equal(holder(lab, 0), "hv1"); /* nobody is better */
    struct network_reach reach = runtime_network_reach(lab->runtime, "public");
    assert_true(reach.n_hosts == 3 && !reach.n_up && reach.n_gateways == 2 && !reach.n_gateways_up);
    lab_host(lab, "gw1", facts_of(2));
    assert_string_equal(holder(lab, 0), "gw1");
    lab_host(lab, "hv1", facts_of(0));
    assert_string_equal(holder(lab, 0), "hv1");
    lab_free(lab);
}

static void
an_uplink_is_narrow_if_guests_may_send_more(void **unused)
{
    struct runtime_host facts = facts_of(0);
    facts.mtu = 1500;
    assert_int_equal(runtime_narrow_uplink(&facts, "public"), 0); /* unknown */
    facts.uplinks[0].mtu = 1450;
    assert_int_equal(runtime_narrow_uplink(&facts, "public"), 0);
    facts.uplinks[0].mtu = 1449;
    assert_int_equal(runtime_narrow_uplink(&facts, "public"), 1449);
    assert_int_equal(runtime_narrow_uplink(&facts, "other"), 0);
    facts.mtu = 9000;
    facts.uplinks[0].mtu = 1500;
    assert_int_equal(runtime_narrow_uplink(&facts, "public"), 1500);
}

struct visits {
    const struct lab *lab;
    unsigned n, n_other;
};

static void
visit(void *aux, uint32_t eip)
{
    struct visits *v = aux;
    const struct eip *e = model_eip(v->lab->model, eip);
    v->n++;
    v->n_other += strcmp(model_pool(v->lab->model, e->pool)->o.name, "public") != 0;
}

/* Those of other networks have nothing to do with it. */
static void
a_carrier_that_is_lost_concerns_the_addresses_of_its_network_alone(void **unused)
{
    struct lab *lab = lab_with_pool();
    lab_do(lab, "[{'op':'add','type':'pool','name':'other','values':{'cidr':'198.51.100.0/24','uplink':'other'}},"
                "{'op':'add','type':'eip','values':{'pool':'other','ip':'198.51.100.9'}}]");
    struct runtime_host before = lab_with_uplink(facts_of(2), "other", 40, true), after = before;
    before.number = after.number = lab_number(lab, OBJECT_HOST, "gw1");
    after.uplinks[0].is_down = true;
    struct view view = { .model = lab->model, .runtime = lab->runtime };
    struct vnet_event event = { .kind = EVENT_HOST, .number = before.number, .host_before = &before, .host_after = &after };
    struct visits v = { .lab = lab };
    placement_affected(&view, &event, visit, &v);
    assert_true(v.n == N_EIPS && !v.n_other);
    after.uplinks[0].is_down = false;
    after.uplinks[0].mtu = 8000; /* all fits */
    placement_affected(&view, &event, visit, &v);
    assert_int_equal(v.n, N_EIPS);
    after.uplinks[0].mtu = 700;
    placement_affected(&view, &event, visit, &v);
    assert_true(v.n == 2 * N_EIPS && !v.n_other);
    after.is_dead = true;
    placement_affected(&view, &event, visit, &v);
    assert_int_equal(v.n_other, 1);
    lab_free(lab);
}

/* ---- counted drops ---- */

struct fragments {
    uint32_t number;
    unsigned n_out, n_in;
};

static void
count_fragments(void *aux, const struct spec *s)
{
    struct fragments *f = aux;
    if (cookie_number(s->cookie) != f->number || reject_reason_of(s->cookie, s->table, s->priority) != REASON_FRAGMENT)
        return;
    f->n_out += s->table == STAGE_NAT_OUT;
    f->n_in += s->table == STAGE_NAT_IN;
}

static void
expect_fragments_counted(const struct lab *lab, const char *host, enum object_type type, const char *name)
{
    struct fragments f = { .number = lab_number(lab, type, name) };
    flow_table_each(lab_table(lab, lab_number(lab, OBJECT_HOST, host)), count_fragments, &f);
    assert_int_equal(f.n_out, 1);
    assert_int_equal(f.n_in, 1);
}

static void
fragments_given_up_are_counted_by_one_flow_of_each_way(void **unused)
{
    struct lab *lab = lab_with_pool();
    lab_bind(lab, "p0", "hv1", 10);
    lab_bind(lab, "p4", "hv2", 11);
    attach(lab, 0, "port:p0");
    attach(lab, 1, "natgw:n");
    lab_run(lab);
    expect_fragments_counted(lab, "hv1", OBJECT_EIP, "203.0.113.10");
    expect_fragments_counted(lab, holder(lab, 1), OBJECT_NATGW, "n");
    lab_free(lab);
}

static void
count_quotes(void *aux, const struct spec *s)
{
    struct fragments *f = aux;
    if (cookie_number(s->cookie) != f->number || reject_reason_of(s->cookie, s->table, s->priority) != REASON_ICMP)
        return;
    f->n_out += s->table == STAGE_NAT_OUT;
    f->n_in += s->table == STAGE_NAT_IN;
}

static void
expect_quotes_counted(const struct lab *lab, const char *host, enum object_type type, const char *name)
{
    struct fragments f = { .number = lab_number(lab, type, name) };
    flow_table_each(lab_table(lab, lab_number(lab, OBJECT_HOST, host)), count_quotes, &f);
    assert_int_equal(f.n_out, N_ICMP_QUOTING_TYPES);
    assert_int_equal(f.n_in, N_ICMP_QUOTING_TYPES);
}

static void
redirects_and_source_quenches_are_counted_by_a_flow_of_each_way(void **unused)
{
    struct lab *lab = lab_with_pool();
    lab_bind(lab, "p0", "hv1", 10);
    attach(lab, 0, "port:p0");
    attach(lab, 1, "natgw:n");
    lab_run(lab);
    expect_quotes_counted(lab, "hv1", OBJECT_EIP, "203.0.113.10");
    expect_quotes_counted(lab, holder(lab, 1), OBJECT_NATGW, "n");
    lab_free(lab);
}

/* ---- any sequence ---- */

static json_t *
op_attach(struct storm *s)
{
    char name[24], target[16] = "natgw:n";
    snprintf(name, sizeof name, "203.0.113.%u", 10 + pick(s, N_EIPS));
    if (!pick(s, 4))
        return json_pack("{ss ss ss s{sn}}", "op", "set", "type", "eip", "name", name, "values", "attached");
    if (pick(s, 5))
        snprintf(target, sizeof target, "port:p%u", pick(s, N_PORTS));
    return json_pack("{ss ss ss s{ss} sb}", "op", "set", "type", "eip", "name", name, "values", "attached", target, "move", pick(s, 2));
}

static json_t *
op_eip(struct storm *s)
{
    char name[24];
    snprintf(name, sizeof name, "203.0.113.%u", 10 + pick(s, N_EIPS));
    return pick(s, 2) ? json_pack("{ss ss s{ss ss}}", "op", "add", "type", "eip", "values", "pool", "public", "ip", name)
                      : json_pack("{ss ss ss}", "op", "del", "type", "eip", "name", name);
}

static json_t *
op_route(struct storm *s)
{
    static const char *const targets[] = { "igw", "natgw:n", "blackhole" };
    const char *rtb = pick(s, 2) ? "v" : "inner";
    if (pick(s, 2))
        return json_pack("{ss ss s{ss ss ss}}", "op", "add", "type", "route", "values", "rtb", rtb, "prefix",
                         pick(s, 3) ? "0.0.0.0/0" : "198.18.0.0/15", "target", targets[pick(s, 3)]);
    return json_pack("{ss ss ss}", "op", "del", "type", "route", "name", pick(s, 2) ? "v/0.0.0.0/0" : "inner/0.0.0.0/0");
}

static json_t *
op_other(struct storm *s)
{
    switch (pick(s, 4)) {
    case 0:
        return json_pack("{ss ss ss s{ss}}", "op", "set", "type", "subnet", "name", pick(s, 2) ? "a" : "b", "values", "rtb",
                         pick(s, 2) ? "v" : "inner");
    case 1:
        return json_pack("{ss ss ss s{ss ss}}", "op", "add", "type", "natgw", "name", "n", "values", "subnet", pick(s, 2) ? "a" : "b",
                         "ports", pick(s, 2) ? "1024-65535" : "2000-2007");
    case 2: return json_pack("{ss ss ss}", "op", "del", "type", "natgw", "name", "n");
    default: return op_route(s);
    }
}

static json_t *
op_any(struct storm *s)
{
    unsigned kind = pick(s, 10);
    return kind < 6 ? op_attach(s) : kind < 8 ? op_eip(s) : op_other(s);
}

static void
storm_host(struct storm *s)
{
    unsigned h = pick(s, N_HOSTS);
    struct runtime_host facts = facts_of(h);
    facts.is_dead = h >= 2 && !pick(s, 3);
    if (h != 1 && !pick(s, 3))
        facts.uplinks[0].ofport = 30;
    else if (!pick(s, 4))
        facts.n_uplinks = 0;
    facts.uplinks[0].is_down = facts.n_uplinks && !pick(s, 3);
    facts.uplinks[0].mtu = facts.n_uplinks && pick(s, 2) ? 1300 : 0;
    if (!pick(s, 4))
        facts.mtu = 1400;
    lab_host(s->lab, host_names[h], facts);
}

/* An address has just left a host, perhaps the one that holds it, or that is over. */
static void
storm_trail(struct storm *s)
{
    char name[24];
    snprintf(name, sizeof name, "203.0.113.%u", 10 + pick(s, N_EIPS));
    uint32_t eip = lab_number(s->lab, OBJECT_EIP, name);
    if (eip)
        lab_set_trail(s->lab, eip, pick(s, 4) ? lab_number(s->lab, OBJECT_HOST, host_names[pick(s, N_HOSTS)]) : 0);
}

static void
any_sequence_of_changes_gives_what_a_fresh_compile_gives(void **unused)
{
    struct storm s = { lab_with_pool(), random_seeded(), op_any, host_names, N_HOSTS, N_PORTS, 0 };
    for (unsigned step = 0; step < N_STEPS; step++) {
        unsigned kind = pick(&s, 20);
        if (kind < 11)
            storm_transaction(&s);
        else if (kind < 16)
            storm_bind(&s);
        else if (kind < 18)
            storm_host(&s);
        else if (kind < 19)
            storm_trail(&s);
        else
            lab_gateway_mac(s.lab, "public", (struct mac){ { 2, 0, 0, 0, 9, pick(&s, 4) } });
        storm_settle(&s, step);
    }
    assert_true(s.n_done > N_STEPS / 10);
    lab_free(s.lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_held_where_its_port_is_if_that_host_reaches_the_network),
        cmocka_unit_test(without_a_route_to_the_internet_gateway_no_address_is_held),
        cmocka_unit_test(a_dead_gateway_s_addresses_go_to_another_and_no_other_moves),
        cmocka_unit_test(a_gateway_without_a_carrier_holds_nothing_while_another_has_one),
        cmocka_unit_test(a_port_s_own_host_without_a_carrier_leaves_its_address_to_a_gateway),
        cmocka_unit_test(an_uplink_is_narrow_if_guests_may_send_more),
        cmocka_unit_test(a_carrier_that_is_lost_concerns_the_addresses_of_its_network_alone),
        cmocka_unit_test(redirects_and_source_quenches_are_counted_by_a_flow_of_each_way),
        cmocka_unit_test(fragments_given_up_are_counted_by_one_flow_of_each_way),
        cmocka_unit_test(any_sequence_of_changes_gives_what_a_fresh_compile_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
