#include "vnet/pipeline/runtime.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

struct place {
    struct map_node node; /* by port */
    uint32_t port;
    struct binding at;
    struct place *next, **link; /* among its host's; *link points here */
};

struct host_entry {
    struct map_node node; /* by number */
    uint32_t number;
    bool is_known; /* false: only ports say that it exists */
    struct runtime_host facts;
    struct place *places;
    struct host_entry *next_gateway, **link_gateway; /* among gateways; *link_gateway points here, NULL: it is none */
};

struct twin_entry {
    struct map_node node; /* by port */
    uint32_t port;
    struct twin twin;
};

struct trail {
    struct map_node node; /* by elastic IP */
    uint32_t eip, host;   /* never 0 */
};

struct gateway {
    struct map_node node; /* by pool */
    uint32_t pool;
    struct mac mac;
};

struct zone {
    struct map_node node; /* by host and number */
    uint32_t host, number;
    uint16_t zone;
};

struct health {
    struct map_node node; /* by target */
    uint32_t target;
    enum target_state state; /* never TARGET_INITIAL */
};

struct runtime {
    struct map hosts, places, twins, trails, gateways, zones, healths;
    struct host_entry *first_gateway;
};

struct runtime *
runtime_new(void)
{
    struct runtime *r = mem_zalloc(sizeof *r);
    map_init(&r->hosts);
    map_init(&r->places);
    map_init(&r->twins);
    map_init(&r->trails);
    map_init(&r->gateways);
    map_init(&r->zones);
    map_init(&r->healths);
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
    MAP_FOR_EACH_SAFE (n, next, &r->twins) {
        free(CONTAINER_OF(n, struct twin_entry, node));
    }
    MAP_FOR_EACH_SAFE (n, next, &r->trails) {
        free(CONTAINER_OF(n, struct trail, node));
    }
    MAP_FOR_EACH_SAFE (n, next, &r->gateways) {
        free(CONTAINER_OF(n, struct gateway, node));
    }
    MAP_FOR_EACH_SAFE (n, next, &r->zones) {
        free(CONTAINER_OF(n, struct zone, node));
    }
    MAP_FOR_EACH_SAFE (n, next, &r->healths) {
        free(CONTAINER_OF(n, struct health, node));
    }
    map_done(&r->places);
    map_done(&r->hosts);
    map_done(&r->twins);
    map_done(&r->trails);
    map_done(&r->gateways);
    map_done(&r->zones);
    map_done(&r->healths);
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

static void
gateway_link(struct runtime *r, struct host_entry *h)
{
    if (h->link_gateway)
        return;
    h->next_gateway = r->first_gateway;
    h->link_gateway = &r->first_gateway;
    if (h->next_gateway)
        h->next_gateway->link_gateway = &h->next_gateway;
    r->first_gateway = h;
}

static void
gateway_unlink(struct host_entry *h)
{
    if (!h->link_gateway)
        return;
    *h->link_gateway = h->next_gateway;
    if (h->next_gateway)
        h->next_gateway->link_gateway = h->link_gateway;
    h->link_gateway = NULL;
}

void
runtime_set_host(struct runtime *r, const struct runtime_host *facts)
{
    struct host_entry *h = host_find_or_add(r, facts->number);
    h->facts = *facts;
    h->is_known = true;
    if (facts->is_gateway)
        gateway_link(r, h);
    else
        gateway_unlink(h);
}

void
runtime_remove_host(struct runtime *r, uint32_t number)
{
    struct host_entry *h = host_find(r, number);
    if (!h)
        return;
    h->is_known = false;
    gateway_unlink(h);
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

void
runtime_each_gateway(const struct runtime *r, void (*each)(void *aux, const struct runtime_host *), void *aux)
{
    for (const struct host_entry *h = r->first_gateway; h; h = h->next_gateway)
        each(aux, &h->facts);
}

static struct place *
place_find(const struct runtime *r, uint32_t port)
{
    MAP_FOR_EACH_HASH (n, &r->places, hash_number(port)) {
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
    return p ? p->at : (struct binding){ 0, 0 };
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
        map_insert(&r->places, &p->node, hash_number(port));
    }
    place_link(r, p, at);
}

void
runtime_each_port_on(const struct runtime *r, uint32_t host, void (*each)(void *aux, uint32_t port, uint32_t ofport), void *aux)
{
    const struct host_entry *h = host_find(r, host);
    for (const struct place *p = h ? h->places : NULL; p; p = p->next)
        each(aux, p->port, p->at.ofport);
}

/* ---- second places ---- */

static struct twin_entry *
twin_find(const struct runtime *r, uint32_t port)
{
    MAP_FOR_EACH_HASH (n, &r->twins, hash_u32(port)) {
        struct twin_entry *t = CONTAINER_OF(n, struct twin_entry, node);
        if (t->port == port)
            return t;
    }
    return NULL;
}

struct twin
runtime_twin(const struct runtime *r, uint32_t port)
{
    const struct twin_entry *t = twin_find(r, port);
    return t ? t->twin : (struct twin){ .host = 0 };
}

void
runtime_set_twin(struct runtime *r, uint32_t port, struct twin twin)
{
    struct twin_entry *t = twin_find(r, port);
    if (t && !twin.host) {
        map_remove(&r->twins, &t->node);
        free(t);
        return;
    }
    if (!t && twin.host) {
        t = mem_zalloc(sizeof *t);
        t->port = port;
        map_insert(&r->twins, &t->node, hash_u32(port));
    }
    if (t)
        t->twin = twin;
}

void
runtime_each_twin_on(const struct runtime *r, uint32_t host, void (*each)(void *aux, uint32_t port, uint32_t ofport), void *aux)
{
    MAP_FOR_EACH (n, &r->twins) {
        const struct twin_entry *t = CONTAINER_OF(n, struct twin_entry, node);
        if (t->twin.host == host)
            each(aux, t->port, t->twin.ofport);
    }
}

/* ---- trails ---- */

static struct trail *
trail_find(const struct runtime *r, uint32_t eip)
{
    MAP_FOR_EACH_HASH (n, &r->trails, hash_u32(eip)) {
        struct trail *t = CONTAINER_OF(n, struct trail, node);
        if (t->eip == eip)
            return t;
    }
    return NULL;
}

uint32_t
runtime_trail(const struct runtime *r, uint32_t eip)
{
    const struct trail *t = trail_find(r, eip);
    return t ? t->host : 0;
}

void
runtime_set_trail(struct runtime *r, uint32_t eip, uint32_t host)
{
    struct trail *t = trail_find(r, eip);
    if (t && !host) {
        map_remove(&r->trails, &t->node);
        free(t);
        return;
    }
    if (!t && host) {
        t = mem_zalloc(sizeof *t);
        t->eip = eip;
        map_insert(&r->trails, &t->node, hash_u32(eip));
    }
    if (t)
        t->host = host;
}

void
runtime_each_trail_on(const struct runtime *r, uint32_t host, void (*each)(void *aux, uint32_t eip), void *aux)
{
    MAP_FOR_EACH (n, &r->trails) {
        const struct trail *t = CONTAINER_OF(n, struct trail, node);
        if (t->host == host)
            each(aux, t->eip);
    }
}

/* ---- upstream gateways ---- */

static struct gateway *
gateway_find(const struct runtime *r, uint32_t pool)
{
    MAP_FOR_EACH_HASH (n, &r->gateways, hash_u32(pool)) {
        struct gateway *g = CONTAINER_OF(n, struct gateway, node);
        if (g->pool == pool)
            return g;
    }
    return NULL;
}

bool
runtime_gateway_mac(const struct runtime *r, uint32_t pool, struct mac *mac)
{
    const struct gateway *g = gateway_find(r, pool);
    if (g)
        *mac = g->mac;
    return g;
}

void
runtime_set_gateway_mac(struct runtime *r, uint32_t pool, struct mac mac)
{
    struct gateway *g = gateway_find(r, pool);
    if (!g) {
        g = mem_zalloc(sizeof *g);
        g->pool = pool;
        map_insert(&r->gateways, &g->node, hash_u32(pool));
    }
    g->mac = mac;
}

void
runtime_forget_pool(struct runtime *r, uint32_t pool)
{
    struct gateway *g = gateway_find(r, pool);
    if (!g)
        return;
    map_remove(&r->gateways, &g->node);
    free(g);
}

/* ---- zones ---- */

static uint32_t
zone_slot(uint32_t host, uint32_t number)
{
    return hash_u64((uint64_t) host << 32 | number);
}

static struct zone *
zone_find(const struct runtime *r, uint32_t host, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &r->zones, zone_slot(host, number)) {
        struct zone *z = CONTAINER_OF(n, struct zone, node);
        if (z->host == host && z->number == number)
            return z;
    }
    return NULL;
}

uint16_t
runtime_zone(const struct runtime *r, uint32_t host, uint32_t number)
{
    const struct zone *z = zone_find(r, host, number);
    return z ? z->zone : 0;
}

void
runtime_set_zone(struct runtime *r, uint32_t host, uint32_t number, uint16_t zone)
{
    struct zone *z = zone_find(r, host, number);
    if (z && !zone) {
        map_remove(&r->zones, &z->node);
        free(z);
        return;
    }
    if (!z && zone) {
        z = mem_zalloc(sizeof *z);
        *z = (struct zone){ .host = host, .number = number };
        map_insert(&r->zones, &z->node, zone_slot(host, number));
    }
    if (z)
        z->zone = zone;
}

/* ---- targets ---- */

static struct health *
health_find(const struct runtime *r, uint32_t target)
{
    MAP_FOR_EACH_HASH (n, &r->healths, hash_u32(target)) {
        struct health *h = CONTAINER_OF(n, struct health, node);
        if (h->target == target)
            return h;
    }
    return NULL;
}

enum target_state
runtime_target_state(const struct runtime *r, uint32_t target)
{
    const struct health *h = health_find(r, target);
    return h ? h->state : TARGET_INITIAL;
}

void
runtime_set_target_state(struct runtime *r, uint32_t target, enum target_state state)
{
    struct health *h = health_find(r, target);
    if (h && state == TARGET_INITIAL) {
        map_remove(&r->healths, &h->node);
        free(h);
        return;
    }
    if (!h && state != TARGET_INITIAL) {
        h = mem_zalloc(sizeof *h);
        h->target = target;
        map_insert(&r->healths, &h->node, hash_u32(target));
    }
    if (h)
        h->state = state;
}
