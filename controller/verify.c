#include "controller/verify.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/waiter.h"
#include "ofproto/flow/wire.h"

#define VERIFY_WAIT_S 10     /* for the host to confirm what it was sent */
#define VERIFY_TRIES 10      /* readings, while its table keeps changing */
#define DIFFERENCES_MAX 1000 /* told of a host, each; of more, how many */

struct verification {
    struct controller *controller;
    uint32_t host;
    char *name;        /* the host's, which may be deleted meanwhile */
    verify_done *done; /* NULL: it was told that time is up; what is still under way only ends */
    void *aux;
    struct event *deadline;
    struct arena *arena; /* of 'found' */
    const struct spec **found;
    size_t n, cap;
    uint64_t seq; /* the host's wanted_seq when the reading began */
    int tries;
    json_t *differences;
    size_t n_differences;
};

static void verify_begin(struct verification *v);

static void
verify_end(struct verification *v, json_t *report)
{
    if (v->done)
        v->done(v->aux, report);
    json_decref(report);
    event_free(v->deadline);
    free(v->name);
    arena_free(v->arena);
    free(v->found);
    free(v);
}

static json_t *
unchecked(const struct verification *v, const char *reason)
{
    return json_pack("{s:s,s:b,s:s}", "host", v->name, "checked", 0, "reason", reason);
}

static void
not_checked(struct verification *v, const char *reason)
{
    verify_end(v, unchecked(v, reason));
}

static void
time_is_up(evutil_socket_t fd, short what, void *aux)
{
    struct verification *v = aux;
    json_t *report = unchecked(v, "it did not answer in time");
    verify_done *done = v->done;
    v->done = NULL;
    done(v->aux, report);
    json_decref(report);
}

/* ---- reading ---- */

static void
found_add(struct verification *v, const struct spec *spec)
{
    v->found = mem_grow(v->found, &v->cap, v->n + 1, sizeof *v->found);
    v->found[v->n++] = spec;
}

/* A flow that the library cannot decode is still a flow that is there: its raw bytes are compared. */
static const struct spec *
raw_spec(struct verification *v, const struct wire_flow *flow)
{
    struct spec *s = arena_zalloc(v->arena, sizeof *s + flow->key_len + flow->body_len);
    *s = (struct spec){ .cookie = flow->cookie,
                        .priority = flow->priority,
                        .table = flow->table,
                        .kind = SPEC_FLOW,
                        .key_len = flow->key_len,
                        .body_len = flow->body_len };
    memcpy(s->bytes, flow->key, flow->key_len);
    memcpy(s->bytes + flow->key_len, flow->body, flow->body_len);
    return s;
}

static void
read_flow(void *aux, const struct wire_flow *flow)
{
    struct verification *v = aux;
    const struct spec *spec = wire_flow_canonical(flow, v->arena);
    found_add(v, spec ? spec : raw_spec(v, flow));
}

static void
read_spec(void *aux, const struct spec *spec)
{
    struct verification *v = aux;
    found_add(v, arena_memdup(v->arena, spec, spec_size(spec)));
}

/* ---- comparing ---- */

static json_t *
owner_json(const struct verification *v, uint64_t cookie)
{
    const struct object *o = model_get(v->controller->model, cookie_number(cookie), OBJECT_NONE);
    const struct feature *f = feature_by_number(cookie_feature(cookie));
    if (!o)
        return json_string(!cookie_number(cookie) && f ? "the host's own set" : "nothing of vnet");
    char *text = mem_printf("%s %s", object_class(o->type)->name, object_label(v->controller->model, o, v->arena));
    json_t *json = json_string(text);
    free(text);
    return json;
}

static void
difference(void *aux, const struct flow_table_difference *d)
{
    static const char *const words[] = { "missing", "extra", "different" };
    struct verification *v = aux;
    if (v->n_differences++ >= DIFFERENCES_MAX)
        return;
    const struct spec *shown = d->desired ? d->desired : d->found;
    json_t *json = json_pack("{s:s,s:i,s:s,s:o}", "kind", words[d->kind], "table", shown->table, "flow", spec_format(shown, v->arena),
                             "object", owner_json(v, shown->cookie));
    if (d->kind == DIFFERENCE_CHANGED)
        json_object_set_new(json, "found", json_string(spec_format(d->found, v->arena)));
    json_array_append_new(v->differences, json);
}

static void
compare(struct verification *v, const struct hypervisor *h)
{
    struct error err;
    struct flow_table *fresh = compile_from_scratch(v->controller->model, v->controller->runtime, v->host, &err);
    if (!fresh) {
        not_checked(v, err.text);
        return;
    }
    v->differences = json_array();
    v->n_differences = 0;
    flow_table_verify(fresh, v->found, v->n, difference, v);
    flow_table_free(fresh);
    json_t *report =
        json_pack("{s:s,s:b,s:I,s:o}", "host", h->name, "checked", 1, "flows", (json_int_t) v->n, "differences", v->differences);
    if (v->n_differences > DIFFERENCES_MAX)
        json_object_set_new(report, "more", json_integer((json_int_t) (v->n_differences - DIFFERENCES_MAX)));
    verify_end(v, report);
}

static void
read_done(void *aux, bool ok)
{
    struct verification *v = aux;
    struct hypervisor *h = host_by_number(v->controller->hosts, v->host);
    if (!v->done) {
        verify_end(v, NULL);
    } else if (!ok || !h || !h->of) {
        not_checked(v, "its connection was lost while its flows were read");
    } else if (h->wanted_seq == v->seq && host_is_realised(h)) {
        compare(v, h);
    } else if (++v->tries < VERIFY_TRIES) {
        verify_begin(v);
    } else {
        not_checked(v, "its flows kept changing while they were read");
    }
}

/* ---- the order of things ---- */

static void
realised(void *aux, const struct waiter_result *result)
{
    struct verification *v = aux;
    struct hypervisor *h = host_by_number(v->controller->hosts, v->host);
    if (!v->done) {
        verify_end(v, NULL);
        return;
    }
    if (!h || result->n_disconnected) {
        not_checked(v, "it is not connected");
        return;
    }
    if (result->n_unconfirmed) {
        not_checked(v, "it has not confirmed what it was sent");
        return;
    }
    arena_reset(v->arena);
    v->n = 0;
    v->seq = h->wanted_seq;
    struct of_session_read read = {
        .table = 0xff,
        .want_groups_and_meters = true,
        .each_flow = read_flow,
        .each_spec = read_spec,
        .done = read_done,
        .aux = v,
    };
    if (!of_session_read(h->of, &read))
        not_checked(v, "too many readings of it are under way");
}

static void
verify_begin(struct verification *v)
{
    waiter_add(v->controller->waiters, &v->host, 1, VERIFY_WAIT_S, realised, v);
}

void
verify_host(struct controller *c, uint32_t host, double seconds, verify_done *done, void *aux)
{
    const struct hypervisor *h = host_by_number(c->hosts, host);
    struct verification *v = mem_zalloc(sizeof *v);
    *v = (struct verification){ .controller = c,
                                .host = host,
                                .name = mem_strdup(h ? h->name : "?"),
                                .done = done,
                                .aux = aux,
                                .arena = arena_new(),
                                .deadline = evtimer_new(c->base, time_is_up, v) };
    struct timeval tv = { (time_t) seconds, (suseconds_t) ((seconds - (double) (time_t) seconds) * 1e6) };
    evtimer_add(v->deadline, &tv);
    verify_begin(v);
}
