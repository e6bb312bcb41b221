/* Whose declared ports are: they move with their domain, and go with it. */
#include "controller/instance/declared.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"

#define LOG_MODULE "instance"
#include "base/log.h"

/* ---- moving ---- */

static void
on_moved(void *aux, const struct commit_result *result)
{
    if (!result->ok)
        log_warn("a port whose domain has moved is said to be of its former host: %s", result->err.text);
}

static json_t *
moved_op(const struct controller *c, uint32_t host, const struct port *port)
{
    char id[UUID_STRLEN];
    json_t *op = declared_op("set", uuid_format(port->o.id, id));
    json_object_set_new(op, "values", json_pack("{s:s}", "declared_on", host_by_number(c->hosts, host)->name));
    return op;
}

void
declared_moved(struct controller *c, uint32_t host, struct uuid domain, const struct uuid ports[], size_t n)
{
    char id[UUID_STRLEN];
    uuid_format(domain, id);
    for (size_t i = 0; i < n; i++) {
        const struct object *o = model_get_id(c->model, ports[i]);
        const struct port *port = o ? model_port(c->model, o->number) : NULL;
        if (!port || !port->declared_by || strcmp(port->declared_by, id) || port->declared_on == host)
            continue;
        struct commit_request request = {
            .ops = json_pack("[o]", moved_op(c, host, port)),
            .principal = { .role = PRINCIPAL_ADMIN, .is_agent = true, .name = "vnetd" },
            .tenant = model_get(c->model, o->tenant, OBJECT_TENANT)->name,
            .done = on_moved,
        };
        commit_submit(c->commits, &request);
    }
}

/* ---- removing ---- */

struct removal {
    struct controller *controller;
    uint32_t host;
    char domain[UUID_STRLEN]; /* whose ports go; "": those of all that is_known() does not know */
    bool (*is_known)(void *aux, struct uuid);
    void *aux;
    bool is_late;
    uint32_t *ports;
    size_t n, cap;
};

/* Is it in use? Late after the host has listed its domains another may have come there. */
static bool
is_bound(const struct removal *r, uint32_t port)
{
    uint32_t host = bindings_status(r->controller->bindings, port).host;
    return host && (r->is_late || host != r->host);
}

static bool
removal_see(void *aux, const struct object *o)
{
    struct removal *r = aux;
    struct uuid id;
    const struct port *port = (const void *) o;
    if (!port->declared_by || !uuid_parse(port->declared_by, &id))
        return true;
    if (*r->domain ? strcmp(r->domain, port->declared_by) != 0 : r->is_known(r->aux, id) || is_bound(r, o->number))
        return true;
    r->ports = mem_grow(r->ports, &r->cap, r->n + 1, sizeof *r->ports);
    r->ports[r->n++] = o->number;
    return true;
}

static void
on_removed(void *aux, const struct commit_result *result)
{
    if (!result->ok)
        log_warn("a port whose domain is gone stays: %s", result->err.text);
}

/* Each by itself: one that something still refers to keeps none of the others. */
static void
remove_one(struct controller *c, uint32_t number)
{
    char id[UUID_STRLEN];
    const struct object *o = model_get(c->model, number, OBJECT_PORT);
    const struct object *tenant = model_get(c->model, o->tenant, OBJECT_TENANT);
    json_t *op = declared_op("del", uuid_format(o->id, id));
    json_object_set_new(op, "if_exists", json_true());
    struct commit_request request = {
        .ops = json_pack("[o]", op),
        .principal = { .role = PRINCIPAL_ADMIN, .name = "vnetd" },
        .tenant = tenant->name,
        .done = on_removed,
    };
    commit_submit(c->commits, &request);
}

static void
removal_run(struct removal *r, uint32_t host)
{
    model_each_referrer(r->controller->model, host, OBJECT_PORT, removal_see, r);
    for (size_t i = 0; i < r->n; i++)
        remove_one(r->controller, r->ports[i]);
    free(r->ports);
}

void
declared_remove(struct controller *c, uint32_t host, struct uuid domain, const struct uuid ports[], size_t n)
{
    struct removal r = { .controller = c, .host = host };
    uuid_format(domain, r.domain);
    for (size_t i = 0; i < n; i++) {
        const struct object *o = model_get_id(c->model, ports[i]);
        const struct port *port = o ? model_port(c->model, o->number) : NULL;
        if (port && port->declared_on != host)
            removal_see(&r, o);
    }
    removal_run(&r, host);
}

void
declared_remove_unknown(struct controller *c, uint32_t host, bool is_late, bool (*is_known)(void *, struct uuid), void *aux)
{
    struct removal r = { .controller = c, .host = host, .is_late = is_late, .is_known = is_known, .aux = aux };
    removal_run(&r, host);
}
