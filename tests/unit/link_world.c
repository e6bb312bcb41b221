#include "tests/unit/link_world.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/instructions.h"
#include "base/alloc.h"

/* ---- its vnetd ---- */

void
link_world_event(struct world *w, const char *text)
{
    struct evbuffer *out = evbuffer_new();
    evbuffer_add_printf(out, "%s\n\n", text);
    evhttp_send_reply_chunk(w->stream, out);
    evbuffer_free(out);
}

/* A request that loses its connection is whoever's has it. */
static void
on_stream_closed(struct evhttp_connection *connection, void *aux)
{
    struct world *w = aux;
    for (size_t i = 0; i < w->n_streams; i++) {
        if (w->streams[i].connection != connection)
            continue;
        if (w->stream == w->streams[i].request)
            w->stream = NULL;
        w->streams[i].connection = NULL;
        evhttp_send_reply_end(w->streams[i].request);
    }
}

static void
on_instructions(struct evhttp_request *request, void *aux)
{
    struct world *w = aux;
    assert_string_equal(evhttp_request_get_uri(request), "/v1/agent/instructions?host=hv1&beats=true");
    assert_true(w->n_streams < sizeof w->streams / sizeof *w->streams);
    w->streams[w->n_streams++] = (struct stream){ request, evhttp_request_get_connection(request) };
    w->stream = request;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_stream_closed, w);
    evhttp_send_reply_start(request, 200, "OK");
    if (w->hello)
        link_world_event(w, w->hello);
}

void
link_world_reply(struct evhttp_request *request, int status, const char *body)
{
    struct evbuffer *out = evbuffer_new();
    evbuffer_add_printf(out, "%s", body);
    evhttp_send_reply(request, status, "word", out);
    evbuffer_free(out);
}

static json_t *
body_of(struct evhttp_request *request)
{
    struct error err;
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    size_t n = evbuffer_get_length(in);
    json_t *body = json_parse((const char *) evbuffer_pullup(in, -1), n, "a request", &err);
    if (!body)
        fail_msg("%s", err.text);
    return body;
}

static void
on_asked(struct evhttp_request *request, void *aux)
{
    struct world *w = aux;
    w->n_declared += strstr(evhttp_request_get_uri(request), "declare") != NULL;
    json_decref(w->asked);
    w->asked = body_of(request);
    switch (w->mood) {
    case ANSWERS: link_world_reply(request, 200, "{\"ready\":true}"); break;
    case REFUSES: link_world_reply(request, 409, "{\"error\":{\"code\":\"conflict\",\"message\":\"no such subnet\"}}"); break;
    case BREAKS: link_world_reply(request, 503, "{\"error\":{\"code\":\"unavailable\",\"message\":\"not now\"}}"); break;
    case HOLDS:
        assert_true(w->n_held < sizeof w->held / sizeof *w->held);
        w->held[w->n_held++] = request;
        break;
    }
}

static void
on_report(struct evhttp_request *request, void *aux)
{
    struct world *w = aux;
    json_decref(w->last_report);
    w->last_report = body_of(request);
    if (!w->report)
        w->report = json_incref(w->last_report);
    size_t n_gone = json_array_size(json_object_get(w->last_report, "gone"));
    w->n_gone += n_gone;
    w->most_gone = n_gone > w->most_gone ? n_gone : w->most_gone;
    w->n_reports++;
    link_world_reply(request, w->is_report_refused ? 503 : 200, "{}");
}

static void
on_beat(struct evhttp_request *request, void *aux)
{
    struct world *w = aux;
    json_t *beat = body_of(request);
    assert_true(json_member_int(beat, "heap_bytes", 0) > 0);
    json_decref(beat);
    w->n_beats++;
    link_world_reply(request, 200, "{}");
}

static void
serve(struct world *w)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    w->http = evhttp_new(w->base);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(w->http, "127.0.0.1", 0);
    assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *) &a, &n), 0);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u", ntohs(a.sin_port));
    evhttp_set_cb(w->http, "/v1/agent/instructions", on_instructions, w);
    evhttp_set_cb(w->http, "/v1/agent/beat", on_beat, w);
    evhttp_set_cb(w->http, "/v1/agent/declare", on_asked, w);
    evhttp_set_cb(w->http, "/v1/agent/wait", on_asked, w);
    evhttp_set_cb(w->http, "/v1/agent/report", on_report, w);
}

/* ---- the agent ---- */

static void
on_turned(void *aux, bool is_up)
{
    struct world *w = aux;
    w->is_up = is_up;
    w->n_ups += is_up;
    w->n_downs += !is_up;
}

int
link_world_start(void **state)
{
    struct error err;
    struct world *w = mem_zalloc(sizeof *w);
    *state = w;
    w->base = event_base_new();
    w->hello = "event: hello\ndata: {}";
    serve(w);
    domains_init(&w->domains);
    struct domain_doc *doc = domain_doc_parse(LINK_WORLD_XML, strlen(LINK_WORLD_XML), &err);
    assert_non_null(doc);
    w->domain = domain_get(&w->domains, doc->id, doc->name, agent_now_ms());
    domain_set_doc(w->domain, doc);
    w->link = vnetd_link_new(w->base, &(struct api_server){ .server = w->url }, &w->domains, &err);
    assert_non_null(w->link);
    vnetd_link_on_turn(w->link, on_turned, w);
    return 0;
}

int
link_world_stop(void **state)
{
    struct world *w = *state;
    vnetd_link_free(w->link);
    for (size_t i = 0; i < w->n_held; i++)
        link_world_reply(w->held[i], 200, "{}");
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    evhttp_free(w->http);
    domains_done(&w->domains);
    event_base_free(w->base);
    json_decref(w->asked);
    json_decref(w->report);
    json_decref(w->last_report);
    free(w);
    return 0;
}

void
link_world_until(struct world *w, bool (*holds)(const struct world *))
{
    int64_t end = agent_now_ms() + BOUND_MS + INSTRUCTIONS_HELLO_MS;
    while (!holds(w)) {
        struct timeval tv = { 0, 20000 };
        if (agent_now_ms() > end)
            fail_msg("it does not come");
        event_base_loopexit(w->base, &tv);
        event_base_dispatch(w->base);
    }
}

bool
link_world_is_up(const struct world *w)
{
    return w->is_up;
}

bool
link_world_has_answer(const struct world *w)
{
    return w->n_answers > 0;
}

void
link_world_connect(struct world *w)
{
    vnetd_link_set_host(w->link, "hv1");
    link_world_until(w, link_world_is_up);
}

void
link_world_on_declared(void *aux, const struct error *err)
{
    struct world *w = aux;
    w->n_answers++;
    w->answered_ms = agent_now_ms();
    w->refusal = err ? *err : (struct error){ .text = "" };
}

void
link_world_declare(struct world *w, unsigned timeout_ms)
{
    w->n_answers = 0;
    vnetd_link_declare(w->link, w->domain, timeout_ms, link_world_on_declared, w);
    link_world_until(w, link_world_has_answer);
}
