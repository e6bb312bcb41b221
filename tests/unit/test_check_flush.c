/* What switches forget when targets die, go or come back: UDP connections, which nothing else would end, and TCP connections whose senders have
 * been reset. */
#include "tests/unit/checks_world.h"

#include <signal.h>
#include <string.h>

/* ---- UDP ---- */

static bool
is_flushed(void *aux)
{
    const struct world *w = aux;
    return w->hv.fake.n_ct_flushes >= w->at_least;
}

static void
expect_flush(struct world *w, unsigned n)
{
    uint8_t label[8] = { 0 }, mask[8] = { 0xff, 0xff, 0xff, 0xff };
    const struct fake_switch *f = &w->hv.fake;
    put_be32(label, w->target);
    w->at_least = n;
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    assert_int_equal(f->ct_flush[16], L4_UDP);
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, label, sizeof label));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, mask, sizeof mask));
}

static void
udp_connections_of_a_dead_or_removed_target_are_forgotten_after_the_flows(void **state)
{
    struct world *w = *state;
    world_begin(w, FAST_UDP);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    unsigned n = w->hv.fake.n_ct_flushes;
    world_expect(w, "health", "unhealthy");
    host_concern(controller_lab_host(w->lab, "hv1"), w->lab->c.seq);
    world_settle(w);
    assert_int_equal(w->hv.fake.n_ct_flushes, n);
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);

    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'},{'op':'del','type':'target','name':'pages/web1'}]");
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 2);
}

static void
udp_connections_of_dead_targets_are_forgotten_when_their_group_no_longer_fails_open(void **state)
{
    struct world *w = *state;
    world_begin(w, "'proto':'udp','port':53,'check':'tcp','check_port':80,'interval':0.1,'timeout':0.05,'rise':1,'fall':2");
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web2'}}]");
    controller_switch_confirm(&w->hv);
    world_expect(w, "health", "unhealthy");
    uint32_t web1 = w->target, web2 = controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2");
    w->target = web2;
    world_expect(w, "health", "unhealthy"); /* nobody knows where it is */
    controller_switch_confirm(&w->hv);
    w->at_least = 3; /* the first one: by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    world_settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    struct said s = world_sent(w, world_n_sent(w) + 1);
    w->target = web1;
    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(world_column(w, "health"), "healthy");
    w->target = web2;
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
}

/* The group has the healthy web2, of weight 0, so that it fails open for web1, which is dead. */
static void
udp_connections_of_dead_targets_are_forgotten_when_one_that_is_healthy_gets_a_weight(void **state)
{
    struct world *w = *state;
    world_begin(w, "'proto':'udp','port':53,'interval':300,'timeout':150");
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web2','weight':0}}]");
    runtime_set_target_state(w->lab->c.runtime, w->target, TARGET_UNHEALTHY);
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2"), TARGET_HEALTHY);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    world_settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    controller_lab_do(w->lab, "[{'op':'set','type':'target','name':'pages/web2','values':{'weight':1}}]");
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
    world_settle(w);
    controller_lab_do(w->lab, "[{'op':'set','type':'target','name':'pages/web2','values':{'weight':2}}]");
    controller_switch_confirm(&w->hv);
    for (int64_t end_ms = controller_now_ms() + 300; controller_now_ms() < end_ms;)
        controller_lab_turn(w->lab);
    assert_int_equal(w->hv.fake.n_ct_flushes, n + 1);
}

static void
udp_connections_of_dead_targets_are_forgotten_when_their_listener_gets_another_group(void **state)
{
    struct world *w = *state;
    world_begin(w, "'proto':'udp','port':53,'interval':300,'timeout':150");
    controller_lab_do(w->lab, "[{'op':'add','type':'tg','name':'spare','values':{'vpc':'v','proto':'udp','port':53}},"
                              "{'op':'add','type':'lb','name':'front','values':{'subnet':'a'}},"
                              "{'op':'add','type':'listener','values':{'lb':'front','proto':'udp','port':53,'tg':'pages'}}]");
    runtime_set_target_state(w->lab->c.runtime, w->target, TARGET_UNHEALTHY);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    world_settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    controller_lab_do(w->lab, "[{'op':'set','type':'listener','name':'front/udp:53','values':{'tg':'spare'}}]");
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
}

static void
a_removed_targets_udp_connections_are_forgotten_after_a_restart_too_but_only_once(void **state)
{
    struct world *w = *state;
    world_begin(w, FAST_UDP);
    controller_lab_show(w->lab, "hv1", "web1", OFPORT);
    controller_switch_confirm(&w->hv);
    controller_switch_disconnect(&w->hv);
    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'},{'op':'del','type':'target','name':'pages/web1'}]");
    for (unsigned n = 2; n >= 1; n--) { /* by the first one each time the session finds out what the switch can */
        w->hv.lab = NULL;
        controller_lab_restart(w->lab);
        controller_switch_connect(&w->hv, w->lab, "hv1", 1);
        w->at_least = 1;
        assert_true(controller_lab_until(w->lab, is_flushed, w));
        world_settle(w);
        assert_int_equal(w->hv.fake.n_ct_flushes, 1);
        controller_switch_confirm(&w->hv);
        if (n == 2)
            expect_flush(w, n);
        for (int64_t end_ms = controller_now_ms() + 300; controller_now_ms() < end_ms;)
            controller_lab_turn(w->lab);
        assert_int_equal(w->hv.fake.n_ct_flushes, n);
        controller_switch_disconnect(&w->hv);
    }
}

/* Its port is bound by what the host's database shows, which outlives vnetd. */
static void
a_host_that_was_away_forgets_udp_connections_of_a_dead_target_after_a_restart_too(void **state)
{
    struct world *w = *state;
    world_begin(w, FAST_UDP);
    controller_lab_show(w->lab, "hv1", "web1", OFPORT);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* who has never been asked is waited for */
    assert_true(controller_lab_until(w->lab, world_has_sent, w));
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv2'}]");
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    controller_switch_disconnect(&w->hv);
    world_expect(w, "health", "unhealthy");
    controller_switch_disconnect(&w->other);
    w->hv.lab = w->other.lab = NULL;
    controller_lab_restart(w->lab);
    assert_string_equal(world_column(w, "health"), "unhealthy");
    controller_switch_connect(&w->hv, w->lab, "hv1", 1);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    world_settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    assert_int_equal(n, 1);
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
}

/* ---- TCP ---- */

/* It was unhealthy; then its probe is answered. */
static void
come_back(struct world *w)
{
    world_expect(w, "health", "unhealthy");
    struct said s = world_sent(w, world_n_sent(w) + 1);
    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(world_column(w, "health"), "healthy");
    world_settle(w);
}

static void
tcp_connections_of_a_target_that_is_back_are_forgotten_unless_its_group_failed_open(void **state)
{
    static const uint8_t zone[] = { 0, 2, 0, 8, 0, 9 }, to[] = { 10, 0, 1, 5, 0, 0, 0, 0, 0, 3, 0, 8, 0, 80 };
    struct world *w = *state;
    const struct fake_switch *f = &w->hv.fake;
    world_begin(w, "'proto':'tcp','port':80,'interval':0.1,'timeout':0.05,'rise':1,'fall':10");
    runtime_set_zone(w->lab->c.runtime, controller_lab_host(w->lab, "hv1")->number, w->port, 9);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    unsigned n = f->n_ct_flushes;
    come_back(w); /* it was the only one, so they went on */
    assert_int_equal(f->n_ct_flushes, n);

    world_expect(w, "health", "unhealthy");
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web2'}}]");
    come_back(w); /* with a new one, which could not take them */
    assert_int_equal(f->n_ct_flushes, n);

    world_expect(w, "health", "unhealthy");
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2"), TARGET_HEALTHY);
    come_back(w);
    w->at_least = n + 1;
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    assert_int_equal(f->ct_flush[16], L4_TCP);
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, zone, sizeof zone));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, to, sizeof to));
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(udp_connections_of_a_dead_or_removed_target_are_forgotten_after_the_flows),
        TEST(udp_connections_of_dead_targets_are_forgotten_when_their_group_no_longer_fails_open),
        TEST(udp_connections_of_dead_targets_are_forgotten_when_one_that_is_healthy_gets_a_weight),
        TEST(udp_connections_of_dead_targets_are_forgotten_when_their_listener_gets_another_group),
        TEST(a_removed_targets_udp_connections_are_forgotten_after_a_restart_too_but_only_once),
        TEST(a_host_that_was_away_forgets_udp_connections_of_a_dead_target_after_a_restart_too),
        TEST(tcp_connections_of_a_target_that_is_back_are_forgotten_unless_its_group_failed_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
