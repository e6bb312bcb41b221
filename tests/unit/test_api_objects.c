/* Objects over HTTP: pages, changes, filters, figures. */
#include "tests/unit/api_lab.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/unit/controller_switch.h"

static void
pages_follow_each_other_with_all_that_was_asked(void **state)
{
    struct controller_lab *lab = *state;
    char ops[8192] = "[";
    for (int i = 0; i < 25; i++)
        sprintf(ops + strlen(ops), "%s{'op':'add','type':'port','name':'q%02d','values':{'subnet':'s'}}", i ? "," : "", i);
    strcat(ops, "]");
    controller_lab_do(lab, ops);
    struct api_client *c = api_client_new(lab, false);
    char path[256] = "/v1/port?limit=10&columns=name&where=source_dest_check=true";
    int n = 0, pages = 0;
    while (*path) {
        struct error err;
        struct answer a = api_client_ask(c, "GET", path, NULL);
        assert_int_equal(a.status, 200);
        json_t *list = json_parse(a.body, strlen(a.body), "page", &err);
        n += (int) json_array_size(list);
        assert_int_equal(json_object_size(json_array_get(list, 0)), 1);
        const char *link = strstr(a.head, "Link: <");
        snprintf(path, sizeof path, "%.*s", link ? (int) strcspn(link + 7, ">") : 0, link ? link + 7 : "");
        json_decref(list);
        answer_done(&a);
        if (++pages == 1) /* what the first page ended with may go meanwhile */
            controller_lab_do(lab, "[{'op':'del','type':'port','name':'q08'}]");
    }
    assert_int_equal(pages, 3);
    assert_int_equal(n, 26);
    api_client_free(c);
}

/* What a client that follows the pages has gone through. */
struct read_pages {
    size_t n_pages, n_rows, n_empty, most_rows, most_bytes;
};

static struct read_pages
read_pages(struct controller_lab *lab, const char *first)
{
    struct read_pages r = { 0 };
    struct api_client *c = api_client_new(lab, false);
    char path[256];
    snprintf(path, sizeof path, "%s", first);
    while (*path) {
        struct error err;
        struct answer a = api_client_ask(c, "GET", path, NULL);
        assert_int_equal(a.status, 200);
        json_t *list = json_parse(a.body, strlen(a.body), "page", &err);
        size_t n = json_array_size(list), n_bytes = strlen(a.body);
        r.n_pages++;
        r.n_rows += n;
        r.n_empty += !n;
        r.most_rows = n > r.most_rows ? n : r.most_rows;
        r.most_bytes = n_bytes > r.most_bytes ? n_bytes : r.most_bytes;
        const char *link = strstr(a.head, "Link: <");
        snprintf(path, sizeof path, "%.*s", link ? (int) strcspn(link + 7, ">") : 0, link ? link + 7 : "");
        json_decref(list);
        answer_done(&a);
    }
    api_client_free(c);
    return r;
}

/* So many tenants, each with so many tags of 256 bytes. */
static void
add_tenants(struct controller_lab *lab, const char *prefix, int n, int n_tags)
{
    char value[257];
    struct bytes ops = BYTES_INIT;
    memset(value, 'x', 256);
    value[256] = '\0';
    for (int i = 0; i < n; i++) {
        char op[200];
        int length = snprintf(op, sizeof op, "%s{'op':'add','type':'tenant','name':'%s%d','values':{'tags':{", i ? "," : "[", prefix, i);
        bytes_put(&ops, op, (size_t) length);
        for (int k = 0; k < n_tags; k++) {
            char tag[300];
            length = snprintf(tag, sizeof tag, "%s'k%d':'%s'", k ? "," : "", k, value);
            bytes_put(&ops, tag, (size_t) length);
        }
        bytes_put(&ops, "}}}", 3);
    }
    bytes_put(&ops, "]", 2);
    controller_lab_do(lab, (const char *) ops.data);
    bytes_done(&ops);
}

static void
a_page_has_at_most_a_thousand_rows_whatever_is_asked_for(void **state)
{
    needs_root();
    add_tenants(*state, "t", 2100, 0);
    static const char *const asked[] = { "/v1/tenant?columns=name", "/v1/tenant?columns=name&limit=100000", "/v1/tenant" };
    for (size_t i = 0; i < 3; i++) {
        struct read_pages r = read_pages(*state, asked[i]);
        assert_int_equal(r.n_rows, 2101);
        assert_int_equal(r.n_pages, 3);
        assert_int_equal(r.most_rows, 1000);
    }
}

static void
a_page_has_at_most_half_a_mebibyte_and_a_row(void **state)
{
    needs_root();
    add_tenants(*state, "t", 250, 50);
    struct read_pages r = read_pages(*state, "/v1/tenant");
    assert_int_equal(r.n_rows, 251);
    assert_in_range(r.n_pages, 6, 9);
    assert_in_range(r.most_bytes, 512 << 10, (512 + 20) << 10);
    r = read_pages(*state, "/v1/tenant?where=tags:k49=none&where=name=default");
    assert_int_equal(r.n_rows, 1);

    struct bytes path = BYTES_INIT;
    bytes_put(&path, "/v1/tenant?", 11);
    for (int i = 0; i < 250; i++)
        bytes_put(&path, "name=t0&", 8);
    bytes_put(&path, "columns=", 9);
    struct api_client *c = api_client_new(*state, false);
    struct answer a = api_client_ask(c, "GET", (const char *) path.data, NULL);
    expect_error(&a, 413, "fewer names");
    answer_done(&a);
    api_client_free(c);
    bytes_done(&path);
}

static void
a_request_looks_at_a_bounded_number_of_objects_and_the_next_goes_on(void **state)
{
    needs_root();
    add_tenants(*state, "t", 10500, 0);
    struct read_pages r = read_pages(*state, "/v1/tenant?where=name=t10400&columns=name");
    assert_int_equal(r.n_rows, 1);
    assert_int_equal(r.n_pages, 2);
    assert_int_equal(r.n_empty, 1);
}

static void
objects_are_added_shown_changed_and_deleted(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *word;
    } steps[] = {
        { "POST", "/v1/rtb", "{'name':'t','vpc':'v'}", 201, "\"t\"" },
        { "POST", "/v1/route", "{'rtb':'t','prefix':'192.0.2.0/24','target':'blackhole'}", 201, "192.0.2.0/24" },
        { "GET", "/v1/route/t%2F192.0.2.0%2F24", NULL, 200, "blackhole" },
        { "PATCH", "/v1/port/p", "{'source_dest_check':false}", 200, "\"source_dest_check\":false" },
        { "PATCH", "/v1/port/p", "{'name':'q'}", 400, "name cannot be changed" },
        { "PATCH", "/v1/port/p", "{'id':'01234567-89ab-4cde-8f01-23456789abcd'}", 400, "id cannot be changed" },
        { "GET", "/v1/port?where=subnet=s&name=p", NULL, 200, "\"p\"" },
        { "GET", "/v1/port?where=subnet=other&name=p", NULL, 200, "[]" },
        { "PATCH", "/v1/tenant/default", "{'quotas':{'port':9}}", 200, "\"port\":9" },
        { "GET", "/v1/tenant?where=quotas:port=9&columns=name", NULL, 200, "[{\"name\":\"default\"}]" },
        { "GET", "/v1/tenant?where=quotas:port=8&columns=name", NULL, 200, "[]" },
        { "DELETE", "/v1/route/t%2F192.0.2.0%2F24", NULL, 204, "" },
        { "GET", "/v1/route/t%2F192.0.2.0%2F24", NULL, 404, "does not exist" },
        { "GET", "/v1/show?vpc=v", NULL, 200, "route table" },
        { "POST", "/v1/pool", "{'name':'inet','cidr':'203.0.113.0/24','uplink':'public'}", 201, "203.0.113.1" },
        { "POST", "/v1/igw", "{'vpc':'v'}", 201, "\"v\"" },
        { "POST", "/v1/natgw", "{'name':'n','subnet':'s'}", 201, "\"exhausted\"" },
        { "POST", "/v1/eip", "{'pool':'inet'}", 201, "\"ip\":\"203.0.113.2\"" },
        { "PATCH", "/v1/eip/203.0.113.2", "{'attached':'port:p'}", 200, "\"attached\":\"port:p\"" },
        { "PATCH", "/v1/eip/203.0.113.2", "{'attached':'natgw:n'}", 409, "attached to port 'p'" },
        { "PATCH", "/v1/eip/203.0.113.2?move=yes", "{'attached':'natgw:n'}", 400, "'move=yes': write true or false" },
        { "PATCH", "/v1/port/p?move=1", "{'source_dest_check':true}", 400, "'move' is only for set of an eip" },
        { "GET", "/v1/eip/203.0.113.2", NULL, 200, "\"attached\":\"port:p\"" },
        { "PATCH", "/v1/eip/203.0.113.2?move=1", "{'attached':'natgw:n'}", 200, "\"attached\":\"natgw:n\"" },
        { "GET", "/v1/natgw/n", NULL, 200, "\"ip\":\"203.0.113.2\"" },
        { "POST", "/v1/sg", "{'name':'web','vpc':'v'}", 201, "\"default\":false" },
        { "POST", "/v1/sg-rule", "{'sg':'web','direction':'ingress','proto':'tcp','ports':80,'peer':'10.0.0.0/8'}", 201,
          "\"ports\":\"80\"" },
        { "POST", "/v1/sg-rule", "{'sg':'web','direction':'ingress','proto':'tcp','ports':'80-90','peer':'0.0.0.0/0'}", 201, "80-90" },
        { "GET", "/v1/sg-rule?where=sg=web&shadowed=1&columns=peer", NULL, 200, "[{\"peer\":\"10.0.0.0/8\"}]" },
        { "GET", "/v1/sg-rule?where=sg=web&unused=1&columns=direction", NULL, 200,
          "[{\"direction\":\"egress\"},{\"direction\":\"ingress\"},{\"direction\":\"ingress\"}]" },
        { "GET", "/v1/sg-rule?where=sg=v&columns=direction,proto,ports,peer", NULL, 200,
          "{\"direction\":\"ingress\",\"proto\":\"all\",\"ports\":\"-\",\"peer\":\"sg:v\"}" },
        { "GET", "/v1/sg-rule?unused=2", NULL, 400, "'unused=2': write true or false" },
        { "GET", "/v1/sg?unused=1", NULL, 400, "'unused' is unknown" },
        { "GET", "/v1/sg-set", NULL, 404, "no such resource" },
        { "POST", "/v1/tg", "{'name':'pages','vpc':'v','proto':'tcp','port':80,'interval':0.1}", 201, "\"interval\":0.1,\"timeout\":0.05" },
        { "POST", "/v1/target", "{'tg':'pages','port':'p','weight':3}", 201, "\"pages/p\"" },
        { "POST", "/v1/lb", "{'name':'front','subnet':'s'}", 201, "\"ip\":\"10.0.1.4\"" },
        { "POST", "/v1/listener", "{'lb':'front','proto':'tcp','port':443,'tg':'pages'}", 201, "\"front/tcp:443\"" },
        { "PATCH", "/v1/target/pages%2Fp", "{'weight':0}", 200, "\"weight\":0" },
        { "GET", "/v1/listener/front%2Ftcp:443", NULL, 200, "\"tg\":\"pages\"" },
        { "GET", "/v1/tg?where=interval=0.1&columns=name", NULL, 200, "[{\"name\":\"pages\"}]" },
        { "GET", "/v1/show?vpc=v", NULL, 200, "load balancer front: 10.0.1.4\\n            listener tcp:443: target group pages\\n" },
        { "GET", "/v1/show?vpc=v", NULL, 200, "security group v (default)\\n        ingress all from sg:v\\n" },
        { "GET", "/v1/show?vpc=v", NULL, 200, "security group web\\n        egress all to 0.0.0.0/0\\n        ingress tcp 80 from 10" },
        { "GET", "/v1/show?vpc=v", NULL, 200, "target group pages: tcp:80\\n        target p:80: weight 0, initial\\n" },
        { "DELETE", "/v1/port/p", NULL, 409, "target 'pages/p' still refers to it" },
        { "DELETE", "/v1/listener/front%2Ftcp:443", NULL, 204, "" },
        { "POST", "/v1/sync", "{}", 200, "\"confirmed\":true" },
        { "GET", "/v1/verify", NULL, 200, "\"hosts\":[]" },
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct answer a = api_client_ask(c, steps[i].method, steps[i].path, steps[i].body);
        if (a.status != steps[i].status || !strstr(a.body, steps[i].word))
            fail_msg("%s %s: %d %s", steps[i].method, steps[i].path, a.status, a.body);
        answer_done(&a);
    }
    api_client_free(c);
}

static void
the_tree_of_a_large_network_is_cut_and_says_so(void **state)
{
    needs_root();
    struct bytes ops = BYTES_INIT;
    bytes_put(&ops, "[{'op':'add','type':'subnet','name':'wide','values':{'vpc':'v','cidr':'10.0.64.0/18'}}", 86);
    for (int i = 0; i < 6000; i++) {
        char op[200];
        int n = snprintf(op, sizeof op,
                         ",{'op':'add','type':'port','name':'a-name-that-is-as-long-as-names-of-ports-may-be-at-most-%06d',"
                         "'values':{'subnet':'wide'}}",
                         i);
        bytes_put(&ops, op, (size_t) n);
    }
    bytes_put(&ops, "]", 2);
    controller_lab_do(*state, (const char *) ops.data);
    bytes_done(&ops);
    struct api_client *c = api_client_new(*state, false);
    struct answer a = api_client_ask(c, "GET", "/v1/show", NULL);
    assert_int_equal(a.status, 200);
    assert_in_range(strlen(a.body), 512 << 10, 530 << 10);
    assert_non_null(strstr(a.body, "\\n... and more: show one VPC, or list what you look for\\n\"}"));
    answer_done(&a);
    api_client_free(c);
}

static void
a_port_is_answered_as_it_is_shown_at_once_afterwards(void **state)
{
    needs_root();
    static const char observed[] = "\"host\":null,\"state\":\"unbound\",\"reason\":null,\"claimed_by\":[]";
    struct api_client *c = api_client_new(*state, false);
    struct answer added = api_client_ask(c, "POST", "/v1/port", "{'name':'q','subnet':'s'}");
    struct answer shown = api_client_ask(c, "GET", "/v1/port/q", NULL);
    struct answer changed = api_client_ask(c, "PATCH", "/v1/port/q", "{}");
    assert_int_equal(added.status, 201);
    assert_non_null(strstr(shown.body, observed));
    assert_string_equal(added.body, shown.body);
    assert_string_equal(changed.body, shown.body);
    struct answer dry = api_client_ask(c, "POST", "/v1/transactions",
                                       "{'dry_run':true,'ops':[{'op':'add','type':'port','name':'r','values':{'subnet':'s'}}]}");
    const char *result = strstr(dry.body, observed);
    assert_non_null(result);
    assert_non_null(strstr(result + 1, observed)); /* the change's "after" */
    answer_done(&added);
    answer_done(&shown);
    answer_done(&changed);
    answer_done(&dry);
    api_client_free(c);
}

/* Two tenants with a subnet of the same name, and ports and a route in each. */
static void
make_twins(struct controller_lab *lab)
{
    controller_lab_do(lab, "[{'op':'add','type':'tenant','name':'acme'},"
                           "{'op':'add','type':'vpc','name':'v','tenant':'acme','values':{'cidr':'10.0.0.0/16'}},"
                           "{'op':'add','type':'subnet','name':'s','tenant':'acme','values':{'vpc':'v','cidr':'10.0.1.0/24','lease':60}},"
                           "{'op':'add','type':'port','name':'p','tenant':'acme','values':{'subnet':'s','mac':'06:d6:00:00:00:01'}},"
                           "{'op':'add','type':'route','values':{'rtb':'v','prefix':'192.0.2.0/24','target':'port:p'}},"
                           "{'op':'add','type':'route','tenant':'acme','values':{'rtb':'v','prefix':'192.0.2.0/24','target':'port:p'}}]");
}

/* "%s" in the path is the id of that object of the tenant. */
struct found {
    const char *path;
    enum object_type type;
    const char *tenant, *name, *body;
};

static void
expect_found(struct controller_lab *lab, const struct found *f)
{
    char path[300], id[UUID_STRLEN] = "";
    const struct model *m = lab->c.model;
    const struct object *o = f->name ? model_find(m, f->type, f->tenant ? model_tenant(m, f->tenant) : 0, f->name) : NULL;
    struct api_client *c = api_client_new(lab, false);
    snprintf(path, sizeof path, f->path, o ? uuid_format(o->id, id) : "");
    struct answer a = api_client_ask(c, "GET", path, NULL);
    if (a.status != 200 || strcmp(a.body, f->body))
        fail_msg("%s: %d %s, not %s", path, a.status, a.body, f->body);
    answer_done(&a);
    api_client_free(c);
}

#define BOTH "[{\"tenant\":\"default\"},{\"tenant\":\"acme\"}]\n"
#define OF_ACME "[{\"tenant\":\"acme\"}]\n"
#define OF_DEFAULT "[{\"tenant\":\"default\"}]\n"
#define NOTHING "[]\n"

static void
an_id_in_a_condition_means_that_object_alone(void **state)
{
    needs_root();
    make_twins(*state);
    static const struct found rows[] = {
        { "/v1/port?all_tenants=1&columns=tenant&where=subnet=s", OBJECT_NONE, NULL, NULL, BOTH },
        { "/v1/port?all_tenants=1&columns=tenant&where=subnet=%s", OBJECT_SUBNET, "default", "s", OF_DEFAULT },
        { "/v1/port?all_tenants=1&columns=tenant&where=subnet=%s", OBJECT_SUBNET, "acme", "s", OF_ACME },
        { "/v1/port?tenant=acme&columns=tenant&where=subnet=%s", OBJECT_SUBNET, "default", "s", NOTHING },
        { "/v1/port?tenant=acme&columns=tenant&where=subnet=%s", OBJECT_SUBNET, "acme", "s", OF_ACME },
        { "/v1/port?columns=tenant&where=subnet=%s", OBJECT_VPC, "default", "v", NOTHING },
        { "/v1/port?all_tenants=1&columns=tenant&where=sg=v", OBJECT_NONE, NULL, NULL, BOTH },
        { "/v1/port?all_tenants=1&columns=tenant&where=sg=%s", OBJECT_SG, "acme", "v", OF_ACME },
        { "/v1/port?all_tenants=1&columns=tenant&where=tenant=%s", OBJECT_TENANT, NULL, "acme", OF_ACME },
        { "/v1/route?all_tenants=1&columns=tenant&where=target=port:p", OBJECT_NONE, NULL, NULL, BOTH },
        { "/v1/route?all_tenants=1&columns=tenant&where=target=port:%s", OBJECT_PORT, "acme", "p", OF_ACME },
        { "/v1/route?columns=tenant&where=target=port:%s", OBJECT_PORT, "default", "p", OF_DEFAULT },
        { "/v1/route?columns=tenant&where=target=port:%s", OBJECT_SUBNET, "default", "s", NOTHING },
        { "/v1/sg-rule?all_tenants=1&columns=tenant&where=peer=sg:v", OBJECT_NONE, NULL, NULL, BOTH },
        { "/v1/sg-rule?all_tenants=1&columns=tenant&where=peer=sg:%s", OBJECT_SG, "acme", "v", OF_ACME },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_found(*state, &rows[i]);
}

static void
a_condition_is_read_as_a_value_of_the_column_is(void **state)
{
    needs_root();
    make_twins(*state);
    static const struct found rows[] = {
        { "/v1/port?tenant=acme&columns=tenant&where=mac=06:D6:00:00:00:01", OBJECT_NONE, NULL, NULL, OF_ACME },
        { "/v1/subnet?tenant=acme&columns=tenant&where=lease=060", OBJECT_NONE, NULL, NULL, OF_ACME },
        { "/v1/port?columns=tenant&where=state=unbound", OBJECT_NONE, NULL, NULL, OF_DEFAULT },
        { "/v1/port?columns=tenant&where=state=building", OBJECT_NONE, NULL, NULL, NOTHING },
        { "/v1/port?columns=tenant&where=state=active", OBJECT_NONE, NULL, NULL, NOTHING },
        { "/v1/port?columns=tenant&where=state=error", OBJECT_NONE, NULL, NULL, NOTHING },
        { "/v1/sg-rule?columns=tenant&where=ports=-&where=direction=ingress", OBJECT_NONE, NULL, NULL, OF_DEFAULT },
        { "/v1/sg-rule?columns=tenant&where=peer=0.0.0.0/0", OBJECT_NONE, NULL, NULL, OF_DEFAULT },
        { "/v1/sg-rule?columns=tenant&where=ports=8/0", OBJECT_NONE, NULL, NULL, NOTHING },
        { "/v1/route?columns=tenant&where=target=port:nope", OBJECT_NONE, NULL, NULL, NOTHING },
        { "/v1/port?columns=tenant&where=host=none&where=ip=10.0.1.4", OBJECT_NONE, NULL, NULL, NOTHING },
    };
    static const char *const wrong[][2] = {
        { "/v1/port?where=mac=06:D6", "mac '06:D6' is no MAC address" },
        { "/v1/port?where=ip=fd00::zz", "ip 'fd00::zz' is no IP address" },
        { "/v1/port?where=ips=10.0.0", "ips '10.0.0' is no IP address" },
        { "/v1/port?where=source_dest_check=maybe", "source_dest_check 'maybe' is neither true nor false" },
        { "/v1/port?where=state=foo", "state 'foo' is unknown; write unbound, building, active or error" },
        { "/v1/port?where=id=p", "id 'p' is no UUID" },
        { "/v1/subnet?where=lease=soon", "lease 'soon' is no whole number" },
        { "/v1/subnet?where=cidr=10.0.1.5/24", "write 10.0.1.0/24" },
        { "/v1/host?where=connected=yes", "connected 'yes' is unknown; write false or true" },
        { "/v1/host?where=flows=many", "flows 'many' is no whole number" },
        { "/v1/target?where=health=fine", "health 'fine' is unknown; write initial, healthy, unhealthy or draining" },
        { "/v1/tenant?where=quotas:port=many", "quotas:port 'many' is no whole number" },
        { "/v1/route?where=target=p", "target 'p' is no known target; write port:NAME" },
        { "/v1/sg-rule?where=peer=v", "peer 'v' is no peer" },
        { "/v1/sg-rule?where=ports=http", "ports 'http' is neither ports nor an ICMP type" },
        { "/v1/sg-rule?where=proto=carrier", "proto 'carrier' is no protocol" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_found(*state, &rows[i]);
    struct api_client *c = api_client_new(*state, false);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer a = api_client_ask(c, "GET", wrong[i][0], NULL);
        expect_error(&a, 400, wrong[i][1]);
        answer_done(&a);
    }
    api_client_free(c);
}

/* What is asked: the first switch is away, the others are there and have dropped nothing. */
static void
expect_hosts(struct controller_lab *lab, const char *query, const char *body, bool has_more)
{
    struct api_client *c = api_client_new(lab, false);
    char path[200];
    snprintf(path, sizeof path, "/v1/host?columns=name&%s", query);
    struct answer a = api_client_ask(c, "GET", path, NULL);
    if (a.status != 200 || strcmp(a.body, body) || !!strstr(a.head, "rel=\"next\"") != has_more)
        fail_msg("%s: %s%s", query, a.head, a.body);
    answer_done(&a);
    api_client_free(c);
}

static void
a_filter_on_counters_asks_the_switches_first(void **state)
{
    needs_root();
    static const char *const names[] = { "a", "b", "c" };
    struct controller_switch switches[3] = { 0 };
    controller_lab_do(*state, "[{'op':'add','type':'host','name':'a'},{'op':'add','type':'host','name':'b'},"
                              "{'op':'add','type':'host','name':'c','values':{'tags':{'k':'v'}}}]");
    for (size_t i = 1; i < 3; i++)
        controller_switch_connect(&switches[i], *state, names[i], i);
    expect_hosts(*state, "where=drops:tunnel=0", "[{\"name\":\"b\"},{\"name\":\"c\"}]\n", false);
    expect_hosts(*state, "where=drops:tunnel=0&limit=1", "[{\"name\":\"b\"}]\n", true);
    expect_hosts(*state, "where=drops:tunnel=0&limit=2", "[{\"name\":\"b\"},{\"name\":\"c\"}]\n", false);
    expect_hosts(*state, "where=drops:tunnel=0&where=tags:k=v", "[{\"name\":\"c\"}]\n", false);
    expect_hosts(*state, "where=drops:tunnel=1", "[]\n", false);
    expect_hosts(*state, "where=drops=none", "[{\"name\":\"a\"}]\n", false);
    for (size_t i = 1; i < 3; i++)
        controller_switch_disconnect(&switches[i]);
}

static void
a_hosts_figures_are_in_the_metrics(void **state)
{
    static const char *const up[] = { "\nvnet_host_connected{host=\"a\"} 1\n", "\nvnet_host_realised{host=\"a\"} 1\n" };
    struct controller_switch s;
    controller_lab_do(*state, "[{'op':'add','type':'host','name':'a'}]");
    controller_switch_connect(&s, *state, "a", 1);
    controller_switch_confirm(&s);
    struct api_client *c = api_client_new(*state, false);
    struct answer a = api_client_ask(c, "GET", "/metrics", NULL);
    for (size_t i = 0; i < 2; i++)
        assert_non_null(strstr(a.body, up[i]));
    answer_done(&a);
    controller_switch_disconnect(&s);
    a = api_client_ask(c, "GET", "/metrics", NULL);
    assert_non_null(strstr(a.body, "\nvnet_host_connected{host=\"a\"} 0\n"));
    answer_done(&a);
    api_client_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(pages_follow_each_other_with_all_that_was_asked),
        API_TEST(a_page_has_at_most_a_thousand_rows_whatever_is_asked_for),
        API_TEST(a_page_has_at_most_half_a_mebibyte_and_a_row),
        API_TEST(a_request_looks_at_a_bounded_number_of_objects_and_the_next_goes_on),
        API_TEST(objects_are_added_shown_changed_and_deleted),
        API_TEST(the_tree_of_a_large_network_is_cut_and_says_so),
        API_TEST(a_port_is_answered_as_it_is_shown_at_once_afterwards),
        API_TEST(an_id_in_a_condition_means_that_object_alone),
        API_TEST(a_condition_is_read_as_a_value_of_the_column_is),
        API_TEST(a_filter_on_counters_asks_the_switches_first),
        API_TEST(a_hosts_figures_are_in_the_metrics),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
