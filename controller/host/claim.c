#include "controller/host/claim.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The claims of one host, so that a host's coming and going costs what is on it. */
struct host_claims {
    struct map_node by_host;
    uint32_t host;
    struct claim *first;
};

void
claims_init(struct claims *all)
{
    map_init(&all->by_key);
    map_init(&all->ifaces);
    map_init(&all->hosts);
    all->order = 0;
}

void
claims_done(struct claims *all)
{
    MAP_FOR_EACH_SAFE (n, next, &all->by_key)
        claim_remove(all, CONTAINER_OF(n, struct claim, by_key));
    map_done(&all->by_key);
    map_done(&all->ifaces);
    map_done(&all->hosts);
}

static uint32_t
claim_hash(uint32_t host, const char *text)
{
    return hash_bytes(text, strlen(text), host);
}

struct claim *
claim_find(const struct claims *all, uint32_t host, const char *text)
{
    MAP_FOR_EACH_HASH (n, &all->by_key, claim_hash(host, text)) {
        struct claim *c = CONTAINER_OF(n, struct claim, by_key);
        if (c->host == host && !strcmp(c->iface->text, text))
            return c;
    }
    return NULL;
}

static struct iface *
iface_at(const struct claims *all, const char *text)
{
    MAP_FOR_EACH_HASH (n, &all->ifaces, hash_string(text)) {
        struct iface *i = CONTAINER_OF(n, struct iface, by_text);
        if (!strcmp(i->text, text))
            return i;
    }
    return NULL;
}

const struct iface *
iface_find(const struct claims *all, const char *text)
{
    return iface_at(all, text);
}

static struct host_claims *
claims_of(const struct claims *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->hosts, hash_u32(host)) {
        struct host_claims *h = CONTAINER_OF(n, struct host_claims, by_host);
        if (h->host == host)
            return h;
    }
    return NULL;
}

static void
host_link(struct claims *all, struct claim *c)
{
    struct host_claims *h = claims_of(all, c->host);
    if (!h) {
        h = mem_zalloc(sizeof *h);
        h->host = c->host;
        map_insert(&all->hosts, &h->by_host, hash_u32(c->host));
    }
    c->next_here = h->first;
    if (h->first)
        h->first->prev_here = c;
    h->first = c;
}

static void
host_unlink(struct claims *all, struct claim *c)
{
    struct host_claims *h = claims_of(all, c->host);
    if (c->prev_here)
        c->prev_here->next_here = c->next_here;
    else
        h->first = c->next_here;
    if (c->next_here)
        c->next_here->prev_here = c->prev_here;
    if (!h->first) {
        map_remove(&all->hosts, &h->by_host);
        free(h);
    }
}

struct claim *
claim_add(struct claims *all, uint32_t host, const char *text)
{
    struct iface *iface = iface_at(all, text);
    if (!iface) {
        iface = mem_zalloc(sizeof *iface);
        iface->text = mem_strdup(text);
        map_insert(&all->ifaces, &iface->by_text, hash_string(text));
    }
    struct claim *c = mem_zalloc(sizeof *c);
    *c = (struct claim){ .iface = iface, .next = iface->claims, .host = host, .order = ++all->order };
    iface->claims = c;
    map_insert(&all->by_key, &c->by_key, claim_hash(host, text));
    host_link(all, c);
    return c;
}

void
claim_remove(struct claims *all, struct claim *c)
{
    struct iface *iface = c->iface;
    for (struct claim **p = &iface->claims; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            break;
        }
    }
    map_remove(&all->by_key, &c->by_key);
    host_unlink(all, c);
    free(c->error);
    free(c);
    if (!iface->claims) {
        map_remove(&all->ifaces, &iface->by_text);
        free(iface->text);
        free(iface);
    }
}

void
claim_to_end(struct claims *all, struct claim *c)
{
    c->order = ++all->order;
}

void
claim_set_order(struct claims *all, struct claim *c, uint64_t order)
{
    c->order = order;
    if (order > all->order)
        all->order = order;
}

void
claim_set_error(struct claim *c, const char *error)
{
    free(c->error);
    c->error = error && *error ? mem_strdup(error) : NULL;
}

struct claim *
claim_first_of_host(const struct claims *all, uint32_t host)
{
    const struct host_claims *h = claims_of(all, host);
    return h ? h->first : NULL;
}
