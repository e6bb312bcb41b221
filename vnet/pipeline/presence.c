#include "vnet/pipeline/presence.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

struct holding {
    struct map_node node; /* by host and VPC */
    uint32_t host, vpc;
    size_t n_ports; /* 0: leaving */
    struct holding *next_of_host, **link_of_host;
    struct holding *next_of_vpc, **link_of_vpc;
};

/* A host's or a VPC's holdings. */
struct holdings {
    struct map_node node; /* by number */
    uint32_t number;
    struct holding *first;
    size_t n_leaving; /* of a host */
};

struct counted {
    struct map_node node; /* by why */
    struct presence_reason why;
    uint32_t host, vpc;
};

struct presence {
    struct map holdings, hosts, vpcs, counted;
};

struct presence *
presence_new(void)
{
    struct presence *p = mem_zalloc(sizeof *p);
    map_init(&p->holdings);
    map_init(&p->hosts);
    map_init(&p->vpcs);
    map_init(&p->counted);
    return p;
}

#define FREE_ALL(MAP, TYPE)                           \
    do {                                              \
        MAP_FOR_EACH_SAFE (n, next, MAP)              \
            free(CONTAINER_OF(n, struct TYPE, node)); \
        map_done(MAP);                                \
    } while (0)

void
presence_free(struct presence *p)
{
    if (!p)
        return;
    FREE_ALL(&p->holdings, holding);
    FREE_ALL(&p->hosts, holdings);
    FREE_ALL(&p->vpcs, holdings);
    FREE_ALL(&p->counted, counted);
    free(p);
}

static struct holdings *
holdings_find(const struct map *map, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, map, hash_u32(number)) {
        struct holdings *h = CONTAINER_OF(n, struct holdings, node);
        if (h->number == number)
            return h;
    }
    return NULL;
}

static struct holdings *
holdings_find_or_add(struct map *map, uint32_t number)
{
    struct holdings *h = holdings_find(map, number);
    if (!h) {
        h = mem_zalloc(sizeof *h);
        h->number = number;
        map_insert(map, &h->node, hash_u32(number));
    }
    return h;
}

static void
holdings_drop_if_empty(struct map *map, struct holdings *h)
{
    if (h->first)
        return;
    map_remove(map, &h->node);
    free(h);
}

static uint32_t
holding_hash(uint32_t host, uint32_t vpc)
{
    return hash_u64((uint64_t) host << 32 | vpc);
}

static struct holding *
holding_find(const struct presence *p, uint32_t host, uint32_t vpc)
{
    MAP_FOR_EACH_HASH (n, &p->holdings, holding_hash(host, vpc)) {
        struct holding *h = CONTAINER_OF(n, struct holding, node);
        if (h->host == host && h->vpc == vpc)
            return h;
    }
    return NULL;
}

static struct holding *
holding_add(struct presence *p, uint32_t host, uint32_t vpc)
{
    struct holdings *of_host = holdings_find_or_add(&p->hosts, host);
    struct holdings *of_vpc = holdings_find_or_add(&p->vpcs, vpc);
    struct holding *h = mem_zalloc(sizeof *h);
    *h = (struct holding){ .host = host,
                           .vpc = vpc,
                           .next_of_host = of_host->first,
                           .link_of_host = &of_host->first,
                           .next_of_vpc = of_vpc->first,
                           .link_of_vpc = &of_vpc->first };
    if (h->next_of_host)
        h->next_of_host->link_of_host = &h->next_of_host;
    if (h->next_of_vpc)
        h->next_of_vpc->link_of_vpc = &h->next_of_vpc;
    of_host->first = of_vpc->first = h;
    map_insert(&p->holdings, &h->node, holding_hash(host, vpc));
    return h;
}

static void
holding_remove(struct presence *p, struct holding *h)
{
    *h->link_of_host = h->next_of_host;
    if (h->next_of_host)
        h->next_of_host->link_of_host = h->link_of_host;
    *h->link_of_vpc = h->next_of_vpc;
    if (h->next_of_vpc)
        h->next_of_vpc->link_of_vpc = h->link_of_vpc;
    holdings_drop_if_empty(&p->hosts, holdings_find(&p->hosts, h->host));
    holdings_drop_if_empty(&p->vpcs, holdings_find(&p->vpcs, h->vpc));
    map_remove(&p->holdings, &h->node);
    free(h);
}

static uint32_t
reason_hash(struct presence_reason why)
{
    return hash_number(why.number) ^ (why.group ? hash_u32(why.group) : 0) ^ (why.is_twin ? hash_u32(why.is_twin) : 0);
}

static bool
is_same_reason(struct presence_reason a, struct presence_reason b)
{
    return a.number == b.number && a.group == b.group && a.is_twin == b.is_twin;
}

static struct counted *
counted_find(const struct presence *p, struct presence_reason why)
{
    MAP_FOR_EACH_HASH (n, &p->counted, reason_hash(why)) {
        struct counted *c = CONTAINER_OF(n, struct counted, node);
        if (is_same_reason(c->why, why))
            return c;
    }
    return NULL;
}

static void
port_goes(struct presence *p, struct counted *c)
{
    struct holding *h = holding_find(p, c->host, c->vpc);
    if (!--h->n_ports)
        holdings_find(&p->hosts, h->host)->n_leaving++;
    map_remove(&p->counted, &c->node);
    free(c);
}

static bool
port_comes(struct presence *p, struct presence_reason why, uint32_t host, uint32_t vpc)
{
    struct counted *c = mem_zalloc(sizeof *c);
    c->why = why;
    c->host = host;
    c->vpc = vpc;
    map_insert(&p->counted, &c->node, reason_hash(why));

    struct holding *h = holding_find(p, host, vpc);
    bool is_new = !h;
    if (is_new)
        h = holding_add(p, host, vpc);
    else if (!h->n_ports)
        holdings_find(&p->hosts, host)->n_leaving--;
    h->n_ports++;
    return is_new;
}

bool
presence_place(struct presence *p, struct presence_reason why, uint32_t host, uint32_t vpc)
{
    struct counted *c = counted_find(p, why);
    bool is_somewhere = host && vpc;
    if (c && is_somewhere && c->host == host && c->vpc == vpc)
        return false;
    if (c)
        port_goes(p, c);
    return is_somewhere && port_comes(p, why, host, vpc);
}

uint32_t
presence_host_of(const struct presence *p, struct presence_reason why)
{
    const struct counted *c = counted_find(p, why);
    return c ? c->host : 0;
}

bool
presence_holds(const struct presence *p, uint32_t host, uint32_t vpc)
{
    const struct holding *h = holding_find(p, host, vpc);
    return h && h->n_ports;
}

bool
presence_is_leaving_any(const struct presence *p, uint32_t host)
{
    const struct holdings *of_host = holdings_find(&p->hosts, host);
    return of_host && of_host->n_leaving;
}

uint32_t
presence_take_leaving(struct presence *p, uint32_t host)
{
    struct holdings *of_host = holdings_find(&p->hosts, host);
    if (!of_host || !of_host->n_leaving)
        return 0;

    struct holding *h = of_host->first;
    while (h->n_ports)
        h = h->next_of_host;
    uint32_t vpc = h->vpc;
    of_host->n_leaving--;
    holding_remove(p, h);
    return vpc;
}

void
presence_each_host(const struct presence *p, uint32_t vpc, void (*each)(void *aux, uint32_t host), void *aux)
{
    const struct holdings *of_vpc = holdings_find(&p->vpcs, vpc);
    for (const struct holding *h = of_vpc ? of_vpc->first : NULL; h; h = h->next_of_vpc)
        each(aux, h->host);
}

void
presence_each_vpc(const struct presence *p, uint32_t host, void (*each)(void *aux, uint32_t vpc), void *aux)
{
    const struct holdings *of_host = holdings_find(&p->hosts, host);
    for (const struct holding *h = of_host ? of_host->first : NULL; h; h = h->next_of_host) {
        if (h->n_ports)
            each(aux, h->vpc);
    }
}
