/* Network cards of a bridge: which interfaces are cards, when they are down, and when something of them has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "ofproto/ovsdb/ovsdb_cards.h"
#include "tests/unit/ovsdb_samples.h"

#define UP "'link_state':'up'"
#define DOWN "'link_state':'down'"
#define IDS(KEY) ",'external_ids':['map',[['" KEY "','x']]]"
#define DRIVER(NAME) ",'status':['map',[['driver_name','" NAME "']]]"

/* br-ex has its own interface, a patch port, a port 'a' with one interface and a bond of two. "": that one is not there. */
static void
bridge_rows(struct ovsdb_rows *rows, const char *a, const char *bond0, const char *bond1)
{
    sample_rows(rows, "['system-id','hv1']", "", "");
    sample_update(rows, OVSDB_UPDATE2,
                  "{'Bridge':{'" SAMPLE_UUID("11") "':{'insert':{'name':'br-ex','ports':['set',[" SAMPLE_REF("21") "," SAMPLE_REF("22") "," SAMPLE_REF("23") "," SAMPLE_REF("24") "]]}}},'Port':{'" SAMPLE_UUID("21") "':{'insert':{'name':'br-ex','interfaces':" SAMPLE_REF(
                      "31") "}},'" SAMPLE_UUID("22") "':{'insert':{'name':'vq-1','interfaces':" SAMPLE_REF("32") "}},'" SAMPLE_UUID("23") "':{'insert':{'name':'a','interfaces':" SAMPLE_REF("33") "}},'" SAMPLE_UUID("24") "':{'insert':{'name':'bond','interfaces':['set',[" SAMPLE_REF("34") "," SAMPLE_REF("35") "]]}}},'Interface':{'" SAMPLE_UUID("31") "':{'insert':{'name':'br-ex','type':'internal'," UP
                                                                                                                                                                                                                                                                                                                                                              "}},'" SAMPLE_UUID(
                                                                                                                                                                                                                                                                                                                                                                  "32") "':{'insert':{'name':'vq-1','type':'patch'," UP
                                                                                                                                                                                                                                                                                                                                                                        "}}}}");
    const char *const columns[] = { a, bond0, bond1 };
    static const char *const names[] = { "a", "bond0", "bond1" };
    for (int i = 0; i < 3; i++) {
        char *name = strstr(columns[i], "'name'") ? mem_strdup("") : mem_printf("'name':'%s',", names[i]);
        char *text = mem_printf("{'Interface':{'00000000-0000-4000-8000-0000000000%d':{'insert':{%s%s}}}}", 33 + i, name, columns[i]);
        if (*columns[i])
            sample_update(rows, OVSDB_UPDATE2, text);
        free(name);
        free(text);
    }
}

static struct ovsdb_cards
cards_of(const char *a, const char *bond0, const char *bond1)
{
    struct ovsdb_rows rows;
    struct ovsdb_cards cards;
    bridge_rows(&rows, a, bond0, bond1);
    ovsdb_cards_count(&rows, ovsdb_rows_named(&rows, OVSDB_BRIDGE, "br-ex"), &cards);
    ovsdb_rows_done(&rows);
    return cards;
}

static bool
are_down(const char *a, const char *bond0, const char *bond1)
{
    struct ovsdb_cards cards = cards_of(a, bond0, bond1);
    return ovsdb_cards_are_down(&cards);
}

static void
a_bridge_is_down_when_all_its_cards_are(void **state)
{
    assert_true(are_down(DOWN, "", ""));
    assert_false(are_down(UP, "", ""));
    assert_false(are_down(DOWN, UP, ""));
    assert_true(are_down(DOWN, DOWN, DOWN));
    struct ovsdb_cards cards = cards_of(DOWN, DOWN, UP);
    assert_int_equal(cards.n, 3);
    assert_int_equal(cards.n_down, 2);
}

static void
a_bond_is_alive_while_one_of_its_interfaces_is(void **state)
{
    assert_false(are_down("", DOWN, UP));
    assert_false(are_down("", UP, DOWN));
    assert_true(are_down("", DOWN, DOWN));
    struct ovsdb_cards cards = cards_of("", DOWN, DOWN);
    assert_int_equal(strlen(cards.names), strlen("bond0, bond1"));
    assert_true(strstr(cards.names, "bond0") && strstr(cards.names, "bond1") && strstr(cards.names, ", "));
}

static void
a_bridge_without_a_card_is_never_down(void **state)
{
    struct ovsdb_cards cards;
    assert_false(are_down("", "", ""));
    assert_false(are_down("'type':'internal'," DOWN, "'type':'patch'," DOWN, "'type':'geneve'," DOWN));
    assert_false(are_down("'type':'tap'," DOWN, "'type':'dummy'," DOWN, "'type':'dpdkvhostuserclient'," DOWN));
    struct ovsdb_rows rows;
    ovsdb_rows_init(&rows, 1);
    ovsdb_cards_count(&rows, NULL, &cards); /* there is no such bridge */
    assert_false(ovsdb_cards_are_down(&cards));
    ovsdb_rows_done(&rows);
}

/* A guest that runs says nothing of the cable. */
static void
guests_interfaces_are_no_cards(void **state)
{
    assert_true(are_down(DOWN, UP IDS("iface-id"), UP IDS("attached-mac")));
    assert_true(are_down(DOWN, UP DRIVER("tun"), ""));
    assert_false(are_down(DOWN, UP DRIVER("veth"), ""));
    assert_false(are_down("", DOWN IDS("iface-id"), DOWN DRIVER("tun")));
}

static void
cards_of_other_drivers_count_too(void **state)
{
    assert_true(are_down("'type':'dpdk'," DOWN, "'type':'afxdp'," DOWN, "'type':'system'," DOWN));
    assert_false(are_down(DOWN, "'type':'dpdk'," UP, ""));
}

static void
what_is_not_known_to_be_down_is_up(void **state)
{
    assert_false(are_down("'link_state':['set',[]]", "", ""));
    assert_false(are_down("'link_state':'sideways'", "", ""));
    assert_false(are_down("'ofport':['set',[]]", "", ""));
    assert_true(are_down("'ofport':-1,'error':'no such device'", "", ""));
    assert_true(are_down("'admin_state':'down'," UP, "", ""));
}

static void
strange_names_are_cut_and_escaped(void **state)
{
    struct ovsdb_cards cards = cards_of(DOWN ",'name':'\\u0007'", "", "");
    assert_string_equal(cards.names, "\\x07");
    char *text = mem_printf(DOWN ",'name':'%0100d'", 7);
    cards = cards_of(text, DOWN, DOWN);
    free(text);
    assert_int_equal(cards.n_down, 3);
    assert_in_range(strlen(cards.names), 1, sizeof cards.names - 1);
}

static void
the_least_mtu_of_the_cards_is_the_bridge_s(void **state)
{
    assert_int_equal(cards_of("'mtu':9000," UP, "'mtu':1500," UP, "'mtu':1600," DOWN).mtu, 1500);
    assert_int_equal(cards_of("'mtu':9000," UP, UP, "'type':'internal','mtu':1500").mtu, 9000);
    assert_int_equal(cards_of("'mtu':9000," UP, "'mtu':1500," UP IDS("iface-id"), "").mtu, 9000);
    assert_int_equal(cards_of("'mtu':68," UP, "", "").mtu, 68);
    assert_int_equal(cards_of("'mtu':67," UP, "'mtu':-1," UP, "'mtu':65536," UP).mtu, 0);
    assert_int_equal(cards_of("'mtu':['set',[]]," UP, "'mtu':65535," UP, "").mtu, 65535);
    assert_int_equal(cards_of("", "", "").mtu, 0);
}

/* What guests and tunnels do is no change of a card. */
static void
only_changes_that_concern_cards_count(void **state)
{
    struct ovsdb_rows rows;
    bridge_rows(&rows, UP, UP IDS("iface-id"), "'type':'geneve'");
    uint64_t seen = rows.n_card_changes;
    sample_update(&rows, OVSDB_UPDATE2,
                  "{'Interface':{'" SAMPLE_UUID("34") "':{'modify':{" DOWN "}},'" SAMPLE_UUID("35") "':{'modify':{" DOWN "}}}}");
    assert_int_equal(rows.n_card_changes, seen);
    sample_update(&rows, OVSDB_UPDATE2, "{'Interface':{'" SAMPLE_UUID("33") "':{'modify':{" DOWN "}}}}");
    assert_true(rows.n_card_changes > seen);
    seen = rows.n_card_changes;
    sample_update(&rows, OVSDB_UPDATE2, "{'Interface':{'" SAMPLE_UUID("33") "':{'modify':{'type':'internal'}}}}");
    assert_true(rows.n_card_changes > seen);
    seen = rows.n_card_changes;
    sample_update(&rows, OVSDB_UPDATE2, "{'Interface':{'" SAMPLE_UUID("33") "':{'modify':{'type':'system'}}}}");
    assert_true(rows.n_card_changes > seen);
    seen = rows.n_card_changes;
    sample_update(&rows, OVSDB_UPDATE2, "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'ports':" SAMPLE_REF("23") "}}}}");
    assert_true(rows.n_card_changes > seen);
    ovsdb_rows_done(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bridge_is_down_when_all_its_cards_are),    cmocka_unit_test(a_bond_is_alive_while_one_of_its_interfaces_is),
        cmocka_unit_test(a_bridge_without_a_card_is_never_down),      cmocka_unit_test(guests_interfaces_are_no_cards),
        cmocka_unit_test(cards_of_other_drivers_count_too),           cmocka_unit_test(what_is_not_known_to_be_down_is_up),
        cmocka_unit_test(strange_names_are_cut_and_escaped),          cmocka_unit_test(only_changes_that_concern_cards_count),
        cmocka_unit_test(the_least_mtu_of_the_cards_is_the_bridge_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
