/* Declarations of agents, as vnetd takes them. */
#include "controller/instance/declared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/instance_lab.h"

static void
expect_refused(struct controller_lab *lab, const char *host, const char *text, const char *word)
{
    struct declaring d = declare(lab, host, text);
    if (d.ok || !strstr(d.err.text, word))
        fail_msg("not refused with '%s': %s", word, d.ok ? "taken" : d.err.text);
}

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

#define RENAMED(MORE)                                                                                                   \
    "{'id':'" DOMAIN "','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01','declared':true,'name':" \
    "'other','subnet':'a'" MORE "}]}"

static void
a_port_in_use_keeps_its_name_when_only_its_domain_is_renamed(void **state)
{
    struct controller_lab *lab = *state;
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_do(lab, "[{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}},"
                           "{'op':'add','type':'route','values':{'rtb':'r','prefix':'192.168.0.0/16','target':'port:vm'}}]");
    expect_refused(lab, "h1", RENAMED(""), "still refers to it");
    must_declare(lab, "h1", RENAMED(",'default_name':true"));
    assert_string_equal(port_of(lab)->o.name, "vm");
    controller_lab_do(lab, "[{'op':'del','type':'route','name':'r/192.168.0.0/16'}]");
    must_declare(lab, "h1", RENAMED(",'default_name':true"));
    assert_string_equal(port_of(lab)->o.name, "other");
}

static void
a_changed_mac_makes_the_port_anew_with_its_address(void **state)
{
    struct controller_lab *lab = *state;
    char mac[MAC_STRLEN];
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    struct ip first = port_ip4(port_of(lab));
    must_declare(lab, "h1",
                 "{'id':'" DOMAIN "','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:99','declared':true,"
                 "'name':'vm','subnet':'a'}]}");
    assert_string_equal(mac_format(port_of(lab)->mac, mac), "52:54:00:00:00:99");
    assert_true(ip_equal(port_ip4(port_of(lab)), first));
}

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

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, instance_lab_setup, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_declared_port_is_made_once_and_changed_with_its_declaration),
        TEST(a_renamed_port_keeps_its_address),
        TEST(a_port_in_use_keeps_its_name_when_only_its_domain_is_renamed),
        TEST(a_changed_mac_makes_the_port_anew_with_its_address),
        TEST(a_domain_that_is_defined_anew_takes_the_place_of_its_old_port),
        TEST(of_ports_a_domain_has_no_more_those_of_users_of_others_and_in_use_stay),
        TEST(a_port_made_beforehand_is_kept_as_it_is),
        TEST(a_refused_declaration_names_its_element_and_changes_nothing),
        TEST(another_domain_may_not_take_a_declared_port),
        TEST(a_host_declares_only_for_tenants_it_is_allowed),
        TEST(users_cannot_say_who_declares),
        TEST(a_port_announced_is_bound_before_it_appears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
