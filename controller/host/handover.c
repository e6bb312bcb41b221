#include "controller/host/handover.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/holdback.h"
#include "controller/host/host.h"
#include "controller/host/host_reach.h"
#include "controller/host/trails.h"
#include "controller/outside.h"
#include "vnet/pipeline/placement.h"

#define PLACE_HOSTS 2 /* its holder, its port's host */
#define KEEPERS_MAX 6 /* an address that moves faster than its new places confirm is not handed over any more */

/* The hosts that serve an address: each once. */
struct place_hosts {
    uint32_t v[PLACE_HOSTS];
    size_t n;
};

/* A host that keeps its old block, and since which change. */
struct keeper {
    uint32_t host;
    uint64_t since;
};

struct handover {
    struct map_node by_eip;
    struct handover *older, *younger;
    struct handover *next_arriving, **link_arriving; /* of the host that it waits for: to.v[n_awaited - 1] */
    uint32_t eip;
    uint32_t left; /* the host that held it */
    int64_t began_ms;
    uint64_t seq; /* what the new hosts must confirm */
    struct place_hosts to;
    uint32_t awaited[PLACE_HOSTS];
    size_t n_awaited;
    struct keeper keepers[KEEPERS_MAX];
    size_t n_keepers;
};

struct handovers {
    struct controller *controller;
    struct map by_eip;
    struct handover *oldest, *youngest;
    struct event *timer; /* of the oldest */
    struct trails *trails;
};

static void handovers_over(evutil_socket_t fd, short what, void *aux);

struct handovers *
handovers_new(struct controller *c)
{
    struct handovers *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_eip);
    all->timer = evtimer_new(c->base, handovers_over, all);
    all->trails = trails_new(c);
    return all;
}

void
handovers_free(struct handovers *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_eip)
        free(CONTAINER_OF(n, struct handover, by_eip));
    map_done(&all->by_eip);
    event_free(all->timer);
    trails_free(all->trails);
    free(all);
}

static struct handover *
handover_find(const struct handovers *all, uint32_t eip)
{
    MAP_FOR_EACH_HASH (n, &all->by_eip, hash_u32(eip)) {
        struct handover *h = CONTAINER_OF(n, struct handover, by_eip);
        if (h->eip == eip)
            return h;
    }
    return NULL;
}

/* ---- hosts of a place ---- */

static void
hosts_add(struct place_hosts *p, uint32_t host)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i] == host)
            return;
    if (host)
        p->v[p->n++] = host;
}

static bool
hosts_have(const struct place_hosts *p, uint32_t host)
{
    return (p->n > 0 && p->v[0] == host) || (p->n > 1 && p->v[1] == host);
}

static bool
hosts_equal(const struct place_hosts *a, const struct place_hosts *b)
{
    return a->n == b->n && (!a->n || hosts_have(b, a->v[0])) && (a->n < 2 || hosts_have(b, a->v[1]));
}

/* ---- keepers ---- */

static uint64_t
block_of(uint32_t eip)
{
    return cookie_make(FEATURE_EIP, OBJECT_EIP, eip);
}

static void
keeper_add(const struct handovers *all, struct handover *o, uint32_t host)
{
    struct controller *c = all->controller;
    struct hypervisor *h = host_by_number(c->hosts, host);
    for (size_t i = 0; i < o->n_keepers; i++)
        if (o->keepers[i].host == host)
            return;
    if (!h || !h->of || o->n_keepers == KEEPERS_MAX)
        return;
    o->keepers[o->n_keepers++] = (struct keeper){ host, c->seq };
    compiler_hold(c->compiler, host, block_of(o->eip));
    holdback_begin(h, c->seq);
}

static void
keeper_let_go(const struct handovers *all, const struct handover *o, const struct keeper *k)
{
    struct controller *c = all->controller;
    struct hypervisor *h = host_by_number(c->hosts, k->host);
    compiler_let_go(c->compiler, k->host, block_of(o->eip));
    if (!h)
        return;
    holdback_end(h, k->since, c->seq);
    host_concern(h, c->seq);
}

/* ---- waiting ---- */

static void
stop_waiting(struct handover *o)
{
    if (!o->link_arriving)
        return;
    *o->link_arriving = o->next_arriving;
    if (o->next_arriving)
        o->next_arriving->link_arriving = o->link_arriving;
    o->link_arriving = NULL;
}

/* For the next new host that has not confirmed. False: there is none, or it is not connected any more. */
static bool
await_next(const struct handovers *all, struct handover *o)
{
    for (; o->n_awaited; o->n_awaited--) {
        struct hypervisor *h = host_by_number(all->controller->hosts, o->awaited[o->n_awaited - 1]);
        if (!h || !host_is_connected(h))
            return false;
        if (h->made_seq >= o->seq)
            continue;
        o->next_arriving = h->arriving;
        o->link_arriving = &h->arriving;
        if (h->arriving)
            h->arriving->link_arriving = &o->next_arriving;
        h->arriving = o;
        return true;
    }
    return false;
}

static void
arm(struct handovers *all)
{
    timer_at(all->timer, all->oldest ? all->oldest->began_ms + HANDOVER_MS : INT64_MAX);
}

static void
begin(struct handovers *all, struct handover *o)
{
    o->began_ms = controller_now_ms();
    o->older = all->youngest;
    *(o->older ? &o->older->younger : &all->oldest) = o;
    all->youngest = o;
    map_insert(&all->by_eip, &o->by_eip, hash_u32(o->eip));
    arm(all);
}

/* What still comes to where it was shall find its way. */
static void
leave_trail(const struct handovers *all, const struct handover *o)
{
    struct placement p;
    const struct controller *c = all->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    const struct hypervisor *h = host_by_number(c->hosts, o->left);
    if (h && h->of && !hosts_are_closing(c->hosts) && placement_get(&view, o->eip, &p) && p.port && p.holder->number != o->left)
        trails_leave(all->trails, o->eip, o->left);
}

/* The sequence number is one that no host has confirmed yet. */
static void
end(struct handovers *all, struct handover *o)
{
    stop_waiting(o);
    leave_trail(all, o);
    for (size_t i = 0; i < o->n_keepers; i++)
        keeper_let_go(all, o, &o->keepers[i]);
    *(o->older ? &o->older->younger : &all->oldest) = o->younger;
    *(o->younger ? &o->younger->older : &all->youngest) = o->older;
    map_remove(&all->by_eip, &o->by_eip);
    free(o);
    arm(all);
}

static void
handovers_over(evutil_socket_t fd, short what, void *aux)
{
    struct handovers *all = aux;
    int64_t now_ms = controller_now_ms();
    all->controller->seq++;
    while (all->oldest && all->oldest->began_ms + HANDOVER_MS <= now_ms)
        end(all, all->oldest);
    arm(all);
}

/* ---- what moves ---- */

/* Where it was and where it is to be. */
static void
give(const struct handovers *all, struct handover *o, const struct place_hosts *from)
{
    for (size_t i = 0; i < o->to.n; i++)
        if (!hosts_have(from, o->to.v[i]))
            o->awaited[o->n_awaited++] = o->to.v[i];
    for (size_t i = 0; i < from->n; i++)
        keeper_add(all, o, from->v[i]);
}

/* It has not arrived, and moves on: wherever it may have been keeps what it has. A host that it comes back to does not. */
static void
give_again(const struct handovers *all, struct handover *o, const struct place_hosts *to)
{
    size_t n = 0;
    struct place_hosts was = o->to;
    stop_waiting(o);
    for (size_t i = 0; i < o->n_keepers; i++) {
        const struct keeper *k = &o->keepers[i];
        if (hosts_have(to, k->host)) {
            keeper_let_go(all, o, k);
            continue;
        }
        holdback_moved(host_by_number(all->controller->hosts, k->host), k->since, all->controller->seq);
        o->keepers[n++] = *k;
    }
    o->n_keepers = n;
    o->to = *to;
    o->n_awaited = 0;
    for (size_t i = 0; i < to->n; i++)
        o->awaited[o->n_awaited++] = to->v[i];
    for (size_t i = 0; i < was.n; i++)
        if (!hosts_have(to, was.v[i]))
            keeper_add(all, o, was.v[i]);
}

static bool
may_wait(const struct handovers *all, const struct handover *o)
{
    for (size_t i = 0; i < o->n_awaited; i++) {
        const struct hypervisor *h = host_by_number(all->controller->hosts, o->awaited[i]);
        if (!h || !host_is_connected(h))
            return false;
    }
    return o->n_awaited && o->n_keepers && o->n_keepers < KEEPERS_MAX;
}

/* What a host keeps that is dead, or cut off from the network, serves nobody. */
static bool
is_of_use(const struct handovers *all, uint32_t host, const char *network)
{
    const struct runtime_host *r = runtime_host(all->controller->runtime, host);
    const struct runtime_uplink *uplink = r ? runtime_uplink(r, network) : NULL;
    return r && !r->is_dead && !(uplink && uplink->is_down);
}

static void
move(struct handovers *all, const struct placement *p, const struct outside_place *was, const struct place_hosts *to)
{
    uint32_t eip = p->eip->o.number;
    struct handover *o = handover_find(all, eip);
    struct place_hosts from = { .n = 0 };
    hosts_add(&from, was->host);
    hosts_add(&from, was->port_host);
    if (hosts_equal(o ? &o->to : &from, to))
        return;
    if (!o && (!was->host || !is_of_use(all, was->host, p->pool->uplink)))
        return;
    if (o) {
        give_again(all, o, to);
    } else {
        o = mem_zalloc(sizeof *o);
        *o = (struct handover){ .eip = eip, .left = was->host, .to = *to };
        begin(all, o);
        give(all, o, &from);
    }
    o->seq = all->controller->seq;
    if (!may_wait(all, o) || !await_next(all, o))
        end(all, o);
}

static void
look(void *aux, uint32_t eip)
{
    struct handovers *all = aux;
    const struct controller *c = all->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    struct placement p;
    if (placement_get(&view, eip, &p) && p.port) {
        struct place_hosts to = { .n = 0 };
        struct outside_place was = outside_place(c->outside, eip);
        hosts_add(&to, p.holder->number);
        hosts_add(&to, p.at.host);
        move(all, &p, &was, &to);
        return;
    }
    struct handover *o = handover_find(all, eip);
    if (o)
        end(all, o);
}

void
handovers_look(struct handovers *all, const struct vnet_event *event)
{
    const struct view view = { .model = all->controller->model, .runtime = all->controller->runtime };
    placement_affected(&view, event, look, all);
}

/* ---- hosts ---- */

uint64_t
handovers_confirmed(struct handovers *all, struct hypervisor *h, uint64_t seq)
{
    struct handover *next;
    bool is_first = true;
    h->made_seq = seq;
    for (struct handover *o = h->arriving; o; o = next) {
        next = o->next_arriving;
        if (o->seq > seq)
            continue;
        stop_waiting(o);
        if (await_next(all, o))
            continue;
        all->controller->seq += is_first;
        is_first = false;
        end(all, o);
    }
    return holdbacks_limit(h, seq);
}

void
handovers_host_lost(struct handovers *all, struct hypervisor *h)
{
    h->made_seq = 0;
    if (h->arriving)
        all->controller->seq++;
    while (h->arriving)
        end(all, h->arriving);
}
