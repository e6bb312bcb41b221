/* Invariant 1: after any sequence of changes the desired table of every host is what a compile from nothing gives. And that the work for a
 * change is that of the change. */
#include "vnet/pipeline/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "tests/unit/vnet_lab.h"

#define N_LAB_HOSTS 3
#define N_NAMES 3 /* of each type in the random network */
#define N_PORT_NAMES 10
#define N_OFPORTS 12
#define N_STEPS 3000
#define N_SINGLE 1000 /* so many are compiled and compared one by one, then several at once */

static void
assert_consistent(const struct lab *lab)
{
    struct error err;
    if (!lab_is_consistent(lab, &err))
        fail_msg("%s", err.text);
}

static struct lab *
lab_with_hosts(void)
{
    struct lab *lab = lab_new();
    lab_host(lab, "hv1", lab_facts(0));
    lab_host(lab, "hv2", lab_facts(1));
    lab_host(lab, "hv3", lab_facts(2));
    return lab;
}

static struct lab *
lab_with_network(void)
{
    struct lab *lab = lab_with_hosts();
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                "{'op':'add','type':'port','name':'p1','values':{'subnet':'s'}},"
                "{'op':'add','type':'port','name':'p2','values':{'subnet':'s'}}]");
    return lab;
}

static size_t
n_flows(const struct lab *lab, const char *host)
{
    return flow_table_n_desired(lab_table(lab, lab_number(lab, OBJECT_HOST, host)));
}

static void
a_host_holds_a_vpc_while_a_port_of_it_is_there(void **unused)
{
    struct lab *lab = lab_with_network();
    lab_run(lab);
    size_t bare = n_flows(lab, "hv1");
    lab_bind(lab, "p1", "hv1", 10);
    lab_run(lab);
    assert_true(n_flows(lab, "hv1") > bare);
    assert_int_equal(n_flows(lab, "hv2"), bare);
    assert_consistent(lab);

    lab_bind(lab, "p1", "hv2", 10);
    lab_run(lab);
    assert_int_equal(n_flows(lab, "hv1"), bare);
    assert_true(n_flows(lab, "hv2") > bare);
    assert_consistent(lab);
    lab_free(lab);
}

static void
a_vpc_deleted_whole_under_a_bound_port_leaves_nothing(void **unused)
{
    struct lab *lab = lab_with_network();
    lab_run(lab);
    size_t bare = n_flows(lab, "hv1");
    lab_do(lab, "[{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}},"
                "{'op':'add','type':'route','values':{'rtb':'r','prefix':'0.0.0.0/0','target':'blackhole'}}]");
    uint32_t p1 = lab_number(lab, OBJECT_PORT, "p1");
    lab_bind(lab, "p1", "hv1", 10);
    lab_run(lab);
    lab_do(lab, "[{'op':'del','type':'port','name':'p1'},{'op':'del','type':'port','name':'p2'},"
                "{'op':'del','type':'subnet','name':'s'},{'op':'del','type':'rtb','name':'r'},"
                "{'op':'del','type':'vpc','name':'v'}]");
    lab_run(lab);
    assert_int_equal(n_flows(lab, "hv1"), bare);
    assert_consistent(lab);
    lab_bind_number(lab, p1, (struct binding){ 0, 0 });
    lab_run(lab);
    assert_consistent(lab);
    lab_free(lab);
}

static void
ports_may_swap_their_openflow_ports(void **unused)
{
    struct lab *lab = lab_with_network();
    lab_bind(lab, "p1", "hv1", 10);
    lab_bind(lab, "p2", "hv1", 11);
    lab_run(lab);
    lab_bind(lab, "p1", "hv1", 11);
    lab_bind(lab, "p2", "hv1", 10);
    lab_run(lab);
    assert_consistent(lab);
    lab_free(lab);
}

struct told {
    unsigned n;
    uint64_t cookie;
};

static void
tell(void *aux, uint64_t cookie, const struct error *err)
{
    struct told *told = aux;
    told->n++;
    told->cookie = cookie;
}

static void
two_ports_at_one_place_are_told_and_settled_by_the_next_change(void **unused)
{
    struct lab *lab = lab_with_network();
    struct told told = { 0 };
    uint32_t hv1 = lab_number(lab, OBJECT_HOST, "hv1"), p2 = lab_number(lab, OBJECT_PORT, "p2");
    lab_bind(lab, "p1", "hv1", 10);
    lab_run(lab);
    lab_bind(lab, "p2", "hv1", 10);
    while (compiler_run(lab->compiler, hv1, 1, tell, &told))
        continue;
    assert_true(told.n > 0);
    assert_int_equal(cookie_number(told.cookie), p2);
    assert_false(compiler_is_dirty(lab->compiler, hv1));

    lab_bind(lab, "p1", "hv1", 11);
    lab_run(lab);
    assert_consistent(lab);
    lab_free(lab);
}

struct concerned {
    unsigned n;
    uint32_t last;
};

static void
concern(void *aux, uint32_t host)
{
    struct concerned *c = aux;
    c->n++;
    c->last = host;
}

static void
only_hosts_with_work_are_concerned_and_once(void **unused)
{
    struct lab *lab = lab_with_network();
    struct concerned c = { 0 };
    uint32_t hv1 = lab_number(lab, OBJECT_HOST, "hv1"), p1 = lab_number(lab, OBJECT_PORT, "p1");
    lab_run(lab);
    assert_false(compiler_is_dirty(lab->compiler, hv1));

    struct vnet_event event = { .kind = EVENT_BINDING, .number = p1, .after = { hv1, 10 } };
    runtime_bind(lab->runtime, p1, event.after);
    compiler_changed(lab->compiler, &event, concern, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.last, hv1);
    assert_true(compiler_is_dirty(lab->compiler, hv1));
    lab_free(lab);
}

static void
nothing_changes_when_nothing_changed(void **unused)
{
    struct lab *lab = lab_with_network();
    lab_bind(lab, "p1", "hv1", 10);
    lab_run(lab);
    size_t before = n_flows(lab, "hv1");
    lab_bind(lab, "p1", "hv1", 10);
    lab_run(lab);
    assert_int_equal(n_flows(lab, "hv1"), before);
    assert_consistent(lab);
    lab_free(lab);
}

static void
a_detached_host_is_compiled_whole_when_it_comes_back(void **unused)
{
    struct lab *lab = lab_with_network();
    struct error err;
    uint32_t hv1 = lab_number(lab, OBJECT_HOST, "hv1");
    lab_bind(lab, "p1", "hv1", 10);
    lab_run(lab);
    compiler_detach(lab->compiler, hv1);
    lab_do(lab, "[{'op':'del','type':'port','name':'p2'}]");
    assert_false(compiler_run(lab->compiler, hv1, 10, NULL, NULL));

    struct flow_table *table = flow_table_new();
    compiler_attach(lab->compiler, hv1, table);
    while (compiler_run(lab->compiler, hv1, 3, NULL, NULL))
        continue;
    struct flow_table *fresh = compile_from_scratch(lab->model, lab->runtime, hv1, &err);
    assert_true(flow_table_equal(table, fresh, &err));
    compiler_detach(lab->compiler, hv1);
    flow_table_free(table);
    flow_table_free(fresh);
    lab_free(lab);
}

/* ---- any sequence ---- */

struct storm {
    struct lab *lab;
    struct random random;
    uint32_t bound[N_LAB_HOSTS][N_OFPORTS]; /* port at a host's OpenFlow port; 0: none */
    unsigned n_done;                        /* transactions that passed */
};

static unsigned
pick(struct storm *s, unsigned n)
{
    return random_below(&s->random, n);
}

static json_t *
op_add(struct storm *s)
{
    unsigned v = pick(s, N_NAMES), i = pick(s, N_NAMES);
    char name[16], vpc[16], subnet[16], port[24], rtb[16], cidr[32];
    snprintf(vpc, sizeof vpc, "v%u", v);
    snprintf(subnet, sizeof subnet, "s%u", pick(s, N_NAMES));
    snprintf(rtb, sizeof rtb, pick(s, 2) ? "r%u" : "v%u", pick(s, N_NAMES));
    snprintf(port, sizeof port, "port:p%u", pick(s, N_PORT_NAMES));
    switch (pick(s, 6)) {
    case 0:
        return json_pack("{ss ss ss s{ss}}", "op", "add", "type", "vpc", "name", vpc, "values", "cidr",
                         pick(s, 2) ? "10.0.0.0/16" : "10.0.0.0/12");
    case 1:
        snprintf(name, sizeof name, "s%u", i);
        snprintf(cidr, sizeof cidr, "10.0.%u.0/%u", pick(s, 6), 24 + pick(s, 3));
        return json_pack("{ss ss ss s{ss ss}}", "op", "add", "type", "subnet", "name", name, "values", "vpc", vpc, "cidr", cidr);
    case 2:
        snprintf(name, sizeof name, "r%u", i);
        return json_pack("{ss ss ss s{ss}}", "op", "add", "type", "rtb", "name", name, "values", "vpc", vpc);
    case 3:
        snprintf(cidr, sizeof cidr, "%u.0.0.0/%u", pick(s, 2) ? 10 : 0, pick(s, 2) ? 0 : 8 + pick(s, 12));
        return json_pack("{ss ss s{ss ss ss}}", "op", "add", "type", "route", "values", "rtb", rtb, "prefix", cidr, "target",
                         pick(s, 3) ? port : "blackhole");
    default:
        snprintf(name, sizeof name, "p%u", pick(s, N_PORT_NAMES));
        return json_pack("{ss ss ss s{ss sb}}", "op", "add", "type", "port", "name", name, "values", "subnet", subnet, "source_dest_check",
                         pick(s, 4) != 0);
    }
}

/* Adds a second address, or takes it away. */
static json_t *
op_set_ips(struct storm *s, const char *name)
{
    const struct port *port = model_port(s->lab->model, lab_number(s->lab, OBJECT_PORT, name));
    char first[IP_STRLEN] = "10.0.0.5", second[IP_STRLEN];
    if (port) {
        struct ip ip = port_ip4(port);
        ip_format(ip, first);
        ip_format(ip4((ip4_u32(ip) & ~63u) + 4 + pick(s, 40)), second);
    }
    json_t *op = json_pack("{ss ss ss s{s[s]}}", "op", "set", "type", "port", "name", name, "values", "ips", first);
    if (port && pick(s, 2))
        json_array_append_new(json_object_get(json_object_get(op, "values"), "ips"), json_string(second));
    return op;
}

static json_t *
op_set(struct storm *s)
{
    char name[16], value[40];
    switch (pick(s, 5)) {
    case 0:
        snprintf(name, sizeof name, "s%u", pick(s, N_NAMES));
        snprintf(value, sizeof value, pick(s, 2) ? "r%u" : "v%u", pick(s, N_NAMES));
        return json_pack("{ss ss ss s{ss}}", "op", "set", "type", "subnet", "name", name, "values", "rtb", value);
    case 1:
        snprintf(name, sizeof name, "s%u", pick(s, N_NAMES));
        return json_pack("{ss ss ss s{ss ss}}", "op", "set", "type", "subnet", "name", name, "values", "dns", "8.8.8.8", "lease",
                         pick(s, 2) ? "60" : "3600");
    case 2: snprintf(name, sizeof name, "p%u", pick(s, N_PORT_NAMES)); return op_set_ips(s, name);
    default:
        snprintf(name, sizeof name, "p%u", pick(s, N_PORT_NAMES));
        return json_pack("{ss ss ss s{sb}}", "op", "set", "type", "port", "name", name, "values", "source_dest_check", pick(s, 2));
    }
}

static json_t *
op_del(struct storm *s)
{
    static const struct {
        const char *type;
        char letter;
        unsigned n;
    } kinds[] = { { "vpc", 'v', N_NAMES },
                  { "subnet", 's', N_NAMES },
                  { "rtb", 'r', N_NAMES },
                  { "port", 'p', N_PORT_NAMES },
                  { "port", 'p', N_PORT_NAMES } };
    unsigned kind = pick(s, 5);
    char name[16];
    snprintf(name, sizeof name, "%c%u", kinds[kind].letter, pick(s, kinds[kind].n));
    return json_pack("{ss ss ss}", "op", "del", "type", kinds[kind].type, "name", name);
}

/* A random object's whole VPC goes: what an operator does with a script. */
static json_t *
ops_del_vpc(struct storm *s)
{
    json_t *ops = json_array();
    struct arena *arena = arena_new();
    char vpc[16];
    snprintf(vpc, sizeof vpc, "v%u", pick(s, N_NAMES));
    uint32_t number = lab_number(s->lab, OBJECT_VPC, vpc);
    struct view view = { .model = s->lab->model, .runtime = s->lab->runtime };
    static const enum object_type order[] = { OBJECT_ROUTE, OBJECT_PORT, OBJECT_SUBNET, OBJECT_RTB, OBJECT_VPC };
    for (unsigned i = 0; i < 5 && number; i++) {
        const struct object *o = NULL;
        while ((o = model_next(s->lab->model, order[i], o ? o->number : 0)) != NULL) {
            const struct rtb *rtb = model_rtb(s->lab->model, o->number);
            if (view_vpc_of(&view, o->type, o->number) != number || (rtb && rtb->is_main))
                continue;
            json_array_append_new(ops, json_pack("{ss ss ss}", "op", "del", "type", object_class(o->type)->name, "name",
                                                 object_label(s->lab->model, o, arena)));
        }
    }
    arena_free(arena);
    return ops;
}

static bool
transaction_passes(struct storm *s)
{
    struct error err;
    json_t *ops = !pick(s, 40) ? ops_del_vpc(s) : json_array();
    for (unsigned n = json_array_size(ops) ? 0 : 1 + pick(s, 3); n; n--) {
        unsigned kind = pick(s, 10);
        json_array_append_new(ops, kind < 6 ? op_add(s) : kind < 9 ? op_set(s) : op_del(s));
    }
    bool is_done = lab_try(s->lab, ops, &err);
    json_decref(ops);
    return is_done;
}

static void
storm_transaction(struct storm *s)
{
    for (unsigned tries = 0; tries < 10; tries++) {
        if (transaction_passes(s)) {
            s->n_done++;
            return;
        }
    }
}

static void
unbind_everywhere(struct storm *s, uint32_t port)
{
    for (unsigned h = 0; h < N_LAB_HOSTS; h++) {
        for (unsigned i = 0; i < N_OFPORTS; i++) {
            if (s->bound[h][i] == port)
                s->bound[h][i] = 0;
        }
    }
}

static uint32_t
host_number(const struct storm *s, unsigned h)
{
    return s->lab->hosts[h].number;
}

static void
storm_bind(struct storm *s)
{
    char name[16];
    snprintf(name, sizeof name, "p%u", pick(s, N_PORT_NAMES));
    uint32_t port = lab_number(s->lab, OBJECT_PORT, name);
    unsigned h = pick(s, N_LAB_HOSTS), i = pick(s, N_OFPORTS);
    if (!port)
        return;
    if (s->bound[h][i] && s->bound[h][i] != port)
        lab_bind_number(s->lab, s->bound[h][i], (struct binding){ 0, 0 });
    unbind_everywhere(s, port);
    s->bound[h][i] = port;
    lab_bind_number(s->lab, port, (struct binding){ host_number(s, h), pick(s, 20) ? 10 + i : 0 });
}

static void
storm_unbind(struct storm *s)
{
    unsigned h = pick(s, N_LAB_HOSTS), i = pick(s, N_OFPORTS);
    if (s->bound[h][i])
        lab_bind_number(s->lab, s->bound[h][i], (struct binding){ 0, 0 });
    s->bound[h][i] = 0;
}

static void
storm_swap(struct storm *s)
{
    unsigned h = pick(s, N_LAB_HOSTS), i = pick(s, N_OFPORTS), j = pick(s, N_OFPORTS);
    uint32_t a = s->bound[h][i], b = s->bound[h][j];
    if (a && b && a != b) {
        s->bound[h][i] = b;
        s->bound[h][j] = a;
        lab_bind_number(s->lab, a, (struct binding){ host_number(s, h), 10 + j });
        lab_bind_number(s->lab, b, (struct binding){ host_number(s, h), 10 + i });
    }
}

/* A guest begins or ends to move, or has moved; its second place may be anywhere, also where it is. */
static void
storm_twin(struct storm *s)
{
    char name[16];
    snprintf(name, sizeof name, "p%u", pick(s, N_PORT_NAMES));
    uint32_t port = lab_number(s->lab, OBJECT_PORT, name);
    struct twin twin = { host_number(s, pick(s, N_LAB_HOSTS)), pick(s, 3) ? 30 + pick(s, N_OFPORTS) : 0, pick(s, 2) };
    if (port)
        lab_set_twin(s->lab, port, pick(s, 4) ? twin : (struct twin){ .host = 0 });
}

static void
storm_host(struct storm *s)
{
    static const char *const names[N_LAB_HOSTS] = { "hv1", "hv2", "hv3" };
    unsigned h = pick(s, N_LAB_HOSTS);
    struct runtime_host facts = lab_facts(h + (pick(s, 2) ? 0 : 10));
    facts.encap = pick(s, 2) ? ENCAP_GENEVE : ENCAP_VXLAN;
    facts.mtu = 1400 + pick(s, 3) * 50;
    facts.tunnel_port[1] = pick(s, 2) ? 2 : 0;
    if (pick(s, 5))
        lab_host(s->lab, names[h], facts);
    else
        lab_forget_host(s->lab, host_number(s, h));
}

static void
any_sequence_of_changes_gives_what_a_fresh_compile_gives(void **unused)
{
    struct storm s = { .lab = lab_with_hosts(), .random = random_seeded() };
    for (unsigned step = 0; step < N_STEPS; step++) {
        unsigned kind = pick(&s, 22);
        if (kind < 11)
            storm_transaction(&s);
        else if (kind < 16)
            storm_bind(&s);
        else if (kind < 17)
            storm_unbind(&s);
        else if (kind < 18)
            storm_swap(&s);
        else if (kind < 20)
            storm_twin(&s);
        else
            storm_host(&s);

        compiler_run(s.lab->compiler, host_number(&s, pick(&s, N_LAB_HOSTS)), pick(&s, 4), NULL, NULL);
        if (step >= N_SINGLE && pick(&s, 3))
            continue;
        lab_run(s.lab);
        assert_consistent(s.lab);
    }
    assert_true(s.n_done > N_STEPS / 10); /* or it was no storm */
    lab_free(s.lab);
}

/* ---- hosts' facts and public addresses ---- */

#define N_EIPS 40
#define FEW 12 /* what there is of a host, its tunnel, the pool, the NAT gateway and an address that is its own */

static unsigned
n_dirty(const struct lab *lab, const char *host)
{
    unsigned n = 0;
    uint32_t number = lab_number(lab, OBJECT_HOST, host);
    for (; compiler_is_dirty(lab->compiler, number); n++)
        compiler_run(lab->compiler, number, 1, NULL, NULL);
    return n;
}

static void
add_address(struct lab *lab, unsigned i, const char *host)
{
    char port[8];
    snprintf(port, sizeof port, "x%u", i);
    lab_do(lab,
           "[{'op':'add','type':'port','name':'%s','values':{'subnet':'s'}},"
           "{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.%u','attached':'port:%s'}}]",
           port, 10 + i, port);
    lab_bind(lab, port, host, 10 + i);
}

/* hv1 is a gateway and has the ports of all addresses but two: hv2, which has the network itself, has one, and hv3 another. A NAT gateway has an
 * address, too. */
static struct lab *
lab_with_addresses(void)
{
    struct lab *lab = lab_with_network();
    lab_host(lab, "hv1", lab_with_uplink(lab_facts(0), "u", 5, true));
    lab_host(lab, "hv2", lab_with_uplink(lab_facts(1), "u", 6, false));
    lab_do(lab, "[{'op':'add','type':'igw','values':{'vpc':'v'}},"
                "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"
                "{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'u'}},"
                "{'op':'add','type':'natgw','name':'n','values':{'subnet':'s'}},"
                "{'op':'add','type':'eip','values':{'pool':'public','ip':'203.0.113.9','attached':'natgw:n'}}]");
    for (unsigned i = 0; i < N_EIPS; i++)
        add_address(lab, i, i == 0 ? "hv3" : i == 1 ? "hv2" : "hv1");
    lab_run(lab);
    return lab;
}

static void
expect_few(struct lab *lab)
{
    unsigned n1 = n_dirty(lab, "hv1"), n2 = n_dirty(lab, "hv2"), n3 = n_dirty(lab, "hv3");
    if (n1 > FEW || n2 > FEW || n3 > FEW)
        fail_msg("%u, %u and %u blocks", n1, n2, n3);
    lab_run(lab);
    assert_consistent(lab);
}

static void
addresses_of_others_do_not_hang_on_who_is_no_gateway(void **unused)
{
    struct lab *lab = lab_with_addresses();
    struct runtime_host hv2 = lab_with_uplink(lab_facts(1), "u", 6, false), hv3 = lab_facts(2), hv4 = lab_facts(3);
    uint32_t joined = lab_host(lab, "hv4", hv4);
    expect_few(lab);
    hv4.mtu = 1400; /* less than all others' */
    lab_host(lab, "hv4", hv4);
    expect_few(lab);
    lab_forget_host(lab, joined);
    expect_few(lab);
    hv3.mtu = 1300;
    lab_host(lab, "hv3", hv3);
    expect_few(lab);
    hv2.mtu = 9000;
    lab_host(lab, "hv2", hv2);
    expect_few(lab);
    lab_free(lab);
}

/* Its own neighbour rows change, and where the addresses of its own ports are held. */
static void
an_uplink_of_who_is_no_gateway_concerns_itself(void **unused)
{
    struct lab *lab = lab_with_addresses();
    for (uint32_t ofport = 6; ofport < 9; ofport++) {
        lab_host(lab, "hv2", ofport == 7 ? lab_facts(1) : lab_with_uplink(lab_facts(1), "u", ofport, false));
        assert_true(n_dirty(lab, "hv1") <= FEW && n_dirty(lab, "hv3") <= FEW);
        lab_run(lab);
        assert_consistent(lab);
    }
    lab_host(lab, "hv3", lab_with_uplink(lab_facts(2), "u", 9, false));
    assert_true(n_dirty(lab, "hv1") <= FEW && n_dirty(lab, "hv2") <= FEW);
    lab_run(lab);
    assert_consistent(lab);
    lab_host(lab, "hv3", lab_with_uplink(lab_facts(2), "u", 9, true)); /* now it is one */
    assert_true(n_dirty(lab, "hv1") >= N_EIPS);
    lab_run(lab);
    assert_consistent(lab);
    lab_free(lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_holds_a_vpc_while_a_port_of_it_is_there),
        cmocka_unit_test(a_vpc_deleted_whole_under_a_bound_port_leaves_nothing),
        cmocka_unit_test(ports_may_swap_their_openflow_ports),
        cmocka_unit_test(two_ports_at_one_place_are_told_and_settled_by_the_next_change),
        cmocka_unit_test(only_hosts_with_work_are_concerned_and_once),
        cmocka_unit_test(nothing_changes_when_nothing_changed),
        cmocka_unit_test(addresses_of_others_do_not_hang_on_who_is_no_gateway),
        cmocka_unit_test(an_uplink_of_who_is_no_gateway_concerns_itself),
        cmocka_unit_test(a_detached_host_is_compiled_whole_when_it_comes_back),
        cmocka_unit_test(any_sequence_of_changes_gives_what_a_fresh_compile_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
