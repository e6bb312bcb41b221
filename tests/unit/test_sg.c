/* Security groups: which packets a host's desired flows let pass is what an independent reading of the rules says, on random networks; the
 * flows are the same however one got there; and a member more costs no more where there are many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ofproto/flow/exec.h"
#include "tests/unit/random.h"
#include "tests/unit/vnet_lab.h"
#include "vnet/model/router_mac.h"

#define N_GROUPS 4
#define N_PORTS 6
#define MAX_RULES 24
#define N_STEPS 1500
#define N_PACKETS 40

/* ---- rules as the test understands them ---- */

struct rule {
    bool exists, is_ingress;
    unsigned group;
    int proto;  /* -1: all */
    int lo, hi; /* -1: any */
    int peer;   /* a group; -1: 'net' and 'len' */
    uint32_t net;
    unsigned len;
    char id[40];
};

struct scene {
    struct lab *lab;
    struct random random;
    struct rule rules[MAX_RULES];
    unsigned groups[N_PORTS]; /* bits; 0: none */
    bool is_bound[N_PORTS];
    unsigned n_passed, n_dropped, n_credited;
    unsigned n_rivals, n_abroad; /* others that would have allowed what was credited; those of another group */
};

static unsigned
pick(struct scene *s, unsigned n)
{
    return random_below(&s->random, n);
}

static uint32_t
port_ip(unsigned p)
{
    return 0x0a000105 + p; /* 10.0.1.5 and on */
}

static bool
rule_allows(const struct scene *s, const struct rule *r, unsigned groups, bool is_ingress, unsigned other, const struct exec_packet *p)
{
    if (!r->exists || r->is_ingress != is_ingress || !(groups & 1u << r->group))
        return false;
    if (r->peer >= 0 ? !(s->groups[other] & 1u << r->peer) : r->len && (port_ip(other) ^ r->net) >> (32 - r->len))
        return false;
    if (r->proto < 0)
        return true;
    unsigned proto = p->field[OF_IP_PROTO];
    if (proto != (unsigned) r->proto)
        return false;
    if (r->lo < 0)
        return true;
    if (proto == 1)
        return p->field[OF_ICMPV4_TYPE] == (unsigned) r->lo && (r->hi < 0 || p->field[OF_ICMPV4_CODE] == (unsigned) r->hi);
    unsigned port = p->field[proto == 6 ? OF_TCP_DST : OF_UDP_DST];
    return port >= (unsigned) r->lo && port <= (unsigned) r->hi;
}

static bool
is_allowed(const struct scene *s, unsigned p, bool is_ingress, unsigned other, const struct exec_packet *packet)
{
    if (!s->groups[p])
        return true;
    for (unsigned i = 0; i < MAX_RULES; i++)
        if (rule_allows(s, &s->rules[i], s->groups[p], is_ingress, other, packet))
            return true;
    return false;
}

/* ---- the network ---- */

static void
scene_init(struct scene *s)
{
    *s = (struct scene){ .lab = lab_new(), .random = random_seeded() };
    lab_host(s->lab, "hv1", lab_facts(0));
    lab_host(s->lab, "hv2", lab_facts(1));
    lab_do(s->lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                   "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}]");
    for (unsigned g = 0; g < N_GROUPS; g++) {
        lab_do(s->lab, "[{'op':'add','type':'sg','name':'g%u','values':{'vpc':'v'}}]", g);
        s->rules[g] = (struct rule){ .exists = true, .group = g, .proto = -1, .lo = -1, .hi = -1, .peer = -1 };
    }
    for (unsigned p = 0; p < N_PORTS; p++)
        lab_do(s->lab,
               "[{'op':'add','type':'port','name':'p%u','values':{'subnet':'s','ip':'10.0.1.%u',"
               "'mac':'02:00:00:00:00:%02x','sg':'none'}}]",
               p, 5 + p, 5 + p);
}

/* The rules that a new group comes with have ids too. */
static void
find_ids(struct scene *s)
{
    for (const struct object *o = NULL; (o = model_next(s->lab->model, OBJECT_SG_RULE, o ? o->number : 0)) != NULL;) {
        const struct sg_rule *r = (const void *) o;
        for (unsigned g = 0; g < N_GROUPS; g++) {
            char name[8];
            snprintf(name, sizeof name, "g%u", g);
            if (r->sg == lab_number(s->lab, OBJECT_SG, name) && !r->is_ingress && r->match.proto < 0 && !r->cidr.len && !r->peer)
                uuid_format(o->id, s->rules[g].id);
        }
    }
}

static void
values_of_rule(const struct rule *r, char text[300])
{
    char proto[8] = "all", ports[16] = "-", peer[24];
    if (r->proto >= 0)
        snprintf(proto, sizeof proto, "%s", r->proto == 6 ? "tcp" : r->proto == 17 ? "udp" : r->proto == 1 ? "icmp" : "47");
    if (r->lo >= 0)
        snprintf(ports, sizeof ports, r->hi < 0 ? "%d" : r->proto == 1 ? "%d/%d" : "%d-%d", r->lo, r->hi);
    if (r->peer >= 0)
        snprintf(peer, sizeof peer, "sg:g%d", r->peer);
    else
        snprintf(peer, sizeof peer, "%u.%u.%u.%u/%u", r->net >> 24, r->net >> 16 & 255, r->net >> 8 & 255, r->net & 255, r->len);
    snprintf(text, 300, "{'sg':'g%u','direction':'%s','proto':'%s','ports':'%s','peer':'%s'}", r->group,
             r->is_ingress ? "ingress" : "egress", proto, ports, peer);
}

static struct rule
rule_any(struct scene *s)
{
    static const int protos[] = { -1, 6, 6, 17, 1, 47 };
    struct rule r = { .exists = true, .is_ingress = pick(s, 3), .group = pick(s, N_GROUPS), .lo = -1, .hi = -1, .peer = -1 };
    r.proto = protos[pick(s, 6)];
    if (r.proto == 1 && pick(s, 2)) {
        r.lo = pick(s, 2) ? 8 : 13;
        r.hi = pick(s, 2) ? -1 : 0;
    } else if ((r.proto == 6 || r.proto == 17) && pick(s, 4)) {
        r.lo = (int) (78 + pick(s, 8));
        r.hi = r.lo + (int) pick(s, 9);
    }
    if (pick(s, 2)) {
        r.peer = (int) pick(s, N_GROUPS);
    } else {
        static const unsigned lens[] = { 0, 8, 29, 30, 31, 32 };
        r.len = lens[pick(s, 6)];
        r.net = r.len ? port_ip(pick(s, N_PORTS)) & UINT32_MAX << (32 - r.len) : 0;
    }
    if (!pick(s, 12)) /* with one of each direction a port is not filtered */
        return (struct rule){ .exists = true, .is_ingress = r.is_ingress, .group = r.group, .proto = -1, .lo = -1, .hi = -1, .peer = -1 };
    return r;
}

static bool
try_op(struct scene *s, const char *format, const char *a, const char *b)
{
    char text[500];
    struct error err;
    snprintf(text, sizeof text, format, a, b);
    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *ops = json_loads(text, 0, NULL);
    assert_non_null(ops);
    bool ok = lab_try(s->lab, ops, &err);
    json_decref(ops);
    return ok;
}

static void
rule_add(struct scene *s)
{
    struct rule r = rule_any(s);
    unsigned i = 0;
    while (i < MAX_RULES && s->rules[i].exists)
        i++;
    char values[300];
    values_of_rule(&r, values);
    uuid_format((struct uuid){ { 0 } }, r.id);
    snprintf(r.id, sizeof r.id, "%08x-0000-4000-8000-000000000000", (unsigned) random_u64(&s->random));
    if (i < MAX_RULES && try_op(s, "[{'op':'add','type':'sg-rule','id':'%s','values':%s}]", r.id, values))
        s->rules[i] = r; /* refused: there is one like it */
}

static void
rule_del(struct scene *s)
{
    struct rule *r = &s->rules[pick(s, MAX_RULES)];
    if (!r->exists)
        return;
    assert_true(try_op(s, "[{'op':'del','type':'sg-rule','name':'%s%s'}]", r->id, ""));
    r->exists = false;
}

static void
port_join(struct scene *s)
{
    unsigned p = pick(s, N_PORTS), groups = pick(s, 1u << N_GROUPS);
    char name[8], list[40] = "none";
    size_t n = 0;
    for (unsigned g = 0; g < N_GROUPS; g++)
        if (groups & 1u << g)
            n += (size_t) snprintf(list + n, sizeof list - n, "%sg%u", n ? "," : "", g);
    snprintf(name, sizeof name, "p%u", p);
    assert_true(try_op(s, "[{'op':'set','type':'port','name':'%s','values':{'sg':'%s'}}]", name, list));
    s->groups[p] = groups;
}

static void
port_bind(struct scene *s)
{
    unsigned p = pick(s, N_PORTS);
    char name[8];
    snprintf(name, sizeof name, "p%u", p);
    s->is_bound[p] = !s->is_bound[p] || pick(s, 2);
    lab_bind(s->lab, name, s->is_bound[p] ? "hv1" : pick(s, 2) ? "hv2" : NULL, 10 + p);
}

/* ---- packets ---- */

static struct exec_packet
packet_any(struct scene *s, unsigned from, unsigned to)
{
    static const unsigned protos[] = { 6, 17, 1, 47 };
    struct exec_packet p = { .bytes = 100 };
    p.field[OF_IN_PORT] = 10 + from;
    p.field[OF_ETH_SRC] = UINT64_C(0x020000000005) + from;
    p.field[OF_ETH_DST] = UINT64_C(0x020000000005) + to;
    p.field[OF_ETH_TYPE] = 0x0800;
    p.field[OF_IP_PROTO] = protos[pick(s, 4)];
    p.field[OF_IP_TTL] = 64;
    p.field[OF_IPV4_SRC] = port_ip(from);
    p.field[OF_IPV4_DST] = port_ip(to);
    p.field[OF_TCP_SRC] = p.field[OF_UDP_SRC] = 1024 + pick(s, 60000);
    p.field[OF_TCP_DST] = p.field[OF_UDP_DST] = 76 + pick(s, 20);
    p.field[OF_ICMPV4_TYPE] = pick(s, 2) ? 8 : 13;
    p.field[OF_ICMPV4_CODE] = pick(s, 2);
    return p;
}

static uint32_t
rule_number(const struct lab *lab, const char *id)
{
    struct uuid uuid;
    assert_true(uuid_parse(id, &uuid));
    return model_get_id(lab->model, uuid)->number;
}

/* How many of what it says last there are: protocols, then ports, or types and codes of ICMP. */
static unsigned
width(const struct rule *r)
{
    if (r->proto < 0)
        return 1u << 24;
    if (r->lo < 0)
        return 1u << 20;
    return r->proto != 1 ? (unsigned) (r->hi - r->lo) + 1 : r->hi < 0 ? 256 : 1;
}

/* Of two that allow a packet, who is credited with it: whose peer is narrower, who is narrower, whose peer's number is lower, whose group's is, who is
 * older. Groups have their numbers in the order in which they were made. */
static bool
is_before(const struct scene *s, const struct rule *a, const struct rule *b)
{
    unsigned peer_a = a->peer >= 0 ? 33 : a->len, peer_b = b->peer >= 0 ? 33 : b->len;
    if (peer_a != peer_b)
        return peer_a > peer_b;
    if (width(a) != width(b))
        return width(a) < width(b);
    if (a->peer != b->peer)
        return a->peer < b->peer;
    return a->group != b->group ? a->group < b->group : rule_number(s->lab, a->id) < rule_number(s->lab, b->id);
}

static void
check_credit(struct scene *s, uint32_t number, unsigned from, unsigned to, const struct exec_packet *p)
{
    const struct rule *by = NULL;
    for (unsigned i = 0; i < MAX_RULES; i++)
        if (s->rules[i].exists && rule_number(s->lab, s->rules[i].id) == number)
            by = &s->rules[i];
    assert_non_null(by);
    unsigned self = by->is_ingress ? to : from, other = by->is_ingress ? from : to;
    assert_true(rule_allows(s, by, s->groups[self], by->is_ingress, other, p));
    for (unsigned i = 0; i < MAX_RULES; i++) {
        if (&s->rules[i] == by || !rule_allows(s, &s->rules[i], s->groups[self], by->is_ingress, other, p))
            continue;
        assert_true(is_before(s, by, &s->rules[i]));
        s->n_rivals++;
        s->n_abroad += s->rules[i].group != by->group;
    }
}

static void
check_credits(struct scene *s, const struct exec_packet *p, unsigned from, unsigned to)
{
    struct arena *arena = arena_new();
    struct exec_result r;
    struct error err;
    assert_true(exec_run(lab_table(s->lab, lab_number(s->lab, OBJECT_HOST, "hv1")), p, arena, &r, &err));
    for (size_t i = 0; i < r.n_steps; i++)
        if (r.steps[i].table == STAGE_SG_RULE && r.steps[i].spec && cookie_number(r.steps[i].spec->cookie)) {
            check_credit(s, cookie_number(r.steps[i].spec->cookie), from, to, p);
            s->n_credited++;
        }
    arena_free(arena);
}

static bool
passes(struct scene *s, const struct exec_packet *p, unsigned to)
{
    struct arena *arena = arena_new();
    struct exec_result r;
    struct error err;
    struct flow_table *table = lab_table(s->lab, lab_number(s->lab, OBJECT_HOST, "hv1"));
    if (!exec_run(table, p, arena, &r, &err))
        fail_msg("%s", err.text);
    bool is_out = r.outputs[0].kind == EXEC_PORT;
    assert_int_equal(r.n_outputs, 1);
    if (is_out)
        assert_int_equal(r.outputs[0].port, 10 + to);
    arena_free(arena);
    return is_out;
}

/* The answer of a connection that both ends' trackers know. */
static struct exec_packet
answer_to(const struct exec_packet *p, unsigned from, unsigned to)
{
    struct exec_packet a = *p;
    a.field[OF_IN_PORT] = 10 + to;
    a.field[OF_ETH_SRC] = p->field[OF_ETH_DST];
    a.field[OF_ETH_DST] = p->field[OF_ETH_SRC];
    a.field[OF_IPV4_SRC] = port_ip(to);
    a.field[OF_IPV4_DST] = port_ip(from);
    a.field[OF_TCP_SRC] = a.field[OF_UDP_SRC] = p->field[OF_TCP_DST];
    a.field[OF_TCP_DST] = a.field[OF_UDP_DST] = p->field[OF_TCP_SRC];
    a.field[OF_ICMPV4_TYPE] = p->field[OF_ICMPV4_TYPE] == 8 ? 0 : 14;
    for (unsigned i = 0; i < 2; i++)
        a.ct_next[i].state = OF_CT_EST | OF_CT_RPL;
    a.n_ct_next = 2;
    return a;
}

static void
check_packet(struct scene *s)
{
    unsigned from = pick(s, N_PORTS), to = pick(s, N_PORTS);
    if (from == to || !s->is_bound[from] || !s->is_bound[to])
        return;
    struct exec_packet p = packet_any(s, from, to);
    bool expected = is_allowed(s, from, false, to, &p) && is_allowed(s, to, true, from, &p);
    if (passes(s, &p, to) != expected)
        fail_msg("p%u to p%u, protocol %u, port %u, type %u/%u: expected it to be %s", from, to, (unsigned) p.field[OF_IP_PROTO],
                 (unsigned) p.field[OF_TCP_DST], (unsigned) p.field[OF_ICMPV4_TYPE], (unsigned) p.field[OF_ICMPV4_CODE],
                 expected ? "delivered" : "dropped");
    check_credits(s, &p, from, to);
    s->n_passed += expected;
    s->n_dropped += !expected;
    if (p.field[OF_IP_PROTO] == 1 && p.field[OF_ICMPV4_TYPE] == 13)
        return; /* the executor knows echo's answer only */
    struct exec_packet a = answer_to(&p, from, to);
    assert_int_equal(passes(s, &a, from), expected);
}

static void
what_passes_is_what_the_rules_say_and_incremental_is_from_scratch(void **unused)
{
    struct scene s;
    struct error err;
    scene_init(&s);
    find_ids(&s);
    for (unsigned step = 0; step < N_STEPS; step++) {
        unsigned kind = pick(&s, 10);
        if (kind < 4)
            rule_add(&s);
        else if (kind < 6)
            rule_del(&s);
        else if (kind < 8)
            port_join(&s);
        else
            port_bind(&s);
        if (pick(&s, 4))
            continue;
        lab_run(s.lab);
        if (!lab_is_consistent(s.lab, &err))
            fail_msg("step %u: %s", step, err.text);
        for (unsigned i = 0; i < N_PACKETS; i++)
            check_packet(&s);
    }
    assert_true(s.n_passed > 100 && s.n_dropped > 100 && s.n_credited > 100 && s.n_rivals > 100 && s.n_abroad > 100);
    lab_free(s.lab);
}

/* ---- the narrowest rule has the packet ---- */

static uint32_t
rule_of_packet(struct lab *lab, uint16_t port)
{
    struct arena *arena = arena_new();
    struct exec_result r;
    struct error err;
    struct exec_packet p = { .bytes = 100 };
    p.field[OF_IN_PORT] = 10;
    p.field[OF_ETH_SRC] = UINT64_C(0x020000000005);
    p.field[OF_ETH_DST] = UINT64_C(0x020000000006);
    p.field[OF_ETH_TYPE] = 0x0800;
    p.field[OF_IP_PROTO] = 6;
    p.field[OF_IP_TTL] = 64;
    p.field[OF_IPV4_SRC] = port_ip(0);
    p.field[OF_IPV4_DST] = port_ip(1);
    p.field[OF_TCP_SRC] = 5000;
    p.field[OF_TCP_DST] = port;
    uint32_t number = 0;
    if (!exec_run(lab_table(lab, lab_number(lab, OBJECT_HOST, "hv1")), &p, arena, &r, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < r.n_steps; i++)
        if (r.steps[i].table == STAGE_SG_RULE && r.steps[i].spec && cookie_type(r.steps[i].spec->cookie) == OBJECT_SG_RULE)
            number = cookie_number(r.steps[i].spec->cookie);
    arena_free(arena);
    return number;
}

#define ID(N) "0000000" #N "-0000-4000-8000-000000000000"

static void
the_narrowest_rule_is_credited_and_the_next_one_when_it_goes(void **unused)
{
    struct lab *lab = lab_new();
    lab_host(lab, "hv1", lab_facts(0));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                "{'op':'add','type':'sg','name':'a','values':{'vpc':'v'}},{'op':'add','type':'sg','name':'b','values':{'vpc':'v'}},"
                "{'op':'add','type':'port','name':'p0','values':{'subnet':'s','ip':'10.0.1.5','mac':'02:00:00:00:00:05','sg':'none'}},"
                "{'op':'add','type':'port','name':'p1','values':{'subnet':'s','ip':'10.0.1.6','mac':'02:00:00:00:00:06','sg':'a,b'}}]");
    lab_do(
        lab,
        "[{'op':'add','type':'sg-rule','id':'" ID(
            1) "','values':{'sg':'a','direction':'ingress','proto':'all','ports':'-','peer':'0.0.0.0/0'}},"
               "{'op':'add','type':'sg-rule','id':'" ID(
                   2) "','values':{'sg':'a','direction':'ingress','proto':'tcp','ports':'80-90','peer':'0.0.0.0/0'}},"
                      "{'op':'add','type':'sg-rule','id':'" ID(
                          3) "','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'80-81','peer':'0.0.0.0/0'}},"
                             "{'op':'add','type':'sg-rule','id':'" ID(
                                 4) "','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'80-82','peer':'0.0.0.0/0'}},"
                                    "{'op':'add','type':'sg-rule','id':'" ID(
                                        5) "','values':{'sg':'a','direction':'ingress','proto':'tcp','ports':'-','peer':'10.0.1.5/32'}}]");
    /* Alike in powers of two; the first one's row of ports 180 and 181 has the longer mask, the second one has fewer ports. */
    lab_do(lab,
           "[{'op':'add','type':'sg-rule','id':'" ID(
               6) "','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'174-181','peer':'0.0.0.0/0'}},"
                  "{'op':'add','type':'sg-rule','id':'" ID(
                      7) "','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'178-184','peer':'0.0.0.0/0'}},"
                         "{'op':'add','type':'sg-rule','id':'" ID(
                             8) "','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'189-192','peer':'0.0.0.0/0'}},"
                                "{'op':'add','type':'sg-rule','id':'" ID(
                                    9) "','values':{'sg':'b','direction':'ingress','proto':'tcp','ports':'190-192','peer':'0.0.0.0/0'}}]");
    /* With egress open and rule 1, the groups would filter nothing. */
    for (const struct object *o = NULL; (o = model_next(lab->model, OBJECT_SG_RULE, o ? o->number : 0)) != NULL;) {
        const struct sg_rule *r = (const void *) o;
        char id[UUID_STRLEN];
        if (!r->is_ingress) {
            lab_do(lab, "[{'op':'del','type':'sg-rule','name':'%s'}]", uuid_format(o->id, id));
            o = NULL;
        }
    }
    lab_bind(lab, "p0", "hv1", 10);
    lab_bind(lab, "p1", "hv1", 11);
    lab_run(lab);
    assert_int_equal(rule_of_packet(lab, 80), rule_number(lab, ID(5)));
    lab_do(lab, "[{'op':'del','type':'sg-rule','name':'" ID(5) "'}]");
    lab_run(lab);
    assert_int_equal(rule_of_packet(lab, 80), rule_number(lab, ID(3)));
    assert_int_equal(rule_of_packet(lab, 82), rule_number(lab, ID(4)));
    assert_int_equal(rule_of_packet(lab, 83), rule_number(lab, ID(2)));
    assert_int_equal(rule_of_packet(lab, 443), rule_number(lab, ID(1)));
    assert_int_equal(rule_of_packet(lab, 180), rule_number(lab, ID(7)));
    assert_int_equal(rule_of_packet(lab, 177), rule_number(lab, ID(6)));
    assert_int_equal(rule_of_packet(lab, 189), rule_number(lab, ID(8)));
    assert_int_equal(rule_of_packet(lab, 190), rule_number(lab, ID(9)));
    lab_do(lab, "[{'op':'del','type':'sg-rule','name':'" ID(3) "'}]");
    lab_run(lab);
    assert_int_equal(rule_of_packet(lab, 80), rule_number(lab, ID(4)));
    lab_free(lab);
}

/* ---- what a port costs ---- */

static size_t
flows_of(const struct lab *lab, const char *host)
{
    return flow_table_n_desired(lab_table(lab, lab_number(lab, OBJECT_HOST, host)));
}

static void
a_new_combination_costs_other_hosts_the_same_whatever_rules_name_its_groups(void **unused)
{
    struct lab *lab = lab_new();
    lab_host(lab, "hv1", lab_facts(0));
    lab_host(lab, "hv2", lab_facts(1));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                "{'op':'add','type':'sg','name':'all','values':{'vpc':'v'}},"
                "{'op':'add','type':'port','name':'p','values':{'subnet':'s','ip':'10.0.1.5','mac':'02:00:00:00:00:05','sg':'all'}}]");
    lab_bind(lab, "p", "hv1", 10);
    size_t cost[2];
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 100; i++)
            lab_do(lab,
                   "[{'op':'add','type':'sg-rule','values':{'sg':'all','direction':'ingress','proto':'tcp','ports':'%u',"
                   "'peer':'sg:all'}}]",
                   1000 * (round + 1) + i);
        lab_do(lab, "[{'op':'add','type':'sg','name':'own%u','values':{'vpc':'v'}}]", round);
        lab_run(lab);
        size_t before = flows_of(lab, "hv1");
        lab_do(lab,
               "[{'op':'add','type':'port','name':'q%u','values':{'subnet':'s','ip':'10.0.1.1%u','mac':'02:00:00:00:00:1%u',"
               "'sg':'all,own%u'}}]",
               round, round, round, round);
        char name[8];
        snprintf(name, sizeof name, "q%u", round);
        lab_bind(lab, name, "hv2", 10 + round);
        lab_run(lab);
        cost[round] = flows_of(lab, "hv1") - before;
    }
    assert_int_equal(cost[0], cost[1]);
    assert_true(cost[1] < 10);
    lab_free(lab);
}

static size_t n_touched_rules, n_compiled_rules;

/* Count on their way (linked with --wrap). */
void __real_touch_add(struct touch_list *, uint8_t feature, uint8_t type, uint32_t number, struct touch);
void __wrap_touch_add(struct touch_list *, uint8_t feature, uint8_t type, uint32_t number, struct touch);
void __real_sg_rule_flows(struct block *, uint32_t rule);
void __wrap_sg_rule_flows(struct block *, uint32_t rule);

void
__wrap_touch_add(struct touch_list *list, uint8_t feature, uint8_t type, uint32_t number, struct touch where)
{
    n_touched_rules += feature == FEATURE_SG && type == OBJECT_SG_RULE;
    __real_touch_add(list, feature, type, number, where);
}

void
__wrap_sg_rule_flows(struct block *b, uint32_t rule)
{
    n_compiled_rules++;
    __real_sg_rule_flows(b, rule);
}

/* Flows more on hv1 when a port with these groups comes there, and the rules compiled for that. */
static size_t
cost_of_port(struct lab *lab, unsigned i, const char *groups)
{
    size_t before = flows_of(lab, "hv1");
    char name[8];
    snprintf(name, sizeof name, "p%u", i);
    lab_do(lab, "[{'op':'add','type':'port','name':'%s','values':{'subnet':'s','sg':'%s'}}]", name, groups);
    n_compiled_rules = 0;
    lab_bind(lab, name, "hv1", 10 + i);
    lab_run(lab);
    return flows_of(lab, "hv1") - before;
}

static void
a_new_combination_of_groups_that_are_there_costs_no_more_than_one_that_is(void **unused)
{
    struct lab *lab = lab_new();
    struct error err;
    lab_host(lab, "hv1", lab_facts(0));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}]");
    for (unsigned g = 0; g < 3; g++) {
        lab_do(lab, "[{'op':'add','type':'sg','name':'g%u','values':{'vpc':'v'}}]", g);
        for (unsigned i = 0; i < 100; i++)
            lab_do(lab,
                   "[{'op':'add','type':'sg-rule','values':{'sg':'g%u','direction':'ingress','proto':'tcp','ports':'%u','peer':'sg:g%u'}}]",
                   g, 1000 + i, g);
    }
    cost_of_port(lab, 0, "g0");
    assert_int_equal(n_compiled_rules, 101); /* one lets everything out */
    cost_of_port(lab, 1, "g1");
    assert_int_equal(n_compiled_rules, 101);
    size_t known = cost_of_port(lab, 2, "g1");
    assert_int_equal(n_compiled_rules, 0);
    assert_int_equal(cost_of_port(lab, 3, "g0,g1"), known);
    assert_int_equal(n_compiled_rules, 0);
    lab_do(lab,
           "[{'op':'set','type':'port','name':'p2','values':{'sg':'g0,g1'}}, {'op':'set','type':'port','name':'p3','values':{'sg':'g0'}}]");
    lab_run(lab);
    assert_int_equal(n_compiled_rules, 0);
    assert_int_equal(cost_of_port(lab, 4, "g0,g2"), known + 2 * 101);
    assert_int_equal(n_compiled_rules, 101);
    lab_do(lab, "[{'op':'set','type':'port','name':'p4','values':{'sg':'g0'}}]"); /* the last one of g2 there */
    n_compiled_rules = 0;
    size_t before = flows_of(lab, "hv1");
    lab_run(lab);
    assert_int_equal(n_compiled_rules, 101);
    assert_int_equal(before - flows_of(lab, "hv1"), 2 * 101);
    if (!lab_is_consistent(lab, &err))
        fail_msg("%s", err.text);
    lab_free(lab);
}

/* ---- as many groups as a port may have ---- */

/* Rules of all groups let in the same, so each that is found is compared with the first to the last bit. */
static void
allow_by_all(struct lab *lab, const char *direction, const char *first_id, bool by_address)
{
    for (unsigned g = 0; g < PORT_GROUPS_MAX; g++)
        for (unsigned peer = 0; peer < (by_address ? 1 : PORT_GROUPS_MAX); peer++) {
            char name[20] = "10.0.1.0/24", id[60] = "";
            if (!by_address)
                snprintf(name, sizeof name, "sg:g%u", peer);
            if (!g && !peer)
                snprintf(id, sizeof id, "'id':'%s',", first_id);
            lab_do(lab,
                   "[{'op':'add','type':'sg-rule',%s'values':{'sg':'g%u','direction':'%s','proto':'tcp','ports':'80-82','peer':'%s'}}]", id,
                   g, direction, name);
        }
}

static void
as_many_groups_as_a_port_may_have_can_all_be_compared(void **unused)
{
    struct lab *lab = lab_new();
    char all[20 * PORT_GROUPS_MAX] = "";
    lab_host(lab, "hv1", lab_facts(0));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}]");
    for (unsigned g = 0; g < PORT_GROUPS_MAX; g++) {
        lab_do(lab, "[{'op':'add','type':'sg','name':'g%u','values':{'vpc':'v'}}]", g);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%sg%u", g ? "," : "", g);
    }
    for (unsigned p = 0; p < 2; p++) {
        lab_do(lab,
               "[{'op':'add','type':'port','name':'p%u','values':{'subnet':'s','ip':'10.0.1.%u','mac':'02:00:00:00:00:%02x','sg':'%s'}}]",
               p, 5 + p, 5 + p, all);
        lab_bind(lab, p ? "p1" : "p0", "hv1", 10 + p);
    }
    allow_by_all(lab, "ingress", ID(1), true);
    allow_by_all(lab, "egress", ID(2), false);
    lab_run(lab);
    assert_int_equal(rule_of_packet(lab, 80), rule_number(lab, ID(1)));
    allow_by_all(lab, "ingress", ID(3), false);
    lab_run(lab);
    assert_int_equal(rule_of_packet(lab, 80), rule_number(lab, ID(3))); /* within Open vSwitch's limits, which exec_run() has, too */
    lab_free(lab);
}

/* ---- what a rule costs ---- */

static size_t
touched_by(struct lab *lab, const char *ports)
{
    lab_run(lab);
    n_touched_rules = 0;
    lab_do(lab, "[{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'ingress','proto':'tcp','ports':'%s','peer':'0.0.0.0/0'}}]",
           ports);
    lab_run(lab);
    return n_touched_rules;
}

static void
a_rule_more_touches_only_those_that_it_may_take_packets_from(void **unused)
{
    struct lab *lab = lab_new();
    lab_host(lab, "hv1", lab_facts(0));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                "{'op':'add','type':'sg','name':'g','values':{'vpc':'v'}},"
                "{'op':'add','type':'port','name':'p','values':{'subnet':'s','sg':'g'}}]");
    lab_bind(lab, "p", "hv1", 10);
    for (unsigned i = 0; i < 100; i++) {
        lab_do(lab,
               "[{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'ingress','proto':'tcp','ports':'%u','peer':'0.0.0.0/0'}},"
               "{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'ingress','proto':'tcp','ports':'%u-%u','peer':'0.0.0.0/0'}}]",
               2000 + i, 10000 + 200 * i, 10100 + 200 * i);
    }
    assert_int_equal(touched_by(lab, "80"), 1);          /* itself */
    assert_int_equal(touched_by(lab, "9000-9100"), 1);   /* overlaps none */
    assert_int_equal(touched_by(lab, "10050-10150"), 1); /* the older one keeps its packets */
    assert_int_equal(touched_by(lab, "10050-10149"), 3); /* fewer ports than two of those that it overlaps */
    lab_free(lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_is_what_the_rules_say_and_incremental_is_from_scratch),
        cmocka_unit_test(the_narrowest_rule_is_credited_and_the_next_one_when_it_goes),
        cmocka_unit_test(a_new_combination_costs_other_hosts_the_same_whatever_rules_name_its_groups),
        cmocka_unit_test(a_new_combination_of_groups_that_are_there_costs_no_more_than_one_that_is),
        cmocka_unit_test(as_many_groups_as_a_port_may_have_can_all_be_compared),
        cmocka_unit_test(a_rule_more_touches_only_those_that_it_may_take_packets_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
