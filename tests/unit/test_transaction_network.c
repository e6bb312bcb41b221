/* vnet/model: VPCs, subnets, ports and routes: what is accepted, what is refused and in which words, and what is filled in. */
#include "tests/unit/model_lab.h"

static void
a_vpc_comes_and_goes_with_its_main_table(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_VPC, "c", "172.16.0.0/12");
    const struct object *vpc = lab_find(lab, OBJECT_VPC, "c"), *rtb = lab_find(lab, OBJECT_RTB, "c");
    assert_int_equal(model_main_rtb(lab->m, vpc->number), rtb->number);
    assert_string_equal(lab_column(lab, OBJECT_RTB, "c", "main"), "true");
    lab_refuse(lab, ERROR_CONFLICT, "rtb 'c': it is the main route table of vpc 'c' and goes with it", OP_DEL, "rtb", "c");
    lab_do(lab, OP_ROUTE, "c", "0.0.0.0/0", "blackhole");
    lab_do(lab, OP_DEL, "vpc", "c");
    assert_null(lab_find(lab, OBJECT_RTB, "c"));
    assert_int_equal(model_count(lab->m, OBJECT_ROUTE), 0);
    lab_refuse(lab, ERROR_CONFLICT, "vpc 'extra': its main route table, rtb 'extra': it exists already", OP_VPC, "extra", "10.0.0.0/16");
}

static void
bad_vpcs_are_refused(void **state)
{
    static const struct {
        const char *cidr, *text;
    } rows[] = {
        { "10.0.1.0/16", "vpc 'x': cidr '10.0.1.0/16' has host bits set; write 10.0.0.0/16" },
        { "10.0.0.0", "cidr '10.0.0.0' is no prefix; write ADDRESS/LENGTH" },
        { "10.0.0.0/33", "is no prefix" },
        { "fd00::/56", "cidr 'fd00::/56' is not IPv4" },
        { "10.0.0.0/7", "cidr '10.0.0.0/7' is of length 7; write /8 to /28" },
        { "10.0.0.0/29", "is of length 29; write /8 to /28" },
        { "0.0.0.0/8", "'this network'" },
        { "0.0.0.0/0", "'this network'" },
        { "127.1.0.0/16", "loopback" },
        { "169.254.0.0/20", "link-local" },
        { "168.0.0.0/7", "link-local" },
        { "224.0.0.0/8", "multicast" },
        { "255.255.255.0/24", "multicast and reserved" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse((struct lab *) *state, ERROR_INVALID, rows[i].text, OP_VPC, "x", rows[i].cidr);
}

static void
bad_subnets_are_refused(void **state)
{
    struct lab *lab = *state;
    lab_refuse(lab, ERROR_INVALID, "subnet 'x': cidr '10.0.1.5/24' has host bits set; write 10.0.1.0/24", OP_SUBNET, "x", "a",
               "10.0.1.5/24");
    lab_refuse(lab, ERROR_INVALID, "cidr '10.1.0.0/24' is not within vpc 'a', which has 10.0.0.0/16", OP_SUBNET, "x", "a", "10.1.0.0/24");
    lab_refuse(lab, ERROR_INVALID, "is not within", OP_SUBNET, "x", "a", "10.0.0.0/15");
    lab_refuse(lab, ERROR_INVALID, "cidr '10.0.9.0/30' is too small; write /29 or wider", OP_SUBNET, "x", "a", "10.0.9.0/30");
    lab_refuse(lab, ERROR_CONFLICT, "cidr '10.0.1.128/25' overlaps subnet 'web', which has 10.0.1.0/24", OP_SUBNET, "x", "a",
               "10.0.1.128/25");
    lab_refuse(lab, ERROR_CONFLICT, "overlaps subnet", OP_SUBNET, "x", "a", "10.0.0.0/16");
    lab_refuse(lab, ERROR_UNKNOWN, "subnet 'x': vpc 'nope' does not exist in tenant 'default'", OP_SUBNET, "x", "nope", "10.0.3.0/24");
    lab_do(lab, OP_SUBNET, "x", "b", "10.0.1.0/24");
    lab_refuse(lab, ERROR_INVALID, "rtb 'extra' is of another VPC; name one of vpc 'b'",
               "{'op':'set','type':'subnet','name':'x','values':{'rtb':'extra'}}");
    lab_refuse(lab, ERROR_INVALID, "lease '0' is no whole number from 1 to 4294967295",
               "{'op':'set','type':'subnet','name':'x','values':{'lease':'0'}}");
    lab_refuse(lab, ERROR_INVALID, "dns '224.0.0.1' is no IPv4 unicast address",
               "{'op':'set','type':'subnet','name':'x','values':{'dns':'8.8.8.8,224.0.0.1'}}");
    lab_refuse(lab, ERROR_INVALID, "dns '8.8.8.8' is given twice",
               "{'op':'set','type':'subnet','name':'x','values':{'dns':'8.8.8.8,8.8.8.8'}}");
    lab_refuse(lab, ERROR_INVALID, "domain '-x.com' is no domain name",
               "{'op':'set','type':'subnet','name':'x','values':{'domain':'-x.com'}}");
    lab_refuse(lab, ERROR_INVALID, "cidr cannot be changed", "{'op':'set','type':'subnet','name':'x','values':{'cidr':'10.0.7.0/24'}}");
    lab_refuse(lab, ERROR_INVALID, "gateway cannot be given: it is derived",
               "{'op':'set','type':'subnet','name':'x','values':{'gateway':'10.0.1.2'}}");
}

static void
a_subnet_has_defaults_and_goes_back_to_them(void **state)
{
    struct lab *lab = *state;
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "gateway"), "10.0.1.1");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "rtb"), "a");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "lease"), "3600");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "dns"), "[]");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "domain"), "null");
    lab_do(lab, "{'op':'set','type':'subnet','name':'web','values':"
                "{'rtb':'extra','lease':'60','dns':'8.8.8.8,10.0.1.2','domain':'example.com'}}");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "rtb"), "extra");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "dns"), "[\"8.8.8.8\",\"10.0.1.2\"]");
    lab_refuse(lab, ERROR_CONFLICT, "rtb 'extra': subnet 'web' still refers to it", OP_DEL, "rtb", "extra");
    lab_do(lab, "{'op':'set','type':'subnet','name':'web','values':{'rtb':null,'lease':null,'dns':'','domain':null}}");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "rtb"), "a");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "lease"), "3600");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "dns"), "[]");
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "domain"), "null");
    lab_do(lab, OP_DEL, "rtb", "extra");
}

static void
a_port_gets_the_lowest_free_address_and_a_local_mac(void **state)
{
    struct lab *lab = *state;
    char ip[IP_STRLEN];
    const struct port *p = lab_port(lab, "web1");
    assert_string_equal(ip_format(port_ip4(p), ip), "10.0.1.3");
    assert_true(mac_is_unicast(p->mac) && p->mac.b[0] & 2);
    assert_int_equal(model_port_by_mac(lab->m, p->vpc, p->mac), p->o.number);
    assert_int_equal(model_port_by_ip(lab->m, p->subnet, port_ip4(p)), p->o.number);
    assert_int_equal(model_subnet_by_ip(lab->m, p->vpc, port_ip4(p)), p->subnet);
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "ips"), "[\"10.0.1.3\"]");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "sg"), "[\"a\"]");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "source_dest_check"), "true");
    assert_true(p->has_sg);
    lab_do(lab, OP_PORT_IP, "web2", "web", "10.0.1.5");
    lab_do(lab, OP_PORT, "web3", "web");
    lab_do(lab, OP_PORT, "web4", "web");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web3", "ip"), "10.0.1.4");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web4", "ip"), "10.0.1.6");
    lab_do(lab, OP_DEL, "port", "web3");
    lab_do(lab, OP_PORT, "web5", "web");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web5", "ip"), "10.0.1.4");
}

static void
a_full_subnet_says_so(void **state)
{
    struct lab *lab = *state;
    lab_begin(lab);
    for (int i = 0; i < 4; i++) { /* /29: 8 less network, gateway, DNS, broadcast */
        char name[20];
        snprintf(name, sizeof name, "db%d", i);
        lab_do(lab, OP_PORT, name, "db");
    }
    lab_commit(lab);
    lab_refuse(lab, ERROR_EXHAUSTED, "port 'db4': subnet 'db' has no free address left in 10.0.2.0/29", OP_PORT, "db4", "db");
}

static void
bad_ports_are_refused(void **state)
{
    struct lab *lab = *state;
    static const struct {
        enum error_code code;
        const char *values, *text;
    } rows[] = {
        { ERROR_INVALID, "'ip':'10.0.1.0'", "port 'x': ip '10.0.1.0' is the network's in subnet 'web'" },
        { ERROR_INVALID, "'ip':'10.0.1.1'", "ip '10.0.1.1' is the gateway's" },
        { ERROR_INVALID, "'ip':'10.0.1.2'", "ip '10.0.1.2' is kept for DNS" },
        { ERROR_INVALID, "'ip':'10.0.1.255'", "ip '10.0.1.255' is the broadcast address" },
        { ERROR_INVALID, "'ip':'10.0.2.5'", "ip '10.0.2.5' is not in subnet 'web'; write a free one of 10.0.1.0/24" },
        { ERROR_INVALID, "'ip':'fd00::5'", "ip 'fd00::5' is no IPv4 address" },
        { ERROR_INVALID, "'ips':'10.0.1.9,fd00::5'", "ip 'fd00::5' is no IPv4 address" },
        { ERROR_INVALID, "'ip':'10.0.1'", "ip '10.0.1' is no IP address" },
        { ERROR_INVALID, "'ip':'10.0.1.7,10.0.1.8'", "is no IP address" },
        { ERROR_INVALID, "'ip':'10.0.1.7','ips':'10.0.1.7'", "ip and ips are both given; give one" },
        { ERROR_CONFLICT, "'ip':'10.0.1.3'", "ip '10.0.1.3' is taken by port 'web1'" },
        { ERROR_INVALID, "'mac':'01:00:00:00:00:01'", "mac '01:00:00:00:00:01' is not unicast" },
        { ERROR_INVALID, "'mac':'ff:ff:ff:ff:ff:ff'", "is not unicast" },
        { ERROR_INVALID, "'mac':'02:76:6e:00:00:01'", "mac '02:76:6e:00:00:01' is the router's" },
        { ERROR_INVALID, "'mac':'0a:76:cb:00:71:05'", "mac '0a:76:cb:00:71:05' is kept for public addresses; write another" },
        { ERROR_INVALID, "'mac':'0A:77:00:00:00:01'", "mac '0a:77:00:00:00:01' is kept for public addresses" },
        { ERROR_INVALID, "'mac':'2:76'", "mac '2:76' is no MAC address" },
        { ERROR_UNKNOWN, "'sg':'web'", "sg 'web' does not exist in tenant 'default'" },
        { ERROR_INVALID, "'source_dest_check':'no'", "source_dest_check 'no' is neither true nor false" },
        { ERROR_INVALID, "'host':'hv1'", "host cannot be given: it is observed" },
        { ERROR_INVALID, "'colour':'red'", "column 'colour' is unknown; write one of subnet ip ips mac sg source_dest_check" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse(lab, rows[i].code, rows[i].text, "{'op':'add','type':'port','name':'x','values':{'subnet':'web',%s}}", rows[i].values);
    lab_refuse(lab, ERROR_INVALID, "port 'x': subnet is missing", "{'op':'add','type':'port','name':'x','values':{}}");
}

static void
a_mac_is_unique_in_its_vpc_only(void **state)
{
    struct lab *lab = *state;
    const char *op = "{'op':'add','type':'port','name':'%s','values':{'subnet':'%s','mac':'02:00:00:00:00:09'}}";
    lab_do(lab, op, "x", "web");
    lab_refuse(lab, ERROR_CONFLICT, "mac '02:00:00:00:00:09' is taken by port 'x' of the same VPC", op, "y", "db");
    lab_do(lab, OP_SUBNET, "other", "b", "10.0.1.0/24");
    lab_do(lab, op, "y", "other");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "y", "ip"), "10.0.1.3");
}

static void
secondary_addresses_change_and_the_first_stays(void **state)
{
    struct lab *lab = *state;
    const char *op = "{'op':'set','type':'port','name':'web1','values':{'ips':'%s'}}";
    lab_do(lab, op, "10.0.1.3,10.0.1.9");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "ip"), "10.0.1.3");
    lab_refuse(lab, ERROR_CONFLICT, "ip '10.0.1.9' is taken by port 'web1'", OP_PORT_IP, "x", "web", "10.0.1.9");
    lab_refuse(lab, ERROR_INVALID, "ips must begin with '10.0.1.3'", op, "10.0.1.9,10.0.1.3");
    lab_refuse(lab, ERROR_INVALID, "ips must begin with '10.0.1.3'", op, "");
    lab_refuse(lab, ERROR_INVALID, "ip cannot be changed; further addresses are changed by ips",
               "{'op':'set','type':'port','name':'web1','values':{'ip':'10.0.1.9'}}");
    lab_do(lab, op, "10.0.1.3");
    lab_do(lab, OP_PORT_IP, "x", "web", "10.0.1.9");
}

static void
sg_none_is_remembered_and_shown_as_the_empty_list(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'add','type':'port','name':'x','values':{'subnet':'web','sg':'none'}}");
    assert_false(lab_port(lab, "x")->has_sg);
    assert_string_equal(lab_column(lab, OBJECT_PORT, "x", "sg"), "[]");
    lab_do(lab, "{'op':'set','type':'port','name':'x','values':{'sg':null}}");
    assert_true(lab_port(lab, "x")->has_sg);
}

static void
routes_are_checked_against_their_vpc(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_SUBNET, "other", "b", "10.0.1.0/24");
    lab_do(lab, OP_PORT, "stranger", "other");
    lab_refuse(lab, ERROR_INVALID, "route 'a/10.0.0.0/16': prefix '10.0.0.0/16' is the local route of vpc 'a'", OP_ROUTE, "a",
               "10.0.0.0/16", "blackhole");
    lab_refuse(lab, ERROR_INVALID, "target port 'stranger' is in another VPC; name a port of vpc 'a'", OP_ROUTE, "a", "0.0.0.0/0",
               "port:stranger");
    lab_refuse(lab, ERROR_INVALID, "target 'peer:x' is no known target; write port:NAME, igw, natgw:NAME or blackhole", OP_ROUTE, "a",
               "0.0.0.0/0", "peer:x");
    lab_refuse(lab, ERROR_UNKNOWN, "port 'nope' does not exist", OP_ROUTE, "a", "0.0.0.0/0", "port:nope");
    lab_refuse(lab, ERROR_INVALID, "prefix '::/0' is not IPv4", OP_ROUTE, "a", "::/0", "blackhole");

    lab_do(lab, OP_ROUTE, "a", "10.0.1.128/25", "blackhole");
    lab_do(lab, OP_ROUTE, "a", "0.0.0.0/0", "port:web1");
    lab_refuse(lab, ERROR_CONFLICT, "route 'a/0.0.0.0/0': it exists already", OP_ROUTE, "a", "0.0.0.0/0", "blackhole");
    assert_string_equal(lab_column(lab, OBJECT_ROUTE, "a/0.0.0.0/0", "target"), "port:web1");
    assert_string_equal(lab_column(lab, OBJECT_ROUTE, "a/0.0.0.0/0", "name"), "a/0.0.0.0/0");
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1': route 'a/0.0.0.0/0' still refers to it", OP_DEL, "port", "web1");
    lab_do(lab, "{'op':'set','type':'route','name':'a/0.0.0.0/0','values':{'target':'blackhole'}}");
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, OP_DEL, "route", "a/0.0.0.0/0");
    lab_refuse(lab, ERROR_UNKNOWN, "route 'a/0.0.0.0/0': it does not exist", OP_DEL, "route", "a/0.0.0.0/0");
}

static void
a_subnet_has_its_first_and_its_last_address_and_no_other(void **state)
{
    struct lab *lab = *state;
    const struct object *web = lab_find(lab, OBJECT_SUBNET, "web");
    uint32_t vpc = lab_find(lab, OBJECT_VPC, "a")->number;
    assert_int_equal(model_subnet_by_ip(lab->m, vpc, ip4(0x0a000100)), web->number);
    assert_int_equal(model_subnet_by_ip(lab->m, vpc, ip4(0x0a0001ff)), web->number);
    assert_int_equal(model_subnet_by_ip(lab->m, vpc, ip4(0x0a0000ff)), 0);
    assert_int_equal(model_subnet_by_ip(lab->m, vpc, ip4(0x0a000208)), 0);
    assert_int_equal(model_subnet_by_ip(lab->m, vpc + 1000, ip4(0x0a000101)), 0);
}

static void
a_hosts_datapath_id_follows_from_its_number(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'add','type':'host','name':'hv1'}");
    const struct object *o = lab_find(lab, OBJECT_HOST, "hv1");
    assert_true(model_host(lab->m, o->number)->dpid == (UINT64_C(0x766e000000000000) | o->number));
    assert_int_equal(o->tenant, 0);
    lab_do(lab, OP_DEL, "host", "hv1");
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, lab_setup_two_vpcs, lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_vpc_comes_and_goes_with_its_main_table),
        TEST(bad_vpcs_are_refused),
        TEST(bad_subnets_are_refused),
        TEST(a_subnet_has_defaults_and_goes_back_to_them),
        TEST(a_port_gets_the_lowest_free_address_and_a_local_mac),
        TEST(a_full_subnet_says_so),
        TEST(bad_ports_are_refused),
        TEST(a_mac_is_unique_in_its_vpc_only),
        TEST(secondary_addresses_change_and_the_first_stays),
        TEST(sg_none_is_remembered_and_shown_as_the_empty_list),
        TEST(routes_are_checked_against_their_vpc),
        TEST(a_subnet_has_its_first_and_its_last_address_and_no_other),
        TEST(a_hosts_datapath_id_follows_from_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
