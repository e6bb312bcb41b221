/* vnet/model/model_json and model_load: what the API shows, filters, the schema; documents of the store, whole and damaged. */
#include "tests/unit/model_lab.h"

static int
setup(void **state)
{
    struct lab *lab = lab_setup(state);
    lab_do(lab, OP_VPC, "a", "10.0.0.0/16");
    lab_do(lab, "{'op':'add','type':'subnet','name':'web','values':{'vpc':'a','cidr':'10.0.1.0/24','dns':['8.8.8.8','1.1.1.1']}}");
    lab_do(lab, "{'op':'add','type':'port','name':'web1','values':{'subnet':'web','mac':'02:00:00:00:00:0A','sg':'none',"
                "'tags':{'role':'front'}}}");
    lab_do(lab, OP_ROUTE, "a", "0.0.0.0/0", "port:web1");
    lab_do(lab, "{'op':'add','type':'host','name':'hv1'}");
    return lab_ready(lab);
}

static json_t *
runtime(void *aux, const struct object *o, const struct field *f)
{
    assert_ptr_equal(aux, "aux");
    return strcmp(f->name, "state") ? json_null() : json_string("active");
}

static void
an_object_shows_all_columns_in_order(void **state)
{
    struct lab *lab = *state;
    struct json_columns columns = { .runtime = runtime, .runtime_aux = "aux" };
    json_t *json = object_json(lab->m, &lab_port(lab, "web1")->o, &columns);
    json_object_del(json, "id");
    char *text = json_text(json);
    assert_string_equal(text,
                        "{\"name\":\"web1\",\"tenant\":\"default\",\"tags\":{\"role\":\"front\"},"
                        "\"created\":\"2026-11-22T10:40:00.123Z\",\"subnet\":\"web\",\"ip\":\"10.0.1.3\",\"ips\":[\"10.0.1.3\"],"
                        "\"mac\":\"02:00:00:00:00:0a\",\"sg\":[],\"source_dest_check\":true,\"declared_by\":null,\"declared_on\":null,"
                        "\"host\":null,\"state\":\"active\","
                        "\"reason\":null,\"claimed_by\":null,\"drops\":null,\"error\":null}");
    free(text);
    json_decref(json);

    json = object_json(lab->m, lab_find(lab, OBJECT_HOST, "hv1"), NULL);
    assert_true(json_is_null(json_object_get(json, "tenant")));
    assert_true(json_is_null(json_object_get(json, "encap_ip")));
    json_decref(json);
}

static void
chosen_columns_come_in_the_order_asked(void **state)
{
    struct lab *lab = *state;
    const char *names[] = { "ip", "name", "subnet" };
    struct json_columns columns = { .names = names, .n = 3 };
    struct error err;
    json_t *json = object_json(lab->m, &lab_port(lab, "web1")->o, &columns);
    char *text = json_text(json);
    assert_string_equal(text, "{\"ip\":\"10.0.1.3\",\"name\":\"web1\",\"subnet\":\"web\"}");
    free(text);
    json_decref(json);
    assert_true(columns_check(object_class(OBJECT_PORT), names, 3, &err));
    names[1] = "colour";
    assert_false(columns_check(object_class(OBJECT_PORT), names, 3, &err));
    assert_non_null(strstr(err.text, "type 'port' has no column 'colour'; write one of id name tenant tags created subnet ip"));
}

static void
filters_compare_as_the_manual_says(void **state)
{
    static const struct {
        const char *type, *name, *column, *value;
        bool matches;
    } rows[] = {
        { "port", "web1", "subnet", "web", true },
        { "port", "web1", "subnet", "we", false },
        { "port", "web1", "ips", "10.0.1.3", true },
        { "port", "web1", "ips", "10.0.1.4", false },
        { "port", "web1", "source_dest_check", "true", true },
        { "port", "web1", "source_dest_check", "false", false },
        { "port", "web1", "tags:role", "front", true },
        { "port", "web1", "tags:role", "back", false },
        { "port", "web1", "tags:other", "front", false },
        { "port", "web1", "tags:other", "", true },
        { "port", "web1", "host", "", true },
        { "port", "web1", "host", "hv1", false },
        { "port", "web1", "sg", "none", true },
        { "port", "web1", "sg", "", true },
        { "subnet", "web", "dns", "1.1.1.1", true },
        { "subnet", "web", "lease", "3600", true },
        { "subnet", "web", "lease", "03600", false },
        { "subnet", "web", "gateway", "10.0.1.1", true },
        { "route", "a/0.0.0.0/0", "target", "port:web1", true },
        { "route", "a/0.0.0.0/0", "name", "a/0.0.0.0/0", true },
    };
    struct lab *lab = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct object_class *class = object_class_by_name(rows[i].type);
        struct filter f = { rows[i].column, rows[i].value };
        struct error err;
        json_t *json = object_json(lab->m, lab_find(lab, class->type, rows[i].name), NULL);
        assert_true(filter_check(class, &f, &err));
        if (filter_matches(&f, json) != rows[i].matches)
            fail_msg("%s=%s", rows[i].column, rows[i].value);
        json_decref(json);
    }
}

static void
a_filter_on_an_unknown_column_is_refused(void **state)
{
    const struct object_class *port = object_class(OBJECT_PORT);
    struct error err;
    assert_false(filter_check(port, &(struct filter){ "colour", "x" }, &err));
    assert_false(filter_check(port, &(struct filter){ "colour:x", "x" }, &err));
    assert_false(filter_check(port, &(struct filter){ "subnet:x", "x" }, &err));
    assert_non_null(strstr(err.text, "column 'subnet' of type 'port' has no keys"));
    assert_true(filter_check(port, &(struct filter){ "drops:mac", "0" }, &err));
}

/* Columns of its own that users see. */
static size_t
n_shown(const struct object_class *class)
{
    size_t n = 0;
    for (size_t i = 0; i < class->n_fields; i++)
        n += !(class->fields[i].flags & FIELD_HIDDEN);
    return n;
}

static void
the_schema_lists_every_type_and_column(void **state)
{
    json_t *schema = schema_json(), *type, *column;
    size_t i, j, n = 0;
    json_array_foreach (schema, i, type) {
        const struct object_class *class = object_class_by_name(json_member_string(type, "type"));
        assert_non_null(class);
        assert_int_equal(json_array_size(json_object_get(type, "columns")), n_shown(class) + 5);
        json_array_foreach (json_object_get(type, "columns"), j, column) {
            assert_non_null(json_member_string(column, "help"));
            assert_non_null(json_member_string(column, "kind"));
        }
        n++;
    }
    assert_int_equal(n, 17);
    assert_null(object_class_by_name("sg-set"));
    json_decref(schema);
}

/* ---- documents of the store ---- */
static void
fields_of_a_newer_version_are_kept(void **state)
{
    struct lab *lab = *state;
    struct model *m = model_new();
    struct error err;
    json_t *vpc = lab_json("{'type':'vpc','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c8','tenant':1,'name':'v','created':5,"
                           "'cidr':'10.0.0.0/16','vni':7,'balanced':false,'future':{'x':[1]}}");
    assert_true(model_load_object(m, 9, vpc, &err));
    assert_true(model_load_finish(m, &(struct model_sequences){ 3, 10, 8 }, &err));
    json_t *again = object_to_store(model_get(m, 9, OBJECT_VPC));
    assert_true(json_equal(vpc, again));
    json_decref(again);

    struct transaction_origin origin = { .principal = lab->who, .random = lab_random, .random_aux = lab };
    struct transaction *t = transaction_begin(m, &origin);
    json_t *op = lab_json("{'op':'set','type':'vpc','name':'v','values':{'tags:a':'b'}}");
    assert_true(transaction_op(t, op, NULL, &err) && transaction_finish(t, &err));
    transaction_commit(t);
    transaction_free(t);
    json_object_set_new(vpc, "tags", lab_json("{'a':'b'}"));
    again = object_to_store(model_get(m, 9, OBJECT_VPC));
    assert_true(json_equal(vpc, again));
    assert_int_equal(model_revision(m), 4);
    json_decref(again);
    json_decref(op);
    json_decref(vpc);
    model_free(m);
}

#define ID1 "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c1','tenant':1"
#define ID2 "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c2','tenant':1"
#define ID3 "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c3','tenant':1"
#define ID4 "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c4','tenant':1"
#define ID5 "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c5','tenant':1"
#define ID6 "'id':'6ba7b810-9dad-41d1-80b4-00c04fd430c6'"
#define VPC "{'type':'vpc'," ID1 ",'name':'v','cidr':'10.0.0.0/16','vni':7}"
#define RTB "{'type':'rtb'," ID2 ",'name':'v','vpc':10,'main':true}"
#define SUBNET "{'type':'subnet'," ID3 ",'name':'s','vpc':10,'rtb':11,'cidr':'10.0.1.0/24','lease':3600}"
#define PORT "{'type':'port'," ID4 ",'subnet':12,'mac':'02:00:00:00:00:01','ips':['10.0.1.3'],'source_dest_check':true}"

/* Loads VPC, RTB, SUBNET, PORT as 10..13, with 'document' as 'number' besides or instead. */
static bool
load_with(uint32_t number, const char *document, struct error *err)
{
    static const char *const others[] = { VPC, RTB, SUBNET, PORT };
    struct model *m = model_new();
    bool ok = true;
    for (uint32_t i = 0; ok && i < 4; i++) {
        json_t *json = lab_json(others[i]);
        ok = number == 10 + i || model_load_object(m, 10 + i, json, err);
        json_decref(json);
    }
    json_t *json = lab_json(document);
    ok = ok && model_load_object(m, number, json, err) && model_load_finish(m, &(struct model_sequences){ 1, 20, 8 }, err);
    json_decref(json);
    model_free(m);
    return ok;
}

static void
a_damaged_document_is_refused_by_number_and_field(void **state)
{
    static const struct {
        uint32_t number;
        const char *document, *text;
    } rows[] = {
        { 20, "[]", "stored object 20: field 'type' is no type of this version" },
        { 20, "{'type':'dns'}", "stored object 20: field 'type'" },
        { 0, VPC, "stored object 0" },
        { 20, "{'type':'vpc','id':'x'}", "stored object 20: field 'id' is no UUID" },
        { 20, "{'type':'vpc','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c9'}", "field 'tenant' is wrong for a vpc" },
        { 20, "{'type':'host'," ID5 ",'name':'h'}", "field 'tenant' is wrong for a host" },
        { 20, "{'type':'rtb'," ID5 ",'name':'a b','vpc':10}", "field 'name' is no name" },
        { 20, "{'type':'rtb'," ID5 ",'name':5,'vpc':10}", "field 'name' is no name" },
        { 20, "{'type':'rtb'," ID5 ",'tags':[],'vpc':10}", "field 'tags' is no object of texts" },
        { 20, "{'type':'rtb'," ID5 "}", "stored object 20: field 'vpc' is missing" },
        { 20, "{'type':'rtb'," ID5 ",'vpc':'v'}", "field 'vpc' is no object's number" },
        { 20, "{'type':'rtb'," ID5 ",'vpc':-1}", "field 'vpc' is no object's number" },
        { 20, "{'type':'rtb'," ID5 ",'vpc':99}", "stored object 20: field 'vpc' refers to object 99, which is no vpc" },
        { 20, "{'type':'rtb'," ID5 ",'vpc':12}", "field 'vpc' refers to object 12, which is no vpc" },
        { 20, "{'type':'rtb','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c9','tenant':10,'vpc':10}",
          "field 'tenant' refers to object 10, which is no tenant" },
        { 20, "{'type':'rtb'," ID5 ",'vpc':10,'main':true}", "field 'main' is object 11's too" },
        { 20, "{'type':'rtb'," ID5 ",'vpc':10,'main':1}", "field 'main': main '1' is neither true nor false" },
        { 20, "{'type':'rtb'," ID5 ",'name':'v','vpc':10}", "field 'name' is object 11's too" },
        { 20, "{'type':'rtb'," ID1 ",'vpc':10}", "field 'id' is object 10's too" },
        { 20, "{'type':'vpc'," ID5 ",'cidr':'10.0.0.0/16','vni':7}", "field 'vni' is object 10's too" },
        { 20, "{'type':'vpc'," ID5 ",'cidr':'10.0.0.0/16','vni':0}", "field 'vni'" },
        { 20, "{'type':'vpc'," ID5 ",'cidr':'10.0.0.1/16','vni':9}", "field 'cidr': cidr '10.0.0.1/16' has host bits set" },
        { 20, "{'type':'port'," ID5 ",'subnet':12,'mac':'02:00:00:00:00:02','ips':['10.0.1.3']}", "field 'ips' is object 13's too" },
        { 20, "{'type':'port'," ID5 ",'subnet':12,'mac':'02:00:00:00:00:01','ips':['10.0.1.4']}", "field 'mac' is object 13's too" },
        { 20, "{'type':'port'," ID5 ",'subnet':12,'mac':'02:00:00:00:00:02'}", "field 'ips' is missing" },
        { 20, "{'type':'port'," ID5 ",'subnet':12,'mac':'02:00:00:00:00:02','ips':[null]}", "field 'ips'" },
        { 20, "{'type':'port'," ID5 ",'subnet':12,'mac':'02:00:00:00:00:02','ips':['10.0.1.4'],'sg':[5,5]}", "field 'sg'" },
        { 20, "{'type':'route'," ID5 ",'rtb':11,'prefix':'0.0.0.0/0','target':{'port':12}}",
          "field 'target' refers to object 12, which is no port" },
        { 20, "{'type':'route'," ID5 ",'rtb':11,'prefix':'0.0.0.0/0','target':'igw'}", "field 'target' is no target" },
        { 20, "{'type':'route'," ID5 ",'rtb':11,'prefix':'0.0.0.0/0','target':{'igw':13}}",
          "field 'target' refers to object 13, which is no igw" },
        { 20, "{'type':'route'," ID5 ",'rtb':11,'prefix':'0.0.0.0/0','target':{'natgw':0}}", "field 'target' is no object's number" },
        { 20, "{'type':'route'," ID5 ",'rtb':11,'prefix':'0.0.0.0/0','target':'none'}", "field 'target' is no target" },
        { 20, "{'type':'pool'," ID5 ",'name':'o'}", "field 'tenant' is wrong for a pool" },
        { 20, "{'type':'pool'," ID6 ",'cidr':'203.0.113.0/24','uplink':'u','range':'203.0.113.2-203.0.113.9'}",
          "field 'gateway' is missing" },
        { 20, "{'type':'pool'," ID6 ",'cidr':'203.0.113.0/24','uplink':'u','gateway':'203.0.113.1'}", "field 'range' is missing" },
        { 20, "{'type':'pool'," ID6 ",'cidr':'203.0.113.0/24','uplink':'u','gateway':'203.0.113.1','range':'203.0.113.2-203.0.113.1'}",
          "field 'range': range '203.0.113.2-203.0.113.1' ends before it begins" },
        { 20,
          "{'type':'pool'," ID6 ",'cidr':'203.0.113.0/24','uplink':'u','gateway':'203.0.113.1','range':'203.0.113.2-203.0.113.9',"
          "'vlan':0}",
          "field 'vlan': vlan '0' is no whole number" },
        { 20, "{'type':'eip'," ID5 ",'pool':12,'ip':'203.0.113.2'}", "field 'pool' refers to object 12, which is no pool" },
        { 20, "{'type':'eip'," ID5 ",'pool':12}", "field 'ip' is missing" },
        { 20, "{'type':'eip'," ID5 ",'pool':12,'ip':'203.0.113.2','attached':{'igw':12}}", "field 'attached' is no target" },
        { 20, "{'type':'eip'," ID5 ",'pool':12,'ip':'203.0.113.2','attached':'blackhole'}", "field 'attached' is no target" },
        { 20, "{'type':'igw'," ID5 ",'vpc':11}", "field 'vpc' refers to object 11, which is no vpc" },
        { 20, "{'type':'natgw'," ID5 ",'name':'n','subnet':12,'ports':'9-1'}", "field 'ports': ports '9-1' is no range of ports" },
        { 1, "{'type':'vpc'," ID5 ",'cidr':'10.0.0.0/16','vni':9}", "stored object 1" },
    };
    struct error err;
    assert_true(load_with(20, "{'type':'host','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c9','name':'h'}", &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (load_with(rows[i].number, rows[i].document, &err))
            fail_msg("loaded: %s", rows[i].document);
        if (!strstr(err.text, rows[i].text))
            fail_msg("%s\n  instead of: %s", err.text, rows[i].text);
    }
}

static void
sg_none_survives_the_store(void **state)
{
    struct lab *lab = *state;
    json_t *document = object_to_store(&lab_port(lab, "web1")->o);
    assert_string_equal(json_member_string(document, "sg"), "none");
    json_decref(document);
    lab_do(lab, "{'op':'set','type':'port','name':'web1','values':{'sg':null}}");
    document = object_to_store(&lab_port(lab, "web1")->o);
    assert_int_equal(json_array_size(json_object_get(document, "sg")), 1);
    json_decref(document);
}

static struct model *
load_all(struct model *from)
{
    struct model *m = model_new();
    struct error err;
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        for (const struct object *o = NULL; (o = model_next(from, c->type, o ? o->number : 0));) {
            json_t *document = object_to_store(o);
            assert_true(model_load_object(m, o->number, document, &err));
            json_decref(document);
        }
    if (!model_load_finish(m, &from->sequences, &err))
        fail_msg("%s", err.text);
    return m;
}

static void
assert_stored(const struct lab *lab, enum object_type type, const char *name, const char *expected)
{
    json_t *document = object_to_store(lab_find(lab, type, name));
    json_object_del(document, "id");
    json_object_del(document, "created");
    json_object_del(document, "tenant");
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *wanted = lab_json(expected);
    if (!json_equal(document, wanted))
        fail_msg("%s", text);
    json_decref(wanted);
    free(text);
    json_decref(document);
}

static void
the_way_out_survives_the_store(void **state)
{
    struct lab *lab = *state;
    struct error err;
    lab_begin(lab);
    lab_do(lab, "{'op':'add','type':'pool','name':'o','values':{'cidr':'203.0.113.0/29','uplink':'u','vlan':7}}");
    lab_do(lab, "{'op':'add','type':'igw','values':{'vpc':'a'}}");
    lab_do(lab, "{'op':'add','type':'natgw','name':'n','values':{'subnet':'web','ports':'5000-5007'}}");
    lab_do(lab, OP_ROUTE, "a", "192.0.2.0/24", "igw");
    lab_do(lab, OP_ROUTE, "a", "198.51.100.0/24", "natgw:n");
    lab_do(lab, "{'op':'add','type':'eip','values':{'pool':'o','attached':'natgw:n'}}");
    lab_do(lab, "{'op':'add','type':'eip','values':{'pool':'o'}}");
    lab_commit(lab);
    char expected[300];
    uint32_t rtb = lab_find(lab, OBJECT_RTB, "a")->number, pool = lab_find(lab, OBJECT_POOL, "o")->number;
    assert_stored(lab, OBJECT_POOL, "o",
                  "{'type':'pool','name':'o','cidr':'203.0.113.0/29','uplink':'u','gateway':'203.0.113.1',"
                  "'range':'203.0.113.2-203.0.113.6','vlan':7}");
    snprintf(expected, sizeof expected, "{'type':'route','rtb':%u,'prefix':'192.0.2.0/24','target':{'igw':%u}}", rtb,
             lab_find(lab, OBJECT_IGW, "a")->number);
    assert_stored(lab, OBJECT_ROUTE, "a/192.0.2.0/24", expected);
    snprintf(expected, sizeof expected, "{'type':'eip','ip':'203.0.113.2','pool':%u,'attached':{'natgw':%u}}", pool,
             lab_find(lab, OBJECT_NATGW, "n")->number);
    assert_stored(lab, OBJECT_EIP, "203.0.113.2", expected);
    snprintf(expected, sizeof expected, "{'type':'eip','ip':'203.0.113.3','pool':%u}", pool);
    assert_stored(lab, OBJECT_EIP, "203.0.113.3", expected);

    struct model *m = load_all(lab->m);
    const struct natgw *n = model_natgw(m, lab_find(lab, OBJECT_NATGW, "n")->number);
    assert_true(n->ports.lo == 5000 && n->ports.hi == 5007 && n->vpc == lab_find(lab, OBJECT_VPC, "a")->number);
    assert_true(ip_equal(model_eip(m, model_eip_of(m, n->o.number))->ip, ip4(0xcb007102)));
    assert_true(model_subnet_reaches_igw(m, model_subnet(m, n->subnet)));

    struct transaction_origin origin = { .principal = lab->who, .random = lab_random, .random_aux = lab };
    struct transaction *t = transaction_begin(m, &origin);
    json_t *op = lab_json("{'op':'add','type':'eip','values':{'pool':'o'}}"), *result;
    assert_true(transaction_op(t, op, &result, &err));
    assert_string_equal(json_member_string(result, "name"), "203.0.113.4");
    json_decref(result);
    json_decref(op);
    transaction_abort(t);
    model_free(m);
}

static void
a_targets_schema_says_what_may_be_given(void **state)
{
    json_t *schema = schema_json(), *type, *column;
    size_t i, j;
    json_array_foreach (schema, i, type)
        json_array_foreach (json_object_get(type, "columns"), j, column) {
            bool is_target = !strcmp(json_member_string(column, "kind"), "target");
            assert_int_equal(json_object_get(column, "targets") != NULL, is_target);
            json_t *expected = lab_json(strcmp(json_member_string(type, "type"), "eip") ? "['port:NAME','igw','natgw:NAME','blackhole']"
                                                                                        : "['port:NAME','natgw:NAME','lb:NAME','none']");
            assert_true(!is_target || json_equal(json_object_get(column, "targets"), expected));
            json_decref(expected);
        }
    json_decref(schema);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_object_shows_all_columns_in_order),
        TEST(chosen_columns_come_in_the_order_asked),
        TEST(filters_compare_as_the_manual_says),
        TEST(a_filter_on_an_unknown_column_is_refused),
        TEST(the_schema_lists_every_type_and_column),
        TEST(fields_of_a_newer_version_are_kept),
        TEST(a_damaged_document_is_refused_by_number_and_field),
        TEST(sg_none_survives_the_store),
        TEST(the_way_out_survives_the_store),
        TEST(a_targets_schema_says_what_may_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
