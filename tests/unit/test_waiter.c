/* Who waits for hosts to confirm. Hosts are connected, and confirm, as tests say. */
#include "controller/waiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/controller_lab.h"

struct wait {
    int n_done;
    size_t n_unconfirmed, n_disconnected;
    uint32_t unconfirmed, disconnected; /* the first */
};

static char session;

static int
start(void **state)
{
    struct controller_lab *lab = controller_lab_start();
    controller_lab_do(lab, "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]");
    *state = lab;
    return 0;
}

static int
stop(void **state)
{
    struct controller_lab *lab = *state;
    for (struct hypervisor *h = hosts_first(lab->c.hosts); h; h = hosts_next(lab->c.hosts, h)) {
        h->of = NULL;
        h->is_reconciling = false;
    }
    controller_lab_stop(lab);
    return 0;
}

static struct hypervisor *
up(struct controller_lab *lab, const char *name)
{
    struct hypervisor *h = controller_lab_host(lab, name);
    h->db = (struct ovsdb_session *) (void *) &session;
    h->of = (struct of_session *) (void *) &session;
    h->has_facts = h->is_reconciling = true;
    assert_true(host_is_connected(h));
    return h;
}

static void
down(struct controller_lab *lab, struct hypervisor *h)
{
    h->of = NULL;
    h->is_reconciling = false;
    waiters_check(lab->c.waiters, h->number);
}

static void
confirm(struct controller_lab *lab, struct hypervisor *h, uint64_t seq)
{
    h->confirmed_seq = seq;
    waiters_check(lab->c.waiters, h->number);
}

static void
done(void *aux, const struct waiter_result *result)
{
    struct wait *w = aux;
    w->n_done++;
    w->n_unconfirmed = result->n_unconfirmed;
    w->n_disconnected = result->n_disconnected;
    w->unconfirmed = result->n_unconfirmed ? result->unconfirmed[0] : 0;
    w->disconnected = result->n_disconnected ? result->disconnected[0] : 0;
}

static bool
is_done(void *aux)
{
    return ((struct wait *) aux)->n_done;
}

static void
nothing_to_wait_for_is_done_at_once(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    waiter_add(lab->c.waiters, NULL, 0, 5, done, &w);
    assert_int_equal(w.n_done, 1);
    struct hypervisor *h = up(lab, "h1");
    h->wanted_seq = h->confirmed_seq = 5;
    waiter_add(lab->c.waiters, &h->number, 1, 5, done, &w);
    assert_int_equal(w.n_done, 2);
    assert_int_equal(w.n_unconfirmed + w.n_disconnected, 0);
}

static void
all_must_confirm_what_they_wanted_when_the_waiting_began(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *a = up(lab, "h1"), *b = up(lab, "h2");
    uint32_t both[] = { a->number, b->number };
    a->wanted_seq = 5;
    b->wanted_seq = 7;
    waiter_add(lab->c.waiters, both, 2, 5, done, &w);
    a->wanted_seq = 9;
    confirm(lab, b, 6);
    confirm(lab, a, 5);
    assert_int_equal(w.n_done, 0);
    confirm(lab, b, 7);
    assert_int_equal(w.n_done, 1);
    assert_int_equal(w.n_unconfirmed + w.n_disconnected, 0);
}

static void
who_is_away_is_named_and_not_waited_for(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *a = up(lab, "h1"), *b = controller_lab_host(lab, "h2");
    uint32_t both[] = { a->number, b->number };
    a->wanted_seq = b->wanted_seq = 5;
    waiter_add(lab->c.waiters, both, 2, 5, done, &w);
    assert_int_equal(w.n_done, 0);
    confirm(lab, a, 5);
    assert_int_equal(w.n_done, 1);
    assert_int_equal(w.n_disconnected, 1);
    assert_int_equal(w.disconnected, b->number);
}

static void
who_leaves_while_waited_for_is_named(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *h = up(lab, "h1");
    h->wanted_seq = 5;
    waiter_add(lab->c.waiters, &h->number, 1, 5, done, &w);
    down(lab, h);
    assert_int_equal(w.n_done, 1);
    assert_int_equal(w.disconnected, h->number);
}

static void
who_comes_back_must_confirm_anew(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *h = up(lab, "h1");
    h->wanted_seq = 5;
    confirm(lab, h, 5);
    h->confirmed_seq = 0; /* as when it is read back on a new connection */
    waiter_add(lab->c.waiters, &h->number, 1, 5, done, &w);
    assert_int_equal(w.n_done, 0);
    confirm(lab, h, 5);
    assert_int_equal(w.n_done, 1);
}

static void
who_does_not_confirm_in_time_is_named(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *h = up(lab, "h1");
    h->wanted_seq = 5;
    waiter_add(lab->c.waiters, &h->number, 1, 0.01, done, &w);
    assert_true(controller_lab_until(lab, is_done, &w));
    assert_int_equal(w.n_unconfirmed, 1);
    assert_int_equal(w.unconfirmed, h->number);
}

static void
a_deleted_host_is_not_waited_for(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *h = up(lab, "h1");
    uint32_t number = h->number;
    h->wanted_seq = 5;
    waiter_add(lab->c.waiters, &number, 1, 5, done, &w);
    h->db = NULL;
    h->of = NULL;
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h1'}]");
    assert_int_equal(w.n_done, 1);
    assert_int_equal(w.n_unconfirmed + w.n_disconnected, 0);
}

static void
the_end_of_the_program_ends_all_waiting(void **state)
{
    struct controller_lab *lab = *state;
    struct wait w = { 0 };
    struct hypervisor *h = up(lab, "h1");
    h->wanted_seq = 5;
    waiter_add(lab->c.waiters, &h->number, 1, 100, done, &w);
    waiter_add(lab->c.waiters, &h->number, 1, 100, done, &w);
    h->of = NULL;
    h->is_reconciling = false;
    controller_lab_restart(lab);
    assert_int_equal(w.n_done, 2);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_wait_for_is_done_at_once),     TEST(all_must_confirm_what_they_wanted_when_the_waiting_began),
        TEST(who_is_away_is_named_and_not_waited_for), TEST(who_leaves_while_waited_for_is_named),
        TEST(who_comes_back_must_confirm_anew),        TEST(who_does_not_confirm_in_time_is_named),
        TEST(a_deleted_host_is_not_waited_for),        TEST(the_end_of_the_program_ends_all_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
