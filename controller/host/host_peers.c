#include "controller/host/host_peers.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "vnet/pipeline/dirty.h"
#include "vnet/pipeline/placement.h"

#define TURN_EIPS 128 /* looked at in one turn of the loop */

/* A public address that is served: who holds it, and whom it serves. */
struct use {
    struct map_node by_eip, by_vpc;
    uint32_t eip;
    uint32_t vpc; /* of its NAT gateway; 0: it is a port's */
    uint32_t holder;
    uint32_t *users; /* hosts other than the holder */
    size_t n_users, cap_users;
};

/* Two hosts that at least one use joins. */
struct pair {
    struct map_node node;
    uint32_t low, high;
    size_t n_uses;
    struct pair_end {
        struct pair_end *next, **link;
        uint32_t peer;
    } ends[2]; /* in the lists of 'low' and 'high' */
};

struct peering {
    struct map_node node;
    uint32_t host;
    struct pair_end *first;
};

struct host_peers {
    struct controller *controller;
    struct map uses, shared;        /* by eip; those with a VPC by that */
    struct map pairs, peerings;     /* by both hosts; by host */
    struct dirty_queue eips, hosts; /* to look at; whose wishes may have changed */
    struct event *turn;
};

static void on_turn(evutil_socket_t fd, short what, void *aux);

struct host_peers *
host_peers_new(struct controller *c)
{
    struct host_peers *p = mem_zalloc(sizeof *p);
    p->controller = c;
    map_init(&p->uses);
    map_init(&p->shared);
    map_init(&p->pairs);
    map_init(&p->peerings);
    dirty_init(&p->eips);
    dirty_init(&p->hosts);
    p->turn = evtimer_new(c->base, on_turn, p);
    return p;
}

void
host_peers_free(struct host_peers *p)
{
    if (!p)
        return;
    MAP_FOR_EACH_SAFE (n, next, &p->uses) {
        struct use *u = CONTAINER_OF(n, struct use, by_eip);
        free(u->users);
        free(u);
    }
    MAP_FOR_EACH_SAFE (n, next, &p->pairs)
        free(CONTAINER_OF(n, struct pair, node));
    MAP_FOR_EACH_SAFE (n, next, &p->peerings)
        free(CONTAINER_OF(n, struct peering, node));
    map_done(&p->uses);
    map_done(&p->shared);
    map_done(&p->pairs);
    map_done(&p->peerings);
    dirty_done(&p->eips);
    dirty_done(&p->hosts);
    event_free(p->turn);
    free(p);
}

static void
turn_schedule(struct host_peers *p)
{
    if (!event_pending(p->turn, EV_TIMEOUT, NULL))
        event_add(p->turn, &(struct timeval){ 0, 0 });
}

static struct view
view_of(const struct host_peers *p)
{
    return (struct view){ .model = p->controller->model, .runtime = p->controller->runtime };
}

/* ---- pairs ---- */

static struct peering *
peering_find(const struct host_peers *p, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &p->peerings, hash_u32(host)) {
        struct peering *of = CONTAINER_OF(n, struct peering, node);
        if (of->host == host)
            return of;
    }
    return NULL;
}

static void
end_link(struct host_peers *p, struct pair_end *end, uint32_t host, uint32_t peer)
{
    struct peering *of = peering_find(p, host);
    if (!of) {
        of = mem_zalloc(sizeof *of);
        of->host = host;
        map_insert(&p->peerings, &of->node, hash_u32(host));
    }
    end->peer = peer;
    end->next = of->first;
    end->link = &of->first;
    if (end->next)
        end->next->link = &end->next;
    of->first = end;
    dirty_add(&p->hosts, host);
}

static void
end_unlink(struct host_peers *p, struct pair_end *end, uint32_t host)
{
    struct peering *of = peering_find(p, host);
    *end->link = end->next;
    if (end->next)
        end->next->link = end->link;
    if (!of->first) {
        map_remove(&p->peerings, &of->node);
        free(of);
    }
    dirty_add(&p->hosts, host);
}

static struct pair *
pair_find(const struct host_peers *p, uint32_t low, uint32_t high)
{
    MAP_FOR_EACH_HASH (n, &p->pairs, hash_u64((uint64_t) high << 32 | low)) {
        struct pair *pair = CONTAINER_OF(n, struct pair, node);
        if (pair->low == low && pair->high == high)
            return pair;
    }
    return NULL;
}

static void
pair_join(struct host_peers *p, uint32_t a, uint32_t b)
{
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    struct pair *pair = pair_find(p, low, high);
    if (!pair) {
        pair = mem_zalloc(sizeof *pair);
        pair->low = low;
        pair->high = high;
        map_insert(&p->pairs, &pair->node, hash_u64((uint64_t) high << 32 | low));
        end_link(p, &pair->ends[0], low, high);
        end_link(p, &pair->ends[1], high, low);
    }
    pair->n_uses++;
}

static void
pair_part(struct host_peers *p, uint32_t a, uint32_t b)
{
    struct pair *pair = pair_find(p, a < b ? a : b, a < b ? b : a);
    if (--pair->n_uses)
        return;
    end_unlink(p, &pair->ends[0], pair->low);
    end_unlink(p, &pair->ends[1], pair->high);
    map_remove(&p->pairs, &pair->node);
    free(pair);
}

/* ---- uses ---- */

static void
use_add_user(struct use *u, uint32_t host)
{
    if (host == u->holder)
        return;
    u->users = mem_grow(u->users, &u->cap_users, u->n_users + 1, sizeof *u->users);
    u->users[u->n_users++] = host;
}

struct user_search {
    const struct compiler *compiler;
    struct use *use;
};

/* A host that is about to leave the VPC uses its NAT gateway no more. */
static void
add_holder(void *aux, uint32_t host)
{
    const struct user_search *s = aux;
    if (compiler_holds(s->compiler, host, s->use->vpc))
        use_add_user(s->use, host);
}

/* NULL: the address is not served. */
static struct use *
use_derive(const struct host_peers *p, uint32_t eip)
{
    struct view view = view_of(p);
    struct placement at;
    if (!placement_get(&view, eip, &at))
        return NULL;
    struct use *u = mem_zalloc(sizeof *u);
    u->eip = eip;
    u->holder = at.holder->number;
    u->vpc = at.port ? 0 : at.vpc->o.number;
    struct user_search search = { p->controller->compiler, u };
    if (u->vpc)
        compiler_each_host_of(search.compiler, u->vpc, add_holder, &search);
    else
        use_add_user(u, at.at.host);
    return u;
}

static struct use *
use_find(const struct host_peers *p, uint32_t eip)
{
    MAP_FOR_EACH_HASH (n, &p->uses, hash_u32(eip)) {
        struct use *u = CONTAINER_OF(n, struct use, by_eip);
        if (u->eip == eip)
            return u;
    }
    return NULL;
}

/* The new pairs first, so that those that stay are not undone meanwhile. */
static void
eip_look(struct host_peers *p, uint32_t eip)
{
    struct use *before = use_find(p, eip), *after = use_derive(p, eip);
    for (size_t i = 0; after && i < after->n_users; i++)
        pair_join(p, after->holder, after->users[i]);
    for (size_t i = 0; before && i < before->n_users; i++)
        pair_part(p, before->holder, before->users[i]);
    if (before) {
        map_remove(&p->uses, &before->by_eip);
        if (before->vpc)
            map_remove(&p->shared, &before->by_vpc);
        free(before->users);
        free(before);
    }
    if (after)
        map_insert(&p->uses, &after->by_eip, hash_u32(eip));
    if (after && after->vpc)
        map_insert(&p->shared, &after->by_vpc, hash_u32(after->vpc));
}

static void
on_turn(evutil_socket_t fd, short what, void *aux)
{
    struct host_peers *p = aux;
    for (int i = 0; i < TURN_EIPS && !dirty_is_empty(&p->eips); i++)
        eip_look(p, (uint32_t) dirty_take(&p->eips));
    while (dirty_is_empty(&p->eips) && !dirty_is_empty(&p->hosts)) {
        struct hypervisor *h = host_by_number(p->controller->hosts, (uint32_t) dirty_take(&p->hosts));
        if (h)
            host_want(h);
    }
    if (!dirty_is_empty(&p->eips))
        turn_schedule(p);
}

/* ---- changes ---- */

static void
mark_eip(void *aux, uint32_t eip)
{
    dirty_add(&((struct host_peers *) aux)->eips, eip);
}

/* NAT gateways serve every host of their VPC. */
static void
mark_shared(struct host_peers *p, uint32_t port)
{
    const struct port *o = model_port(p->controller->model, port);
    if (!o)
        return;
    MAP_FOR_EACH_HASH (n, &p->shared, hash_u32(o->vpc)) {
        const struct use *u = CONTAINER_OF(n, struct use, by_vpc);
        if (u->vpc == o->vpc)
            mark_eip(p, u->eip);
    }
}

static void
mark_gateway(void *aux, const struct runtime_host *r)
{
    dirty_add(&((struct host_peers *) aux)->hosts, r->number);
}

static bool
is_met_otherwise(const struct runtime_host *before, const struct runtime_host *after)
{
    return !before || !after || before->is_gateway != after->is_gateway || before->encap != after->encap
           || !ip_equal(before->encap_ip, after->encap_ip);
}

static void
mark_peers(struct host_peers *p, const struct vnet_event *event)
{
    const struct runtime_host *before = event->host_before, *after = event->host_after;
    if (!is_met_otherwise(before, after))
        return;
    const struct peering *of = peering_find(p, event->number);
    for (const struct pair_end *end = of ? of->first : NULL; end; end = end->next)
        dirty_add(&p->hosts, end->peer);
    if ((before && before->is_gateway) || (after && after->is_gateway))
        runtime_each_gateway(p->controller->runtime, mark_gateway, p);
    dirty_add(&p->hosts, event->number);
}

void
host_peers_changed(struct host_peers *p, const struct vnet_event *event)
{
    struct view view = view_of(p);
    placement_affected(&view, event, mark_eip, p);
    if (event->kind == EVENT_BINDING)
        mark_shared(p, event->number);
    if (event->kind == EVENT_HOST)
        mark_peers(p, event);
    if (!dirty_is_empty(&p->eips) || !dirty_is_empty(&p->hosts))
        turn_schedule(p);
}

/* ---- wishes ---- */

struct listing {
    const struct runtime *runtime;
    const struct runtime_host *host;
    struct ovsdb_peer *peers;
    size_t n, cap;
};

/* Both must use one encapsulation to hear each other: that of the lower number. */
static void
list_peer(struct listing *l, const struct runtime_host *peer)
{
    if (!peer || peer == l->host)
        return;
    const struct runtime_host *low = peer->number < l->host->number ? peer : l->host;
    l->peers = mem_grow(l->peers, &l->cap, l->n + 1, sizeof *l->peers);
    l->peers[l->n++] = (struct ovsdb_peer){ .ip = peer->encap_ip, .is_vxlan = low->encap == ENCAP_VXLAN, .number = peer->number };
}

static void
list_gateway(void *aux, const struct runtime_host *r)
{
    list_peer(aux, r);
}

static int
compare_peers(const void *a, const void *b)
{
    const struct ovsdb_peer *pa = a, *pb = b;
    return (pa->number > pb->number) - (pa->number < pb->number);
}

struct ovsdb_peer *
host_peers_list(const struct host_peers *p, uint32_t host, size_t *n)
{
    const struct runtime *runtime = p->controller->runtime;
    struct listing l = { runtime, runtime_host(runtime, host), NULL, 0, 0 };
    const struct peering *of = peering_find(p, host);
    for (const struct pair_end *end = of ? of->first : NULL; l.host && end; end = end->next)
        list_peer(&l, runtime_host(runtime, end->peer));
    if (l.host && l.host->is_gateway)
        runtime_each_gateway(runtime, list_gateway, &l);
    if (l.n)
        qsort(l.peers, l.n, sizeof *l.peers, compare_peers);
    *n = 0;
    for (size_t i = 0; i < l.n; i++)
        if (!*n || l.peers[*n - 1].number != l.peers[i].number)
            l.peers[(*n)++] = l.peers[i];
    return l.peers;
}
