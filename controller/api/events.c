/* Event streams (server-sent events, WHATWG HTML 9.2) and waiting for an object's columns. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/columns.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "vnet/model/model_json.h"

#define TIMEOUT_MAX_S 3600

static bool may_see(const struct call *call, uint32_t tenant)
{
    struct error unused;
    const struct object *o = tenant ? model_get(call->controller->model, tenant, OBJECT_TENANT) : NULL;
    return principal_may(&call->principal, VERB_READ, o ? o->name : NULL, &unused);
}

/* ---- event streams ---- */

struct stream {
    struct call *call;
    struct feed_reader *reader;
    struct event *end;                   /* ends the stream from the loop, not from inside a callback */
};

static void stream_end(evutil_socket_t fd, short what, void *aux)
{
    struct stream *s = aux;
    feed_unsubscribe(s->reader);
    call_stream_end(s->call);
    event_free(s->end);
    free(s);
}

static void stream_gone(void *aux)
{
    struct stream *s = aux;
    event_active(s->end, 0, 0);
}

static void stream_each(void *aux, const struct feed_event *e)
{
    struct stream *s = aux;
    if (!may_see(s->call, e->tenant))
        return;
    json_t *json = feed_event_json(s->call->controller->feed, e);
    char *data = json_text(json);
    char *text = mem_printf("id: %llu\nevent: change\ndata: %s\n\n", (unsigned long long) e->id, data);
    if (!call_stream_write(s->call, text))
        event_active(s->end, 0, 0);
    free(text);
    free(data);
    json_decref(json);
}

void api_events(struct call *call)
{
    const char *after = call_query(call, "after");
    const char *last = evhttp_find_header(evhttp_request_get_input_headers(call->request), "Last-Event-ID");
    struct stream *s = mem_zalloc(sizeof *s);
    uint64_t from = after ? strtoull(after, NULL, 10) : last ? strtoull(last, NULL, 10) : feed_last(call->controller->feed);
    s->call = call;
    s->end = event_new(call->controller->base, -1, 0, stream_end, s);
    call->gone = stream_gone;
    call->aux = s;
    if (!call_stream_begin(call, "text/event-stream") || !call_stream_write(call, ": vnet\n\n")) {
        event_active(s->end, 0, 0);
        return;
    }
    s->reader = feed_subscribe(call->controller->feed, from, stream_each, s);
}

/* ---- wait-until ---- */

struct waiting {
    struct call *call;
    json_t *body;
    const struct object_class *class;
    struct feed_reader *reader;
    struct event *look, *timer;
};

static void waiting_free(struct waiting *w)
{
    feed_unsubscribe(w->reader);
    event_free(w->look);
    if (w->timer)
        event_free(w->timer);
    json_decref(w->body);
    free(w);
}

static const struct object *waiting_object(const struct waiting *w)
{
    const struct controller *c = w->call->controller;
    const char *tenant = json_member_string(w->body, "tenant");
    uint32_t number = w->class->has_tenant ? model_tenant(c->model, tenant ? tenant : w->call->tenant) : 0;
    const struct object *o = model_find(c->model, w->class->type, number, json_member_string(w->body, "name"));
    return o && may_see(w->call, o->tenant) ? o : NULL;
}

static bool all_hold(const struct waiting *w, const json_t *object)
{
    const char *column;
    json_t *value;
    json_object_foreach (json_object_get(w->body, "where"), column, value) {
        struct filter filter = { column, json_string_value(value) };
        if (!filter_matches(&filter, object))
            return false;
    }
    return true;
}

static void waiting_look(evutil_socket_t fd, short what, void *aux)
{
    struct waiting *w = aux;
    if (!w->call->request) {
        call_empty(w->call, 200);
        waiting_free(w);
        return;
    }
    const struct object *o = waiting_object(w);
    json_t *object = o ? columns_object(w->call->controller, o, NULL) : NULL;
    if (object && all_hold(w, object)) {
        call_json(w->call, 200, object);
        waiting_free(w);
        return;
    }
    json_decref(object);
}

static void waiting_each(void *aux, const struct feed_event *e)
{
    struct waiting *w = aux;
    event_active(w->look, 0, 0);
}

static void waiting_gone(void *aux)
{
    struct waiting *w = aux;
    event_active(w->look, 0, 0);
}

static void waiting_timeout(evutil_socket_t fd, short what, void *aux)
{
    struct waiting *w = aux;
    struct error err;
    const char *name = json_member_string(w->body, "name");
    error_set(&err, ERROR_TIMEOUT, "%s '%s' %s in time", w->class->name, name,
              waiting_object(w) ? "did not become so" : "did not appear");
    call_error(w->call, &err, -1);
    waiting_free(w);
}

static bool check_where(const struct object_class *class, const json_t *body, struct error *err)
{
    const char *column;
    json_t *value, *where = json_object_get(body, "where");
    if (!json_is_object(where))
        return error_set(err, ERROR_INVALID, "where: must be an object of COLUMN: VALUE");
    json_object_foreach (where, column, value) {
        struct filter filter = { column, json_string_value(value) };
        if (!filter.value)
            return error_set(err, ERROR_INVALID, "where: the value of '%.100s' must be a string", column);
        if (!filter_check(class, &filter, err))
            return false;
    }
    return true;
}

static const struct object_class *check_wait(const json_t *body, struct error *err)
{
    const char *type = json_member_string(body, "type"), *name = json_member_string(body, "name");
    const struct object_class *class = type ? object_class_by_name(type) : NULL;
    if (!class || !name) {
        error_set(err, ERROR_INVALID, !class ? "type '%.100s' is unknown; GET /v1/schema lists the types"
                                             : "name: missing from the request (%.100s)", type ? type : "");
        return NULL;
    }
    return check_where(class, body, err) ? class : NULL;
}

static bool read_timeout(const json_t *body, double *seconds, struct error *err)
{
    const json_t *timeout = json_object_get(body, "timeout");
    if (!timeout)
        return true;
    *seconds = json_number_value(timeout);
    if (json_is_number(timeout) && *seconds >= 0 && *seconds <= TIMEOUT_MAX_S)
        return true;
    return error_set(err, ERROR_INVALID, "timeout: must be a number of seconds from 0 to %d", TIMEOUT_MAX_S);
}

void api_wait(struct call *call)
{
    struct error err;
    json_t *body = call_body(call, &err);
    double seconds = 30;
    const struct object_class *class = body && read_timeout(body, &seconds, &err) ? check_wait(body, &err) : NULL;
    if (!class) {
        call_error(call, &err, -1);
        json_decref(body);
        return;
    }
    struct waiting *w = mem_zalloc(sizeof *w);
    *w = (struct waiting) { .call = call, .body = body, .class = class };
    struct timeval tv = { (time_t) seconds, (suseconds_t) ((seconds - (time_t) seconds) * 1e6) };
    w->look = event_new(call->controller->base, -1, 0, waiting_look, w);
    w->timer = evtimer_new(call->controller->base, waiting_timeout, w);
    evtimer_add(w->timer, &tv);
    call_patience(call, seconds);
    call->gone = waiting_gone;
    call->aux = w;
    w->reader = feed_subscribe(call->controller->feed, feed_last(call->controller->feed), waiting_each, w);
    event_active(w->look, 0, 0);
}
