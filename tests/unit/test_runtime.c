/* vnet/pipeline/runtime and presence: where ports are, and which hosts hold which VPCs. */
#include "vnet/pipeline/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "vnet/pipeline/layout.h"
#include "vnet/pipeline/presence.h"
#include "vnet/pipeline/stage.h"

#define N_PORTS 64
#define N_HOSTS 5
#define N_VPCS 4

struct ports_seen {
    unsigned n;
    uint32_t ofport[N_PORTS + 1];
};

static void
see_port(void *aux, uint32_t port, uint32_t ofport)
{
    struct ports_seen *seen = aux;
    assert_in_range(port, 1, N_PORTS);
    assert_int_equal(seen->ofport[port], 0);
    seen->ofport[port] = ofport;
    seen->n++;
}

static struct ports_seen
ports_on(const struct runtime *r, uint32_t host)
{
    struct ports_seen seen = { 0 };
    runtime_each_port_on(r, host, see_port, &seen);
    return seen;
}

static void
a_port_is_on_the_host_it_was_last_bound_to(void **unused)
{
    struct runtime *r = runtime_new();
    assert_int_equal(runtime_binding(r, 1).host, 0);
    runtime_bind(r, 1, (struct binding){ 7, 3 });
    runtime_bind(r, 1, (struct binding){ 7, 4 });
    assert_int_equal(runtime_binding(r, 1).ofport, 4);
    assert_int_equal(ports_on(r, 7).n, 1);
    runtime_bind(r, 1, (struct binding){ 8, 5 });
    assert_int_equal(ports_on(r, 7).n, 0);
    assert_int_equal(ports_on(r, 8).ofport[1], 5);
    runtime_bind(r, 1, (struct binding){ 0, 0 });
    assert_int_equal(ports_on(r, 8).n, 0);
    assert_int_equal(runtime_binding(r, 1).host, 0);
    runtime_bind(r, 1, (struct binding){ 0, 0 });
    runtime_free(r);
}

static void
count_host(void *aux, const struct runtime_host *host)
{
    ++*(unsigned *) aux;
}

static void
a_host_is_known_by_its_facts_and_not_by_its_ports(void **unused)
{
    unsigned n = 0;
    struct runtime *r = runtime_new();
    runtime_bind(r, 1, (struct binding){ 7, 3 });
    assert_null(runtime_host(r, 7));
    runtime_each_host(r, count_host, &n);
    assert_int_equal(n, 0);

    runtime_set_host(r, &(struct runtime_host){ .number = 7, .mtu = 1400 });
    assert_int_equal(runtime_host(r, 7)->mtu, 1400);
    runtime_each_host(r, count_host, &n);
    assert_int_equal(n, 1);

    runtime_remove_host(r, 7);
    assert_null(runtime_host(r, 7));
    assert_int_equal(ports_on(r, 7).n, 1);
    runtime_free(r);
}

static void
after_any_bindings_each_host_has_exactly_its_ports(void **unused)
{
    struct random random = random_seeded();
    struct runtime *r = runtime_new();
    struct binding at[N_PORTS + 1] = { { 0 } };
    for (unsigned step = 0; step < 5000; step++) {
        uint32_t port = 1 + random_below(&random, N_PORTS), host = random_below(&random, N_HOSTS + 1);
        at[port] = (struct binding){ host, host ? 1 + random_below(&random, 100) : 0 };
        runtime_bind(r, port, at[port]);
        if (!random_below(&random, 10))
            runtime_set_host(r, &(struct runtime_host){ .number = 1 + random_below(&random, N_HOSTS) });
        if (!random_below(&random, 10))
            runtime_remove_host(r, 1 + random_below(&random, N_HOSTS));

        unsigned h = 1 + random_below(&random, N_HOSTS);
        struct ports_seen seen = ports_on(r, h);
        for (unsigned p = 1; p <= N_PORTS; p++)
            assert_int_equal(seen.ofport[p], at[p].host == h ? at[p].ofport : 0);
    }
    runtime_free(r);
}

static void
an_upstream_gateway_has_the_address_last_learnt(void **unused)
{
    struct runtime *r = runtime_new();
    struct mac mac = { { 1 } };
    assert_false(runtime_gateway_mac(r, 5, &mac));
    assert_int_equal(mac.b[0], 1);
    runtime_set_gateway_mac(r, 5, (struct mac){ { 2 } });
    runtime_set_gateway_mac(r, 5, (struct mac){ { 4 } });
    runtime_set_gateway_mac(r, 6, (struct mac){ { 6 } });
    assert_true(runtime_gateway_mac(r, 5, &mac));
    assert_int_equal(mac.b[0], 4);
    runtime_forget_pool(r, 5);
    runtime_forget_pool(r, 5);
    assert_false(runtime_gateway_mac(r, 5, &mac));
    assert_true(runtime_gateway_mac(r, 6, &mac));
    runtime_free(r);
}

static void
a_zone_is_of_one_object_on_one_host(void **unused)
{
    struct runtime *r = runtime_new();
    runtime_set_zone(r, 1, 5, 100);
    runtime_set_zone(r, 2, 5, 200);
    runtime_set_zone(r, 1, 6, 0);
    assert_int_equal(runtime_zone(r, 1, 5), 100);
    assert_int_equal(runtime_zone(r, 2, 5), 200);
    assert_int_equal(runtime_zone(r, 1, 6), 0);
    assert_int_equal(runtime_zone(r, 5, 1), 0);
    runtime_set_zone(r, 1, 5, 101);
    assert_int_equal(runtime_zone(r, 1, 5), 101);
    runtime_set_zone(r, 1, 5, 0);
    assert_int_equal(runtime_zone(r, 1, 5), 0);
    assert_int_equal(runtime_zone(r, 2, 5), 200);
    runtime_free(r);
}

static void
note_vpc(void *aux, uint32_t vpc)
{
    ((bool *) aux)[vpc] = true;
}

static void
a_target_is_initial_until_its_health_is_known_and_when_it_is_forgotten(void **unused)
{
    struct runtime *r = runtime_new();
    assert_int_equal(runtime_target_state(r, 7), TARGET_INITIAL);
    runtime_set_target_state(r, 7, TARGET_HEALTHY);
    runtime_set_target_state(r, 8, TARGET_UNHEALTHY);
    assert_int_equal(runtime_target_state(r, 7), TARGET_HEALTHY);
    assert_int_equal(runtime_target_state(r, 8), TARGET_UNHEALTHY);
    runtime_set_target_state(r, 7, TARGET_UNHEALTHY);
    assert_int_equal(runtime_target_state(r, 7), TARGET_UNHEALTHY);
    runtime_set_target_state(r, 7, TARGET_INITIAL);
    runtime_set_target_state(r, 9, TARGET_INITIAL);
    assert_int_equal(runtime_target_state(r, 7), TARGET_INITIAL);
    assert_int_equal(runtime_target_state(r, 8), TARGET_UNHEALTHY);
    runtime_free(r);
}

static bool
place(struct presence *p, uint32_t port, uint32_t host, uint32_t vpc)
{
    return presence_place(p, (struct presence_reason){ .number = port }, host, vpc);
}

static void
a_host_holds_a_vpc_from_its_first_port_to_its_last(void **unused)
{
    struct presence *p = presence_new();
    assert_true(place(p, 1, 7, 100));
    assert_false(place(p, 2, 7, 100));
    assert_false(place(p, 1, 7, 100));
    assert_false(place(p, 1, 0, 0));
    assert_true(presence_holds(p, 7, 100));
    assert_false(place(p, 2, 0, 0));
    assert_false(presence_holds(p, 7, 100));
    assert_true(presence_is_leaving_any(p, 7));

    assert_false(place(p, 2, 7, 100)); /* back before its blocks were taken away */
    assert_true(presence_holds(p, 7, 100));
    assert_int_equal(presence_take_leaving(p, 7), 0);
    assert_false(place(p, 2, 8, 0));
    assert_int_equal(presence_take_leaving(p, 7), 100);
    assert_int_equal(presence_take_leaving(p, 7), 0);
    assert_true(place(p, 2, 7, 100));
    presence_free(p);
}

static void
each_group_of_a_port_is_a_reason_of_its_own_at_both_its_places(void **unused)
{
    struct presence *p = presence_new();
    struct presence_reason first = { .number = 1, .group = 100 }, second = { .number = 1, .group = 101 }, twin = { 1, 100, true };
    assert_true(presence_place(p, first, 7, 100));
    assert_true(presence_place(p, second, 7, 101));
    assert_true(presence_place(p, twin, 8, 100));
    assert_false(presence_place(p, (struct presence_reason){ .number = 2, .group = 101 }, 7, 101));
    presence_place(p, first, 8, 100);
    assert_false(presence_holds(p, 7, 100));
    assert_true(presence_holds(p, 7, 101));
    assert_int_equal(presence_host_of(p, twin), 8);
    presence_place(p, twin, 0, 0);
    assert_true(presence_holds(p, 8, 100));
    presence_place(p, second, 0, 0);
    assert_true(presence_holds(p, 7, 101));
    presence_free(p);
}

static void
presence_counts_right_after_any_moves(void **unused)
{
    struct random random = random_seeded();
    struct presence *p = presence_new();
    struct {
        uint32_t host, vpc;
    } at[N_PORTS] = { { 0 } };
    for (unsigned step = 0; step < 5000; step++) {
        uint32_t port = random_below(&random, 8);
        at[port].host = random_below(&random, N_HOSTS);
        at[port].vpc = random_below(&random, N_VPCS);
        place(p, port, at[port].host, at[port].vpc);
        if (!random_below(&random, 3))
            presence_take_leaving(p, 1 + random_below(&random, N_HOSTS - 1));

        uint32_t host = 1 + random_below(&random, N_HOSTS - 1);
        bool want[N_VPCS] = { false }, got[N_VPCS] = { false };
        for (unsigned i = 0; i < 8; i++)
            want[at[i].vpc] |= at[i].host == host;
        want[0] = false;
        presence_each_vpc(p, host, note_vpc, got);
        assert_memory_equal(want, got, sizeof want);
        for (uint32_t vpc = 1; vpc < N_VPCS; vpc++)
            assert_int_equal(presence_holds(p, host, vpc), want[vpc]);
    }
    presence_free(p);
}

static void
every_table_has_a_name_and_tables_rise(void **unused)
{
    unsigned n;
    const uint8_t *tables = stage_tables(&n);
    for (unsigned i = 0; i < n; i++) {
        assert_non_null(stage_name(tables[i]));
        assert_true(!i || tables[i] > tables[i - 1]);
    }
    assert_null(stage_name(1));
    assert_false(stage_is_shared(STAGE_ADMIT));
    assert_string_equal(reason_word(REASON_NO_ROUTE), "no-route");
    assert_string_equal(reason_word(99), "");
}

static void
a_gateway_is_one_while_its_facts_say_so(void **unused)
{
    struct runtime *r = runtime_new();
    for (uint32_t i = 1; i <= 4; i++)
        runtime_set_host(r, &(struct runtime_host){ .number = i, .is_gateway = i != 2 });
    static const struct {
        uint32_t host;
        bool is_gateway;
        unsigned n;
    } steps[] = { { 3, true, 3 }, { 3, false, 2 }, { 4, false, 1 }, { 1, false, 0 }, { 2, true, 1 }, { 3, true, 2 } };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        unsigned n = 0;
        runtime_set_host(r, &(struct runtime_host){ .number = steps[i].host, .is_gateway = steps[i].is_gateway });
        runtime_each_gateway(r, count_host, &n);
        assert_int_equal(n, steps[i].n);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        unsigned n = 0;
        runtime_remove_host(r, i);
        runtime_each_gateway(r, count_host, &n);
        assert_int_equal(n, i == 1 ? 2 : i == 2 ? 1 : 0);
    }
    runtime_free(r);
}

/* All numbers asked for, each by one block, and at most twice as many in all. */
static void
expect_blocks(uint32_t first, uint32_t last)
{
    struct cookie_block blocks[COOKIE_BLOCKS];
    size_t n = cookie_blocks(7, 3, first, last, blocks);
    uint64_t taken_in = 0;
    assert_in_range(n, 1, COOKIE_BLOCKS);
    assert_int_equal(blocks[0].first, first);
    assert_int_equal(blocks[n - 1].last, last);
    for (size_t i = 0; i < n; i++) {
        const struct cookie_block *b = &blocks[i];
        assert_true(b->first <= b->last && (!i || b->first == blocks[i - 1].last + 1));
        assert_int_equal(cookie_make(7, 3, b->first) & b->mask, b->cookie);
        assert_int_equal(cookie_make(7, 3, b->last) & b->mask, b->cookie);
        assert_int_equal(b->mask >> 32, UINT32_MAX);
        assert_int_equal(~b->mask & (~b->mask + 1), 0); /* a prefix: all between them, too */
        taken_in += ~b->mask + 1;
    }
    if (taken_in > 2 * ((uint64_t) last - first + 1))
        fail_msg("%u..%u: %lu", first, last, (unsigned long) taken_in);
}

static void
cookies_of_a_range_of_numbers_are_few_blocks_and_few_more_numbers(void **state)
{
    static const uint32_t some[] = {
        0, 1, 2, 3, 7, 8, 999, 1000, 1023, 1024, 1999, 65535, 65536, 131000, 0x7fffffff, 0x80000000, UINT32_MAX
    };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        for (size_t k = i; k < sizeof some / sizeof *some; k++)
            expect_blocks(some[i], some[k]);
    for (uint32_t first = 1; first < 70; first++)
        for (uint32_t last = first; last < 140; last++)
            expect_blocks(first, last);
    struct cookie_block one[COOKIE_BLOCKS];
    assert_int_equal(cookie_blocks(7, 3, 5, 5, one), 1);
    assert_int_equal(one[0].mask, UINT64_MAX);
    assert_int_equal(cookie_blocks(7, 3, 0, UINT32_MAX, one), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_on_the_host_it_was_last_bound_to),
        cmocka_unit_test(a_host_is_known_by_its_facts_and_not_by_its_ports),
        cmocka_unit_test(a_gateway_is_one_while_its_facts_say_so),
        cmocka_unit_test(after_any_bindings_each_host_has_exactly_its_ports),
        cmocka_unit_test(an_upstream_gateway_has_the_address_last_learnt),
        cmocka_unit_test(a_zone_is_of_one_object_on_one_host),
        cmocka_unit_test(a_target_is_initial_until_its_health_is_known_and_when_it_is_forgotten),
        cmocka_unit_test(a_host_holds_a_vpc_from_its_first_port_to_its_last),
        cmocka_unit_test(each_group_of_a_port_is_a_reason_of_its_own_at_both_its_places),
        cmocka_unit_test(presence_counts_right_after_any_moves),
        cmocka_unit_test(every_table_has_a_name_and_tables_rise),
        cmocka_unit_test(cookies_of_a_range_of_numbers_are_few_blocks_and_few_more_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
