/* Which hosts' agents are told to count open connections, and when it is known how many there are. */
#include "controller/instance/counting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/instance/agents.h"
#include "tests/unit/controller_lab.h"

#define CLIENT "22222222-0000-4000-8000-000000000001"
#define OTHER "22222222-0000-4000-8000-000000000002"
#define BALANCER "{'op':'add','type':'lb','name':'b','values':{'subnet':'a','ip':'10.0.1.100'}}"
/* Two VPCs with the same addresses; ports c, o and t are in v, p in w. */
#define NETWORK                                                                                           \
    "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'},"                     \
    "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"                               \
    "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"                  \
    "{'op':'add','type':'port','name':'c','values':{'subnet':'a','id':'" CLIENT "'}},"                    \
    "{'op':'add','type':'port','name':'o','values':{'subnet':'a','id':'" OTHER "'}},"                     \
    "{'op':'add','type':'port','name':'t','values':{'subnet':'a'}},"                                      \
    "{'op':'add','type':'vpc','name':'w','values':{'cidr':'10.0.0.0/16'}},"                               \
    "{'op':'add','type':'subnet','name':'wa','values':{'vpc':'w','cidr':'10.0.1.0/24'}},"                 \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'wa'}},"                                     \
    "{'op':'add','type':'tg','name':'g','values':{'vpc':'v','proto':'tcp','port':8080,'check':'none'}},"  \
    "{'op':'add','type':'tg','name':'wg','values':{'vpc':'w','proto':'tcp','port':8080,'check':'none'}}," \
    "{'op':'add','type':'target','values':{'tg':'g','port':'t'}},{'op':'add','type':'target','values':{'tg':'wg','port':'p'}}]"

/* An agent that remembers what it was told last. */
struct agent {
    struct agent_session *session;
    char told[64];
};

static bool
tell(void *aux, const char *event, const char *data)
{
    struct agent *a = aux;
    snprintf(a->told, sizeof a->told, "%s %s", event, data);
    return true;
}

static void
drop(void *aux)
{
}

static const struct agent_ops agent_ops = { tell, drop };

static int
start(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

static void
come(struct controller_lab *lab, const char *host, struct agent *a)
{
    *a = (struct agent){ .told = "" };
    a->session = agents_enter(lab->c.agents, controller_lab_number(lab, OBJECT_HOST, host), &agent_ops, a);
}

static bool
is_told(void *aux)
{
    return ((struct agent *) aux)->told[0];
}

static void
expect_told(struct controller_lab *lab, struct agent *a, bool is_wanted)
{
    assert_true(controller_lab_until(lab, is_told, a));
    assert_string_equal(a->told, is_wanted ? "count {\"connections\":true}" : "count {\"connections\":false}");
    a->told[0] = '\0';
}

/* Long enough for what would be told. */
static void
expect_untold(struct controller_lab *lab, const struct agent *a)
{
    static struct agent never;
    struct timeval tv = { 0, 100000 };
    event_base_loopexit(lab->c.base, &tv);
    event_base_dispatch(lab->c.base);
    assert_string_equal(a->told, never.told);
}

/* c and o have zones 1 and 2 there. */
static void
tell_zones(struct controller_lab *lab, const char *host)
{
    struct ovsdb_zone zones[] = { { controller_lab_number(lab, OBJECT_PORT, "c"), 1 },
                                  { controller_lab_number(lab, OBJECT_PORT, "o"), 2 } };
    host_zones_told(controller_lab_host(lab, host), zones, 2);
}

static void
add_balancer(struct controller_lab *lab)
{
    controller_lab_do(lab, "[" BALANCER ",{'op':'add','type':'listener','values':{'lb':'b','proto':'tcp','port':80,'tg':'g'}},"
                           "{'op':'add','type':'listener','values':{'lb':'b','proto':'tcp','port':81,'tg':'g'}}]");
}

static uint32_t
number_of(struct controller_lab *lab, enum object_type type, const char *name)
{
    return model_find(lab->c.model, type, model_tenant(lab->c.model, "default"), name)->number;
}

/* Two of c's connections in zone 1 and three of o's in zone 2, to the target of 'group'. */
static void
take(struct controller_lab *lab, const char *host, const char *target)
{
    struct error err;
    struct open_report r;
    json_int_t number = number_of(lab, OBJECT_TARGET, target);
    json_t *report = json_pack("{s:i,s:[[i,I,s,s,i,i],[i,I,s,s,i,i]]}", "every_ms", 10000, "counts", 1, number, "tcp", "10.0.1.100", 80, 2,
                               2, number, "tcp", "10.0.1.100", 80, 3);
    assert_true(open_report_read(&r, report, &err));
    counting_take(lab->c.counting, controller_lab_number(lab, OBJECT_HOST, host), &r);
    open_report_done(&r);
    json_decref(report);
}

/* -1: it is not known. */
static json_int_t
of_target(struct controller_lab *lab)
{
    json_t *n = counting_of_target(lab->c.counting, model_target(lab->c.model, number_of(lab, OBJECT_TARGET, "g/t")));
    json_int_t value = json_is_null(n) ? -1 : json_integer_value(n);
    json_decref(n);
    return value;
}

static json_int_t
of_listener(struct controller_lab *lab, const char *name)
{
    json_t *n = counting_of_listener(lab->c.counting, model_listener(lab->c.model, number_of(lab, OBJECT_LISTENER, name)));
    json_int_t value = json_is_null(n) ? -1 : json_integer_value(n);
    json_decref(n);
    return value;
}

static void
an_agent_counts_while_its_host_holds_a_vpc_with_a_balancer(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a, b;
    come(lab, "h1", &a);
    come(lab, "h2", &b);
    tell_zones(lab, "h1");
    tell_zones(lab, "h2");
    controller_lab_show(lab, "h1", CLIENT, 5);
    controller_lab_show(lab, "h2", NULL, 0);
    expect_untold(lab, &a);
    add_balancer(lab);
    expect_told(lab, &a, true);
    controller_lab_add(lab, "h2", OTHER, 6);
    expect_told(lab, &b, true);
    controller_lab_remove(lab, "h2", OTHER);
    expect_told(lab, &b, false);
    controller_lab_do(lab, "[{'op':'del','type':'listener','name':'b/tcp:80'},{'op':'del','type':'listener','name':'b/tcp:81'},"
                           "{'op':'del','type':'lb','name':'b'}]");
    expect_told(lab, &a, false);
    assert_string_equal(b.told, "");
}

static void
an_agent_that_comes_is_told_once_its_host_s_zones_are_known(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a, again;
    controller_lab_show(lab, "h1", CLIENT, 5);
    add_balancer(lab);
    come(lab, "h1", &a);
    expect_untold(lab, &a);
    tell_zones(lab, "h1");
    expect_told(lab, &a, true);
    tell_zones(lab, "h1");
    expect_untold(lab, &a);
    agents_leave(a.session);
    come(lab, "h1", &again);
    expect_told(lab, &again, true);
    agents_leave(again.session);
}

static void
what_ports_have_left_behind_and_what_other_vpcs_have_does_not_count(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a;
    controller_lab_show(lab, "h1", CLIENT, 5);
    add_balancer(lab);
    tell_zones(lab, "h1");
    come(lab, "h1", &a);
    expect_told(lab, &a, true);
    assert_int_equal(of_target(lab), -1);
    take(lab, "h1", "g/t");
    assert_int_equal(of_target(lab), 2);
    assert_int_equal(of_listener(lab, "b/tcp:80"), 2);
    assert_int_equal(of_listener(lab, "b/tcp:81"), 0);
    controller_lab_add(lab, "h1", OTHER, 6);
    take(lab, "h1", "g/t");
    assert_int_equal(of_target(lab), 5);
    assert_int_equal(of_listener(lab, "b/tcp:80"), 5);
    take(lab, "h1", "wg/p");
    assert_int_equal(of_target(lab), 0);
    assert_int_equal(of_listener(lab, "b/tcp:80"), 0);
    agents_leave(a.session);
}

static void
it_is_known_only_while_every_host_of_the_vpc_has_counted_lately(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a, b;
    struct open_report unknown = { .rows = NULL };
    controller_lab_show(lab, "h1", CLIENT, 5);
    controller_lab_show(lab, "h2", OTHER, 5);
    add_balancer(lab);
    tell_zones(lab, "h1");
    tell_zones(lab, "h2");
    come(lab, "h1", &a);
    come(lab, "h2", &b);
    expect_told(lab, &a, true);
    take(lab, "h1", "g/t");
    assert_int_equal(of_target(lab), -1);
    assert_int_equal(of_listener(lab, "b/tcp:80"), -1);
    expect_told(lab, &b, true);
    take(lab, "h2", "g/t");
    assert_int_equal(of_target(lab), 5);
    counting_take(lab->c.counting, controller_lab_number(lab, OBJECT_HOST, "h2"), &unknown);
    assert_int_equal(of_target(lab), -1);
    take(lab, "h2", "g/t");
    assert_int_equal(of_target(lab), 5);
    controller_lab_host(lab, "h2")->has_zones = false;
    take(lab, "h2", "g/t");
    assert_int_equal(of_target(lab), -1);
    controller_lab_remove(lab, "h2", OTHER);
    assert_int_equal(of_target(lab), 2);
    agents_leave(a.session);
    assert_int_equal(of_target(lab), -1);
    agents_leave(b.session);
}

static void
what_nobody_was_asked_to_count_is_not_taken(void **state)
{
    struct controller_lab *lab = *state;
    struct agent a;
    controller_lab_show(lab, "h1", CLIENT, 5);
    tell_zones(lab, "h1");
    come(lab, "h1", &a);
    expect_untold(lab, &a);
    take(lab, "h1", "g/t");
    assert_int_equal(of_target(lab), -1);
    agents_leave(a.session);
    take(lab, "h1", "g/t");
    assert_int_equal(of_target(lab), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_agent_counts_while_its_host_holds_a_vpc_with_a_balancer, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(an_agent_that_comes_is_told_once_its_host_s_zones_are_known, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(what_ports_have_left_behind_and_what_other_vpcs_have_does_not_count, start,
                                        controller_lab_teardown),
        cmocka_unit_test_setup_teardown(it_is_known_only_while_every_host_of_the_vpc_has_counted_lately, start, controller_lab_teardown),
        cmocka_unit_test_setup_teardown(what_nobody_was_asked_to_count_is_not_taken, start, controller_lab_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
