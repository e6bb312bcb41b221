#include "controller/instance/listings.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"

struct listing {
    struct map_node by_host;
    uint32_t host;
    bool is_waiting;
};

struct listings {
    struct controller *controller;
    struct map by_host;
    uint32_t awaited;    /* a host not heard of yet, for which what waits does; 0: nothing waits */
    uint32_t missing[2]; /* the same for those who have asked, by is_now */
    struct event *again; /* outside of whatever made it heard of */
    void (*settled)(void *aux, uint32_t host, bool is_late);
    void (*heard)(void *aux);
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

static bool
is_heard(const struct listings *all, const struct hypervisor *h, bool is_now)
{
    return host_is_connected(h) || (listing_find(all, h->number) && (!is_now || agents_is_present(all->controller->agents, h->number)));
}

/* 0: all are heard of. */
static uint32_t
first_unheard(const struct listings *all, bool is_now)
{
    const struct hosts *hosts = all->controller->hosts;
    for (const struct hypervisor *h = hosts_first(hosts); h; h = hosts_next(hosts, h))
        if (h->number && !is_heard(all, h, is_now))
            return h->number;
    return 0;
}

/* All hosts are looked at only when the one that was missing is not any more. */
bool
listings_are_all_heard(struct listings *all, bool is_now)
{
    uint32_t *missing = &all->missing[is_now];
    const struct hypervisor *h = *missing ? host_by_number(all->controller->hosts, *missing) : NULL;
    if (!h || is_heard(all, h, is_now))
        *missing = first_unheard(all, is_now);
    return !*missing;
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
    all->awaited = first_unheard(all, false);
    if (!all->awaited)
        settle(all, just_listed);
}

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    struct listings *all = aux;
    look(all, 0);
    all->heard(all->aux);
}

struct listings *
listings_new(struct controller *c, void (*settled)(void *aux, uint32_t host, bool is_late), void (*heard)(void *aux), void *aux)
{
    struct listings *all = mem_zalloc(sizeof *all);
    *all = (struct listings){ .controller = c, .settled = settled, .heard = heard, .aux = aux };
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
    if (host == all->awaited || host == all->missing[false] || host == all->missing[true])
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
    evtimer_add(all->again, &(struct timeval){ 0 });
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
