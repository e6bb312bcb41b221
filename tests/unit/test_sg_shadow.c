/* Rules that others together make needless, at random against every packet of a small world: what is shadowed is let through by those that outlast
 * it, and all shadowed rules can be removed at once. */
#include "tests/unit/model_lab.h"

#define MAX_RULES 16
#define ROUNDS 600
#define ADDRESSES 4
#define OTHER_PROTO 47

/* Ports are 0..15, and one for all that no rule names. */
static const int ports[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 60000 };
static const int protos[] = { 6, 17, OTHER_PROTO };
#define PORTS (sizeof ports / sizeof ports[0])
#define PROTOS (sizeof protos / sizeof protos[0])

static bool
matches(const struct sg_rule *r, unsigned address, int proto, int port)
{
    return ip_prefix_contains(r->cidr, ip4(0x0a000100 + address)) && (r->match.proto < 0 || r->match.proto == proto)
           && (r->match.lo < 0 || (r->match.lo <= port && port <= r->match.hi));
}

static double
breadth(const struct sg_rule *r)
{
    double n = r->match.lo < 0 ? 65536 : r->match.hi - r->match.lo + 1;
    for (int i = r->cidr.len; i < 32; i++)
        n *= 2;
    return r->match.proto < 0 ? n * 256 : n;
}

static bool
outlasts(const struct sg_rule *a, const struct sg_rule *b)
{
    return breadth(a) > breadth(b) || (breadth(a) == breadth(b) && a->o.number < b->o.number);
}

struct group {
    const struct sg_rule *rules[MAX_RULES];
    bool is_shadowed[MAX_RULES];
    size_t n;
};

/* Is the packet let through by a rule that outlasts 'than' (NULL: by any)? */
static bool
is_let_through(const struct group *g, const struct sg_rule *than, bool without_shadowed, unsigned address, int proto, int port)
{
    for (size_t i = 0; i < g->n; i++)
        if ((!than || outlasts(g->rules[i], than)) && !(without_shadowed && g->is_shadowed[i])
            && matches(g->rules[i], address, proto, port))
            return true;
    return false;
}

static bool
is_needless(const struct group *g, const struct sg_rule *rule)
{
    for (unsigned address = 0; address < ADDRESSES; address++)
        for (size_t p = 0; p < PROTOS * PORTS; p++) {
            int proto = protos[p / PORTS], port = ports[p % PORTS];
            if (matches(rule, address, proto, port) && !is_let_through(g, rule, false, address, proto, port))
                return false;
        }
    return true;
}

static void
check_group(const struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        assert_int_equal(g->is_shadowed[i], is_needless(g, g->rules[i]));
    for (unsigned address = 0; address < ADDRESSES; address++)
        for (size_t p = 0; p < PROTOS * PORTS; p++) {
            int proto = protos[p / PORTS], port = ports[p % PORTS];
            assert_int_equal(is_let_through(g, NULL, false, address, proto, port), is_let_through(g, NULL, true, address, proto, port));
        }
}

static void
rule_text(struct random *random, char *text, size_t size)
{
    unsigned len = 30 + random_below(random, 3), address = random_below(random, ADDRESSES) >> (32 - len) << (32 - len);
    unsigned lo = random_below(random, 16), hi = lo + random_below(random, 16 - lo), kind = random_below(random, 10);
    char range[16] = "-";
    if (kind >= 4)
        snprintf(range, sizeof range, "%u-%u", lo, hi);
    snprintf(text, size,
             "{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'ingress','proto':'%s','ports':'%s','peer':'10.0.1.%u/%u'}}",
             kind == 0  ? "all"
             : kind % 3 ? "tcp"
                        : "udp",
             range, address, len);
}

static bool
note_rule(void *group, const struct object *o)
{
    struct group *g = group;
    const struct sg_rule *rule = (const struct sg_rule *) (const void *) o;
    if (rule->is_ingress)
        g->rules[g->n++] = rule;
    return true;
}

static void
what_is_shadowed_can_go_and_what_can_go_for_what_outlasts_it_is_shadowed(void **unused)
{
    struct random random = random_seeded();
    size_t n_shadowed = 0, n_rules = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct lab lab;
        struct group g = { .n = 0 };
        lab_init(&lab);
        lab_do(&lab, OP_VPC, "v", "10.0.0.0/16");
        lab_do(&lab, "{'op':'add','type':'sg','name':'g','values':{'vpc':'v'}}");
        for (unsigned i = 1 + random_below(&random, MAX_RULES); i; i--) {
            char text[300];
            json_t *result;
            rule_text(&random, text, sizeof text);
            lab_begin(&lab);
            if (lab_try(&lab, &result, "%s", text)) {
                json_decref(result);
                lab_commit(&lab);
            } else {
                lab_abort(&lab); /* there is one like it */
            }
        }
        model_each_referrer(lab.m, lab_find(&lab, OBJECT_SG, "g")->number, OBJECT_SG_RULE, note_rule, &g);
        struct sg_shadows *shadows = sg_shadows_new(lab.m, SG_SHADOWS_STEPS);
        for (size_t i = 0; i < g.n; i++)
            n_shadowed += g.is_shadowed[i] = sg_shadows_has(shadows, g.rules[i]);
        sg_shadows_free(shadows);
        n_rules += g.n;
        check_group(&g);
        lab_done(&lab);
    }
    assert_true(n_shadowed > 100 && n_shadowed < n_rules - 100);
}

#define PREFIX_BITS 10
#define COVERING (1u << PREFIX_BITS)
#define COVERED 300
#define ENOUGH (1u << 21)

static void
add_rules(struct lab *lab, unsigned covering, unsigned covered)
{
    lab_begin(lab);
    for (unsigned i = 0; i < covering; i++) {
        char cidr[IP_PREFIX_STRLEN], text[300];
        ip_prefix_format((struct ip_prefix){ ip4(i << (32 - PREFIX_BITS)), PREFIX_BITS }, cidr);
        snprintf(text, sizeof text, "{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'ingress','proto':'all','peer':'%s'}}",
                 cidr);
        lab_do(lab, "%s", text);
    }
    for (unsigned i = 1; i <= covered; i++)
        lab_do(lab, "{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'ingress','proto':'tcp','ports':'%u','peer':'0.0.0.0/0'}}",
               i);
    lab_commit(lab);
}

static size_t
count_shadowed(const struct lab *lab, unsigned steps)
{
    size_t n = 0;
    struct sg_shadows *shadows = sg_shadows_new(lab->m, steps);
    for (const struct object *o = NULL; (o = model_next(lab->m, OBJECT_SG_RULE, o ? o->number : 0));)
        n += sg_shadows_has(shadows, model_sg_rule(lab->m, o->number));
    sg_shadows_free(shadows);
    return n;
}

/* All those that cover everything together are there, or one of them is not. */
static void
a_large_group_is_said_within_the_bound_and_no_more_than_that(void **unused)
{
    for (unsigned missing = 0; missing < 2; missing++) {
        struct lab lab;
        lab_init(&lab);
        lab_do(&lab, OP_VPC, "v", "10.0.0.0/16");
        lab_do(&lab, "{'op':'add','type':'sg','name':'g','values':{'vpc':'v'}}");
        add_rules(&lab, COVERING - missing, COVERED);
        assert_int_equal(count_shadowed(&lab, ENOUGH), missing ? 0 : COVERED);
        if (!missing)
            assert_in_range(count_shadowed(&lab, ENOUGH / 2), 1, COVERED - 1);
        lab_done(&lab);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shadowed_can_go_and_what_can_go_for_what_outlasts_it_is_shadowed),
        cmocka_unit_test(a_large_group_is_said_within_the_bound_and_no_more_than_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
