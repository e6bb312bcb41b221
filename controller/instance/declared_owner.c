/* Whose declared ports are: they move with their domain, and go with it. */
#include "controller/instance/declared.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/removals.h"
#include "controller/instance/sighting.h"

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

struct search {
    struct controller *controller;
    uint32_t host;
    char domain[UUID_STRLEN]; /* whose ports go; "": those of all that is_known() does not know */
    bool (*is_known)(void *aux, struct uuid);
    void *aux;
    bool is_late, has_left;
    struct found {
        uint32_t port;
        struct uuid domain;
    } * found;
    size_t n, cap;
};

/* Is it in use? Late after the host has listed its domains another may have come there. */
static bool
is_bound(const struct search *s, uint32_t port)
{
    uint32_t host = bindings_status(s->controller->bindings, port).host;
    return host && (s->is_late || host != s->host);
}

static bool
search_see(void *aux, const struct object *o)
{
    struct search *s = aux;
    struct uuid id;
    const struct port *port = (const void *) o;
    if (!port->declared_by || !uuid_parse(port->declared_by, &id))
        return true;
    if (*s->domain ? strcmp(s->domain, port->declared_by) != 0 : s->is_known(s->aux, id) || is_bound(s, o->number))
        return true;
    s->found = mem_grow(s->found, &s->cap, s->n + 1, sizeof *s->found);
    s->found[s->n++] = (struct found){ o->number, id };
    return true;
}

static void
search_run(struct search *s)
{
    model_each_referrer(s->controller->model, s->host, OBJECT_PORT, search_see, s);
    for (size_t i = 0; i < s->n; i++)
        removals_add(s->controller->removals, s->found[i].port, s->found[i].domain, s->host, s->has_left);
    free(s->found);
}

void
declared_remove(struct controller *c, uint32_t host, struct uuid domain, const struct sighting *last)
{
    struct search s = { .controller = c, .host = host, .has_left = last && sighting_has_left(last) };
    uuid_format(domain, s.domain);
    for (size_t i = 0; last && i < last->n_ports; i++) {
        const struct object *o = model_get_id(c->model, last->ports[i]);
        const struct port *port = o ? model_port(c->model, o->number) : NULL;
        if (port && port->declared_on != host)
            search_see(&s, o);
    }
    search_run(&s);
}

void
declared_remove_unknown(struct controller *c, uint32_t host, bool is_late, bool (*is_known)(void *, struct uuid), void *aux)
{
    struct search s = { .controller = c, .host = host, .is_late = is_late, .is_known = is_known, .aux = aux };
    search_run(&s);
}
