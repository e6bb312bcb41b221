#include "vnet/pipeline/placement.h"

#include <string.h>

#include "base/map.h"

const struct runtime_uplink *
runtime_uplink(const struct runtime_host *host, const char *network)
{
    for (unsigned i = 0; i < host->n_uplinks; i++)
        if (!strcmp(host->uplinks[i].network, network))
            return &host->uplinks[i];
    return NULL;
}

uint32_t
runtime_uplink_port(const struct runtime_host *host, const char *network)
{
    const struct runtime_uplink *uplink = runtime_uplink(host, network);
    return uplink ? uplink->ofport : 0;
}

uint16_t
runtime_narrow_uplink(const struct runtime_host *host, const char *network)
{
    const struct runtime_uplink *uplink = runtime_uplink(host, network);
    return uplink && uplink->mtu + LAYOUT_TUNNEL_OVERHEAD < host->mtu ? uplink->mtu : 0;
}

struct reach_search {
    const char *network;
    struct network_reach reach;
};

static void
reach_add(void *aux, const struct runtime_host *host)
{
    struct reach_search *s = aux;
    const struct runtime_uplink *uplink = runtime_uplink(host, s->network);
    if (!uplink)
        return;
    s->reach.n_hosts++;
    s->reach.n_up += !uplink->is_down;
    s->reach.n_gateways += host->is_gateway;
    s->reach.n_gateways_up += host->is_gateway && !uplink->is_down;
}

struct network_reach
runtime_network_reach(const struct runtime *runtime, const char *network)
{
    struct reach_search s = { .network = network };
    runtime_each_host(runtime, reach_add, &s);
    return s.reach;
}

/* ---- the choice of a gateway ---- */

struct choice {
    const char *network;
    uint32_t key;
    struct candidate {
        const struct runtime_host *host; /* NULL: there is none */
        uint64_t weight;
    } of_all, of_alive, of_up; /* the last ones are alive, too */
};

/* A good mixture of both numbers (the finalizer of SplitMix64): hosts' weights for a key must look independent. */
static uint64_t
rendezvous_weight(uint32_t host, uint32_t key)
{
    uint64_t x = ((uint64_t) host << 32 | key) + UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void
prefer(struct candidate *best, const struct candidate *other)
{
    if (!best->host || other->weight > best->weight)
        *best = *other;
}

static void
consider(void *aux, const struct runtime_host *host)
{
    struct choice *c = aux;
    const struct runtime_uplink *uplink = runtime_uplink(host, c->network);
    const struct candidate candidate = { host, rendezvous_weight(host->number, c->key) };
    if (!uplink)
        return;
    prefer(&c->of_all, &candidate);
    if (!host->is_dead)
        prefer(&c->of_alive, &candidate);
    if (!host->is_dead && !uplink->is_down)
        prefer(&c->of_up, &candidate);
}

static struct choice
gateway_choose(const struct view *view, const char *network, uint32_t key)
{
    struct choice c = { .network = network, .key = key };
    runtime_each_gateway(view->runtime, consider, &c);
    return c;
}

/* ---- where an address is ---- */

static bool
attachment_get(const struct view *view, struct placement *p)
{
    const struct model *m = view->model;
    const struct target_ref *attached = &p->eip->attached;
    p->port = attached->kind == TARGET_PORT ? model_port(m, attached->number) : NULL;
    p->natgw = attached->kind == TARGET_NATGW ? model_natgw(m, attached->number) : NULL;
    p->lb = attached->kind == TARGET_LB ? model_lb(m, attached->number) : NULL;
    p->subnet = model_subnet(m, p->port ? p->port->subnet : p->natgw ? p->natgw->subnet : p->lb ? p->lb->subnet : 0);
    p->vpc = p->subnet ? model_vpc(m, p->subnet->vpc) : NULL;
    return p->vpc && model_subnet_reaches_igw(m, p->subnet);
}

static const struct runtime_host *
holder_find(const struct view *view, const struct placement *p)
{
    const struct runtime_host *own = p->at.host ? runtime_host(view->runtime, p->at.host) : NULL;
    const struct runtime_uplink *uplink = own ? runtime_uplink(own, p->pool->uplink) : NULL;
    if (uplink && !uplink->is_down)
        return own;
    struct choice c = gateway_choose(view, p->pool->uplink, p->eip->o.number);
    if (c.of_up.host)
        return c.of_up.host;
    return uplink ? own : c.of_alive.host ? c.of_alive.host : c.of_all.host;
}

bool
placement_get(const struct view *view, uint32_t number, struct placement *p)
{
    *p = (struct placement){ .eip = model_eip(view->model, number) };
    p->pool = p->eip ? model_pool(view->model, p->eip->pool) : NULL;
    if (!p->pool || !attachment_get(view, p))
        return false;
    if (p->port)
        p->at = runtime_binding(view->runtime, p->port->o.number);
    if (p->port && (!p->at.host || !p->at.ofport))
        return false;
    p->holder = holder_find(view, p);
    p->uplink = p->holder ? runtime_uplink_port(p->holder, p->pool->uplink) : 0;
    return p->uplink != 0;
}

bool
placement_of(const struct view *view, uint32_t holder, struct placement *p)
{
    uint32_t eip = model_eip_of(view->model, holder);
    return eip && placement_get(view, eip, p);
}

uint32_t
placement_host(const struct view *view, uint32_t number)
{
    struct placement p;
    return placement_of(view, number, &p) && !p.port ? p.holder->number : 0;
}

void
placement_each_sender(const struct view *view, void (*each)(void *aux, uint32_t number), void *aux)
{
    static const enum object_type types[] = { OBJECT_NATGW, OBJECT_LB };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (const struct object *o = NULL; (o = model_next(view->model, types[i], o ? o->number : 0)) != NULL;)
            each(aux, o->number);
}

/* ---- what a change concerns ---- */

static const struct runtime_host unknown;

/* All that addresses of any network hang on. */
static bool
placement_differs(const struct runtime_host *a, const struct runtime_host *b)
{
    return a->is_gateway != b->is_gateway || a->is_dead != b->is_dead || a->mtu != b->mtu || placement_uplinks_differ(a, b);
}

static bool
is_up(const struct runtime_host *host, const char *network)
{
    const struct runtime_uplink *uplink = host ? runtime_uplink(host, network) : NULL;
    return uplink && !uplink->is_down;
}

static uint16_t
narrow(const struct runtime_host *host, const char *network)
{
    return host ? runtime_narrow_uplink(host, network) : 0;
}

bool
placement_link_differs(const struct runtime_host *before, const struct runtime_host *after, const char *network)
{
    return is_up(before, network) != is_up(after, network) || narrow(before, network) != narrow(after, network);
}

static bool
links_differ(const struct runtime_host *a, const struct runtime_host *b)
{
    for (unsigned i = 0; i < a->n_uplinks; i++)
        if (placement_link_differs(a, b, a->uplinks[i].network))
            return true;
    return false;
}

bool
placement_depends(const struct runtime_host *before, const struct runtime_host *after)
{
    const struct runtime_host *a = before ? before : &unknown, *b = after ? after : &unknown;
    if (!a->n_uplinks && !b->n_uplinks && a->mtu == b->mtu)
        return false;
    return placement_differs(a, b) || links_differ(a, b);
}

bool
placement_uplinks_differ(const struct runtime_host *before, const struct runtime_host *after)
{
    const struct runtime_host *a = before ? before : &unknown, *b = after ? after : &unknown;
    if (a->n_uplinks != b->n_uplinks)
        return true;
    for (unsigned i = 0; i < a->n_uplinks; i++)
        if (a->uplinks[i].ofport != b->uplinks[i].ofport || strcmp(a->uplinks[i].network, b->uplinks[i].network))
            return true;
    return false;
}

bool
placement_gateway_changed(const struct runtime_host *before, const struct runtime_host *after)
{
    return ((before && before->is_gateway) || (after && after->is_gateway)) && placement_depends(before, after);
}

struct affected {
    const struct view *view;
    void (*each)(void *aux, uint32_t eip);
    void *aux;
};

static bool
affect_eip(void *aux, const struct object *eip)
{
    const struct affected *a = aux;
    a->each(a->aux, eip->number);
    return true;
}

static void
affect_of(const struct affected *a, uint32_t holder)
{
    uint32_t eip = model_eip_of(a->view->model, holder);
    if (eip)
        a->each(a->aux, eip);
}

static bool
affect_holder(void *aux, const struct object *holder)
{
    affect_of(aux, holder->number);
    return true;
}

static bool
affect_subnet(void *aux, const struct object *subnet)
{
    const struct affected *a = aux;
    model_each_referrer(a->view->model, subnet->number, OBJECT_PORT, affect_holder, aux);
    model_each_referrer(a->view->model, subnet->number, OBJECT_NATGW, affect_holder, aux);
    model_each_referrer(a->view->model, subnet->number, OBJECT_LB, affect_holder, aux);
    return true;
}

static bool
is_way_out(const struct object *o)
{
    const struct route *route = (const void *) o;
    return o && route->target.kind == TARGET_IGW;
}

static void
affect_route(struct affected *a, const struct change *c)
{
    const struct route *route = (const void *) (c->after ? c->after : c->before);
    if (is_way_out(c->before) || is_way_out(c->after))
        model_each_referrer(a->view->model, route->rtb, OBJECT_SUBNET, affect_subnet, a);
}

static void
affect_port(void *aux, uint32_t port, uint32_t ofport)
{
    affect_of(aux, port);
}

static void
affect_sender(void *aux, uint32_t number)
{
    affect_of(aux, number);
}

/* Just some of a gateway's uplinks went up or down, or take packets of another size. */
static void
affect_networks(struct affected *a, const struct runtime_host *before, const struct runtime_host *after)
{
    for (const struct object *o = NULL; (o = model_next(a->view->model, OBJECT_POOL, o ? o->number : 0)) != NULL;)
        if (placement_link_differs(before, after, ((const struct pool *) (const void *) o)->uplink))
            model_each_referrer(a->view->model, o->number, OBJECT_EIP, affect_eip, a);
}

/* By a gateway every address may come or go. Of another host those of its own ports hang, and by its MTU what may be sent to ports anywhere. */
static void
affect_host(struct affected *a, const struct vnet_event *event)
{
    const struct runtime_host *before = event->host_before, *after = event->host_after;
    if (!placement_depends(before, after))
        return;
    if (placement_gateway_changed(before, after) && before && after && !placement_differs(before, after)) {
        affect_networks(a, before, after);
        return;
    }
    if (placement_gateway_changed(before, after)) {
        for (const struct object *o = NULL; (o = model_next(a->view->model, OBJECT_EIP, o ? o->number : 0)) != NULL;)
            a->each(a->aux, o->number);
        return;
    }
    runtime_each_port_on(a->view->runtime, event->number, affect_port, a);
    if ((before ? before->mtu : 0) != (after ? after->mtu : 0))
        placement_each_sender(a->view, affect_sender, a);
}

static void
affect_object(struct affected *a, const struct change *c)
{
    switch (c->type) {
    case OBJECT_EIP: a->each(a->aux, c->number); break;
    case OBJECT_PORT:
    case OBJECT_NATGW:
    case OBJECT_LB: affect_of(a, c->number); break;
    case OBJECT_SUBNET:
        if (c->before && c->after)
            affect_subnet(a, c->after);
        break;
    case OBJECT_ROUTE: affect_route(a, c); break;
    case OBJECT_POOL:
        if (c->before && c->after)
            model_each_referrer(a->view->model, c->number, OBJECT_EIP, affect_eip, a);
        break;
    default: break;
    }
}

void
placement_affected(const struct view *view, const struct vnet_event *event, void (*each)(void *aux, uint32_t eip), void *aux)
{
    struct affected a = { view, each, aux };
    if (event->kind == EVENT_OBJECT) {
        affect_object(&a, event->change);
    } else if (event->kind == EVENT_BINDING) {
        affect_of(&a, event->number);
    } else if (event->kind == EVENT_HOST) {
        affect_host(&a, event);
    }
}
