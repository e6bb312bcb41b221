/* What is changed in a host's database for the configuration that is wanted: nothing if it is there, only what differs if not, and
 * never what is not ours. That ovsdb-server takes these operations is test_ovsdb_live's matter. */
#include "ofproto/ovsdb/ovsdb_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "ofproto/ovsdb/ovsdb_facts.h"
#include "ofproto/ovsdb/ovsdb_underlay.h"
#include "ofproto/ovsdb/ovsdb_pace.h"
#include "tests/unit/ovsdb_samples.h"

#define IDS "['system-id','hv1'],['vnet-encap-ip','192.0.2.11'],['vnet-uplinks','public:br-ex']"
#define ROOT "'bridges':['set',[" SAMPLE_REF("11") "," SAMPLE_REF("12") "]],'manager_options':" SAMPLE_REF("51")

/* Everything as wanted() wants it. vp-... and vq-... are what public:br-ex hashes to. */
#define VP "vp-ceda3e10"
#define VQ "vq-ceda3e10"
#define OURS "'external_ids':['map',[['vnet','1']]]"
#define BRIDGES                                                                                                                                  \
    "'Bridge':{'" SAMPLE_UUID(                                                                                                                   \
        "11") "':{'initial':{'name':'br-int','fail_mode':'secure','datapath_type':'system',"                                                     \
              "'protocols':['set',['OpenFlow13','OpenFlow15']],'other_config':['map',[['datapath-id','00000000000000ab'],"                       \
              "['disable-in-band','true'],['mac-table-size','4096']]]," OURS                                                                     \
              ",'ports':['set',[" SAMPLE_REF("21") "," SAMPLE_REF("22") "," SAMPLE_REF("23") "," SAMPLE_REF("25") "]],'controller':" SAMPLE_REF( \
                  "41") "}},'" SAMPLE_UUID("12") "':{'initial':{'name':'br-ex','ports':" SAMPLE_REF("24") ",'controller':" SAMPLE_REF("49") "}}}"
#define PORT(XX, NAME, II, IDS_) "'" SAMPLE_UUID(XX) "':{'initial':{'name':'" NAME "','interfaces':" SAMPLE_REF(II) IDS_ "}}"
#define PORTS                                                                                               \
    "'Port':{" PORT("21", "br-int", "31", "," OURS) "," PORT("22", "vnet-geneve", "32", "," OURS) "," PORT( \
        "23", VP, "33", "," OURS) "," PORT("24", VQ, "34", "," OURS) "," PORT("25", "tap0", "35", "") "}"
#define IFACE(XX, NAME, TYPE, OPTIONS, OFPORT) \
    "'" SAMPLE_UUID(XX) "':{'initial':{'name':'" NAME "','type':'" TYPE "','options':['map',[" OPTIONS "]],'ofport':" OFPORT "," OURS "}}"
#define TUNNEL_OPTIONS "['remote_ip','flow'],['key','flow'],['local_ip','192.0.2.11'],['df_default','true'],['csum','true']"
#define INTERFACES                                                                                                    \
    "'Interface':{" IFACE("31", "br-int", "internal", "", "65534") "," IFACE(                                         \
        "32", "vnet-geneve", "geneve", TUNNEL_OPTIONS,                                                                \
        "1") "," IFACE("33", VP, "patch", "['peer','" VQ "']", "2") "," IFACE("34", VQ, "patch", "['peer','" VP "']", \
                                                                              "9") ",'" SAMPLE_UUID("35") "':{'initial':{'name':'tap0'}}}"
#define REMOTE(XX, TARGET, MODE, BACKOFF, MORE) \
    "'" SAMPLE_UUID(XX) "':{'initial':{'target':'" TARGET "','connection_mode':'" MODE "','max_backoff':" BACKOFF MORE "}}"
#define CONTROLLERS                                                                                                                       \
    "'Controller':{" REMOTE("41", "tcp:192.0.2.100:6653", "out-of-band", "1000", "") "," REMOTE("49", "tcp:198.51.100.9:6653", "in-band", \
                                                                                                "8000", "") "}"
#define MANAGERS "'Manager':{" REMOTE("51", "tcp:192.0.2.100:6640", "out-of-band", "1000", ",'is_connected':true") "}"
#define ALL BRIDGES "," PORTS "," INTERFACES "," CONTROLLERS "," MANAGERS

struct result {
    size_t n;
    char *text; /* of the operations, with ' for " */
    char complaint[256];
};

static struct ovsdb_wanted
wanted(void)
{
    return (struct ovsdb_wanted){ .dpid = 0xab, .controllers = { "tcp:192.0.2.100:6653" }, .geneve = true };
}

static struct result
compare_rows(const struct ovsdb_rows *rows, const struct ovsdb_wanted *w)
{
    struct ovsdb_facts facts;
    struct ovsdb_config config;
    assert_true(ovsdb_facts_derive(rows, &facts));
    assert_string_equal(facts.error, "");
    ovsdb_config_compare(rows, &facts, w, "192.0.2.100", &config);
    struct result r = { .n = json_array_size(config.ops), .text = json_text(config.ops) };
    for (char *p = r.text; *p; p++)
        if (*p == '"')
            *p = '\'';
    strcpy(r.complaint, config.complaint);
    json_decref(config.ops);
    return r;
}

/* Compares after 'change', an update2. */
static struct result
compare_after(const char *tables, const char *change, const struct ovsdb_wanted *w)
{
    struct ovsdb_rows rows;
    sample_rows(&rows, IDS, ROOT, tables);
    sample_update(&rows, OVSDB_UPDATE2, change);
    struct result r = compare_rows(&rows, w);
    ovsdb_rows_done(&rows);
    return r;
}

static void
expect(struct result r, size_t n, const char *const *said)
{
    if (r.n != n)
        fail_msg("%zu operations instead of %zu: %s", r.n, n, r.text);
    for (size_t i = 0; said && said[i]; i++)
        if (!strstr(r.text, said[i]))
            fail_msg("%s does not hold %s", r.text, said[i]);
    free(r.text);
}

#define EXPECT(R, N, ...) expect(R, N, (const char *[]){ __VA_ARGS__, NULL })
#define WHERE(XX) "'where':[['_uuid','==',['uuid','" SAMPLE_UUID(XX) "']]]"
#define GUARD \
    "{'op':'wait','table':'Bridge','timeout':0,'where':[['name','==','br-int']],'columns':['name'],'until':'==','rows':[{'name':'br-int'}]}"

static void
nothing_is_done_where_nothing_differs(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct result r = compare_after(ALL, "{}", &w);
    assert_string_equal(r.complaint, "");
    EXPECT(r, 0, "[]");
}

static void
on_a_new_host_all_is_made_in_one_transaction(void **state)
{
    struct ovsdb_wanted w = wanted();
    w.vxlan = true;
    struct ovsdb_rows rows;
    sample_rows(&rows, "['system-id','hv1'],['vnet-encap-ip','192.0.2.11'],['vnet-datapath-type','netdev']", "", "");
    struct result r = compare_rows(&rows, &w);
    ovsdb_rows_done(&rows);
    assert_string_equal(r.complaint, "");
    EXPECT(r, 4 + 2 + 3 + 3, "'type':'internal'", "'fail_mode':'secure'", "'datapath_type':'netdev'", "'OpenFlow15'",
           "['datapath-id','00000000000000ab']", "['disable-in-band','true']",
           "'table':'Open_vSwitch'," WHERE("01") ",'mutations':[['bridges','insert',['named-uuid',", "'target':'tcp:192.0.2.100:6653'",
           "'connection_mode':'out-of-band','max_backoff':1000,'inactivity_probe':5000", "'name':'vnet-geneve'", "'name':'vnet-vxlan'",
           "['remote_ip','flow'],['key','flow'],['local_ip','192.0.2.11']", "['vnet','1']");
}

static void
what_differs_on_the_bridge_is_set_and_the_rest_is_kept(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct result r =
        compare_after(ALL,
                      "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'fail_mode':'standalone',"
                                                       "'protocols':'OpenFlow15','other_config':['map',[['disable-in-band','true'],"
                                                       "['datapath-id','00000000000000ff']]]}}}}",
                      &w);
    assert_null(strstr(r.text, "mac-table-size"));
    EXPECT(r, 5, GUARD, "'row':{'fail_mode':'secure'}", "[['protocols','insert','OpenFlow15']]",
           "[['other_config','delete',['set',['datapath-id']]],['other_config','insert',['map',[['datapath-id',"
           "'00000000000000ab']]]]]",
           "['disable-in-band','true']");
}

static void
controllers_are_exactly_those_wanted(void **state)
{
    struct ovsdb_wanted w = wanted();
    strcpy(w.controllers[0], "tcp:192.0.2.101:6653");
    EXPECT(compare_after(ALL, "{}", &w), 4, GUARD, "'target':'tcp:192.0.2.101:6653'", "['controller','insert',",
           "[['controller','delete',['uuid','" SAMPLE_UUID("41") "']]]");

    w = wanted();
    EXPECT(compare_after(ALL, "{'Controller':{'" SAMPLE_UUID("41") "':{'modify':{'connection_mode':['set',[]]}}}}", &w), 2,
           "'op':'update','table':'Controller'," WHERE("41"), "'connection_mode':'out-of-band'");

    /* Another one of the same target, and a foreign one. */
    EXPECT(compare_after(ALL,
                         "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'controller':['set',[" SAMPLE_REF("42") "," SAMPLE_REF(
                             "43") "]]}}},'Controller':{'" SAMPLE_UUID("42") "':{'insert':{'target':"
                                                                             "'tcp:192.0.2.100:6653'}},'" SAMPLE_UUID(
                                                                                 "43") "':{'insert':{'target':'tcp:1.2.3.4'}}}}",
                         &w),
           3, "['controller','delete',['uuid','" SAMPLE_UUID("42") "']]", "['controller','delete',['uuid','" SAMPLE_UUID("43") "']]");
}

static void
only_the_manager_that_led_here_is_paced(void **state)
{
    struct ovsdb_wanted w = wanted();
    const char *slow = "{'Manager':{'" SAMPLE_UUID("51") "':{'modify':{'target':'%s','max_backoff':8000,'is_connected':%s}}}}";
    static const struct {
        const char *target, *is_connected;
        bool is_changed;
    } cases[] = {
        { "tcp:192.0.2.100:6640", "true", true },   { "ssl:192.0.2.100:6640", "true", true },
        { "ssl:192.0.2.100", "true", true },        { "ssl:192.0.2.10:6640", "true", false },
        { "ssl:192.0.2.1000:6640", "true", false }, { "ptcp:6640:192.0.2.100", "true", false },
        { "tcp:192.0.2.100:6640", "false", false }, { "", "true", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *change = mem_printf(slow, cases[i].target, cases[i].is_connected);
        struct result r = compare_after(ALL, change, &w);
        if (cases[i].is_changed)
            EXPECT(r, 2, "'table':'Manager'," WHERE("51") ",'row':{'connection_mode':'out-of-band','max_backoff':1000}");
        else
            EXPECT(r, 0, "[]");
        free(change);
    }
}

static void
a_tunnel_port_is_corrected_added_and_removed(void **state)
{
    struct ovsdb_wanted w = wanted();
    EXPECT(compare_after(ALL, "{'Interface':{'" SAMPLE_UUID("32") "':{'modify':{'options':['map',[['local_ip','10.0.0.1']]]}}}}", &w), 2,
           GUARD,
           "'table':'Interface'," WHERE("32") ",'mutations':[['options','delete',['set',['local_ip']]],"
                                              "['options','insert',['map',[['local_ip','192.0.2.11']]]]]");
    w.vxlan = true;
    w.geneve = false;
    EXPECT(compare_after(ALL, "{}", &w), 5, "'name':'vnet-vxlan','interfaces'",
           WHERE("11") ",'mutations':[['ports','delete',['uuid','" SAMPLE_UUID("22") "']]]");
}

#define PEER_OPTIONS "['remote_ip','192.0.2.12'],['key','flow'],['local_ip','192.0.2.11'],['df_default','true']"
#define PEER(BFD)                                                                                                                                                        \
    "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'ports':" SAMPLE_REF("26") "}}},'Port':{'" SAMPLE_UUID(                                                               \
        "26") "':{'insert':{'name':'vnet-p1f','interfaces':" SAMPLE_REF("36") "," OURS                                                                                   \
                                                                              "}}},'Interface':{'" SAMPLE_UUID(                                                          \
                                                                                  "36") "':{'insert':{'name':'vnet-p1f','type':'geneve','options':['map',[" PEER_OPTIONS \
                                                                                        "]]," OURS ",'bfd':['map',[" BFD "]]}}}}"
#define BFD_RIGHT "['enable','true'],['min_rx','100'],['min_tx','100']"

static void
ports_to_peers_are_exactly_those_wanted(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct ovsdb_peer peers[] = { { ip4(0xc000020c), false, 0x1f }, { ip4(0xc000020d), true, 0xff } };
    w.bfd_ms = 100;
    EXPECT(compare_after(ALL, PEER(BFD_RIGHT), &w), 2, GUARD, "['ports','delete',['uuid','" SAMPLE_UUID("26") "']]");
    w.peers = peers;
    w.n_peers = 1;
    EXPECT(compare_after(ALL, PEER(BFD_RIGHT), &w), 0, "[]");
    EXPECT(compare_after(ALL, PEER("['enable','false'],['min_rx','100'],['decay_min_rx','9'],['min_tx','100']"), &w), 2, GUARD,
           "[['bfd','delete',['set',['enable']]],['bfd','insert',['map',[['enable','true']]]]]");
    w.n_peers = 2;
    EXPECT(compare_after(ALL, PEER(BFD_RIGHT), &w), 4, GUARD, "'name':'vnet-pff'", "'type':'vxlan'", "['remote_ip','192.0.2.13']",
           "'bfd':['map',[" BFD_RIGHT "]]");
}

static enum ovsdb_peer_state
peer_state(const char *status)
{
    struct ovsdb_rows rows;
    struct ovsdb_facts facts;
    sample_rows(&rows, IDS, ROOT, ALL);
    sample_update(&rows, OVSDB_UPDATE2, PEER(BFD_RIGHT));
    char *text = mem_printf("{'Interface':{'" SAMPLE_UUID("36") "':{'modify':{'bfd_status':['map',[%s]]}}}}", status);
    sample_update(&rows, OVSDB_UPDATE2, text);
    free(text);
    assert_true(ovsdb_facts_derive(&rows, &facts));
    enum ovsdb_peer_state state = ovsdb_config_peer_state(&rows, &facts, 0x1f);
    assert_int_equal(ovsdb_config_peer_state(&rows, &facts, 0x1e), OVSDB_PEER_UNKNOWN);
    ovsdb_rows_done(&rows);
    return state;
}

static void
a_peer_is_down_only_if_it_was_once_up(void **state)
{
    assert_int_equal(peer_state(""), OVSDB_PEER_UNKNOWN);
    assert_int_equal(peer_state("['state','down'],['flap_count','0']"), OVSDB_PEER_UNKNOWN);
    assert_int_equal(peer_state("['state','init'],['flap_count','0']"), OVSDB_PEER_UNKNOWN);
    assert_int_equal(peer_state("['state','up'],['flap_count','1'],['remote_state','up']"), OVSDB_PEER_UP);
    assert_int_equal(peer_state("['state','down'],['flap_count','2']"), OVSDB_PEER_DOWN);
    assert_int_equal(peer_state("['state','init'],['flap_count','2']"), OVSDB_PEER_DOWN);
    assert_int_equal(peer_state("['state','admin_down'],['flap_count','4']"), OVSDB_PEER_DOWN);
}

/* The tunnel to peer 1f leaves by 'egress'; br-phy has a card (or two, or none that is one). */
static bool
underlay_is_down(const char *egress, const char *first, const char *second)
{
    struct ovsdb_rows rows;
    sample_rows(&rows, IDS, ROOT, ALL);
    sample_update(&rows, OVSDB_UPDATE2, PEER(BFD_RIGHT));
    sample_update(
        &rows, OVSDB_UPDATE2,
        "{'Bridge':{'" SAMPLE_UUID("71") "':{'insert':{'name':'br-phy','ports':['set',[" SAMPLE_REF("72") "," SAMPLE_REF("73") "," SAMPLE_REF("77") "]]}}},'Port':{'" SAMPLE_UUID("72") "':{'insert':{'name':'br-phy','interfaces':" SAMPLE_REF(
            "74") "}},'" SAMPLE_UUID("73") "':{'insert':{'name':'phy0','interfaces':['set',[" SAMPLE_REF("75") "," SAMPLE_REF("76") "]]}}},'Interface':{'" SAMPLE_UUID("74") "':{'insert':{'name':'br-phy','type':'internal','link_state':'up'}}}}");
    char *text = mem_printf("{'Interface':{'" SAMPLE_UUID("36") "':{'modify':{'status':['map',[%s]]}},'" SAMPLE_UUID(
                                "75") "':{'insert':{'name':'phy0',%s}},'" SAMPLE_UUID("76") "':{'insert':{'name':'phy1',%s}}}}",
                            egress, first, second);
    sample_update(&rows, OVSDB_UPDATE2, text);
    free(text);
    bool is_down = ovsdb_underlay_is_down(&rows);
    ovsdb_rows_done(&rows);
    return is_down;
}

#define BY_BRIDGE "['tunnel_egress_iface','br-phy'],['tunnel_egress_iface_carrier','up']"
#define BY_CARD(CARRIER) "['tunnel_egress_iface','eth0'],['tunnel_egress_iface_carrier','" CARRIER "']"
#define UP "'link_state':'up'"
#define DOWN "'link_state':'down'"

static void
the_underlay_is_down_when_all_its_cards_are(void **state)
{
    assert_true(underlay_is_down(BY_BRIDGE, DOWN, DOWN));
    assert_false(underlay_is_down(BY_BRIDGE, DOWN, UP));
    assert_false(underlay_is_down(BY_BRIDGE, DOWN, "'error':'none is known'"));
    assert_true(underlay_is_down(BY_BRIDGE, DOWN, "'type':'patch'"));
    assert_false(underlay_is_down(BY_BRIDGE, "'type':'vxlan'," DOWN, "'type':'tap'," DOWN));
    assert_true(underlay_is_down(BY_CARD("down"), UP, UP));
    assert_false(underlay_is_down(BY_CARD("up"), DOWN, DOWN));
    assert_false(underlay_is_down("", DOWN, DOWN));
}

static void
a_patch_port_that_is_no_trunk_is_made_one(void **state)
{
    struct ovsdb_wanted w = wanted();
    EXPECT(compare_after(ALL, "{'Port':{'" SAMPLE_UUID("24") "':{'modify':{'tag':5}},'" SAMPLE_UUID("25") "':{'modify':{'tag':5}}}}", &w),
           2, GUARD, "'table':'Port'," WHERE("24") ",'row':{'tag':['set',[]],'vlan_mode':['set',[]]}");
}

static void
patch_ports_go_with_their_uplink(void **state)
{
    struct ovsdb_wanted w = wanted();
    const char *no_uplink = "{'Open_vSwitch':{'" SAMPLE_UUID("01") "':{'modify':{'external_ids':['map',[['vnet-uplinks',"
                                                                   "'public:br-ex']]]}}}}";
    EXPECT(compare_after(ALL, no_uplink, &w), 3, WHERE("11") ",'mutations':[['ports','delete',['uuid','" SAMPLE_UUID("23") "']]]",
           WHERE("12") ",'mutations':[['ports','delete',['uuid','" SAMPLE_UUID("24") "']]]");
}

static void
a_port_of_ours_on_the_wrong_bridge_is_moved(void **state)
{
    struct ovsdb_wanted w = wanted();
    EXPECT(compare_after(ALL,
                         "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{'ports':" SAMPLE_REF("24") "}},'" SAMPLE_UUID(
                             "12") "':{'modify':{'ports':" SAMPLE_REF("24") "}}}}",
                         &w),
           6, WHERE("11") ",'mutations':[['ports','delete',['uuid','" SAMPLE_UUID("24") "']]]", "'rows':[{'name':'br-ex'}]",
           "'name':'" VQ "','interfaces'", "'where':[['name','==','br-ex']],'mutations':[['ports','insert',['named-uuid',");
}

static void
a_foreign_port_is_named_and_left_alone(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct result r = compare_after(ALL, "{'Port':{'" SAMPLE_UUID("22") "':{'modify':{" OURS "}}}}", &w);
    assert_non_null(strstr(r.complaint, "'vnet-geneve'"));
    EXPECT(r, 0, "[]");

    /* Ours by name only, or by mark only: neither is removed. */
    w.geneve = false;
    r = compare_after(ALL, "{'Port':{'" SAMPLE_UUID("22") "':{'modify':{" OURS "}},'" SAMPLE_UUID("25") "':{'modify':{" OURS "}}}}", &w);
    assert_string_equal(r.complaint, "");
    EXPECT(r, 0, "[]");
}

static void
a_missing_uplink_bridge_is_named_and_all_else_is_done(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct ovsdb_rows rows;
    sample_rows(&rows, IDS, "", "");
    struct result r = compare_rows(&rows, &w);
    ovsdb_rows_done(&rows);
    assert_non_null(strstr(r.complaint, "'public' on 'br-ex'"));
    assert_null(strstr(r.text, "'patch'"));
    EXPECT(r, 4 + 2 + 3, "'name':'vnet-geneve'");
}

static void
a_bridge_name_that_is_taken_by_a_port_is_named(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct result r = compare_after(ALL, "{'Bridge':{'" SAMPLE_UUID("11") "':{'delete':null}}}", &w);
    assert_non_null(strstr(r.complaint, "'br-int' cannot be created"));
    EXPECT(r, 0, "[]");
}

static void
a_former_integration_bridge_stops_speaking_in_our_name(void **state)
{
    struct ovsdb_wanted w = wanted();
    struct result r = compare_after(ALL,
                                    "{'Open_vSwitch':{'" SAMPLE_UUID("01") "':{'modify':{'external_ids':['map',["
                                                                           "['vnet-bridge','br-new']]]}}}}",
                                    &w);
    EXPECT(r, 4 + 2 + (1 + 3) + (1 + 3) + 3, "'name':'br-new'",
           WHERE("11") ",'mutations':[['controller','delete',['uuid','" SAMPLE_UUID("41") "']]]",
           WHERE("11") ",'mutations':[['other_config','delete',['set',['datapath-id']]]]",
           WHERE("11") ",'mutations':[['ports','delete',['uuid','" SAMPLE_UUID("22") "']]]");
}

static void
port_numbers_are_those_of_our_ports_on_the_integration_bridge(void **state)
{
    struct ovsdb_rows rows;
    struct ovsdb_facts facts;
    struct ovsdb_ports ports;
    sample_rows(&rows, IDS, ROOT, ALL);
    assert_true(ovsdb_facts_derive(&rows, &facts));
    ovsdb_config_ports(&rows, &facts, &ports);
    assert_int_equal(ports.geneve, 1);
    assert_int_equal(ports.vxlan, 0);
    assert_int_equal(ports.patch[0], 2);
    sample_update(&rows, OVSDB_UPDATE2, "{'Interface':{'" SAMPLE_UUID("33") "':{'modify':{'ofport':-1}}}}");
    ovsdb_config_ports(&rows, &facts, &ports);
    assert_int_equal(ports.patch[0], 0);
    assert_false(ports.is_patch_due[0]);
    sample_update(&rows, OVSDB_UPDATE2, "{'Interface':{'" SAMPLE_UUID("33") "':{'modify':{'ofport':['set',[]]}}}}");
    ovsdb_config_ports(&rows, &facts, &ports);
    assert_int_equal(ports.patch[0], 0);
    assert_true(ports.is_patch_due[0]);
    ovsdb_rows_done(&rows);
}

static void
transactions_that_do_not_help_come_ever_slower_and_never_in_a_flood(void **state)
{
    struct ovsdb_pace p;
    int64_t now = 1000000;
    ovsdb_pace_init(&p, OVSDB_PACE_BURST, now);
    static const int waits[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        assert_true(ovsdb_pace_take(&p, now));
        ovsdb_pace_answered(&p, now);
        assert_false(ovsdb_pace_take(&p, now + waits[i] - 1));
        assert_int_equal(ovsdb_pace_next_ms(&p), now + waits[i]);
        now += waits[i];
    }
    ovsdb_pace_settled(&p);

    int n = 0; /* rows change all the time: the bucket holds */
    for (int64_t end = now + 10000; now < end; now += 10) {
        ovsdb_pace_lift(&p);
        if (ovsdb_pace_take(&p, now)) {
            ovsdb_pace_answered(&p, now);
            n++;
        }
    }
    assert_in_range(n, OVSDB_PACE_BURST, OVSDB_PACE_BURST + 10);
    assert_true(ovsdb_pace_next_ms(&p) > now - 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_done_where_nothing_differs),
        cmocka_unit_test(on_a_new_host_all_is_made_in_one_transaction),
        cmocka_unit_test(what_differs_on_the_bridge_is_set_and_the_rest_is_kept),
        cmocka_unit_test(controllers_are_exactly_those_wanted),
        cmocka_unit_test(only_the_manager_that_led_here_is_paced),
        cmocka_unit_test(a_tunnel_port_is_corrected_added_and_removed),
        cmocka_unit_test(ports_to_peers_are_exactly_those_wanted),
        cmocka_unit_test(a_peer_is_down_only_if_it_was_once_up),
        cmocka_unit_test(the_underlay_is_down_when_all_its_cards_are),
        cmocka_unit_test(a_patch_port_that_is_no_trunk_is_made_one),
        cmocka_unit_test(patch_ports_go_with_their_uplink),
        cmocka_unit_test(a_port_of_ours_on_the_wrong_bridge_is_moved),
        cmocka_unit_test(a_foreign_port_is_named_and_left_alone),
        cmocka_unit_test(a_missing_uplink_bridge_is_named_and_all_else_is_done),
        cmocka_unit_test(a_bridge_name_that_is_taken_by_a_port_is_named),
        cmocka_unit_test(a_former_integration_bridge_stops_speaking_in_our_name),
        cmocka_unit_test(port_numbers_are_those_of_our_ports_on_the_integration_bridge),
        cmocka_unit_test(transactions_that_do_not_help_come_ever_slower_and_never_in_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
