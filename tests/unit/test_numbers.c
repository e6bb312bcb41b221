/* Which OpenFlow port numbers are remembered, and when one is asked for again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/numbers.h"
#include "agent/numbers_file.h"
#include "base/log.h"

#define WEB "aaaaaaaa-0000-4000-8000-000000000001"
#define DB "aaaaaaaa-0000-4000-8000-000000000002"
#define MAC "52:54:00:00:00:01"

struct test {
    struct event_base *base;
    struct numbers *numbers;
    char folder[64], file[96];
    bool can_read;
    unsigned n_reads;
    uint32_t taken;      /* by some other interface; 0: none */
    char requested[200]; /* "tap0=5 " */
    int n_waited;
    bool was_ready;
};

static bool
ask_read(void *aux)
{
    struct test *t = aux;
    t->n_reads += t->can_read;
    return t->can_read;
}

static bool
ask_taken(void *aux, uint32_t number)
{
    return ((struct test *) aux)->taken == number;
}

static void
ask_request(void *aux, const char *interface, const char *iface_id, uint32_t number)
{
    struct test *t = aux;
    size_t n = strlen(t->requested);
    snprintf(t->requested + n, sizeof t->requested - n, "%s=%u ", interface, number);
}

static const struct numbers_ops ops = { ask_read, ask_taken, ask_request };

static int
start(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    snprintf(t->folder, sizeof t->folder, "/tmp/vnet-numbers-XXXXXX");
    if (!mkdtemp(t->folder))
        return -1;
    snprintf(t->file, sizeof t->file, "%s/a/b/numbers.json", t->folder);
    t->base = event_base_new();
    t->can_read = true;
    t->numbers = numbers_new(t->base, t->file, &ops, t);
    *state = t;
    return 0;
}

static int
stop(void **state)
{
    struct test *t = *state;
    char command[128];
    numbers_free(t->numbers);
    event_base_free(t->base);
    snprintf(command, sizeof command, "rm -rf %s", t->folder);
    int status = system(command);
    free(t);
    return status;
}

static void
show_as(struct test *t, const char *id, uint32_t number, bool is_up)
{
    const struct ovsdb_interface i = { "tap0", id, number, NULL, MAC, is_up };
    numbers_interfaces(t->numbers, &i, 1, NULL, 0, false);
    event_base_loop(t->base, EVLOOP_NONBLOCK);
}

static void
show(struct test *t, const char *id, uint32_t number)
{
    show_as(t, id, number, true);
}

static void
unplug(struct test *t, const char *id)
{
    numbers_interfaces(t->numbers, NULL, 0, &id, 1, false);
    event_base_loop(t->base, EVLOOP_NONBLOCK);
}

static void
answer(struct test *t, uint32_t number, const char *mac)
{
    struct mac m;
    assert_true(mac_parse(mac, &m));
    if (number)
        numbers_flow(t->numbers, number, m);
    numbers_read(t->numbers, true);
    event_base_loop(t->base, EVLOOP_NONBLOCK);
}

/* As after a kill: what is on disk is all there is. */
static void
restart(struct test *t)
{
    struct numbers *old = t->numbers;
    t->numbers = numbers_new(t->base, t->file, &ops, t);
    numbers_free(old);
}

static void
a_port_that_comes_back_while_vnetd_is_away_gets_its_number_again(void **state)
{
    struct test *t = *state;
    numbers_set_vnetd(t->numbers, true);
    show(t, WEB, 5);
    numbers_set_vnetd(t->numbers, false);
    unplug(t, WEB);
    restart(t);
    show(t, WEB, 9);
    assert_int_equal(t->n_reads, 0); /* whether vnetd is there is not known yet */
    numbers_set_vnetd(t->numbers, false);
    assert_int_equal(t->n_reads, 1);
    answer(t, 5, MAC);
    assert_string_equal(t->requested, "tap0=5 ");
    show(t, WEB, 0); /* taken out, and put in again */
    show(t, WEB, 5);
    assert_int_equal(t->n_reads, 1);
}

static void
with_vnetd_there_nothing_is_asked_for(void **state)
{
    struct test *t = *state;
    numbers_set_vnetd(t->numbers, true);
    show(t, WEB, 5);
    unplug(t, WEB);
    show(t, WEB, 9);
    assert_int_equal(t->n_reads, 0);
    unplug(t, WEB);
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 11);
    answer(t, 9, MAC);
    assert_string_equal(t->requested, "tap0=9 "); /* its last one, not its first */
}

static void
vnetd_back_before_the_flows_were_read_ends_the_matter(void **state)
{
    struct test *t = *state;
    show(t, WEB, 5);
    unplug(t, WEB);
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 9);
    numbers_set_vnetd(t->numbers, true);
    answer(t, 5, MAC);
    assert_string_equal(t->requested, "");
}

static void
a_number_is_left_alone_if_its_flows_are_gone_or_somebody_elses_or_it_is_taken(void **state)
{
    static const struct {
        uint32_t flow;
        const char *mac;
        uint32_t taken;
    } cases[] = {
        { 0, MAC, 0 },
        { 6, MAC, 0 },
        { 5, "52:54:00:00:00:99", 0 },
        { 5, MAC, 5 },
    };
    struct test *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        numbers_set_vnetd(t->numbers, true);
        show(t, WEB, 5);
        numbers_set_vnetd(t->numbers, false);
        unplug(t, WEB);
        show(t, WEB, 9);
        t->taken = cases[i].taken;
        answer(t, cases[i].flow, cases[i].mac);
        assert_string_equal(t->requested, "");
        unplug(t, WEB);
    }
}

static void
a_number_that_another_port_has_had_since_is_nobodys_any_more(void **state)
{
    struct test *t = *state;
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 5);
    unplug(t, WEB);
    show(t, DB, 5);
    unplug(t, DB);
    show(t, WEB, 9);
    assert_int_equal(t->n_reads, 0);
}

/* vswitchd would put it in again as it knew it: down. */
static void
an_interface_is_left_alone_until_it_is_up(void **state)
{
    struct test *t = *state;
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 5);
    unplug(t, WEB);
    show_as(t, WEB, 9, false);
    assert_int_equal(t->n_reads, 0);
    show_as(t, WEB, 9, true);
    answer(t, 5, MAC);
    assert_string_equal(t->requested, "tap0=5 ");
}

static void
a_number_that_is_refused_is_not_asked_for_again(void **state)
{
    struct test *t = *state;
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 5);
    unplug(t, WEB);
    show(t, WEB, 9);
    answer(t, 5, MAC);
    show(t, WEB, 9); /* not done yet */
    show(t, WEB, 10);
    assert_int_equal(t->n_reads, 1);
    assert_string_equal(t->requested, "tap0=5 ");
}

static void
a_switch_that_cannot_be_read_now_is_read_later(void **state)
{
    struct test *t = *state;
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 5);
    unplug(t, WEB);
    t->can_read = false;
    show(t, WEB, 9);
    t->can_read = true;
    numbers_look(t->numbers);
    numbers_read(t->numbers, false); /* the connection went */
    assert_string_equal(t->requested, "");
    numbers_look(t->numbers);
    answer(t, 5, MAC);
    assert_string_equal(t->requested, "tap0=5 ");
}

static void
waited(void *aux, bool is_ready)
{
    struct test *t = aux;
    t->n_waited++;
    t->was_ready = is_ready;
}

static void
who_waits_goes_on_when_all_have_their_numbers_or_the_time_is_over(void **state)
{
    struct test *t = *state;
    const char *both[] = { WEB, DB };
    numbers_wait(t->numbers, both, 2, 10000, waited, t);
    assert_int_equal(t->n_waited, 1); /* never seen here: nothing to wait for */
    assert_false(t->was_ready);
    numbers_set_vnetd(t->numbers, false);
    show(t, WEB, 5);
    unplug(t, WEB);
    numbers_wait(t->numbers, both, 1, 10000, waited, t);
    show(t, WEB, 9);
    assert_int_equal(t->n_waited, 1);
    answer(t, 5, MAC);
    assert_int_equal(t->n_waited, 1);
    show(t, WEB, 5);
    assert_int_equal(t->n_waited, 2);
    assert_true(t->was_ready);
    unplug(t, WEB);
    numbers_wait(t->numbers, both, 1, 1, waited, t);
    event_base_loop(t->base, EVLOOP_ONCE);
    assert_int_equal(t->n_waited, 3);
    assert_false(t->was_ready);
}

static void
count(void *aux, const char *iface_id, uint32_t number)
{
    *(unsigned *) aux += number;
}

static void
a_file_that_is_not_ours_is_named_and_does_no_harm(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"ports\":[]}",
        "{\"ports\":{\"a\":0}}",
        "{\"ports\":{\"a\":65280}}",
        "{\"ports\":{\"a\":-1}}",
        "{\"ports\":{\"a\":\"5\"}}",
        "{\"ports\":{\"\":5}}",
        "{\"ports\":{\"a\":5}}x",
        "{\"ports\":{\"a\":1e9}}",
    };
    struct error err;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(numbers_file_parse(texts[i], strlen(texts[i]), count, &sum, &err));
    assert_int_equal(sum, 0);
    const char *good = "{\"ports\":{\"a\":5,\"b\":7}}";
    assert_true(numbers_file_parse(good, strlen(good), count, &sum, &err));
    assert_int_equal(sum, 12);
    const struct test *t = *state;
    assert_true(numbers_file_read("/nonexistent/numbers.json", count, &sum, &err));
    assert_false(numbers_file_read(t->folder, count, &sum, &err));
    assert_non_null(strstr(err.text, t->folder));
}

int
main(void)
{
    char why[100];
    log_init("test");
    log_spec("emer", why, sizeof why);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_port_that_comes_back_while_vnetd_is_away_gets_its_number_again, start, stop),
        cmocka_unit_test_setup_teardown(with_vnetd_there_nothing_is_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(vnetd_back_before_the_flows_were_read_ends_the_matter, start, stop),
        cmocka_unit_test_setup_teardown(a_number_is_left_alone_if_its_flows_are_gone_or_somebody_elses_or_it_is_taken, start, stop),
        cmocka_unit_test_setup_teardown(a_number_that_another_port_has_had_since_is_nobodys_any_more, start, stop),
        cmocka_unit_test_setup_teardown(an_interface_is_left_alone_until_it_is_up, start, stop),
        cmocka_unit_test_setup_teardown(a_number_that_is_refused_is_not_asked_for_again, start, stop),
        cmocka_unit_test_setup_teardown(a_switch_that_cannot_be_read_now_is_read_later, start, stop),
        cmocka_unit_test_setup_teardown(who_waits_goes_on_when_all_have_their_numbers_or_the_time_is_over, start, stop),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_ours_is_named_and_does_no_harm, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
