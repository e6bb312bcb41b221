/* Load balancers: any sequence of changes to them, their targets, their health, the ports and hosts leaves each host with what a fresh compile
 * gives; and when a target leaves, the others keep the buckets they had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/vnet_storm.h"
#include "vnet/feature/lb/lb_private.h"
#include "vnet/pipeline/placement.h"

#define N_STEPS 1500
#define N_PORTS 6
#define N_GROUPS 3 /* g0 and g1 by TCP, g2 by UDP; g1 drains */
#define N_BALANCERS 2
#define N_HOSTS 3 /* hv1 with an uplink, hv2 without one, a gateway */

static const char *const host_names[N_HOSTS] = { "hv1", "hv2", "gw1" };

static struct runtime_host
facts_of(unsigned h)
{
    struct runtime_host facts = lab_facts(h);
    return h == 1 ? facts : lab_with_uplink(facts, "public", 20 + h, h == 2);
}

/* Ports p0..p2 have groups, of which p2's filter nothing; p3 and p4 have none; p5 is in a subnet without a way out. */
static void
add_ports(struct lab *lab)
{
    static const char *const groups[N_PORTS] = { "v", "v", "open", "none", "none", "v" };
    for (unsigned i = 0; i < N_PORTS; i++)
        lab_do(lab, "[{'op':'add','type':'port','name':'p%u','values':{'subnet':'%s','sg':'%s'}}]", i, i < 5 ? "a" : "b", groups[i]);
}

static struct lab *
lab_with_balancers(void)
{
    struct lab *lab = lab_new();
    for (unsigned h = 0; h < N_HOSTS; h++)
        lab_host(lab, host_names[h], facts_of(h));
    lab_do(
        lab,
        "[{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'}},"
        "{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.10'}},"
        "{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.11'}},"
        "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
        "{'op':'add','type':'igw','values':{'vpc':'v'}},"
        "{'op':'add','type':'rtb','name':'inner','values':{'vpc':'v'}},"
        "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"
        "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
        "{'op':'add','type':'subnet','name':'b','values':{'vpc':'v','cidr':'10.0.2.0/24','rtb':'inner'}},"
        "{'op':'add','type':'sg','name':'open','values':{'vpc':'v'}},"
        "{'op':'add','type':'sg-rule','id':'00000001-0000-4000-8000-000000000000','values':{'sg':'open','direction':'ingress','proto':'all','ports':'-','peer':'0.0.0.0/0'}},"
        "{'op':'add','type':'tg','name':'g0','values':{'vpc':'v','proto':'tcp','port':80,'drain':0}},"
        "{'op':'add','type':'tg','name':'g1','values':{'vpc':'v','proto':'tcp','port':443}},"
        "{'op':'add','type':'tg','name':'g2','values':{'vpc':'v','proto':'udp','port':53,'drain':0}}]");
    add_ports(lab);
    return lab;
}

/* ---- any sequence ---- */

static json_t *
op_del(const char *type, const char *name)
{
    return json_pack("{ss ss ss}", "op", "del", "type", type, "name", name);
}

static json_t *
op_balancer(struct storm *s)
{
    char name[8];
    snprintf(name, sizeof name, "b%u", pick(s, N_BALANCERS));
    if (!pick(s, 4))
        return op_del("lb", name);
    if (!pick(s, 3))
        return json_pack("{ss ss ss s{ss}}", "op", "set", "type", "lb", "name", name, "values", "affinity", pick(s, 2) ? "source" : "none");
    return json_pack("{ss ss ss s{ss}}", "op", "add", "type", "lb", "name", name, "values", "subnet", pick(s, 4) ? "a" : "b");
}

static json_t *
op_listener(struct storm *s)
{
    char lb[8], name[24], tg[8];
    unsigned g = pick(s, N_GROUPS), port = 80 + pick(s, 2);
    snprintf(lb, sizeof lb, "b%u", pick(s, N_BALANCERS));
    snprintf(tg, sizeof tg, "g%u", g);
    snprintf(name, sizeof name, "%s/%s:%u", lb, g == 2 ? "udp" : "tcp", port);
    if (!pick(s, 3))
        return op_del("listener", name);
    if (!pick(s, 4))
        return json_pack("{ss ss ss s{ss}}", "op", "set", "type", "listener", "name", name, "values", "tg", tg);
    return json_pack("{ss ss s{ss ss si ss}}", "op", "add", "type", "listener", "values", "lb", lb, "proto", g == 2 ? "udp" : "tcp", "port",
                     (int) port, "tg", tg);
}

static json_t *
op_target(struct storm *s)
{
    char tg[8], port[8], name[24];
    snprintf(tg, sizeof tg, "g%u", pick(s, N_GROUPS));
    snprintf(port, sizeof port, "p%u", pick(s, N_PORTS));
    snprintf(name, sizeof name, "%s/%s", tg, port);
    if (!pick(s, 3))
        return op_del("target", name);
    if (!pick(s, 3))
        return json_pack("{ss ss ss s{si}}", "op", "set", "type", "target", "name", name, "values", "weight", (int) pick(s, 4));
    return json_pack("{ss ss s{ss ss si si}}", "op", "add", "type", "target", "values", "tg", tg, "port", port, "weight", (int) pick(s, 4),
                     "target_port", (int) (8080 + pick(s, 2)));
}

static json_t *
op_attach(struct storm *s)
{
    char target[16];
    const char *name = pick(s, 2) ? "203.0.113.10" : "203.0.113.11";
    if (!pick(s, 4))
        return json_pack("{ss ss ss s{sn}}", "op", "set", "type", "eip", "name", name, "values", "attached");
    snprintf(target, sizeof target, pick(s, 4) ? "lb:b%u" : "port:p%u", pick(s, N_BALANCERS));
    return json_pack("{ss ss ss s{ss} sb}", "op", "set", "type", "eip", "name", name, "values", "attached", target, "move", 1);
}

static json_t *
op_port(struct storm *s)
{
    static const char *const groups[] = { "v", "open", "none" };
    char name[8];
    snprintf(name, sizeof name, "p%u", pick(s, N_PORTS));
    return json_pack("{ss ss ss s{ss}}", "op", "set", "type", "port", "name", name, "values", "sg", groups[pick(s, 3)]);
}

static json_t *
op_other(struct storm *s)
{
    char name[8];
    switch (pick(s, 4)) {
    case 0:
        snprintf(name, sizeof name, "g%u", pick(s, N_GROUPS));
        return json_pack("{ss ss ss s{si}}", "op", "set", "type", "tg", "name", name, "values", "port", (int) (80 + pick(s, 3)));
    case 1: return json_pack("{ss ss ss s{ss}}", "op", "set", "type", "subnet", "name", "a", "values", "rtb", pick(s, 3) ? "v" : "inner");
    case 2:
        return pick(s, 2) ? op_del("route", "v/0.0.0.0/0")
                          : json_pack("{ss ss s{ss ss ss}}", "op", "add", "type", "route", "values", "rtb", "v", "prefix", "0.0.0.0/0",
                                      "target", "igw");
    default: return op_port(s);
    }
}

static json_t *
op_any(struct storm *s)
{
    unsigned kind = pick(s, 20);
    return kind < 3 ? op_balancer(s) : kind < 8 ? op_listener(s) : kind < 14 ? op_target(s) : kind < 17 ? op_attach(s) : op_other(s);
}

static void
storm_health(struct storm *s)
{
    const struct object *o = NULL;
    for (unsigned n = 1 + pick(s, 8); n; n--)
        o = model_next(s->lab->model, OBJECT_TARGET, o ? o->number : 0);
    if (!o)
        return;
    struct vnet_event event = { .kind = EVENT_TARGET, .number = o->number };
    runtime_set_target_state(s->lab->runtime, o->number, pick(s, 3));
    compiler_changed(s->lab->compiler, &event, NULL, NULL);
}

static void
storm_host(struct storm *s)
{
    unsigned h = pick(s, N_HOSTS);
    struct runtime_host facts = facts_of(h);
    facts.is_dead = h == 2 && !pick(s, 3);
    if (h != 1 && !pick(s, 3))
        facts.uplinks[0].ofport = 30;
    else if (!pick(s, 4))
        facts.n_uplinks = 0;
    facts.uplinks[0].is_down = facts.n_uplinks && !pick(s, 3);
    facts.uplinks[0].mtu = facts.n_uplinks && pick(s, 2) ? 1300 : 0;
    lab_host(s->lab, host_names[h], facts);
}

static void
any_sequence_of_changes_gives_what_a_fresh_compile_gives(void **unused)
{
    struct storm s = { lab_with_balancers(), random_seeded(), op_any, host_names, N_HOSTS, N_PORTS, 0 };
    for (unsigned step = 0; step < N_STEPS; step++) {
        unsigned kind = pick(&s, 20);
        if (kind < 10)
            storm_transaction(&s);
        else if (kind < 14)
            storm_health(&s);
        else if (kind < 18)
            storm_bind(&s);
        else
            storm_host(&s);
        storm_settle(&s, step);
    }
    assert_true(s.n_done > N_STEPS / 10);
    lab_free(s.lab);
}

/* ---- who is chosen ---- */

/* Group g0's targets on p0..p3 in this order, those of p0..p2 in these states: I, H, U; p3's is healthy, but may not be chosen: it has no
 * weight. Who is chosen is a letter, C; who is not but keeps its connections, k; else '-'. */
static const char *
fate(struct lab *lab, const char *states)
{
    static char text[5];
    struct view view = { .model = lab->model, .runtime = lab->runtime };
    struct lb_health group;
    const struct target *targets[4];
    for (unsigned i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "g0/p%u", i);
        targets[i] = model_target(lab->model, lab_number(lab, OBJECT_TARGET, name));
        char c = i < 3 ? states[i] : 'H';
        runtime_set_target_state(lab->runtime, targets[i]->o.number,
                                 c == 'I'   ? TARGET_INITIAL
                                 : c == 'H' ? TARGET_HEALTHY
                                            : TARGET_UNHEALTHY);
    }
    group = lb_health_of(&view, targets[0]->tg);
    for (unsigned i = 0; i < 4; i++) {
        bool is_kept = lb_keeps(&group, runtime_target_state(lab->runtime, targets[i]->o.number));
        text[i] = target_is_chosen(&view, &group, targets[i]) ? 'C' : is_kept ? 'k' : '-';
    }
    return text;
}

static void
a_group_fails_open_while_none_is_healthy_and_one_is_unhealthy(void **unused)
{
    struct lab *lab = lab_with_balancers();
    for (unsigned i = 0; i < 4; i++)
        lab_do(lab, "[{'op':'add','type':'target','values':{'tg':'g0','port':'p%u','weight':%u}}]", i, i == 3 ? 0 : 2);
    assert_string_equal(fate(lab, "III"), "kkkk");
    assert_string_equal(fate(lab, "UUU"), "CCCk");
    assert_string_equal(fate(lab, "UUI"), "CCCk"); /* one that is new ends nothing */
    assert_string_equal(fate(lab, "UII"), "CCCk");
    assert_string_equal(fate(lab, "UUH"), "--Ck");
    assert_string_equal(fate(lab, "UIH"), "-kCk");
    assert_string_equal(fate(lab, "IIH"), "kkCk");
    lab_do(lab, "[{'op':'set','type':'target','name':'g0/p0','values':{'weight':0}}]");
    assert_string_equal(fate(lab, "UII"), "kkkk"); /* it gets none anyhow; but nobody could take what it has */
    assert_string_equal(fate(lab, "UIH"), "-kCk");
    assert_string_equal(fate(lab, "HUI"), "kCCk");
    lab_free(lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_fails_open_while_none_is_healthy_and_one_is_unhealthy),
        cmocka_unit_test(any_sequence_of_changes_gives_what_a_fresh_compile_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
