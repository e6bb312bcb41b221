/* A port that no group filters passes its zone by; what the zone still has of earlier connections conntrack then no longer follows, and when the
 * port is filtered again it takes their next packets for wrong ones: their sequence numbers have moved on. So the zone forgets them before the
 * flows that filter are sent; the next packet is then known as one of a connection that is under way. Likewise what a balancer or NAT gateway has at a
 * host that its public address left, and comes back to (held_zones.h).
 *
 *              flows pass it by              flows go through it: flush                  the switch has confirmed them
 *     (none) -----------------> LOST ----------------------------------> FLUSHED (is_due) -----------------------------> (none)
 *                                 ^        flows pass it by                 |   ^
 *                                 +-----------------------------------------+   +-- the switch connected again: flush
 *
 * A flush that could not be sent yet comes as soon as it can; what has not been flushed by the connection that there is is not confirmed by it either.
 * Only the flows that filter make entries in the zone, so there is nothing between the flush and them. What is LOST is kept in the store from the time
 * when the flows began to pass by: a vnetd that dies between the change that filters again and its flush leaves that to its successor. In a VPC with
 * balancers a port's zone also has their connections, which never passed it by: those stay (they have a mark). Open vSwitch before 3.3 cannot tell them
 * apart; there all stay. A balancer's zone also has what targets have with themselves by it, which has no mark and stays; before 3.3 all goes. Which
 * of them it is the session finds out at its beginning, before it reads any flow. */
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/store/store.h"

#define MARK_BALANCED 1 /* LAYOUT_CT_BALANCED */

struct lost_zone {
    struct map_node by_number;
    uint32_t number; /* of the port, balancer or NAT gateway */
    bool is_stored, is_due;
    uint64_t seq;        /* is_due: what its host must have confirmed */
    uint64_t flushed_by; /* the host's connection, as it counts them; 0: none */
    struct lost_zone *next_due;
};

struct lost_zones {
    struct map by_number;
    struct lost_zone *due;
};

static struct lost_zone *
lost_find(const struct hypervisor *h, uint32_t number)
{
    if (!h->lost_zones)
        return NULL;
    MAP_FOR_EACH_HASH (n, &h->lost_zones->by_number, hash_u32(number)) {
        struct lost_zone *l = CONTAINER_OF(n, struct lost_zone, by_number);
        if (l->number == number)
            return l;
    }
    return NULL;
}

static struct lost_zone *
lost_add(struct hypervisor *h, uint32_t number)
{
    struct lost_zone *l = mem_zalloc(sizeof *l);
    if (!h->lost_zones) {
        h->lost_zones = mem_zalloc(sizeof *h->lost_zones);
        map_init(&h->lost_zones->by_number);
    }
    l->number = number;
    map_insert(&h->lost_zones->by_number, &l->by_number, hash_u32(number));
    return l;
}

static void
lost_store(const struct hypervisor *h, struct lost_zone *l, bool is_lost)
{
    if (l->is_stored == is_lost)
        return;
    char *key = mem_printf("lost/%u/%u", h->number, l->number);
    store_put_fact(hosts_controller(h->all)->store, key, is_lost ? "" : NULL);
    free(key);
    l->is_stored = is_lost;
}

static void
set_due(struct hypervisor *h, struct lost_zone *l, bool is_due)
{
    struct lost_zone **p = &h->lost_zones->due;
    if (l->is_due == is_due)
        return;
    l->is_due = is_due;
    if (is_due) {
        l->next_due = *p;
        *p = l;
        return;
    }
    while (*p != l)
        p = &(*p)->next_due;
    *p = l->next_due;
}

static void
lost_remove(struct hypervisor *h, struct lost_zone *l)
{
    lost_store(h, l, false);
    set_due(h, l, false);
    map_remove(&h->lost_zones->by_number, &l->by_number);
    free(l);
}

/* False: later, when the session knows what its switch can. */
static bool
flush_port(const struct hypervisor *h, const struct port *port, uint16_t zone)
{
    if (model_vpc(hosts_controller(h->all)->model, port->vpc)->is_balanced)
        return of_session_flush_ct(h->of, &(struct of_ct_match){ .has_zone = true, .zone = zone, .mark = 0, .mark_mask = UINT32_MAX })
               || of_session_is_ct_known(h->of);
    of_session_flush_zone(h->of, zone);
    return true;
}

static bool
flush_balancer(const struct hypervisor *h, uint16_t zone)
{
    struct of_ct_match from_outside = { .has_zone = true, .zone = zone, .mark = MARK_BALANCED, .mark_mask = MARK_BALANCED };
    if (of_session_flush_ct(h->of, &from_outside))
        return true;
    if (!of_session_is_ct_known(h->of))
        return false;
    of_session_flush_zone(h->of, zone);
    return true;
}

/* Nothing to forget by, or nothing to forget: zone 0. */
static bool
flush_send(const struct hypervisor *h, uint32_t number)
{
    const struct controller *c = hosts_controller(h->all);
    uint16_t zone = runtime_zone(c->runtime, h->number, number);
    const struct port *port = model_port(c->model, number);
    if (!zone)
        return true;
    if (port)
        return flush_port(h, port, zone);
    if (model_lb(c->model, number))
        return flush_balancer(h, zone);
    if (model_natgw(c->model, number))
        of_session_flush_zone(h->of, zone);
    return true;
}

static void
flush(const struct hypervisor *h, struct lost_zone *l)
{
    if (l->flushed_by != h->n_connections && flush_send(h, l->number))
        l->flushed_by = h->n_connections;
}

/* ---- what flows say ---- */

/* Whoever has no zone yet is given an empty one; only until the host has told its zones that is not known. */
static void
passed_by(struct hypervisor *h, struct lost_zone *l, uint32_t number, uint16_t zone)
{
    if (!l && !zone && h->has_zones)
        return;
    if (!l)
        l = lost_add(h, number);
    set_due(h, l, false);
    if (zone)
        lost_store(h, l, true);
}

static void
gone_through(struct hypervisor *h, struct lost_zone *l, uint16_t zone)
{
    if (!zone && h->has_zones) {
        lost_remove(h, l);
    } else if (zone && !l->is_due) {
        set_due(h, l, true);
        l->seq = h->wanted_seq;
        l->flushed_by = 0;
        if (h->of && h->is_reconciling)
            flush(h, l);
    }
}

void
hosts_zone_follows(void *aux, uint32_t host, uint32_t number, bool follows)
{
    struct hypervisor *h = host_by_number(aux, host);
    if (!h)
        return;
    uint16_t zone = runtime_zone(hosts_controller(h->all)->runtime, host, number);
    struct lost_zone *l = lost_find(h, number);
    if (!follows)
        passed_by(h, l, number, zone);
    else if (l)
        gone_through(h, l, zone);
}

/* ---- what the host says ---- */

void
host_lost_zones_told(struct hypervisor *h)
{
    if (!h->lost_zones)
        return;
    MAP_FOR_EACH_SAFE (n, next, &h->lost_zones->by_number) {
        struct lost_zone *l = CONTAINER_OF(n, struct lost_zone, by_number);
        if (runtime_zone(hosts_controller(h->all)->runtime, h->number, l->number))
            lost_store(h, l, true);
        else
            lost_remove(h, l);
    }
}

void
host_lost_zones_flush(struct hypervisor *h)
{
    for (struct lost_zone *l = h->lost_zones ? h->lost_zones->due : NULL; l; l = l->next_due)
        flush(h, l);
}

void
host_lost_zones_confirmed(struct hypervisor *h)
{
    for (struct lost_zone *l = h->lost_zones ? h->lost_zones->due : NULL, *next; l; l = next) {
        next = l->next_due;
        if (h->confirmed_seq >= l->seq && l->flushed_by == h->n_connections)
            lost_remove(h, l);
    }
}

void
host_lost_zone_released(struct hypervisor *h, uint32_t number)
{
    struct lost_zone *l = lost_find(h, number);
    if (l)
        lost_remove(h, l);
}

/* ---- the beginning and the end ---- */

void
hosts_remember_lost_zone(struct hosts *all, uint32_t host, uint32_t number)
{
    struct hypervisor *h = host_by_number(all, host);
    struct lost_zone gone = { .number = number, .is_stored = true };
    if (h && model_get(hosts_controller(all)->model, number, OBJECT_NONE) && !lost_find(h, number))
        lost_add(h, number)->is_stored = true;
    else if (h && !lost_find(h, number))
        lost_store(h, &gone, false);
}

void
host_lost_zones_forget(struct hypervisor *h)
{
    if (!h->lost_zones)
        return;
    MAP_FOR_EACH_SAFE (n, next, &h->lost_zones->by_number)
        lost_remove(h, CONTAINER_OF(n, struct lost_zone, by_number));
}

void
host_lost_zones_free(struct hypervisor *h)
{
    if (!h->lost_zones)
        return;
    MAP_FOR_EACH_SAFE (n, next, &h->lost_zones->by_number)
        free(CONTAINER_OF(n, struct lost_zone, by_number));
    map_done(&h->lost_zones->by_number);
    free(h->lost_zones);
    h->lost_zones = NULL;
}
