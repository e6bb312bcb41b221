/* A host's facts from its external_ids: defaults, values, and the sentence for each mistake. */
#include "ofproto/ovsdb/ovsdb_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tests/unit/ovsdb_samples.h"

#define GOOD "['system-id','hv1'],['vnet-encap-ip','192.0.2.11']"

static struct ovsdb_facts
facts_of(const char *ids, const char *tables)
{
    struct ovsdb_rows rows;
    struct ovsdb_facts facts;
    sample_rows(&rows, ids, "", tables);
    assert_true(ovsdb_facts_derive(&rows, &facts));
    ovsdb_rows_done(&rows);
    return facts;
}

static void
what_is_not_said_has_its_default(void **state)
{
    struct ovsdb_facts f = facts_of(GOOD, "");
    char ip[IP_STRLEN], uuid[UUID_STRLEN];
    assert_string_equal(f.error, "");
    assert_string_equal(uuid_format(f.row, uuid), SAMPLE_UUID("01"));
    assert_string_equal(f.system_id, "hv1");
    assert_string_equal(ip_format(f.encap_ip, ip), "192.0.2.11");
    assert_string_equal(f.encap_type, "geneve");
    assert_int_equal(f.mtu, 1500);
    assert_string_equal(f.bridge, "br-int");
    assert_string_equal(f.datapath_type, "system");
    assert_false(f.is_gateway);
    assert_int_equal(f.n_uplinks, 0);
}

static void
all_that_is_said_is_read(void **state)
{
    struct ovsdb_facts f = facts_of(GOOD ",['vnet-encap-type','vxlan'],['vnet-mtu','9000'],['vnet-bridge','br0'],"
                                         "['vnet-datapath-type','netdev'],['vnet-gateway','true'],"
                                         "['vnet-uplinks','public:br-ex,lab.2:br-lab'],['foreign','x']",
                                    "");
    assert_string_equal(f.error, "");
    assert_string_equal(f.encap_type, "vxlan");
    assert_int_equal(f.mtu, 9000);
    assert_string_equal(f.bridge, "br0");
    assert_string_equal(f.datapath_type, "netdev");
    assert_true(f.is_gateway);
    assert_int_equal(f.n_uplinks, 2);
    assert_string_equal(f.uplinks[0].network, "public");
    assert_string_equal(f.uplinks[0].bridge, "br-ex");
    assert_string_equal(f.uplinks[1].network, "lab.2");
    assert_string_equal(f.uplinks[1].bridge, "br-lab");
}

static void
each_mistake_is_named_with_key_and_value(void **state)
{
    static const struct {
        const char *ids, *said[3];
    } cases[] = {
        { "['vnet-encap-ip','192.0.2.11']", { "external_ids:system-id is missing", "name" } },
        { "['system-id','hv1']", { "external_ids:vnet-encap-ip is missing", "IPv4 address" } },
        { "['system-id','hv 1'],['vnet-encap-ip','192.0.2.11']", { "system-id", "'hv 1'", "letters" } },
        { "['system-id','hv1'],['vnet-encap-ip','192.0.2.300']", { "vnet-encap-ip", "'192.0.2.300'", "192.0.2.11" } },
        { "['system-id','hv1'],['vnet-encap-ip','224.0.0.1']", { "vnet-encap-ip", "'224.0.0.1'", "unicast" } },
        { "['system-id','hv1'],['vnet-encap-ip','2001:db8::1']", { "vnet-encap-ip", "'2001:db8::1'", "IPv4" } },
        { GOOD ",['vnet-encap-type','gre']", { "vnet-encap-type", "'gre'", "'geneve' or 'vxlan'" } },
        { GOOD ",['vnet-mtu','1500x']", { "vnet-mtu", "'1500x'", "626 to 65535" } },
        { GOOD ",['vnet-mtu','65536']", { "vnet-mtu", "'65536'" } },
        { GOOD ",['vnet-mtu','-1500']", { "vnet-mtu", "'-1500'" } },
        { GOOD ",['vnet-mtu','4294968796']", { "vnet-mtu", "'4294968796'" } },
        { GOOD ",['vnet-bridge','a-name-that-is-too-long']", { "vnet-bridge", "at most 15 characters" } },
        { GOOD ",['vnet-bridge','a/b']", { "vnet-bridge", "'a/b'" } },
        { GOOD ",['vnet-datapath-type','dpdk']", { "vnet-datapath-type", "'dpdk'", "'system' or 'netdev'" } },
        { GOOD ",['vnet-gateway','yes']", { "vnet-gateway", "'yes'", "'true'" } },
        { GOOD ",['vnet-uplinks','public']", { "vnet-uplinks", "'public'", "NETWORK:BRIDGE" } },
        { GOOD ",['vnet-uplinks','public:br-ex,']", { "vnet-uplinks", "NETWORK:BRIDGE" } },
        { GOOD ",['vnet-uplinks',':br-ex']", { "vnet-uplinks", "NETWORK:BRIDGE" } },
        { GOOD ",['vnet-uplinks','a:b:c']", { "vnet-uplinks", "NETWORK:BRIDGE" } },
        { GOOD ",['vnet-uplinks','a:br-1,a:br-2']", { "vnet-uplinks", "'a' twice" } },
        { GOOD ",['vnet-uplinks','a:br-int']", { "vnet-uplinks", "'br-int'", "integration bridge" } },
        { GOOD ",['vnet-uplinks','a:b,b:b,c:b,d:b,e:b,f:b,g:b,h:b,i:b,j:b,k:b,l:b,m:b,n:b,o:b,p:b,q:b']",
          { "vnet-uplinks", "more than 16" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ovsdb_facts f = facts_of(cases[i].ids, "");
        for (int k = 0; k < 3 && cases[i].said[k]; k++)
            if (!strstr(f.error, cases[i].said[k]))
                fail_msg("'%s' does not say %s", f.error, cases[i].said[k]);
    }
}

static void
a_hostile_value_is_shown_short_and_escaped(void **state)
{
    char *ids = mem_printf("['system-id','a\\u001b[31m%0500d'],['vnet-encap-ip','192.0.2.11']", 0);
    struct ovsdb_facts f = facts_of(ids, "");
    assert_non_null(strstr(f.error, "\\x1b"));
    assert_non_null(strstr(f.error, "letters, digits"));
    assert_null(strchr(f.error, 0x1b));
    free(ids);
}

#define UPLINK GOOD ",['vnet-uplinks','public:br-ex']"
#define BR_EX(TYPE) "'Bridge':{'" SAMPLE_UUID("02") "':{'initial':{'name':'br-ex','datapath_type':'" TYPE "'}}}"

static void
an_uplink_bridge_of_another_datapath_type_is_an_error_that_names_both_bridges(void **state)
{
    struct ovsdb_facts f = facts_of(UPLINK, BR_EX("netdev"));
    assert_non_null(strstr(f.error, "'br-ex' has datapath type 'netdev'"));
    assert_non_null(strstr(f.error, "'br-int' has 'system'"));

    f = facts_of(UPLINK ",['vnet-datapath-type','netdev']", BR_EX(""));
    assert_non_null(strstr(f.error, "'br-ex' has datapath type 'system'"));

    assert_string_equal(facts_of(UPLINK, BR_EX("")).error, "");
    assert_string_equal(facts_of(UPLINK, BR_EX("system")).error, "");
    assert_string_equal(facts_of(UPLINK ",['vnet-datapath-type','netdev']", BR_EX("netdev")).error, "");
}

static void
without_the_row_there_are_no_facts_and_its_successor_takes_over(void **state)
{
    struct ovsdb_rows rows;
    struct ovsdb_facts f;
    sample_rows(&rows, GOOD, "", "");
    sample_update(&rows, OVSDB_UPDATE2,
                  "{'Open_vSwitch':{'" SAMPLE_UUID("09") "':{'insert':{'external_ids':['map',["
                                                         "['system-id','hv9'],['vnet-encap-ip','192.0.2.9']]]}},'" SAMPLE_UUID(
                                                             "01") "':{'delete':null}}}");
    assert_true(ovsdb_facts_derive(&rows, &f));
    assert_string_equal(f.system_id, "hv9");
    sample_update(&rows, OVSDB_UPDATE2, "{'Open_vSwitch':{'" SAMPLE_UUID("09") "':{'delete':null}}}");
    assert_false(ovsdb_facts_derive(&rows, &f));
    ovsdb_rows_done(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(all_that_is_said_is_read),
        cmocka_unit_test(each_mistake_is_named_with_key_and_value),
        cmocka_unit_test(a_hostile_value_is_shown_short_and_escaped),
        cmocka_unit_test(an_uplink_bridge_of_another_datapath_type_is_an_error_that_names_both_bridges),
        cmocka_unit_test(without_the_row_there_are_no_facts_and_its_successor_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
