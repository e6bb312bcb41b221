#include "controller/instance/orphans.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/instances.h"

struct search {
    const struct controller *c;
    struct uuid *used; /* ids of interfaces of domains that run somewhere; sorted */
    size_t n_used;
    bool is_whole;
    struct orphan *found;
    size_t n, cap;
};

static int
by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static bool
is_used(const struct search *s, struct uuid id)
{
    return s->n_used && bsearch(&id, s->used, s->n_used, sizeof id, by_bytes);
}

static void
add(struct search *s, struct orphan orphan)
{
    s->found = mem_grow(s->found, &s->cap, s->n + 1, sizeof *s->found);
    s->found[s->n++] = orphan;
}

static void
add_interface(struct search *s, uint32_t host, const char *id, const struct object *o, const char *reason)
{
    add(s, (struct orphan){ .number = host, .iface_id = id, .host = host, .o = o, .reason = reason });
}

static void
add_port(struct search *s, const struct port *p, const char *reason)
{
    add(s, (struct orphan){ true, p->o.number, "", p->declared_on, &p->o, reason });
}

/* Its agent is there, and has told all that it has: what is not among that is not there. */
static bool
is_heard(const struct controller *c, uint32_t host)
{
    return agents_is_present(c->agents, host) && instances_are_listed(c->instances, host);
}

/* A domain may be on any host that has, or had, an agent and is not heard of yet. */
static bool
is_whole(const struct controller *c)
{
    for (const struct hypervisor *h = hosts_first(c->hosts); h; h = hosts_next(c->hosts, h))
        if (h->number && !instances_are_listed(c->instances, h->number)
            && (!host_is_connected(h) || agents_is_present(c->agents, h->number)))
            return false;
    return true;
}

static void
see_claim(void *aux, uint32_t host, const char *iface_id, uint32_t port)
{
    struct search *s = aux;
    const struct object *o = port ? model_get(s->c->model, port, OBJECT_PORT) : NULL;
    if (!o)
        add_interface(s, host, iface_id, NULL, "no port has this id");
    else if (is_heard(s->c, host) && !is_used(s, o->id))
        add_interface(s, host, iface_id, o, "no running domain has it");
}

/* Neither its database nor its agent is there. After a start of vnetd it is waited for. */
static bool
is_away(const struct controller *c, uint32_t host)
{
    const struct hypervisor *h = host_by_number(c->hosts, host);
    return (!h || !h->db) && !agents_is_present(c->agents, host) && bindings_are_grown_up(c->bindings);
}

static void
see_port(struct search *s, const struct port *p)
{
    struct uuid domain;
    if (!p->declared_by || !uuid_parse(p->declared_by, &domain))
        return;
    if (is_heard(s->c, p->declared_on) && s->is_whole && !instances_know(s->c->instances, domain))
        add_port(s, p, "the domain that declared it is nowhere");
    else if (is_away(s->c, p->declared_on) && !instances_know_elsewhere(s->c->instances, domain, p->declared_on))
        add_port(s, p, ORPHAN_HOST_AWAY);
}

int
orphan_compare(const struct orphan *a, const struct orphan *b)
{
    if (a->is_port != b->is_port)
        return a->is_port ? 1 : -1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return strcmp(a->iface_id, b->iface_id);
}

static int
in_order(const void *a, const void *b)
{
    return orphan_compare(a, b);
}

struct orphan *
orphans_find(const struct controller *c, size_t *n)
{
    struct search s = { .c = c, .is_whole = is_whole(c) };
    s.used = instances_running_ports(c->instances, &s.n_used);
    if (s.n_used)
        qsort(s.used, s.n_used, sizeof *s.used, by_bytes);
    bindings_each_claim(c->bindings, see_claim, &s);
    for (const struct object *o = NULL; (o = model_next(c->model, OBJECT_PORT, o ? o->number : 0)) != NULL;)
        see_port(&s, model_port(c->model, o->number));
    free(s.used);
    if (s.n)
        qsort(s.found, s.n, sizeof *s.found, in_order);
    *n = s.n;
    return s.found;
}

json_t *
orphan_json(const struct controller *c, const struct orphan *orphan)
{
    char id[UUID_STRLEN];
    const struct hypervisor *h = host_by_number(c->hosts, orphan->host);
    return json_pack("{s:s,s:s?,s:s,s:s?,s:s}", "kind", orphan->is_port ? "port" : "interface", "host", h ? h->name : NULL, "id",
                     orphan->is_port ? uuid_format(orphan->o->id, id) : orphan->iface_id, "name", orphan->o ? orphan->o->name : NULL,
                     "reason", orphan->reason);
}

json_t *
orphans_json(const struct controller *c)
{
    size_t n;
    json_t *rows = json_array();
    struct orphan *found = orphans_find(c, &n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, orphan_json(c, &found[i]));
    free(found);
    return rows;
}
