/* A zone that is given, and its host's switch: it is stored when the switch has emptied it, and not before, whatever comes between. */
#include "tests/unit/zones_lab.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define FIRST_ZONE 1
#define NUMBERS 2

struct world {
    struct zones_lab z;
    uint32_t numbers[NUMBERS];
    unsigned n; /* for what is waited for */
};

static struct ovsdb_zone stored[8]; /* since it was last looked at */
static size_t n_stored;

/* Instead of a database's session, which a controller lab has none of (linked with --wrap). */
void __wrap_ovsdb_session_set_zone(struct ovsdb_session *, uint32_t number, uint16_t zone);

void
__wrap_ovsdb_session_set_zone(struct ovsdb_session *s, uint32_t number, uint16_t zone)
{
    assert_in_range(n_stored, 0, sizeof stored / sizeof stored[0] - 1);
    stored[n_stored++] = (struct ovsdb_zone){ number, zone };
}

static struct hypervisor *
host(const struct world *w)
{
    return controller_lab_host(w->z.lab, "hv1");
}

static void
connect_switch(struct world *w, bool keeps_barriers)
{
    controller_switch_connect(&w->z.hv, w->z.lab, "hv1", 1);
    w->z.hv.fake.keeps_barriers = keeps_barriers;
    host_zones_flush(host(w));
}

static int
setup(void **state)
{
    struct world *w = *state = zones_lab_start(
        sizeof *w, "[{'op':'add','type':'host','name':'hv1'},{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                   "{'op':'add','type':'vpc','name':'u','values':{'cidr':'10.0.0.0/16'}}]");
    n_stored = 0;
    w->numbers[0] = controller_lab_number(w->z.lab, OBJECT_VPC, "v"); /* anything that is there can have a zone */
    w->numbers[1] = controller_lab_number(w->z.lab, OBJECT_VPC, "u");
    return 0;
}

static void
want(struct world *w, unsigned i)
{
    hosts_zone_wanted(w->z.lab->c.hosts, host(w)->number, w->numbers[i]);
}

static bool
is_flushed(void *aux)
{
    const struct world *w = aux;
    return w->z.hv.fake.n_flushed_zones >= w->n
           && w->z.hv.fake.n_messages[20] > w->n; /* barriers: that behind the session's own probe, too */
}

static void
wait_flushed(struct world *w, unsigned n)
{
    w->n = n;
    assert_true(controller_lab_until(w->z.lab, is_flushed, w));
    assert_int_equal(w->z.hv.fake.n_flushed_zones, n);
}

static bool
is_stored(void *aux)
{
    return n_stored >= ((const struct world *) aux)->n;
}

static void
expect_stored(struct world *w, unsigned i, uint16_t zone)
{
    w->n = 1;
    assert_true(controller_lab_until(w->z.lab, is_stored, w));
    assert_int_equal(n_stored, 1);
    assert_int_equal(stored[0].number, w->numbers[i]);
    assert_int_equal(stored[0].zone, zone);
    n_stored = 0;
}

static void
a_zone_is_stored_when_the_switch_has_emptied_it(void **state)
{
    struct world *w = *state;
    connect_switch(w, true);
    host_zones_told(host(w), NULL, 0);
    want(w, 0);
    wait_flushed(w, 1);
    assert_int_equal(w->z.hv.fake.flushed_zones[0], FIRST_ZONE);
    assert_int_equal(n_stored, 0);
    fake_switch_pass(&w->z.hv.fake);
    expect_stored(w, 0, FIRST_ZONE);
}

static void
a_connection_that_ends_before_has_stored_nothing_and_the_next_begins_again(void **state)
{
    struct world *w = *state;
    connect_switch(w, true);
    host_zones_told(host(w), NULL, 0);
    want(w, 0);
    wait_flushed(w, 1);
    controller_switch_disconnect(&w->z.hv);
    assert_int_equal(n_stored, 0);
    connect_switch(w, false);
    wait_flushed(w, 1);
    expect_stored(w, 0, FIRST_ZONE);
    controller_switch_disconnect(&w->z.hv);
    connect_switch(w, false);
    host_zones_told(host(w), (const struct ovsdb_zone[]){ { w->numbers[0], FIRST_ZONE } }, 1);
    want(w, 1);
    wait_flushed(w, 1); /* the first one's is not emptied again: it is in use */
    assert_int_equal(w->z.hv.fake.flushed_zones[0], FIRST_ZONE + 1);
    expect_stored(w, 1, FIRST_ZONE + 1);
}

static void
what_is_flushed_behind_a_barrier_waits_for_the_next(void **state)
{
    struct world *w = *state;
    connect_switch(w, true);
    host_zones_told(host(w), NULL, 0);
    want(w, 0);
    wait_flushed(w, 1);
    want(w, 1);
    fake_switch_pass(&w->z.hv.fake);
    expect_stored(w, 0, FIRST_ZONE);
    expect_stored(w, 1, FIRST_ZONE + 1);
    assert_int_equal(w->z.hv.fake.n_flushed_zones, 2);
}

static void
what_goes_before_its_zone_is_empty_has_none(void **state)
{
    struct world *w = *state;
    connect_switch(w, true);
    host_zones_told(host(w), NULL, 0);
    want(w, 0);
    wait_flushed(w, 1);
    hosts_number_released(w->z.lab->c.hosts, w->numbers[0]);
    expect_stored(w, 0, 0);
    fake_switch_pass(&w->z.hv.fake);
    want(w, 1);
    expect_stored(w, 1, FIRST_ZONE + 1);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, zones_lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_zone_is_stored_when_the_switch_has_emptied_it),
        TEST(a_connection_that_ends_before_has_stored_nothing_and_the_next_begins_again),
        TEST(what_is_flushed_behind_a_barrier_waits_for_the_next),
        TEST(what_goes_before_its_zone_is_empty_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
