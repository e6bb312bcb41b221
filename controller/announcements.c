/* Public addresses, each where it was last seen to be, and its announcements from there: a request by ARP for itself, to all, by which
 * switches and neighbours learn the way to it. Said when its host has installed the flows that serve it, not before. */
#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/announce.h"
#include "controller/feed.h"
#include "controller/outside_private.h"
#include "vnet/model/public_mac.h"
#include "vnet/packet/arp.h"
#include "vnet/pipeline/placement.h"

/* A public address that is served. */
struct announced {
    struct map_node by_eip, by_place;
    struct announced *next_held, **link_held; /* in a holding; link NULL: it is not held back */
    uint32_t eip, pool;
    uint32_t host;        /* that holds it */
    uint32_t uplink;      /* by which OpenFlow port it reaches the physical network */
    bool is_uplink_down;  /* nobody hears what it says there: it says it again when that is over */
    uint32_t holder;      /* port or NAT gateway */
    struct binding at;    /* the port's */
    uint64_t seq;         /* what the host must confirm first */
    int64_t announced_ms; /* wall clock */
    struct announcement announcement;
};

/* Due on a host that is not ready. */
struct holding {
    struct map_node by_host;
    uint32_t host;
    struct announced *first;
};

struct announcements {
    struct outside *outside;
    struct controller *controller;
    struct map by_eip, by_place; /* by number; by pool and host */
    struct map holdings;
    struct announcer announcer;
    struct event *timer;
};

static void announcements_tick(evutil_socket_t fd, short what, void *aux);

struct announcements *
announcements_new(struct outside *o, struct controller *c)
{
    struct announcements *all = mem_zalloc(sizeof *all);
    all->outside = o;
    all->controller = c;
    map_init(&all->by_eip);
    map_init(&all->by_place);
    map_init(&all->holdings);
    announcer_init(&all->announcer);
    all->timer = evtimer_new(c->base, announcements_tick, all);
    return all;
}

void
announcements_free(struct announcements *all)
{
    MAP_FOR_EACH_SAFE (n, next, &all->by_eip)
        free(CONTAINER_OF(n, struct announced, by_eip));
    MAP_FOR_EACH_SAFE (n, next, &all->holdings)
        free(CONTAINER_OF(n, struct holding, by_host));
    map_done(&all->by_eip);
    map_done(&all->by_place);
    map_done(&all->holdings);
    event_free(all->timer);
    free(all);
}

static uint32_t
hash_place(uint32_t pool, uint32_t host)
{
    return hash_u64((uint64_t) pool << 32 | host);
}

static struct announced *
announced_find(const struct announcements *all, uint32_t eip)
{
    MAP_FOR_EACH_HASH (n, &all->by_eip, hash_u32(eip)) {
        struct announced *a = CONTAINER_OF(n, struct announced, by_eip);
        if (a->eip == eip)
            return a;
    }
    return NULL;
}

struct outside_place
announcements_place(const struct announcements *all, uint32_t eip)
{
    const struct announced *a = announced_find(all, eip);
    return a ? (struct outside_place){ a->host, a->at.host, a->announced_ms } : (struct outside_place){ .host = 0 };
}

bool
announcements_held(const struct announcements *all, uint32_t pool, uint32_t host, struct ip *ip)
{
    MAP_FOR_EACH_HASH (n, &all->by_place, hash_place(pool, host)) {
        const struct announced *a = CONTAINER_OF(n, struct announced, by_place);
        const struct eip *eip = a->pool == pool && a->host == host ? model_eip(all->controller->model, a->eip) : NULL;
        if (eip) {
            *ip = eip->ip;
            return true;
        }
    }
    return false;
}

/* ---- held back ---- */

static struct holding *
holding_find(const struct announcements *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->holdings, hash_u32(host)) {
        struct holding *h = CONTAINER_OF(n, struct holding, by_host);
        if (h->host == host)
            return h;
    }
    return NULL;
}

static void
hold(struct announcements *all, struct announced *a)
{
    struct holding *h = holding_find(all, a->host);
    if (!h) {
        h = mem_zalloc(sizeof *h);
        h->host = a->host;
        map_insert(&all->holdings, &h->by_host, hash_u32(a->host));
    }
    a->next_held = h->first;
    a->link_held = &h->first;
    if (h->first)
        h->first->link_held = &a->next_held;
    h->first = a;
    outside_watch_host(all->outside, a->host);
}

static void
unhold(struct announced *a)
{
    if (!a->link_held)
        return;
    *a->link_held = a->next_held;
    if (a->next_held)
        a->next_held->link_held = a->link_held;
    a->link_held = NULL;
}

static void
begin(struct announcements *all, struct announced *a)
{
    unhold(a);
    announce_start(&all->announcer, &a->announcement, controller_now_ms());
    timer_at(all->timer, announce_due_ms(&all->announcer));
}

void
announcements_host_ready(struct announcements *all, uint32_t host)
{
    struct holding *h = holding_find(all, host);
    if (!h)
        return;
    while (h->first)
        begin(all, h->first);
    map_remove(&all->holdings, &h->by_host);
    free(h);
}

/* ---- saying it ---- */

static void
say(struct announcements *all, struct announced *a)
{
    const struct controller *c = all->controller;
    const struct eip *eip = model_eip(c->model, a->eip);
    const struct pool *pool = model_pool(c->model, a->pool);
    const struct runtime_host *host = runtime_host(c->runtime, a->host);
    uint32_t ofport = host && pool ? runtime_uplink_port(host, pool->uplink) : 0;
    if (!eip || !ofport)
        return;
    struct bytes frame = BYTES_INIT;
    struct arp_frame arp = arp_request(public_mac_of_ip(eip->ip), eip->ip, eip->ip, (uint16_t) pool->vlan);
    arp_put(&frame, &arp);
    send_frame(c, a->host, ofport, &frame);
    bytes_done(&frame);
    a->announced_ms = controller_wall_ms();
    feed_object(c->feed, a->eip);
}

static void
announcements_tick(evutil_socket_t fd, short what, void *aux)
{
    struct announcements *all = aux;
    struct announcement *next;
    while ((next = announce_next(&all->announcer, controller_now_ms()))) {
        struct announced *a = CONTAINER_OF(next, struct announced, announcement);
        if (host_is_ready(all->controller, a->host, a->seq)) {
            say(all, a);
        } else {
            announce_stop(&all->announcer, &a->announcement);
            hold(all, a);
        }
    }
    timer_at(all->timer, announce_due_ms(&all->announcer));
}

/* ---- where it is ---- */

/* The columns of the address, and of a NAT gateway behind it, have changed. */
static void
tell(const struct announcements *all, const struct announced *a)
{
    const struct controller *c = all->controller;
    feed_object(c->feed, a->eip);
    if (model_natgw(c->model, a->holder))
        feed_object(c->feed, a->holder);
}

static void
forget(struct announcements *all, struct announced *a)
{
    tell(all, a);
    unhold(a);
    announce_stop(&all->announcer, &a->announcement);
    map_remove(&all->by_eip, &a->by_eip);
    map_remove(&all->by_place, &a->by_place);
    free(a);
}

static bool
is_where_it_was(const struct announced *a, const struct placement *p, uint32_t holder)
{
    return a->host == p->holder->number && a->uplink == p->uplink && a->holder == holder && a->pool == p->pool->o.number
           && a->at.host == p->at.host && a->at.ofport == p->at.ofport;
}

void
announcements_look(struct announcements *all, uint32_t eip)
{
    struct placement p;
    const struct controller *c = all->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    bool is_served = placement_get(&view, eip, &p);
    uint32_t holder = is_served ? p.eip->attached.number : 0;
    struct announced *a = announced_find(all, eip);
    bool is_uplink_down = is_served && runtime_uplink(p.holder, p.pool->uplink)->is_down;
    if (a && is_served && is_where_it_was(a, &p, holder)) {
        if (a->is_uplink_down && !is_uplink_down)
            begin(all, a);
        a->is_uplink_down = is_uplink_down;
        return;
    }
    if (a)
        forget(all, a);
    if (!is_served)
        return;
    a = mem_zalloc(sizeof *a);
    *a = (struct announced){ .eip = eip,
                             .pool = p.pool->o.number,
                             .host = p.holder->number,
                             .uplink = p.uplink,
                             .is_uplink_down = is_uplink_down,
                             .holder = holder,
                             .at = p.at,
                             .seq = host_ready_seq(c, p.holder->number) };
    map_insert(&all->by_eip, &a->by_eip, hash_u32(eip));
    map_insert(&all->by_place, &a->by_place, hash_place(a->pool, a->host));
    tell(all, a);
    begin(all, a);
}
