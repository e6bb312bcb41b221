/* Declared ports whose domain is gone, and what keeps them. */
#include "controller/instance/removals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/instance_lab.h"

#define GONE "{'full':false,'gone':['" DOMAIN "']}"
#define ROUTE                                                     \
    "[{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}}," \
    "{'op':'add','type':'route','values':{'rtb':'r','prefix':'192.168.0.0/16','target':'port:vm'}}]"
#define NO_ROUTE "[{'op':'del','type':'route','name':'r/192.168.0.0/16'}]"

/* It stays: what has been submitted is through when another transaction is. */
static void
expect_stays(struct controller_lab *lab)
{
    controller_lab_turn(lab);
    controller_lab_do(lab, "[{'op':'set','type':'subnet','name':'b','values':{'lease':60}}]");
    controller_lab_do(lab, "[{'op':'set','type':'subnet','name':'b','values':{'lease':61}}]");
    assert_non_null(port_of(lab));
}

/* The guest runs on h1, whose agent has told so, and both hosts are connected. */
static void
run_on_h1(struct controller_lab *lab)
{
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    controller_lab_connect(lab, "h2");
    controller_lab_show(lab, "h2", NULL, 0);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
}

/* It has moved to a host whose agent is away: nobody has announced it, and nobody but the host's OVSDB knows that it is there. */
static void
a_port_that_another_host_shows_goes_only_when_that_shows_it_no_more(void **state)
{
    struct controller_lab *lab = *state;
    run_on_h1(lab);
    struct agent_session *agent = enter_agent(lab, "h2");
    controller_lab_add(lab, "h2", PORT, 7);
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    expect_stays(lab);
    assert_int_equal(runtime_binding(lab->c.runtime, port_of(lab)->o.number).host, host_number(lab, "h2"));
    controller_lab_remove(lab, "h2", PORT);
    until_port(lab, false);
    agents_leave(agent);
}

/* It may be defined there still. */
static void
where_a_port_was_seen_last_an_agent_that_is_away_is_waited_for(void **state)
{
    struct controller_lab *lab = *state;
    run_on_h1(lab);
    controller_lab_add(lab, "h2", PORT, 7);
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    controller_lab_remove(lab, "h2", PORT);
    expect_stays(lab);
    struct agent_session *agent = enter_agent(lab, "h2");
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    until_port(lab, false);
    agents_leave(agent);
}

/* Its agent will not come back. */
static void
where_a_port_was_seen_last_a_host_that_is_deleted_is_waited_for_no_more(void **state)
{
    struct controller_lab *lab = *state;
    run_on_h1(lab);
    controller_lab_add(lab, "h2", PORT, 7);
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    controller_lab_disconnect(lab, "h2");
    expect_stays(lab);
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h2'}]");
    until_port(lab, false);
}

static void
a_domain_that_is_seen_elsewhere_later_owes_nothing(void **state)
{
    struct controller_lab *lab = *state;
    struct agent_session *agent = enter_agent(lab, "h2");
    run_on_h1(lab);
    controller_lab_add(lab, "h2", PORT, 7);
    must_report(lab, "h1", GONE);
    must_report(lab, "h2", "{'full':true,'instances':[" RUNNING "]}");
    controller_lab_remove(lab, "h1", PORT);
    controller_lab_remove(lab, "h2", PORT);
    expect_stays(lab);
    must_report(lab, "h2", GONE);
    until_port(lab, false);
    agents_leave(agent);
}

/* Its interface there is not shown any more, but its agent, which has announced it, has not said that it is gone. */
static void
while_a_migration_is_under_way_the_port_stays(void **state)
{
    struct controller_lab *lab = *state;
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    begin_migration(lab);
    controller_lab_remove(lab, "h2", PORT);
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    expect_stays(lab);
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    until_port(lab, false);
}

/* The domain may have moved there. */
static void
while_a_host_is_not_heard_of_a_port_whose_domain_goes_stays(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_report(lab, "h1", GONE);
    expect_stays(lab);
    struct controller_switch h2;
    controller_switch_connect(&h2, lab, "h2", 2);
    controller_lab_show(lab, "h2", NULL, 0);
    until_port(lab, false);
    controller_switch_disconnect(&h2);
}

/* h2 has listed once, but is silent now; and the guest was last seen on its way. */
static void
a_domain_that_left_by_migration_may_be_on_a_host_that_is_silent_now(void **state)
{
    struct controller_lab *lab = *state;
    struct agent_session *h1 = enter_agent(lab, "h1");
    run_on_h1(lab);
    must_report(lab, "h1", "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'paused','event':'suspended migrated'}]}");
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    expect_stays(lab);
    struct agent_session *h2 = enter_agent(lab, "h2");
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    until_port(lab, false);
    agents_leave(h1);
    agents_leave(h2);
}

static void
a_port_that_is_in_use_goes_with_its_last_reference(void **state)
{
    struct controller_lab *lab = *state;
    run_on_h1(lab);
    controller_lab_do(lab, ROUTE);
    controller_lab_do(lab, "[{'op':'add','type':'tg','name':'t','values':{'vpc':'v','proto':'tcp','port':80,'drain':0}},"
                           "{'op':'add','type':'target','values':{'tg':'t','port':'vm'}}]");
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    expect_stays(lab);
    controller_lab_do(lab, NO_ROUTE);
    expect_stays(lab);
    controller_lab_do(lab, "[{'op':'del','type':'target','name':'t/vm'}]");
    until_port(lab, false);
}

static void
a_port_in_use_goes_with_its_elastic_ip_after_a_restart_too(void **state)
{
    struct controller_lab *lab = *state;
    run_on_h1(lab);
    controller_lab_do(lab, "[{'op':'add','type':'pool','name':'p','values':{'cidr':'203.0.113.0/24','uplink':'u'}},"
                           "{'op':'add','type':'igw','values':{'vpc':'v'}},"
                           "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"
                           "{'op':'add','type':'eip','values':{'pool':'p','ip':'203.0.113.5'}},"
                           "{'op':'set','type':'eip','name':'203.0.113.5','values':{'attached':'port:vm'}}]");
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    expect_stays(lab);
    controller_lab_restart(lab);
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    expect_stays(lab);
    controller_lab_do(lab, "[{'op':'set','type':'eip','name':'203.0.113.5','values':{'attached':null}}]");
    until_port(lab, false);
}

/* A transient domain that was stopped, and is started again. */
static void
a_port_that_is_declared_anew_is_not_owed_any_more(void **state)
{
    struct controller_lab *lab = *state;
    run_on_h1(lab);
    controller_lab_do(lab, ROUTE);
    must_report(lab, "h1", GONE);
    controller_lab_remove(lab, "h1", PORT);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 6);
    controller_lab_remove(lab, "h1", PORT);
    controller_lab_do(lab, NO_ROUTE);
    expect_stays(lab);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, instance_lab_setup, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_port_that_another_host_shows_goes_only_when_that_shows_it_no_more),
        TEST(where_a_port_was_seen_last_an_agent_that_is_away_is_waited_for),
        TEST(where_a_port_was_seen_last_a_host_that_is_deleted_is_waited_for_no_more),
        TEST(a_domain_that_is_seen_elsewhere_later_owes_nothing),
        TEST(while_a_migration_is_under_way_the_port_stays),
        TEST(while_a_host_is_not_heard_of_a_port_whose_domain_goes_stays),
        TEST(a_domain_that_left_by_migration_may_be_on_a_host_that_is_silent_now),
        TEST(a_port_that_is_in_use_goes_with_its_last_reference),
        TEST(a_port_in_use_goes_with_its_elastic_ip_after_a_restart_too),
        TEST(a_port_that_is_declared_anew_is_not_owed_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
