/* The agent's side of vnetd against one that answers, refuses, holds back, beats and falls silent as a test wants. */
#include "tests/unit/link_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/instructions.h"
#include "base/alloc.h"

static bool
is_down(const struct world *w)
{
    return !w->is_up;
}

static void
on_waited(void *aux, bool is_ready)
{
    struct world *w = aux;
    w->n_answers++;
    w->answered_ms = agent_now_ms();
    w->is_ready = is_ready;
}

/* ---- what hooks ask ---- */

static void
what_vnetd_has_not_answered_is_still_to_be_declared(void **state)
{
    struct world *w = *state;
    link_world_connect(w);
    w->mood = BREAKS;
    link_world_declare(w, 2000);
    assert_string_equal(w->refusal.text, "");
    assert_true(list_has(&w->domain->undeclared));
    w->mood = ANSWERS;
    link_world_declare(w, 2000);
    assert_false(list_has(&w->domain->undeclared));
}

static bool
is_declared(const struct world *w)
{
    return w->n_declared > 0 && !list_has(&w->domain->undeclared);
}

static void
a_start_that_vnetd_missed_is_declared_when_it_is_back(void **state)
{
    struct world *w = *state;
    w->domain->is_active = true; /* so that the link declares it by itself */
    link_world_declare(w, 2000); /* the link is not up: answered at once */
    assert_int_equal(w->n_declared, 0);
    assert_true(list_has(&w->domain->undeclared));
    link_world_connect(w);
    link_world_until(w, is_declared);
}

static bool
has_report(const struct world *w)
{
    return w->report;
}

/* vnetd was away meanwhile. */
static void
a_domain_that_went_and_came_back_is_not_told_to_be_gone(void **state)
{
    struct world *w = *state;
    char text[UUID_STRLEN];
    struct uuid id = w->domain->id, other = id;
    other.b[0]++;
    domain_remove(&w->domains, domain_get(&w->domains, other, "other", agent_now_ms()));
    domain_remove(&w->domains, w->domain);
    w->domain = domain_get(&w->domains, id, "vm", agent_now_ms());
    link_world_connect(w);
    link_world_until(w, has_report);
    const json_t *gone = json_object_get(w->report, "gone"), *instances = json_object_get(w->report, "instances");
    assert_int_equal(json_array_size(gone), 1);
    assert_string_equal(json_string_value(json_array_get(gone, 0)), uuid_format(other, text));
    assert_int_equal(json_array_size(instances), 1);
    assert_string_equal(json_member_string(json_array_get(instances, 0), "id"), uuid_format(id, text));
}

static void
a_refusal_is_an_answer(void **state)
{
    struct world *w = *state;
    link_world_connect(w);
    w->mood = REFUSES;
    link_world_declare(w, 2000);
    assert_string_equal(w->refusal.text, "no such subnet");
    assert_false(list_has(&w->domain->undeclared));
}

static void
a_declaration_that_is_held_back_ends_with_its_bound(void **state)
{
    struct world *w = *state;
    link_world_connect(w);
    w->mood = HOLDS;
    int64_t began_ms = agent_now_ms();
    link_world_declare(w, 300);
    assert_in_range(w->answered_ms - began_ms, 100, BOUND_MS);
    assert_string_equal(w->refusal.text, "");
    assert_true(list_has(&w->domain->undeclared));
}

/* vnetd is asked for less than the hook has, so that its answer arrives; one that does not is not waited for. */
static void
waiting_for_ports_ends_with_its_bound(void **state)
{
    struct world *w = *state;
    link_world_connect(w);
    vnetd_link_wait(w->link, w->domain, 4800, on_waited, w);
    link_world_until(w, link_world_has_answer);
    assert_true(w->is_ready);
    assert_true(json_number_value(json_object_get(w->asked, "timeout")) == 4.3);
    w->mood = HOLDS;
    w->n_answers = 0;
    int64_t began_ms = agent_now_ms();
    vnetd_link_wait(w->link, w->domain, 400, on_waited, w);
    link_world_until(w, link_world_has_answer);
    assert_true(json_number_value(json_object_get(w->asked, "timeout")) == 0.2);
    assert_in_range(w->answered_ms - began_ms, 100, BOUND_MS);
    assert_false(w->is_ready);
}

/* ---- many domains ---- */

#define MANY 40
#define A_FEW 4 /* declarations at once that no hook waits for */

static void
run_many(struct world *w)
{
    struct error err;
    for (unsigned i = 0; i < MANY; i++) {
        struct domain_doc *doc = domain_doc_parse(LINK_WORLD_XML, strlen(LINK_WORLD_XML), &err);
        assert_non_null(doc);
        doc->id.b[0] = (uint8_t) i;
        struct domain *d = domain_get(&w->domains, doc->id, doc->name, agent_now_ms());
        d->is_active = true;
        domain_set_doc(d, doc);
    }
    vnetd_link_tell(w->link, true);
}

static bool
has_few(const struct world *w)
{
    size_t n_left = MANY - w->n_declared;
    return w->report && (w->n_held >= A_FEW || !n_left); /* which go by connections of their own, so one may overtake it */
}

static void
the_report_waits_for_no_declarations_of_which_few_are_asked_at_once(void **state)
{
    struct world *w = *state;
    w->mood = HOLDS;
    run_many(w);
    link_world_connect(w);
    while (w->n_declared < MANY) {
        link_world_until(w, has_few);
        assert_true(w->n_held <= A_FEW);
        assert_int_equal(json_array_size(json_object_get(w->report, "instances")), MANY + 1);
        for (size_t i = 0; i < w->n_held; i++)
            link_world_reply(w->held[i], 200, "{}");
        w->n_held = 0;
    }
}

static bool
has_failed_to_report(const struct world *w)
{
    return w->n_reports > 0 && w->n_declared == MANY;
}

static bool
has_reported_again(const struct world *w)
{
    return w->n_reports > 1;
}

static void
a_report_that_is_lost_leaves_declared_what_is(void **state)
{
    struct world *w = *state;
    w->is_report_refused = true;
    run_many(w);
    link_world_connect(w);
    link_world_until(w, has_failed_to_report);
    w->is_report_refused = false;
    link_world_until(w, has_reported_again);
    link_world_declare(w, 2000);
    assert_int_equal(w->n_declared, MANY + 1);
}

/* ---- what is lost comes again ---- */

static void
until_reports(struct world *w, size_t n)
{
    int64_t end = agent_now_ms() + BOUND_MS;
    while (w->n_reports < n && agent_now_ms() < end) {
        event_base_loopexit(w->base, &(struct timeval){ 0, 20000 });
        event_base_dispatch(w->base);
    }
    assert_int_equal(w->n_reports, n);
    assert_int_equal(json_member_int(w->last_report, "number", 0), n);
    assert_string_equal(json_member_string(w->last_report, "run"), json_member_string(w->report, "run"));
}

static void
happens(struct world *w, const char *event)
{
    domain_event(w->domain, event, agent_now_ms());
    vnetd_link_tell(w->link, false);
}

/* Of the only domain in the last report. */
static void
expect_events(const struct world *w, const char *const *events, size_t n, int64_t first_number)
{
    const json_t *instances = json_object_get(w->last_report, "instances");
    const json_t *told = json_object_get(json_array_get(instances, 0), "events");
    assert_int_equal(json_array_size(instances), 1);
    assert_int_equal(json_array_size(told), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(json_member_string(json_array_get(told, i), "event"), events[i]);
        assert_int_equal(json_member_int(json_array_get(told, i), "number", 0), first_number + (int64_t) i);
    }
}

static void
events_of_a_report_that_is_lost_come_again_until_one_is_taken(void **state)
{
    static const char *const events[] = { "suspended migrated", "resumed unpaused", "rebooted" };
    struct world *w = *state;
    w->is_report_refused = true;
    happens(w, events[0]);
    link_world_connect(w);
    until_reports(w, 1);
    expect_events(w, events, 1, 1);
    w->is_report_refused = false;
    happens(w, events[1]);
    until_reports(w, 2);
    expect_events(w, events, 2, 1);
    happens(w, events[2]);
    until_reports(w, 3);
    expect_events(w, &events[2], 1, 3);
}

#define MANY_GONE 1234
#define REPORT_GONE 500

static bool
has_told_gone(const struct world *w)
{
    return w->n_gone >= MANY_GONE;
}

/* As many as come and go while vnetd is away: it takes no report that is too long. */
static void
of_many_that_are_gone_each_report_tells_some(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < MANY_GONE; i++) {
        struct uuid id = { { (uint8_t) i, (uint8_t) (i >> 8), 1 } };
        domain_remove(&w->domains, domain_get(&w->domains, id, "gone", agent_now_ms()));
    }
    link_world_connect(w);
    link_world_until(w, has_told_gone);
    assert_int_equal(w->most_gone, REPORT_GONE);
    assert_int_equal(w->n_gone, MANY_GONE);
}

/* ---- a vnetd that hangs ---- */

static bool
has_second_stream(const struct world *w)
{
    return w->n_streams > 1;
}

static void
a_vnetd_that_is_silent_is_away(void **state)
{
    struct world *w = *state;
    w->hello = "event: hello\ndata: {\"beat_ms\": 100}";
    link_world_connect(w);
    w->hello = NULL;
    link_world_until(w, is_down);
    link_world_until(w, has_second_stream); /* taken by its kernel, answered by nobody */
    w->mood = HOLDS;
    w->n_answers = 0;
    vnetd_link_declare(w->link, w->domain, BOUND_MS, link_world_on_declared, w);
    assert_int_equal(w->n_answers, 1); /* no hook waits for it */
    assert_false(vnetd_link_is_up(w->link));
    link_world_event(w, "event: hello\ndata: {\"beat_ms\": 5000}");
    link_world_until(w, link_world_is_up);
}

static void
send_beat(evutil_socket_t fd, short what, void *aux)
{
    struct world *w = aux;
    if (w->stream)
        link_world_event(w, "event: beat\ndata: {}");
}

static void
a_vnetd_that_beats_is_there(void **state)
{
    struct world *w = *state;
    w->hello = "event: hello\ndata: {\"beat_ms\": 500}";
    link_world_connect(w);
    struct event *beat = event_new(w->base, -1, EV_PERSIST, send_beat, w);
    event_add(beat, &(struct timeval){ 0, 250000 });
    int64_t end = agent_now_ms() + 2 * 500 * INSTRUCTIONS_BEATS_MISSED;
    while (agent_now_ms() < end)
        event_base_loop(w->base, EVLOOP_ONCE);
    event_free(beat);
    assert_int_equal(w->n_downs, 0);
    assert_int_equal(w->n_streams, 1);
    assert_true(w->n_beats > 2);  /* they are answered */
    link_world_until(w, is_down); /* it beats no more */
}

/* Of an older version, say, or one whose beat makes no sense: the connection is all there is to go by. */
static void
a_vnetd_that_does_not_say_that_it_beats_may_be_silent(void **state)
{
    static const char *const hellos[] = { "event: hello\ndata: {}", "event: hello\ndata: {\"beat_ms\": -1}",
                                          "event: hello\ndata: nonsense" };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
        w->hello = hellos[i];
        if (i)
            link_world_event(w, w->hello);
        else
            link_world_connect(w);
        w->n_answers = 0;
        vnetd_link_declare(w->link, w->domain, BOUND_MS, link_world_on_declared, w);
        link_world_until(w, link_world_has_answer);
    }
    int64_t end = agent_now_ms() + 1000;
    while (agent_now_ms() < end) {
        event_base_loopexit(w->base, &(struct timeval){ 0, 50000 });
        event_base_dispatch(w->base);
    }
    assert_int_equal(w->n_downs, 0);
}

static void
a_vnetd_that_never_says_hello_is_asked_again(void **state)
{
    struct world *w = *state;
    w->hello = NULL;
    vnetd_link_set_host(w->link, "hv1");
    link_world_until(w, has_second_stream);
    assert_int_equal(w->n_ups, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, link_world_start, link_world_stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_vnetd_has_not_answered_is_still_to_be_declared),
        TEST(a_start_that_vnetd_missed_is_declared_when_it_is_back),
        TEST(a_domain_that_went_and_came_back_is_not_told_to_be_gone),
        TEST(a_refusal_is_an_answer),
        TEST(a_declaration_that_is_held_back_ends_with_its_bound),
        TEST(waiting_for_ports_ends_with_its_bound),
        TEST(the_report_waits_for_no_declarations_of_which_few_are_asked_at_once),
        TEST(a_report_that_is_lost_leaves_declared_what_is),
        TEST(events_of_a_report_that_is_lost_come_again_until_one_is_taken),
        TEST(of_many_that_are_gone_each_report_tells_some),
        TEST(a_vnetd_that_is_silent_is_away),
        TEST(a_vnetd_that_beats_is_there),
        TEST(a_vnetd_that_does_not_say_that_it_beats_may_be_silent),
        TEST(a_vnetd_that_never_says_hello_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
