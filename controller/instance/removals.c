#include "controller/instance/removals.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/instance/agents.h"
#include "controller/instance/declared.h"
#include "controller/instance/instances.h"
#include "controller/instance/migrations.h"

#define LOG_MODULE "instance"
#include "base/log.h"

/* One port that is to go. */
struct removal {
    struct map_node by_port;
    uint32_t port;
    struct uuid domain;
    uint32_t shown_by; /* the host where its interface was last; 0: none that we know of */
    bool has_left, is_on_its_way;
    const char *why; /* it is still there, as last logged; NULL: not yet */
};

struct removals {
    struct controller *controller;
    struct map by_port;
};

struct removals *
removals_new(struct controller *c)
{
    struct removals *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_port);
    return all;
}

static struct removal *
removal_find(const struct removals *all, uint32_t port)
{
    MAP_FOR_EACH_HASH (n, &all->by_port, hash_number(port)) {
        struct removal *r = CONTAINER_OF(n, struct removal, by_port);
        if (r->port == port)
            return r;
    }
    return NULL;
}

static void
removal_drop(struct removals *all, struct removal *r)
{
    map_remove(&all->by_port, &r->by_port);
    free(r);
}

void
removals_free(struct removals *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_port)
        removal_drop(all, CONTAINER_OF(n, struct removal, by_port));
    map_done(&all->by_port);
    free(all);
}

/* ---- removing ---- */

struct committing {
    struct removals *all;
    uint32_t port;
};

static void
on_removed(void *aux, const struct commit_result *result)
{
    struct committing *p = aux;
    struct removal *r = removal_find(p->all, p->port);
    if (!result->ok)
        log_warn("a port whose domain is gone stays: %s", result->err.text);
    if (r)
        r->is_on_its_way = false;
    free(p);
}

/* Each by itself: one that cannot go keeps none of the others. */
static void
submit(struct removals *all, struct removal *r, const struct object *o)
{
    char id[UUID_STRLEN];
    const struct controller *c = all->controller;
    struct committing *p = mem_zalloc(sizeof *p);
    *p = (struct committing){ all, r->port };
    json_t *op = declared_op("del", uuid_format(o->id, id));
    json_object_set_new(op, "if_exists", json_true());
    struct commit_request request = {
        .ops = json_pack("[o]", op),
        .principal = { .role = PRINCIPAL_ADMIN, .name = "vnetd" },
        .tenant = model_get(c->model, o->tenant, OBJECT_TENANT)->name,
        .done = on_removed,
        .aux = p,
    };
    r->is_on_its_way = true;
    commit_submit(c->commits, &request);
}

/* ---- looking ---- */

/* Where its interface was last there is an agent, which is away: the domain may still be there. */
static bool
is_unheard_where_it_was(const struct controller *c, const struct removal *r)
{
    return r->shown_by && instances_are_listed(c->instances, r->shown_by) && !agents_is_present(c->agents, r->shown_by);
}

/* NULL: nothing. What the host 'from' (0: none) shows is not counted. */
static const char *
what_keeps(const struct controller *c, struct removal *r, uint32_t from)
{
    uint32_t shown_by = bindings_claimed_elsewhere(c->bindings, r->port, from);
    if (shown_by) {
        r->shown_by = shown_by;
        return "a host shows its interface";
    }
    if (declared_is_referred_to(c->model, r->port))
        return "an elastic IP, a route or a target refers to it";
    if (is_unheard_where_it_was(c, r) || !instances_are_all_heard(c->instances, r->has_left))
        return "the domain may be on a host that is not heard of";
    return migrations_is_open(c->migrations, r->domain) ? "a migration of the domain is under way" : NULL;
}

static void
tell_once(struct removal *r, const struct object *o, const char *why)
{
    char domain[UUID_STRLEN];
    if (r->why == why)
        return;
    r->why = why;
    log_info("port '%s' of domain %s, which is gone, is not removed yet: %s", o->name ? o->name : "(no name)",
             uuid_format(r->domain, domain), why);
}

static void
look_at(struct removals *all, struct removal *r, uint32_t from)
{
    char domain[UUID_STRLEN];
    const struct controller *c = all->controller;
    const struct port *port = model_port(c->model, r->port);
    bool is_its = port && port->declared_by && !strcmp(port->declared_by, uuid_format(r->domain, domain));
    if (!is_its || instances_know(c->instances, r->domain)) {
        removal_drop(all, r);
        return;
    }
    const char *why = r->is_on_its_way ? NULL : what_keeps(c, r, from);
    if (why)
        tell_once(r, &port->o, why);
    else if (!r->is_on_its_way)
        submit(all, r, &port->o);
}

void
removals_add(struct removals *all, uint32_t port, struct uuid domain, uint32_t from, bool has_left)
{
    struct removal *r = removal_find(all, port);
    if (!r) {
        r = mem_zalloc(sizeof *r);
        r->port = port;
        map_insert(&all->by_port, &r->by_port, hash_number(port));
    }
    r->domain = domain;
    r->has_left = has_left;
    r->shown_by = 0;
    look_at(all, r, from);
}

void
removals_forget(struct removals *all, uint32_t port)
{
    struct removal *r = removal_find(all, port);
    if (r)
        removal_drop(all, r);
}

void
removals_interface_gone(struct removals *all, uint32_t port)
{
    struct removal *r = removal_find(all, port);
    if (r)
        look_at(all, r, 0);
}

/* The port that the object referred to; 0: none. */
static uint32_t
port_referred_to(const struct object *o)
{
    const struct target_ref *ref = NULL;
    if (o->type == OBJECT_TARGET)
        return ((const struct target *) o)->port;
    if (o->type == OBJECT_EIP)
        ref = &((const struct eip *) o)->attached;
    if (o->type == OBJECT_ROUTE)
        ref = &((const struct route *) o)->target;
    return ref && ref->kind == TARGET_PORT ? ref->number : 0;
}

void
removals_changed(struct removals *all, const struct change *change)
{
    if (!map_count(&all->by_port) || !change->before)
        return;
    uint32_t port = change->type == OBJECT_PORT ? change->number : port_referred_to(change->before);
    struct removal *r = port ? removal_find(all, port) : NULL;
    if (r)
        look_at(all, r, 0);
}

void
removals_look(struct removals *all)
{
    MAP_FOR_EACH_SAFE (n, next, &all->by_port)
        look_at(all, CONTAINER_OF(n, struct removal, by_port), 0);
}
