/* Conntrack zones in a bridge's external_ids: read from either kind of update, wished for, and bounded. */
#include "ofproto/ovsdb/ovsdb_zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ofproto/ovsdb/ovsdb_session.h"
#include "tests/unit/ovsdb_samples.h"

#define BRIDGE(KIND, PAIRS) "{'Bridge':{'" SAMPLE_UUID("11") "':{'" KIND "':{'name':'br-int','external_ids':['map',[" PAIRS "]]}}}}"
#define DIFFERENCE(PAIRS) "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'external_ids':['map',[" PAIRS "]]}}}}"

static struct ovsdb_bridge_row *
bridge(struct ovsdb_rows *rows)
{
    struct ovsdb_row *row = ovsdb_rows_named(rows, OVSDB_BRIDGE, "br-int");
    assert_non_null(row);
    return (struct ovsdb_bridge_row *) row;
}

static void
expect_zones(struct ovsdb_rows *rows, const char *expected)
{
    char text[256] = "";
    size_t n, at = 0;
    struct ovsdb_zone *list = ovsdb_zones_list(&bridge(rows)->zones, &n);
    for (size_t i = 0; i < n; i++)
        at += snprintf(text + at, sizeof text - at, "%u=%u ", list[i].number, list[i].zone);
    free(list);
    assert_string_equal(text, expected);
}

static void
only_what_is_written_as_we_write_it_is_a_zone(void **state)
{
    static const char *const wrong[] = { "vnet-zone-",   "vnet-zone-0", "vnet-zone-07", "vnet-zone-4294967296",
                                         "vnet-zone-1x", "vnet",        "vnet-zone--1", "vnet-zone-99999999999" };
    static const char *const no_zones[] = { "", "0", "65536", "01", "-1", "1 ", "zone" };
    uint32_t number;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(ovsdb_zone_key_parse(wrong[i], &number));
    for (size_t i = 0; i < sizeof no_zones / sizeof *no_zones; i++)
        assert_int_equal(ovsdb_zone_value_parse(no_zones[i]), 0);
    assert_true(ovsdb_zone_key_parse("vnet-zone-4294967295", &number));
    assert_int_equal(number, UINT32_MAX);
    assert_int_equal(ovsdb_zone_value_parse("65535"), 65535);
}

static void
differences_add_change_and_remove(void **state)
{
    struct ovsdb_rows rows;
    ovsdb_rows_init(&rows, 1);
    sample_update(&rows, OVSDB_UPDATE2, BRIDGE("initial", "['vnet-zone-9','2'],['vnet-zone-7','1'],['vnet','1']"));
    expect_zones(&rows, "7=1 9=2 ");
    uint64_t n_changes = bridge(&rows)->zones.n_changes;
    sample_update(&rows, OVSDB_UPDATE2, DIFFERENCE("['other','1'],['vnet-zone-','1']"));
    assert_int_equal(bridge(&rows)->zones.n_changes, n_changes);
    sample_update(&rows, OVSDB_UPDATE2, DIFFERENCE("['vnet-zone-7','1'],['vnet-zone-9','3'],['vnet-zone-12','4']"));
    expect_zones(&rows, "9=3 12=4 ");
    sample_update(&rows, OVSDB_UPDATE2, DIFFERENCE("['vnet-zone-9','junk'],['vnet-zone-12','4']"));
    expect_zones(&rows, "");
    sample_update(&rows, OVSDB_UPDATE2, DIFFERENCE("['vnet-zone-9','5']"));
    expect_zones(&rows, "9=5 ");
    ovsdb_rows_done(&rows);
    assert_int_equal(rows.n_bytes, 0);
}

static void
a_whole_row_replaces_all_zones(void **state)
{
    struct ovsdb_rows rows;
    ovsdb_rows_init(&rows, 1);
    sample_update(&rows, OVSDB_UPDATE1, BRIDGE("new", "['vnet-zone-9','2'],['vnet-zone-7','1']"));
    expect_zones(&rows, "7=1 9=2 ");
    sample_update(&rows, OVSDB_UPDATE1, BRIDGE("new", "['vnet-zone-9','2'],['vnet-zone-8','3']"));
    expect_zones(&rows, "8=3 9=2 ");
    ovsdb_rows_done(&rows);
    assert_int_equal(rows.n_bytes, 0);
}

static void
wishes_become_mutations_until_the_bridge_fulfils_them(void **state)
{
    struct ovsdb_rows rows;
    struct ovsdb_zones wishes;
    ovsdb_rows_init(&rows, 1);
    ovsdb_zones_init(&wishes, 1);
    sample_update(&rows, OVSDB_UPDATE2, BRIDGE("initial", "['vnet-zone-9','2'],['vnet-zone-7','1']"));
    ovsdb_zones_wish(&wishes, 7, 1);
    ovsdb_zones_wish(&wishes, 8, 0);
    ovsdb_zones_wish(&wishes, 9, 4);
    ovsdb_zones_wish(&wishes, 9, 0);
    json_t *ops = json_array();
    ovsdb_zones_compare(&wishes, bridge(&rows), ops);
    assert_int_equal(json_array_size(ops), 1);
    char *text = json_text(ops);
    assert_non_null(strstr(text, "[[\"external_ids\",\"delete\",[\"set\",[\"vnet-zone-9\"]]]]"));
    free(text);
    json_decref(ops);

    sample_update(&rows, OVSDB_UPDATE2, DIFFERENCE("['vnet-zone-9','2']"));
    ops = json_array();
    ovsdb_zones_compare(&wishes, bridge(&rows), ops);
    assert_int_equal(json_array_size(ops), 0);
    assert_int_equal(map_count(&wishes.by_number), 0);
    json_decref(ops);
    ovsdb_zones_done(&wishes);
    ovsdb_rows_done(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_written_as_we_write_it_is_a_zone),
        cmocka_unit_test(differences_add_change_and_remove),
        cmocka_unit_test(a_whole_row_replaces_all_zones),
        cmocka_unit_test(wishes_become_mutations_until_the_bridge_fulfils_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
