/* vnet/model: random transactions of security groups, their rules, ports and load balancers: whatever passes leaves indices as a fresh model has
 * them, marks as a walk over all rules and balancers finds them, and for each combination of groups that ports have one object, for no other any;
 * whatever is aborted leaves everything as it was. */
#include "tests/unit/model_dump.h"

#define N_VPCS 2
#define N_GROUPS 4
#define N_RULES 8
#define N_PORTS 6
#define N_BALANCERS 3
#define N_TGS 3
#define ROUNDS 4000
#define OPS_MAX 4

static const char *const del[] = { "sg", "port", "lb", "tg" };
static const char letter[] = { 'g', 'p', 'b', 't' };

static unsigned
pick(struct lab *lab, unsigned n)
{
    return random_below(&lab->random, n);
}

/* ---- operations: any may be refused ---- */

/* Groups g0.. of VPC v0 and v1 in turn, so that combinations over VPCs are tried too. */
static bool
op_group(struct lab *lab)
{
    unsigned g = pick(lab, N_GROUPS);
    return lab_try(lab, NULL, "{'op':'add','type':'sg','name':'g%u','values':{'vpc':'v%u'}}", g, g % N_VPCS);
}

static bool
op_rule(struct lab *lab)
{
    char peer[24] = "10.0.0.0/8";
    unsigned r = pick(lab, N_RULES);
    if (!pick(lab, 3))
        return lab_try(lab, NULL, "{'op':'del','type':'sg-rule','id':'0000000%u-0000-4000-8000-000000000000'}", r);
    if (pick(lab, 3))
        snprintf(peer, sizeof peer, "sg:g%u", pick(lab, N_GROUPS));
    return lab_try(lab, NULL,
                   "{'op':'add','type':'sg-rule','id':'0000000%u-0000-4000-8000-000000000000','values':"
                   "{'sg':'g%u','direction':'%s','proto':'tcp','ports':'%u','peer':'%s'}}",
                   r, pick(lab, N_GROUPS), pick(lab, 2) ? "ingress" : "egress", 80 + pick(lab, 2), peer);
}

static bool
op_port(struct lab *lab)
{
    static const char *const groups[] = { "['g0']", "['g0','g2']", "['g2','g0']", "['g1']", "['g1','g3']", "['g0','g1']", "'none'" };
    const char *sg = groups[pick(lab, sizeof groups / sizeof *groups)];
    unsigned p = pick(lab, N_PORTS);
    if (pick(lab, 2))
        return lab_try(lab, NULL, "{'op':'set','type':'port','name':'p%u','values':{'sg':%s}}", p, sg);
    if (!pick(lab, 3))
        return lab_try(lab, NULL, "{'op':'add','type':'port','name':'p%u','values':{'subnet':'s%u'}}", p, p % N_VPCS);
    return lab_try(lab, NULL, "{'op':'add','type':'port','name':'p%u','values':{'subnet':'s%u','sg':%s}}", p, p % N_VPCS, sg);
}

static bool
op_balancer(struct lab *lab)
{
    unsigned b = pick(lab, N_BALANCERS), t = pick(lab, N_TGS), p = pick(lab, N_PORTS);
    switch (pick(lab, 7)) {
    case 0: return lab_try(lab, NULL, "{'op':'add','type':'lb','name':'b%u','values':{'subnet':'s%u'}}", b, b % N_VPCS);
    case 1:
        return lab_try(lab, NULL, "{'op':'add','type':'tg','name':'t%u','values':{'vpc':'v%u','proto':'tcp','port':'80'}}", t, t % N_VPCS);
    case 2:
        return lab_try(lab, NULL, "{'op':'add','type':'listener','values':{'lb':'b%u','proto':'tcp','port':'%u','tg':'t%u'}}", b,
                       80 + pick(lab, 2), t);
    case 3: return lab_try(lab, NULL, "{'op':'del','type':'listener','name':'b%u/tcp:%u'}", b, 80 + pick(lab, 2));
    case 4: return lab_try(lab, NULL, "{'op':'set','type':'listener','name':'b%u/tcp:80','values':{'tg':'t%u'}}", b, t);
    case 5: return lab_try(lab, NULL, "{'op':'del','type':'target','name':'t%u/p%u'}", t, p);
    default: return lab_try(lab, NULL, "{'op':'add','type':'target','values':{'tg':'t%u','port':'p%u'}}", t, p);
    }
}

static bool
random_operation(struct lab *lab)
{
    unsigned kind = pick(lab, 10), which = pick(lab, 4);
    if (kind == 0)
        return lab_try(lab, NULL, "{'op':'del','type':'%s','name':'%c%u'}", del[which], letter[which], pick(lab, N_GROUPS));
    return kind < 2 ? op_group(lab) : kind < 4 ? op_rule(lab) : kind < 7 ? op_port(lab) : op_balancer(lab);
}

/* ---- what must be so ---- */

#define EACH(LAB, O, TYPE)         \
    const struct object *O = NULL; \
    (O = model_next((LAB)->m, TYPE, O ? O->number : 0)) != NULL;

static void
check_peers(const struct lab *lab)
{
    for (EACH(lab, o, OBJECT_SG)) {
        const struct sg *sg = model_sg(lab->m, o->number);
        bool is_named[2] = { false, false };
        for (EACH(lab, r, OBJECT_SG_RULE)) {
            const struct sg_rule *rule = (const void *) r;
            if (rule->peer == o->number)
                is_named[rule->is_ingress] = true;
        }
        assert_int_equal(sg->is_ingress_peer, is_named[true]);
        assert_int_equal(sg->is_egress_peer, is_named[false]);
    }
}

static void
check_balanced(const struct lab *lab)
{
    for (EACH(lab, o, OBJECT_VPC)) {
        bool has_balancer = false;
        for (EACH(lab, b, OBJECT_LB))
            has_balancer |= ((const struct lb *) (const void *) b)->vpc == o->number;
        assert_int_equal(model_vpc(lab->m, o->number)->is_balanced, has_balancer);
    }
}

static bool
is_same(const struct number_list *a, const struct number_list *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof *a->v));
}

static void
check_combinations(const struct lab *lab)
{
    for (EACH(lab, o, OBJECT_SG_SET)) {
        const struct sg_set *set = (const void *) o;
        unsigned n_ports = 0, n_equal = 0;
        for (EACH(lab, p, OBJECT_PORT))
            n_ports += ((const struct port *) (const void *) p)->sg_set == o->number;
        for (EACH(lab, other, OBJECT_SG_SET))
            n_equal += is_same(&set->groups, &((const struct sg_set *) (const void *) other)->groups);
        assert_true(n_ports > 0);
        assert_int_equal(n_equal, 1);
    }
    for (EACH(lab, p, OBJECT_PORT)) {
        const struct port *port = (const void *) p;
        const struct object *o = model_get(lab->m, port->sg_set, OBJECT_SG_SET);
        assert_int_equal(o != NULL, port->sg.n > 0);
        if (o)
            assert_true(is_same(&port->sg, &((const struct sg_set *) (const void *) o)->groups));
    }
}

/* ---- transactions ---- */

/* Committed or not, and whether it could have been. */
static bool
random_transaction(struct lab *lab)
{
    json_t *before = dump(lab->m, VIEW_COMMITTED);
    bool ok = true;
    lab_begin(lab);
    for (unsigned i = 0, n = 1 + pick(lab, 1 + pick(lab, OPS_MAX)); ok && i < n; i++)
        ok = random_operation(lab);
    ok = ok && transaction_finish(lab->t, &lab->err);
    if (ok && pick(lab, 4)) {
        transaction_commit(lab->t);
        transaction_free(lab->t);
        lab->t = NULL;
        json_decref(before);
        return true;
    }
    lab_abort(lab);
    assert_json_equal(before, dump(lab->m, VIEW_COMMITTED));
    return false;
}

static void
marks_and_combinations_are_what_a_walk_over_everything_finds(void **unused)
{
    struct lab *lab = malloc(sizeof *lab);
    unsigned n_done = 0;
    lab_init(lab);
    for (int v = 0; v < N_VPCS; v++) {
        lab_begin(lab);
        assert_true(lab_try(lab, NULL, "{'op':'add','type':'vpc','name':'v%d','values':{'cidr':'10.0.0.0/16'}}", v));
        assert_true(lab_try(lab, NULL, "{'op':'add','type':'subnet','name':'s%d','values':{'vpc':'v%d','cidr':'10.0.1.0/24'}}", v, v));
        lab_commit(lab);
    }
    lab->random = random_seeded();
    for (int i = 0; i < ROUNDS; i++) {
        if (!random_transaction(lab))
            continue;
        n_done++;
        check_peers(lab);
        check_balanced(lab);
        check_combinations(lab);
        check_indices(lab->m);
    }
    assert_true(n_done > ROUNDS / 20);
    lab_done(lab);
    free(lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_and_combinations_are_what_a_walk_over_everything_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
