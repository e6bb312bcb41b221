/* Which port is where: claims by interfaces, elections, memory across restarts, progress. Hosts are connected as tests say. */
#include "tests/unit/controller_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/host/claim.h"
#include "vnet/pipeline/runtime.h"

#define NETWORK                                                                          \
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"             \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]"
#define PORT "[{'op':'add','type':'port','name':'p','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c8','values':{'subnet':'s'}}]"

static int
start(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

static int
start_with_port(void **state)
{
    start(state);
    controller_lab_do(*state, PORT);
    return 0;
}

static void
connect_both(struct controller_lab *lab)
{
    controller_lab_connect(lab, "h1");
    controller_lab_connect(lab, "h2");
}

static uint32_t
port(struct controller_lab *lab)
{
    return controller_lab_number(lab, OBJECT_PORT, "p");
}

/* Where port p is, as flows are made and as people see it. */
static void
expect_at(struct controller_lab *lab, const char *host, uint32_t ofport)
{
    uint32_t number = host ? controller_lab_host(lab, host)->number : 0;
    struct binding b = runtime_binding(lab->c.runtime, port(lab));
    assert_int_equal(b.host, number);
    assert_int_equal(b.ofport, ofport);
    assert_int_equal(bindings_status(lab->c.bindings, port(lab)).host, number);
}

static void
expect_claimed_by(struct controller_lab *lab, const char *host)
{
    json_t *names = bindings_claimed_by(lab->c.bindings, port(lab));
    assert_int_equal(json_array_size(names), host != NULL);
    if (host)
        assert_string_equal(json_string_value(json_array_get(names, 0)), host);
    json_decref(names);
}

static enum port_state
port_state(struct controller_lab *lab)
{
    return bindings_status(lab->c.bindings, port(lab)).state;
}

/* The host has confirmed all it wants. */
static void
confirm(struct controller_lab *lab, const char *host)
{
    struct hypervisor *h = controller_lab_host(lab, host);
    h->confirmed_seq = h->made_seq = h->wanted_seq;
    bindings_confirmed(lab->c.bindings, h->number);
}

/* ---- who holds ---- */

static void
the_first_claim_holds_until_its_row_goes(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_show(lab, "h2", "p", 2);
    expect_at(lab, "h1", 1);
    expect_claimed_by(lab, "h2");
    controller_lab_remove(lab, "h1", "p");
    expect_at(lab, "h2", 2);
    expect_claimed_by(lab, NULL);
    controller_lab_remove(lab, "h2", "p");
    expect_at(lab, NULL, 0);
    assert_int_equal(port_state(lab), PORT_UNBOUND);
}

static void
a_disconnected_holder_keeps_its_port_while_nobody_else_shows_it(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    bindings_grown_up(lab->c.bindings);
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_disconnect(lab, "h1");
    expect_at(lab, "h1", 1);
    controller_lab_show(lab, "h2", "p", 2);
    expect_at(lab, "h2", 2);
}

static void
a_disconnected_holder_yields_and_does_not_take_back(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    bindings_grown_up(lab->c.bindings);
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_show(lab, "h2", "p", 2);
    controller_lab_disconnect(lab, "h1");
    expect_at(lab, "h2", 2);
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    expect_at(lab, "h2", 2);
    expect_claimed_by(lab, "h1");
}

static void
claims_by_different_names_of_the_port_compete_too(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    bindings_grown_up(lab->c.bindings);
    controller_lab_show(lab, "h1", "6BA7B810-9dad-41d1-80b4-00c04fd430c8", 1);
    expect_at(lab, "h1", 1);
    controller_lab_show(lab, "h2", "default/p", 2);
    expect_at(lab, "h1", 1);
    expect_claimed_by(lab, "h2");
    controller_lab_disconnect(lab, "h1");
    expect_at(lab, "h2", 2);
}

static void
a_name_that_means_no_port_binds_nothing(void **state)
{
    static const char *const names[] = { "",
                                         "/",
                                         "p/",
                                         "/p",
                                         "nobody/p",
                                         "default/",
                                         "default/p/p",
                                         "s",
                                         "v",
                                         "default/6ba7b810-9dad-41d1-80b4-00c04fd430c8",
                                         "00000000-0000-4000-8000-000000000000" };
    struct controller_lab *lab = *state;
    char longest[4000];
    memset(longest, 'p', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", longest, 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        controller_lab_add(lab, "h1", names[i], 1);
    expect_at(lab, NULL, 0);
}

/* ---- readings ---- */

static void
an_interface_that_went_while_its_host_was_away_is_gone_once_it_is_read(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_disconnect(lab, "h1");
    controller_lab_connect(lab, "h1");
    expect_at(lab, "h1", 1);
    controller_lab_show(lab, "h1", NULL, 0);
    expect_at(lab, NULL, 0);
}

static void
a_number_that_changes_moves_the_port(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 0);
    assert_int_equal(port_state(lab), PORT_BUILDING);
    controller_lab_add(lab, "h1", "p", 3);
    expect_at(lab, "h1", 3);
    controller_lab_add(lab, "h1", "p", 4);
    expect_at(lab, "h1", 4);
}

/* ---- ports and hosts that come and go ---- */

static void
a_port_finds_the_interface_that_was_there_before_it(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_do(lab, PORT);
    expect_at(lab, "h1", 1);
    controller_lab_do(lab, "[{'op':'del','type':'port','name':'p'}]");
    controller_lab_do(lab, PORT);
    expect_at(lab, "h1", 1);
    controller_lab_do(lab, "[{'op':'del','type':'port','name':'p'},{'op':'add','type':'port','name':'p','values':{'subnet':'s'}}]");
    expect_at(lab, "h1", 1);
}

static void
a_deleted_host_leaves_its_ports_to_others(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_show(lab, "h2", "p", 2);
    controller_lab_disconnect(lab, "h1");
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h1'}]");
    expect_at(lab, "h2", 2);
    controller_lab_disconnect(lab, "h2");
    controller_lab_do(lab, "[{'op':'del','type':'host','name':'h2'}]");
    expect_at(lab, NULL, 0);
    controller_lab_restart(lab);
    expect_at(lab, NULL, 0);
}

/* ---- restarts ---- */

static void
a_restart_forgets_nothing(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 7);
    controller_lab_restart(lab);
    expect_at(lab, "h1", 7);
    assert_int_equal(port_state(lab), PORT_BUILDING);
}

static void
after_a_restart_the_holder_is_whoever_held_not_who_connects_first(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    bindings_grown_up(lab->c.bindings);
    controller_lab_show(lab, "h1", "p", 1);
    controller_lab_show(lab, "h2", "p", 2);
    controller_lab_disconnect(lab, "h1");
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    expect_at(lab, "h2", 2);
    controller_lab_restart(lab);
    expect_at(lab, "h2", 2);
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    expect_at(lab, "h2", 2);
    bindings_grown_up(lab->c.bindings);
    expect_at(lab, "h1", 1);
}

/* ---- progress ---- */

static void
a_port_is_active_once_its_host_has_confirmed(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    assert_int_equal(port_state(lab), PORT_BUILDING);
    confirm(lab, "h1");
    assert_int_equal(port_state(lab), PORT_ACTIVE);
    controller_lab_do(lab, "[{'op':'set','type':'port','name':'p','values':{'source_dest_check':false}}]");
    assert_int_equal(port_state(lab), PORT_BUILDING);
    confirm(lab, "h1");
    assert_int_equal(port_state(lab), PORT_ACTIVE);
}

static void
a_change_that_touches_no_flow_does_not_leave_a_port_building(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    confirm(lab, "h1");
    controller_lab_do(lab, "[{'op':'set','type':'port','name':'p','values':{'tags':{'k':'v'}}},{'op':'del','type':'host','name':'h2'}]");
    confirm(lab, "h1");
    assert_int_equal(port_state(lab), PORT_ACTIVE);
}

static void
ports_of_a_host_that_is_read_again_are_not_active_before_it_confirms(void **state)
{
    struct controller_lab *lab = *state;
    struct hypervisor *h = controller_lab_host(lab, "h1");
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", "p", 1);
    confirm(lab, "h1");
    h->confirmed_seq = h->made_seq = 0;
    bindings_reread(lab->c.bindings, h->number);
    assert_int_equal(port_state(lab), PORT_BUILDING);
    assert_false(host_is_realised(h));
    bindings_confirmed(lab->c.bindings, h->number);
    assert_int_equal(port_state(lab), PORT_BUILDING);
    confirm(lab, "h1");
    assert_int_equal(port_state(lab), PORT_ACTIVE);
}

static void
a_refusal_counts_on_the_ports_own_host_until_nothing_of_it_is_refused(void **state)
{
    struct controller_lab *lab = *state;
    connect_both(lab);
    controller_lab_show(lab, "h1", "p", 1);
    confirm(lab, "h1");
    uint32_t h1 = controller_lab_host(lab, "h1")->number, h2 = controller_lab_host(lab, "h2")->number;
    bindings_refused(lab->c.bindings, h2, port(lab), "no");
    assert_int_equal(port_state(lab), PORT_ACTIVE);
    bindings_refused(lab->c.bindings, h1, port(lab), "no");
    assert_int_equal(port_state(lab), PORT_ERROR);
    assert_string_equal(bindings_status(lab->c.bindings, port(lab)).reason, "no");
    bindings_accepted(lab->c.bindings, h2, port(lab));
    assert_int_equal(port_state(lab), PORT_ERROR);
    bindings_accepted(lab->c.bindings, h1, port(lab));
    assert_int_equal(port_state(lab), PORT_ACTIVE);
    bindings_refused(lab->c.bindings, h1, port(lab), "no");
    bindings_reread(lab->c.bindings, h1);
    assert_int_equal(port_state(lab), PORT_BUILDING);
}

/* ---- the table of claims ---- */

static void
show_with_mac(struct controller_lab *lab, const char *mac)
{
    struct ovsdb_interface i = { .name = "tap", .iface_id = "p", .ofport = 1, .attached_mac = mac };
    bindings_update(lab->c.bindings, controller_lab_host(lab, "h1")->number, &i, 1, NULL, 0, false);
}

static void
an_interface_of_another_mac_than_the_ports_is_an_error_that_says_both(void **state)
{
    struct controller_lab *lab = *state;
    char mac[MAC_STRLEN];
    connect_both(lab);
    show_with_mac(lab, "52:54:00:00:00:99");
    confirm(lab, "h1");
    struct port_status s = bindings_status(lab->c.bindings, port(lab));
    mac_format(model_port(lab->c.model, port(lab))->mac, mac);
    assert_int_equal(s.state, PORT_ERROR);
    assert_non_null(strstr(s.reason, "52:54:00:00:00:99"));
    assert_non_null(strstr(s.reason, mac));
    show_with_mac(lab, mac);
    assert_int_equal(port_state(lab), PORT_ACTIVE);
    show_with_mac(lab, "no MAC");
    assert_int_equal(port_state(lab), PORT_ACTIVE);
}

static void
claims_are_found_by_host_and_by_name(void **state)
{
    struct claims all;
    claims_init(&all);
    struct claim *a = claim_add(&all, 1, "x"), *b = claim_add(&all, 2, "x"), *c = claim_add(&all, 1, "y");
    assert_ptr_equal(claim_find(&all, 1, "x"), a);
    assert_ptr_equal(claim_find(&all, 2, "x"), b);
    assert_null(claim_find(&all, 2, "y"));
    assert_true(a->order < b->order && b->order < c->order);
    claim_to_end(&all, a);
    assert_true(a->order > c->order);
    claim_set_order(&all, b, 100);
    claim_to_end(&all, c);
    assert_true(c->order > 100);
    claim_remove(&all, a);
    assert_null(claim_find(&all, 1, "x"));
    assert_ptr_equal(claim_first_of_host(&all, 1), c);
    assert_ptr_equal(iface_find(&all, "x")->claims, b);
    claim_remove(&all, b);
    assert_null(iface_find(&all, "x"));
    assert_null(claim_first_of_host(&all, 2));
    claims_done(&all);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start_with_port, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_claim_holds_until_its_row_goes),
        TEST(a_disconnected_holder_keeps_its_port_while_nobody_else_shows_it),
        TEST(a_disconnected_holder_yields_and_does_not_take_back),
        TEST(claims_by_different_names_of_the_port_compete_too),
        TEST(a_name_that_means_no_port_binds_nothing),
        TEST(an_interface_that_went_while_its_host_was_away_is_gone_once_it_is_read),
        TEST(a_number_that_changes_moves_the_port),
        cmocka_unit_test_setup_teardown(a_port_finds_the_interface_that_was_there_before_it, start, controller_lab_teardown),
        TEST(a_deleted_host_leaves_its_ports_to_others),
        TEST(a_restart_forgets_nothing),
        TEST(after_a_restart_the_holder_is_whoever_held_not_who_connects_first),
        TEST(a_port_is_active_once_its_host_has_confirmed),
        TEST(a_change_that_touches_no_flow_does_not_leave_a_port_building),
        TEST(ports_of_a_host_that_is_read_again_are_not_active_before_it_confirms),
        TEST(a_refusal_counts_on_the_ports_own_host_until_nothing_of_it_is_refused),
        TEST(an_interface_of_another_mac_than_the_ports_is_an_error_that_says_both),
        cmocka_unit_test(claims_are_found_by_host_and_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
