/* Requests that change intent: one at a time, in order, all or nothing, remembered by key. */
#include "controller/commit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/host/host.h"
#include "tests/unit/controller_lab.h"

#define VPC "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}}]"
#define SUBNET "[{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}]"
#define PORT "[{'op':'add','type':'port','name':'p','values':{'subnet':'s'}}]"

static const struct principal admin = { .role = PRINCIPAL_ADMIN, .name = "admin" };

static int
start(void **state)
{
    *state = controller_lab_start();
    return 0;
}

static void
expect_error(struct lab_result r, enum error_code code, int op, const char *word)
{
    assert_false(r.ok);
    assert_int_equal(r.err.code, code);
    assert_int_equal(r.op, op);
    if (!strstr(r.err.text, word))
        fail_msg("'%s' does not say '%s'", r.err.text, word);
    lab_result_done(&r);
}

static void
expect_revision(struct controller_lab *lab, uint64_t revision)
{
    assert_int_equal(model_revision(lab->c.model), revision);
}

/* ---- one after the other ---- */

struct order {
    int next;
    bool all_ok;
};

struct turn {
    struct order *order;
    int place;
};

static void
in_order(void *aux, const struct commit_result *result)
{
    struct turn *t = aux;
    assert_int_equal(t->order->next++, t->place);
    t->order->all_ok &= result->ok;
}

static bool
has_three(void *aux)
{
    return ((struct order *) aux)->next == 3;
}

static void
requests_are_answered_in_order_and_see_those_before(void **state)
{
    static const char *const ops[] = { VPC, SUBNET, PORT };
    struct controller_lab *lab = *state;
    struct order order = { 0, true };
    struct turn turns[3];
    for (int i = 0; i < 3; i++) {
        struct error err;
        char text[256];
        strcpy(text, ops[i]);
        for (char *p = text; *p; p++)
            if (*p == '\'')
                *p = '"';
        turns[i] = (struct turn){ &order, i };
        struct commit_request r = {
            .ops = json_parse(text, strlen(text), "ops", &err), .principal = admin, .done = in_order, .aux = &turns[i]
        };
        commit_submit(lab->c.commits, &r);
    }
    assert_int_equal(order.next, 0); /* never from within the call */
    assert_true(controller_lab_until(lab, has_three, &order));
    assert_true(order.all_ok);
    expect_revision(lab, 3);
}

static void
a_request_that_fails_names_the_operation_and_changes_nothing(void **state)
{
    struct controller_lab *lab = *state;
    expect_error(controller_lab_try(lab, NULL,
                                    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                                    "{'op':'add','type':'vpc','name':'w','values':{'cidr':'nonsense'}}]"),
                 ERROR_INVALID, 1, "nonsense");
    assert_int_equal(controller_lab_number(lab, OBJECT_VPC, "v"), 0);
    expect_revision(lab, 0);
    expect_error(controller_lab_try(lab, NULL, "[5]"), ERROR_INVALID, 0, "");
    controller_lab_do(lab, VPC);
}

static void
a_dry_run_says_what_would_change_and_changes_nothing(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request dry = { .principal = admin, .is_dry_run = true };
    struct lab_result r = controller_lab_try(lab, &dry, VPC);
    assert_true(r.ok);
    assert_int_equal(json_array_size(r.changes), 5); /* also its main route table, its default group and two rules */
    assert_string_equal(json_member_string(json_array_get(r.changes, 0), "change"), "add");
    assert_int_equal(r.n_hosts, 0);
    lab_result_done(&r);
    expect_revision(lab, 0);
    assert_int_equal(controller_lab_number(lab, OBJECT_VPC, "v"), 0);
}

static void
what_is_empty_makes_no_revision(void **state)
{
    struct controller_lab *lab = *state;
    struct lab_result r = controller_lab_try(lab, NULL, "[]");
    assert_true(r.ok);
    assert_int_equal(r.revision, 0);
    lab_result_done(&r);
}

/* ---- large ones ---- */

struct ticker {
    struct event *event;
    int n;
};

static void
tick(evutil_socket_t fd, short what, void *aux)
{
    struct ticker *t = aux;
    t->n++;
    event_add(t->event, &(struct timeval){ 0, 0 });
}

/* 'n' tenants, as text of operations; free() it. */
static char *
many(int n)
{
    char *text = mem_alloc((size_t) n * 64 + 8), *at = text;
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s{'op':'add','type':'tenant','name':'t%d'}", i ? "," : "[", i);
    strcpy(at, "]");
    return text;
}

/* A dry run, since the loop waits for the store otherwise. */
static void
a_large_request_leaves_the_loop_its_turns(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request dry = { .principal = admin, .is_dry_run = true };
    struct ticker ticker = { .n = 0 };
    char *ops = many(8000);
    ticker.event = evtimer_new(lab->c.base, tick, &ticker);
    event_add(ticker.event, &(struct timeval){ 0, 0 });
    struct lab_result r = controller_lab_try(lab, &dry, ops);
    assert_true(r.ok);
    assert_true(ticker.n >= 4); /* of 5 ms, of 40 ms at least on the fastest machine */
    lab_result_done(&r);
    event_free(ticker.event);
    free(ops);
}

static void
results_are_what_is_asked_for(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request names = { .principal = admin, .results = COMMIT_RESULTS_NAMES };
    struct commit_request none = { .principal = admin, .results = COMMIT_RESULTS_NONE };
    struct lab_result r = controller_lab_try(lab, NULL, VPC);
    assert_non_null(json_object_get(json_array_get(r.results, 0), "object"));
    lab_result_done(&r);
    r = controller_lab_try(lab, &names, "[{'op':'set','type':'vpc','name':'v','values':{'tags:k':'v'}}]");
    assert_string_equal(json_member_string(json_array_get(r.results, 0), "name"), "v");
    assert_null(json_object_get(json_array_get(r.results, 0), "object"));
    lab_result_done(&r);
    r = controller_lab_try(lab, &none, SUBNET);
    assert_true(r.ok);
    assert_int_equal(json_array_size(r.results), 0);
    lab_result_done(&r);
    assert_int_not_equal(controller_lab_number(lab, OBJECT_SUBNET, "s"), 0);
}

/* ---- who ---- */

static void
who_may_not_is_told_so_and_nothing_else(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request reader = { .principal = { .role = PRINCIPAL_READER, .name = "r" } };
    struct commit_request tenant = { .principal = { .role = PRINCIPAL_TENANT, .name = "t", .tenant = "red" }, .tenant = "red" };
    struct commit_request other = { .principal = { .role = PRINCIPAL_TENANT, .name = "t", .tenant = "red" } };
    controller_lab_do(lab, "[{'op':'add','type':'tenant','name':'red'},{'op':'add','type':'host','name':'h1'}]");
    controller_lab_connect(lab, "h1");
    expect_error(controller_lab_try(lab, &reader, VPC), ERROR_FORBIDDEN, 0, "reader");
    expect_error(controller_lab_try(lab, &other, VPC), ERROR_FORBIDDEN, 0, "red");
    /* Not even whether the host is connected. */
    expect_error(controller_lab_try(lab, &tenant, "[{'op':'del','type':'host','name':'h1'}]"), ERROR_FORBIDDEN, 0, "admin");
    struct lab_result r = controller_lab_try(lab, &tenant, VPC);
    assert_true(r.ok);
    lab_result_done(&r);
}

static void
a_connected_host_is_not_deleted(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'host','name':'h1'}]");
    controller_lab_connect(lab, "h1");
    expect_error(controller_lab_try(lab, NULL, "[{'op':'del','type':'host','name':'h1'}]"), ERROR_CONFLICT, 0, "is connected");
    controller_lab_disconnect(lab, "h1");
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h1'}]");
}

/* ---- repetitions ---- */

static void
a_repetition_is_answered_and_not_done_again(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request keyed = { .principal = admin, .idempotency_key = "k", .scope = "unix:0", .digest = "d" };
    struct lab_result first = controller_lab_try(lab, &keyed, VPC);
    assert_true(first.ok);
    assert_null(first.replayed);
    for (int i = 0; i < 2; i++) {
        struct lab_result again = controller_lab_try(lab, &keyed, VPC);
        assert_true(again.ok);
        json_t *answer = commit_answer(first.revision, first.results);
        char *text = json_text(answer);
        assert_string_equal(again.replayed, text);
        free(text);
        json_decref(answer);
        lab_result_done(&again);
        expect_revision(lab, 1);
        controller_lab_restart(lab);
    }
    lab_result_done(&first);
}

static void
a_key_is_its_owners_and_for_one_request(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request keyed = { .principal = admin, .idempotency_key = "k", .scope = "tls:tenant:a:ci", .digest = "d" };
    struct lab_result r = controller_lab_try(lab, &keyed, VPC);
    assert_true(r.ok);
    lab_result_done(&r);
    keyed.digest = "e";
    expect_error(controller_lab_try(lab, &keyed, VPC), ERROR_CONFLICT, -1, "idempotency key");
    /* The same name of another kind, or of another tenant, is somebody else. */
    keyed.scope = "tls:tenant:b:ci";
    expect_error(controller_lab_try(lab, &keyed, VPC), ERROR_CONFLICT, 0, "'v'");
}

static void
a_request_that_failed_is_not_remembered(void **state)
{
    struct controller_lab *lab = *state;
    struct commit_request keyed = { .principal = admin, .idempotency_key = "k", .scope = "tcp", .digest = "d" };
    expect_error(controller_lab_try(lab, &keyed, SUBNET), ERROR_UNKNOWN, 0, "v");
    controller_lab_do(lab, VPC);
    struct lab_result r = controller_lab_try(lab, &keyed, SUBNET);
    assert_true(r.ok);
    assert_null(r.replayed);
    lab_result_done(&r);
}

/* ---- hosts concerned ---- */

static void
a_port_that_finds_its_interface_concerns_its_host(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]");
    controller_lab_do(lab, VPC);
    controller_lab_do(lab, SUBNET);
    struct hypervisor *h = controller_lab_host(lab, "h1");
    hosts_remember(lab->c.hosts, h->number, "192.0.2.1 0 1500 1 0");
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 5);
    struct lab_result r = controller_lab_try(lab, NULL, PORT);
    assert_true(r.ok);
    assert_int_equal(r.n_hosts, 1);
    assert_int_equal(r.hosts[0], h->number);
    assert_true(h->wanted_seq >= h->confirmed_seq);
    lab_result_done(&r);
    r = controller_lab_try(lab, NULL, "[{'op':'add','type':'vpc','name':'w','values':{'cidr':'10.0.0.0/16'}}]");
    assert_int_equal(r.n_hosts, 0); /* nothing of it is anywhere */
    lab_result_done(&r);
}

/* ---- trouble ---- */

static void
a_full_disk_fails_the_request_and_nothing_else(void **state)
{
    struct controller_lab *lab = *state;
    struct rlimit before, small = { 0, RLIM_INFINITY };
    controller_lab_do(lab, VPC);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct lab_result r = controller_lab_try(lab, NULL, SUBNET);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(r.ok);
    assert_non_null(strstr(r.err.text, "store"));
    lab_result_done(&r);
    expect_revision(lab, 1);
    assert_int_equal(controller_lab_number(lab, OBJECT_SUBNET, "s"), 0);
    controller_lab_do(lab, SUBNET);
    controller_lab_restart(lab);
    expect_revision(lab, 2);
}

static void
note(void *aux, const struct commit_result *result)
{
    struct lab_result *r = aux;
    r->is_done = true;
    r->ok = result->ok;
    r->err = result->err;
}

/* Whoever asked is told that it is not known; the store has it whole or not at all. */
static void
a_stop_while_something_is_stored_leaves_it_whole_or_absent(void **state)
{
    struct controller_lab *lab = *state;
    for (int turns = 0; turns < 4; turns++) {
        struct error err;
        struct lab_result r = { .is_done = false };
        static const char ops[] = "[{\"op\":\"add\",\"type\":\"vpc\",\"values\":{\"cidr\":\"10.0.0.0/16\"}}]";
        struct commit_request request = { .ops = json_parse(ops, strlen(ops), "ops", &err), .principal = admin, .done = note, .aux = &r };
        uint64_t before = model_revision(lab->c.model);
        commit_submit(lab->c.commits, &request);
        for (int i = 0; i < turns; i++)
            event_base_loop(lab->c.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        controller_lab_restart(lab);
        assert_true(r.is_done);
        assert_true(r.ok || r.err.code == ERROR_UNAVAILABLE);
        uint64_t after = model_revision(lab->c.model);
        assert_true(after == before + 1 || (!r.ok && after == before));
        assert_int_equal(model_count(lab->c.model, OBJECT_VPC), after);
        assert_int_equal(model_count(lab->c.model, OBJECT_RTB), after);
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered_in_order_and_see_those_before),
        TEST(a_request_that_fails_names_the_operation_and_changes_nothing),
        TEST(a_dry_run_says_what_would_change_and_changes_nothing),
        TEST(what_is_empty_makes_no_revision),
        TEST(a_large_request_leaves_the_loop_its_turns),
        TEST(results_are_what_is_asked_for),
        TEST(who_may_not_is_told_so_and_nothing_else),
        TEST(a_connected_host_is_not_deleted),
        TEST(a_repetition_is_answered_and_not_done_again),
        TEST(a_key_is_its_owners_and_for_one_request),
        TEST(a_request_that_failed_is_not_remembered),
        TEST(a_port_that_finds_its_interface_concerns_its_host),
        TEST(a_stop_while_something_is_stored_leaves_it_whole_or_absent),
        TEST(a_full_disk_fails_the_request_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
