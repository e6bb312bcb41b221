#include "vnet/pipeline/runtime.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

struct place {
    struct map_node node;       /* by port */
    uint32_t port;
    struct binding at;
    struct place *next, **link; /* among its host's; *link points here */
};

struct host_entry {
    struct map_node node;       /* by number */
    uint32_t number;
    bool is_known;              /* false: only ports say that it exists */
    struct runtime_host facts;
    struct place *places;
};

struct runtime {
    struct map hosts, places;
};

struct runtime *
runtime_new(void)
{
    struct runtime *r = mem_zalloc(sizeof *r);
    map_init(&r->hosts);
    map_init(&r->places);
    return r;
}

void
runtime_free(struct runtime *r)
{
    if (!r)
        return;
    MAP_FOR_EACH_SAFE (n, next, &r->places) {
        free(CONTAINER_OF(n, struct place, node));
    }
    MAP_FOR_EACH_SAFE (n, next, &r->hosts) {
        free(CONTAINER_OF(n, struct host_entry, node));
    }
    map_done(&r->places);
    map_done(&r->hosts);
    free(r);
}

static struct host_entry *
host_find(const struct runtime *r, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &r->hosts, hash_u32(number)) {
        struct host_entry *h = CONTAINER_OF(n, struct host_entry, node);
        if (h->number == number)
            return h;
    }
    return NULL;
}

static struct host_entry *
host_find_or_add(struct runtime *r, uint32_t number)
{
    struct host_entry *h = host_find(r, number);
    if (!h) {
        h = mem_zalloc(sizeof *h);
        h->number = number;
        map_insert(&r->hosts, &h->node, hash_u32(number));
    }
    return h;
}

static void
host_drop_if_unused(struct runtime *r, struct host_entry *h)
{
    if (h->is_known || h->places)
        return;
    map_remove(&r->hosts, &h->node);
    free(h);
}

const struct runtime_host *
runtime_host(const struct runtime *r, uint32_t number)
{
    const struct host_entry *h = host_find(r, number);
    return h && h->is_known ? &h->facts : NULL;
}

void
runtime_set_host(struct runtime *r, const struct runtime_host *facts)
{
    struct host_entry *h = host_find_or_add(r, facts->number);
    h->facts = *facts;
    h->is_known = true;
}

void
runtime_remove_host(struct runtime *r, uint32_t number)
{
    struct host_entry *h = host_find(r, number);
    if (!h)
        return;
    h->is_known = false;
    host_drop_if_unused(r, h);
}

void
runtime_each_host(const struct runtime *r, void (*each)(void *aux, const struct runtime_host *), void *aux)
{
    MAP_FOR_EACH (n, &r->hosts) {
        const struct host_entry *h = CONTAINER_OF(n, struct host_entry, node);
        if (h->is_known)
            each(aux, &h->facts);
    }
}

static struct place *
place_find(const struct runtime *r, uint32_t port)
{
    MAP_FOR_EACH_HASH (n, &r->places, hash_u32(port)) {
        struct place *p = CONTAINER_OF(n, struct place, node);
        if (p->port == port)
            return p;
    }
    return NULL;
}

struct binding
runtime_binding(const struct runtime *r, uint32_t port)
{
    const struct place *p = place_find(r, port);
    return p ? p->at : (struct binding) { 0, 0 };
}

static void
place_unlink(struct runtime *r, struct place *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    host_drop_if_unused(r, host_find(r, p->at.host));
}

static void
place_link(struct runtime *r, struct place *p, struct binding at)
{
    struct host_entry *h = host_find_or_add(r, at.host);
    p->at = at;
    p->next = h->places;
    p->link = &h->places;
    if (p->next)
        p->next->link = &p->next;
    h->places = p;
}

void
runtime_bind(struct runtime *r, uint32_t port, struct binding at)
{
    struct place *p = place_find(r, port);
    if (p && p->at.host == at.host) {
        p->at = at;
        return;
    }

    if (p)
        place_unlink(r, p);
    if (!at.host) {
        if (p) {
            map_remove(&r->places, &p->node);
            free(p);
        }
        return;
    }
    if (!p) {
        p = mem_zalloc(sizeof *p);
        p->port = port;
        map_insert(&r->places, &p->node, hash_u32(port));
    }
    place_link(r, p, at);
}

void
runtime_each_port_on(const struct runtime *r, uint32_t host, void (*each)(void *aux, uint32_t port, uint32_t ofport),
                     void *aux)
{
    const struct host_entry *h = host_find(r, host);
    for (const struct place *p = h ? h->places : NULL; p; p = p->next)
        each(aux, p->port, p->at.ofport);
}
