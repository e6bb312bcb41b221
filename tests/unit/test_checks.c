/* Health checks inside vnetd: from a target and its binding to the probe that leaves its host's switch, and from what comes back to facts and
 * columns; whose silence counts; what becomes of targets that have drained. */
#include "tests/unit/checks_world.h"

#include <signal.h>

#include "controller/columns.h"

static void
a_probe_leaves_by_the_targets_port_once_its_host_has_the_flows(void **state)
{
    struct world *w = *state;
    world_begin(w, SLOW);
    world_settle(w);
    assert_int_equal(world_n_sent(w), 0);
    controller_switch_confirm(&w->hv);
    struct said s = world_sent(w, 1);
    assert_int_equal(s.ofport, OFPORT);
    assert_int_equal(s.tcp.dst_port, 80);
    assert_int_equal(s.tcp.flags, TCP_FLAG_SYN);
    assert_int_equal(ip4_u32(s.ip.src), 0x0a000101);
    assert_int_equal(ip4_u32(s.ip.dst), 0x0a000105);
    assert_string_equal(world_column(w, "health"), "initial");

    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(world_column(w, "health"), "healthy");
    assert_int_equal(runtime_target_state(w->lab->c.runtime, w->target), TARGET_HEALTHY);
    assert_int_equal(world_sent(w, 2).tcp.flags, TCP_FLAG_RST);
}

static void
nobody_else_answers_for_a_target(void **state)
{
    struct world *w = *state;
    world_begin(w, SLOW);
    controller_switch_confirm(&w->hv);
    struct said s = world_sent(w, 1);
    uint32_t hv1 = controller_lab_host(w->lab, "hv1")->number;
    struct tcp_segment other = s.tcp;
    other.seq++;
    world_answer_from(w, &s.tcp, TCP_FLAG_SYN, hv1, OFPORT + 1);
    world_answer_from(w, &s.tcp, TCP_FLAG_SYN, hv1 + 1, OFPORT);
    world_answer(w, &other, TCP_FLAG_SYN);
    world_answer(w, &other, TCP_FLAG_RST);
    assert_string_equal(world_column(w, "health"), "initial");
    assert_string_equal(world_column(w, "reason"), "");
    world_answer(w, &s.tcp, TCP_FLAG_RST);
    assert_string_equal(world_column(w, "health"), "unhealthy");
    assert_string_equal(world_column(w, "reason"), "refused");
    world_answer(w, &s.tcp, TCP_FLAG_SYN); /* the probe is over */
    assert_string_equal(world_column(w, "health"), "unhealthy");
}

static void
silence_and_absence_have_words_of_their_own(void **state)
{
    struct world *w = *state;
    world_begin(w, FAST);
    controller_switch_confirm(&w->hv);
    world_expect(w, "health", "unhealthy");
    assert_string_equal(world_column(w, "reason"), "no answer");
    world_bind(w, 0);
    world_expect(w, "reason", "unreachable");
    world_bind(w, OFPORT);
    controller_switch_confirm(&w->hv);
    world_expect(w, "reason", "no answer");
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv2'}]");
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    controller_switch_disconnect(&w->hv);
    world_expect(w, "reason", "unreachable");
    assert_string_equal(world_column(w, "health"), "unhealthy");
}

/* ---- silence ---- */

/* The loop finds the probe's time over before it has read what came meanwhile. */
static void
an_answer_that_came_in_time_counts_however_busy_vnetd_was(void **state)
{
    struct world *w = *state;
    world_begin(w, "'proto':'tcp','port':80,'interval':5,'timeout':0.5,'rise':1,'fall':1");
    controller_switch_confirm(&w->hv);
    struct said s = world_sent(w, 1);
    world_settle(w); /* the switch has been heard behind it */
    int64_t end_ms = controller_now_ms() + 550;
    while (controller_now_ms() < end_ms)
        continue;
    controller_lab_turn(w->lab);
    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(world_column(w, "health"), "healthy");
}

/* Turns for so long; then it is as it was. */
static void
stays(struct world *w, const char *health, int ms)
{
    int64_t end_ms = controller_now_ms() + ms;
    while (controller_now_ms() < end_ms)
        controller_lab_turn(w->lab);
    assert_string_equal(world_column(w, "health"), health);
}

static void
is_healthy_at_first(struct world *w)
{
    world_begin(w, FAST);
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv2'}]");
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    controller_switch_confirm(&w->hv);
    struct said s = world_sent(w, 1);
    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(world_column(w, "health"), "healthy");
}

static void
while_no_switch_is_heard_states_stay(void **state)
{
    struct world *w = *state;
    is_healthy_at_first(w);
    w->hv.fake.is_silent = w->other.fake.is_silent = true;
    stays(w, "healthy", 1500);
    w->other.fake.is_silent = false; /* its own host is still silent */
    world_expect(w, "health", "unhealthy");
    assert_string_equal(world_column(w, "reason"), "no answer");
}

static void
while_no_switch_is_connected_states_stay_and_then_each_host_is_waited_for(void **state)
{
    struct world *w = *state;
    is_healthy_at_first(w);
    controller_switch_disconnect(&w->other);
    controller_switch_disconnect(&w->hv);
    stays(w, "healthy", 1000);
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    stays(w, "healthy", 1000);
    controller_switch_connect(&w->hv, w->lab, "hv1", 1);
    controller_switch_confirm(&w->hv);
    struct said s = world_sent(w, 1);
    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    controller_switch_disconnect(&w->hv); /* alone, this time */
    world_expect(w, "health", "unhealthy");
    assert_string_equal(world_column(w, "reason"), "unreachable");
}

static void
a_host_that_has_not_come_yet_is_waited_for(void **state)
{
    struct world *w = *state;
    world_begin(w, FAST);
    controller_switch_confirm(&w->hv);
    struct said s = world_sent(w, 1);
    world_answer(w, &s.tcp, TCP_FLAG_SYN);
    controller_switch_disconnect(&w->hv);
    w->hv.lab = NULL;
    controller_lab_restart(w->lab);
    world_bind(w, OFPORT);
    assert_int_equal(runtime_target_state(w->lab->c.runtime, w->target), TARGET_HEALTHY);
    int64_t end_ms = controller_now_ms() + 600;
    while (controller_now_ms() < end_ms)
        controller_lab_turn(w->lab);
    assert_string_equal(world_column(w, "health"), "healthy");
}

/* ---- the group ---- */

static bool
fails_open(struct world *w)
{
    uint32_t number = controller_lab_number(w->lab, OBJECT_LISTENER, "front/tcp:80");
    json_t *json = columns_object(&w->lab->c, model_get(w->lab->c.model, number, OBJECT_LISTENER), NULL);
    bool is_open = json_is_true(json_object_get(json, "fail_open"));
    json_decref(json);
    return is_open;
}

static void
a_listener_tells_that_it_fails_open_as_its_flows_do(void **state)
{
    struct world *w = *state;
    world_begin(w, SLOW);
    controller_switch_confirm(&w->hv);
    controller_lab_do(w->lab, "[{'op':'add','type':'lb','name':'front','values':{'subnet':'a'}},"
                              "{'op':'add','type':'listener','values':{'lb':'front','proto':'tcp','port':80,'tg':'pages'}},"
                              "{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'port','name':'web3','values':{'subnet':'a'}}]");
    assert_false(fails_open(w));
    struct said s = world_sent(w, 1);
    world_answer(w, &s.tcp, TCP_FLAG_RST);
    assert_string_equal(world_column(w, "health"), "unhealthy");
    assert_true(fails_open(w));
    controller_lab_do(w->lab, "[{'op':'add','type':'target','values':{'tg':'pages','port':'web2'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web3','weight':0}}]");
    assert_true(fails_open(w));
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web3"), TARGET_HEALTHY);
    assert_true(fails_open(w)); /* it gets no connection */
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2"), TARGET_HEALTHY);
    assert_false(fails_open(w));
}

/* ---- draining ---- */

static void
what_has_drained_is_removed_and_what_was_added_again_is_not(void **state)
{
    struct world *w = *state;
    world_begin(w, "'proto':'tcp','port':80,'check':'none','drain':0.3");
    assert_string_equal(world_column(w, "health"), "healthy");
    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'}]");
    assert_string_equal(world_column(w, "health"), "draining");
    controller_lab_do(w->lab, "[{'op':'add','type':'target','values':{'tg':'pages','port':'web1'}}]");
    int64_t end_ms = controller_now_ms() + 500;
    while (controller_now_ms() < end_ms)
        controller_lab_turn(w->lab);
    assert_string_equal(world_column(w, "health"), "healthy");
    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'}]");
    world_expect(w, "health", "gone");
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_probe_leaves_by_the_targets_port_once_its_host_has_the_flows),
        TEST(nobody_else_answers_for_a_target),
        TEST(silence_and_absence_have_words_of_their_own),
        TEST(an_answer_that_came_in_time_counts_however_busy_vnetd_was),
        TEST(while_no_switch_is_heard_states_stay),
        TEST(while_no_switch_is_connected_states_stay_and_then_each_host_is_waited_for),
        TEST(a_host_that_has_not_come_yet_is_waited_for),
        TEST(a_listener_tells_that_it_fails_open_as_its_flows_do),
        TEST(what_has_drained_is_removed_and_what_was_added_again_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
