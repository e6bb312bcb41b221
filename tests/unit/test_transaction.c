/* vnet/model/transaction: many operations as one, who may ask for them, and how they are read; a refusal leaves no trace. */
#include "tests/unit/model_lab.h"

static void
vni_and_number_are_never_the_same_twice(void **state)
{
    struct lab *lab = *state;
    const struct object *a = lab_find(lab, OBJECT_VPC, "a"), *b = lab_find(lab, OBJECT_VPC, "b");
    uint32_t vni_b = model_vpc(lab->m, b->number)->vni, number = b->number;
    assert_int_not_equal(model_vpc(lab->m, a->number)->vni, vni_b);
    lab_do(lab, OP_DEL, "vpc", "b");
    lab_do(lab, OP_VPC, "b", "10.0.0.0/16");
    b = lab_find(lab, OBJECT_VPC, "b");
    assert_true(b->number > number);
    assert_true(model_vpc(lab->m, b->number)->vni > vni_b);
}

/* Sequences that wrap: what is in use, or not released, is passed over. */
static void
a_number_is_not_used_again_until_released(void **state)
{
    struct lab *lab = *state;
    uint32_t number = lab_port(lab, "web1")->o.number;
    lab_do(lab, OP_DEL, "port", "web1");
    lab->m->sequences.next_number = UINT32_MAX;
    lab->m->sequences.next_vni = 0xffffff;
    lab_do(lab, OP_PORT, "p1", "web");
    lab_do(lab, OP_PORT, "p2", "web");
    assert_int_equal(lab_port(lab, "p1")->o.number, UINT32_MAX);
    assert_true(lab_port(lab, "p2")->o.number > number);

    model_release_number(lab->m, number);
    lab->m->sequences.next_number = number;
    lab_do(lab, OP_PORT, "p3", "web");
    assert_int_equal(lab_port(lab, "p3")->o.number, number);

    lab_do(lab, OP_VPC, "c", "10.0.0.0/16");
    lab_do(lab, OP_VPC, "d", "10.0.0.0/16");
    assert_int_equal(((const struct vpc *) (const void *) lab_find(lab, OBJECT_VPC, "c"))->vni, 0xffffff);
    assert_int_equal(((const struct vpc *) (const void *) lab_find(lab, OBJECT_VPC, "d"))->vni, 3);
}

static void
what_is_referred_to_stays_and_up_to_five_are_named(void **state)
{
    struct lab *lab = *state;
    lab_refuse(lab, ERROR_CONFLICT, "vpc 'a': subnet 'web', subnet 'db', rtb 'extra' still refer to it", OP_DEL, "vpc", "a");
    lab_refuse(lab, ERROR_CONFLICT, "subnet 'web': port 'web1' still refers to it", OP_DEL, "subnet", "web");
    lab_begin(lab);
    for (int i = 2; i <= 7; i++) {
        char name[20];
        snprintf(name, sizeof name, "web%d", i);
        lab_do(lab, OP_PORT, name, "web");
    }
    lab_commit(lab);
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1', port 'web2', port 'web3', port 'web4', port 'web5' and more still refer to it", OP_DEL,
               "subnet", "web");
}

static void
later_operations_see_earlier_ones_and_all_or_none_take_effect(void **state)
{
    struct lab *lab = *state;
    uint64_t revision = model_revision(lab->m);
    lab_begin(lab);
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, OP_DEL, "subnet", "web");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.0.0/23");
    lab_do(lab, OP_PORT_IP, "web1", "web", "10.0.1.3");
    assert_int_equal(model_revision(lab->m), revision);
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "cidr"), "10.0.1.0/24");
    assert_false(lab_try(lab, NULL, OP_PORT_IP, "web2", "web", "10.0.1.3"));
    lab_abort(lab);
    assert_string_equal(lab_column(lab, OBJECT_SUBNET, "web", "cidr"), "10.0.1.0/24");
    assert_int_equal(model_revision(lab->m), revision);

    lab_begin(lab);
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, OP_DEL, "subnet", "web");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.0.0/23");
    lab_do(lab, OP_PORT_IP, "web1", "web", "10.0.1.3");
    lab_commit(lab);
    assert_int_equal(model_revision(lab->m), revision + 1);
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "ip"), "10.0.1.3");
}

static void
readers_see_only_what_is_committed(void **state)
{
    struct lab *lab = *state;
    const struct port *old = lab_port(lab, "web1");
    struct ip ip = port_ip4(old), new_ip = ip4(0x0a00014d);
    struct mac mac = old->mac;
    uint32_t number = old->o.number, subnet = old->subnet, vpc = old->vpc;
    char text[MAC_STRLEN];
    lab_begin(lab);
    lab_do(lab, OP_DEL, "port", "web1");
    lab_do(lab, "{'op':'add','type':'port','name':'web1','values':{'subnet':'web','ip':'10.0.1.3','mac':'%s'}}", mac_format(mac, text));
    lab_do(lab, OP_PORT_IP, "new", "web", "10.0.1.77");
    assert_int_equal(model_port_by_ip(lab->m, subnet, ip), number);
    assert_int_equal(model_port_by_mac(lab->m, vpc, mac), number);
    assert_int_equal(model_port_by_ip(lab->m, subnet, new_ip), 0);
    assert_null(lab_find(lab, OBJECT_PORT, "new"));
    assert_ptr_equal(lab_find(lab, OBJECT_PORT, "web1"), &old->o);
    lab_commit(lab);
    assert_int_equal(model_port_by_ip(lab->m, subnet, ip), lab_port(lab, "web1")->o.number);
    assert_int_not_equal(model_port_by_ip(lab->m, subnet, ip), number);
    assert_int_not_equal(model_port_by_ip(lab->m, subnet, new_ip), 0);
}

static void
changes_are_the_net_effect_in_order_of_number(void **state)
{
    struct lab *lab = *state;
    size_t n;
    lab_begin(lab);
    lab_do(lab, "{'op':'set','type':'port','name':'web1','values':{'source_dest_check':false}}");
    lab_do(lab, "{'op':'set','type':'port','name':'web1','values':{'source_dest_check':true}}");
    lab_do(lab, OP_PORT, "brief", "web");
    lab_do(lab, OP_DEL, "port", "brief");
    assert_true(transaction_finish(lab->t, &lab->err));
    assert_true(transaction_is_empty(lab->t));
    assert_int_equal(transaction_sequences(lab->t).revision, model_revision(lab->m));
    lab_abort(lab);

    lab_begin(lab);
    lab_do(lab, OP_PORT, "p", "web");
    lab_do(lab, "{'op':'set','type':'port','name':'p','values':{'tags':{'k':'v'}}}");
    lab_do(lab, "{'op':'set','type':'vpc','name':'a','values':{'tags':{'k':'v'}}}");
    lab_do(lab, OP_DEL, "rtb", "extra");
    assert_true(transaction_finish(lab->t, &lab->err));
    const struct change *c = transaction_changes(lab->t, &n);
    assert_int_equal(n, 3);
    assert_true(c[0].number < c[1].number && c[1].number < c[2].number);
    assert_true(c[0].type == OBJECT_VPC && c[0].before && c[0].after && !c[0].before->n_tags && c[0].after->n_tags == 1);
    assert_true(c[1].type == OBJECT_RTB && c[1].before && !c[1].after);
    assert_true(c[2].type == OBJECT_PORT && !c[2].before && c[2].after->n_tags == 1);
    transaction_commit(lab->t);
    assert_string_equal(c[1].before->name, "extra");
    transaction_free(lab->t);
    lab->t = NULL;
}

static void
may_exist_takes_what_agrees_and_names_what_does_not(void **state)
{
    struct lab *lab = *state;
    uint64_t revision = model_revision(lab->m);
    const char *port = "{'op':'add','type':'port','name':'web1','may_exist':true,'values':{'subnet':'web',%s}}";
    lab_do(lab, port, "'ip':'10.0.1.3'");
    lab_do(lab, port, "'ips':['10.0.1.3'],'sg':null");
    lab_do(lab, "{'op':'add','type':'vpc','name':'a','may_exist':true,'values':{'cidr':'10.0.0.0/16'}}");
    lab_do(lab, OP_ROUTE, "a", "0.0.0.0/0", "blackhole");
    lab_do(lab, "{'op':'add','type':'route','may_exist':true,'values':{'rtb':'a','prefix':'0.0.0.0/0','target':'blackhole'}}");
    assert_int_equal(model_revision(lab->m), revision + 1);
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1': it exists with ip '10.0.1.3', not '10.0.1.4'", port, "'ip':'10.0.1.4'");
    lab_refuse(lab, ERROR_CONFLICT, "it exists with source_dest_check 'true', not 'false'", port, "'source_dest_check':false");
    lab_refuse(lab, ERROR_CONFLICT, "it exists with tag 'k' unset, not 'v'", port, "'tags:k':'v'");
    lab_refuse(lab, ERROR_CONFLICT, "route 'a/0.0.0.0/0': it exists with target 'blackhole', not 'port:web1'",
               "{'op':'add','type':'route','may_exist':true,'values':{'rtb':'a','prefix':'0.0.0.0/0','target':'port:web1'}}");
    lab_refuse(lab, ERROR_CONFLICT, "port 'web1': it exists already in tenant 'default'", OP_PORT, "web1", "web");
    lab_refuse(lab, ERROR_CONFLICT, "it exists with id '", port, "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c8'");
    lab_do(lab, "{'op':'del','type':'port','name':'nope','if_exists':true}");
    lab_refuse(lab, ERROR_UNKNOWN, "port 'nope': it does not exist in tenant 'default'", OP_DEL, "port", "nope");
}

static void
names_and_ids_are_checked_and_either_finds(void **state)
{
    struct lab *lab = *state;
    char name[70];
    static const struct {
        const char *name, *text;
    } rows[] = {
        { "a b", "name 'a b' may only have letters" },
        { "", "name has 0 characters" },
        { "a/b", "may only have letters" },
        { "none", "name 'none' is a word of its own" },
        { "\xc3\xa4", "may only have letters" },
        { "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "has the shape of a UUID" },
        { "6BA7B810-9DAD-41D1-80B4-00C04FD430C8", "has the shape of a UUID" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse(lab, ERROR_INVALID, rows[i].text, OP_PORT, rows[i].name, "web");
    memset(name, 'x', sizeof name);
    name[64] = '\0';
    lab_refuse(lab, ERROR_INVALID, "name has 64 characters; write 1 to 63", OP_PORT, name, "web");
    name[63] = '\0';
    lab_do(lab, OP_PORT, name, "web");

    const char *id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    lab_do(lab, "{'op':'add','type':'port','name':'x','id':'%s','values':{'subnet':'web'}}", id);
    lab_refuse(lab, ERROR_CONFLICT, "is taken by another object",
               "{'op':'add','type':'port','name':'y','values':{'id':'%s',"
               "'subnet':'web'}}",
               id);
    lab_refuse(lab, ERROR_INVALID, "id 'zz' is no UUID", "{'op':'add','type':'port','name':'y','id':'zz','values':{'subnet':'web'}}");
    lab_do(lab, "{'op':'set','type':'port','name':'%s','values':{'tags':{'a':'b'}}}", id);
    assert_string_equal(lab_column(lab, OBJECT_PORT, "x", "tags"), "{\"a\":\"b\"}");
    lab_refuse(lab, ERROR_UNKNOWN, "it does not exist", OP_DEL, "vpc", id);
    lab_refuse(lab, ERROR_INVALID, "name cannot be changed", "{'op':'set','type':'port','name':'x','values':{'name':'y'}}");
    lab_do(lab, OP_DEL, "port", id);

    lab_do(lab, "{'op':'add','type':'port','id':'%s','values':{'subnet':'web'}}", id);
    assert_string_equal(lab_column(lab, OBJECT_PORT, id, "name"), id);
    lab_do(lab, "{'op':'add','type':'host','name':'%s'}", id);
    assert_non_null(lab_find(lab, OBJECT_HOST, id));
}

static void
tags_are_merged_by_key_and_replaced_as_text(void **state)
{
    struct lab *lab = *state;
    const char *op = "{'op':'set','type':'port','name':'web1','values':{%s}}";
    lab_do(lab, op, "'tags':{'a':'1','b':'2'}");
    lab_do(lab, op, "'tags':{'b':null,'c':'3'}");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "tags"), "{\"a\":\"1\",\"c\":\"3\"}");
    lab_do(lab, op, "'tags:a':'9','tags:c':null");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "tags"), "{\"a\":\"9\"}");
    lab_do(lab, op, "'tags':'x=1,y='");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "tags"), "{\"x\":\"1\",\"y\":\"\"}");
    lab_refuse(lab, ERROR_INVALID, "tags 'x' is not KEY=VALUE", op, "'tags':'x'");
    lab_refuse(lab, ERROR_INVALID, "tags: value '5' of 'k' is no text", op, "'tags':{'k':5}");
    lab_do(lab, op, "'tags':null");
    assert_string_equal(lab_column(lab, OBJECT_PORT, "web1", "tags"), "{}");

    lab_begin(lab);
    for (int i = 0; i < LIMIT_TAGS; i++)
        assert_true(lab_try(lab, NULL, "{'op':'set','type':'port','name':'web1','values':{'tags:k%d':'v'}}", i));
    assert_false(lab_try(lab, NULL, op, "'tags:one':'more'"));
    assert_non_null(strstr(lab->err.text, "would be one more than 50 tags"));
    lab_abort(lab);
}

static void
quotas_hold_at_the_end_of_a_transaction(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'port':2}}}");
    lab_do(lab, OP_PORT, "p2", "web");
    lab_refuse(lab, ERROR_QUOTA, "tenant 'default': quota of 2 for type 'port' is used up: there would be 3", OP_PORT, "p3", "web");
    lab_begin(lab);
    lab_do(lab, OP_PORT, "p3", "web");
    lab_do(lab, OP_DEL, "port", "p2");
    lab_commit(lab);
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas:port':'1'}}"); /* below what there is */
    lab_do(lab, "{'op':'set','type':'port','name':'p3','values':{'tags:a':'b'}}");
    lab_do(lab, OP_DEL, "port", "p3");
    lab_refuse(lab, ERROR_QUOTA, "quota of 1", OP_PORT, "p3", "web");
    lab_do(lab, "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'port':null}}}");
    lab_do(lab, OP_PORT, "p3", "web");
    lab_refuse(lab, ERROR_INVALID, "quotas: 'host' is no type of object that a tenant has",
               "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'host':5}}}");
    lab_refuse(lab, ERROR_INVALID, "quotas: port '-1' is no whole number",
               "{'op':'set','type':'tenant','name':'default','values':{'quotas':{'port':-1}}}");
}

static void
a_tenant_with_objects_stays_and_default_always_does(void **state)
{
    struct lab *lab = *state;
    lab_do(lab, "{'op':'add','type':'tenant','name':'acme'}");
    lab_do(lab, "{'op':'add','type':'vpc','name':'v','tenant':'acme','values':{'cidr':'10.0.0.0/16'}}");
    lab_refuse(lab, ERROR_CONFLICT, "tenant 'acme': it still has vpc 'v'; delete that first", OP_DEL, "tenant", "acme");
    lab_refuse(lab, ERROR_CONFLICT, "tenant 'default': it always exists and cannot be deleted", OP_DEL, "tenant", "default");
    lab_do(lab, "{'op':'del','type':'vpc','name':'v','tenant':'acme'}");
    lab_do(lab, OP_DEL, "tenant", "acme");
    lab_refuse(lab, ERROR_UNKNOWN, "vpc 'v': tenant 'acme' does not exist",
               "{'op':'add','type':'vpc','name':'v','tenant':'acme','values':{'cidr':'10.0.0.0/16'}}");
}

static void
a_tenants_principal_is_blind_to_other_tenants(void **state)
{
    struct lab *lab = *state;
    char id[UUID_STRLEN];
    uuid_format(lab_port(lab, "web1")->o.id, id);
    lab_do(lab, "{'op':'add','type':'tenant','name':'acme'}");
    lab->who = (struct principal){ .role = PRINCIPAL_TENANT, .name = "ci", .tenant = "acme" };
    lab_refuse(lab, ERROR_UNKNOWN, "port 'web1': it does not exist in tenant 'acme'", OP_DEL, "port", "web1");
    lab_refuse(lab, ERROR_UNKNOWN, "it does not exist in tenant 'acme'", OP_DEL, "port", id);
    lab_refuse(lab, ERROR_UNKNOWN, "vpc 'a' does not exist in tenant 'acme'", OP_SUBNET, "s", "a", "10.0.9.0/24");
    lab_refuse(lab, ERROR_FORBIDDEN, "may only see and change what belongs to tenant 'acme'",
               "{'op':'del','type':'port','name':'web1','tenant':'default'}");
    lab_refuse(lab, ERROR_FORBIDDEN, "may only see and change", "{'op':'del','type':'port','name':'web1','tenant':'nope'}");
    lab_refuse(lab, ERROR_FORBIDDEN, "only an admin", "{'op':'set','type':'tenant','name':'acme','values':{'quotas':{'port':9}}}");
    lab_refuse(lab, ERROR_FORBIDDEN, "only an admin", "{'op':'add','type':'host','name':'hv1'}");
    lab_do(lab, OP_VPC, "a", "10.0.0.0/16");
    lab_do(lab, OP_SUBNET, "web", "a", "10.0.1.0/24");
    lab_do(lab, OP_PORT, "web1", "web");
    assert_int_equal(model_count(lab->m, OBJECT_PORT), 2);

    lab->who = (struct principal){ .role = PRINCIPAL_READER, .name = "joe", .tenant = "" };
    lab_refuse(lab, ERROR_FORBIDDEN, "'joe' is a reader", OP_DEL, "port", "web1");

    lab->who = (struct principal){ .role = PRINCIPAL_ADMIN, .name = "root", .tenant = "" };
    lab_refuse(lab, ERROR_UNKNOWN, "port 'x': tenant 'nobody' does not exist",
               "{'op':'add','type':'port','name':'x','tenant':'nobody','values':{'subnet':'web'}}");
    lab_do(lab, "{'op':'del','type':'port','name':'%s','tenant':'acme'}", id); /* an admin's UUID reaches any tenant */
}

static void
an_operation_is_read_strictly(void **state)
{
    static const struct {
        const char *op, *text;
    } rows[] = {
        { "[]", "operation is no JSON object" },
        { "{}", "op '' is unknown; write add, set or del" },
        { "{'op':'get','type':'vpc'}", "op 'get' is unknown" },
        { "{'op':'add','type':'vcp'}", "type 'vcp' is unknown; write one of tenant vpc subnet port rtb route host pool eip igw natgw" },
        { "{'op':'set','type':'port','name':'web1','move':true}", "member 'move' is only for set of an eip" },
        { "{'op':'del','type':'eip','name':'1.2.3.4','move':true}", "member 'move' is only for set of an eip" },
        { "{'op':'set','type':'eip','name':'1.2.3.4','move':1}", "member 'move' is no boolean" },
        { "{'op':'add','type':'vpc','name':5}", "member 'name' is no text" },
        { "{'op':'add','type':'vpc','may_exist':'true'}", "member 'may_exist' is no boolean" },
        { "{'op':'add','type':'vpc','values':[]}", "member 'values' is no object" },
        { "{'op':'add','type':'vpc','vlaues':{}}", "member 'vlaues' is unknown" },
        { "{'op':'add','type':'vpc','name':'x','values':{'cidr':5}}", "cidr '5' is no prefix" },
        { "{'op':'add','type':'vpc','name':'x','values':{'cidr':'10.0.0.0/16','vni':5}}", "vni cannot be given: it is allocated" },
        { "{'op':'add','type':'vpc','name':'x','values':{'cidr':'10.0.0.0/16','tenant':'b'}}", "tenant cannot be given" },
        { "{'op':'add','type':'tenant'}", "tenant: name is missing" },
        { "{'op':'set','type':'vpc'}", "vpc: name is missing" },
        { "{'op':'del','type':'vpc','if_exists':true}", "vpc: name is missing" },
        { "{'op':'del','type':'vpc','name':'a','values':{'cidr':'x'}}", "del takes no values" },
        { "{'op':'add','type':'route','name':'x','values':{'rtb':'a','prefix':'0.0.0.0/0','target':'blackhole'}}",
          "a route has no name of its own" },
        { "{'op':'set','type':'subnet','name':'web','values':{'dns':[1]}}", "dns '1' is no IP address" },
        { "{'op':'set','type':'subnet','name':'web','values':{'dns':'8.8.8.8,'}}", "dns '' is no IP address" },
        { "{'op':'set','type':'subnet','name':'web','values':{'dns':{}}}", "dns '{}' is no list" },
        { "{'op':'set','type':'subnet','name':'web','values':{'lease':1.5}}", "lease '1.5' is no whole number" },
        { "{'op':'set','type':'subnet','name':'web','values':{'lease':'99999999999999999999'}}", "is no whole number" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        lab_refuse((struct lab *) *state, ERROR_INVALID, rows[i].text, "%s", rows[i].op);
}

static void
an_add_tells_id_and_columns_and_a_del_what_went(void **state)
{
    struct lab *lab = *state;
    json_t *result;
    lab_begin(lab);
    assert_true(lab_try(lab, &result, OP_PORT, "x", "web"));
    assert_string_equal(json_member_string(result, "type"), "port");
    assert_string_equal(json_member_string(result, "name"), "x");
    assert_true(uuid_is_shape(json_member_string(result, "id")));
    const json_t *object = json_object_get(result, "object");
    assert_string_equal(json_member_string(object, "ip"), "10.0.1.4");
    assert_string_equal(json_member_string(object, "subnet"), "web");
    assert_string_equal(json_member_string(object, "created"), "2026-11-22T10:40:00.123Z");
    json_decref(result);
    assert_true(lab_try(lab, &result, OP_DEL, "port", "x"));
    assert_string_equal(json_member_string(result, "name"), "x");
    json_decref(result);
    assert_true(lab_try(lab, &result, "{'op':'del','type':'port','name':'x','if_exists':true}"));
    assert_null(result);
    assert_false(lab_try(lab, &result, OP_DEL, "port", "x"));
    assert_null(result);
    lab_abort(lab);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, lab_setup_two_vpcs, lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(vni_and_number_are_never_the_same_twice),
        TEST(a_number_is_not_used_again_until_released),
        TEST(what_is_referred_to_stays_and_up_to_five_are_named),
        TEST(later_operations_see_earlier_ones_and_all_or_none_take_effect),
        TEST(readers_see_only_what_is_committed),
        TEST(changes_are_the_net_effect_in_order_of_number),
        TEST(may_exist_takes_what_agrees_and_names_what_does_not),
        TEST(names_and_ids_are_checked_and_either_finds),
        TEST(tags_are_merged_by_key_and_replaced_as_text),
        TEST(quotas_hold_at_the_end_of_a_transaction),
        TEST(a_tenant_with_objects_stays_and_default_always_does),
        TEST(a_tenants_principal_is_blind_to_other_tenants),
        TEST(an_operation_is_read_strictly),
        TEST(an_add_tells_id_and_columns_and_a_del_what_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
