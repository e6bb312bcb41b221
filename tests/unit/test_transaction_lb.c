/* vnet/model: load balancers, listeners, target groups and targets: what is accepted, what is refused and in which words. */
#include "tests/unit/model_lab.h"

#include "vnet/model/services.h"

#define OP_LB "{'op':'add','type':'lb','name':'%s','values':{'subnet':'%s'}}"
#define OP_LB_IP "{'op':'add','type':'lb','name':'%s','values':{'subnet':'%s','ip':'%s'}}"
#define OP_LISTENER "{'op':'add','type':'listener','values':{'lb':'%s','proto':'%s','port':'%s','tg':'%s'}}"
#define OP_TG "{'op':'add','type':'tg','name':'%s','values':{'vpc':'%s','proto':'%s','port':'%s'%s}}"
#define OP_TARGET "{'op':'add','type':'target','values':{'tg':'%s','port':'%s'%s}}"
#define OP_SET "{'op':'set','type':'%s','name':'%s','values':{%s}}"

/* VPCs a and b; in a the subnet web with web1 (.3) and web2 (.4), the balancer front (.5), the groups pages (tcp) and names (udp); in b
 * the subnet far with far1, and the group far. */
static int
setup(void **state)
{
    struct lab *lab = lab_setup(state);
    lab_do(lab, OP_VPC, "a", "10.0.0.0/16");
    lab_do(lab, OP_VPC, "b", "10.0.0.0/16");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.1.0/24");
    lab_do(lab, OP_SUBNET, "far", "b", "10.0.1.0/24");
    lab_do(lab, OP_PORT, "web1", "web");
    lab_do(lab, OP_PORT, "web2", "web");
    lab_do(lab, OP_PORT, "far1", "far");
    lab_do(lab, OP_LB, "front", "web");
    lab_do(lab, OP_TG, "pages", "a", "tcp", "80", "");
    lab_do(lab, OP_TG, "names", "a", "udp", "53", "");
    lab_do(lab, OP_TG, "far", "b", "tcp", "80", "");
    return lab_ready(lab);
}

/* ---- balancers ---- */
static void
a_balancer_takes_an_address_of_its_subnet(void **state)
{
    struct lab *lab = *state;
    const struct object *o = lab_find(lab, OBJECT_LB, "front");
    const struct lb *lb = model_lb(lab->m, o->number);
    assert_string_equal(lab_column(lab, OBJECT_LB, "front", "ip"), "10.0.1.5");
    assert_string_equal(lab_column(lab, OBJECT_LB, "front", "affinity"), "none");
    assert_int_equal(lb->vpc, lab_port(lab, "web1")->vpc);
    assert_int_equal(model_lb_by_ip(lab->m, lb->subnet, lb->ip), o->number);
    assert_int_equal(model_port_by_ip(lab->m, lb->subnet, lb->ip), 0);
    lab_refuse(lab, ERROR_CONFLICT, "port 'x': ip '10.0.1.5' is taken by lb 'front'; write a free one, or leave it out", OP_PORT_IP, "x",
               "web", "10.0.1.5");
    lab_refuse(lab, ERROR_CONFLICT, "lb 'x': ip '10.0.1.3' is taken by port 'web1'", OP_LB_IP, "x", "web", "10.0.1.3");
    lab_refuse(lab, ERROR_INVALID, "lb 'x': ip '10.0.1.1' is the gateway's in subnet 'web'", OP_LB_IP, "x", "web", "10.0.1.1");
    lab_refuse(lab, ERROR_INVALID, "ip '10.0.2.9' is not in subnet 'web'", OP_LB_IP, "x", "web", "10.0.2.9");
    lab_refuse(lab, ERROR_INVALID, "ip 'fd00::1' is not in subnet 'web'", OP_LB_IP, "x", "web", "fd00::1");
    lab_refuse(lab, ERROR_INVALID, "lb 'front': ip cannot be changed", OP_SET, "lb", "front", "'ip':'10.0.1.9'");
    lab_refuse(lab, ERROR_INVALID, "lb 'front': affinity 'client' is unknown; write none or source", OP_SET, "lb", "front",
               "'affinity':'client'");
    lab_do(lab, OP_SET, "lb", "front", "'affinity':'source'");
    assert_string_equal(lab_column(lab, OBJECT_LB, "front", "affinity"), "source");
    lab_do(lab, OP_SET, "lb", "front", "'affinity':null");
    assert_string_equal(lab_column(lab, OBJECT_LB, "front", "affinity"), "none");
    lab_refuse(lab, ERROR_CONFLICT, "subnet 'web': port 'web1', port 'web2', lb 'front' still refer to it", OP_DEL, "subnet", "web");
    lab_do(lab, OP_DEL, "lb", "front");
    lab_do(lab, OP_PORT_IP, "x", "web", "10.0.1.5");
}

static void
an_elastic_ip_stands_before_a_balancer(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/28','uplink':'public'}}");
    lab_do(lab, "{'op':'add','type':'eip','values':{'pool':'public','attached':'lb:front'}}");
    lab_do(lab, "{'op':'add','type':'eip','values':{'pool':'public'}}");
    assert_string_equal(lab_column(lab, OBJECT_EIP, "203.0.113.2", "attached"), "lb:front");
    assert_int_equal(model_eip_of(lab->m, lab_find(lab, OBJECT_LB, "front")->number), lab_find(lab, OBJECT_EIP, "203.0.113.2")->number);
    lab_refuse(lab, ERROR_CONFLICT, "lb 'front' has eip '203.0.113.2' already; detach that first", OP_SET, "eip", "203.0.113.3",
               "'attached':'lb:front'");
    lab_refuse(lab, ERROR_CONFLICT, "eip '203.0.113.2': it is attached to lb 'front'; detach it first", OP_SET, "eip", "203.0.113.2",
               "'attached':'port:web1'");
    lab_refuse(lab, ERROR_CONFLICT, "lb 'front': eip '203.0.113.2' still refers to it", OP_DEL, "lb", "front");
    lab_refuse(lab, ERROR_INVALID, "target 'lb:front' is no known target; write port:NAME, igw, natgw:NAME or blackhole", OP_ROUTE, "a",
               "0.0.0.0/0", "lb:front");
}

/* ---- target groups ---- */
static void
a_target_group_has_defaults(void **state)
{
    struct lab *lab = *state;
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "check"), "tcp");
    assert_string_equal(lab_column(lab, OBJECT_TG, "names", "check"), "icmp");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "check_port"), "null");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "interval"), "10");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "timeout"), "5");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "rise"), "2");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "fall"), "3");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "drain"), "30");
    lab_do(lab, OP_SET, "tg", "pages", "'interval':0.1,'timeout':null,'rise':1,'drain':'0','check_port':'8080','check':'none'");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "interval"), "0.1");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "timeout"), "0.05");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "drain"), "0");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "check_port"), "8080");
    assert_string_equal(lab_column(lab, OBJECT_TG, "pages", "check"), "none");
    lab_do(lab, OP_SET, "tg", "pages", "'interval':'2.125','timeout':1.5,'check':null,'drain':null");
    const struct tg *tg = model_tg(lab->m, lab_find(lab, OBJECT_TG, "pages")->number);
    assert_int_equal(tg->interval_ms, 2125);
    assert_int_equal(tg->timeout_ms, 1500);
    assert_int_equal(tg->check, TG_CHECK_TCP);
    assert_int_equal(tg->drain_ms, 30000);
    json_t *json = object_json(lab->m, &tg->o, NULL);
    assert_true(filter_matches(&(struct filter){ "interval", "2.125" }, json));
    assert_false(filter_matches(&(struct filter){ "interval", "2" }, json));
    json_decref(json);
}

static void
bad_target_groups_are_refused(void **state)
{
    static const struct {
        const char *proto, *port, *more, *text;
    } rows[] = {
        { "icmp", "80", "", "tg 'x': proto 'icmp' cannot be balanced; write tcp or udp" },
        { "6", "80", "", "proto '6' cannot be balanced" },
        { "tcp", "0", "", "port '0' is no port; write a number from 1 to 65535" },
        { "tcp", "65536", "", "port '65536' is no port" },
        { "tcp", "80-81", "", "port '80-81' is no port" },
        { "tcp", "80", ",'check':'http'", "check 'http' is unknown; write tcp, icmp or none" },
        { "tcp", "80", ",'check_port':0", "check_port '0' is no port" },
        { "tcp", "80", ",'interval':'0.0999'", "interval '0.0999' is no time of 0.1 to 300 seconds with at most 3 decimals" },
        { "tcp", "80", ",'interval':'1e1'", "interval '1e1' is no time" },
        { "tcp", "80", ",'interval':'-1'", "interval '-1' is no time" },
        { "tcp", "80", ",'interval':301", "interval '301' is no time" },
        { "tcp", "80", ",'interval':0.00001", "is no time" },
        { "tcp", "80", ",'interval':1.00051", "is no time" },
        { "tcp", "80", ",'interval':true", "interval 'true' is no time" },
        { "tcp", "80", ",'timeout':'10.001'", "timeout '10.001' is longer than the interval of 10; write at most 10" },
        { "tcp", "80", ",'interval':4,'timeout':5", "timeout '5' is longer than the interval of 4; write at most 4" },
        { "tcp", "80", ",'rise':0", "rise '0' is no whole number from 1 to 10" },
        { "tcp", "80", ",'fall':11", "fall '11' is no whole number from 1 to 10" },
        { "tcp", "80", ",'drain':3601", "drain '3601' is no time of 0 to 3600 seconds" },
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse(lab, ERROR_INVALID, rows[i].text, OP_TG, "x", "a", rows[i].proto, rows[i].port, rows[i].more);
    lab_refuse(lab, ERROR_INVALID, "tg 'pages': proto cannot be changed", OP_SET, "tg", "pages", "'proto':'udp'");
    lab_refuse(lab, ERROR_INVALID, "timeout '5' is longer than the interval of 4", OP_SET, "tg", "pages", "'interval':4");
}

/* ---- listeners ---- */
static void
a_listener_is_called_by_its_balancer_and_port(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_LISTENER, "front", "tcp", "80", "pages");
    lab_do(lab, OP_LISTENER, "front", "udp", "80", "names");
    assert_string_equal(lab_column(lab, OBJECT_LISTENER, "front/tcp:80", "name"), "front/tcp:80");
    assert_string_equal(lab_column(lab, OBJECT_LISTENER, "front/udp:80", "tg"), "names");
    assert_string_equal(lab_column(lab, OBJECT_LISTENER, "front/udp:80", "port"), "80");
    assert_string_equal(lab_column(lab, OBJECT_LISTENER, "front/udp:80", "fail_open"), "null");
    const struct object *o = lab_find(lab, OBJECT_LISTENER, "front/tcp:80");
    assert_int_equal(model_listener(lab->m, o->number)->vpc, lab_port(lab, "web1")->vpc);
    static const char *const wrong[] = { "front",         "front/",       "front/tcp",     "front/tcp:",
                                         "front/tcp:080", "front/tcp:81", "front/icmp:80", "front/tcp:800000",
                                         "nope/tcp:80",   "front/all:80", "front/tcp:80x" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_null(lab_find(lab, OBJECT_LISTENER, wrong[i]));

    lab_refuse(lab, ERROR_CONFLICT, "listener 'front/tcp:80': it exists already", OP_LISTENER, "front", "tcp", "80", "pages");
    lab_refuse(lab, ERROR_INVALID, "listener 'front/tcp:81': tg: tg 'names' is for udp, not tcp; name a group for tcp", OP_LISTENER,
               "front", "tcp", "81", "names");
    lab_refuse(lab, ERROR_INVALID, "tg: tg 'far' is of vpc 'b'; name a group of vpc 'a'", OP_LISTENER, "front", "tcp", "81", "far");
    lab_refuse(lab, ERROR_UNKNOWN, "lb 'nope' does not exist", OP_LISTENER, "nope", "tcp", "81", "pages");
    lab_refuse(lab, ERROR_INVALID, "proto 'icmp' cannot be balanced", OP_LISTENER, "front", "icmp", "81", "pages");
    lab_refuse(lab, ERROR_INVALID, "port '0' is no port", OP_LISTENER, "front", "tcp", "0", "pages");
    lab_refuse(lab, ERROR_CONFLICT, "tg 'pages': listener 'front/tcp:80' still refers to it", OP_DEL, "tg", "pages");

    lab_do(lab, OP_TG, "new-pages", "a", "tcp", "8080", "");
    lab_do(lab, OP_SET, "listener", "front/tcp:80", "'tg':'new-pages'");
    lab_refuse(lab, ERROR_INVALID, "tg: tg 'names' is for udp", OP_SET, "listener", "front/tcp:80", "'tg':'names'");
    lab_do(lab, OP_DEL, "tg", "pages");
    lab_do(lab, OP_DEL, "listener", "front/tcp:80");
    lab_do(lab, OP_DEL, "lb", "front"); /* the other goes with it */
    assert_int_equal(model_count(lab->m, OBJECT_LISTENER), 0);
}

/* ---- targets ---- */
static void
a_target_is_called_by_its_group_and_port(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_TARGET, "pages", "web1", "");
    lab_do(lab, OP_TARGET, "pages", "web2", ",'target_port':8080,'weight':3");
    lab_do(lab, OP_TARGET, "names", "web1", ",'weight':'0'");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "name"), "pages/web1");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "target_port"), "null");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "weight"), "1");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web2", "target_port"), "8080");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web2", "port"), "web2");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web2", "health"), "null");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "names/web1", "weight"), "0");
    assert_null(lab_find(lab, OBJECT_TARGET, "names/web2"));
    assert_null(lab_find(lab, OBJECT_TARGET, "names"));
    assert_null(lab_find(lab, OBJECT_TARGET, "nope/web1"));
    lab_do(lab, OP_SET, "target", "pages/web1", "'weight':100");
    lab_do(lab, OP_SET, "target", "pages/web1", "'weight':null");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "weight"), "1");

    lab_refuse(lab, ERROR_CONFLICT, "target 'pages/web1': it exists already", OP_TARGET, "pages", "web1", ",'target_port':9");
    lab_refuse(lab, ERROR_INVALID, "target 'pages/far1': port: port 'far1' is in vpc 'b'; name a port in vpc 'a'", OP_TARGET, "pages",
               "far1", "");
    lab_refuse(lab, ERROR_INVALID, "weight '101' is no whole number from 0 to 100", OP_SET, "target", "pages/web1", "'weight':101");
    lab_refuse(lab, ERROR_INVALID, "target_port cannot be changed", OP_SET, "target", "pages/web1", "'target_port':9");
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1': target 'pages/web1', target 'names/web1' still refer to it", OP_DEL, "port", "web1");
    lab_do(lab, "{'op':'add','type':'target','may_exist':true,'values':{'tg':'pages','port':'web2','weight':3}}");
    lab_refuse(lab, ERROR_CONFLICT, "target 'pages/web2': it exists with weight '3', not '4'",
               "{'op':'add','type':'target','may_exist':true,'values':{'tg':'pages','port':'web2','weight':4}}");
    lab_do(lab, OP_SET, "tg", "names", "'drain':0");
    lab_do(lab, OP_DEL, "target", "names/web1");
    lab_do(lab, OP_DEL, "tg", "pages");
    assert_int_equal(model_count(lab->m, OBJECT_TARGET), 0);
    lab_do(lab, OP_DEL, "port", "web1");
}

/* ---- draining ---- */
static int64_t
drain_until_ms(const struct lab *lab, const char *name)
{
    const struct object *o = lab_find(lab, OBJECT_TARGET, name);
    assert_non_null(o);
    return model_target(lab->m, o->number)->drain_until_ms;
}

static void
a_deleted_target_drains_until_its_time_or_a_second_delete(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_SET, "tg", "pages", "'drain':2.5");
    lab_do(lab, OP_TARGET, "pages", "web1", ",'weight':7");
    uint32_t number = lab_find(lab, OBJECT_TARGET, "pages/web1")->number;
    assert_int_equal(drain_until_ms(lab, "pages/web1"), 0);
    lab_do(lab, OP_DEL, "target", "pages/web1");
    assert_int_equal(drain_until_ms(lab, "pages/web1"), LAB_NOW_MS + 2500);
    assert_int_equal(lab_find(lab, OBJECT_TARGET, "pages/web1")->number, number);
    lab_refuse(lab, ERROR_CONFLICT, "target 'pages/web1': it has been removed and is draining; add it again to change it", OP_SET, "target",
               "pages/web1", "'weight':3");
    lab_refuse(lab, ERROR_INVALID, "column 'drain_until' is unknown", OP_TARGET, "pages", "web2", ",'drain_until':5");
    lab_do(lab, OP_DEL, "target", "pages/web1");
    assert_null(lab_find(lab, OBJECT_TARGET, "pages/web1"));

    lab_do(lab, OP_SET, "tg", "pages", "'drain':0");
    lab_do(lab, OP_TARGET, "pages", "web1", "");
    lab_do(lab, OP_DEL, "target", "pages/web1");
    assert_null(lab_find(lab, OBJECT_TARGET, "pages/web1"));

    lab_do(lab, OP_SET, "tg", "pages", "'drain':5");
    lab_begin(lab);
    lab_do(lab, OP_TARGET, "pages", "web1", "");
    lab_do(lab, OP_DEL, "target", "pages/web1");
    lab_commit(lab);
    assert_null(lab_find(lab, OBJECT_TARGET, "pages/web1"));
}

static void
a_draining_target_is_added_again(void **state)
{
    struct lab *lab = *state;
    char id[UUID_STRLEN];
    lab_do(lab, OP_TARGET, "pages", "web1", ",'weight':7");
    uint32_t number = lab_find(lab, OBJECT_TARGET, "pages/web1")->number;
    lab_do(lab, OP_DEL, "target", "pages/web1");
    lab_refuse(lab, ERROR_CONFLICT, "target 'pages/web1': it is draining under the id '",
               "{'op':'add','type':'target','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c8','values':{'tg':'pages','port':'web1'}}");
    lab_refuse(lab, ERROR_INVALID, "weight '101'", OP_TARGET, "pages", "web1", ",'weight':101");
    lab_do(lab, OP_TARGET, "pages", "web1", ",'weight':9,'target_port':81");
    assert_int_equal(lab_find(lab, OBJECT_TARGET, "pages/web1")->number, number);
    assert_int_equal(drain_until_ms(lab, "pages/web1"), 0);
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "weight"), "9");
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "target_port"), "81");

    uuid_format(lab_find(lab, OBJECT_TARGET, "pages/web1")->id, id);
    lab_do(lab, OP_DEL, "target", "pages/web1");
    lab_do(lab, "{'op':'add','type':'target','may_exist':true,'id':'%s','values':{'tg':'pages','port':'web1','weight':2}}", id);
    assert_int_equal(drain_until_ms(lab, "pages/web1"), 0);
    assert_string_equal(lab_column(lab, OBJECT_TARGET, "pages/web1", "weight"), "2");
    lab_refuse(lab, ERROR_CONFLICT, "it exists already", OP_TARGET, "pages", "web1", "");
}

static void
a_draining_target_does_not_count_for_the_quota(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'target':1}}}");
    lab_do(lab, OP_TARGET, "pages", "web1", "");
    lab_refuse(lab, ERROR_QUOTA, "quota of 1 for type 'target' is used up: there would be 2", OP_TARGET, "pages", "web2", "");
    lab_do(lab, OP_DEL, "target", "pages/web1");
    lab_do(lab, OP_TARGET, "pages", "web2", "");
    assert_true(drain_until_ms(lab, "pages/web1"));
    lab_refuse(lab, ERROR_QUOTA, "there would be 2", OP_TARGET, "pages", "web1", ""); /* again */
    lab_do(lab, OP_DEL, "target", "pages/web1");
    assert_null(lab_find(lab, OBJECT_TARGET, "pages/web1"));
    lab_refuse(lab, ERROR_QUOTA, "there would be 2", OP_TARGET, "pages", "web1", "");
    lab_do(lab, OP_DEL, "target", "pages/web2");
    lab_do(lab, OP_TARGET, "pages", "web2", "");
}

static void
a_draining_target_holds_nothing_back(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_TARGET, "pages", "web1", ",'weight':100");
    lab_do(lab, OP_TARGET, "names", "web1", "");
    lab_do(lab, OP_TARGET, "pages", "web2", "");
    lab_do(lab, OP_DEL, "target", "pages/web1");
    lab_do(lab, OP_DEL, "target", "pages/web2");
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1': target 'names/web1' still refers to it", OP_DEL, "port", "web1");
    lab_do(lab, OP_DEL, "target", "names/web1");
    lab_do(lab, OP_DEL, "port", "web1");
    assert_null(lab_find(lab, OBJECT_TARGET, "names/web1"));
    assert_int_equal(model_count(lab->m, OBJECT_TARGET), 1);
    lab_do(lab, OP_DEL, "tg", "pages");
    assert_int_equal(model_count(lab->m, OBJECT_TARGET), 0);
}

/* A deletion as vnetd itself does it, 'later_ms' from now. */
static void
sweep(struct lab *lab, int64_t later_ms, const char *name)
{
    struct transaction_origin origin = {
        .principal = lab->who, .now_ms = LAB_NOW_MS + later_ms, .is_sweep = true, .random = lab_random, .random_aux = lab
    };
    lab->t = transaction_begin(lab->m, &origin);
    lab_do(lab, OP_DEL, "target", name);
    lab_commit(lab);
}

static void
only_what_has_drained_is_swept(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_SET, "tg", "pages", "'drain':2");
    lab_do(lab, OP_TARGET, "pages", "web1", "");
    sweep(lab, 9000, "pages/web1");
    assert_int_equal(drain_until_ms(lab, "pages/web1"), 0);
    lab_do(lab, OP_DEL, "target", "pages/web1");
    sweep(lab, 1999, "pages/web1");
    assert_int_equal(drain_until_ms(lab, "pages/web1"), LAB_NOW_MS + 2000);
    sweep(lab, 2000, "pages/web1");
    assert_null(lab_find(lab, OBJECT_TARGET, "pages/web1"));
}

static void
a_groups_targets_share_five_hundred(void **state)
{
    struct lab *lab = *state;
    char name[20];
    lab_do(lab, OP_SUBNET, "many", "a", "10.0.8.0/21");
    lab_begin(lab);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "m%d", i);
        lab_do(lab, OP_PORT, name, "many");
        lab_do(lab, OP_TARGET, "pages", name, i < 5 ? ",'weight':99" : ",'weight':0");
    }
    lab_commit(lab);
    lab_refuse(lab, ERROR_EXHAUSTED, "target 'pages/web1': tg 'pages' has 500 targets, as many as a group may have", OP_TARGET, "pages",
               "web1", "");
    lab_refuse(lab, ERROR_EXHAUSTED,
               "target 'pages/m6': weight '6' is too much: the other targets of tg 'pages' have 495 together, and a "
               "group may have 500; write at most 5",
               OP_SET, "target", "pages/m6", "'weight':6");
    lab_do(lab, OP_SET, "target", "pages/m6", "'weight':5");
    lab_do(lab, OP_SET, "target", "pages/m0", "'weight':1");
    lab_do(lab, OP_DEL, "target", "pages/m1");
    lab_do(lab, OP_TARGET, "pages", "web1", ",'weight':100");
    lab_refuse(lab, ERROR_EXHAUSTED, "tg 'pages' has 500 targets", OP_TARGET, "pages", "m1", "");
}

/* web1 in 'pages' and in 63 groups more, each with a port of its own. */
static void
serve_all_a_port_may(struct lab *lab)
{
    char name[20], port[16];
    lab_begin(lab);
    lab_do(lab, OP_TARGET, "pages", "web1", "");
    for (int i = 1; i < 64; i++) {
        snprintf(name, sizeof name, "g%d", i);
        snprintf(port, sizeof port, "%d", 1000 + i);
        lab_do(lab, OP_TG, name, "a", "tcp", port, "");
        lab_do(lab, OP_TARGET, name, "web1", "");
    }
    lab_commit(lab);
}

static void
a_port_has_so_many_services(void **state)
{
    struct lab *lab = *state;
    serve_all_a_port_may(lab);
    lab_refuse(lab, ERROR_EXHAUSTED,
               "target 'names/web1': port: port 'web1' would have 65 services, one for each place where it listens as a target "
               "and one more for each load balancer that leads there; a port may have 64: remove other targets or listeners of its first",
               OP_TARGET, "names", "web1", "");
    lab_refuse(lab, ERROR_EXHAUSTED, "listener 'front/tcp:80': tg: port 'web1' would have 65 services", OP_LISTENER, "front", "tcp", "80",
               "pages");
    lab_do(lab, OP_TG, "more", "a", "tcp", "80", "");
    lab_do(lab, OP_LISTENER, "front", "tcp", "80", "more");
    lab_refuse(lab, ERROR_EXHAUSTED, "listener 'front/tcp:80': tg: port 'web1' would have 65 services", OP_SET, "listener", "front/tcp:80",
               "'tg':'pages'");
    lab_do(lab, OP_DEL, "listener", "front/tcp:80");
    lab_do(lab, OP_TARGET, "more", "web1", ""); /* where it listens already */
    lab_do(lab, OP_SET, "target", "more/web1", "'weight':3");
}

static void
what_drains_is_no_service_but_has_its_rows(void **state)
{
    struct lab *lab = *state;
    struct services services = { 0 };
    serve_all_a_port_may(lab);
    lab_do(lab, OP_DEL, "target", "g1/web1");
    lab_do(lab, OP_LISTENER, "front", "tcp", "80", "pages");
    lab_refuse(lab, ERROR_EXHAUSTED, "target 'g1/web1': port: port 'web1' would have 65 services", OP_TARGET, "g1", "web1", "");
    services_of_port(lab->m, lab_port(lab, "web1")->o.number, &services);
    assert_int_equal(services.n, 65);
    services_done(&services);
}

/* ---- the store ---- */
static void
what_was_stored_is_loaded_again(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_LISTENER, "front", "tcp", "443", "pages");
    lab_do(lab, OP_TARGET, "pages", "web2", ",'target_port':8080,'weight':3");
    lab_do(lab, OP_TARGET, "names", "web2", "");
    lab_do(lab, OP_DEL, "target", "names/web2");
    lab_do(lab, OP_SET, "tg", "pages", "'interval':0.7,'timeout':0.123,'drain':0");
    lab_do(lab, OP_SET, "lb", "front", "'affinity':'source'");
    lab_do(lab,
           "{'op':'add','type':'sg-rule','values':{'sg':'a','direction':'ingress','proto':'icmp6','ports':'128/0','peer':'fd00::/8'}}");
    struct model *m = model_new();
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        for (const struct object *o = NULL; (o = model_next(lab->m, c->type, o ? o->number : 0));) {
            json_t *document = object_to_store(o);
            assert_true(model_load_object(m, o->number, document, &lab->err));
            json_decref(document);
        }
    if (!model_load_finish(m, &lab->m->sequences, &lab->err))
        fail_msg("%s", lab->err.text);
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        for (const struct object *o = NULL; (o = model_next(lab->m, c->type, o ? o->number : 0));) {
            assert_true(object_equal(o, model_get(m, o->number, c->type)));
            json_t *a = object_json(lab->m, o, NULL), *b = object_json(m, model_get(m, o->number, c->type), NULL);
            assert_true(json_equal(a, b));
            json_decref(a);
            json_decref(b);
        }
    uint32_t number = lab_find(lab, OBJECT_LISTENER, "front/tcp:443")->number;
    assert_int_equal(model_listener(m, number)->vpc, model_listener(lab->m, number)->vpc);
    model_free(m);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_balancer_takes_an_address_of_its_subnet),
        TEST(an_elastic_ip_stands_before_a_balancer),
        TEST(a_target_group_has_defaults),
        TEST(bad_target_groups_are_refused),
        TEST(a_listener_is_called_by_its_balancer_and_port),
        TEST(a_target_is_called_by_its_group_and_port),
        TEST(a_deleted_target_drains_until_its_time_or_a_second_delete),
        TEST(a_draining_target_is_added_again),
        TEST(a_draining_target_does_not_count_for_the_quota),
        TEST(a_draining_target_holds_nothing_back),
        TEST(only_what_has_drained_is_swept),
        TEST(a_groups_targets_share_five_hundred),
        TEST(a_port_has_so_many_services),
        TEST(what_drains_is_no_service_but_has_its_rows),
        TEST(what_was_stored_is_loaded_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
