/* Requests that take a while: event streams, waiting, an agent's instructions. */
#include "tests/unit/api_lab.h"

#include <signal.h>
#include <string.h>

#include "controller/feed.h"

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
a_wait_reads_its_values_as_the_columns_are(void **state)
{
    struct controller_lab *lab = *state;
    struct api_client *c = api_client_new(lab, false);
    char body[200], id[UUID_STRLEN];
    uuid_format(model_get(lab->c.model, controller_lab_number(lab, OBJECT_SUBNET, "s"), OBJECT_SUBNET)->id, id);
    snprintf(body, sizeof body, "{'type':'port','name':'p','where':{'subnet':'%s'},'timeout':5}", id);
    struct answer a = api_client_ask(c, "POST", "/v1/wait", body);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    a = api_client_ask(c, "POST", "/v1/wait", "{'type':'port','name':'p','where':{'source_dest_check':'maybe'},'timeout':0}");
    expect_error(&a, 400, "source_dest_check");
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(an_event_stream_goes_on_where_it_was_cut),
        API_TEST(a_wait_ends_when_it_holds_or_its_time_is_over_or_its_client_has_gone),
        API_TEST(a_wait_reads_its_values_as_the_columns_are),
        API_TEST(whoever_still_waits_when_vnetd_stops_is_let_go),
        API_TEST(instructions_begin_with_hello_and_go_on_with_beats),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
