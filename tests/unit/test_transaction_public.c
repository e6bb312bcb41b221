/* vnet/model: pools, elastic IPs, internet and NAT gateways: what is accepted, what is refused and in which words, and who may. */
#include "tests/unit/model_lab.h"

#define OP_POOL "{'op':'add','type':'pool','name':'%s','values':{'cidr':'%s','uplink':'public'}}"
#define OP_EIP "{'op':'add','type':'eip','values':{'pool':'%s'}}"
#define OP_EIP_IP "{'op':'add','type':'eip','values':{'pool':'%s','ip':'%s'}}"
#define OP_ATTACH "{'op':'set','type':'eip','name':'%s','values':{'attached':'%s'}}"
#define OP_MOVE "{'op':'set','type':'eip','name':'%s','values':{'attached':'%s'},'move':true}"
#define OP_DETACH "{'op':'set','type':'eip','name':'%s','values':{'attached':null}}"
#define OP_IGW "{'op':'add','type':'igw','values':{'vpc':'%s'}}"
#define OP_NATGW "{'op':'add','type':'natgw','name':'%s','values':{'subnet':'%s'}}"

/* VPCs a and b; in a the subnet web with web1 and web2, in b the subnet db; the pool public; the tenant acme with the same as a. */
static int
setup(void **state)
{
    struct lab *lab = lab_setup(state);
    lab_do(lab, OP_VPC, "a", "10.0.0.0/16");
    lab_do(lab, OP_VPC, "b", "10.0.0.0/16");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.1.0/24");
    lab_do(lab, OP_SUBNET, "db", "b", "10.0.2.0/24");
    lab_do(lab, OP_PORT, "web1", "web");
    lab_do(lab, OP_PORT, "web2", "web");
    lab_do(lab, OP_PORT, "db1", "db");
    lab_do(lab, OP_POOL, "public", "203.0.113.0/28");
    lab_do(lab, "{'op':'add','type':'tenant','name':'acme'}");
    lab_do(lab, "{'op':'add','type':'vpc','name':'a','tenant':'acme','values':{'cidr':'10.0.0.0/16'}}");
    lab_do(lab, "{'op':'add','type':'subnet','name':'web','tenant':'acme','values':{'vpc':'a','cidr':'10.0.1.0/24'}}");
    lab_do(lab, "{'op':'add','type':'port','name':'theirs','tenant':'acme','values':{'subnet':'web'}}");
    return lab_ready(lab);
}

/* ---- pools ---- */
static void
a_pool_has_a_gateway_and_a_range_unless_given(void **state)
{
    struct lab *lab = *state;
    assert_string_equal(lab_column(lab, OBJECT_POOL, "public", "gateway"), "203.0.113.1");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "public", "range"), "203.0.113.2-203.0.113.14");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "public", "uplink"), "public");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "public", "vlan"), "null");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "public", "tenant"), "null");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "public", "gateway_mac"), "null");

    lab_do(lab, "{'op':'add','type':'pool','name':'x','values':{'cidr':'198.51.100.0/24','uplink':'isp-2','gateway':'198.51.100.254',"
                "'range':'198.51.100.10-198.51.100.20','vlan':'4094'}}");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "x", "gateway"), "198.51.100.254");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "x", "range"), "198.51.100.10-198.51.100.20");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "x", "vlan"), "4094");
    lab_do(lab, "{'op':'set','type':'pool','name':'x','values':{'range':null}}");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "x", "range"), "198.51.100.1-198.51.100.253");
    lab_do(lab, OP_DEL, "pool", "x");
    lab_do(lab, OP_POOL, "x", "198.51.100.0/30");
    assert_string_equal(lab_column(lab, OBJECT_POOL, "x", "range"), "198.51.100.2-198.51.100.2");
}

static void
bad_pools_are_refused(void **state)
{
    static const struct {
        enum error_code code;
        const char *values, *text;
    } rows[] = {
        { ERROR_INVALID, "'cidr':'198.51.100.0/24'", "pool 'x': uplink is missing: the physical network it is on" },
        { ERROR_INVALID, "'uplink':'u'", "pool 'x': cidr is missing" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':''", "uplink has 0 characters; write 1 to 63" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'a b'", "uplink 'a b' may only have letters, digits, '-', '_' and '.'" },
        { ERROR_INVALID, "'cidr':'198.51.100.1/24','uplink':'u'", "cidr '198.51.100.1/24' has host bits set; write 198.51.100.0/24" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/31','uplink':'u'", "cidr '198.51.100.0/31' is of length 31; write /8 to /30" },
        { ERROR_INVALID, "'cidr':'fd00::/64','uplink':'u'", "cidr 'fd00::/64' is not IPv4; write one like 203.0.113.0/24" },
        { ERROR_INVALID, "'cidr':'224.0.0.0/24','uplink':'u'", "cidr '224.0.0.0/24' has multicast and reserved addresses" },
        { ERROR_CONFLICT, "'cidr':'203.0.113.8/29','uplink':'other'",
          "pool 'x': cidr '203.0.113.8/29' overlaps pool 'public', which has 203.0.113.0/28; write a range that is free" },
        { ERROR_CONFLICT, "'cidr':'203.0.0.0/16','uplink':'public','vlan':7", "overlaps pool 'public'" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','gateway':'198.51.101.1'",
          "gateway '198.51.101.1' is not in 198.51.100.0/24; write an address of it" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','gateway':'fd00::1'", "gateway 'fd00::1' is not in 198.51.100.0/24" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','gateway':'198.51.100.0'",
          "gateway '198.51.100.0' is the network address of 198.51.100.0/24" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','gateway':'198.51.100.255'", "is the broadcast address of" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.9'",
          "range '198.51.100.9' is no range of addresses; write FIRST-LAST, e.g. 203.0.113.10-203.0.113.20" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.9-'", "is no range of addresses" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.9-fd00::1'", "is no range of addresses" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':5", "range '5' is no range of addresses" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.9-198.51.100.8'",
          "range '198.51.100.9-198.51.100.8' ends before it begins; write 198.51.100.8-198.51.100.9" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.9-198.51.101.1'",
          "range '198.51.100.9-198.51.101.1' is not within 198.51.100.0/24" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.0-198.51.100.1'",
          "range '198.51.100.0-198.51.100.1' has nothing to hand out" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','range':'198.51.100.255-198.51.100.255'", "has nothing to hand out" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','vlan':'0'", "vlan '0' is no whole number from 1 to 4094" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','vlan':4095", "vlan '4095' is no whole number from 1 to 4094" },
        { ERROR_INVALID, "'cidr':'198.51.100.0/24','uplink':'u','gateway_mac':'x'", "gateway_mac cannot be given: it is observed" },
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse(lab, rows[i].code, rows[i].text, "{'op':'add','type':'pool','name':'x','values':{%s}}", rows[i].values);
    lab_refuse(lab, ERROR_INVALID, "pool 'public': gateway cannot be changed",
               "{'op':'set','type':'pool','name':'public','values':{'gateway':'203.0.113.2'}}");
    lab_refuse(lab, ERROR_INVALID, "uplink cannot be changed", "{'op':'set','type':'pool','name':'public','values':{'uplink':'x'}}");
    lab_do(lab, OP_POOL, "x", "203.0.113.16/28");
    lab_do(lab, OP_POOL, "y", "203.0.112.0/24");
}

static void
a_pool_in_use_stays(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_EIP, "public");
    lab_refuse(lab, ERROR_CONFLICT, "pool 'public': eip '203.0.113.2' still refers to it", OP_DEL, "pool", "public");
    lab_do(lab, OP_DEL, "eip", "203.0.113.2");
    lab_do(lab, OP_DEL, "pool", "public");
    lab_do(lab, OP_POOL, "other", "203.0.113.0/24");
}

/* ---- addresses ---- */
static void
an_elastic_ip_is_the_lowest_free_one_and_called_by_its_address(void **state)
{
    struct lab *lab = *state;
    json_t *result;
    lab_begin(lab);
    assert_true(lab_try(lab, &result, OP_EIP, "public"));
    assert_string_equal(json_member_string(result, "name"), "203.0.113.2");
    assert_string_equal(json_member_string(json_object_get(result, "object"), "ip"), "203.0.113.2");
    assert_string_equal(json_member_string(json_object_get(result, "object"), "name"), "203.0.113.2");
    json_decref(result);
    lab_do(lab, OP_EIP_IP, "public", "203.0.113.4");
    lab_do(lab, OP_EIP, "public");
    lab_do(lab, OP_EIP, "public");
    lab_commit(lab);
    assert_non_null(lab_find(lab, OBJECT_EIP, "203.0.113.3"));
    assert_non_null(lab_find(lab, OBJECT_EIP, "203.0.113.5"));
    assert_null(lab_find(lab, OBJECT_EIP, "203.0.113.6"));
    const struct object *o = lab_find(lab, OBJECT_EIP, "203.0.113.4");
    assert_int_equal(model_eip_by_ip(lab->m, model_eip(lab->m, o->number)->ip), o->number);
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.4", "pool"), "public");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.4", "attached"), "null");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.4", "host"), "null");

    lab_do(lab, OP_DEL, "eip", "203.0.113.3");
    lab_do(lab, OP_EIP, "public");
    assert_non_null(lab_find(lab, OBJECT_EIP, "203.0.113.3"));
    char id[UUID_STRLEN];
    uuid_format(lab_find(lab, OBJECT_EIP, "203.0.113.3")->id, id);
    lab_do(lab, OP_DEL, "eip", id);
    assert_null(lab_find(lab, OBJECT_EIP, "203.0.113.3"));
}

static void
the_gateway_in_the_middle_of_a_range_is_passed_over(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'add','type':'pool','name':'x','values':{'cidr':'198.51.100.0/29','uplink':'u','gateway':'198.51.100.2'}}");
    static const char *const ips[] = { "198.51.100.1", "198.51.100.3", "198.51.100.4", "198.51.100.5", "198.51.100.6" };
    lab_begin(lab);
    for (size_t i = 0; i < 5; i++)
        lab_do(lab, OP_EIP, "x");
    lab_commit(lab);
    for (size_t i = 0; i < 5; i++)
        assert_non_null(lab_find(lab, OBJECT_EIP, ips[i]));
    lab_refuse(lab, ERROR_EXHAUSTED, "eip: pool 'x' has no free address left in 198.51.100.1-198.51.100.6", OP_EIP, "x");
    lab_do(lab, OP_DEL, "eip", "198.51.100.1");
    lab_do(lab, OP_EIP, "x");
    assert_non_null(lab_find(lab, OBJECT_EIP, "198.51.100.1"));
}

static void
a_narrower_range_hands_out_less_and_takes_nothing_back(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_EIP, "public");
    lab_do(lab, "{'op':'set','type':'pool','name':'public','values':{'range':'203.0.113.13-203.0.113.15'}}");
    lab_do(lab, OP_EIP, "public");
    assert_non_null(lab_find(lab, OBJECT_EIP, "203.0.113.13"));
    lab_refuse(lab, ERROR_INVALID, "ip '203.0.113.5' is not in the range of pool 'public'; write a free one of 203.0.113.13-203.0.113.15",
               OP_EIP_IP, "public", "203.0.113.5");
    lab_do(lab, OP_ATTACH, "203.0.113.2", "port:web1");
    lab_do(lab, OP_EIP, "public");
    lab_refuse(lab, ERROR_EXHAUSTED, "has no free address left", OP_EIP, "public");
}

static void
an_address_that_is_not_free_is_refused_by_its_holders_kind(void **state)
{
    static const struct {
        enum error_code code;
        const char *ip, *text;
    } rows[] = {
        { ERROR_INVALID, "198.51.100.7",
          "eip '198.51.100.7': ip '198.51.100.7' is not in pool 'public'; write a free one of "
          "203.0.113.2-203.0.113.14, or leave it out" },
        { ERROR_INVALID, "10.0.1.3", "ip '10.0.1.3' is not in pool 'public'" },
        { ERROR_INVALID, "fd00::1", "ip 'fd00::1' is not in pool 'public'" },
        { ERROR_INVALID, "203.0.113.0", "ip '203.0.113.0' is the network's in pool 'public'" },
        { ERROR_INVALID, "203.0.113.1", "ip '203.0.113.1' is the upstream gateway's in pool 'public'" },
        { ERROR_INVALID, "203.0.113.15", "ip '203.0.113.15' is the broadcast address in pool 'public'" },
        { ERROR_INVALID, "203.0.113", "ip '203.0.113' is no IP address" },
        { ERROR_CONFLICT, "203.0.113.7",
          "eip '203.0.113.7': ip '203.0.113.7' is in use by an elastic IP of tenant 'default'; write a "
          "free one, or leave it out" },
        { ERROR_CONFLICT, "203.0.113.8",
          "eip '203.0.113.8': ip '203.0.113.8' is in use by another tenant's elastic IP; write a free "
          "one, or leave it out" },
    };
    struct lab *lab = *state;
    lab_do(lab, OP_EIP_IP, "public", "203.0.113.7");
    lab_do(lab, "{'op':'add','type':'eip','tenant':'acme','values':{'pool':'public','ip':'203.0.113.8'}}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lab_refuse(lab, rows[i].code, rows[i].text, OP_EIP_IP, "public", rows[i].ip);
        assert_null(strstr(lab->err.text, "acme"));
    }
    lab_refuse(lab, ERROR_CONFLICT, "another tenant's elastic IP",
               "{'op':'add','type':'eip','may_exist':true,'values':{'pool':'public','ip':'203.0.113.8'}}");
    lab_refuse(lab, ERROR_UNKNOWN, "eip '203.0.113.8': it does not exist in tenant 'default'", OP_DEL, "eip", "203.0.113.8");
    lab_refuse(lab, ERROR_UNKNOWN, "eip '203.0.113.9': it does not exist in tenant 'default'", OP_ATTACH, "203.0.113.9", "port:web1");
    lab_refuse(lab, ERROR_UNKNOWN, "pool 'nope' does not exist", OP_EIP, "nope");
    lab_refuse(lab, ERROR_INVALID, "eip: pool is missing", "{'op':'add','type':'eip','values':{}}");
    lab_refuse(lab, ERROR_INVALID, "an eip has no name of its own", "{'op':'add','type':'eip','name':'x','values':{'pool':'public'}}");
    lab_refuse(lab, ERROR_INVALID, "ip cannot be changed", "{'op':'set','type':'eip','name':'203.0.113.7','values':{'ip':'203.0.113.9'}}");
    lab_refuse(lab, ERROR_INVALID, "host cannot be given: it is observed",
               "{'op':'set','type':'eip','name':'203.0.113.7','values':{'host':'h'}}");
    lab_do(lab, "{'op':'add','type':'eip','may_exist':true,'values':{'pool':'public','ip':'203.0.113.7'}}");
    assert_int_equal(model_count(lab->m, OBJECT_EIP), 2);
}

/* ---- attaching ---- */
static void
an_elastic_ip_is_attached_moved_and_detached(void **state)
{
    struct lab *lab = *state;
    uint32_t web1 = lab_port(lab, "web1")->o.number, web2 = lab_port(lab, "web2")->o.number;
    lab_do(lab, OP_EIP, "public");
    uint32_t eip = lab_find(lab, OBJECT_EIP, "203.0.113.2")->number;
    lab_do(lab, OP_ATTACH, "203.0.113.2", "port:web1");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.2", "attached"), "port:web1");
    assert_int_equal(model_eip_of(lab->m, web1), eip);
    uint64_t revision = model_revision(lab->m);
    lab_do(lab, OP_ATTACH, "203.0.113.2", "port:web1");
    assert_int_equal(model_revision(lab->m), revision);

    lab_refuse(lab, ERROR_CONFLICT, "eip '203.0.113.2': it is attached to port 'web1'; detach it first, or move it with --move", OP_ATTACH,
               "203.0.113.2", "port:web2");
    lab_do(lab, OP_MOVE, "203.0.113.2", "port:web2");
    assert_int_equal(model_eip_of(lab->m, web1), 0);
    assert_int_equal(model_eip_of(lab->m, web2), eip);
    lab_do(lab, OP_NATGW, "n", "web");
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ip"), "null");
    lab_do(lab, OP_MOVE, "203.0.113.2", "natgw:n");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.2", "attached"), "natgw:n");
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ip"), "203.0.113.2");

    lab_refuse(lab, ERROR_CONFLICT, "eip '203.0.113.2': it is attached to natgw 'n'; eip-detach it first", OP_DEL, "eip", "203.0.113.2");
    lab_do(lab, OP_DETACH, "203.0.113.2");
    lab_do(lab, OP_DETACH, "203.0.113.2");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.2", "attached"), "null");
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ip"), "null");
    lab_do(lab, OP_ATTACH, "203.0.113.2", "port:web1");
    lab_do(lab, OP_ATTACH, "203.0.113.2", "none");
    lab_do(lab, OP_DEL, "eip", "203.0.113.2");
    lab_do(lab, "{'op':'add','type':'eip','values':{'pool':'public','attached':'port:web1'}}");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.2", "attached"), "port:web1");
}

/* A word for one operation holds for that one only. */
static void
move_is_of_its_operation(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_EIP, "public");
    lab_begin(lab);
    lab_do(lab, OP_ATTACH, "203.0.113.2", "port:web1");
    lab_do(lab, OP_MOVE, "203.0.113.2", "port:web2");
    assert_false(lab_try(lab, NULL, OP_ATTACH, "203.0.113.2", "port:web1"));
    lab_abort(lab);
}

static void
a_holder_has_one_elastic_ip_and_stays_while_it_has(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_EIP, "public");
    lab_do(lab, OP_EIP, "public");
    lab_do(lab, OP_NATGW, "n", "web");
    lab_do(lab, OP_ATTACH, "203.0.113.2", "port:web1");
    lab_refuse(lab, ERROR_CONFLICT, "eip '203.0.113.3': port 'web1' has eip '203.0.113.2' already; detach that first", OP_ATTACH,
               "203.0.113.3", "port:web1");
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1' has eip '203.0.113.2' already", OP_MOVE, "203.0.113.3", "port:web1");
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1': eip '203.0.113.2' still refers to it", OP_DEL, "port", "web1");
    lab_do(lab, OP_ATTACH, "203.0.113.3", "natgw:n");
    lab_refuse(lab, ERROR_CONFLICT, "natgw 'n': eip '203.0.113.3' still refers to it", OP_DEL, "natgw", "n");

    lab_begin(lab); /* an exchange in one transaction */
    lab_do(lab, OP_DETACH, "203.0.113.2");
    lab_do(lab, OP_MOVE, "203.0.113.3", "port:web1");
    lab_do(lab, OP_ATTACH, "203.0.113.2", "natgw:n");
    lab_commit(lab);
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ip"), "203.0.113.2");
    lab_begin(lab);
    lab_do(lab, OP_DETACH, "203.0.113.3");
    lab_do(lab, OP_DEL, "port", "web1");
    lab_commit(lab);
}

static void
what_cannot_hold_an_elastic_ip_is_refused(void **state)
{
    static const struct {
        enum error_code code;
        const char *target, *text;
    } rows[] = {
        { ERROR_INVALID, "vpc:web",
          "eip '203.0.113.2': attached 'vpc:web' is no known target; write port:NAME, natgw:NAME, lb:NAME or none" },
        { ERROR_INVALID, "web1", "attached 'web1' is no known target" },
        { ERROR_INVALID, "igw", "attached 'igw' is no known target" },
        { ERROR_INVALID, "blackhole", "attached 'blackhole' is no known target" },
        { ERROR_INVALID, "port", "attached 'port' is no known target" },
        { ERROR_INVALID, "none:", "attached 'none:' is no known target" },
        { ERROR_UNKNOWN, "port:nope", "port 'nope' does not exist in tenant 'default'" },
        { ERROR_UNKNOWN, "port:", "port '' does not exist in tenant 'default'" },
        { ERROR_UNKNOWN, "lb:nope", "lb 'nope' does not exist in tenant 'default'" },
        { ERROR_UNKNOWN, "natgw:nope", "natgw 'nope' does not exist in tenant 'default'" },
        { ERROR_UNKNOWN, "port:theirs", "port 'theirs' does not exist in tenant 'default'" },
    };
    struct lab *lab = *state;
    char id[UUID_STRLEN], target[UUID_STRLEN + 10];
    lab_do(lab, OP_EIP, "public");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse(lab, rows[i].code, rows[i].text, OP_ATTACH, "203.0.113.2", rows[i].target);
    const struct object *theirs = model_find(lab->m, OBJECT_PORT, model_tenant(lab->m, "acme"), "theirs");
    snprintf(target, sizeof target, "port:%s", uuid_format(theirs->id, id));
    lab_refuse(lab, ERROR_UNKNOWN, "does not exist in tenant 'default'", OP_ATTACH, "203.0.113.2", target);
    lab_refuse(lab, ERROR_INVALID, "attached '5' is no known target",
               "{'op':'set','type':'eip','name':'203.0.113.2','values':{'attached':5}}");
}

/* ---- gateways ---- */
static void
a_vpc_has_one_internet_gateway_which_its_routes_keep(void **state)
{
    struct lab *lab = *state;
    const struct subnet *web = model_subnet(lab->m, lab_find(lab, OBJECT_SUBNET, "web")->number);
    lab_refuse(lab, ERROR_INVALID,
               "route 'a/0.0.0.0/0': target 'igw' needs an internet gateway, which vpc 'a' has not; make it with "
               "igw-add first",
               OP_ROUTE, "a", "0.0.0.0/0", "igw");
    lab_do(lab, OP_IGW, "a");
    assert_int_equal(model_igw_of(lab->m, web->vpc), lab_find(lab, OBJECT_IGW, "a")->number);
    assert_string_equal(lab_column(lab, OBJECT_IGW, "a", "name"), "a");
    assert_string_equal(lab_column(lab, OBJECT_IGW, "a", "vpc"), "a");
    lab_refuse(lab, ERROR_CONFLICT, "igw 'a': it exists already", OP_IGW, "a");
    lab_do(lab, "{'op':'add','type':'igw','may_exist':true,'values':{'vpc':'a'}}");
    lab_refuse(lab, ERROR_UNKNOWN, "igw 'nope': vpc 'nope' does not exist in tenant 'default'", OP_IGW, "nope");
    lab_refuse(lab, ERROR_UNKNOWN, "igw 'b': it does not exist", OP_DEL, "igw", "b");
    lab_refuse(lab, ERROR_INVALID, "which vpc 'b' has not", OP_ROUTE, "b", "0.0.0.0/0", "igw");

    assert_false(model_subnet_reaches_igw(lab->m, web));
    lab_do(lab, OP_ROUTE, "a", "192.0.2.0/24", "blackhole");
    lab_do(lab, OP_ROUTE, "a", "0.0.0.0/0", "igw");
    assert_true(model_subnet_reaches_igw(lab->m, web));
    assert_string_equal(lab_column(lab, OBJECT_ROUTE, "a/0.0.0.0/0", "target"), "igw");
    lab_do(lab, "{'op':'add','type':'route','may_exist':true,'values':{'rtb':'a','prefix':'0.0.0.0/0','target':'igw'}}");
    lab_refuse(lab, ERROR_INVALID, "target 'igw:a' is no known target", OP_ROUTE, "a", "198.51.100.0/24", "igw:a");
    lab_refuse(lab, ERROR_CONFLICT, "igw 'a': route 'a/0.0.0.0/0' still refers to it", OP_DEL, "igw", "a");
    lab_do(lab, "{'op':'set','type':'route','name':'a/0.0.0.0/0','values':{'target':'blackhole'}}");
    assert_false(model_subnet_reaches_igw(lab->m, web));
    lab_refuse(lab, ERROR_CONFLICT, "igw 'a' still refer", OP_DEL, "vpc", "a");
    lab_do(lab, OP_DEL, "igw", "a");
    assert_int_equal(model_igw_of(lab->m, web->vpc), 0);
}

static void
a_vpc_without_a_name_has_a_gateway_too(void **state)
{
    struct lab *lab = *state;
    const char *id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    lab_do(lab, "{'op':'add','type':'vpc','id':'%s','values':{'cidr':'10.9.0.0/16'}}", id);
    lab_do(lab, OP_IGW, id);
    assert_string_equal(lab_column(lab, OBJECT_IGW, id, "name"), id);
    lab_do(lab, OP_DEL, "igw", id);
    assert_null(lab_find(lab, OBJECT_IGW, id));
}

static void
a_nat_gateway_has_ports_and_routes_of_its_vpc(void **state)
{
    static const char *const wrong[] = { "0-5", "5-4", "1-65536", "80", "1-2-3", "a-b", "-", "1-", "01-5", " 1-5", "1-5 ", "99999-99999" };
    struct lab *lab = *state;
    lab_do(lab, OP_NATGW, "n", "web");
    lab_do(lab, OP_NATGW, "other", "db");
    const struct natgw *n = model_natgw(lab->m, lab_find(lab, OBJECT_NATGW, "n")->number);
    assert_int_equal(n->vpc, lab_find(lab, OBJECT_VPC, "a")->number);
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ports"), "1024-65535");
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "exhausted"), "null");
    lab_do(lab, "{'op':'set','type':'natgw','name':'n','values':{'ports':'1-65535'}}");
    lab_do(lab, "{'op':'set','type':'natgw','name':'n','values':{'ports':'2000-2000'}}");
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ports"), "2000-2000");
    n = model_natgw(lab->m, lab_find(lab, OBJECT_NATGW, "n")->number);
    assert_true(n->ports.lo == 2000 && n->ports.hi == 2000);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        lab_refuse(lab, ERROR_INVALID, "is no range of ports; write LO-HI of 1 to 65535, e.g. 1024-65535",
                   "{'op':'set','type':'natgw','name':'n','values':{'ports':'%s'}}", wrong[i]);
    lab_do(lab, "{'op':'set','type':'natgw','name':'n','values':{'ports':null}}");
    assert_string_equal(lab_column(lab, OBJECT_NATGW, "n", "ports"), "1024-65535");

    lab_refuse(lab, ERROR_INVALID, "natgw 'x': ip cannot be given: it is derived",
               "{'op':'add','type':'natgw','name':'x','values':{'subnet':'web','ip':'203.0.113.2'}}");
    lab_refuse(lab, ERROR_INVALID, "target natgw 'other' is in another VPC; name a natgw of vpc 'a'", OP_ROUTE, "a", "0.0.0.0/0",
               "natgw:other");
    lab_do(lab, OP_ROUTE, "a", "0.0.0.0/0", "natgw:n");
    assert_string_equal(lab_column(lab, OBJECT_ROUTE, "a/0.0.0.0/0", "target"), "natgw:n");
    lab_refuse(lab, ERROR_CONFLICT, "natgw 'n': route 'a/0.0.0.0/0' still refers to it", OP_DEL, "natgw", "n");
    lab_refuse(lab, ERROR_CONFLICT, "natgw 'other' still refer", OP_DEL, "subnet", "db");
    lab_do(lab, OP_DEL, "route", "a/0.0.0.0/0");
    lab_do(lab, OP_DEL, "natgw", "n");
}

/* ---- who may ---- */
static void
a_tenant_takes_from_a_pool_and_only_an_admin_makes_one(void **state)
{
    struct lab *lab = *state;
    char id[UUID_STRLEN];
    lab_do(lab, OP_EIP, "public");
    uuid_format(lab_find(lab, OBJECT_EIP, "203.0.113.2")->id, id);

    lab->who = (struct principal){ .role = PRINCIPAL_TENANT, .name = "ci", .tenant = "acme" };
    lab_refuse(lab, ERROR_FORBIDDEN, "pool 'x': 'ci' is tenant 'acme'; only an admin may do this", OP_POOL, "x", "198.51.100.0/24");
    lab_refuse(lab, ERROR_FORBIDDEN, "only an admin", OP_DEL, "pool", "public");
    lab_refuse(lab, ERROR_FORBIDDEN, "only an admin",
               "{'op':'set','type':'pool','name':'public','values':{'range':'203.0.113.9-203.0.113.9'}}");
    lab_do(lab, OP_EIP, "public");
    lab_do(lab, OP_ATTACH, "203.0.113.3", "port:theirs");
    assert_int_equal(model_eip(lab->m, model_eip_by_ip(lab->m, ip4(0xcb007103)))->o.tenant, model_tenant(lab->m, "acme"));
    lab_refuse(lab, ERROR_UNKNOWN, "it does not exist in tenant 'acme'", OP_DEL, "eip", id);
    lab_refuse(lab, ERROR_UNKNOWN, "it does not exist in tenant 'acme'", OP_ATTACH, id, "port:theirs");
    lab_refuse(lab, ERROR_UNKNOWN, "it does not exist in tenant 'acme'", OP_ATTACH, "203.0.113.2", "port:theirs");
    lab_refuse(lab, ERROR_FORBIDDEN, "may only see and change what belongs to tenant 'acme'",
               "{'op':'add','type':'eip','tenant':'default','values':{'pool':'public'}}");
    lab_do(lab, OP_IGW, "a");
    lab_do(lab, OP_ROUTE, "a", "0.0.0.0/0", "igw");

    lab->who = (struct principal){ .role = PRINCIPAL_READER, .name = "joe", .tenant = "" };
    lab_refuse(lab, ERROR_FORBIDDEN, "'joe' is a reader", OP_EIP, "public");
    lab_refuse(lab, ERROR_FORBIDDEN, "'joe' is a reader", OP_ATTACH, "203.0.113.2", "port:web1");
    lab_refuse(lab, ERROR_FORBIDDEN, "'joe' is a reader", OP_IGW, "b");
    lab_refuse(lab, ERROR_FORBIDDEN, "'joe' is a reader", OP_NATGW, "n", "web");
    lab_refuse(lab, ERROR_FORBIDDEN, "'joe' is a reader", OP_POOL, "x", "198.51.100.0/24");

    lab->who = (struct principal){ .role = PRINCIPAL_ADMIN, .name = "root", .tenant = "" };
    lab_do(lab, "{'op':'set','type':'eip','name':'203.0.113.3','tenant':'acme','values':{'attached':null}}");
}

static void
quotas_count_addresses_and_gateways(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'eip':1,'natgw':0,'igw':1}}}");
    lab_do(lab, OP_EIP, "public");
    lab_refuse(lab, ERROR_QUOTA, "tenant 'default': quota of 1 for type 'eip' is used up: there would be 2", OP_EIP, "public");
    lab_do(lab, "{'op':'add','type':'eip','tenant':'acme','values':{'pool':'public'}}");
    lab_refuse(lab, ERROR_QUOTA, "quota of 0 for type 'natgw' is used up", OP_NATGW, "n", "web");
    lab_do(lab, OP_IGW, "a");
    lab_refuse(lab, ERROR_QUOTA, "quota of 1 for type 'igw' is used up", OP_IGW, "b");
    lab_refuse(lab, ERROR_INVALID, "'pool' is no type of object that a tenant has",
               "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'pool':1}}}");
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_pool_has_a_gateway_and_a_range_unless_given),
        TEST(bad_pools_are_refused),
        TEST(a_pool_in_use_stays),
        TEST(an_elastic_ip_is_the_lowest_free_one_and_called_by_its_address),
        TEST(the_gateway_in_the_middle_of_a_range_is_passed_over),
        TEST(a_narrower_range_hands_out_less_and_takes_nothing_back),
        TEST(an_address_that_is_not_free_is_refused_by_its_holders_kind),
        TEST(an_elastic_ip_is_attached_moved_and_detached),
        TEST(move_is_of_its_operation),
        TEST(a_holder_has_one_elastic_ip_and_stays_while_it_has),
        TEST(what_cannot_hold_an_elastic_ip_is_refused),
        TEST(a_vpc_has_one_internet_gateway_which_its_routes_keep),
        TEST(a_vpc_without_a_name_has_a_gateway_too),
        TEST(a_nat_gateway_has_ports_and_routes_of_its_vpc),
        TEST(a_tenant_takes_from_a_pool_and_only_an_admin_makes_one),
        TEST(quotas_count_addresses_and_gateways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
