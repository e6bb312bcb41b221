/* vnet/model: security groups, their rules, and the combinations of groups that ports have. */
#include "tests/unit/model_lab.h"

#define OP_SG "{'op':'add','type':'sg','name':'%s','values':{'vpc':'%s'}}"
#define OP_RULE "{'op':'add','type':'sg-rule','values':{'sg':'%s','direction':'%s','proto':'%s','ports':'%s','peer':'%s'}}"
#define OP_GROUPS "{'op':'set','type':'port','name':'%s','values':{'sg':%s}}"

/* VPCs a and b; in a the subnet web with web1 and web2 and the groups front and back, in b the group far. */
static int
setup(void **state)
{
    struct lab *lab = lab_setup(state);
    lab_do(lab, OP_VPC, "a", "10.0.0.0/16");
    lab_do(lab, OP_VPC, "b", "10.0.0.0/16");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.1.0/24");
    lab_do(lab, OP_SG, "front", "a");
    lab_do(lab, OP_SG, "back", "a");
    lab_do(lab, OP_SG, "far", "b");
    lab_do(lab, OP_PORT, "web1", "web");
    lab_do(lab, OP_PORT, "web2", "web");
    return lab_ready(lab);
}

/* ---- groups and rules ---- */
struct rules {
    const struct lab *lab;
    uint32_t sg;
    char text[1000];
};

static bool
note_rule(void *rules, const struct object *o)
{
    struct rules *r = rules;
    if (((const struct sg_rule *) (const void *) o)->sg != r->sg)
        return true; /* another's, that names the group as its peer */
    json_t *json = object_json(r->lab->m, o, NULL);
    size_t n = strlen(r->text);
    snprintf(r->text + n, sizeof r->text - n, "%s%s %s %s %s", n ? "; " : "", json_member_string(json, "direction"),
             json_member_string(json, "proto"), json_member_string(json, "ports"), json_member_string(json, "peer"));
    json_decref(json);
    return true;
}

static void
assert_rules(const struct lab *lab, const char *sg, const char *expected)
{
    struct rules r = { .lab = lab, .sg = lab_find(lab, OBJECT_SG, sg)->number };
    model_each_referrer(lab->m, r.sg, OBJECT_SG_RULE, note_rule, &r);
    assert_string_equal(r.text, expected);
}

static void
a_vpc_comes_and_goes_with_its_default_group(void **state)
{
    struct lab *lab = *state;
    const struct object *vpc = lab_find(lab, OBJECT_VPC, "b"), *sg = lab_find(lab, OBJECT_SG, "b");
    assert_int_equal(model_default_sg(lab->m, vpc->number), sg->number);
    assert_string_equal(lab_column(lab, OBJECT_SG, "b", "default"), "true");
    assert_string_equal(lab_column(lab, OBJECT_SG, "front", "default"), "false");
    assert_rules(lab, "b", "ingress all - sg:b; egress all - 0.0.0.0/0");
    assert_rules(lab, "front", "egress all - 0.0.0.0/0");
    lab_refuse(lab, ERROR_CONFLICT, "sg 'b': it is the default group of vpc 'b' and goes with it", OP_DEL, "sg", "b");
    lab_refuse(lab, ERROR_CONFLICT, "vpc 'b': sg 'far' still refers to it", OP_DEL, "vpc", "b");
    lab_do(lab, OP_DEL, "sg", "far");
    lab_do(lab, OP_RULE, "b", "ingress", "tcp", "22", "10.0.0.0/8");
    lab_do(lab, OP_DEL, "vpc", "b");
    assert_null(lab_find(lab, OBJECT_SG, "b"));
    assert_int_equal(model_count(lab->m, OBJECT_SG_RULE), 4);
    lab_refuse(lab, ERROR_CONFLICT, "vpc 'front': its default security group, sg 'front': it exists already in tenant 'default'", OP_VPC,
               "front", "10.0.0.0/16");
}

static void
rules_are_shown_as_people_write_them(void **state)
{
    static const struct {
        const char *proto, *ports, *peer, *expected;
    } rows[] = {
        { "tcp", "80", "10.0.0.0/8", "tcp 80 10.0.0.0/8" },
        { "6", "8000-8999", "0.0.0.0/0", "tcp 8000-8999 0.0.0.0/0" },
        { "udp", "0-65535", "10.1.2.3/32", "udp 0-65535 10.1.2.3/32" },
        { "17", "-", "sg:back", "udp - sg:back" },
        { "icmp", "8", "10.0.0.0/8", "icmp 8 10.0.0.0/8" },
        { "icmp", "3/4", "10.0.0.0/8", "icmp 3/4 10.0.0.0/8" },
        { "1", "-", "10.0.0.0/8", "icmp - 10.0.0.0/8" },
        { "58", "128/0", "fd00::/8", "icmp6 128/0 fd00::/8" },
        { "all", "-", "sg:front", "all - sg:front" },
        { "47", "-", "0.0.0.0/0", "47 - 0.0.0.0/0" },
        { "0", "-", "0.0.0.0/0", "0 - 0.0.0.0/0" },
        { "255", "-", "0.0.0.0/0", "255 - 0.0.0.0/0" },
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *result;
        lab_begin(lab);
        assert_true(lab_try(lab, &result, OP_RULE, "front", i % 2 ? "ingress" : "egress", rows[i].proto, rows[i].ports, rows[i].peer));
        const json_t *rule = json_object_get(result, "object");
        char text[200];
        snprintf(text, sizeof text, "%s %s %s", json_member_string(rule, "proto"), json_member_string(rule, "ports"),
                 json_member_string(rule, "peer"));
        assert_string_equal(text, rows[i].expected);
        assert_string_equal(json_member_string(rule, "direction"), i % 2 ? "ingress" : "egress");
        assert_string_equal(json_member_string(result, "name"), json_member_string(result, "id"));
        json_decref(result);
        lab_commit(lab);
    }
}

static void
bad_rules_are_refused(void **state)
{
    static const struct {
        const char *direction, *proto, *ports, *peer, *text;
    } rows[] = {
        { "in", "tcp", "80", "0.0.0.0/0", "direction 'in' is unknown; write egress or ingress" },
        { "ingress", "sctp", "80", "0.0.0.0/0", "proto 'sctp' is no protocol; write tcp, udp, icmp, icmp6, all or a number from 0 to 255" },
        { "ingress", "256", "-", "0.0.0.0/0", "proto '256' is no protocol" },
        { "ingress", "-1", "-", "0.0.0.0/0", "proto '-1' is no protocol" },
        { "ingress", "tcp", "80-79", "0.0.0.0/0",
          "ports '80-79' does not go with protocol tcp; write N or N-M of 0 to 65535, or - for any" },
        { "ingress", "tcp", "65536", "0.0.0.0/0", "ports '65536' does not go with protocol tcp" },
        { "ingress", "tcp", "080", "0.0.0.0/0", "ports '080' does not go" },
        { "ingress", "udp", "1-", "0.0.0.0/0", "ports '1-' does not go" },
        { "ingress", "udp", "", "0.0.0.0/0", "ports '' does not go" },
        { "ingress", "udp", "3/4", "0.0.0.0/0", "ports '3/4' does not go" },
        { "ingress", "icmp", "256", "0.0.0.0/0", "ports '256' does not go with protocol icmp; write TYPE or TYPE/CODE, each of 0 to 255" },
        { "ingress", "icmp6", "1/", "0.0.0.0/0", "ports '1/' does not go with protocol icmp6" },
        { "ingress", "icmp", "1-2", "0.0.0.0/0", "ports '1-2' does not go with protocol icmp" },
        { "ingress", "all", "80", "0.0.0.0/0", "ports '80' does not go with protocol all; write -, for it has no ports" },
        { "ingress", "47", "80", "0.0.0.0/0", "ports '80' does not go with protocol 47" },
        { "ingress", "tcp", "80", "10.0.0.1/8", "peer '10.0.0.1/8' has host bits set; write 10.0.0.0/8" },
        { "ingress", "tcp", "80", "10.0.0.1", "peer '10.0.0.1' is no peer; write a CIDR, e.g. 10.0.0.0/16, or sg:NAME" },
        { "ingress", "tcp", "80", "front", "peer 'front' is no peer" },
        { "ingress", "tcp", "80", "sg:far",
          "sg-rule 'front ingress tcp 80 sg:far': peer: sg 'far' is of vpc 'b'; name a group of vpc 'a'" },
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse(lab, ERROR_INVALID, rows[i].text, OP_RULE, "front", rows[i].direction, rows[i].proto, rows[i].ports, rows[i].peer);
    lab_refuse(lab, ERROR_UNKNOWN, "sg 'nope' does not exist in tenant 'default'", OP_RULE, "front", "ingress", "tcp", "80", "sg:nope");
    lab_refuse(lab, ERROR_UNKNOWN, "sg 'nope' does not exist", OP_RULE, "nope", "ingress", "tcp", "80", "0.0.0.0/0");
    lab_refuse(lab, ERROR_INVALID, "proto is missing",
               "{'op':'add','type':'sg-rule','values':{'sg':'front','direction':'ingress',"
               "'peer':'sg:back'}}");
    lab_refuse(lab, ERROR_INVALID, "name has", "{'op':'add','type':'sg','name':'','values':{'vpc':'a'}}");
}

static void
ports_may_stand_before_the_protocol_and_be_left_out(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'add','type':'sg-rule','values':{'ports':80,'peer':'10.0.0.0/8','proto':6,'direction':'ingress','sg':'front'}}");
    lab_do(lab, "{'op':'add','type':'sg-rule','values':{'peer':'sg:front','proto':'tcp','direction':'ingress','sg':'back'}}");
    assert_rules(lab, "front", "egress all - 0.0.0.0/0; ingress tcp 80 10.0.0.0/8");
    assert_rules(lab, "back", "egress all - 0.0.0.0/0; ingress tcp - sg:front");
}

static void
the_same_rule_twice_is_refused_by_the_id_of_the_first(void **state)
{
    struct lab *lab = *state;
    json_t *result;
    char text[200];
    lab_begin(lab);
    assert_true(lab_try(lab, &result, OP_RULE, "front", "ingress", "icmp", "3", "sg:front"));
    snprintf(text, sizeof text, "sg-rule 'front ingress 1 3 sg:front': sg-rule '%s' says the same", json_member_string(result, "id"));
    lab_commit(lab);
    lab_refuse(lab, ERROR_CONFLICT, text, OP_RULE, "front", "ingress", "1", "3", "sg:front");
    const char *differ[][4] = { { "egress", "icmp", "3", "sg:front" },    { "ingress", "icmp6", "3", "sg:front" },
                                { "ingress", "icmp", "3/0", "sg:front" }, { "ingress", "icmp", "-", "sg:front" },
                                { "ingress", "icmp", "3", "sg:back" },    { "ingress", "icmp", "3", "10.0.0.0/8" },
                                { "ingress", "icmp", "3", "10.0.0.0/9" }, { "ingress", "icmp", "3", "a00::/9" },
                                { "ingress", "all", "-", "sg:front" },    { "ingress", "255", "-", "sg:front" },
                                { "ingress", "tcp", "-", "sg:front" },    { "ingress", "tcp", "0-65535", "sg:front" } };
    for (size_t i = 0; i < sizeof differ / sizeof differ[0]; i++)
        lab_do(lab, OP_RULE, "front", differ[i][0], differ[i][1], differ[i][2], differ[i][3]);

    lab_do(lab, "{'op':'add','type':'sg-rule','may_exist':true,'values':{'sg':'front','direction':'ingress','proto':'icmp','ports':'3',"
                "'peer':'sg:front'}}");
    char *id = strdup(json_member_string(result, "id"));
    json_decref(result);
    lab_refuse(lab, ERROR_INVALID, "proto cannot be changed", "{'op':'set','type':'sg-rule','name':'%s','values':{'proto':'tcp'}}", id);
    lab_do(lab, OP_DEL, "sg-rule", id);
    lab_refuse(lab, ERROR_UNKNOWN, "it does not exist in tenant 'default'", OP_DEL, "sg-rule", id);
    lab_do(lab, OP_RULE, "front", "ingress", "icmp", "3", "sg:front");
    free(id);
}

static void
a_group_stays_while_others_refer_to_it(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, OP_GROUPS, "web1", "'front,back'");
    lab_refuse(lab, ERROR_CONFLICT, "sg 'front': port 'web1' still refers to it; delete or change that first", OP_DEL, "sg", "front");
    lab_do(lab, OP_GROUPS, "web1", "null");
    lab_do(lab, OP_RULE, "front", "ingress", "all", "-", "sg:front");
    lab_do(lab, OP_RULE, "back", "ingress", "tcp", "80", "sg:front");
    lab_refuse(lab, ERROR_CONFLICT, "sg 'front': sg-rule '", OP_DEL, "sg", "front");
    lab_do(lab, OP_DEL, "sg", "back");
    lab_do(lab, OP_DEL, "sg", "front");
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 1);

    lab_begin(lab); /* a port and its group in one transaction */
    lab_do(lab, OP_SG, "front", "a");
    lab_do(lab, OP_GROUPS, "web1", "'front'");
    lab_commit(lab);
    lab_begin(lab);
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, OP_DEL, "sg", "front");
    lab_commit(lab);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 1);
}

static bool
is_shadowed(const struct lab *lab, const struct object *rule)
{
    struct sg_shadows *shadows = sg_shadows_new(lab->m, SG_SHADOWS_STEPS);
    bool is = sg_shadows_has(shadows, model_sg_rule(lab->m, rule->number));
    sg_shadows_free(shadows);
    return is;
}

static void
a_rule_that_another_makes_needless_is_shadowed(void **state)
{
    static const struct {
        const char *outer[3], *inner[3];
        bool is_shadowed;
    } rows[] = {
        /* proto, ports, peer */
        { { "all", "-", "0.0.0.0/0" }, { "tcp", "80", "10.0.0.0/8" }, true },
        { { "all", "-", "10.0.0.0/8" }, { "tcp", "80", "0.0.0.0/0" }, false },
        { { "tcp", "-", "10.0.0.0/8" }, { "tcp", "80", "10.0.0.0/8" }, true },
        { { "tcp", "0-65535", "10.0.0.0/8" }, { "tcp", "-", "10.1.0.0/16" }, true },
        { { "tcp", "1-65535", "10.0.0.0/8" }, { "tcp", "-", "10.1.0.0/16" }, false },
        { { "tcp", "80-90", "10.0.0.0/8" }, { "tcp", "85-90", "10.1.0.0/16" }, true },
        { { "tcp", "80-90", "10.0.0.0/8" }, { "tcp", "85-91", "10.1.0.0/16" }, false },
        { { "udp", "80-90", "10.0.0.0/8" }, { "tcp", "85", "10.1.0.0/16" }, false },
        { { "tcp", "80", "10.0.0.0/8" }, { "all", "-", "10.0.0.0/8" }, false },
        { { "icmp", "8", "10.0.0.0/8" }, { "icmp", "8/0", "10.0.0.0/8" }, true },
        { { "icmp", "8/0", "10.0.0.0/8" }, { "icmp", "8", "10.0.0.0/8" }, false },
        { { "icmp", "8", "10.0.0.0/8" }, { "icmp", "9", "10.0.0.0/8" }, false },
        { { "icmp", "-", "10.0.0.0/8" }, { "icmp", "9", "10.0.0.0/8" }, true },
        { { "icmp", "8", "10.0.0.0/8" }, { "icmp", "-", "10.0.0.0/8" }, false },
        { { "tcp", "80", "10.0.0.0/16" }, { "tcp", "80", "sg:back" }, true },
        { { "tcp", "80", "10.0.0.0/17" }, { "tcp", "80", "sg:back" }, false },
        { { "tcp", "80", "sg:back" }, { "tcp", "80", "10.0.1.3/32" }, false },
        { { "tcp", "-", "sg:back" }, { "tcp", "80", "sg:back" }, true },
        { { "tcp", "-", "sg:back" }, { "tcp", "80", "sg:front" }, false },
        { { "all", "-", "::/0" }, { "tcp", "80", "10.0.0.0/8" }, false },
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int order = 0; order < 2; order++) {
            json_t *result[2];
            const char *const *first = order ? rows[i].inner : rows[i].outer, *const *second = order ? rows[i].outer : rows[i].inner;
            lab_begin(lab);
            assert_true(lab_try(lab, &result[0], OP_RULE, "front", "ingress", first[0], first[1], first[2]));
            assert_true(lab_try(lab, &result[1], OP_RULE, "front", "ingress", second[0], second[1], second[2]));
            lab_commit(lab);
            for (int j = 0; j < 2; j++) {
                const struct object *o = lab_find(lab, OBJECT_SG_RULE, json_member_string(result[j], "id"));
                bool is_inner = j != order, is = is_shadowed(lab, o);
                if ((is_inner || rows[i].is_shadowed) && is != (is_inner && rows[i].is_shadowed))
                    fail_msg("row %zu, order %d: the %s one is %sshadowed", i, order, is_inner ? "inner" : "outer", is ? "" : "not ");
            }
            for (int j = 0; j < 2; j++) {
                lab_do(lab, OP_DEL, "sg-rule", json_member_string(result[j], "id"));
                json_decref(result[j]);
            }
        }
    lab_do(lab, OP_RULE, "front", "ingress", "tcp", "-", "10.0.0.0/8"); /* the same in two spellings: the later one */
    lab_do(lab, OP_RULE, "front", "ingress", "tcp", "0-65535", "10.0.0.0/8");
    size_t n = 0;
    for (const struct object *o = NULL; (o = model_next(lab->m, OBJECT_SG_RULE, o ? o->number : 0));)
        n += is_shadowed(lab, o);
    assert_int_equal(n, 1);
}

/* ---- ports ---- */
static void
a_port_is_in_the_default_group_unless_it_says_otherwise(void **state)
{
    struct lab *lab = *state;
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "sg"), "[\"a\"]");
    lab_do(lab, OP_GROUPS, "web1", "['front','back']");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "sg"), "[\"front\",\"back\"]");
    lab_do(lab, OP_GROUPS, "web1", "'none'");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "sg"), "[]");
    assert_int_equal(lab_port(lab, "web1")->sg_set, 0);
    lab_do(lab, OP_GROUPS, "web1", "null");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "sg"), "[\"a\"]");
    assert_true(lab_port(lab, "web1")->has_sg);
    lab_refuse(lab, ERROR_INVALID, "port 'web1': sg: sg 'far' is of vpc 'b'; name groups of vpc 'a'", OP_GROUPS, "web1", "'front,far'");
    lab_refuse(lab, ERROR_UNKNOWN, "port 'web1': sg 'nope' does not exist in tenant 'default'", OP_GROUPS, "web1", "'nope'");
    lab_refuse(lab, ERROR_INVALID, "sg 'front' is given twice", OP_GROUPS, "web1", "'front,front'");
    lab_refuse(lab, ERROR_INVALID, "column 'sg_set' is unknown", "{'op':'set','type':'port','name':'web1','values':{'sg_set':5}}");
}

static void
ports_with_the_same_groups_share_one_set(void **state)
{
    struct lab *lab = *state;
    uint32_t by_default = lab_port(lab, "web1")->sg_set;
    assert_true(by_default && lab_port(lab, "web2")->sg_set == by_default);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 1);
    lab_do(lab, OP_GROUPS, "web1", "'front,back'");
    uint32_t both = lab_port(lab, "web1")->sg_set;
    const struct sg_set *set = model_sg_set(lab->m, both);
    assert_int_equal(set->vpc, lab_port(lab, "web1")->vpc);
    assert_int_equal(set->groups.n, 2);
    assert_int_equal(set->groups.v[0], lab_find(lab, OBJECT_SG, "front")->number);
    lab_do(lab, OP_GROUPS, "web2", "'back,front'");
    assert_int_equal(lab_port(lab, "web2")->sg_set, both);
    assert_null(model_get(lab->m, by_default, OBJECT_SG_SET));
    lab_do(lab, OP_GROUPS, "web2", "'front'");
    assert_int_not_equal(lab_port(lab, "web2")->sg_set, both);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 2);
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, OP_GROUPS, "web2", "'none'");
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 0);
}

static void
a_set_comes_and_goes_in_its_ports_transaction(void **state)
{
    struct lab *lab = *state;
    size_t n;
    lab_begin(lab);
    lab_do(lab, OP_GROUPS, "web1", "'front'");
    lab_do(lab, OP_GROUPS, "web2", "'front'");
    assert_true(transaction_finish(lab->t, &lab->err));
    const struct change *c = transaction_changes(lab->t, &n);
    assert_int_equal(n, 4); /* two ports, a set that went and one that came */
    assert_true(c[3].type == OBJECT_SG_SET && !c[3].before && c[3].after);
    lab_abort(lab);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 1);

    lab_begin(lab); /* there and back is no change, and keeps the number */
    lab_do(lab, OP_GROUPS, "web1", "'front'");
    lab_do(lab, OP_GROUPS, "web2", "'front'");
    lab_do(lab, OP_GROUPS, "web1", "null");
    lab_do(lab, OP_GROUPS, "web2", "null");
    assert_true(transaction_finish(lab->t, &lab->err));
    assert_true(transaction_is_empty(lab->t));
    lab_abort(lab);

    lab_begin(lab); /* a port that is replaced keeps its set's number */
    uint32_t set = lab_port(lab, "web1")->sg_set;
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, OP_DEL, "port", "web2");
    lab_do(lab, OP_PORT, "web1", "web");
    lab_commit(lab);
    assert_int_equal(lab_port(lab, "web1")->sg_set, set);
}

/* After any transaction: each port's set has exactly its groups, no two sets have the same, none is without ports. */
static void
assert_sets(const struct lab *lab)
{
    const struct object *o, *other;
    for (uint32_t after = 0; (o = model_next(lab->m, OBJECT_PORT, after)); after = o->number) {
        const struct port *p = model_port(lab->m, o->number);
        const struct sg_set *set = model_sg_set(lab->m, p->sg_set);
        assert_int_equal(p->sg.n ? set->groups.n : 0, p->sg.n);
        assert_true(p->has_sg == (p->sg.n > 0) && p->has_sg == (set != NULL));
        for (size_t i = 0; i < p->sg.n; i++)
            assert_int_equal(p->sg.v[i], set->groups.v[i]);
    }
    for (uint32_t after = 0; (o = model_next(lab->m, OBJECT_SG_SET, after)); after = o->number) {
        const struct number_list *a = &model_sg_set(lab->m, o->number)->groups;
        assert_int_not_equal(view_next_referrer(lab->m, VIEW_COMMITTED, o->number, OBJECT_PORT, 0), 0);
        for (uint32_t then = o->number; (other = model_next(lab->m, OBJECT_SG_SET, then)); then = other->number) {
            const struct number_list *b = &model_sg_set(lab->m, other->number)->groups;
            assert_false(a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof *a->v));
        }
    }
}

static void
sets_are_right_after_any_transactions(void **state)
{
    struct lab *lab = *state;
    struct random random = random_seeded();
    static const char *const lists[] = {
        "null", "'none'", "'front'", "'back'", "'front,back'", "'back,front,a'", "['a']", "['g']", "'g,a'"
    };
    lab_do(lab, OP_SG, "g", "a");
    for (int i = 0; i < 600; i++) {
        lab_begin(lab);
        for (uint64_t n = random_below(&random, 5) + 1; n; n--) {
            char name[10];
            snprintf(name, sizeof name, "p%d", (int) random_below(&random, 12));
            switch (random_below(&random, 4)) {
            case 0: lab_do(lab, "{'op':'del','type':'port','name':'%s','if_exists':true}", name); break;
            default:
                lab_do(lab, "{'op':'add','type':'port','name':'%s','may_exist':true,'values':{'subnet':'web'}}", name);
                lab_do(lab, OP_GROUPS, name, lists[random_below(&random, 9)]);
            }
        }
        if (random_below(&random, 4))
            lab_commit(lab);
        else
            lab_abort(lab);
        assert_sets(lab);
    }
}

static void
a_set_of_as_many_groups_as_a_port_may_have_is_found_again(void **state)
{
    struct lab *lab = *state;
    char list[200] = "", name[20];
    for (int i = 0; i < PORT_GROUPS_MAX; i++) {
        snprintf(name, sizeof name, "m%d", i);
        lab_do(lab, OP_SG, name, "a");
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? "," : "'", name);
    }
    strcat(list, "'");
    lab_do(lab, OP_GROUPS, "web1", list);
    lab_do(lab, OP_GROUPS, "web2", list);
    assert_int_equal(lab_port(lab, "web1")->sg.n, PORT_GROUPS_MAX);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 1);
    lab_do(lab, OP_GROUPS, "web2", "'m0,m1,m2,m3,m4,m5,m6'");
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 2);
    assert_sets(lab);
    strcpy(strrchr(list, '\''), ",front'");
    lab_refuse(lab, ERROR_INVALID, "port 'web1': sg: 17 groups are too many; a port has at most 16", OP_GROUPS, "web1", list);
}

/* Beside many other combinations, and with many ports leaving one at once. */
static void
a_set_among_many_costs_no_more(void **state)
{
    struct lab *lab = *state;
    char name[20], groups[30];
    lab_do(lab, OP_SUBNET, "many", "a", "10.0.128.0/17");
    lab_begin(lab);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "g%d", i);
        snprintf(groups, sizeof groups, "'a,%s'", name);
        lab_do(lab, OP_SG, name, "a");
        lab_do(lab, OP_PORT, name, "many");
        lab_do(lab, OP_GROUPS, name, groups);
    }
    lab_commit(lab);
    lab_begin(lab);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "p%d", i);
        lab_do(lab, "{'op':'add','type':'port','name':'%s','values':{'subnet':'many','sg':'front'}}", name);
    }
    lab_commit(lab);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 3002); /* the default one, 3000, and front */
    lab_begin(lab);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "p%d", i);
        lab_do(lab, OP_DEL, "port", name);
    }
    lab_commit(lab);
    assert_int_equal(model_count(lab->m, OBJECT_SG_SET), 3001);
}

/* ---- quotas and tenants ---- */
static void
groups_and_rules_count_for_quotas_and_sets_do_not(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'sg':6,'sg-rule':8}}}");
    lab_do(lab, OP_SG, "x", "a");
    lab_refuse(lab, ERROR_QUOTA, "quota of 6 for type 'sg' is used up", OP_SG, "y", "a");
    lab_refuse(lab, ERROR_QUOTA, "quota of 8 for type 'sg-rule' is used up", OP_RULE, "x", "ingress", "tcp", "80", "0.0.0.0/0");
    lab_refuse(lab, ERROR_INVALID, "quotas: 'sg-set' is no type of object that a tenant has",
               "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'sg-set':1}}}");
    lab_refuse(lab, ERROR_INVALID, "type 'sg-set' is unknown", "{'op':'add','type':'sg-set','values':{'vpc':'a','groups':'front'}}");
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':''}}");
}

/* ---- what an older version stored ---- */
static void
an_older_versions_intent_gets_groups_and_sets_once(void **state)
{
#define DOCUMENT(ID) "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c" ID "','tenant':1,"
    static const char *const documents[] = {
        "{'type':'vpc'," DOCUMENT("1") "'name':'v','cidr':'10.0.0.0/16','vni':1}",
        "{'type':'rtb'," DOCUMENT("2") "'name':'v','vpc':2,'main':true}",
        "{'type':'subnet'," DOCUMENT("3") "'name':'s','vpc':2,'rtb':3,'cidr':'10.0.1.0/24','lease':3600}",
        "{'type':'port'," DOCUMENT("4") "'name':'p','subnet':4,'mac':'02:00:00:00:00:01','ips':['10.0.1.3'],'source_dest_check':true}",
        "{'type':'port'," DOCUMENT("5") "'name':'q','subnet':4,'mac':'02:00:00:00:00:02','ips':['10.0.1.4'],'sg':'none'}",
    };
    struct lab lab;
    lab_init(&lab);
    for (uint32_t i = 0; i < 5; i++) {
        json_t *document = lab_json(documents[i]);
        assert_true(model_load_object(lab.m, i + 2, document, &lab.err));
        json_decref(document);
    }
    assert_true(model_load_finish(lab.m, &(struct model_sequences){ 1, 7, 2 }, &lab.err));
    for (int i = 0; i < 2; i++) {
        lab_begin(&lab);
        assert_true(transaction_upgrade(lab.t, &lab.err));
        assert_true(transaction_finish(lab.t, &lab.err));
        assert_true(transaction_is_empty(lab.t) == (i > 0));
        transaction_commit(lab.t);
        transaction_free(lab.t);
        lab.t = NULL;
    }
    assert_rules(&lab, "v", "ingress all - sg:v; egress all - 0.0.0.0/0");
    assert_string_equal(lab_column(&lab, OBJECT_PORT, "p", "sg"), "[\"v\"]");
    assert_string_equal(lab_column(&lab, OBJECT_PORT, "q", "sg"), "[]");
    assert_int_equal(lab_port(&lab, "p")->o.number, 5);
    assert_sets(&lab);
    lab_done(&lab);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_vpc_comes_and_goes_with_its_default_group),
        TEST(rules_are_shown_as_people_write_them),
        TEST(bad_rules_are_refused),
        TEST(ports_may_stand_before_the_protocol_and_be_left_out),
        TEST(the_same_rule_twice_is_refused_by_the_id_of_the_first),
        TEST(a_group_stays_while_others_refer_to_it),
        TEST(a_rule_that_another_makes_needless_is_shadowed),
        TEST(a_port_is_in_the_default_group_unless_it_says_otherwise),
        TEST(ports_with_the_same_groups_share_one_set),
        TEST(a_set_comes_and_goes_in_its_ports_transaction),
        TEST(sets_are_right_after_any_transactions),
        TEST(a_set_of_as_many_groups_as_a_port_may_have_is_found_again),
        TEST(a_set_among_many_costs_no_more),
        TEST(groups_and_rules_count_for_quotas_and_sets_do_not),
        TEST(an_older_versions_intent_gets_groups_and_sets_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
