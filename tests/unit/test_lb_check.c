/* Answers to health checks: which packets of which ports reach vnetd, and that the flows are the same however one got there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ofproto/flow/exec.h"
#include "tests/unit/random.h"
#include "tests/unit/vnet_lab.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"

#define N_PORTS 5
#define N_GROUPS 3
#define N_STEPS 1500
#define GATEWAY 0x0a000101u

/* p0 (10.0.1.5, filtered) and p1 (not) on hv1 at 10 and 11; the others nowhere; groups g0 (tcp), g1 (tcp), g2 (udp). */
static struct lab *
lab_with_groups(void)
{
    struct lab *lab = lab_new();
    lab_host(lab, "hv1", lab_facts(0));
    lab_host(lab, "hv2", lab_facts(1));
    lab_do(lab, "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                "{'op':'add','type':'tg','name':'g0','values':{'vpc':'v','proto':'tcp','port':80}},"
                "{'op':'add','type':'tg','name':'g1','values':{'vpc':'v','proto':'tcp','port':443,'drain':0}},"
                "{'op':'add','type':'tg','name':'g2','values':{'vpc':'v','proto':'udp','port':53,'drain':0}}]");
    for (int i = 0; i < N_PORTS; i++)
        lab_do(lab, "[{'op':'add','type':'port','name':'p%d','values':{'subnet':'s','ip':'10.0.1.%d','mac':'02:00:00:00:00:0%d'%s}}]", i,
               5 + i, 5 + i, i ? ",'sg':'none'" : "");
    lab_bind(lab, "p0", "hv1", 10);
    lab_bind(lab, "p1", "hv1", 11);
    lab_run(lab);
    return lab;
}

static void
add_target(struct lab *lab, int group, int port)
{
    lab_do(lab, "[{'op':'add','type':'target','values':{'tg':'g%d','port':'p%d'}}]", group, port);
    lab_run(lab);
}

/* ---- which packets ---- */

/* What p'port' sends to its gateway. */
static struct exec_packet
packet(int port, uint8_t proto, uint16_t src, uint16_t dst)
{
    struct exec_packet p = { .bytes = 60 };
    p.field[OF_IN_PORT] = 10 + port;
    p.field[OF_ETH_SRC] = UINT64_C(0x020000000005) + port;
    p.field[OF_ETH_DST] = UINT64_C(0x02766e000001);
    p.field[OF_ETH_TYPE] = 0x0800;
    p.field[OF_IP_PROTO] = proto;
    p.field[OF_IP_TTL] = 64;
    p.field[OF_IPV4_SRC] = 0x0a000105 + port;
    p.field[OF_IPV4_DST] = GATEWAY;
    p.field[OF_TCP_SRC] = p.field[OF_UDP_SRC] = src;
    p.field[OF_TCP_DST] = p.field[OF_UDP_DST] = dst;
    p.field[OF_ICMPV4_TYPE] = src;
    p.field[OF_ICMPV4_CODE] = dst;
    return p;
}

/* The port whose answer to a health check it is; 0: it is none. */
static uint32_t
heard(struct lab *lab, const struct exec_packet *p)
{
    struct arena *arena = arena_new();
    struct exec_result r;
    struct error err;
    uint32_t port = 0, again = 0;
    if (!exec_run(lab_table(lab, lab_number(lab, OBJECT_HOST, "hv1")), p, arena, &r, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < r.n_outputs; i++) {
        const struct exec_output *out = &r.outputs[i];
        if (out->kind == EXEC_CONTROLLER)
            (out->controller_id == LAYOUT_CONTROLLER_ID ? userdata_get_checked(out->userdata, out->userdata_len, &port)
                                                        : userdata_get_checked(out->userdata, out->userdata_len, &again));
    }
    assert_int_equal(port, again);
    arena_free(arena);
    return port;
}

static void
answers_of_a_target_are_heard_filtered_or_not(void **unused)
{
    struct lab *lab = lab_with_groups();
    for (int i = 0; i < 2; i++) {
        struct exec_packet syn_ack = packet(i, L4_TCP, 80, 0xff00), echo = packet(i, L4_ICMP, 0, 0), error = packet(i, L4_ICMP, 3, 10);
        assert_int_equal(heard(lab, &syn_ack), 0);
        add_target(lab, 0, i);
        uint32_t number = lab_number(lab, OBJECT_PORT, i ? "p1" : "p0");
        assert_int_equal(heard(lab, &syn_ack), number);
        assert_int_equal(heard(lab, &error), number);
        assert_int_equal(heard(lab, &echo), 0);
        add_target(lab, 2, i);
        assert_int_equal(heard(lab, &echo), number);
        assert_int_equal(heard(lab, &syn_ack), number);
    }
    lab_free(lab);
}

static void
nothing_else_is_heard(void **unused)
{
    struct lab *lab = lab_with_groups();
    add_target(lab, 0, 0);
    add_target(lab, 2, 0);
    struct exec_packet other_port = packet(0, L4_TCP, 81, 0xff00), other_range = packet(0, L4_TCP, 80, 0xfeff),
                       other_proto = packet(0, L4_UDP, 80, 0xff00), request = packet(0, L4_ICMP, 8, 0),
                       no_target = packet(1, L4_TCP, 80, 0xff00), forged = packet(1, L4_TCP, 80, 0xff00),
                       elsewhere = packet(0, L4_TCP, 80, 0xff00), fragment = packet(0, L4_ICMP, 0, 0);
    forged.field[OF_IPV4_SRC] = 0x0a000105;
    elsewhere.field[OF_IPV4_DST] = GATEWAY + 1;
    fragment.field[OF_IP_FRAG] = OF_FRAG_ANY;
    const struct exec_packet *all[] = { &other_port, &other_range, &other_proto, &request, &no_target, &forged, &elsewhere, &fragment };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_int_equal(heard(lab, all[i]), 0);
    lab_free(lab);
}

static void
what_is_heard_follows_the_group(void **unused)
{
    struct lab *lab = lab_with_groups();
    uint32_t p1 = lab_number(lab, OBJECT_PORT, "p1");
    struct exec_packet at_80 = packet(1, L4_TCP, 80, 0xffff), at_8080 = packet(1, L4_TCP, 8080, 0xffff),
                       at_443 = packet(1, L4_TCP, 443, 0xffff);
    add_target(lab, 0, 1);
    lab_do(lab, "[{'op':'set','type':'tg','name':'g0','values':{'check_port':8080}}]");
    lab_run(lab);
    assert_int_equal(heard(lab, &at_80), 0);
    assert_int_equal(heard(lab, &at_8080), p1);
    add_target(lab, 1, 1);
    assert_int_equal(heard(lab, &at_443), p1);
    lab_do(lab, "[{'op':'del','type':'target','name':'g0/p1'}]"); /* drains */
    lab_run(lab);
    assert_int_equal(heard(lab, &at_8080), p1);
    lab_do(lab, "[{'op':'del','type':'target','name':'g0/p1'}]");
    lab_run(lab);
    assert_int_equal(heard(lab, &at_8080), 0);
    assert_int_equal(heard(lab, &at_443), p1);
    lab_do(lab, "[{'op':'set','type':'tg','name':'g1','values':{'check':'none'}}]");
    lab_run(lab);
    assert_int_equal(heard(lab, &at_443), 0);
    lab_free(lab);
}

/* ---- any sequence ---- */

struct storm {
    struct lab *lab;
    struct random random;
};

static unsigned
pick(struct storm *s, unsigned n)
{
    return random_below(&s->random, n);
}

/* May be refused: it is there, or it is not. */
static void
try(struct storm *s, json_t *op)
{
    struct error err;
    json_t *ops = json_pack("[o]", op);
    lab_try(s->lab, ops, &err);
    json_decref(ops);
}

static json_t *
random_op(struct storm *s)
{
    static const char *const checks[] = { "tcp", "icmp", "none" };
    char group[8], port[8], target[16];
    snprintf(group, sizeof group, "g%u", pick(s, N_GROUPS));
    snprintf(port, sizeof port, "p%u", pick(s, N_PORTS));
    snprintf(target, sizeof target, "%s/%s", group, port);
    switch (pick(s, 8)) {
    case 0: return json_pack("{ss ss ss}", "op", "del", "type", "port", "name", port);
    case 1:
        return json_pack("{ss ss ss s{ss ss ss}}", "op", "add", "type", "port", "name", port, "values", "subnet", "s", "sg",
                         pick(s, 2) ? "none" : "v", "ip", pick(s, 2) ? "10.0.1.20" : "10.0.1.21");
    case 2:
        return json_pack("{ss ss ss s{ss si}}", "op", "set", "type", "tg", "name", group, "values", "check", checks[pick(s, 3)],
                         "check_port", 80 + pick(s, 2));
    case 3:
    case 4: return json_pack("{ss ss ss}", "op", "del", "type", "target", "name", target);
    default:
        return json_pack("{ss ss s{ss ss si}}", "op", "add", "type", "target", "values", "tg", group, "port", port, "target_port",
                         80 + pick(s, 2));
    }
}

static void
random_binding(struct storm *s)
{
    char name[8];
    snprintf(name, sizeof name, "p%u", pick(s, N_PORTS));
    uint32_t number = lab_number(s->lab, OBJECT_PORT, name);
    if (number)
        lab_bind_number(s->lab, number, (struct binding){ pick(s, 3) ? s->lab->hosts[pick(s, 2)].number : 0, 10 + number });
}

static void
any_sequence_of_changes_gives_what_a_fresh_compile_gives(void **unused)
{
    struct storm s = { lab_with_groups(), random_seeded() };
    for (int i = 0; i < N_STEPS; i++) {
        struct error err;
        for (unsigned n = 1 + pick(&s, 3); n; n--)
            pick(&s, 3) ? try(&s, random_op(&s)) : random_binding(&s);
        lab_run(s.lab);
        if (!lab_is_consistent(s.lab, &err))
            fail_msg("step %d: %s", i, err.text);
    }
    lab_free(s.lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_a_target_are_heard_filtered_or_not),
        cmocka_unit_test(nothing_else_is_heard),
        cmocka_unit_test(what_is_heard_follows_the_group),
        cmocka_unit_test(any_sequence_of_changes_gives_what_a_fresh_compile_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
