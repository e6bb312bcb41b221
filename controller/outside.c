#include "controller/outside.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/feed.h"
#include "controller/host/host.h"
#include "controller/outside_private.h"
#include "controller/waiter.h"
#include "vnet/pipeline/placement.h"

#define WATCH_S 30

/* A host that is waited for. */
struct watch {
    struct map_node by_host;
    struct outside *outside;
    uint32_t host;
    bool is_waiting; /* a waiter is under way: it is connected */
};

struct outside {
    struct controller *controller;
    struct announcements *announcements;
    struct upstreams *upstreams;
    struct exhaustion *exhaustion;
    struct feed_reader *reader; /* hosts that connect */
    struct map watches;
    bool is_begun;
};

static void feed_told(void *aux, const struct feed_event *);

struct outside *
outside_new(struct controller *c)
{
    struct outside *o = mem_zalloc(sizeof *o);
    o->controller = c;
    map_init(&o->watches);
    o->announcements = announcements_new(o, c);
    o->upstreams = upstreams_new(o, c, o->announcements);
    o->exhaustion = exhaustion_new(c);
    o->reader = feed_subscribe(c->feed, feed_last(c->feed), feed_told, o);
    return o;
}

void
outside_free(struct outside *o)
{
    if (!o)
        return;
    feed_unsubscribe(o->reader);
    exhaustion_free(o->exhaustion);
    upstreams_free(o->upstreams);
    announcements_free(o->announcements);
    MAP_FOR_EACH_SAFE (n, next, &o->watches)
        free(CONTAINER_OF(n, struct watch, by_host));
    map_done(&o->watches);
    free(o);
}

/* ---- hosts ---- */

static struct watch *
watch_find(const struct outside *o, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &o->watches, hash_u32(host)) {
        struct watch *w = CONTAINER_OF(n, struct watch, by_host);
        if (w->host == host)
            return w;
    }
    return NULL;
}

static void
watch_end(struct outside *o, struct watch *w)
{
    uint32_t host = w->host;
    map_remove(&o->watches, &w->by_host);
    free(w);
    announcements_host_ready(o->announcements, host);
    upstreams_host_ready(o->upstreams);
}

static void
host_waited_for(void *aux, const struct waiter_result *result)
{
    struct watch *w = aux;
    w->is_waiting = false;
    if (!result->n_disconnected)
        watch_end(w->outside, w);
}

/* Of one that is not connected the feed tells when it is. */
void
outside_watch_host(struct outside *o, uint32_t host)
{
    const struct hypervisor *h = host_by_number(o->controller->hosts, host);
    struct watch *w = watch_find(o, host);
    if (!w) {
        w = mem_zalloc(sizeof *w);
        *w = (struct watch){ .outside = o, .host = host };
        map_insert(&o->watches, &w->by_host, hash_u32(host));
    }
    if (w->is_waiting || !h || !host_is_connected(h) || host_is_realised(h))
        return;
    w->is_waiting = true;
    waiter_add(o->controller->waiters, &host, 1, WATCH_S, host_waited_for, w);
}

static void
feed_told(void *aux, const struct feed_event *e)
{
    struct outside *o = aux;
    if (e->type != OBJECT_HOST)
        return;
    struct watch *w = watch_find(o, e->number);
    if (w && !w->is_waiting)
        watch_end(o, w);
    else if (!w)
        upstreams_host_ready(o->upstreams);
}

/* ---- what changes ---- */

static void
eip_look(void *aux, uint32_t eip)
{
    announcements_look(aux, eip);
}

/* The columns of a NAT gateway are of the elastic IP that is attached to it. */
static void
tell_natgw(const struct outside *o, const struct object *eip)
{
    const struct target_ref *attached = eip ? &((const struct eip *) (const void *) eip)->attached : NULL;
    if (attached && attached->kind == TARGET_NATGW)
        feed_object(o->controller->feed, attached->number);
}

/* Whether anybody reaches a pool's network is its column. */
static void
tell_pools(const struct outside *o, const struct vnet_event *event)
{
    const struct controller *c = o->controller;
    for (const struct object *p = NULL; (p = model_next(c->model, OBJECT_POOL, p ? p->number : 0)) != NULL;)
        if (placement_link_differs(event->host_before, event->host_after, ((const struct pool *) (const void *) p)->uplink))
            feed_object(c->feed, p->number);
}

void
outside_begin(struct outside *o)
{
    const struct model *m = o->controller->model;
    const struct object *object = NULL;
    o->is_begun = true;
    exhaustion_begin(o->exhaustion);
    for (uint32_t after = 0; (object = model_next(m, OBJECT_EIP, after)); after = object->number)
        announcements_look(o->announcements, object->number);
    for (uint32_t after = 0; (object = model_next(m, OBJECT_POOL, after)); after = object->number)
        upstreams_look(o->upstreams, object->number);
}

void
outside_changed(struct outside *o, const struct vnet_event *event)
{
    if (!o->is_begun)
        return;
    const struct view view = { .model = o->controller->model, .runtime = o->controller->runtime };
    placement_affected(&view, event, eip_look, o->announcements);
    if (event->kind == EVENT_OBJECT && event->change->type == OBJECT_EIP) {
        tell_natgw(o, event->change->before);
        tell_natgw(o, event->change->after);
    }
    if (event->kind == EVENT_OBJECT && event->change->type == OBJECT_POOL)
        upstreams_look(o->upstreams, event->change->number);
    if (event->kind == EVENT_HOST && placement_depends(event->host_before, event->host_after)) {
        upstreams_hurry(o->upstreams);
        tell_pools(o, event);
    }
}

void
outside_remember(struct outside *o, uint32_t pool, const char *value)
{
    struct mac mac;
    struct controller *c = o->controller;
    if (model_pool(c->model, pool) && mac_parse(value, &mac))
        runtime_set_gateway_mac(c->runtime, pool, mac);
}

void
outside_packet_in(struct controller *c, uint32_t host, const struct packet_in *in)
{
    if (c->outside)
        upstreams_heard(c->outside->upstreams, host, in);
}

bool
outside_gateway_is_lost(const struct outside *o, uint32_t pool)
{
    return upstreams_is_lost(o->upstreams, pool);
}

struct outside_place
outside_place(const struct outside *o, uint32_t eip)
{
    return announcements_place(o->announcements, eip);
}
