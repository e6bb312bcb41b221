/* The flight recorder of a migration: agents whose clocks differ, and what is not known. */
#include "controller/instance/migration_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/domains.h"
#include "base/alloc.h"
#include "controller/instance/instances.h"
#include "controller/instance/migrations.h"
#include "tests/unit/controller_lab.h"

#define DOMAIN "dc2b9d00-dd64-4485-add1-0b9917418121"
#define PORT "22222222-0000-4000-8000-000000000001"
#define NETWORK                                                                          \
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"             \
    "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'port','name':'vm','id':'" PORT "','values':{'subnet':'a'}},"    \
    "{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]"

/* ---- what is recorded ---- */

static json_t *
shown(const struct migration_record *r)
{
    json_t *o = json_object();
    record_put_json(r, o, 10000, 1700000010000);
    return o;
}

static void
expect_span(const struct migration_record *r, const char *key, int64_t ms)
{
    json_t *o = shown(r);
    const json_t *span = json_object_get(o, key);
    if (ms < 0 ? !json_is_null(span) : !json_is_integer(span) || json_integer_value(span) != ms)
        fail_msg("%s is not %lld", key, (long long) ms);
    json_decref(o);
}

static void
what_is_not_known_is_null(void **state)
{
    struct migration_record r;
    record_init(&r);
    expect_span(&r, "guest_pause_ms", -1);
    r.suspended_ms = 9000;
    r.spoke_ms = 9100;
    expect_span(&r, "guest_pause_ms", -1);
    expect_span(&r, "our_share_ms", -1);
    r.open_ms = 9107;
    r.resumed_ms = 9090;
    expect_span(&r, "guest_pause_ms", 90);
    expect_span(&r, "our_share_ms", 17);
    r.resumed_ms = 9105;
    expect_span(&r, "our_share_ms", 7);
}

/* The report of the one was on its way for longer than the pause. */
static void
an_order_that_cannot_be_is_null_and_not_nothing(void **state)
{
    struct migration_record r;
    record_init(&r);
    r.suspended_ms = 9100;
    r.resumed_ms = 9090;
    expect_span(&r, "guest_pause_ms", -1);
    r.resumed_ms = 9100;
    expect_span(&r, "guest_pause_ms", 0);
}

static void
steps_are_in_the_order_of_their_moments(void **state)
{
    static const char *const order[] = { "first", "second", "heard of then", "third" };
    struct migration_record r;
    record_init(&r);
    record_note(&r, 9003, 9010, "h1", "third");
    record_note(&r, 9000, 9010, "h2", "first");
    record_note(&r, MOMENT_UNKNOWN, 9002, "h2", "heard of then");
    record_note(&r, 9001, 9010, "h2", "second");
    json_t *o = shown(&r), *steps = json_object_get(o, "timeline");
    assert_int_equal(json_array_size(steps), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(json_member_string(json_array_get(steps, i), "what"), order[i]);
    assert_string_equal(json_member_string(json_array_get(steps, 0), "at"), "2023-11-14T22:13:29.000Z");
    assert_true(json_is_null(json_object_get(json_array_get(steps, 2), "at")));
    json_decref(o);
    for (int i = 0; i < RECORD_STEPS_MAX + 2; i++)
        record_note(&r, 9000, 9010, "h1", i % 2 ? "one more" : "another");
    assert_int_equal(r.n_steps, RECORD_STEPS_MAX);
}

/* A guest that writes much is copied in many rounds. */
static void
rounds_are_one_step_and_leave_room_for_what_counts(void **state)
{
    struct migration_record r;
    record_init(&r);
    for (int i = 0; i < RECORD_STEPS_MAX + 2; i++)
        record_note(&r, 9000 + i, 9900, "h1", "migrating");
    record_note(&r, 9500, 9900, "h1", "suspended migrated");
    record_note(&r, 9400, 9900, "h1", "migrating");
    record_note(&r, 9600, 9900, "h1", "migrating"); /* not of before */
    json_t *o = shown(&r), *steps = json_object_get(o, "timeline"), *first = json_array_get(steps, 0);
    assert_int_equal(json_array_size(steps), 3);
    assert_int_equal(json_member_int(first, "count", 0), RECORD_STEPS_MAX + 3);
    assert_string_equal(json_member_string(first, "at"), "2023-11-14T22:13:29.000Z");
    assert_string_equal(json_member_string(first, "last"), "2023-11-14T22:13:29.400Z");
    assert_string_equal(json_member_string(json_array_get(steps, 1), "what"), "suspended migrated");
    assert_int_equal(json_member_int(json_array_get(steps, 2), "count", 0), 1);
    json_decref(o);
}

/* vnetd is away meanwhile. */
static void
of_more_events_than_there_is_room_for_the_newest_are_told(void **state)
{
    struct uuid id;
    struct domains domains;
    domains_init(&domains);
    assert_true(uuid_parse(DOMAIN, &id));
    struct domain *d = domain_get(&domains, id, "vm", 0);
    for (int i = 0; i < 3 * DOMAIN_EVENTS_MAX; i++)
        domain_event(d, i < DOMAIN_EVENTS_MAX ? "device-added net1" : "migrating 7", i);
    domain_event(d, "suspended migrated", 98);
    domain_event(d, "resumed migrated", 99);
    json_t *o = domain_report_json(d, 100);
    const json_t *events = json_object_get(o, "events");
    size_t n = json_array_size(events);
    assert_int_equal(n, DOMAIN_EVENTS_MAX);
    assert_string_equal(json_member_string(json_array_get(events, n - 1), "event"), "resumed migrated");
    assert_string_equal(json_member_string(json_array_get(events, n - 2), "event"), "suspended migrated");
    assert_string_equal(json_member_string(json_array_get(events, n - 3), "event"), "migrating");
    assert_string_equal(json_member_string(json_array_get(events, n - 4), "event"), "device-added net1");
    assert_int_equal(json_member_int(json_array_get(events, n - 1), "age_ms", 0), 1);
    json_decref(o);
    domains_done(&domains);
}

/* ---- agents whose clocks differ ---- */

static int
start(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

/* An agent with one event to tell: what it reports when its own clock shows now_ms. */
static json_t *
report_of(const char *event, int64_t at_ms, int64_t now_ms)
{
    struct uuid id;
    struct domains domains;
    domains_init(&domains);
    assert_true(uuid_parse(DOMAIN, &id));
    struct domain *d = domain_get(&domains, id, "vm", at_ms);
    domain_event(d, event, at_ms);
    json_t *report = json_pack("{s:b,s:[o]}", "full", 0, "instances", domain_report_json(d, now_ms));
    domains_done(&domains);
    return report;
}

static void
take(struct controller_lab *lab, const char *host, json_t *report)
{
    struct error err;
    if (!instances_report(lab->c.instances, controller_lab_number(lab, OBJECT_HOST, host), report, &err))
        fail_msg("%s", err.text);
    json_decref(report);
}

static json_t *
only_migration(struct controller_lab *lab)
{
    struct uuid id;
    assert_true(uuid_parse(DOMAIN, &id));
    json_t *list = migrations_json(lab->c.migrations, id), *m = json_incref(json_array_get(list, 0));
    json_decref(list);
    assert_non_null(m);
    return m;
}

#define HOUR_MS 3600000LL

/* The clock of one host is hours before that of the other: the pause is as long as it was all the same, but for the time of the reports. */
static void
clocks_that_are_hours_apart_measure_the_same_pause(void **state)
{
    struct controller_lab *lab = *state;
    struct uuid id, ports[1];
    int64_t here = 5 * HOUR_MS, there = 77 * HOUR_MS + 12345;
    assert_true(uuid_parse(DOMAIN, &id) && uuid_parse(PORT, &ports[0]));
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", PORT, 5);
    int64_t began_ms = controller_now_ms();
    migrations_announced(lab->c.migrations, controller_lab_number(lab, OBJECT_HOST, "h2"), id, ports, 1);
    while (controller_now_ms() < began_ms + 40)
        controller_lab_turn(lab);
    int64_t sent_ms = controller_now_ms();
    take(lab, "h1", report_of("suspended migrated", here, here + 25));
    take(lab, "h2", report_of("resumed migrated", there, there + 5));
    int64_t way_ms = controller_now_ms() - sent_ms;
    json_t *m = only_migration(lab);
    int64_t pause_ms = json_member_int(m, "guest_pause_ms", -1);
    if (pause_ms < 20 || pause_ms > 20 + way_ms)
        fail_msg("a pause of 20 ms, told within %lld, is said to be of %lld", (long long) way_ms, (long long) pause_ms);
    json_decref(m);
}

/* An agent that says no age (one of another version) makes no time up, and its events count. */
static void
an_event_without_an_age_is_at_no_known_time(void **state)
{
    struct controller_lab *lab = *state;
    struct uuid id, ports[1];
    struct error err;
    assert_true(uuid_parse(DOMAIN, &id) && uuid_parse(PORT, &ports[0]));
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", PORT, 5);
    migrations_announced(lab->c.migrations, controller_lab_number(lab, OBJECT_HOST, "h2"), id, ports, 1);
    const char *text = "{\"instances\":[{\"id\":\"" DOMAIN "\",\"name\":\"vm\",\"state\":\"off\",\"events\":["
                       "{\"event\":\"resumed migrated\",\"age_ms\":-5},{\"event\":\"stopped failed\",\"age_ms\":9223372036854775807}]}]}";
    take(lab, "h2", json_parse(text, strlen(text), "test", &err));
    json_t *m = only_migration(lab), *steps = json_object_get(m, "timeline"), *step;
    size_t i, n = 0;
    json_array_foreach (steps, i, step)
        n += json_is_null(json_object_get(step, "at"));
    assert_int_equal(n, 2);
    assert_string_equal(json_member_string(m, "state"), "undone");
    assert_true(json_is_null(json_object_get(m, "our_share_ms")));
    json_decref(m);
}

#define LAB_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(an_order_that_cannot_be_is_null_and_not_nothing),
        cmocka_unit_test(steps_are_in_the_order_of_their_moments),
        cmocka_unit_test(rounds_are_one_step_and_leave_room_for_what_counts),
        cmocka_unit_test(of_more_events_than_there_is_room_for_the_newest_are_told),
        LAB_TEST(clocks_that_are_hours_apart_measure_the_same_pause),
        LAB_TEST(an_event_without_an_age_is_at_no_known_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
