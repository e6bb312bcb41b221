#include "controller/instance/listings.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"

struct listing {
    struct map_node by_host;
    uint32_t host;
    bool is_waiting;
};

struct listings {
    struct controller *controller;
    struct map by_host;
    uint32_t awaited;    /* a host not heard of yet, for which what waits does; 0: nothing waits */
    struct event *again; /* outside of whatever made it heard of */
    void (*settled)(void *aux, uint32_t host, bool is_late);
    void *aux;
};

static struct listing *
listing_find(const struct listings *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->by_host, hash_u32(host)) {
        struct listing *l = CONTAINER_OF(n, struct listing, by_host);
        if (l->host == host)
            return l;
    }
    return NULL;
}

/* 0: all are heard of. */
static uint32_t
first_unheard(const struct listings *all)
{
    const struct hosts *hosts = all->controller->hosts;
    for (const struct hypervisor *h = hosts_first(hosts); h; h = hosts_next(hosts, h))
        if (h->number && !host_is_connected(h) && !listing_find(all, h->number))
            return h->number;
    return 0;
}

static void
settle(struct listings *all, uint32_t just_listed)
{
    MAP_FOR_EACH (n, &all->by_host) {
        struct listing *l = CONTAINER_OF(n, struct listing, by_host);
        if (!l->is_waiting)
            continue;
        l->is_waiting = false;
        all->settled(all->aux, l->host, l->host != just_listed);
    }
}

static void
look(struct listings *all, uint32_t just_listed)
{
    all->awaited = first_unheard(all);
    if (!all->awaited)
        settle(all, just_listed);
}

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    look(aux, 0);
}

struct listings *
listings_new(struct controller *c, void (*settled)(void *aux, uint32_t host, bool is_late), void *aux)
{
    struct listings *all = mem_zalloc(sizeof *all);
    *all = (struct listings){ .controller = c, .settled = settled, .aux = aux };
    map_init(&all->by_host);
    all->again = evtimer_new(c->base, on_again, all);
    return all;
}

void
listings_add(struct listings *all, uint32_t host)
{
    struct listing *l = listing_find(all, host);
    if (!l) {
        l = mem_zalloc(sizeof *l);
        l->host = host;
        map_insert(&all->by_host, &l->by_host, hash_u32(host));
    }
    l->is_waiting = true;
    look(all, host);
}

bool
listings_has(const struct listings *all, uint32_t host)
{
    return listing_find(all, host) != NULL;
}

void
listings_host_heard(struct listings *all, uint32_t host)
{
    if (host == all->awaited)
        evtimer_add(all->again, &(struct timeval){ 0 });
}

static void
listing_drop(struct listings *all, struct listing *l)
{
    map_remove(&all->by_host, &l->by_host);
    free(l);
}

void
listings_remove(struct listings *all, uint32_t host)
{
    struct listing *l = listing_find(all, host);
    if (l)
        listing_drop(all, l);
    listings_host_heard(all, host);
}

void
listings_free(struct listings *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_host)
        listing_drop(all, CONTAINER_OF(n, struct listing, by_host));
    map_done(&all->by_host);
    event_free(all->again);
    free(all);
}
