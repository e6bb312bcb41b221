/* What a hypervisor's agent asks and tells. Over TLS a host's certificate speaks for that host only; an admin names the host it speaks for
 * (host=NAME), as an agent on vnetd's own machine does. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/connection.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/counting.h"
#include "controller/instance/declared.h"
#include "controller/instance/instances.h"
#include "controller/instance/report_order.h"
#include "controller/instance/sighting.h"

#define WAIT_MAX_S 60

/* ---- for which host ---- */

static bool
agent_host(const struct call *call, uint32_t *host, struct error *err)
{
    const char *given = call_query(call, "host");
    bool is_host = call->principal.role == PRINCIPAL_HOST;
    const char *name = is_host ? call->principal.name : given;
    if (!is_host && !principal_may(&call->principal, VERB_ADMIN, NULL, err))
        return false;
    if (!name)
        return error_set(err, ERROR_INVALID, "host: is missing; whose agent is it?");
    if (is_host && given && strcmp(given, name))
        return error_set(err, ERROR_FORBIDDEN, "the certificate is that of host '%s', not of '%.100s'", name, given);
    const struct hypervisor *h = host_by_name(call->controller->hosts, name);
    if (!h || !h->number)
        return error_set(err, ERROR_UNKNOWN, "host '%.100s' is not known yet: its ovsdb-server has never connected", name);
    *host = h->number;
    return true;
}

/* ---- reports ---- */

static bool
use_report(const struct controller *c, uint32_t host, const json_t *body, struct error *err)
{
    struct hypervisor *h = host_by_number(c->hosts, host);
    const json_t *connections = json_object_get(body, "connections");
    struct open_report counted = { .rows = NULL };
    if (connections && !open_report_read(&counted, connections, err))
        return false;
    if (h && report_order_is_overtaken(h, body)) {
        open_report_done(&counted);
        return true;
    }
    bool ok = instances_report(c->instances, host, body, err);
    if (ok) {
        agents_set_answering(c->agents, host, json_member_bool(body, "answers", false));
        agents_set_underlay(c->agents, host, json_object_get(body, "underlay"));
    }
    if (ok && connections)
        counting_take(c->counting, host, &counted);
    open_report_done(&counted);
    return ok;
}

static void
take_report(struct call *call)
{
    struct error err;
    uint32_t host;
    json_t *body = call_body(call, "run number full instances gone answers underlay connections", &err);
    if (body && agent_host(call, &host, &err) && use_report(call->controller, host, body, &err))
        call_json(call, 200, json_object());
    else
        call_error(call, &err, -1);
    json_decref(body);
}

static void
take_beat(struct call *call)
{
    struct error err;
    uint32_t host;
    json_t *body = call_body(call, "heap_bytes", &err);
    if (body && agent_host(call, &host, &err)) {
        agents_take_beat(call->controller->agents, host, body);
        call_json(call, 200, json_object());
    } else {
        call_error(call, &err, -1);
    }
    json_decref(body);
}

/* ---- declarations ---- */

static void
declared(void *aux, const struct error *err)
{
    struct call *call = aux;
    if (err)
        call_error(call, err, -1);
    else
        call_json(call, 200, json_object());
}

static void
take_declaration(struct call *call)
{
    struct error err;
    uint32_t host;
    json_t *body = call_body(call, "id name tenant ports whole incoming", &err);
    if (body && agent_host(call, &host, &err))
        declared_take(call->controller, host, body, declared, call);
    else
        call_error(call, &err, -1);
    json_decref(body);
}

/* ---- waiting for ports ---- */

struct port_wait {
    struct call *call;
    uint32_t host;
    struct uuid ports[SIGHTING_PORTS_MAX];
    size_t n_ports;
    struct feed_reader *reader;
    struct event *look, *timer;
};

static void
port_wait_end(struct port_wait *w, json_t *take_answer)
{
    call_json(w->call, 200, take_answer);
    feed_unsubscribe(w->reader);
    event_free(w->look);
    event_free(w->timer);
    free(w);
}

/* One port's row; '*is_open': it is still to be waited for. */
static json_t *
port_row(const struct port_wait *w, struct uuid id, bool *is_open)
{
    char text[UUID_STRLEN];
    const struct controller *c = w->call->controller;
    const struct object *o = model_get_id(c->model, id);
    if (!o || o->type != OBJECT_PORT)
        return json_pack("{s:s,s:s}", "id", uuid_format(id, text), "state", "unknown");
    struct port_status status = bindings_status(c->bindings, o->number);
    enum arming arming = bindings_arming(c->bindings, o->number, w->host);
    bool is_here = status.host == w->host;
    *is_open = arming != ARMING_NOT ? arming == ARMING_BUILDING : is_here ? status.state == PORT_BUILDING : !status.host;
    return json_pack("{s:s,s:s,s:s?,s:b}", "id", uuid_format(id, text), "state", port_state_word(status.state), "reason", status.reason,
                     "here", is_here);
}

static json_t *
port_wait_look(const struct port_wait *w, bool *is_open)
{
    json_t *rows = json_array();
    *is_open = false;
    for (size_t i = 0; i < w->n_ports; i++) {
        bool is_waiting = false;
        json_array_append_new(rows, port_row(w, w->ports[i], &is_waiting));
        *is_open = *is_open || is_waiting;
    }
    return json_pack("{s:o,s:b}", "ports", rows, "ready", !*is_open);
}

static void
on_look(evutil_socket_t fd, short what, void *aux)
{
    struct port_wait *w = aux;
    bool is_open;
    json_t *answer = port_wait_look(w, &is_open);
    if (!is_open || !w->call->connection)
        port_wait_end(w, answer);
    else
        json_decref(answer);
}

static void
on_time_over(evutil_socket_t fd, short what, void *aux)
{
    bool is_open;
    port_wait_end(aux, port_wait_look(aux, &is_open));
}

static void
on_change(void *aux, const struct feed_event *e)
{
    struct port_wait *w = aux;
    if (e->type == OBJECT_PORT)
        event_active(w->look, 0, 0);
}

static void
on_waiter_gone(void *aux)
{
    struct port_wait *w = aux;
    event_active(w->look, 0, 0);
}

static bool
read_wait(struct port_wait *w, const json_t *body, double *seconds, struct error *err)
{
    size_t i;
    const json_t *id, *ports = json_object_get(body, "ports"), *timeout = json_object_get(body, "timeout");
    if (!json_is_array(ports) || json_array_size(ports) > SIGHTING_PORTS_MAX)
        return error_set(err, ERROR_INVALID, "ports: must be an array of at most %d UUIDs", SIGHTING_PORTS_MAX);
    json_array_foreach (ports, i, id)
        if (!json_is_string(id) || !uuid_parse(json_string_value(id), &w->ports[w->n_ports++]))
            return error_set(err, ERROR_INVALID, "ports: element %zu is no UUID", i);
    *seconds = json_number_value(timeout);
    if (json_is_number(timeout) && *seconds >= 0 && *seconds <= WAIT_MAX_S)
        return true;
    return error_set(err, ERROR_INVALID, "timeout: must be a number of seconds from 0 to %d", WAIT_MAX_S);
}

static void
wait_for_ports(struct call *call)
{
    struct error err;
    double seconds = 0;
    struct port_wait *w = mem_zalloc(sizeof *w);
    w->call = call;
    json_t *body = call_body(call, "ports timeout", &err);
    bool ok = body && agent_host(call, &w->host, &err) && read_wait(w, body, &seconds, &err);
    json_decref(body);
    if (!ok) {
        call_error(call, &err, -1);
        free(w);
        return;
    }
    struct controller *c = call->controller;
    w->look = event_new(c->base, -1, 0, on_look, w);
    w->timer = evtimer_new(c->base, on_time_over, w);
    struct timeval tv = { (time_t) seconds, (suseconds_t) ((seconds - (time_t) seconds) * 1e6) };
    evtimer_add(w->timer, &tv);
    call->gone = on_waiter_gone;
    call->aux = w;
    call_waits(call);
    w->reader = feed_subscribe(c->feed, feed_last(c->feed), on_change, w);
    event_active(w->look, 0, 0);
}

/* ---- instructions ---- */

#define BEAT_MS 2000 /* also said in words in README.md and man/vnet-agent.8 */

struct instructing {
    struct call *call;
    struct agent_session *session; /* NULL: another stream has taken its place */
    struct event *beat, *end;
};

static void
on_instructing_end(evutil_socket_t fd, short what, void *aux)
{
    struct instructing *in = aux;
    if (in->session)
        agents_leave(in->session);
    call_stream_end(in->call, true);
    event_free(in->beat);
    event_free(in->end);
    free(in);
}

static void
on_agent_gone(void *aux)
{
    struct instructing *in = aux;
    event_active(in->end, 0, 0);
}

static bool
tell(void *aux, const char *event, const char *data)
{
    struct instructing *in = aux;
    char *text = mem_printf("event: %s\ndata: %s\n\n", event, data);
    bool ok = call_stream_write(in->call, text);
    free(text);
    if (!ok)
        event_active(in->end, 0, 0);
    return ok;
}

/* By which each knows that the other does not hang, which a connection does not show. */
static void
on_beat(evutil_socket_t fd, short what, void *aux)
{
    const struct instructing *in = aux;
    if (in->session)
        agents_beat(in->session);
}

static void
drop(void *aux)
{
    struct instructing *in = aux;
    in->session = NULL;
    event_active(in->end, 0, 0);
}

static const struct agent_ops agent_ops = { tell, drop };

static void
instruct(struct call *call)
{
    struct error err;
    uint32_t host;
    if (!agent_host(call, &host, &err)) {
        call_error(call, &err, -1);
        return;
    }
    struct instructing *in = mem_zalloc(sizeof *in);
    in->call = call;
    in->end = event_new(call->controller->base, -1, 0, on_instructing_end, in);
    in->beat = event_new(call->controller->base, -1, EV_PERSIST, on_beat, in);
    call->gone = on_agent_gone;
    call->aux = in;
    call_stream_begin(call, "text/event-stream");
    in->session = agents_enter(call->controller->agents, host, &agent_ops, in);
    if (call_flag(call, "beats"))
        agents_expect_beats(in->session);
    char *hello = mem_printf("{\"beat_ms\": %d}", BEAT_MS);
    tell(in, "hello", hello);
    free(hello);
    struct timeval beat = { BEAT_MS / 1000, BEAT_MS % 1000 * 1000 };
    event_add(in->beat, &beat);
}

/* ---- all of them ---- */

void
api_agent(struct call *call)
{
    static const struct {
        const char *method, *name;
        void (*handle)(struct call *);
    } requests[] = {
        { "POST", "report", take_report },  { "POST", "beat", take_beat },       { "POST", "declare", take_declaration },
        { "POST", "wait", wait_for_ports }, { "GET", "instructions", instruct },
    };
    struct error err;
    const char *method = connection_head(call->connection)->method;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (!strcmp(requests[i].name, call->path[1]) && !strcmp(requests[i].method, method)) {
            requests[i].handle(call);
            return;
        }
    }
    error_set(&err, ERROR_UNKNOWN, "agents ask POST report, beat, declare, wait, and GET instructions; not %.20s %.60s", method,
              call->path[1]);
    call_error(call, &err, -1);
}
