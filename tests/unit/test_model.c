/* vnet/model: long random sequences of transactions against a plain model of a few arrays, with the indices compared with those of a model
 * loaded afresh; a transaction that is aborted leaves everything as it was. */
#include "tests/unit/model_dump.h"

#define N_VPCS 3
#define N_SUBNETS 6
#define N_PORTS 12
#define N_RTBS 3
#define N_ROUTES 8
#define N_NATGWS 3
#define N_POOLS 3
#define N_EIPS 9
#define ROUNDS 2500
#define OPS_MAX 12

/* What a route leads to, or an elastic IP is attached to; NONE is also a blackhole. */
enum goal_kind { GOAL_NONE, GOAL_PORT, GOAL_NATGW, GOAL_IGW };

struct goal {
    enum goal_kind kind;
    int n;
};

/* The plain model. Objects are slots with fixed names: v0.., s0.., p0.., r0.., n0.., o0.. (pools); all VPCs have 10.0.0.0/16. */
struct plain {
    struct {
        bool is;
    } vpc[N_VPCS];
    struct {
        bool is;
        int vpc, rtb;
        uint32_t first, last;
    } subnet[N_SUBNETS]; /* rtb -1: main */
    struct {
        bool is;
        int subnet;
        uint32_t ip;
    } port[N_PORTS];
    struct {
        bool is;
        int vpc;
    } rtb[N_RTBS];
    struct {
        bool is;
        int rtb, vpc_main;
        struct goal goal;
    } route[N_ROUTES]; /* rtb -1: main of vpc_main */
    struct {
        bool is;
    } igw[N_VPCS];
    struct {
        bool is;
        int subnet;
    } natgw[N_NATGWS];
    struct {
        bool is;
    } pool[N_POOLS];
    struct {
        bool is;
        int pool;
        uint32_t ip;
        struct goal goal;
    } eip[N_EIPS];
};

struct world {
    struct lab lab;
    struct plain plain;
};

#define NET (10u << 24)

/* ---- one operation: does the plain model take it? It is changed if so ---- */
static bool
vpc_add(struct world *w, int v)
{
    bool expected = !w->plain.vpc[v].is;
    char name[20];
    snprintf(name, sizeof name, "v%d", v);
    assert_int_equal(lab_try(&w->lab, NULL, OP_VPC, name, "10.0.0.0/16"), expected);
    w->plain.vpc[v].is = true;
    return expected;
}

static bool
vpc_del(struct world *w, int v)
{
    bool expected = w->plain.vpc[v].is && !w->plain.igw[v].is;
    for (int i = 0; i < N_SUBNETS; i++)
        expected &= !(w->plain.subnet[i].is && w->plain.subnet[i].vpc == v);
    for (int i = 0; i < N_RTBS; i++)
        expected &= !(w->plain.rtb[i].is && w->plain.rtb[i].vpc == v);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'vpc','name':'v%d'}", v), expected);
    if (!expected)
        return false;
    w->plain.vpc[v].is = false;
    for (int i = 0; i < N_ROUTES; i++)
        if (w->plain.route[i].rtb == -1 && w->plain.route[i].vpc_main == v)
            w->plain.route[i].is = false;
    return true;
}

static bool
subnet_add(struct world *w, int s, int v, uint32_t third, uint32_t len)
{
    uint32_t first = NET | third << 8, last = first | (UINT32_MAX >> len);
    bool expected = !w->plain.subnet[s].is && w->plain.vpc[v].is && len <= 29;
    if (len < 24)
        first &= ~(UINT32_MAX >> len), last = first | (UINT32_MAX >> len);
    for (int i = 0; i < N_SUBNETS; i++)
        expected &=
            !(w->plain.subnet[i].is && w->plain.subnet[i].vpc == v && w->plain.subnet[i].first <= last && w->plain.subnet[i].last >= first);
    char cidr[IP_PREFIX_STRLEN];
    ip_prefix_format((struct ip_prefix){ ip4(first), len }, cidr);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'subnet','name':'s%d','values':{'vpc':'v%d','cidr':'%s'}}", s, v, cidr),
                     expected);
    if (!expected)
        return false;
    w->plain.subnet[s].is = true;
    w->plain.subnet[s].vpc = v;
    w->plain.subnet[s].rtb = -1;
    w->plain.subnet[s].first = first;
    w->plain.subnet[s].last = last;
    return true;
}

static bool
subnet_del(struct world *w, int s)
{
    bool expected = w->plain.subnet[s].is;
    for (int i = 0; i < N_PORTS; i++)
        expected &= !(w->plain.port[i].is && w->plain.port[i].subnet == s);
    for (int i = 0; i < N_NATGWS; i++)
        expected &= !(w->plain.natgw[i].is && w->plain.natgw[i].subnet == s);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'subnet','name':'s%d'}", s), expected);
    if (expected)
        w->plain.subnet[s].is = false;
    return expected;
}

/* r -1: back to the main one. */
static bool
subnet_set_rtb(struct world *w, int s, int r)
{
    bool expected = w->plain.subnet[s].is && (r < 0 || (w->plain.rtb[r].is && w->plain.rtb[r].vpc == w->plain.subnet[s].vpc));
    char rtb[20];
    snprintf(rtb, sizeof rtb, r < 0 ? "null" : "'r%d'", r);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'set','type':'subnet','name':'s%d','values':{'rtb':%s}}", s, rtb), expected);
    if (expected)
        w->plain.subnet[s].rtb = r;
    return expected;
}

static bool
ip_is_free(const struct plain *p, int s, uint32_t ip)
{
    for (int i = 0; i < N_PORTS; i++)
        if (p->port[i].is && p->port[i].subnet == s && p->port[i].ip == ip)
            return false;
    return true;
}

/* offset 0: any address */
static bool
port_add(struct world *w, int n, int s, uint32_t offset)
{
    struct plain *p = &w->plain;
    bool expected = !p->port[n].is && p->subnet[s].is;
    uint32_t ip = p->subnet[s].first + (offset ? offset : 3);
    char text[IP_STRLEN], value[IP_STRLEN + 20] = "";
    while (!offset && expected && ip < p->subnet[s].last && !ip_is_free(p, s, ip))
        ip++;
    expected = expected && ip >= p->subnet[s].first + 3 && ip < p->subnet[s].last && ip_is_free(p, s, ip);
    if (offset)
        snprintf(value, sizeof value, ",'ip':'%s'", ip_format(ip4(ip), text));
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'port','name':'p%d','values':{'subnet':'s%d'%s}}", n, s, value), expected);
    if (!expected)
        return false;
    p->port[n].is = true;
    p->port[n].subnet = s;
    p->port[n].ip = ip;
    return true;
}

/* Does a route lead to it, or has it an elastic IP? */
static bool
is_goal(const struct plain *p, enum goal_kind kind, int n)
{
    for (int i = 0; i < N_ROUTES; i++)
        if (p->route[i].is && p->route[i].goal.kind == kind && p->route[i].goal.n == n)
            return true;
    for (int i = 0; i < N_EIPS; i++)
        if (p->eip[i].is && p->eip[i].goal.kind == kind && p->eip[i].goal.n == n)
            return true;
    return false;
}

static bool
port_del(struct world *w, int n)
{
    bool expected = w->plain.port[n].is && !is_goal(&w->plain, GOAL_PORT, n);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'port','name':'p%d'}", n), expected);
    if (expected)
        w->plain.port[n].is = false;
    return expected;
}

static bool
rtb_add(struct world *w, int r, int v)
{
    bool expected = !w->plain.rtb[r].is && w->plain.vpc[v].is;
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'rtb','name':'r%d','values':{'vpc':'v%d'}}", r, v), expected);
    if (expected) {
        w->plain.rtb[r].is = true;
        w->plain.rtb[r].vpc = v;
    }
    return expected;
}

static bool
rtb_del(struct world *w, int r)
{
    bool expected = w->plain.rtb[r].is;
    for (int i = 0; i < N_SUBNETS; i++)
        expected &= !(w->plain.subnet[i].is && w->plain.subnet[i].rtb == r);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'rtb','name':'r%d'}", r), expected);
    if (!expected)
        return false;
    w->plain.rtb[r].is = false;
    for (int i = 0; i < N_ROUTES; i++)
        if (w->plain.route[i].rtb == r)
            w->plain.route[i].is = false;
    return true;
}

static int
route_vpc(const struct plain *p, int r, int v)
{
    return r < 0 ? v : p->rtb[r].vpc;
}

/* -1: it does not exist. */
static int
goal_vpc(const struct plain *p, struct goal goal)
{
    if (goal.kind == GOAL_PORT)
        return p->port[goal.n].is ? p->subnet[p->port[goal.n].subnet].vpc : -1;
    return p->natgw[goal.n].is ? p->subnet[p->natgw[goal.n].subnet].vpc : -1;
}

static const char *
goal_text(struct goal goal, char text[20])
{
    snprintf(text, 20, goal.kind == GOAL_PORT ? "port:p%d" : "natgw:n%d", goal.n);
    return text;
}

/* Slot n has the prefix 172.16.n.0/24. r -1: main table of v. */
static bool
route_add(struct world *w, int n, int r, int v, struct goal goal)
{
    struct plain *p = &w->plain;
    bool expected = r < 0 ? p->vpc[v].is : p->rtb[r].is;
    bool is_same = p->route[n].is && p->route[n].rtb == r && (r >= 0 || p->route[n].vpc_main == v);
    char rtb[20], text[20];
    const char *target = goal.kind == GOAL_IGW ? "igw" : goal.kind == GOAL_NONE ? "blackhole" : goal_text(goal, text);
    if (p->route[n].is && !is_same)
        return true; /* the slot is in use by another table's route: not tried */
    expected &= !is_same;
    if (goal.kind == GOAL_IGW)
        expected = expected && p->igw[goal.n = route_vpc(p, r, v)].is;
    else if (goal.kind != GOAL_NONE)
        expected = expected && goal_vpc(p, goal) == route_vpc(p, r, v);
    snprintf(rtb, sizeof rtb, r < 0 ? "v%d" : "r%d", r < 0 ? v : r);
    assert_int_equal(lab_try(&w->lab, NULL,
                             "{'op':'add','type':'route','values':{'rtb':'%s','prefix':'172.16.%d.0/24',"
                             "'target':'%s'}}",
                             rtb, n, target),
                     expected);
    if (expected) {
        p->route[n].is = true;
        p->route[n].rtb = r;
        p->route[n].vpc_main = v;
        p->route[n].goal = goal;
    }
    return expected;
}

static bool
route_del(struct world *w, int n)
{
    struct plain *p = &w->plain;
    bool expected = p->route[n].is;
    int r = p->route[n].rtb;
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'route','name':'%c%d/172.16.%d.0/24'}", r < 0 ? 'v' : 'r',
                             r < 0 ? p->route[n].vpc_main : r, n),
                     expected);
    p->route[n].is = false;
    return expected;
}

/* ---- the way out ---- */
static bool
igw_add(struct world *w, int v)
{
    bool expected = w->plain.vpc[v].is && !w->plain.igw[v].is;
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'igw','values':{'vpc':'v%d'}}", v), expected);
    w->plain.igw[v].is |= expected;
    return expected;
}

static bool
igw_del(struct world *w, int v)
{
    bool expected = w->plain.igw[v].is && !is_goal(&w->plain, GOAL_IGW, v);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'igw','name':'v%d'}", v), expected);
    w->plain.igw[v].is &= !expected;
    return expected;
}

static bool
natgw_add(struct world *w, int n, int s)
{
    bool expected = !w->plain.natgw[n].is && w->plain.subnet[s].is;
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'natgw','name':'n%d','values':{'subnet':'s%d'}}", n, s), expected);
    if (expected) {
        w->plain.natgw[n].is = true;
        w->plain.natgw[n].subnet = s;
    }
    return expected;
}

static bool
natgw_del(struct world *w, int n)
{
    bool expected = w->plain.natgw[n].is && !is_goal(&w->plain, GOAL_NATGW, n);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'natgw','name':'n%d'}", n), expected);
    w->plain.natgw[n].is &= !expected;
    return expected;
}

/* The gateway is the first address but one, of pool 1 in the middle; the last pool overlaps the first. */
static const struct {
    uint32_t first, n_addresses, gateway;
    const char *cidr;
} pools[N_POOLS] = {
    { 0xcb007000, 8, 0xcb007001, "203.0.112.0/29" },
    { 0xcb007100, 8, 0xcb007104, "203.0.113.0/29" },
    { 0xcb007000, 16, 0xcb007001, "203.0.112.0/28" },
};

static bool
pool_add(struct world *w, int o)
{
    char gateway[IP_STRLEN];
    bool expected = !w->plain.pool[o].is && !(o != 1 && (w->plain.pool[0].is || w->plain.pool[2].is));
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'pool','name':'o%d','values':{'cidr':'%s','uplink':'u','gateway':'%s'}}", o,
                             pools[o].cidr, ip_format(ip4(pools[o].gateway), gateway)),
                     expected);
    w->plain.pool[o].is |= expected;
    return expected;
}

static bool
pool_del(struct world *w, int o)
{
    bool expected = w->plain.pool[o].is;
    for (int i = 0; i < N_EIPS; i++)
        expected &= !(w->plain.eip[i].is && w->plain.eip[i].pool == o);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'pool','name':'o%d'}", o), expected);
    w->plain.pool[o].is &= !expected;
    return expected;
}

static bool
public_ip_is_free(const struct plain *p, int o, uint32_t ip)
{
    for (int i = 0; i < N_EIPS; i++)
        if (p->eip[i].is && p->eip[i].ip == ip)
            return false;
    return ip > pools[o].first && ip < pools[o].first + pools[o].n_addresses - 1 && ip != pools[o].gateway;
}

/* offset 0: any address */
static bool
eip_add(struct world *w, int n, int o, uint32_t offset)
{
    struct plain *p = &w->plain;
    uint32_t ip = pools[o].first + (offset ? offset : 1), end = pools[o].first + pools[o].n_addresses;
    char text[IP_STRLEN], value[IP_STRLEN + 20] = "";
    if (p->eip[n].is)
        return true; /* it has no name that could be taken */
    while (!offset && ip < end && !public_ip_is_free(p, o, ip))
        ip++;
    bool expected = p->pool[o].is && public_ip_is_free(p, o, ip);
    if (offset)
        snprintf(value, sizeof value, ",'ip':'%s'", ip_format(ip4(ip), text));
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'eip','values':{'pool':'o%d'%s}}", o, value), expected);
    if (expected) {
        p->eip[n].is = true;
        p->eip[n].pool = o;
        p->eip[n].ip = ip;
        p->eip[n].goal = (struct goal){ GOAL_NONE, 0 };
    }
    return expected;
}

static bool
eip_del(struct world *w, int n)
{
    bool expected = w->plain.eip[n].is && w->plain.eip[n].goal.kind == GOAL_NONE;
    char ip[IP_STRLEN];
    if (!w->plain.eip[n].is)
        return true;
    assert_int_equal(lab_try(&w->lab, NULL, OP_DEL, "eip", ip_format(ip4(w->plain.eip[n].ip), ip)), expected);
    w->plain.eip[n].is &= !expected;
    return expected;
}

static bool
eip_attach(struct world *w, int n, struct goal goal, bool may_move)
{
    struct plain *p = &w->plain;
    struct goal is = p->eip[n].goal;
    bool is_same = is.kind == goal.kind && is.n == goal.n, is_taken = false;
    char ip[IP_STRLEN], text[20];
    if (!p->eip[n].is)
        return true;
    for (int i = 0; i < N_EIPS; i++)
        is_taken |= i != n && p->eip[i].is && p->eip[i].goal.kind == goal.kind && p->eip[i].goal.n == goal.n;
    bool expected = goal.kind == GOAL_NONE || (goal_vpc(p, goal) >= 0 && !is_taken && (is.kind == GOAL_NONE || is_same || may_move));
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'set','type':'eip','name':'%s','values':{'attached':'%s'},'move':%s}",
                             ip_format(ip4(p->eip[n].ip), ip), goal.kind == GOAL_NONE ? "none" : goal_text(goal, text),
                             may_move ? "true" : "false"),
                     expected);
    if (expected)
        p->eip[n].goal = goal;
    return expected;
}

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
