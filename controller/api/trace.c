/* What happens to a packet: POST /v1/trace. */
#include "controller/trace.h"

#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/host/host.h"

/* A table that is still being compiled would tell half the truth. */
static struct flow_table *table_of(void *aux, uint32_t host)
{
    const struct controller *c = aux;
    const struct hypervisor *h = host_by_number(c->hosts, host);
    return h && !compiler_is_dirty(c->compiler, host) ? h->table : NULL;
}

/* The port whose packet it is, if the caller may see it. A name is looked up in the tenant asked for; an id finds any tenant's. */
static const struct object *find_port(const struct call *call, const json_t *body, struct error *err)
{
    const struct model *m = call->controller->model;
    const char *from = json_member_string(body, "from"), *given = json_member_string(body, "tenant");
    const char *tenant = given ? given : call->tenant;
    if (!from) {
        error_set(err, ERROR_INVALID, "from: missing; it names the port that sends");
        return NULL;
    }
    const struct object *o = model_find(m, OBJECT_PORT, model_tenant(m, tenant), from);
    if (o && call_may_see(call, o))
        return o;
    error_set(err, ERROR_UNKNOWN, "port '%.100s' does not exist in tenant '%.100s'", from, tenant);
    return NULL;
}

void api_trace(struct call *call)
{
    struct error err;
    struct trace_packet packet;
    struct controller *c = call->controller;
    const struct trace_network network = { .view = { c->model, c->runtime }, .table = table_of, .aux = c };
    json_t *body = call_body(call, "from packet tenant", &err), *answer = NULL;
    const struct object *port = body ? find_port(call, body, &err) : NULL;
    if (port && trace_packet_parse(json_object_get(body, "packet"), &packet, &err))
        answer = trace_run(&network, port->number, &packet, &err);
    json_decref(body);
    if (answer)
        call_json(call, 200, answer);
    else
        call_error(call, &err, -1);
}
