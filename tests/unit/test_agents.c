/* Agents that answer vnetd's beats, and those that hang. */
#include "controller/instance/agents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller_lab.h"
#include "vnet/pipeline/layout.h"

struct agent {
    struct agent_session *session; /* NULL: sent away */
    unsigned n_beats;              /* that it was asked for */
};

static bool
tell(void *aux, const char *event, const char *data)
{
    ((struct agent *) aux)->n_beats += !strcmp(event, "beat");
    return true;
}

static void
drop(void *aux)
{
    ((struct agent *) aux)->session = NULL;
}

static const struct agent_ops agent_ops = { tell, drop };

static int
start(void **state)
{
    return controller_lab_setup(state, "[{'op':'add','type':'host','name':'h1'}]");
}

static uint32_t
host_of(struct controller_lab *lab)
{
    return controller_lab_number(lab, OBJECT_HOST, "h1");
}

static void
enter(struct controller_lab *lab, struct agent *a)
{
    *a = (struct agent){ agents_enter(lab->c.agents, host_of(lab), &agent_ops, a), 0 };
}

static void
answer(struct controller_lab *lab, int heap_bytes)
{
    json_t *beat = json_pack("{s:i}", "heap_bytes", heap_bytes);
    agents_take_beat(lab->c.agents, host_of(lab), beat);
    json_decref(beat);
}

/* Its guests are vnetd's to answer then. */
static void
an_agent_that_answers_no_beat_is_away(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a;
    enter(lab, &a);
    agents_expect_beats(a.session);
    agents_set_answering(lab->c.agents, host_of(lab), true);
    assert_int_equal(agents_controller_id(lab->c.agents, host_of(lab)), LAYOUT_CONTROLLER_ID_VNETD);
    for (unsigned round = 0; round < 3; round++) { /* each time but the last it answers the last one that counts */
        for (unsigned i = 0; i < AGENTS_BEATS_MISSED; i++)
            agents_beat(a.session);
        assert_non_null(a.session);
        if (round < 2)
            answer(lab, 1000 + (int) round);
    }
    assert_int_equal(a.n_beats, 3 * AGENTS_BEATS_MISSED);
    assert_int_equal(agents_beats(lab->c.agents, host_of(lab)).n, 2);
    assert_int_equal(agents_beats(lab->c.agents, host_of(lab)).heap_bytes, 1001);
    agents_beat(a.session);
    assert_null(a.session);
    assert_false(agents_is_present(lab->c.agents, host_of(lab)));
    assert_int_equal(agents_controller_id(lab->c.agents, host_of(lab)), LAYOUT_CONTROLLER_ID);
    assert_int_equal(agents_beats(lab->c.agents, host_of(lab)).n, 0);
    answer(lab, 1); /* it wakes up: its old answers are nobody's */
    assert_false(agents_is_present(lab->c.agents, host_of(lab)));
    enter(lab, &a);
    assert_true(agents_is_present(lab->c.agents, host_of(lab)));
    agents_leave(a.session);
}

/* Of an older version. */
static void
an_agent_that_does_not_say_that_it_beats_may_be_silent(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a;
    enter(lab, &a);
    for (unsigned i = 0; i < 3 * AGENTS_BEATS_MISSED; i++)
        agents_beat(a.session);
    assert_int_equal(a.n_beats, 3 * AGENTS_BEATS_MISSED);
    assert_non_null(a.session);
    agents_leave(a.session);
}

static void
say_device(struct controller_lab *lab, const char *device, int mtu)
{
    json_t *underlay = json_pack("{s:s,s:i,s:b}", "device", device, "mtu", mtu, "up", 1);
    agents_set_underlay(lab->c.agents, host_of(lab), underlay);
    json_decref(underlay);
}

static void
a_tunnel_address_that_no_device_has_is_an_error_until_one_has_it(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a;
    controller_lab_connect(lab, "h1");
    controller_lab_host(lab, "h1")->has_facts = true;
    char *const *error = &controller_lab_host(lab, "h1")->errors[HOST_ERROR_UNDERLAY];
    enter(lab, &a);
    assert_null(*error); /* it has not said yet */
    say_device(lab, "", 0);
    assert_non_null(*error);
    assert_non_null(strstr(*error, "no device of the host has its vnet-encap-ip "));
    say_device(lab, "eth0", 9000);
    assert_null(*error);
    agents_leave(a.session);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_agent_that_answers_no_beat_is_away),
        TEST(an_agent_that_does_not_say_that_it_beats_may_be_silent),
        TEST(a_tunnel_address_that_no_device_has_is_an_error_until_one_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
