/* What is left over: listed, and removed on request only. */
#include "controller/instance/orphans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/host/binding.h"
#include "controller/instance/orphan_removal.h"
#include "tests/unit/instance_lab.h"

static size_t
n_orphans(struct controller_lab *lab, const char *kind, const char *reason)
{
    json_t *rows = orphans_json(&lab->c), *row;
    size_t i, n = 0;
    json_array_foreach (rows, i, row)
        n += !strcmp(json_member_string(row, "kind"), kind) && !strcmp(json_member_string(row, "reason"), reason);
    json_decref(rows);
    return n;
}

/* What is not heard of yet is not left over. */
static void
what_is_left_over_is_listed_and_stays(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", OTHER, 4);
    assert_int_equal(n_orphans(lab, "interface", "no port has this id"), 1);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    struct agent_session *agent = enter_agent(lab, "h1");
    assert_int_equal(n_orphans(lab, "interface", "no running domain has it"), 0); /* the agent has not told yet */
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    assert_int_equal(n_orphans(lab, "interface", "no running domain has it"), 1);
    assert_int_equal(n_orphans(lab, "port", "the domain that declared it is nowhere"), 0); /* it may be on h2 */
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    assert_int_equal(n_orphans(lab, "port", "the domain that declared it is nowhere"), 1);
    must_report(lab, "h1", "{'full':false,'instances':[" RUNNING "]}");
    assert_int_equal(n_orphans(lab, "interface", "no running domain has it"), 0);
    assert_int_equal(n_orphans(lab, "port", "the domain that declared it is nowhere"), 0);
    agents_leave(agent);
    controller_lab_remove(lab, "h1", OTHER);
    assert_int_equal(n_orphans(lab, "interface", "no port has this id"), 0);
}

struct orphans_gone {
    bool is_done;
    json_t *removed, *left;
};

static void
on_orphans_removed(void *aux, json_t *take_removed, json_t *take_left)
{
    struct orphans_gone *gone = aux;
    *gone = (struct orphans_gone){ true, take_removed, take_left };
}

static bool
orphans_are_gone(void *aux)
{
    return ((struct orphans_gone *) aux)->is_done;
}

/* NULL: all. */
static struct orphans_gone
remove_listed(struct controller_lab *lab, const json_t *ids)
{
    struct error err;
    struct orphans_gone gone = { .is_done = false };
    if (!orphans_remove(&lab->c, ids, on_orphans_removed, &gone, &err))
        fail_msg("%s", err.text);
    assert_true(controller_lab_until(lab, orphans_are_gone, &gone));
    return gone;
}

/* 'ids' "": all. */
static void
remove_orphans(struct controller_lab *lab, const char *ids, size_t n_removed, const char *why)
{
    json_t *list = *ids ? from_text(ids) : NULL;
    struct orphans_gone gone = remove_listed(lab, list);
    json_decref(list);
    assert_int_equal(json_array_size(gone.removed), n_removed);
    assert_int_equal(json_array_size(gone.left), *why ? 1 : 0);
    if (*why && !strstr(json_member_string(json_array_get(gone.left, 0), "why"), why))
        fail_msg("it is left for '%s'", json_member_string(json_array_get(gone.left, 0), "why"));
    json_decref(gone.removed);
    json_decref(gone.left);
}

/* A declared port of a domain that is nowhere, which nothing has removed since its interface is still there. */
static struct agent_session *
leave_a_port_over(struct controller_lab *lab)
{
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    struct agent_session *agent = enter_agent(lab, "h1");
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    assert_int_equal(n_orphans(lab, "port", "the domain that declared it is nowhere"), 1);
    return agent;
}

static void
what_is_no_orphan_is_not_removed_as_one(void **state)
{
    struct controller_lab *lab = *state;
    struct error err;
    struct orphans_gone gone = { .is_done = false };
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'mine','values':{'subnet':'a'}}]");
    struct agent_session *agent = leave_a_port_over(lab);
    json_t *ids = from_text("['" PORT "','mine']");
    assert_null(orphans_remove(&lab->c, ids, on_orphans_removed, &gone, &err));
    assert_non_null(strstr(err.text, "orphan 'mine' does not exist"));
    json_decref(ids);
    controller_lab_turn(lab);
    assert_non_null(port_of(lab));
    agents_leave(agent);
}

static void
a_port_that_is_left_over_is_removed_on_request_unless_it_is_in_use(void **state)
{
    struct controller_lab *lab = *state;
    struct agent_session *agent = leave_a_port_over(lab);
    controller_lab_do(lab, "[{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}},"
                           "{'op':'add','type':'route','values':{'rtb':'r','prefix':'192.168.0.0/16','target':'port:vm'}}]");
    controller_lab_disconnect(lab, "h1");
    controller_lab_remove(lab, "h1", PORT);
    remove_orphans(lab, "['" PORT "']", 0, "192.168.0.0/16");
    assert_non_null(port_of(lab));
    controller_lab_do(lab, "[{'op':'del','type':'route','name':'r/192.168.0.0/16'}]");
    remove_orphans(lab, "['vm']", 1, "");
    assert_null(port_of(lab));
    remove_orphans(lab, "", 0, "");
    agents_leave(agent);
}

static void
an_interface_of_a_host_that_is_not_connected_stays(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", OTHER, 4);
    controller_lab_disconnect(lab, "h1");
    remove_orphans(lab, "", 0, "not connected");
    remove_orphans(lab, "['" OTHER "']", 0, "not connected");
    assert_int_equal(n_orphans(lab, "interface", "no port has this id"), 1);
}

#define MANY 3000

/* Interfaces that no port has, and two whose ports have the same name in different tenants. Every other one's id, the last first. */
static json_t *
show_many(struct controller_lab *lab)
{
    json_t *ids = json_array();
    controller_lab_do(lab, "[{'op':'add','type':'tenant','name':'t'},"
                           "{'op':'add','type':'vpc','name':'v','tenant':'t','values':{'cidr':'10.0.0.0/16'}},"
                           "{'op':'add','type':'subnet','name':'a','tenant':'t','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                           "{'op':'add','type':'port','name':'same','tenant':'t','values':{'subnet':'a'}},"
                           "{'op':'add','type':'port','name':'same','values':{'subnet':'a'}}]");
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "same", 1);
    controller_lab_add(lab, "h1", "t/same", 2);
    for (int i = 0; i < MANY; i++) {
        char *id = mem_printf("33333333-0000-4000-8000-%012d", i);
        controller_lab_add(lab, "h1", id, 10);
        if (i % 2)
            json_array_insert_new(ids, 0, json_string(id));
        free(id);
    }
    return ids;
}

static void
many_are_found_by_id_and_by_name_each_once(void **state)
{
    struct controller_lab *lab = *state;
    json_t *ids = show_many(lab);
    struct agent_session *agent = enter_agent(lab, "h1");
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    controller_lab_disconnect(lab, "h1");
    json_array_append(ids, json_array_get(ids, 7));
    json_array_append_new(ids, json_string("same"));
    struct orphans_gone gone = remove_listed(lab, ids);
    assert_int_equal(json_array_size(gone.removed), 0);
    assert_int_equal(json_array_size(gone.left), MANY / 2 + 2);
    json_decref(gone.removed);
    json_decref(gone.left);
    json_decref(ids);
    agents_leave(agent);
}

/* Its guests may run on, so that not even "all" takes their ports. */
static void
ports_of_a_dead_host_go_when_they_are_named_and_then_the_host(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    struct agent_session *agent = enter_agent(lab, "h1");
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    agents_leave(agent);
    assert_int_equal(n_orphans(lab, "port", ORPHAN_HOST_AWAY), 0); /* its database is there */
    controller_lab_disconnect(lab, "h1");
    assert_int_equal(n_orphans(lab, "port", ORPHAN_HOST_AWAY), 0); /* vnetd has just begun */
    bindings_grown_up(lab->c.bindings);
    assert_int_equal(n_orphans(lab, "port", ORPHAN_HOST_AWAY), 1);
    remove_orphans(lab, "", 0, "name it");
    assert_non_null(port_of(lab));
    must_report(lab, "h2", "{'full':false,'instances':[" RUNNING "]}");
    assert_int_equal(n_orphans(lab, "port", ORPHAN_HOST_AWAY), 0); /* it has come away */
    must_report(lab, "h2", "{'full':false,'instances':[],'gone':['" DOMAIN "']}");
    remove_orphans(lab, "['vm']", 1, "");
    assert_null(port_of(lab));
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h1'}]");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, instance_lab_setup, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_left_over_is_listed_and_stays),
        TEST(what_is_no_orphan_is_not_removed_as_one),
        TEST(a_port_that_is_left_over_is_removed_on_request_unless_it_is_in_use),
        TEST(an_interface_of_a_host_that_is_not_connected_stays),
        TEST(many_are_found_by_id_and_by_name_each_once),
        TEST(ports_of_a_dead_host_go_when_they_are_named_and_then_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
