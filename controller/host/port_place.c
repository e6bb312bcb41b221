/* A port's place: whether its host has confirmed it, what its switch refused; and what the API shows of that. */
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding_private.h"
#include "controller/host/host.h"
#include "controller/instance/migrations.h"

struct place *
place_find(const struct bindings *b, uint32_t port)
{
    MAP_FOR_EACH_HASH (n, &b->places, hash_number(port)) {
        struct place *p = CONTAINER_OF(n, struct place, by_port);
        if (p->port == port)
            return p;
    }
    return NULL;
}

static void
building_remove(struct place *p)
{
    if (!p->link_building)
        return;
    *p->link_building = p->next_building;
    if (p->next_building)
        p->next_building->link_building = p->link_building;
    p->link_building = NULL;
}

static void
building_add(struct place *p, struct hypervisor *h)
{
    building_remove(p);
    p->next_building = h->building;
    if (p->next_building)
        p->next_building->link_building = &p->next_building;
    p->link_building = &h->building;
    h->building = p;
}

static void
place_set_refused(struct place *p, const char *reason)
{
    free(p->refused);
    p->refused = reason ? mem_strdup(reason) : NULL;
}

void
place_rebuild(struct bindings *b, struct place *p, uint64_t seq)
{
    struct hypervisor *h = p->bound.host ? host_by_number(b->controller->hosts, p->bound.host) : NULL;
    p->seq = seq;
    place_set_refused(p, NULL);
    building_remove(p);
    if (!h)
        return;
    building_add(p, h);
    host_concern(h, seq);
}

/* Open vSwitch's rows tell the MAC that libvirt has given the guest. Another than the port's is a foreign source, and so is all that it sends. */
void
place_judge_mac(struct bindings *b, struct place *p)
{
    char has[MAC_STRLEN], wants[MAC_STRLEN];
    const struct port *port = model_port(b->controller->model, p->port);
    const struct claim *c = p->holder;
    free(p->misfit);
    p->misfit = NULL;
    if (!port || !c || !c->has_mac || mac_equal(c->mac, port->mac))
        return;
    p->misfit = mem_printf("the interface has MAC %s (its attached-mac), the port %s: all that it sends is dropped; give the interface the "
                           "port's MAC, or make the port anew",
                           mac_format(c->mac, has), mac_format(port->mac, wants));
}

void
place_free(struct bindings *b, struct place *p)
{
    twin_remove(b, p);
    building_remove(p);
    place_set_refused(p, NULL);
    free(p->misfit);
    map_remove(&b->places, &p->by_port);
    free(p);
}

/* ---- what the host's switch says ---- */

void
bindings_refused(struct bindings *b, uint32_t host, uint32_t port, const char *reason)
{
    struct place *p = place_find(b, port);
    if (!p || p->bound.host != host)
        return;
    place_set_refused(p, reason);
    feed_object(b->controller->feed, port);
}

void
bindings_accepted(struct bindings *b, uint32_t host, uint32_t port)
{
    struct place *p = place_find(b, port);
    if (!p || p->bound.host != host || !p->refused)
        return;
    place_set_refused(p, NULL);
    feed_object(b->controller->feed, port);
}

static void
reread_port(void *aux, uint32_t port, uint32_t ofport)
{
    struct bindings *b = aux;
    struct place *p = place_find(b, port);
    const struct hypervisor *h = p ? host_by_number(b->controller->hosts, p->bound.host) : NULL;
    if (!h)
        return;
    if (!p->link_building)
        feed_object(b->controller->feed, port);
    place_rebuild(b, p, h->wanted_seq);
}

void
bindings_reread(struct bindings *b, uint32_t host)
{
    runtime_each_port_on(b->controller->runtime, host, reread_port, b);
}

void
bindings_confirmed(struct bindings *b, uint32_t host)
{
    const struct hypervisor *h = host_by_number(b->controller->hosts, host);
    for (struct place *p = h->building, *next; p; p = next) {
        next = p->next_building;
        if (p->seq > h->made_seq)
            continue;
        building_remove(p);
        feed_object(b->controller->feed, p->port);
        migrations_confirmed(b->controller->migrations, host, p->port);
    }
    twins_confirmed(b, h);
}

/* ---- what is shown ---- */

const char *
port_state_word(enum port_state state)
{
    static const char *const words[] = { "unbound", "building", "active", "error" };
    return words[state];
}

struct port_status
bindings_status(const struct bindings *b, uint32_t port)
{
    const struct place *p = place_find(b, port);
    if (!p || !p->holder)
        return (struct port_status){ PORT_UNBOUND, 0, NULL };
    if (p->holder->error)
        return (struct port_status){ PORT_ERROR, p->holder->host, p->holder->error };
    if (p->refused)
        return (struct port_status){ PORT_ERROR, p->holder->host, p->refused };
    if (p->misfit)
        return (struct port_status){ PORT_ERROR, p->holder->host, p->misfit };
    return (struct port_status){ p->link_building || !p->bound.ofport ? PORT_BUILDING : PORT_ACTIVE, p->holder->host, NULL };
}

struct claimants {
    const struct bindings *b;
    const struct claim *holder;
    json_t *names;
};

static void
claimants_see(void *aux, struct claim *c)
{
    struct claimants *all = aux;
    const struct hypervisor *h = host_by_number(all->b->controller->hosts, c->host);
    if (c != all->holder && h)
        json_array_append_new(all->names, json_string(h->name));
}

json_t *
bindings_claimed_by(const struct bindings *b, uint32_t port)
{
    const struct place *p = place_find(b, port);
    struct claimants all = { b, p ? p->holder : NULL, json_array() };
    const struct object *o = model_get(b->controller->model, port, OBJECT_PORT);
    if (o)
        each_claim(b, o, claimants_see, &all);
    return all.names;
}
