/* Reports and declarations of agents, as vnetd takes them. */
#include "controller/instance/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/instance/agents.h"
#include "controller/instance/declared.h"
#include "controller/instance/migrations.h"
#include "controller/instance/orphan_removal.h"
#include "controller/instance/orphans.h"
#include "tests/unit/controller_switch.h"

#define DOMAIN "dc2b9d00-dd64-4485-add1-0b9917418121"
#define OTHER "dc2b9d00-dd64-4485-add1-0b9917418122"
#define PORT "22222222-0000-4000-8000-000000000001"
#define NETWORK                                                                          \
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"             \
    "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'subnet','name':'b','values':{'vpc':'v','cidr':'10.0.2.0/24'}}," \
    "{'op':'add','type':'tenant','name':'acme'},"                                        \
    "{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]"

static int
start(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

static json_t *
from_text(const char *text)
{
    struct error err;
    char *copy = mem_strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_parse(copy, strlen(copy), "test", &err);
    if (!json)
        fail_msg("%s", err.text);
    free(copy);
    return json;
}

static uint32_t
host_number(struct controller_lab *lab, const char *name)
{
    return controller_lab_number(lab, OBJECT_HOST, name);
}

static bool
report(struct controller_lab *lab, const char *host, const char *text, struct error *err)
{
    json_t *json = from_text(text);
    bool ok = instances_report(lab->c.instances, host_number(lab, host), json, err);
    json_decref(json);
    return ok;
}

static void
must_report(struct controller_lab *lab, const char *host, const char *text)
{
    struct error err;
    if (!report(lab, host, text, &err))
        fail_msg("%s", err.text);
    controller_lab_turn(lab);
}

/* The column of the only instance; NULL: there is none. */
static char *
shown(struct controller_lab *lab, const char *column)
{
    json_t *rows = instances_json(lab->c.instances, NULL, NULL);
    const char *text = json_member_string(json_array_get(rows, 0), column);
    assert_true(json_array_size(rows) <= 1);
    char *copy = text ? mem_strdup(text) : NULL;
    json_decref(rows);
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

/* ---- declarations ---- */

struct declaring {
    bool is_done, ok;
    struct error err;
};

static void
on_declared(void *aux, const struct error *err)
{
    struct declaring *d = aux;
    d->is_done = true;
    d->ok = !err;
    if (err)
        d->err = *err;
}

static bool
is_done(void *aux)
{
    return ((struct declaring *) aux)->is_done;
}

static struct declaring
declare(struct controller_lab *lab, const char *host, const char *text)
{
    struct declaring d = { .is_done = false };
    json_t *json = from_text(text);
    declared_take(&lab->c, host_number(lab, host), json, on_declared, &d);
    json_decref(json);
    assert_true(controller_lab_until(lab, is_done, &d));
    return d;
}

static void
must_declare(struct controller_lab *lab, const char *host, const char *text)
{
    struct declaring d = declare(lab, host, text);
    if (!d.ok)
        fail_msg("%s", d.err.text);
}

static void
expect_refused(struct controller_lab *lab, const char *host, const char *text, const char *word)
{
    struct declaring d = declare(lab, host, text);
    if (d.ok || !strstr(d.err.text, word))
        fail_msg("not refused with '%s': %s", word, d.ok ? "taken" : d.err.text);
}

static const struct port *
port_of(struct controller_lab *lab)
{
    struct uuid id;
    assert_true(uuid_parse(PORT, &id));
    const struct object *o = model_get_id(lab->c.model, id);
    return o ? model_port(lab->c.model, o->number) : NULL;
}

struct waiting_port {
    struct controller_lab *lab;
    bool is_there;
};

static bool
port_is(void *aux)
{
    const struct waiting_port *w = aux;
    return !!port_of(w->lab) == w->is_there;
}

static void
until_port(struct controller_lab *lab, bool is_there)
{
    struct waiting_port w = { lab, is_there };
    assert_true(controller_lab_until(lab, port_is, &w));
}

#define DECLARED(MORE)                                                                                       \
    "{'id':'" DOMAIN "','name':'vm','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01'," \
    "'declared':true,'name':'vm'," MORE "}]}"
#define RUNNING "{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "']}"

static void
a_declared_port_is_made_once_and_changed_with_its_declaration(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    const struct port *p = port_of(lab);
    assert_non_null(p);
    assert_string_equal(p->declared_by, DOMAIN);
    assert_int_equal(p->declared_on, host_number(lab, "h1"));
    struct ip first = port_ip4(p);
    must_declare(lab, "h2", DECLARED("'subnet':'a','sg':'none'"));
    p = port_of(lab);
    assert_true(ip_equal(port_ip4(p), first) && !p->has_sg && p->declared_on == host_number(lab, "h2"));
    must_declare(lab, "h2", DECLARED("'subnet':'b'"));
    assert_int_equal(port_of(lab)->subnet, controller_lab_number(lab, OBJECT_SUBNET, "b"));
}

static void
a_renamed_port_keeps_its_address(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'x','values':{'subnet':'a'}}]");
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    struct ip first = port_ip4(port_of(lab));
    controller_lab_do(lab, "[{'op':'del','type':'port','name':'x'}]");
    must_declare(lab, "h1",
                 "{'id':'" DOMAIN "','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01','declared':true,"
                 "'name':'other','subnet':'a'}]}");
    assert_string_equal(port_of(lab)->o.name, "other");
    assert_true(ip_equal(port_ip4(port_of(lab)), first));
}

#define NEW_PORT "22222222-0000-4000-8000-000000000002"
#define REDEFINED(MORE)                                                                                                   \
    "{'id':'" DOMAIN "','name':'vm','tenant':'default'," MORE ",'ports':[{'id':'" NEW_PORT "','mac':'52:54:00:00:00:01'," \
    "'declared':true,'name':'vm','subnet':'a','ip':'10.0.1.9'}]}"

static void
a_domain_that_is_defined_anew_takes_the_place_of_its_old_port(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a','ip':'10.0.1.9'"));
    expect_refused(lab, "h1", REDEFINED("'whole':false"), "exists already");
    expect_refused(lab, "h1", REDEFINED("'whole':true,'incoming':true"), "exists already");
    assert_non_null(port_of(lab));
    must_declare(lab, "h1", REDEFINED("'whole':true"));
    assert_null(port_of(lab));
    const struct port *p = model_port(lab->c.model, controller_lab_number(lab, OBJECT_PORT, "vm"));
    char id[UUID_STRLEN];
    assert_string_equal(uuid_format(p->o.id, id), NEW_PORT);
}

static void
of_ports_a_domain_has_no_more_those_of_users_of_others_and_in_use_stay(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'mine','values':{'subnet':'a'}}]");
    must_declare(lab, "h1",
                 "{'id':'" OTHER "','tenant':'default','ports':[{'id':'" NEW_PORT "','mac':'52:54:00:00:00:02','declared':true,"
                 "'name':'other','subnet':'a'}]}");
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_do(lab, "[{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}},"
                           "{'op':'add','type':'route','values':{'rtb':'r','prefix':'192.168.0.0/16','target':'port:vm'}}]");
    must_declare(lab, "h1", "{'id':'" DOMAIN "','tenant':'default','whole':true,'ports':[]}");
    assert_non_null(port_of(lab));
    controller_lab_do(lab, "[{'op':'del','type':'route','name':'r/192.168.0.0/16'}]");
    must_declare(lab, "h1", "{'id':'" DOMAIN "','tenant':'default','whole':true,'ports':[]}");
    assert_null(port_of(lab));
    assert_true(controller_lab_number(lab, OBJECT_PORT, "mine") && controller_lab_number(lab, OBJECT_PORT, "other"));
}

static void
a_port_made_beforehand_is_kept_as_it_is(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'mine','id':'" PORT "','values':{'subnet':'b','mac':'52:54:00:00:00:01'}}]");
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    assert_string_equal(port_of(lab)->o.name, "mine");
    assert_null(port_of(lab)->declared_by);
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_report(lab, "h1", "{'full':false,'gone':['" DOMAIN "']}");
    assert_non_null(port_of(lab));
}

static void
a_refused_declaration_names_its_element_and_changes_nothing(void **state)
{
    struct controller_lab *lab = *state;
    expect_refused(lab, "h1", DECLARED("'subnet':'nowhere'"), "<vnet:interface mac='52:54:00:00:00:01'>");
    expect_refused(lab, "h1", DECLARED("'subnet':'a','ip':'10.9.9.9'"), "ip '10.9.9.9' is not in subnet 'a'");
    expect_refused(lab, "h1",
                   "{'id':'" DOMAIN "','tenant':'nobody','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01','declared':true,"
                   "'name':'vm','subnet':'a'}]}",
                   "tenant 'nobody' does not exist");
    assert_null(port_of(lab));
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'mine','id':'" PORT "','values':{'subnet':'b'}}]");
    expect_refused(lab, "h1", DECLARED("'subnet':'a'"), "has this interface's id, but mac");
}

static void
another_domain_may_not_take_a_declared_port(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    expect_refused(lab, "h1",
                   "{'id':'" OTHER "','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01','declared':true,"
                   "'name':'vm','subnet':'a'}]}",
                   "is that of domain " DOMAIN);
}

static void
a_host_declares_only_for_tenants_it_is_allowed(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'set','type':'host','name':'h1','values':{'tenants':['acme']}}]");
    expect_refused(lab, "h1", DECLARED("'subnet':'a'"), "host 'h1' may not declare ports of tenant 'default'");
    must_declare(lab, "h2", DECLARED("'subnet':'a'"));
    controller_lab_do(lab, "[{'op':'set','type':'host','name':'h1','values':{'tenants':[]}}]");
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
}

/* A user cannot pose as an agent. */
static void
users_cannot_say_who_declares(void **state)
{
    struct lab_result r =
        controller_lab_try(*state, NULL, "[{'op':'add','type':'port','name':'x','values':{'subnet':'a','declared_by':'" DOMAIN "'}}]");
    assert_false(r.ok);
    assert_non_null(strstr(r.err.text, "declared_by cannot be given"));
    lab_result_done(&r);
}

static void
a_port_announced_is_bound_before_it_appears(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    uint32_t number = port_of(lab)->o.number;
    assert_int_equal(runtime_binding(lab->c.runtime, number).host, host_number(lab, "h1"));
    assert_int_equal(bindings_status(lab->c.bindings, number).state, PORT_BUILDING);
    controller_lab_add(lab, "h1", PORT, 5);
    assert_int_equal(runtime_binding(lab->c.runtime, number).ofport, 5);
    controller_lab_remove(lab, "h1", PORT);
    assert_int_equal(runtime_binding(lab->c.runtime, number).host, 0);
}

/* ---- reports ---- */

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

/* ---- migration ---- */

#define INCOMING                                                                                                             \
    "{'id':'" DOMAIN "','name':'vm','tenant':'default','incoming':true,'ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01'," \
    "'declared':true,'name':'vm','subnet':'a'}]}"

/* The guest runs on h1; h2 has announced it and shows its interface. */
static uint32_t
begin_migration(struct controller_lab *lab)
{
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    controller_lab_connect(lab, "h2");
    controller_lab_show(lab, "h2", NULL, 0);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_declare(lab, "h2", INCOMING);
    controller_lab_add(lab, "h2", PORT, 7);
    return port_of(lab)->o.number;
}

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

static bool
tell_nobody(void *aux, const char *event, const char *data)
{
    return true;
}

static void
dropped(void *aux)
{
}

/* ---- ports that are owed to go ---- */

#define GONE "{'full':false,'gone':['" DOMAIN "']}"
#define ROUTE                                                     \
    "[{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}}," \
    "{'op':'add','type':'route','values':{'rtb':'r','prefix':'192.168.0.0/16','target':'port:vm'}}]"
#define NO_ROUTE "[{'op':'del','type':'route','name':'r/192.168.0.0/16'}]"

static struct agent_session *
enter_agent(struct controller_lab *lab, const char *host)
{
    static const struct agent_ops ops = { tell_nobody, dropped };
    return agents_enter(lab->c.agents, host_number(lab, host), &ops, NULL);
}

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

/* What is not heard of yet is not left over. */
static void
what_is_left_over_is_listed_and_stays(void **state)
{
    static const struct agent_ops ops = { tell_nobody, dropped };
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", OTHER, 4);
    assert_int_equal(n_orphans(lab, "interface", "no port has this id"), 1);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    struct agent_session *agent = agents_enter(lab->c.agents, host_number(lab, "h1"), &ops, NULL);
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

/* ---- removing what is left over ---- */

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

/* 'ids' "": all. */
static void
remove_orphans(struct controller_lab *lab, const char *ids, size_t n_removed, const char *why)
{
    struct error err;
    struct orphans_gone gone = { .is_done = false };
    json_t *list = *ids ? from_text(ids) : NULL;
    if (!orphans_remove(&lab->c, list, on_orphans_removed, &gone, &err))
        fail_msg("%s", err.text);
    json_decref(list);
    assert_true(controller_lab_until(lab, orphans_are_gone, &gone));
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
    static const struct agent_ops ops = { tell_nobody, dropped };
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    struct agent_session *agent = agents_enter(lab->c.agents, host_number(lab, "h1"), &ops, NULL);
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
    };
    struct controller_lab *lab = *state;
    struct error err;
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(report(lab, "h1", wrong[i], &err));
        expect_shown(lab, "state", "running");
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_declared_port_is_made_once_and_changed_with_its_declaration),
        TEST(a_renamed_port_keeps_its_address),
        TEST(a_domain_that_is_defined_anew_takes_the_place_of_its_old_port),
        TEST(of_ports_a_domain_has_no_more_those_of_users_of_others_and_in_use_stay),
        TEST(a_port_made_beforehand_is_kept_as_it_is),
        TEST(a_refused_declaration_names_its_element_and_changes_nothing),
        TEST(another_domain_may_not_take_a_declared_port),
        TEST(a_host_declares_only_for_tenants_it_is_allowed),
        TEST(users_cannot_say_who_declares),
        TEST(a_port_announced_is_bound_before_it_appears),
        TEST(a_full_report_is_all_there_is),
        TEST(of_two_hosts_the_one_where_it_runs_is_shown),
        TEST(declared_ports_go_with_the_last_sighting),
        TEST(a_full_report_without_the_domain_removes_its_ports),
        TEST(while_a_host_is_not_heard_of_nothing_is_taken_for_gone),
        TEST(a_host_that_connects_is_waited_for_no_more),
        TEST(a_host_that_was_deleted_is_waited_for_no_more),
        TEST(a_destination_is_armed_and_opened_by_the_first_packet),
        TEST(a_destination_that_says_it_runs_opens_it_too),
        TEST(a_guest_that_runs_before_its_interface_is_shown_is_bound_when_it_is),
        TEST(a_migration_is_over_when_the_last_of_its_ports_has_moved),
        TEST(a_guest_that_runs_again_where_it_was_is_bound_there_again),
        TEST(a_guest_that_runs_again_where_its_interface_is_not_shown_yet_is_bound_when_it_is),
        TEST(what_is_owed_to_a_host_where_the_guest_has_ended_is_forgotten),
        TEST(a_guest_that_is_paused_by_hand_on_its_way_still_moves),
        TEST(a_destination_that_fails_leaves_everything_as_it_was),
        TEST(the_same_again_is_the_same_migration_and_to_where_it_is_none),
        TEST(a_host_that_does_not_know_who_was_to_come_ends_the_migration),
        TEST(a_declared_port_is_of_the_host_where_its_domain_runs),
        TEST(without_an_announcement_nothing_is_armed),
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
        TEST(what_is_left_over_is_listed_and_stays),
        TEST(what_is_no_orphan_is_not_removed_as_one),
        TEST(a_port_that_is_left_over_is_removed_on_request_unless_it_is_in_use),
        TEST(an_interface_of_a_host_that_is_not_connected_stays),
        TEST(a_report_that_makes_no_sense_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
