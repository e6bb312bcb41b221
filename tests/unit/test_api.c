/* The HTTP interface as clients find it, the rude ones first. */
#include "tests/unit/api_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "controller/feed.h"
#include "tests/unit/controller_switch.h"

#define NETWORK                                                                          \
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"             \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s'}}]"

static int
start(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

/* Only root can be admin on the unix socket, and pose as others. */
static void
needs_root(void)
{
    if (geteuid())
        skip();
}

static void
expect_error(const struct answer *a, int status, const char *word)
{
    struct error err;
    json_t *body = json_parse(a->body, strlen(a->body), "answer", &err);
    const char *message = json_member_string(json_object_get(body, "error"), "message");
    if (a->status != status || !message || !strstr(message, word))
        fail_msg("not %d with '%s' but %s%s", status, word, a->head, a->body);
    assert_non_null(json_member_string(json_object_get(body, "error"), "code"));
    json_decref(body);
}

static void
expect_well(struct controller_lab *lab)
{
    assert_int_equal(api_status(lab, "GET", "/healthz", NULL), 200);
}

/* ---- requests, whole and not ---- */

static void
a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] = "\r\nGET /v1/vpc/v HTTP/1.1\r\nHost: x\r\n\r\n";
    struct api_client *c = api_client_new(*state, false);
    for (const char *p = request; *p; p++)
        api_client_say(c, "%c", *p);
    struct answer a = api_client_answer(c);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "10.0.0.0/16"));
    answer_done(&a);
    api_client_free(c);
}

static void
requests_that_come_at_once_are_answered_in_order(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    api_client_say(c, "GET /v1/vpc/v HTTP/1.1\r\n\r\nPOST /v1/vpc HTTP/1.1\r\nContent-Length: 37\r\n\r\n"
                      "{\"name\":\"w1234\",\"cidr\":\"10.0.0.0/16\"}GET /v1/vpc/w1234 HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n");
    static const int statuses[] = { 200, 201, 200, 200 };
    for (size_t i = 0; i < 4; i++) {
        struct answer a = api_client_answer(c);
        assert_int_equal(a.status, statuses[i]);
        answer_done(&a);
    }
    api_client_free(c);
}

static void
half_requests_hold_nobody_up_and_are_forgotten_with_their_client(void **state)
{
    static const char *const halves[] = { "",
                                          "G",
                                          "GET /v1/vpc HTTP/1.1\r\n",
                                          "GET /v1/vpc HTTP/1.1\r\nHost: x\r\n",
                                          "POST /v1/vpc HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
                                          "POST /v1/vpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{" };
    struct api_client *clients[6];
    for (size_t i = 0; i < 6; i++) {
        clients[i] = api_client_new(*state, false);
        api_client_say(clients[i], "%s", halves[i]);
    }
    expect_well(*state);
    for (size_t i = 0; i < 6; i++)
        api_client_free(clients[i]);
    expect_well(*state);
}

static void
a_client_that_ends_its_side_still_gets_its_answers(void **state)
{
    struct api_client *c = api_client_new(*state, false);
    api_client_say(c, "GET /v1/vpc/v HTTP/1.1\r\n\r\nGET /v1/port HTTP/1.1\r\n\r\n");
    shutdown(c->fd, SHUT_WR);
    for (int i = 0; i < 2; i++) {
        struct answer a = api_client_answer(c);
        assert_int_equal(a.status, 200);
        answer_done(&a);
    }
    assert_true(api_client_is_cut(c));
    api_client_free(c);
}

static void
what_is_no_request_is_refused_in_json_and_ends_the_connection(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *word;
    } wrong[] = {
        { "GARBAGE\r\n\r\n", 400, "METHOD PATH" },
        { "GET /v1/vpc HTTP/2.0\r\n\r\n", 400, "METHOD PATH" },
        { "GET vpc HTTP/1.1\r\n\r\n", 400, "address" },
        { "GET http://x HTTP/1.1\r\n\r\n", 400, "address" },
        { "G\x01T / HTTP/1.1\r\n\r\n", 400, "control character" },
        { "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "':'" },
        { "GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400, "proper name" },
        { "POST /v1/vpc HTTP/1.1\r\nContent-Length: 5x\r\n\r\n", 400, "Content-Length" },
        { "POST /v1/vpc HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "Content-Length" },
        { "POST /v1/vpc HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "twice" },
        { "POST /v1/vpc HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "exclude" },
        { "POST /v1/vpc HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400, "chunked" },
        { "POST /v1/vpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "chunked" },
        { "POST /v1/vpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n", 400, "chunked" },
        { "POST /v1/vpc HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413, "at most" },
        { "POST /v1/vpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413, "more than" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct api_client *c = api_client_new(*state, false);
        api_client_say(c, "%s", wrong[i].request);
        struct answer a = api_client_answer(c);
        expect_error(&a, wrong[i].status, wrong[i].word);
        assert_non_null(strstr(a.head, "Connection: close"));
        answer_done(&a);
        assert_true(api_client_is_cut(c));
        api_client_free(c);
    }
}

static void
a_zero_byte_in_a_request_is_refused(void **state)
{
    static const char request[] = "GET /v1/vpc\0 HTTP/1.1\r\n\r\n";
    struct api_client *c = api_client_new(*state, false);
    api_client_send(c, request, sizeof request - 1);
    struct answer a = api_client_answer(c);
    expect_error(&a, 400, "control character");
    answer_done(&a);
    api_client_free(c);
}

static void
what_is_asked_wrongly_is_refused_in_json_and_the_connection_goes_on(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *word;
    } wrong[] = {
        { "GET", "/nothing", NULL, 404, "/v1/" },
        { "GET", "/v1/", NULL, 404, "no such resource" },
        { "GET", "/v1/nothing", NULL, 404, "no such resource" },
        { "EXPLODE", "/v1/vpc", NULL, 404, "EXPLODE" },
        { "PUT", "/v1/vpc/v", "{}", 404, "PUT" },
        { "GET", "/v1/vpc/v/w/x", NULL, 404, "no such resource" },
        { "GET", "/v1/vpc/%zz", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc/%00", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc/%ff%fe", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc/%", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc/\xc3", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc?tenant=%ff", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc?%00=1", NULL, 400, "well encoded" },
        { "GET", "/v1/vpc/%C3%BC", NULL, 404, "ü" },
        { "GET", "/v1/vpc?nothing=1", NULL, 400, "'nothing'" },
        { "GET", "/v1/vpc?where=name", NULL, 400, "COLUMN=VALUE" },
        { "GET", "/v1/vpc?where=nothing=1", NULL, 400, "nothing" },
        { "GET", "/v1/vpc?columns=nothing", NULL, 400, "nothing" },
        { "GET", "/v1/vpc?columns=,&columns=,", NULL, 400, "twice" },
        { "GET", "/v1/vpc?limit=0", NULL, 400, "limit" },
        { "GET", "/v1/vpc?limit=-1", NULL, 400, "limit" },
        { "GET", "/v1/vpc?limit=+1", NULL, 400, "limit" },
        { "GET", "/v1/vpc?limit=1x", NULL, 400, "limit" },
        { "GET", "/v1/vpc?after=x", NULL, 404, "after" },
        { "GET", "/v1/vpc?after=number:1x", NULL, 404, "after" },
        { "GET", "/v1/vpc?tenant=nobody", NULL, 404, "nobody" },
        { "GET", "/v1/vpc/v?where=name=v", NULL, 400, "single" },
        { "GET", "/v1/show?tenant=nobody", NULL, 404, "nobody" },
        { "GET", "/v1/show?vpc=nothing", NULL, 404, "nothing" },
        { "GET", "/v1/verify?host=nothing", NULL, 404, "nothing" },
        { "GET", "/v1/events?after=x", NULL, 400, "after" },
        { "GET", "/v1/events?after=99999999999999999999", NULL, 400, "after" },
        { "POST", "/v1/wait", "{'type':'vpc','name':'v','where':{'cidr':5}}", 400, "string" },
        { "POST", "/v1/wait", "{'type':'vpc','name':'v','where':{},'timeout':-1}", 400, "timeout" },
        { "POST", "/v1/wait", "{'type':'vpc','name':'v','where':{},'timeout':1e300}", 400, "timeout" },
        { "POST", "/v1/wait", "{'type':'vpc','where':{}}", 400, "name" },
        { "POST", "/v1/wait", "{'type':'port','name':'p','where':{'drops:sg':'1'}}", 400,
          "port 'p': column 'drops:sg' is read from the switch" },
        { "POST", "/v1/wait", "{'type':'natgw','name':'n','where':{'exhausted':'1'}}", 400, "/v1/natgw?where=exhausted=VALUE" },
        { "POST", "/v1/wait", "{'type':'vpc','name':'v','where':{},'wait':1}", 400, "'wait' is unknown" },
        { "POST", "/v1/sync", "{'timeout':'x'}", 400, "timeout" },
        { "POST", "/v1/trace", "{}", 400, "from" },
        { "POST", "/v1/transactions", "", 400, "ops" },
        { "POST", "/v1/transactions", "nonsense", 400, "not JSON" },
        { "POST", "/v1/transactions", "[]", 400, "object" },
        { "POST", "/v1/transactions", "{'ops':{}}", 400, "ops" },
        { "POST", "/v1/transactions", "{'ops':[],'dry_run':'yes'}", 400, "dry_run" },
        { "POST", "/v1/transactions", "{'ops':[],'tenant':5}", 400, "tenant" },
        { "POST", "/v1/transactions", "{'ops':[],'wait':5}", 400, "wait" },
        { "POST", "/v1/transactions", "{'ops':[],'wait':'x'}", 400, "wait" },
        { "POST", "/v1/transactions", "{'ops':[],'dryrun':true}", 400, "'dryrun' is unknown" },
        { "POST", "/v1/transactions", "{'ops':[],'ops':[]}", 400, "JSON" },
        { "POST", "/v1/transactions", "{'ops':[],'o':1}", 400, "'o' is unknown" },
    };
    struct api_client *c = api_client_new(*state, false);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer a = api_client_ask(c, wrong[i].method, wrong[i].path, wrong[i].body);
        expect_error(&a, wrong[i].status, wrong[i].word);
        answer_done(&a);
    }
    api_client_free(c);
}

static void
a_long_message_is_cut_between_characters(void **state)
{
    char path[400] = "/v1/vpc/";
    for (int i = 0; i < 60; i++)
        strcat(path, "%C3%BC");
    strcat(path, "x");
    struct api_client *c = api_client_new(*state, false);
    struct answer a = api_client_ask(c, "GET", path, NULL);
    expect_error(&a, 404, "üüü");
    answer_done(&a);
    api_client_free(c);
}

static void
headers_and_their_number_are_bounded(void **state)
{
    char *long_one = mem_zalloc(10 << 20);
    memset(long_one, 'a', (10 << 20) - 1);
    struct api_client *c = api_client_new(*state, false);
    api_client_say(c, "GET /v1/vpc HTTP/1.1\r\nX: ");
    api_client_send(c, long_one, 10 << 20);
    struct answer a = api_client_answer(c);
    expect_error(&a, 413, "header");
    answer_done(&a);
    api_client_free(c);

    c = api_client_new(*state, false);
    api_client_say(c, "GET /v1/vpc HTTP/1.1\r\n");
    for (int i = 0; i <= 64; i++)
        api_client_say(c, "X%d: x\r\n", i);
    a = api_client_answer(c);
    expect_error(&a, 413, "64");
    answer_done(&a);
    api_client_free(c);
    free(long_one);
}

static void
a_body_may_come_in_chunks_and_be_waited_for(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    api_client_say(c, "POST /v1/vpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb;x=y\r\n{\"name\":\"w\"\r\n");
    api_client_say(c, "15\r\n,\"cidr\":\"10.0.0.0/8\"}\r\n0\r\nTrailer: x\r\n\r\n");
    struct answer a = api_client_answer(c);
    assert_int_equal(a.status, 201);
    answer_done(&a);
    api_client_say(c, "POST /v1/vpc HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 33\r\n\r\n");
    assert_true(api_client_hears(c, "HTTP/1.1 100 Continue\r\n\r\n"));
    a = api_client_answer(c);
    answer_done(&a);
    api_client_say(c, "{\"name\":\"x\",\"cidr\":\"10.0.0.0/16\"}");
    a = api_client_answer(c);
    assert_int_equal(a.status, 201);
    answer_done(&a);
    api_client_free(c);
}

static void
http_1_0_and_close_end_the_connection_and_head_has_no_body(void **state)
{
    static const char *const last[] = { "GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n" };
    for (size_t i = 0; i < 2; i++) {
        struct api_client *c = api_client_new(*state, false);
        api_client_say(c, "%s", last[i]);
        struct answer a = api_client_answer(c);
        assert_string_equal(a.body, "ok\n");
        assert_true(api_client_is_cut(c));
        answer_done(&a);
        api_client_free(c);
    }
    struct api_client *c = api_client_new(*state, false);
    api_client_say(c, "HEAD /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_true(api_client_is_cut(c));
    assert_non_null(strstr(c->received, "Content-Length: 3\r\n\r\nHTTP/1.1 200"));
    api_client_free(c);
}

/* ---- clients that do not read ---- */

static void
a_client_that_never_reads_holds_back_only_itself(void **state)
{
    struct api_client *c = api_client_new(*state, false);
    int size = 4096;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    static const char request[] = "GET /v1/schema HTTP/1.1\r\n\r\n";
    size_t sent = 0, n;
    for (int i = 0; i < 100000; i++, sent += n)
        if ((n = api_client_send(c, request, sizeof request - 1)) < sizeof request - 1)
            break;
    assert_true(sent < 100000 * (sizeof request - 1)); /* vnetd has stopped to take them */
    expect_well(*state);
    api_client_free(c);
    expect_well(*state);
}

static void
a_stream_that_is_not_read_is_cut(void **state)
{
    struct controller_lab *lab = *state;
    char ops[65536] = "[{'op':'set','type':'port','name':'p','values':{'tags':{";
    for (int i = 0; i < LIMIT_TAGS; i++)
        sprintf(ops + strlen(ops), "%s'key%d':'%0255d'", i ? "," : "", i, i);
    strcat(ops, "}}}]");
    controller_lab_do(lab, ops);
    struct api_client *c = api_client_new(lab, false);
    api_client_say(c, "GET /v1/events HTTP/1.1\r\n\r\n");
    assert_true(api_client_hears(c, "vnet"));
    uint32_t port = controller_lab_number(lab, OBJECT_PORT, "p");
    for (int i = 0; i < LIMIT_CLIENT_BUFFER_BYTES / (LIMIT_TAGS * 255) + 100; i++) {
        feed_object(lab->c.feed, port);
        controller_lab_turn(lab);
    }
    assert_true(api_client_is_cut(c));
    assert_null(strstr(c->received + c->n - 8, "0\r\n\r\n"));
    expect_well(lab);
    api_client_free(c);
}

/* ---- who ---- */

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

static void
many_readers_do_not_shut_the_admin_out(void **state)
{
    needs_root();
    static struct api_client *clients[LIMIT_CLIENTS / 2 + 1];
    size_t n = sizeof clients / sizeof *clients;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 2 * n + 100)
        skip();
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (size_t i = 0; i < n; i++) {
        clients[i] = api_client_new(*state, true);
        controller_lab_turn(*state);
    }
    struct answer a = api_client_answer(clients[n - 1]);
    expect_error(&a, 503, "too many");
    answer_done(&a);
    a = api_client_ask(clients[0], "GET", "/healthz", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    expect_well(*state);
    for (size_t i = 0; i < n; i++)
        api_client_free(clients[i]);
    struct api_client *c = api_client_new(*state, true);
    a = api_client_ask(c, "GET", "/healthz", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    api_client_free(c);
}

/* ---- what takes a while ---- */

static void
an_event_stream_goes_on_where_it_was_cut(void **state)
{
    struct controller_lab *lab = *state;
    struct api_client *c = api_client_new(lab, false);
    api_client_say(c, "GET /v1/events HTTP/1.1\r\n\r\n");
    assert_true(api_client_hears(c, ": vnet"));
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'seen','values':{'subnet':'s'}}]");
    assert_true(api_client_hears(c, "\"name\":\"seen\""));
    assert_true(api_client_hears(c, "event: change"));
    unsigned long long id = strtoull(strstr(c->received, "id: ") + 4, NULL, 10);
    api_client_free(c);

    controller_lab_do(lab, "[{'op':'add','type':'port','name':'missed','values':{'subnet':'s'}}]");
    c = api_client_new(lab, false);
    api_client_say(c, "GET /v1/events HTTP/1.1\r\nLast-Event-ID: %llu\r\n\r\n", id);
    assert_true(api_client_hears(c, "\"name\":\"missed\""));
    assert_null(strstr(c->received, "\"name\":\"seen\""));
    assert_null(strstr(c->received, "event: reset"));
    api_client_free(c);

    c = api_client_new(lab, false);
    api_client_say(c, "GET /v1/events?after=5 HTTP/1.1\r\n\r\n");
    assert_true(api_client_hears(c, "event: reset"));
    assert_true(api_client_hears(c, "\"name\":\"missed\""));
    api_client_free(c);
}

static void
a_wait_ends_when_it_holds_or_its_time_is_over_or_its_client_has_gone(void **state)
{
    struct controller_lab *lab = *state;
    static const char wait[] = "{\"type\":\"port\",\"name\":\"q\",\"where\":{\"state\":\"unbound\"},\"timeout\":30}";
    struct api_client *gone = api_client_new(lab, false), *c = api_client_new(lab, false);
    api_client_say(gone, "POST /v1/wait HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", strlen(wait), wait);
    api_client_say(c, "POST /v1/wait HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", strlen(wait), wait);
    api_client_free(gone);
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'q','values':{'subnet':'s'}}]");
    struct answer a = api_client_answer(c);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"name\":\"q\""));
    answer_done(&a);
    a = api_client_ask(c, "POST", "/v1/wait", "{'type':'port','name':'never','where':{},'timeout':0.01}");
    expect_error(&a, 504, "did not appear");
    answer_done(&a);
    a = api_client_ask(c, "POST", "/v1/wait", "{'type':'port','name':'q','where':{'state':'active'},'timeout':0}");
    expect_error(&a, 504, "did not become");
    answer_done(&a);
    api_client_free(c);
}

static void
whoever_still_waits_when_vnetd_stops_is_let_go(void **state)
{
    struct controller_lab *lab = *state;
    static const char wait[] = "{\"type\":\"port\",\"name\":\"q\",\"where\":{},\"timeout\":30}";
    struct api_client *waits = api_client_new(lab, false), *streams = api_client_new(lab, false), *half = api_client_new(lab, false);
    api_client_say(waits, "POST /v1/wait HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", strlen(wait), wait);
    api_client_say(streams, "GET /v1/events HTTP/1.1\r\n\r\n");
    api_client_say(half, "GET /v1/events HT");
    controller_lab_restart(lab);
    assert_true(api_client_is_cut(waits));
    assert_true(api_client_is_cut(streams));
    assert_true(api_client_is_cut(half));
    api_client_free(waits);
    api_client_free(streams);
    api_client_free(half);
}

/* ---- resources ---- */

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
        { "PATCH", "/v1/eip/203.0.113.2?move=yes", "{'attached':'natgw:n'}", 400, "move=1" },
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
        { "GET", "/v1/sg-rule?unused=2", NULL, 400, "unused='2': write 1" },
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
a_key_covers_the_tenant_and_the_whole_body(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    static const char body[] = "{\"ops\":[{\"op\":\"add\",\"type\":\"port\",\"name\":\"k\",\"values\":{\"subnet\":\"s\"}}]}";
    static const struct {
        const char *query;
        const char *wait;
        int status;
    } asked[] = {
        { "", "", 200 },
        { "", "", 200 },
        { "?tenant=other", "", 409 },
        { "", " ", 200 },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        api_client_say(c, "POST /v1/transactions%s HTTP/1.1\r\nIdempotency-Key: one\r\nContent-Length: %zu\r\n\r\n%s%s", asked[i].query,
                       strlen(body) + strlen(asked[i].wait), body, asked[i].wait);
        struct answer a = api_client_answer(c);
        if (a.status != asked[i].status)
            fail_msg("%zu: %d %s", i, a.status, a.body);
        answer_done(&a);
    }
    api_client_free(c);
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

struct keyed {
    const char *method, *path, *key, *body;
    int status;
};

/* The body of the answer, of that status. Owned. */
static char *
ask_keyed(struct api_client *c, const struct keyed *r)
{
    api_client_say(c, "%s %s HTTP/1.1\r\nIdempotency-Key: %s\r\nContent-Length: %zu\r\n\r\n%s", r->method, r->path, r->key, strlen(r->body),
                   r->body);
    struct answer a = api_client_answer(c);
    if (a.status != r->status)
        fail_msg("%s %s under '%s': %d %s", r->method, r->path, r->key, a.status, a.body);
    char *body = mem_strdup(a.body);
    answer_done(&a);
    return body;
}

static void
a_change_repeated_under_its_key_changes_nothing_more(void **state)
{
    needs_root();
    static const struct keyed requests[] = {
        { "POST", "/v1/sg-rule", "add",
          "{\"sg\":\"v\",\"direction\":\"ingress\",\"proto\":\"tcp\",\"ports\":\"22\",\"peer\":\"0.0.0.0/0\"}", 201 },
        { "POST", "/v1/port", "add2", "{\"subnet\":\"s\"}", 201 },
        { "PATCH", "/v1/port/p", "set", "{\"tags\":{\"k\":\"v\"}}", 200 },
        { "DELETE", "/v1/port/p", "del", "", 204 },
    };
    struct controller_lab *lab = *state;
    struct api_client *c = api_client_new(lab, false);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char *first = ask_keyed(c, &requests[i]);
        uint64_t revision = model_revision(lab->c.model);
        char *again = ask_keyed(c, &requests[i]);
        assert_string_equal(first, again);
        assert_int_equal(model_revision(lab->c.model), revision);
        free(first);
        free(again);
    }
    api_client_free(c);
    controller_lab_restart(lab);
    c = api_client_new(lab, false);
    free(ask_keyed(c, &requests[3]));
    free(ask_keyed(c, &(struct keyed){ "DELETE", "/v1/port/p", "another", "", 404 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "add2", "{\"subnet\":\"s\",\"name\":\"x\"}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "PATCH", "/v1/port/p", "add2", "{\"subnet\":\"s\"}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port?tenant=other", "add2", "{\"subnet\":\"s\"}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/transactions", "add2", "{\"ops\":[]}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "", "{\"subnet\":\"s\"}", 400 }));
    api_client_free(c);
}

static void
what_failed_is_tried_again_under_its_key(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    static const char add[] = "{\"subnet\":\"later\",\"name\":\"x\"}";
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "k", add, 404 }));
    controller_lab_do(*state, "[{'op':'add','type':'subnet','name':'later','values':{'vpc':'v','cidr':'10.0.2.0/24'}}]");
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "k", add, 201 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "k", add, 201 }));
    api_client_free(c);
}

/* By which agents know that vnetd does not hang. */
static void
instructions_begin_with_hello_and_go_on_with_beats(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'host','name':'h1'}]");
    controller_lab_connect(lab, "h1");
    struct api_client *c = api_client_new(lab, false);
    api_client_say(c, "GET /v1/agent/instructions?host=h1 HTTP/1.1\r\n\r\n");
    assert_true(api_client_hears(c, "event: hello\ndata: {\"beat_ms\": 2000}\n\n"));
    assert_true(api_client_hears(c, "event: beat\ndata: {}\n\n"));
    assert_true(api_client_hears(c, "event: beat\ndata: {}\n\n"));
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

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_may_come_byte_by_byte),
        TEST(requests_that_come_at_once_are_answered_in_order),
        TEST(half_requests_hold_nobody_up_and_are_forgotten_with_their_client),
        TEST(a_client_that_ends_its_side_still_gets_its_answers),
        TEST(what_is_no_request_is_refused_in_json_and_ends_the_connection),
        TEST(a_zero_byte_in_a_request_is_refused),
        TEST(what_is_asked_wrongly_is_refused_in_json_and_the_connection_goes_on),
        TEST(a_long_message_is_cut_between_characters),
        TEST(headers_and_their_number_are_bounded),
        TEST(a_body_may_come_in_chunks_and_be_waited_for),
        TEST(http_1_0_and_close_end_the_connection_and_head_has_no_body),
        TEST(a_client_that_never_reads_holds_back_only_itself),
        TEST(a_stream_that_is_not_read_is_cut),
        TEST(a_reader_sees_everything_and_changes_nothing),
        TEST(a_tenant_sees_nothing_of_others),
        TEST(many_readers_do_not_shut_the_admin_out),
        TEST(an_event_stream_goes_on_where_it_was_cut),
        TEST(a_wait_ends_when_it_holds_or_its_time_is_over_or_its_client_has_gone),
        TEST(whoever_still_waits_when_vnetd_stops_is_let_go),
        TEST(instructions_begin_with_hello_and_go_on_with_beats),
        TEST(what_is_left_over_is_removed_by_admins_who_say_what),
        TEST(pages_follow_each_other_with_all_that_was_asked),
        TEST(objects_are_added_shown_changed_and_deleted),
        TEST(a_filter_on_counters_asks_the_switches_first),
        TEST(a_key_covers_the_tenant_and_the_whole_body),
        TEST(a_hosts_figures_are_in_the_metrics),
        TEST(a_change_repeated_under_its_key_changes_nothing_more),
        TEST(what_failed_is_tried_again_under_its_key),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
