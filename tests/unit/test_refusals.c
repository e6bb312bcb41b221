/* What a switch refuses is told at the object that it is of, and nowhere else; everything else goes on. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/feed.h"
#include "controller/refusals.h"
#include "tests/unit/api_client.h"
#include "tests/unit/fake_switch.h"

#define NETWORK                                                                                                           \
    "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'},"                                     \
    "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"                                               \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"                                  \
    "{'op':'add','type':'sg','name':'web','values':{'vpc':'v'}},"                                                         \
    "{'op':'add','type':'sg-rule','values':{'id':'" RULE "','sg':'web','direction':'ingress','proto':'tcp','ports':'80'," \
    "'peer':'0.0.0.0/0'}},"                                                                                               \
    "{'op':'add','type':'route','values':{'rtb':'v','prefix':'10.9.0.0/16','target':'blackhole'}},"                       \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s','sg':['web']}}]"
#define RULE "6a1f3c52-0d0e-4c8e-9d5c-0b8c7f5a1e11"
#define ROUTE "v/10.9.0.0/16"
#define ROUTE_PATH "/v1/route/v%2F10.9.0.0%2F16"
#define RULE_PATH "/v1/sg-rule/" RULE
#define PORT_OF_P 9

/* Host h1 with both its sessions: that of OpenFlow is vnetd's own, with a scripted switch. */
struct world {
    struct controller_lab *lab;
    struct fake_switch fake;
    struct hypervisor *h;
};

static uint32_t
number(struct world *w, enum object_type type, const char *name)
{
    uint32_t n = controller_lab_number(w->lab, type, name);
    assert_true(n);
    return n;
}

static bool
is_ready(void *aux)
{
    const struct world *w = aux;
    return w->h->of && !compiler_is_dirty(w->lab->c.compiler, w->h->number);
}

static bool
is_realised(void *aux)
{
    return host_is_realised(((struct world *) aux)->h);
}

static bool
are_three_left_out(void *aux)
{
    return flow_table_n_refused(((struct world *) aux)->h->table) == 3;
}

static bool
is_gone(void *aux)
{
    return !((struct world *) aux)->h->of;
}

/* Its database has told everything, but there is none that could be told what is wanted. */
static void
connect_switch(struct world *w)
{
    static char database;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(hosts_openflow_port(w->lab->c.hosts, 0)),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *) &to, sizeof to), 0);
    evutil_make_socket_nonblocking(fd);
    w->fake.hello_versions = 1u << 6;
    w->fake.dpid = w->h->dpid;
    w->fake.refuses_ct_flush = true;
    fake_switch_start(&w->fake, w->lab->c.base, fd);
    assert_true(controller_lab_until(w->lab, is_ready, w));
    host_zones_flush(w->h);
    w->h->db = (struct ovsdb_session *) (void *) &database;
    host_consider_reconcile(w->h);
    w->h->db = NULL;
    assert_true(w->h->is_reconciling);
    assert_true(controller_lab_until(w->lab, is_realised, w));
}

static void
disconnect_switch(struct world *w)
{
    if (!w->h || !w->h->of)
        return;
    fake_switch_stop(&w->fake);
    w->fake.bev = NULL;
    assert_true(controller_lab_until(w->lab, is_gone, w));
}

static int
start(void **state)
{
    struct error err;
    struct world *w = mem_zalloc(sizeof *w);
    w->lab = controller_lab_start();
    *state = w;
    w->lab->options.openflow = (struct option_list){ .v = { (char[]){ "ptcp:0:127.0.0.1" } }, .n = 1 };
    if (!hosts_listen(w->lab->c.hosts, &err))
        fail_msg("%s", err.text);
    controller_lab_do(w->lab, NETWORK);
    w->h = controller_lab_host(w->lab, "h1");
    w->h->facts = (struct ovsdb_facts){ .encap_ip = ip4(0xc0000201), .encap_type = "geneve", .mtu = 1500 };
    w->h->ports = (struct ovsdb_ports){ .geneve = 1 };
    w->h->has_facts = w->h->has_ports = w->h->has_interfaces = w->h->is_configured = true;
    host_tell_runtime(w->h);
    struct ovsdb_zone zone = { number(w, OBJECT_PORT, "p"), 5 };
    host_zones_told(w->h, &zone, 1);
    controller_lab_connect(w->lab, "h1");
    controller_lab_show(w->lab, "h1", "p", PORT_OF_P);
    w->h->db = NULL;
    return 0;
}

static int
end(void **state)
{
    struct world *w = *state;
    disconnect_switch(w);
    controller_lab_stop(w->lab);
    free(w);
    return 0;
}

/* The column as that principal is shown it; NULL: null. Owned. */
static char *
column_as(struct world *w, const struct principal *p, const char *path, const char *column)
{
    struct error err;
    struct api_client *c = api_client_as(w->lab, p);
    struct answer a = api_client_ask(c, "GET", path, NULL);
    if (a.status != 200)
        fail_msg("%s: %d %s", path, a.status, a.body);
    json_t *object = json_parse(a.body, strlen(a.body), "answer", &err);
    json_t *value = json_object_get(object, column);
    assert_non_null(value);
    char *text = json_is_string(value) ? mem_strdup(json_string_value(value)) : NULL;
    json_decref(object);
    answer_done(&a);
    api_client_free(c);
    return text;
}

static const struct principal admin = { .role = PRINCIPAL_ADMIN, .name = "root" };
static const struct principal tenant = { .role = PRINCIPAL_TENANT, .name = "t", .tenant = "default" };

static void
expect_error(struct world *w, const struct principal *p, const char *path, const char *begin)
{
    char *error = column_as(w, p, path, "error");
    if (!error || strncmp(error, begin, strlen(begin)))
        fail_msg("%s: not '%s...' but '%s'", path, begin, error ? error : "null");
    free(error);
}

static void
expect_none(struct world *w, const char *path)
{
    char *error = column_as(w, &admin, path, "error");
    if (error)
        fail_msg("%s: '%s'", path, error);
}

static bool
rule_is_fine(void *aux)
{
    char *error = column_as(aux, &admin, RULE_PATH, "error");
    bool is_fine = !error;
    free(error);
    return is_fine;
}

static void
refuse_route_and_rule(struct world *w)
{
    w->fake.refuses_flows_of[0] = number(w, OBJECT_ROUTE, ROUTE);
    w->fake.refuses_flows_of[1] = number(w, OBJECT_SG_RULE, RULE);
    connect_switch(w);
}

/* ---- what one switch refuses ---- */

static void
what_is_refused_of_a_route_and_a_rule_is_their_error_and_the_rest_is_there(void **state)
{
    struct world *w = *state;
    expect_none(w, ROUTE_PATH);
    expect_none(w, RULE_PATH);
    refuse_route_and_rule(w);
    expect_error(w, &admin, ROUTE_PATH, "host 'h1': the switch refused to add a flow of table ");
    expect_error(w, &admin, RULE_PATH, "host 'h1': the switch refused to add a flow of table ");
    static const char *const others[] = { "/v1/vpc/v", "/v1/subnet/s", "/v1/rtb/v", "/v1/port/p" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_none(w, others[i]);
    char *state_of_p = column_as(w, &admin, "/v1/port/p", "state");
    assert_string_equal(state_of_p, "active");
    free(state_of_p);
    assert_true(w->fake.n_flows_committed > 10);
    assert_non_null(strstr(host_error(w->h), "its switch refused a flow of "));
    assert_true(controller_lab_until(w->lab, are_three_left_out, w)); /* the rule has a row that finds it, and one that counts */
}

static void
it_is_found_listed_and_in_the_tree(void **state)
{
    struct world *w = *state;
    refuse_route_and_rule(w);
    struct api_client *c = api_client_as(w->lab, &admin);
    struct answer a = api_client_ask(c, "GET", "/v1/sg-rule?where=error=none&columns=id", NULL);
    assert_null(strstr(a.body, RULE));
    answer_done(&a);
    a = api_client_ask(c, "GET", "/v1/route?columns=prefix,error", NULL);
    assert_non_null(strstr(a.body, "\"error\":\"host 'h1': the switch"));
    answer_done(&a);
    a = api_client_ask(c, "GET", "/v1/show", NULL);
    assert_non_null(strstr(a.body, "route 10.9.0.0/16: blackhole, error: host 'h1': the switch"));
    assert_non_null(strstr(a.body, "ingress tcp 80 from 0.0.0.0/0, error: host 'h1': the switch"));
    answer_done(&a);
    api_client_free(c);
}

static void
a_tenant_is_told_the_reason_but_no_hosts_name(void **state)
{
    struct world *w = *state;
    refuse_route_and_rule(w);
    expect_error(w, &tenant, ROUTE_PATH, "a host: the switch refused to add a flow of table ");
    struct api_client *c = api_client_as(w->lab, &tenant);
    struct answer a = api_client_ask(c, "GET", "/v1/show?vpc=v", NULL);
    assert_non_null(strstr(a.body, "error: a host: the switch"));
    assert_null(strstr(a.body, "error: host"));
    answer_done(&a);
    api_client_say(c, "GET /v1/events?after=%llu HTTP/1.1\r\n\r\n", (unsigned long long) feed_last(w->lab->c.feed) - 20);
    assert_true(api_client_hears(c, "\"error\":\"a host: the switch"));
    assert_null(strstr(c->received, "\"error\":\"host"));
    api_client_free(c);
}

static void
what_is_accepted_at_last_is_no_error_and_who_waits_for_that_is_told(void **state)
{
    struct world *w = *state;
    refuse_route_and_rule(w);
    struct api_client *waits = api_client_as(w->lab, &admin);
    api_client_say(waits, "POST /v1/wait HTTP/1.1\r\nContent-Length: 85\r\n\r\n"
                          "{\"type\":\"route\",\"name\":\"" ROUTE "\",\"where\":{\"error\":\"none\"},\"timeout\":4.00000000}");
    controller_lab_do(w->lab, "[{'op':'set','type':'route','name':'" ROUTE "','values':{'target':'port:p'}}]");
    assert_true(controller_lab_until(w->lab, is_realised, w));
    expect_error(w, &admin, ROUTE_PATH, "host 'h1'"); /* refused again */
    assert_non_null(strstr(host_error(w->h), "its switch refused a flow of route "));

    w->fake.refuses_flows_of[0] = 0;
    controller_lab_do(w->lab, "[{'op':'set','type':'route','name':'" ROUTE "','values':{'target':'blackhole'}}]");
    struct answer a = api_client_answer(waits);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    api_client_free(waits);
    expect_none(w, ROUTE_PATH);
    expect_error(w, &admin, RULE_PATH, "host 'h1'");                                    /* the other object's stays, */
    assert_non_null(strstr(host_error(w->h), "its switch refused a flow of sg-rule ")); /* and the host's is about it now */
}

static void
it_stands_while_the_switch_is_away_and_a_new_connection_is_tried(void **state)
{
    struct world *w = *state;
    refuse_route_and_rule(w);
    disconnect_switch(w);
    expect_error(w, &admin, RULE_PATH, "host 'h1'");
    memset(&w->fake, 0, sizeof w->fake);
    connect_switch(w);
    assert_true(controller_lab_until(w->lab, rule_is_fine, w));
    expect_none(w, ROUTE_PATH);
    assert_string_equal(host_error(w->h), "");
}

static void
a_port_is_in_error_until_its_own_flows_are_taken_whatever_else_is_refused(void **state)
{
    struct world *w = *state;
    w->fake.refuses_flows_of[0] = number(w, OBJECT_PORT, "p");
    w->fake.refuses_flows_of[1] = number(w, OBJECT_SG_RULE, RULE);
    connect_switch(w);
    uint32_t p = number(w, OBJECT_PORT, "p");
    assert_int_equal(bindings_status(w->lab->c.bindings, p).state, PORT_ERROR);
    expect_error(w, &admin, "/v1/port/p", "host 'h1': the switch refused");
    w->fake.refuses_flows_of[0] = 0;
    controller_lab_remove(w->lab, "h1", "p");
    controller_lab_add(w->lab, "h1", "p", PORT_OF_P + 1);
    assert_true(controller_lab_until(w->lab, is_realised, w));
    assert_int_equal(bindings_status(w->lab->c.bindings, p).state, PORT_ACTIVE);
    expect_none(w, "/v1/port/p");
    expect_error(w, &admin, RULE_PATH, "host 'h1'");
}

static void
with_the_host_goes_what_it_refused_and_with_the_object_too(void **state)
{
    struct world *w = *state;
    refuse_route_and_rule(w);
    uint32_t rule = number(w, OBJECT_SG_RULE, RULE);
    controller_lab_do(w->lab, "[{'op':'del','type':'sg-rule','name':'" RULE "'}]");
    json_t *error = refusals_error(w->lab->c.refusals, rule, true);
    assert_true(json_is_null(error));
    json_decref(error);
    disconnect_switch(w);
    controller_lab_do(w->lab, "[{'op':'del','type':'host','name':'h1'}]");
    w->h = NULL;
    expect_none(w, ROUTE_PATH);
}

/* ---- of several hosts and blocks ---- */

static void
expect_words(struct world *w, uint32_t object, const char *words)
{
    json_t *error = refusals_error(w->lab->c.refusals, object, true);
    if (words)
        assert_string_equal(json_string_value(error), words);
    else
        assert_true(json_is_null(error));
    json_decref(error);
}

static void
who_refuses_first_is_named_and_the_others_are_counted(void **state)
{
    struct world *w = *state;
    struct refusals *all = w->lab->c.refusals;
    uint32_t p = number(w, OBJECT_PORT, "p"), h1 = number(w, OBJECT_HOST, "h1"), h2 = number(w, OBJECT_HOST, "h2");
    uint64_t admit = cookie_make(FEATURE_ADMIT, OBJECT_PORT, p), l2 = cookie_make(FEATURE_L2, OBJECT_PORT, p);
    refusals_add(all, h2, l2, "no");
    refusals_add(all, h1, l2, "never");
    refusals_add(all, h1, admit, "not here");
    expect_words(w, p, "host 'h2': no (and so 1 more host)");
    refusals_add(all, h2, l2, "no longer");
    expect_words(w, p, "host 'h2': no longer (and so 1 more host)");
    assert_true(refusals_remove(all, h2, l2));
    expect_words(w, p, "host 'h1': not here");
    assert_false(refusals_remove(all, h1, admit));
    expect_words(w, p, "host 'h1': never");
    assert_true(refusals_remove(all, h1, l2));
    expect_words(w, p, NULL);
}

static void
what_is_nobodys_is_no_objects_error(void **state)
{
    struct world *w = *state;
    struct refusals *all = w->lab->c.refusals;
    uint32_t h1 = number(w, OBJECT_HOST, "h1"), h2 = number(w, OBJECT_HOST, "h2");
    refusals_add(all, h1, cookie_make(FEATURE_BASE, OBJECT_NONE, 0), "no");
    refusals_add(all, h1, cookie_make(FEATURE_TUNNEL, OBJECT_HOST, h2), "no");
    refusals_add(all, h1, cookie_make(FEATURE_ROUTE, OBJECT_ROUTE, 4711), "no");
    expect_words(w, 0, NULL);
    expect_words(w, h2, NULL);
    expect_words(w, 4711, NULL);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_refused_of_a_route_and_a_rule_is_their_error_and_the_rest_is_there),
        TEST(it_is_found_listed_and_in_the_tree),
        TEST(a_tenant_is_told_the_reason_but_no_hosts_name),
        TEST(what_is_accepted_at_last_is_no_error_and_who_waits_for_that_is_told),
        TEST(it_stands_while_the_switch_is_away_and_a_new_connection_is_tried),
        TEST(a_port_is_in_error_until_its_own_flows_are_taken_whatever_else_is_refused),
        TEST(with_the_host_goes_what_it_refused_and_with_the_object_too),
        TEST(who_refuses_first_is_named_and_the_others_are_counted),
        TEST(what_is_nobodys_is_no_objects_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
