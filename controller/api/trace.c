/* What happens to a packet: POST /v1/trace. */
#include "controller/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/host/host.h"

struct tracing {
    const struct call *call;
    const struct controller *controller;
};

/* A table that is still being compiled would tell half the truth. */
static struct flow_table *
table_of(void *aux, uint32_t host)
{
    const struct tracing *t = aux;
    const struct hypervisor *h = host_by_number(t->controller->hosts, host);
    return h && !compiler_is_dirty(t->controller->compiler, host) ? h->table : NULL;
}

static bool
may_see(void *aux, const struct object *o)
{
    const struct tracing *t = aux;
    return call_may_see(t->call, o);
}

/* The port whose packet it is, if the caller may see it. A name is looked up in the tenant asked for; an id finds any tenant's. */
static bool
find_port(const struct call *call, const char *tenant, const char *from, struct trace_origin *origin, struct error *err)
{
    const struct model *m = call->controller->model;
    const struct object *o = model_find(m, OBJECT_PORT, model_tenant(m, tenant), from);
    if (!o || !call_may_see(call, o))
        return error_set(err, ERROR_UNKNOWN, "port '%.100s' does not exist in tenant '%.100s'", from, tenant);
    origin->port = o->number;
    return true;
}

/* Names have no colon. */
static bool
find_outside(const struct call *call, const char *from, const char *colon, struct trace_origin *origin, struct error *err)
{
    char name[LIMIT_NAME + 1];
    size_t n = (size_t) (colon - from);
    snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int) n : 0, from);
    const struct object *o = model_find(call->controller->model, OBJECT_POOL, 0, name);
    if (!o)
        return error_set(err, ERROR_UNKNOWN, "from '%.100s': pool '%.*s' does not exist", from, n < 100 ? (int) n : 100, from);
    if (!ip_parse(colon + 1, &origin->src) || origin->src.family != IP_V4)
        return error_set(err, ERROR_INVALID, "from '%.100s': write POOL:SRC with the IPv4 address that sends", from);
    origin->pool = o->number;
    return true;
}

static bool
find_origin(const struct call *call, const json_t *body, struct trace_origin *origin, struct error *err)
{
    const char *from = json_member_string(body, "from"), *given = json_member_string(body, "tenant");
    const char *colon = from ? strchr(from, ':') : NULL;
    *origin = (struct trace_origin){ .port = 0 };
    if (!from)
        return error_set(err, ERROR_INVALID, "from: missing; it names the port that sends, or POOL:SRC");
    return colon ? find_outside(call, from, colon, origin, err) : find_port(call, given ? given : call->tenant, from, origin, err);
}

void
api_trace(struct call *call)
{
    struct error err;
    struct trace_packet packet;
    struct trace_origin origin;
    struct controller *c = call->controller;
    struct tracing tracing = { call, c };
    const struct trace_network network = { .view = { c->model, c->runtime }, .table = table_of, .may_see = may_see, .aux = &tracing };
    json_t *body = call_body(call, "from packet tenant", &err), *answer = NULL;
    if (body && find_origin(call, body, &origin, &err) && trace_packet_parse(json_object_get(body, "packet"), &packet, &err))
        answer = trace_run(&network, &origin, &packet, &err);
    json_decref(body);
    if (answer)
        call_json(call, 200, answer);
    else
        call_error(call, &err, -1);
}
