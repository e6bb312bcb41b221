/* The HTTP interface as clients find it that are rude, slow or wrong. */
#include "tests/unit/api_lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "controller/chores.h"
#include "controller/feed.h"
#include "controller/feed_text.h"

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
        { "GET", "/v1/vpc/v?where=name=v", NULL, 400, "'where' is unknown here; known are: tenant, columns" },
        { "GET", "/v1/vpc?all_tenants=yes", NULL, 400, "'all_tenants=yes': write true or false" },
        { "GET", "/v1/vpc?limit=1&limit=2", NULL, 400, "'limit' is given twice" },
        { "GET", "/v1/show?all_tenants=yes", NULL, 400, "'all_tenants=yes': write true or false" },
        { "GET", "/v1/show?port=p", NULL, 400, "'port' is unknown here; known are: tenant, vpc, all_tenants" },
        { "GET", "/v1/verify?dry_run=1", NULL, 400, "'dry_run' is unknown here; known are: tenant, host, timeout" },
        { "GET", "/v1/events?type=port", NULL, 400, "'type' is unknown here; known are: tenant, after" },
        { "GET", "/v1/schema?type=port", NULL, 400, "'type' is unknown" },
        { "GET", "/v1/orphan?host=h", NULL, 400, "'host' is unknown" },
        { "GET", "/v1/instance/x?columns=name", NULL, 400, "'columns' is unknown" },
        { "GET", "/v1/instance?bogus=1", NULL, 400, "'bogus' is unknown" },
        { "GET", "/v1/instance?where=bogus=1", NULL, 400, "'bogus' is unknown" },
        { "GET", "/v1/instance?where=name", NULL, 400, "COLUMN=VALUE" },
        { "GET", "/v1/agent/instructions?host=h&beats=maybe", NULL, 400, "'beats=maybe'" },
        { "POST", "/v1/agent/report?bogus=1", "{}", 400, "'bogus' is unknown" },
        { "POST", "/v1/port?bogus=1", "{'name':'q','subnet':'s'}", 400, "'bogus' is unknown here; known are: tenant" },
        { "POST", "/v1/port?dry_run=1", "{'name':'q','subnet':'s'}", 400, "'dry_run' is unknown" },
        { "PATCH", "/v1/port/p?bogus=1", "{}", 400, "'bogus' is unknown here; known are: tenant, move" },
        { "DELETE", "/v1/port/p?dry_run=1", NULL, 400, "'dry_run' is unknown" },
        { "POST", "/v1/transactions?dry_run=1", "{'ops':[]}", 400, "'dry_run' is unknown" },
        { "POST", "/v1/sync?bogus=1", "{}", 400, "'bogus' is unknown" },
        { "POST", "/v1/wait?bogus=1", "{}", 400, "'bogus' is unknown" },
        { "POST", "/v1/trace?bogus=1", "{}", 400, "'bogus' is unknown" },
        { "POST", "/v1/host-token?ttl=1", "{}", 400, "'ttl' is unknown" },
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
        { "POST", "/v1/transactions", "{'ops':[],'results':'x'}", 400, "results" },
        { "POST", "/v1/transactions", "{'ops':[],'results':5}", 400, "results" },
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

/* ---- large ones ---- */

enum { MANY = 2000 };

/* A transaction of MANY sg, or with a port that nothing has at its end. */
static char *
large_body(const char *name, const char *rest)
{
    char *body = mem_alloc(MANY * 128 + 256), *at = body + sprintf(body, "{\"ops\":[");
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "%s{\"op\":\"add\",\"type\":\"sg\",\"name\":\"%s%d\",\"values\":{\"vpc\":\"v\"}}", i ? "," : "", name, i);
    sprintf(at, "%s", rest);
    assert_true(strlen(body) > CHORES_FROM_BYTES);
    return body;
}

static void
say_large(struct api_client *c, char *take_body)
{
    api_client_say(c, "POST /v1/transactions HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", strlen(take_body));
    assert_int_equal(api_client_send(c, take_body, strlen(take_body)), strlen(take_body));
    free(take_body);
}

static void
a_large_transaction_is_answered_as_a_small_one(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    say_large(c, large_body("a", "]}"));
    struct answer a = api_client_answer(c);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"name\":\"a1999\""));
    assert_non_null(strstr(a.body, "\"confirmed\":true"));
    answer_done(&a);
    say_large(c, large_body("b", ",{\"op\":\"del\",\"type\":\"port\",\"name\":\"nobody\"}]}"));
    a = api_client_answer(c);
    expect_error(&a, 404, "nobody");
    assert_non_null(strstr(a.body, "\"op\":2000"));
    answer_done(&a);
    say_large(c, large_body("b", "]"));
    a = api_client_answer(c);
    expect_error(&a, 400, "JSON");
    answer_done(&a);
    say_large(c, large_body("b", "],\"wait\":5}"));
    a = api_client_answer(c);
    expect_error(&a, 400, "wait");
    answer_done(&a);
    api_client_free(c);
}

static bool
has_come(void *lab)
{
    return controller_lab_number(lab, OBJECT_SG, "a1999");
}

/* It has said all that it wanted. And one that is read when vnetd stops is told, or not there any more. */
static void
a_large_transaction_is_done_though_its_client_leaves(void **state)
{
    needs_root();
    struct controller_lab *lab = *state;
    struct api_client *c = api_client_new(lab, false);
    say_large(c, large_body("a", "]}"));
    api_client_free(c);
    assert_true(controller_lab_until(lab, has_come, lab));
    c = api_client_new(lab, false);
    say_large(c, large_body("b", "]}"));
    controller_lab_restart(lab);
    api_client_free(c);
    expect_well(lab);
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

/* What waits for it is bounded, and it is neither closed for that nor told half of what there is. */
static void
a_stream_that_is_not_read_holds_little_and_goes_on_when_it_is(void **state)
{
    enum { EVENTS = 300 };
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
    uint64_t made = feed_texts_made(feed_texts(lab->c.feed));
    for (int i = 0; i < EVENTS; i++) {
        feed_object(lab->c.feed, port);
        controller_lab_turn(lab);
    }
    /* 4 MB in all; vnetd has what it may hold, and the kernel what sockets do. */
    assert_true(feed_texts_made(feed_texts(lab->c.feed)) - made < EVENTS / 4);
    expect_well(lab);
    controller_lab_do(lab, "[{'op':'add','type':'port','name':'last','values':{'subnet':'s'}}]");
    assert_true(api_client_hears(c, "\"name\":\"last\""));
    assert_null(strstr(c->received, "event: reset"));
    int n = 0;
    for (const char *at = c->received; (at = strstr(at, "event: change")); at++)
        n++;
    assert_int_equal(n, EVENTS + 1);
    api_client_free(c);
    expect_well(lab);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(a_request_may_come_byte_by_byte),
        API_TEST(requests_that_come_at_once_are_answered_in_order),
        API_TEST(half_requests_hold_nobody_up_and_are_forgotten_with_their_client),
        API_TEST(a_client_that_ends_its_side_still_gets_its_answers),
        API_TEST(what_is_no_request_is_refused_in_json_and_ends_the_connection),
        API_TEST(a_zero_byte_in_a_request_is_refused),
        API_TEST(what_is_asked_wrongly_is_refused_in_json_and_the_connection_goes_on),
        API_TEST(a_long_message_is_cut_between_characters),
        API_TEST(headers_and_their_number_are_bounded),
        API_TEST(a_body_may_come_in_chunks_and_be_waited_for),
        API_TEST(http_1_0_and_close_end_the_connection_and_head_has_no_body),
        API_TEST(a_large_transaction_is_answered_as_a_small_one),
        API_TEST(a_large_transaction_is_done_though_its_client_leaves),
        API_TEST(a_client_that_never_reads_holds_back_only_itself),
        API_TEST(a_stream_that_is_not_read_holds_little_and_goes_on_when_it_is),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
