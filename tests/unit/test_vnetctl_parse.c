/* vnetctl's grammar: words become calls, calls become operations of a transaction. */
#include "tools/vnetctl/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vnetctl/batch.h"

/* Splits a line as a batch does and parses what comes before the first "--". */
static bool
parse(const char *line, struct call *call, struct arena *arena, struct error *err)
{
    struct batch_line words;
    assert_true(batch_split(line, &words, arena, err));
    return call_parse(call, words.words, words_to_separator(words.words, words.n), 0, arena, err);
}

static void
assert_op(const char *line, const char *expected)
{
    struct arena *arena = arena_new();
    struct call call;
    struct error err;
    if (!parse(line, &call, arena, &err))
        fail_msg("%s: %s", line, err.text);
    json_t *op = call.command->change(&call, &err);
    assert_non_null(op);
    char *text = json_dumps(op, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
    free(text);
    json_decref(op);
    arena_free(arena);
}

static void
assert_refused(const char *line, const char *why)
{
    struct arena *arena = arena_new();
    struct call call;
    struct error err;
    assert_false(parse(line, &call, arena, &err));
    if (!strstr(err.text, why))
        fail_msg("'%s' is refused with '%s', not with '%s'", line, err.text, why);
    arena_free(arena);
}

static void
positional_arguments_become_columns(void **unused)
{
    assert_op("vpc-add blue 10.0.0.0/16", "{\"name\":\"blue\",\"op\":\"add\",\"type\":\"vpc\",\"values\":{\"cidr\":\"10.0.0.0/16\"}}");
    assert_op("port-add web web1 ip=10.0.1.5 sg=none",
              "{\"name\":\"web1\",\"op\":\"add\",\"type\":\"port\",\"values\":{\"ip\":\"10.0.1.5\",\"sg\":\"none\",\"subnet\":\"web\"}}");
    assert_op("tenant-add acme", "{\"name\":\"acme\",\"op\":\"add\",\"type\":\"tenant\"}");
}

static void
a_route_is_named_by_its_table_and_prefix(void **unused)
{
    assert_op("route-add main 0.0.0.0/0 port:nat",
              "{\"op\":\"add\",\"type\":\"route\",\"values\":{\"prefix\":\"0.0.0.0/0\",\"rtb\":\"main\",\"target\":\"port:nat\"}}");
    assert_op("route-del main 0.0.0.0/0", "{\"name\":\"main/0.0.0.0/0\",\"op\":\"del\",\"type\":\"route\"}");
}

static void
the_way_out_has_commands_of_its_own(void **unused)
{
    assert_op("pool-add public 203.0.113.0/24 uplink=isp range=203.0.113.10-203.0.113.20 vlan=7",
              "{\"name\":\"public\",\"op\":\"add\",\"type\":\"pool\",\"values\":{\"cidr\":\"203.0.113.0/24\","
              "\"range\":\"203.0.113.10-203.0.113.20\",\"uplink\":\"isp\",\"vlan\":\"7\"}}");
    assert_op("igw-add blue", "{\"op\":\"add\",\"type\":\"igw\",\"values\":{\"vpc\":\"blue\"}}");
    assert_op("--if-exists igw-del blue", "{\"if_exists\":true,\"name\":\"blue\",\"op\":\"del\",\"type\":\"igw\"}");
    assert_op("eip-add public", "{\"op\":\"add\",\"type\":\"eip\",\"values\":{\"pool\":\"public\"}}");
    assert_op("--may-exist eip-add public 203.0.113.5 tags:a=b",
              "{\"may_exist\":true,\"op\":\"add\",\"type\":\"eip\",\"values\":{\"ip\":\"203.0.113.5\",\"pool\":\"public\","
              "\"tags\":{\"a\":\"b\"}}}");
    assert_op("eip-del 203.0.113.5", "{\"name\":\"203.0.113.5\",\"op\":\"del\",\"type\":\"eip\"}");
    assert_op("natgw-add web nat ports=2000-2007",
              "{\"name\":\"nat\",\"op\":\"add\",\"type\":\"natgw\",\"values\":{\"ports\":\"2000-2007\",\"subnet\":\"web\"}}");
    assert_op("route-add main 0.0.0.0/0 igw",
              "{\"op\":\"add\",\"type\":\"route\",\"values\":{\"prefix\":\"0.0.0.0/0\",\"rtb\":\"main\",\"target\":\"igw\"}}");
    assert_refused("eip-add", "POOL is missing; usage: [--may-exist] eip-add POOL [IP]");
    assert_refused("eip-attach 203.0.113.5", "PORT|lb:LB|natgw:NATGW is missing; usage: [--move] eip-attach IP PORT|lb:LB|natgw:NATGW");
}

static void
an_elastic_ip_is_attached_to_a_port_unless_it_says_otherwise(void **unused)
{
    assert_op("eip-attach 203.0.113.5 web1",
              "{\"name\":\"203.0.113.5\",\"op\":\"set\",\"type\":\"eip\",\"values\":{\"attached\":\"port:web1\"}}");
    assert_op("eip-attach 203.0.113.5 port:web1",
              "{\"name\":\"203.0.113.5\",\"op\":\"set\",\"type\":\"eip\",\"values\":{\"attached\":\"port:web1\"}}");
    assert_op("--move eip-attach 203.0.113.5 natgw:nat",
              "{\"move\":true,\"name\":\"203.0.113.5\",\"op\":\"set\",\"type\":\"eip\",\"values\":{\"attached\":\"natgw:nat\"}}");
    assert_op("eip-attach 203.0.113.5 lb:web",
              "{\"name\":\"203.0.113.5\",\"op\":\"set\",\"type\":\"eip\",\"values\":{\"attached\":\"lb:web\"}}");
    assert_op("eip-detach 203.0.113.5", "{\"name\":\"203.0.113.5\",\"op\":\"set\",\"type\":\"eip\",\"values\":{\"attached\":null}}");
    assert_refused("--move eip-detach 203.0.113.5", "eip-detach: does not take --move");
    assert_refused("eip-attach 203.0.113.5 --move web1", "options come before the command");

    struct arena *arena = arena_new();
    struct call call;
    struct error err;
    assert_true(parse("eip-attach 203.0.113.5 igw:web", &call, arena, &err));
    assert_null(call.command->change(&call, &err));
    assert_string_equal(err.text, "eip-attach: 'igw:web' is nothing that has an elastic IP; write PORT, lb:LB or natgw:NATGW");
    arena_free(arena);
}

static void
groups_and_rules_have_commands(void **unused)
{
    assert_op("sg-add blue web", "{\"name\":\"web\",\"op\":\"add\",\"type\":\"sg\",\"values\":{\"vpc\":\"blue\"}}");
    assert_op("--if-exists sg-del web", "{\"if_exists\":true,\"name\":\"web\",\"op\":\"del\",\"type\":\"sg\"}");
    assert_op("sg-rule-add web ingress tcp 80 0.0.0.0/0",
              "{\"op\":\"add\",\"type\":\"sg-rule\",\"values\":{\"direction\":\"ingress\",\"peer\":\"0.0.0.0/0\","
              "\"ports\":\"80\",\"proto\":\"tcp\",\"sg\":\"web\"}}");
    assert_op("--may-exist sg-rule-add web egress all - sg:db tags:why=dns",
              "{\"may_exist\":true,\"op\":\"add\",\"type\":\"sg-rule\",\"values\":{\"direction\":\"egress\",\"peer\":\"sg:db\","
              "\"ports\":\"-\",\"proto\":\"all\",\"sg\":\"web\",\"tags\":{\"why\":\"dns\"}}}");
    assert_op("sg-rule-del 6ba7b810-9dad-41d1-80b4-00c04fd430c8",
              "{\"name\":\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\",\"op\":\"del\",\"type\":\"sg-rule\"}");
    assert_refused("sg-rule-add web ingress tcp 80",
                   "PEER is missing; usage: [--may-exist] sg-rule-add SG ingress|egress PROTO PORTS PEER");
    assert_refused("sg-rule-add web ingress tcp 80 0.0.0.0/0 more", "'more' is one argument too many");
    assert_refused("sg-rule-list", "SG is missing; usage: [--unused|--shadowed] sg-rule-list SG");
    assert_refused("--unused --shadowed sg-rule-list web", "sg-rule-list: takes one option at a time");
    assert_refused("--unused sg-list", "sg-list: does not take --unused");

    struct arena *arena = arena_new();
    struct call call;
    struct error err;
    assert_true(parse("--shadowed sg-rule-list web", &call, arena, &err));
    assert_int_equal(call.options, OPTION_SHADOWED);
    arena_free(arena);
}

static void
balancers_have_commands(void **unused)
{
    assert_op("tg-add blue pages tcp 80 check_port=81 interval=0.5",
              "{\"name\":\"pages\",\"op\":\"add\",\"type\":\"tg\",\"values\":{\"check_port\":\"81\",\"interval\":\"0.5\","
              "\"port\":\"80\",\"proto\":\"tcp\",\"vpc\":\"blue\"}}");
    assert_op("target-add pages web1", "{\"op\":\"add\",\"type\":\"target\",\"values\":{\"port\":\"web1\",\"tg\":\"pages\"}}");
    assert_op("--may-exist target-add pages web1 port=8080 weight=3",
              "{\"may_exist\":true,\"op\":\"add\",\"type\":\"target\",\"values\":{\"port\":\"web1\","
              "\"target_port\":\"8080\",\"tg\":\"pages\",\"weight\":\"3\"}}");
    assert_op("target-del pages web1", "{\"name\":\"pages/web1\",\"op\":\"del\",\"type\":\"target\"}");
    assert_op("set target pages/web1 weight=3",
              "{\"name\":\"pages/web1\",\"op\":\"set\",\"type\":\"target\",\"values\":{\"weight\":\"3\"}}");
    assert_op("lb-add web front ip=10.0.1.9 affinity=source",
              "{\"name\":\"front\",\"op\":\"add\",\"type\":\"lb\",\"values\":{\"affinity\":\"source\",\"ip\":\"10.0.1.9\","
              "\"subnet\":\"web\"}}");
    assert_op("listener-add front tcp:443 pages",
              "{\"op\":\"add\",\"type\":\"listener\",\"values\":{\"lb\":\"front\",\"port\":\"443\",\"proto\":\"tcp\","
              "\"tg\":\"pages\"}}");
    assert_op("listener-del front tcp:443", "{\"name\":\"front/tcp:443\",\"op\":\"del\",\"type\":\"listener\"}");

    static const char *const wrong[][2] = {
        { "listener-add front 443 pages", "listener-add: '443' is no PROTO:PORT; write e.g. tcp:80" },
        { "listener-add front tcp: pages", "listener-add: 'tcp:' is no PROTO:PORT; write e.g. tcp:80" },
        { "target-add pages web1 port=1 target_port=2", "target-add: port and target_port are the same; give one" },
    };
    for (size_t i = 0; i < 3; i++) {
        struct arena *arena = arena_new();
        struct call call;
        struct error err;
        assert_true(parse(wrong[i][0], &call, arena, &err));
        assert_null(call.command->change(&call, &err));
        assert_string_equal(err.text, wrong[i][1]);
        arena_free(arena);
    }
}

static void
command_options_come_before_the_command(void **unused)
{
    assert_op("--may-exist vpc-add v 10.0.0.0/8",
              "{\"may_exist\":true,\"name\":\"v\",\"op\":\"add\",\"type\":\"vpc\",\"values\":{\"cidr\":\"10.0.0.0/8\"}}");
    assert_op("--if-exists port-del p", "{\"if_exists\":true,\"name\":\"p\",\"op\":\"del\",\"type\":\"port\"}");
    assert_refused("port-del --if-exists p", "options come before the command");
    assert_refused("vpc-list -f json", "options come before the command");
    assert_refused("--if-exists vpc-add v 10.0.0.0/8", "does not take --if-exists");
    assert_refused("--wait=hosts vpc-list", "belongs before the first command");
    assert_refused("--no-such vpc-list", "unknown command option '--no-such'");
}

static void
tags_are_merged_and_an_empty_value_removes(void **unused)
{
    assert_op(
        "set port web1 tags:env=prod tags:old= source_dest_check=false",
        "{\"name\":\"web1\",\"op\":\"set\",\"type\":\"port\",\"values\":{\"source_dest_check\":\"false\",\"tags\":{\"env\":\"prod\",\"old\":null}}}");
    assert_op("set subnet web dns=", "{\"name\":\"web\",\"op\":\"set\",\"type\":\"subnet\",\"values\":{\"dns\":null}}");
}

static void
a_value_may_hold_equals_signs_and_colons(void **unused)
{
    assert_op("set port p tags:a:b=c=d:e", "{\"name\":\"p\",\"op\":\"set\",\"type\":\"port\",\"values\":{\"tags\":{\"a:b\":\"c=d:e\"}}}");
    assert_op("port-add web p mac=02:00:00:00:00:01",
              "{\"name\":\"p\",\"op\":\"add\",\"type\":\"port\",\"values\":{\"mac\":\"02:00:00:00:00:01\",\"subnet\":\"web\"}}");
}

static void
quotas_are_numbers_or_none(void **unused)
{
    assert_op("quota-set acme port=10 vpc=none sg-rule=-",
              "{\"name\":\"acme\",\"op\":\"set\",\"type\":\"tenant\",\"values\":{\"quotas\":{\"port\":10,\"sg-rule\":null,\"vpc\":null}}}");
    static const char *const wrong[] = { "ten", "1x", "-1", "4294967296", "99999999999999999999", "" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct arena *arena = arena_new();
        struct call call;
        struct error err;
        assert_true(parse(arena_printf(arena, "quota-set acme port=%s", wrong[i]), &call, arena, &err));
        assert_null(call.command->change(&call, &err));
        assert_non_null(strstr(err.text, "give a number"));
        arena_free(arena);
    }
}

static void
what_is_missing_or_too_much_is_told_with_the_usage(void **unused)
{
    assert_refused("subnet-add blue web", "CIDR is missing; usage: [--may-exist] subnet-add VPC SUBNET CIDR [dns=IP,IP]");
    assert_refused("vpc-del a b", "'b' is one argument too many; usage: [--if-exists] vpc-del VPC");
    assert_refused("set port web1", "a value to give is missing");
    assert_refused("vpc-del a b=c", "takes no COLUMN=VALUE");
    assert_refused("port-add web ''", "PORT is empty");
    assert_refused("port-add web p ip=1 ip=2", "'ip' is given twice");
    assert_refused("port-add web p subnet=other", "'subnet' is given twice");
    assert_refused("set port p tags:a=1 tags:a=2", "'tags' is given twice");
    assert_refused("set port p name=q", "a name cannot be changed");
    assert_refused("trace web1", "PACKET is missing");
    assert_refused("", "a command is missing");
}

static void
arguments_that_repeat_or_may_be_missing_are_taken(void **unused)
{
    struct arena *arena = arena_new();
    struct call call;
    struct error err;
    assert_true(parse("list port a b c", &call, arena, &err));
    assert_string_equal(call_type(&call), "port");
    assert_int_equal(call.n_arguments, 4);
    assert_string_equal(call.arguments[3], "c");
    assert_true(parse("subnet-list", &call, arena, &err));
    assert_null(call_argument(&call, "vpc"));
    assert_true(parse("subnet-list blue", &call, arena, &err));
    assert_string_equal(call_argument(&call, "vpc"), "blue");
    assert_true(parse("find port sg=a sg=b", &call, arena, &err));
    assert_int_equal(call.n_values, 2);
    arena_free(arena);
}

static void
commands_are_separated_by_two_dashes(void **unused)
{
    char *words[] = { "vpc-list", "--", "--if-exists", "vpc-del", "v" };
    assert_int_equal(words_to_separator(words, 5), 1);
    assert_int_equal(words_to_separator(words + 2, 3), 3);
    assert_int_equal(words_to_separator(words, 0), 0);
}

static void
an_unknown_command_is_answered_with_near_ones(void **unused)
{
    assert_refused("port-ad web p", "near it: 'port-add'");
    assert_refused("add-port web p", "near it: 'port-add'");
    assert_refused("prot-add web p", "near it: 'port-add'");
    assert_refused("verfy", "near it: 'verify'");
    assert_refused("pki hots h", "unknown command 'pki hots'; near it: 'pki host'");
    assert_refused("frobnicate", "'vnetctl --help' lists them");
    assert_refused("a-word-that-is-far-longer-than-any-command-there-is", "unknown command");
}

static void
text_that_is_not_utf8_is_refused(void **unused)
{
    assert_refused("set port p tags:a=\xff", "is not UTF-8");
    assert_refused("vpc-del \xc3", "is not UTF-8");
}

static void
each_command_has_help_and_one_thing_to_do(void **unused)
{
    const struct command_group *group;
    for (size_t i = 0; (group = command_group(i)); i++)
        for (const struct command *c = group->commands; c->name; c++) {
            assert_non_null(c->help);
            assert_int_equal(!!c->change + !!c->read + !!c->local, 1);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positional_arguments_become_columns),
        cmocka_unit_test(a_route_is_named_by_its_table_and_prefix),
        cmocka_unit_test(the_way_out_has_commands_of_its_own),
        cmocka_unit_test(an_elastic_ip_is_attached_to_a_port_unless_it_says_otherwise),
        cmocka_unit_test(groups_and_rules_have_commands),
        cmocka_unit_test(balancers_have_commands),
        cmocka_unit_test(command_options_come_before_the_command),
        cmocka_unit_test(tags_are_merged_and_an_empty_value_removes),
        cmocka_unit_test(a_value_may_hold_equals_signs_and_colons),
        cmocka_unit_test(quotas_are_numbers_or_none),
        cmocka_unit_test(what_is_missing_or_too_much_is_told_with_the_usage),
        cmocka_unit_test(arguments_that_repeat_or_may_be_missing_are_taken),
        cmocka_unit_test(commands_are_separated_by_two_dashes),
        cmocka_unit_test(an_unknown_command_is_answered_with_near_ones),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(each_command_has_help_and_one_thing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
