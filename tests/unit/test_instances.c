/* Reports of agents, as vnetd takes them. */
#include "controller/instance/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/host/host.h"
#include "controller/instance/migrations.h"
#include "controller/instance/report_order.h"
#include "tests/unit/instance_lab.h"

/* The column of the only instance; NULL: there is none. */
static char *
shown(struct controller_lab *lab, const char *column)
{
    size_t n;
    const struct instance **found = instances_by_name(lab->c.instances, NULL, NULL, &n);
    json_t *row = n ? instance_json(lab->c.instances, found[0]) : NULL;
    const char *text = json_member_string(row, column);
    assert_true(n <= 1);
    char *copy = text ? mem_strdup(text) : NULL;
    json_decref(row);
    free(found);
    return copy;
}

static void
expect_shown(struct controller_lab *lab, const char *column, const char *value)
{
    char *text = shown(lab, column);
    if (!text || strcmp(text, value))
        fail_msg("%s is '%s', not '%s'", column, text ? text : "(none)", value);
    free(text);
}

static void
a_full_report_is_all_there_is(void **state)
{
    struct controller_lab *lab = *state;
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    expect_shown(lab, "state", "running");
    expect_shown(lab, "host", "h1");
    must_report(lab, "h1", "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'off','reason':'destroyed'}]}");
    expect_shown(lab, "state", "off");
    expect_shown(lab, "reason", "destroyed");
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    char *gone = shown(lab, "name");
    assert_null(gone);
}

static void
of_two_hosts_the_one_where_it_runs_is_shown(void **state)
{
    struct controller_lab *lab = *state;
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_report(lab, "h2", "{'full':true,'instances':[{'id':'" DOMAIN "','name':'vm','state':'paused'}]}");
    expect_shown(lab, "host", "h1");
    must_report(lab, "h2", "{'full':false,'instances':[" RUNNING "]}");
    must_report(lab, "h1", "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'off'}]}");
    expect_shown(lab, "host", "h2");
    must_report(lab, "h2", "{'full':false,'gone':['" DOMAIN "']}");
    expect_shown(lab, "host", "h1");
}

/* Whichever of them reports last; agents that have just started have heard no events. */
static void
one_that_is_being_copied_is_shown_where_it_still_runs(void **state)
{
    static const char *const here = "{'instances':[{'id':'" DOMAIN "','name':'vm','state':'migrating','reason':'booted'}]}";
    static const char *const there = "{'instances':[{'id':'" DOMAIN "','name':'vm','state':'migrating','reason':'migration'}]}";
    struct controller_lab *lab = *state;
    must_report(lab, "h1", here);
    must_report(lab, "h2", there);
    expect_shown(lab, "host", "h1");
    must_report(lab, "h1", here);
    expect_shown(lab, "host", "h1");
}

static void
declared_ports_go_with_the_last_sighting(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_declare(lab, "h2", DECLARED("'subnet':'a'"));
    must_report(lab, "h2", "{'full':true,'instances':[" RUNNING "]}");
    must_report(lab, "h2", "{'full':false,'gone':['" DOMAIN "']}");
    assert_non_null(port_of(lab));
    must_report(lab, "h1", "{'full':false,'gone':['" DOMAIN "']}");
    until_port(lab, false);
}

/* The domain went while agent and vnetd did not hear of each other. */
static void
a_full_report_without_the_domain_removes_its_ports(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_restart(lab);
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    assert_non_null(port_of(lab));
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    until_port(lab, false);
}

/* It may be where it moved to, and that host is not heard of yet. */
static void
while_a_host_is_not_heard_of_nothing_is_taken_for_gone(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_restart(lab);
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    controller_lab_turn(lab);
    assert_non_null(port_of(lab));
    must_report(lab, "h2", "{'full':true,'instances':[" RUNNING "]}");
    controller_lab_turn(lab);
    assert_non_null(port_of(lab));
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    until_port(lab, false);
}

/* It has no agent, but shows all its interfaces. */
static void
a_host_that_connects_is_waited_for_no_more(void **state)
{
    struct controller_lab *lab = *state;
    struct controller_switch h2;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_restart(lab);
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    controller_lab_turn(lab);
    assert_non_null(port_of(lab));
    controller_switch_connect(&h2, lab, "h2", 2);
    controller_lab_show(lab, "h2", NULL, 0);
    until_port(lab, false);
    controller_switch_disconnect(&h2);
}

static void
a_host_that_was_deleted_is_waited_for_no_more(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_restart(lab);
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    controller_lab_turn(lab);
    assert_non_null(port_of(lab));
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h2'}]");
    until_port(lab, false);
}

static void
a_report_that_makes_no_sense_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "{'instances':{}}",
        "{'instances':[1]}",
        "{'gone':[5]}",
        "{'gone':['x']}",
        "{'instances':[{'id':'x','name':'a','state':'off'}]}",
        "{'instances':[{'id':'" DOMAIN "','state':'off'}]}",
        "{'instances':[{'id':'" DOMAIN "','name':'a','state':'ill'}]}",
        "{'instances':[{'id':'" DOMAIN "','name':'a','state':'off','ports':['x']}]}",
        "{'full':true,'instances':[" RUNNING ",7]}",
        "{'run':'x','instances':[]}",
        "{'full':true,'instances':[" RUNNING "],'gone':['" OTHER "','" DOMAIN "']}",
    };
    struct controller_lab *lab = *state;
    struct error err;
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(report(lab, "h1", wrong[i], &err));
        expect_shown(lab, "state", "running");
    }
    assert_non_null(strstr(err.text, "both in 'instances' and in 'gone'"));
}

#define RUN "'run':'00000000-0000-4000-8000-00000000000a'"
#define OTHER_RUN "'run':'00000000-0000-4000-8000-00000000000b'"

static bool
is_overtaken(struct controller_lab *lab, const char *host, const char *text)
{
    json_t *json = from_text(text);
    bool is = report_order_is_overtaken(host_by_number(lab->c.hosts, host_number(lab, host)), json);
    json_decref(json);
    return is;
}

/* vnetd hung, and reads two connections in any order. */
static void
a_report_that_a_later_one_has_overtaken_counts_for_nothing(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_connect(lab, "h2");
    assert_false(is_overtaken(lab, "h1", "{" RUN ",'number':1}"));
    assert_false(is_overtaken(lab, "h1", "{" RUN ",'number':3}"));
    assert_true(is_overtaken(lab, "h1", "{" RUN ",'number':2}"));
    assert_true(is_overtaken(lab, "h1", "{" RUN ",'number':3}"));
    assert_false(is_overtaken(lab, "h2", "{" RUN ",'number':2}"));
    assert_false(is_overtaken(lab, "h1", "{}"));                         /* of another version */
    assert_false(is_overtaken(lab, "h1", "{" OTHER_RUN ",'number':1}")); /* the agent has started anew */
    assert_false(is_overtaken(lab, "h1", "{" OTHER_RUN ",'number':4}"));
}

#define EVENTS(RUN_OF) "{" RUN_OF ",'instances':[{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "'],'events':["

/* Steps of the only migration's timeline that say this, each as often as it was noted. */
static int64_t
n_noted(struct controller_lab *lab, const char *what)
{
    size_t i;
    int64_t n = 0;
    struct uuid id;
    json_t *step;
    assert_true(uuid_parse(DOMAIN, &id));
    json_t *list = migrations_json(lab->c.migrations, id);
    json_array_foreach (json_object_get(json_array_get(list, 0), "timeline"), i, step)
        n += strcmp(json_member_string(step, "what"), what) ? 0 : json_member_int(step, "count", 0);
    json_decref(list);
    return n;
}

/* The answer to a report was lost. */
static void
an_event_that_comes_again_counts_once(void **state)
{
    struct controller_lab *lab = *state;
    begin_migration(lab);
    must_report(lab, "h1", EVENTS(RUN) "{'event':'device-added a','age_ms':0,'number':5}]}]}");
    must_report(lab, "h1",
                EVENTS(RUN) "{'event':'device-added a','age_ms':0,'number':5},{'event':'device-added b','age_ms':0,'number':9}]}]}");
    must_report(lab, "h1", EVENTS(RUN) "]}]}");
    must_report(lab, "h1", EVENTS(RUN) "{'event':'device-added b','age_ms':0,'number':9}]}]}");
    assert_int_equal(n_noted(lab, "device-added a"), 1);
    assert_int_equal(n_noted(lab, "device-added b"), 1);
    must_report(lab, "h1", EVENTS(OTHER_RUN) "{'event':'device-added b','age_ms':0,'number':1}]}]}");
    assert_int_equal(n_noted(lab, "device-added b"), 2);
}

/* The last that it said may be long over. */
static void
of_a_host_that_is_gone_it_is_said_since_when(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    struct agent_session *agent = enter_agent(lab, "h1");
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    agents_leave(agent);
    assert_null(shown(lab, "reason")); /* its ports are known */
    controller_lab_disconnect(lab, "h1");
    char *reason = shown(lab, "reason");
    assert_non_null(reason);
    assert_ptr_equal(strstr(reason, "host 'h1' has not been heard of since 20"), reason);
    free(reason);
    expect_shown(lab, "state", "running");
    agent = enter_agent(lab, "h1");
    assert_null(shown(lab, "reason"));
    agents_leave(agent);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, instance_lab_setup, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_report_is_all_there_is),
        TEST(of_two_hosts_the_one_where_it_runs_is_shown),
        TEST(one_that_is_being_copied_is_shown_where_it_still_runs),
        TEST(declared_ports_go_with_the_last_sighting),
        TEST(a_full_report_without_the_domain_removes_its_ports),
        TEST(while_a_host_is_not_heard_of_nothing_is_taken_for_gone),
        TEST(a_host_that_connects_is_waited_for_no_more),
        TEST(a_host_that_was_deleted_is_waited_for_no_more),
        TEST(a_report_that_makes_no_sense_changes_nothing),
        TEST(a_report_that_a_later_one_has_overtaken_counts_for_nothing),
        TEST(an_event_that_comes_again_counts_once),
        TEST(of_a_host_that_is_gone_it_is_said_since_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
