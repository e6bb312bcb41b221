/* What the HTTP interface shows to whom, and lets whom change. */
#include "tests/unit/api_lab.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void
a_reader_sees_everything_and_changes_nothing(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } asked[] = {
        { "GET", "/v1/vpc/v", NULL, 200 },
        { "GET", "/v1/port", NULL, 200 },
        { "GET", "/metrics", NULL, 200 },
        { "GET", "/v1/show", NULL, 200 },
        { "POST", "/v1/sync", "{}", 200 },
        { "POST", "/v1/wait", "{'type':'vpc','name':'v','where':{'name':'v'}}", 200 },
        { "POST", "/v1/vpc", "{'name':'w','cidr':'10.0.0.0/16'}", 403 },
        { "PATCH", "/v1/vpc/v", "{'tags':{}}", 403 },
        { "DELETE", "/v1/port/p", NULL, 403 },
        { "POST", "/v1/transactions", "{'ops':[{'op':'del','type':'port','name':'p'}]}", 403 },
        { "POST", "/v1/transactions", "{'ops':[{'op':'del','type':'port','name':'p'}],'dry_run':true}", 403 },
    };
    needs_root();
    struct api_client *c = api_client_new(*state, true);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct answer a = api_client_ask(c, asked[i].method, asked[i].path, asked[i].body);
        if (a.status != asked[i].status)
            fail_msg("%s %s: %d %s", asked[i].method, asked[i].path, a.status, a.body);
        answer_done(&a);
    }
    api_client_say(c, "POST /v1/wait HTTP/1.1\r\nContent-Length: 65537\r\n\r\n");
    struct answer a = api_client_answer(c);
    expect_error(&a, 413, "65536");
    answer_done(&a);
    api_client_free(c);
}

/* Everything of tenant red, and of the default tenant, but in default's own words; 'theirs' are ids of default's. */
static void
expect_hidden(struct controller_lab *lab, struct api_client *c, const char *vpc, const char *port)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } asked[] = {
        { "GET", "/v1/vpc", NULL, 403 },
        { "GET", "/v1/port?tenant=default", NULL, 403 },
        { "GET", "/v1/vpc/v", NULL, 403 },
        { "GET", "/v1/vpc/v?tenant=red", NULL, 404 },
        { "GET", "/v1/vpc/%s?tenant=red", NULL, 404 },
        { "GET", "/v1/port/%s?tenant=red", NULL, 404 },
        { "GET", "/v1/port?tenant=red&name=%s", NULL, 404 },
        { "GET", "/v1/tenant/default", NULL, 404 },
        { "GET", "/v1/host/h1", NULL, 404 },
        { "GET", "/v1/port?tenant=red&after=%s", NULL, 404 },
        { "GET", "/v1/show", NULL, 403 },
        { "GET", "/v1/verify", NULL, 403 },
        { "GET", "/metrics", NULL, 403 },
        { "POST", "/v1/trace", "{'from':'%s','packet':{'proto':'icmp','dst':'10.0.1.1'}}", 404 },
        { "POST", "/v1/trace", "{'from':'%s','tenant':'red','packet':{'proto':'icmp','dst':'10.0.1.1'}}", 404 },
        { "POST", "/v1/wait", "{'type':'port','name':'%s','tenant':'red','where':{},'timeout':0}", 504 },
        { "POST", "/v1/wait", "{'type':'vpc','name':'v','where':{},'timeout':0}", 504 },
        { "DELETE", "/v1/port/%s?tenant=red", NULL, 404 },
        { "PATCH", "/v1/vpc/%s?tenant=red", "{'tags':{}}", 404 },
        { "POST", "/v1/transactions", "{'tenant':'red','dry_run':true,'ops':[{'op':'del','type':'port','name':'%s'}]}", 404 },
        { "POST", "/v1/transactions", "{'ops':[{'op':'del','type':'port','name':'p'}]}", 403 },
        { "POST", "/v1/transactions", "{'tenant':'red','ops':[{'op':'del','type':'port','name':'p','tenant':'default'}]}", 403 },
        { "POST", "/v1/transactions", "{'tenant':'red','ops':[{'op':'del','type':'host','name':'h1'}]}", 403 },
        { "POST", "/v1/tenant?tenant=red", "{'name':'blue'}", 403 },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char path[256], body[256];
        const char *id = strstr(asked[i].path, "vpc") ? vpc : port;
        /* The tables' own words, each with at most one %s. */
        snprintf(path, sizeof path, "%s", asked[i].path);
        snprintf(body, sizeof body, "%s", asked[i].body ? asked[i].body : "");
        char *at = strstr(path, "%s"), *in = strstr(body, "%s");
        if (at)
            snprintf(at, sizeof path - (size_t) (at - path), "%s%s", id, strstr(asked[i].path, "%s") + 2);
        if (in)
            snprintf(in, sizeof body - (size_t) (in - body), "%s%s", id, strstr(asked[i].body, "%s") + 2);
        struct answer a = api_client_ask(c, asked[i].method, path, body);
        if ((a.status != asked[i].status && !(a.status == 403 && asked[i].status == 404)) || strstr(a.body, "10.0.1.3"))
            fail_msg("%s %s %s: %d %s", asked[i].method, path, body, a.status, a.body);
        answer_done(&a);
    }
}

static void
a_tenant_sees_nothing_of_others(void **state)
{
    static const struct principal red = { .role = PRINCIPAL_TENANT, .name = "r", .tenant = "red" };
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'tenant','name':'red'},{'op':'add','type':'host','name':'h1'},"
                           "{'op':'add','type':'vpc','name':'mine','tenant':'red','values':{'cidr':'10.0.0.0/16'}}]");
    char vpc[UUID_STRLEN], port[UUID_STRLEN];
    uuid_format(model_get(lab->c.model, controller_lab_number(lab, OBJECT_VPC, "v"), OBJECT_VPC)->id, vpc);
    uuid_format(model_get(lab->c.model, controller_lab_number(lab, OBJECT_PORT, "p"), OBJECT_PORT)->id, port);
    struct api_client *c = api_client_as(lab, &red);
    expect_hidden(lab, c, vpc, port);
    struct answer a = api_client_ask(c, "GET", "/v1/vpc?all_tenants=1&columns=name", NULL);
    assert_string_equal(a.body, "[{\"name\":\"mine\"}]\n");
    answer_done(&a);
    a = api_client_ask(c, "GET", "/v1/show?all_tenants=1", NULL);
    assert_non_null(strstr(a.body, "vpc mine"));
    assert_null(strstr(a.body, "vpc v:"));
    assert_null(strstr(a.body, "h1"));
    answer_done(&a);
    a = api_client_ask(c, "GET", "/v1/tenant?columns=name", NULL);
    assert_string_equal(a.body, "[{\"name\":\"red\"}]\n");
    answer_done(&a);
    api_client_say(c, "GET /v1/events?after=0 HTTP/1.1\r\n\r\n");
    assert_true(api_client_hears(c, "\"name\":\"mine\""));
    controller_lab_do(lab, "[{'op':'set','type':'port','name':'p','values':{'source_dest_check':false}},"
                           "{'op':'set','type':'vpc','name':'mine','tenant':'red','values':{'tags':{'last':'one'}}}]");
    assert_true(api_client_hears(c, "\"last\":\"one\""));
    assert_null(strstr(c->received, "\"name\":\"v\""));
    assert_null(strstr(c->received, "\"type\":\"port\""));
    assert_null(strstr(c->received, "\"type\":\"host\""));
    api_client_free(c);
}

/* Those who are refused keep their connections open as long as they may. */
static void
one_principal_has_its_share_and_shuts_nobody_out(void **state)
{
    needs_root();
    static struct api_client *clients[LIMIT_CLIENTS_OF_ONE + LIMIT_CLIENTS_REFUSED + 1];
    size_t n = sizeof clients / sizeof *clients;
    for (size_t i = 0; i < n; i++) {
        clients[i] = api_client_new(*state, true);
        controller_lab_turn(*state);
    }
    struct answer a = api_client_answer(clients[LIMIT_CLIENTS_OF_ONE]);
    expect_error(&a, 503, "too many");
    answer_done(&a);
    a = api_client_ask(clients[LIMIT_CLIENTS_OF_ONE - 1], "GET", "/healthz", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    expect_well(*state);
    assert_true(api_client_is_cut(clients[n - 1]));
    assert_int_equal(clients[n - 1]->n, 0); /* without a word */
    for (size_t i = 0; i < n; i++)
        api_client_free(clients[i]);
    struct api_client *c = api_client_new(*state, true);
    a = api_client_ask(c, "GET", "/healthz", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    api_client_free(c);
}

static void
what_is_left_over_is_removed_by_admins_who_say_what(void **state)
{
    static const char *const unclear[] = { "{}", "{'all':false}", "{'ids':[]}", "{'ids':'x'}", "{'all':true,'ids':['x']}", "{'some':1}" };
    struct controller_lab *lab = *state;
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++)
        assert_int_equal(api_status(lab, "POST", "/v1/orphan-del", unclear[i]), 400);
    assert_int_equal(api_status(lab, "POST", "/v1/orphan-del", "{'ids':['x']}"), 404);
    struct api_client *nobody = api_client_new(lab, true), *admin = api_client_new(lab, false);
    struct answer refused = api_client_ask(nobody, "POST", "/v1/orphan-del", "{'all':true}");
    struct answer done = api_client_ask(admin, "POST", "/v1/orphan-del", "{'all':true}");
    assert_int_equal(refused.status, 403);
    assert_int_equal(done.status, 200);
    assert_non_null(strstr(done.body, "\"removed\":[]"));
    answer_done(&refused);
    answer_done(&done);
    api_client_free(nobody);
    api_client_free(admin);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(a_reader_sees_everything_and_changes_nothing),
        API_TEST(a_tenant_sees_nothing_of_others),
        API_TEST(one_principal_has_its_share_and_shuts_nobody_out),
        API_TEST(what_is_left_over_is_removed_by_admins_who_say_what),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
