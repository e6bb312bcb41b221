#include "tests/unit/plain_model.h"

bool
vpc_add(struct world *w, int v)
{
    bool expected = !w->plain.vpc[v].is;
    char name[20];
    snprintf(name, sizeof name, "v%d", v);
    assert_int_equal(lab_try(&w->lab, NULL, OP_VPC, name, "10.0.0.0/16"), expected);
    w->plain.vpc[v].is = true;
    return expected;
}

bool
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

bool
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

bool
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
bool
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
bool
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

bool
port_del(struct world *w, int n)
{
    bool expected = w->plain.port[n].is && !is_goal(&w->plain, GOAL_PORT, n);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'port','name':'p%d'}", n), expected);
    if (expected)
        w->plain.port[n].is = false;
    return expected;
}

bool
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

bool
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
bool
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

bool
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
bool
igw_add(struct world *w, int v)
{
    bool expected = w->plain.vpc[v].is && !w->plain.igw[v].is;
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'add','type':'igw','values':{'vpc':'v%d'}}", v), expected);
    w->plain.igw[v].is |= expected;
    return expected;
}

bool
igw_del(struct world *w, int v)
{
    bool expected = w->plain.igw[v].is && !is_goal(&w->plain, GOAL_IGW, v);
    assert_int_equal(lab_try(&w->lab, NULL, "{'op':'del','type':'igw','name':'v%d'}", v), expected);
    w->plain.igw[v].is &= !expected;
    return expected;
}

bool
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

bool
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

bool
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

bool
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
bool
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

bool
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

bool
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
