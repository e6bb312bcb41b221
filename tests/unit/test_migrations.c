/* Guests that move from host to host, by what agents, hosts and packets say. */
#include "controller/instance/migrations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/instance_lab.h"

static void
expect_places(struct controller_lab *lab, uint32_t port, const char *host, struct twin twin)
{
    struct twin now = runtime_twin(lab->c.runtime, port);
    assert_int_equal(runtime_binding(lab->c.runtime, port).host, host_number(lab, host));
    assert_int_equal(now.host, twin.host);
    assert_int_equal(now.ofport, twin.ofport);
    assert_int_equal(now.is_left, twin.is_left);
}

static void
expect_migration(struct controller_lab *lab, const char *state)
{
    struct uuid id;
    assert_true(uuid_parse(DOMAIN, &id));
    json_t *list = migrations_json(lab->c.migrations, id);
    const char *word = json_member_string(json_array_get(list, json_array_size(list) - 1), "state");
    if (!word || strcmp(word, state))
        fail_msg("the migration is '%s', not '%s'", word ? word : "(none)", state);
    json_decref(list);
}

static size_t
n_migrations(struct controller_lab *lab)
{
    struct uuid id;
    assert_true(uuid_parse(DOMAIN, &id));
    json_t *list = migrations_json(lab->c.migrations, id);
    size_t n = json_array_size(list);
    json_decref(list);
    return n;
}

struct declared_place {
    struct controller_lab *lab;
    uint32_t host;
};

static bool
is_declared_on(void *aux)
{
    const struct declared_place *p = aux;
    return port_of(p->lab)->declared_on == p->host;
}

static void
a_destination_is_armed_and_opened_by_the_first_packet(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab), h1 = host_number(lab, "h1"), h2 = host_number(lab, "h2");
    expect_places(lab, port, "h1", (struct twin){ h2, 7, false });
    migrations_spoken(lab->c.migrations, h1, port); /* from where it is: nothing new */
    expect_places(lab, port, "h1", (struct twin){ h2, 7, false });
    migrations_spoken(lab->c.migrations, h2, port);
    expect_places(lab, port, "h2", (struct twin){ h1, 0, true });
    migrations_spoken(lab->c.migrations, h2, port);
    expect_migration(lab, "moved");
    must_report(lab, "h1", "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'off','reason':'migrated'}]}");
    expect_migration(lab, "done");
    controller_lab_remove(lab, "h1", PORT);
    expect_places(lab, port, "h2", (struct twin){ h1, 0, true });
}

static void
a_destination_that_says_it_runs_opens_it_too(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    must_report(lab, "h2", "{'full':false,'instances':[" RUNNING "]}");
    expect_places(lab, port, "h2", (struct twin){ host_number(lab, "h1"), 0, true });
}

/* Its host's OVSDB is slower than its agent: what cannot be bound yet is bound when it can be. */
static void
a_guest_that_runs_before_its_interface_is_shown_is_bound_when_it_is(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab), h1 = host_number(lab, "h1"), h2 = host_number(lab, "h2");
    controller_lab_remove(lab, "h2", PORT);
    must_declare(lab, "h2", INCOMING);
    must_report(lab, "h2", "{'full':false,'instances':[" RUNNING "]}");
    expect_migration(lab, "announced");
    expect_places(lab, port, "h1", (struct twin){ h2, 0, false });
    controller_lab_add(lab, "h2", PORT, 7);
    expect_migration(lab, "moved");
    expect_places(lab, port, "h2", (struct twin){ h1, 0, true });
}

#define TWO_PORTS                                                                                                           \
    "'id':'" DOMAIN "','name':'vm','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01','declared':true," \
    "'name':'vm','subnet':'a'},{'id':'" NEW_PORT "','mac':'52:54:00:00:00:02','declared':true,'name':'vm-1','subnet':'b'}]}"
#define TWO_RUN "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "','" NEW_PORT "']}]}"

static void
a_migration_is_over_when_the_last_of_its_ports_has_moved(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t h1 = host_number(lab, "h1"), h2 = host_number(lab, "h2");
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    controller_lab_connect(lab, "h2");
    controller_lab_show(lab, "h2", NULL, 0);
    must_declare(lab, "h1", "{" TWO_PORTS);
    controller_lab_add(lab, "h1", PORT, 5);
    controller_lab_add(lab, "h1", NEW_PORT, 6);
    must_declare(lab, "h2", "{'incoming':true," TWO_PORTS);
    controller_lab_add(lab, "h2", PORT, 7);
    uint32_t first = port_of(lab)->o.number, second = controller_lab_number(lab, OBJECT_PORT, "vm-1");
    migrations_spoken(lab->c.migrations, h2, first);
    expect_places(lab, first, "h2", (struct twin){ h1, 0, true });
    expect_migration(lab, "announced");
    controller_lab_add(lab, "h2", NEW_PORT, 8);
    expect_places(lab, second, "h2", (struct twin){ h1, 0, true });
    expect_migration(lab, "moved");
}

/* The former host's interface is not shown in the moment when the guest is said to run there again. */
static void
a_guest_that_runs_again_where_its_interface_is_not_shown_yet_is_bound_when_it_is(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    migrations_spoken(lab->c.migrations, host_number(lab, "h2"), port);
    controller_lab_remove(lab, "h1", PORT);
    must_report(lab, "h1",
                "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "'],'events':["
                "{'event':'suspended migrated','age_ms':0},{'event':'resumed unpaused','age_ms':0}]}]}");
    expect_migration(lab, "undone");
    assert_int_equal(runtime_binding(lab->c.runtime, port).host, host_number(lab, "h2"));
    controller_lab_add(lab, "h1", PORT, 9);
    assert_int_equal(runtime_binding(lab->c.runtime, port).host, host_number(lab, "h1"));
    must_declare(lab, "h2", INCOMING); /* the next try owes nothing to the one before */
    migrations_spoken(lab->c.migrations, host_number(lab, "h2"), port);
    controller_lab_add(lab, "h1", PORT, 10);
    assert_int_equal(runtime_binding(lab->c.runtime, port).host, host_number(lab, "h2"));
}

static void
what_is_owed_to_a_host_where_the_guest_has_ended_is_forgotten(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    migrations_spoken(lab->c.migrations, host_number(lab, "h2"), port);
    controller_lab_remove(lab, "h1", PORT);
    must_report(lab, "h1",
                "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "'],'events':["
                "{'event':'suspended migrated','age_ms':0},{'event':'resumed unpaused','age_ms':0}]}]}");
    must_report(lab, "h1", "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'off','ports':['" PORT "']}]}");
    controller_lab_add(lab, "h1", PORT, 9);
    assert_int_equal(runtime_binding(lab->c.runtime, port).host, host_number(lab, "h2"));
}

static void
a_guest_that_runs_again_where_it_was_is_bound_there_again(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    migrations_spoken(lab->c.migrations, host_number(lab, "h2"), port);
    must_report(lab, "h1",
                "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "'],'events':["
                "{'event':'suspended migrated','age_ms':0},{'event':'resumed unpaused','age_ms':0}]}]}");
    expect_migration(lab, "undone");
    assert_int_equal(runtime_binding(lab->c.runtime, port).host, host_number(lab, "h1"));
}

static void
a_guest_that_is_paused_by_hand_on_its_way_still_moves(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab), h1 = host_number(lab, "h1"), h2 = host_number(lab, "h2");
    must_report(lab, "h1",
                "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "'],'events':["
                "{'event':'suspended paused','age_ms':0},{'event':'resumed unpaused','age_ms':0}]}]}");
    expect_migration(lab, "announced");
    expect_places(lab, port, "h1", (struct twin){ h2, 7, false });
    migrations_spoken(lab->c.migrations, h2, port);
    expect_migration(lab, "moved");
    expect_places(lab, port, "h2", (struct twin){ h1, 0, true });
}

static void
a_destination_that_fails_leaves_everything_as_it_was(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    controller_lab_remove(lab, "h2", PORT);
    expect_places(lab, port, "h1", (struct twin){ .host = 0 });
    must_report(lab, "h2",
                "{'full':false,'instances':[{'id':'" DOMAIN "','name':'vm','state':'off','events':["
                "{'event':'stopped failed','age_ms':0}]}]}");
    expect_migration(lab, "undone");
}

static void
the_same_again_is_the_same_migration_and_to_where_it_is_none(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab), h1 = host_number(lab, "h1"), h2 = host_number(lab, "h2");
    must_declare(lab, "h2", INCOMING); /* its agent has been restarted */
    expect_places(lab, port, "h1", (struct twin){ h2, 7, false });
    assert_int_equal(n_migrations(lab), 1);
    migrations_spoken(lab->c.migrations, h2, port);
    must_declare(lab, "h2", INCOMING); /* late, of before it ran there */
    expect_places(lab, port, "h2", (struct twin){ h1, 0, true });
    assert_int_equal(n_migrations(lab), 1);
    expect_migration(lab, "moved");
}

static void
a_host_that_does_not_know_who_was_to_come_ends_the_migration(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    expect_migration(lab, "announced");
    must_report(lab, "h2", "{'full':true,'instances':[{'id':'" DOMAIN "','name':'vm','state':'migrating','ports':['" PORT "']}]}");
    expect_migration(lab, "announced");
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    expect_migration(lab, "undone");
    expect_places(lab, port, "h1", (struct twin){ .host = 0 });
}

/* What was about to move is of where it is, until it runs elsewhere: whoever is heard first after a restart takes nobody's ports away. */
static void
a_declared_port_is_of_the_host_where_its_domain_runs(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab), h1 = host_number(lab, "h1"), h2 = host_number(lab, "h2");
    assert_int_equal(port_of(lab)->declared_on, h1);
    controller_lab_restart(lab);
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    assert_non_null(port_of(lab));
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", PORT, 5);
    controller_lab_connect(lab, "h2");
    controller_lab_show(lab, "h2", PORT, 7);
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_declare(lab, "h2", INCOMING);
    migrations_spoken(lab->c.migrations, h2, port);
    struct declared_place place = { lab, h2 };
    assert_true(controller_lab_until(lab, is_declared_on, &place));
    controller_lab_restart(lab);
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    assert_non_null(port_of(lab));
}

/* Two hosts with one interface, of which nobody has said that a guest moves. */
static void
without_an_announcement_nothing_is_armed(void **state)
{
    struct controller_lab *lab = *state;
    uint32_t port = begin_migration(lab);
    controller_lab_remove(lab, "h2", PORT);
    controller_lab_add(lab, "h2", PORT, 8);
    expect_places(lab, port, "h1", (struct twin){ .host = 0 });
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, instance_lab_setup, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_destination_is_armed_and_opened_by_the_first_packet),
        TEST(a_destination_that_says_it_runs_opens_it_too),
        TEST(a_guest_that_runs_before_its_interface_is_shown_is_bound_when_it_is),
        TEST(a_migration_is_over_when_the_last_of_its_ports_has_moved),
        TEST(a_guest_that_runs_again_where_its_interface_is_not_shown_yet_is_bound_when_it_is),
        TEST(what_is_owed_to_a_host_where_the_guest_has_ended_is_forgotten),
        TEST(a_guest_that_runs_again_where_it_was_is_bound_there_again),
        TEST(a_guest_that_is_paused_by_hand_on_its_way_still_moves),
        TEST(a_destination_that_fails_leaves_everything_as_it_was),
        TEST(the_same_again_is_the_same_migration_and_to_where_it_is_none),
        TEST(a_host_that_does_not_know_who_was_to_come_ends_the_migration),
        TEST(a_declared_port_is_of_the_host_where_its_domain_runs),
        TEST(without_an_announcement_nothing_is_armed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
