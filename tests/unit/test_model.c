/* vnet/model: long random sequences of transactions against a plain model of a few arrays, with the indices compared with those of a model
 * loaded afresh; a transaction that is aborted leaves everything as it was. */
#include "tests/unit/model_dump.h"
#include "tests/unit/plain_model.h"

#define ROUNDS 2500
#define OPS_MAX 12

static bool
random_public_operation(struct world *w)
{
    struct random *r = &w->lab.random;
    int vpc = random_below(r, N_VPCS), natgw = random_below(r, N_NATGWS), pool = random_below(r, N_POOLS);
    int eip = random_below(r, N_EIPS);
    struct goal port = { GOAL_PORT, random_below(r, N_PORTS) }, gateway = { GOAL_NATGW, natgw };
    switch (random_below(r, 16)) {
    case 0: return igw_add(w, vpc);
    case 1: return igw_del(w, vpc);
    case 2: return natgw_add(w, natgw, random_below(r, N_SUBNETS));
    case 3: return natgw_del(w, natgw);
    case 4:
    case 5: return pool_add(w, pool);
    case 6: return pool_del(w, pool);
    case 7:
    case 8: return eip_add(w, eip, pool, 0);
    case 9: return eip_add(w, eip, pool, 1 + random_below(r, 16));
    case 10: return eip_del(w, eip);
    case 11: return eip_attach(w, eip, port, false);
    case 12: return eip_attach(w, eip, port, true);
    case 13: return eip_attach(w, eip, gateway, random_below(r, 2));
    default: return eip_attach(w, eip, (struct goal){ GOAL_NONE, 0 }, false);
    }
}

static bool
random_operation(struct world *w)
{
    struct random *r = &w->lab.random;
    int vpc = random_below(r, N_VPCS), subnet = random_below(r, N_SUBNETS), port = random_below(r, N_PORTS);
    int rtb = random_below(r, N_RTBS), rtb_or_main = (int) random_below(r, N_RTBS + 1) - 1, route = random_below(r, N_ROUTES);
    static const struct goal blackhole = { GOAL_NONE, 0 }, igw = { GOAL_IGW, 0 };
    switch (random_below(r, 26)) {
    case 0: return vpc_add(w, vpc);
    case 1: return vpc_del(w, vpc);
    case 2:
    case 3: return subnet_add(w, subnet, vpc, random_below(r, 4), 22 + random_below(r, 9));
    case 4: return subnet_del(w, subnet);
    case 5: return subnet_set_rtb(w, subnet, rtb_or_main);
    case 6:
    case 7:
    case 8: return port_add(w, port, subnet, 0);
    case 9: return port_add(w, port, subnet, 1 + random_below(r, 12));
    case 10: return port_del(w, port);
    case 11: return rtb_add(w, rtb, vpc);
    case 12: return rtb_del(w, rtb);
    case 13: return route_add(w, route, rtb_or_main, vpc, blackhole);
    case 14: return route_add(w, route, rtb_or_main, vpc, (struct goal){ GOAL_PORT, port });
    case 15: return route_add(w, route, rtb_or_main, vpc, (struct goal){ GOAL_NATGW, random_below(r, N_NATGWS) });
    case 16: return route_add(w, route, rtb_or_main, vpc, igw);
    case 17: return route_del(w, route);
    default: return random_public_operation(w);
    }
}

/* ---- comparisons ---- */
static void
count_bools(const struct world *w)
{
    const struct plain *p = &w->plain;
    size_t vpcs = 0, subnets = 0, ports = 0, rtbs = 0, routes = 0;
    for (int i = 0; i < N_VPCS; i++)
        vpcs += p->vpc[i].is;
    for (int i = 0; i < N_SUBNETS; i++)
        subnets += p->subnet[i].is;
    for (int i = 0; i < N_PORTS; i++)
        ports += p->port[i].is;
    for (int i = 0; i < N_RTBS; i++)
        rtbs += p->rtb[i].is;
    for (int i = 0; i < N_ROUTES; i++)
        routes += p->route[i].is;
    assert_int_equal(model_count(w->lab.m, OBJECT_VPC), vpcs);
    assert_int_equal(model_count(w->lab.m, OBJECT_SUBNET), subnets);
    assert_int_equal(model_count(w->lab.m, OBJECT_PORT), ports);
    assert_int_equal(model_count(w->lab.m, OBJECT_RTB), rtbs + vpcs);
    assert_int_equal(model_count(w->lab.m, OBJECT_ROUTE), routes);
}

static void
count_public(const struct world *w)
{
    const struct plain *p = &w->plain;
    size_t igws = 0, natgws = 0, n_pools = 0, eips = 0;
    for (int i = 0; i < N_VPCS; i++)
        igws += p->igw[i].is;
    for (int i = 0; i < N_NATGWS; i++)
        natgws += p->natgw[i].is;
    for (int i = 0; i < N_POOLS; i++)
        n_pools += p->pool[i].is;
    for (int i = 0; i < N_EIPS; i++)
        eips += p->eip[i].is;
    assert_int_equal(model_count(w->lab.m, OBJECT_IGW), igws);
    assert_int_equal(model_count(w->lab.m, OBJECT_NATGW), natgws);
    assert_int_equal(model_count(w->lab.m, OBJECT_POOL), n_pools);
    assert_int_equal(model_count(w->lab.m, OBJECT_EIP), eips);
}

static uint32_t
number_of(const struct world *w, enum object_type type, char letter, int n)
{
    char name[20];
    snprintf(name, sizeof name, "%c%d", letter, n);
    const struct object *o = lab_find(&w->lab, type, name);
    return o ? o->number : 0;
}

static void
check_eips(const struct world *w)
{
    const struct model *m = w->lab.m;
    for (int i = 0; i < N_EIPS; i++) {
        if (!w->plain.eip[i].is)
            continue;
        struct goal goal = w->plain.eip[i].goal;
        const struct eip *e = model_eip(m, model_eip_by_ip(m, ip4(w->plain.eip[i].ip)));
        assert_non_null(e);
        assert_int_equal(e->pool, number_of(w, OBJECT_POOL, 'o', w->plain.eip[i].pool));
        uint32_t holder = goal.kind == GOAL_PORT    ? number_of(w, OBJECT_PORT, 'p', goal.n)
                          : goal.kind == GOAL_NATGW ? number_of(w, OBJECT_NATGW, 'n', goal.n)
                                                    : 0;
        assert_int_equal(e->attached.number, holder);
        assert_int_equal(e->attached.kind == TARGET_NONE, goal.kind == GOAL_NONE);
        assert_int_equal(holder ? model_eip_of(m, holder) : 0, holder ? e->o.number : 0);
    }
}

static void
check_igws(const struct world *w)
{
    const struct plain *p = &w->plain;
    for (int v = 0; v < N_VPCS; v++)
        assert_int_equal(model_igw_of(w->lab.m, number_of(w, OBJECT_VPC, 'v', v)), number_of(w, OBJECT_IGW, 'v', v));
    for (int s = 0; s < N_SUBNETS; s++) {
        bool expected = false;
        for (int i = 0; i < N_ROUTES; i++)
            expected |= p->route[i].is && p->route[i].goal.kind == GOAL_IGW && p->route[i].rtb == p->subnet[s].rtb
                        && p->route[i].goal.n == p->subnet[s].vpc;
        const struct subnet *subnet = model_subnet(w->lab.m, number_of(w, OBJECT_SUBNET, 's', s));
        assert_int_equal(subnet != NULL, p->subnet[s].is);
        if (subnet)
            assert_int_equal(model_subnet_reaches_igw(w->lab.m, subnet), expected);
    }
}

static void
check_against_plain(const struct world *w)
{
    const struct plain *p = &w->plain;
    char name[20];
    count_bools(w);
    count_public(w);
    check_eips(w);
    check_igws(w);
    for (int i = 0; i < N_PORTS; i++) {
        snprintf(name, sizeof name, "p%d", i);
        const struct object *o = lab_find(&w->lab, OBJECT_PORT, name);
        assert_int_equal(o != NULL, p->port[i].is);
        if (!o)
            continue;
        const struct port *port = model_port(w->lab.m, o->number);
        assert_true(ip_equal(port_ip4(port), ip4(p->port[i].ip)));
        snprintf(name, sizeof name, "s%d", p->port[i].subnet);
        assert_int_equal(port->subnet, lab_find(&w->lab, OBJECT_SUBNET, name)->number);
    }
}

static void
random_transaction(struct world *w)
{
    struct plain before = w->plain;
    json_t *dumped = dump(w->lab.m, VIEW_COMMITTED);
    bool ok = true;
    lab_begin(&w->lab);
    for (uint32_t i = 0, n = 1 + random_below(&w->lab.random, 1 + random_below(&w->lab.random, OPS_MAX)); ok && i < n; i++)
        ok = random_operation(w);
    /* Whatever was staged, readers see nothing of it. */
    size_t n_before = json_array_size(dumped) - DUMP_SIZES;
    json_t *during = dump(w->lab.m, VIEW_COMMITTED);
    for (size_t i = 0; i < n_before; i++)
        assert_true(json_equal(json_array_get(dumped, i), json_array_get(during, i)));
    json_decref(during);

    if (ok && random_below(&w->lab.random, 4)) {
        lab_commit(&w->lab);
        json_decref(dumped);
    } else {
        if (ok && random_below(&w->lab.random, 2))
            assert_true(transaction_finish(w->lab.t, &w->lab.err));
        lab_abort(&w->lab);
        w->plain = before;
        assert_json_equal(dumped, dump(w->lab.m, VIEW_COMMITTED));
    }
}

static void
random_transactions_agree_with_plain_arrays(void **unused)
{
    struct world *w = calloc(1, sizeof *w);
    lab_init(&w->lab);
    w->lab.random = random_seeded();
    for (int i = 0; i < ROUNDS; i++) {
        random_transaction(w);
        check_against_plain(w);
        check_indices(w->lab.m);
    }
    assert_true(model_revision(w->lab.m) > ROUNDS / 50);
    lab_done(&w->lab);
    free(w);
}

/* ---- reading ---- */
static bool
count_and_stop_at_two(void *n, const struct object *o)
{
    assert_int_equal(o->type, OBJECT_PORT);
    return ++*(int *) n < 2;
}

static void
objects_are_listed_by_number_from_anywhere(void **unused)
{
    struct lab lab;
    lab_init(&lab);
    lab_begin(&lab);
    lab_do(&lab, OP_VPC, "v", "10.0.0.0/8");
    lab_do(&lab, OP_SUBNET, "s", "v", "10.0.0.0/16");
    for (int i = 0; i < 10; i++)
        assert_true(lab_try(&lab, NULL, "{'op':'add','type':'port','name':'p%d','values':{'subnet':'s'}}", i));
    assert_null(model_next(lab.m, OBJECT_PORT, 0));
    lab_commit(&lab);

    uint32_t after = 0;
    int n = 0;
    for (const struct object *o; (o = model_next(lab.m, OBJECT_PORT, after)); after = o->number, n++)
        assert_true(o->number > after);
    assert_int_equal(n, 10);
    assert_null(model_next(lab.m, OBJECT_PORT, UINT32_MAX));
    n = 0;
    model_each_referrer(lab.m, lab_find(&lab, OBJECT_SUBNET, "s")->number, OBJECT_PORT, count_and_stop_at_two, &n);
    assert_int_equal(n, 2);
    assert_null(model_get(lab.m, lab_find(&lab, OBJECT_SUBNET, "s")->number, OBJECT_PORT));
    lab_done(&lab);
}

static void
tenant_default_is_there_from_the_start(void **unused)
{
    struct lab lab;
    lab_init(&lab);
    assert_int_equal(model_tenant(lab.m, "default"), TENANT_DEFAULT_NUMBER);
    assert_int_equal(model_tenant(lab.m, "nobody"), 0);
    assert_int_equal(model_count(lab.m, OBJECT_TENANT), 1);
    lab_do(&lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'port':7}}}");
    struct model *again = load_again(lab.m);
    assert_int_equal(model_count(again, OBJECT_TENANT), 1);
    const struct tenant *t = (const struct tenant *) (const void *) model_get(again, TENANT_DEFAULT_NUMBER, OBJECT_TENANT);
    assert_int_equal(uint_map_find(&t->quotas, "port")->value, 7);
    model_free(again);
    lab_done(&lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_transactions_agree_with_plain_arrays),
        cmocka_unit_test(objects_are_listed_by_number_from_anywhere),
        cmocka_unit_test(tenant_default_is_there_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
