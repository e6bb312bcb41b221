/* The upstream gateway of each pool: asked by ARP for its MAC address through a host that reaches its network, each such host in turn, so that one
 * without a cable does not hide it. What is learnt is a fact: kept, and believed again after a restart. When the answers stop, the last
 * one is kept and the loss is reported: a gateway that does not answer may still forward. */
#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/feed.h"
#include "controller/gateway_probe.h"
#include "controller/host/host.h"
#include "controller/outside_private.h"
#include "controller/store/store.h"
#include "vnet/model/public_mac.h"
#include "vnet/packet/arp.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/placement.h"

#define LOG_MODULE "outside"
#include "base/log.h"

struct upstream {
    struct map_node by_pool;
    uint32_t pool;
    struct ip gateway; /* that is asked for */
    uint64_t seq;      /* a host that has not confirmed this far may not bring us the answer */
    struct gateway_probe probe;
    uint32_t asked_from; /* the host of the last question; 0: none */
};

struct upstreams {
    struct outside *outside;
    struct controller *controller;
    const struct announcements *announcements;
    struct map by_pool;
    struct event *timer;
    struct log_limit refusals;
};

static void upstreams_tick(evutil_socket_t fd, short what, void *aux);

struct upstreams *
upstreams_new(struct outside *o, struct controller *c, const struct announcements *announcements)
{
    struct upstreams *all = mem_zalloc(sizeof *all);
    *all = (struct upstreams){ .outside = o, .controller = c, .announcements = announcements, .refusals = LOG_LIMIT(10) };
    map_init(&all->by_pool);
    all->timer = evtimer_new(c->base, upstreams_tick, all);
    return all;
}

void
upstreams_free(struct upstreams *all)
{
    MAP_FOR_EACH_SAFE (n, next, &all->by_pool)
        free(CONTAINER_OF(n, struct upstream, by_pool));
    map_done(&all->by_pool);
    event_free(all->timer);
    free(all);
}

static struct upstream *
upstream_find(const struct upstreams *all, uint32_t pool)
{
    MAP_FOR_EACH_HASH (n, &all->by_pool, hash_u32(pool)) {
        struct upstream *u = CONTAINER_OF(n, struct upstream, by_pool);
        if (u->pool == pool)
            return u;
    }
    return NULL;
}

static void
arrange(struct upstreams *all)
{
    int64_t due_ms = INT64_MAX;
    MAP_FOR_EACH (n, &all->by_pool) {
        const struct upstream *u = CONTAINER_OF(n, struct upstream, by_pool);
        due_ms = u->probe.due_ms < due_ms ? u->probe.due_ms : due_ms;
    }
    timer_at(all->timer, due_ms);
}

/* ---- the fact ---- */

static void
store_mac(const struct controller *c, uint32_t pool, const struct mac *mac)
{
    char text[MAC_STRLEN];
    char *key = mem_printf("pool/%u", pool);
    store_put_fact(c->store, key, mac ? mac_format(*mac, text) : NULL);
    free(key);
}

static void
mac_changed(struct controller *c, uint32_t pool)
{
    struct vnet_event event = { .kind = EVENT_GATEWAY_MAC, .number = pool };
    controller_fact_changed(c, &event);
    feed_object(c->feed, pool);
}

static void
mac_forget(struct controller *c, uint32_t pool)
{
    struct mac unused;
    if (!runtime_gateway_mac(c->runtime, pool, &unused))
        return;
    runtime_forget_pool(c->runtime, pool);
    store_mac(c, pool, NULL);
    mac_changed(c, pool);
}

static void
mac_learn(struct controller *c, const struct pool *pool, struct mac mac)
{
    char text[MAC_STRLEN], ip[IP_STRLEN];
    runtime_set_gateway_mac(c->runtime, pool->o.number, mac);
    store_mac(c, pool->o.number, &mac);
    log_info("pool '%s': its gateway %s is at %s", pool->o.name, ip_format(pool->gateway, ip), mac_format(mac, text));
    mac_changed(c, pool->o.number);
}

bool
upstreams_is_lost(const struct upstreams *all, uint32_t pool)
{
    const struct upstream *u = upstream_find(all, pool);
    return u && u->probe.is_lost;
}

/* ---- pools ---- */

static void
upstream_remove(struct upstreams *all, struct upstream *u)
{
    mac_forget(all->controller, u->pool);
    map_remove(&all->by_pool, &u->by_pool);
    free(u);
}

void
upstreams_look(struct upstreams *all, uint32_t number)
{
    struct mac unused;
    const struct controller *c = all->controller;
    const struct pool *pool = model_pool(c->model, number);
    struct upstream *u = upstream_find(all, number);
    if (!pool && u) {
        upstream_remove(all, u);
    } else if (pool && (!u || !ip_equal(u->gateway, pool->gateway))) {
        if (u)
            upstream_remove(all, u);
        u = mem_zalloc(sizeof *u);
        *u = (struct upstream){ .pool = number, .gateway = pool->gateway, .seq = c->seq };
        gateway_probe_start(&u->probe, runtime_gateway_mac(c->runtime, number, &unused), controller_now_ms());
        map_insert(&all->by_pool, &u->by_pool, hash_u32(number));
    }
    arrange(all);
}

void
upstreams_hurry(struct upstreams *all)
{
    MAP_FOR_EACH (n, &all->by_pool) {
        struct upstream *u = CONTAINER_OF(n, struct upstream, by_pool);
        u->seq = all->controller->seq;
        gateway_probe_hurry(&u->probe, controller_now_ms());
    }
    arrange(all);
}

void
upstreams_host_ready(struct upstreams *all)
{
    MAP_FOR_EACH (n, &all->by_pool)
        gateway_probe_wake(&CONTAINER_OF(n, struct upstream, by_pool)->probe, controller_now_ms());
    arrange(all);
}

/* ---- asking ---- */

/* Has the host the flow that brings us the answer? One that the pool did not concern wants less than 'seq'. */
static bool
may_ask(const struct controller *c, const struct upstream *u, uint32_t host)
{
    uint64_t wanted = host_ready_seq(c, host);
    return host_is_ready(c, host, wanted < u->seq ? wanted : u->seq);
}

/* Nobody hears what is asked by an uplink that is down; if all are nothing better is known. */
static bool
can_be_heard(const struct runtime_host *host, const char *network, bool is_any_up)
{
    const struct runtime_uplink *uplink = host ? runtime_uplink(host, network) : NULL;
    return uplink && (!uplink->is_down || !is_any_up);
}

/* The next host after the last one, by number and around, that can ask now; others are waited for. 0: none. */
static uint32_t
next_host(const struct upstreams *all, const struct upstream *u, const struct pool *pool)
{
    const struct controller *c = all->controller;
    uint32_t next = 0, first = 0;
    bool is_any_up = runtime_network_reach(c->runtime, pool->uplink).n_up;
    for (const struct hypervisor *h = hosts_first(c->hosts); h; h = hosts_next(c->hosts, h)) {
        const struct runtime_host *r = h->number ? runtime_host(c->runtime, h->number) : NULL;
        if (!can_be_heard(r, pool->uplink, is_any_up))
            continue;
        if (!may_ask(c, u, h->number)) {
            outside_watch_host(all->outside, h->number);
            continue;
        }
        if (!first || h->number < first)
            first = h->number;
        if (h->number > u->asked_from && (!next || h->number < next))
            next = h->number;
    }
    return next ? next : first;
}

static void
ask(const struct upstreams *all, const struct pool *pool, uint32_t host)
{
    const struct controller *c = all->controller;
    struct ip sender = ip4(0);
    struct mac mac =
        announcements_held(all->announcements, pool->o.number, host, &sender) ? public_mac_of_ip(sender) : public_mac_of_host(host);
    struct arp_frame arp = arp_request(mac, sender, pool->gateway, (uint16_t) pool->vlan);
    struct bytes frame = BYTES_INIT;
    arp_put(&frame, &arp);
    send_frame(c, host, runtime_uplink_port(runtime_host(c->runtime, host), pool->uplink), &frame);
    bytes_done(&frame);
}

static void
report_loss(const struct upstreams *all, const struct upstream *u, const struct pool *pool)
{
    char ip[IP_STRLEN];
    feed_object(all->controller->feed, u->pool);
    if (u->probe.is_known)
        log_warn("pool '%s': its gateway %s has not answered %d questions by ARP; its last MAC address is kept", pool->o.name,
                 ip_format(u->gateway, ip), PROBE_LOST_AFTER);
    else
        log_warn("pool '%s': its gateway %s does not answer ARP; nothing leaves by it until it does", pool->o.name,
                 ip_format(u->gateway, ip));
}

static void
upstream_tick(struct upstreams *all, struct upstream *u)
{
    const struct pool *pool = model_pool(all->controller->model, u->pool);
    uint32_t host = pool ? next_host(all, u, pool) : 0;
    if (!host) {
        gateway_probe_idle(&u->probe);
        return;
    }
    if (gateway_probe_lost(&u->probe))
        report_loss(all, u, pool);
    ask(all, pool, host);
    u->asked_from = host;
    gateway_probe_asked(&u->probe, controller_now_ms());
}

static void
upstreams_tick(evutil_socket_t fd, short what, void *aux)
{
    struct upstreams *all = aux;
    MAP_FOR_EACH (n, &all->by_pool) {
        struct upstream *u = CONTAINER_OF(n, struct upstream, by_pool);
        if (u->probe.due_ms <= controller_now_ms())
            upstream_tick(all, u);
    }
    arrange(all);
}

/* ---- hearing ---- */

/* From the network that it is about, of the gateway, with a MAC that a machine of that network may have. */
static bool
is_gateways(const struct upstreams *all, uint32_t host, const struct packet_in *in, const struct pool *pool, struct mac *mac)
{
    struct arp_frame arp;
    static const struct mac none;
    const struct runtime_host *r = runtime_host(all->controller->runtime, host);
    if (!r || runtime_uplink_port(r, pool->uplink) != in->in_port || !arp_parse(in->packet, in->packet_len, &arp))
        return false;
    *mac = arp.sha;
    return (arp.op == ARP_REPLY || arp.op == ARP_REQUEST) && ip_equal(arp.spa, pool->gateway) && (!arp.vlan || arp.vlan == pool->vlan)
           && !(arp.sha.b[0] & 1) && !mac_equal(arp.sha, none) && !is_public_mac(arp.sha);
}

void
upstreams_heard(struct upstreams *all, uint32_t host, const struct packet_in *in)
{
    uint32_t number;
    struct mac mac, known;
    bool was_lost;
    char ip[IP_STRLEN];
    struct controller *c = all->controller;
    struct upstream *u = userdata_get_pool(in->userdata, in->userdata_len, &number) ? upstream_find(all, number) : NULL;
    const struct pool *pool = u ? model_pool(c->model, number) : NULL;
    if (!pool || !is_gateways(all, host, in, pool, &mac))
        return;
    bool is_known = runtime_gateway_mac(c->runtime, number, &known), is_other = !is_known || !mac_equal(known, mac);
    if (!gateway_probe_answered(&u->probe, is_other, controller_now_ms(), &was_lost)) {
        log_warn_limited(&all->refusals, "pool '%s': more than one machine answers for its gateway %s", pool->o.name,
                         ip_format(pool->gateway, ip));
    } else if (is_other) {
        mac_learn(c, pool, mac);
    } else if (was_lost) {
        log_info("pool '%s': its gateway %s answers again", pool->o.name, ip_format(pool->gateway, ip));
        feed_object(c->feed, number);
    }
    arrange(all);
}
