/* Conntrack zones between flows and hosts: a block that wants one makes its host store one, once connections that an earlier owner left in
 * it are forgotten; when the host has it the runtime shows it and the block is compiled again. Removed when what had the number is gone
 * and every host has confirmed that.
 *
 * What is stored may be used, by whoever finds it there. So a zone that is to be emptied is stored only when the switch has answered a barrier behind
 * that: a connection that ends before begins again, and a vnetd that dies before leaves nothing. One barrier is on its way at a time, for all that
 * was sent before it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/host/zone_table.h"
#include "controller/instance/counting.h"
#include "controller/refusals.h"
#include "controller/retired.h"
#include "vnet/pipeline/layout.h"

#define ZONES_TAKEN "all 65535 conntrack zones of its switch are taken; what needs one more waits until another here is gone"

struct comer {
    struct map_node by_number;
    uint32_t number;
};

/* For its switch, which is to forget what is in it first. */
struct waiting {
    struct map_node by_number;
    uint32_t number;
    uint16_t zone;
    uint64_t flushed; /* the how many-th of this connection; 0: not sent on it yet */
};

struct host_zones {
    struct zone_table *table;
    struct map waiting;
    uint64_t n_flushed; /* on this connection */
    uint64_t n_behind;  /* of them those that the barrier is behind */
    uint32_t barrier;   /* 0: none is on its way */
    size_t n_starving;  /* that have no zone, since all are taken */
    struct map comers;  /* came before the host told of any zone; one of theirs is emptied when it does */
};

static bool
zone_is_live(void *aux, uint32_t number)
{
    const struct hypervisor *h = aux;
    const struct controller *c = hosts_controller(h->all);
    return model_get(c->model, number, OBJECT_NONE) || retired_has(c->retired, number);
}

/* ---- emptying ---- */

static struct waiting *
waiting_find(const struct host_zones *z, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &z->waiting, hash_u32(number)) {
        struct waiting *w = CONTAINER_OF(n, struct waiting, by_number);
        if (w->number == number)
            return w;
    }
    return NULL;
}

static void
waiting_remove(struct host_zones *z, struct waiting *w)
{
    map_remove(&z->waiting, &w->by_number);
    free(w);
}

static void
barrier_send(struct hypervisor *h)
{
    struct host_zones *z = h->zones;
    z->n_behind = z->n_flushed;
    z->barrier = of_session_barrier(h->of);
}

static void
flush(struct hypervisor *h, struct waiting *w)
{
    of_session_flush_zone(h->of, w->zone);
    w->flushed = ++h->zones->n_flushed;
    if (!h->zones->barrier)
        barrier_send(h);
}

/* Before the flows that use it are there; or, if the switch is not, before it gets any. Then it is stored. */
static void
zone_empty(struct hypervisor *h, uint32_t number, uint16_t zone)
{
    struct host_zones *z = h->zones;
    struct waiting *w = waiting_find(z, number);
    if (!w) {
        w = mem_zalloc(sizeof *w);
        w->number = number;
        map_insert(&z->waiting, &w->by_number, hash_u32(number));
    }
    w->zone = zone;
    w->flushed = 0;
    if (h->of && h->is_reconciling)
        flush(h, w);
}

static void
zone_store(void *aux, uint32_t number, uint16_t zone, bool is_fresh)
{
    struct hypervisor *h = aux;
    struct waiting *w = waiting_find(h->zones, number);
    if (is_fresh) {
        zone_empty(h, number, zone);
        return;
    }
    if (w)
        waiting_remove(h->zones, w);
    if (h->db)
        ovsdb_session_set_zone(h->db, number, zone);
}

void
host_zones_flush(struct hypervisor *h)
{
    struct host_zones *z = h->zones;
    if (!z)
        return;
    z->n_flushed = 0;
    z->barrier = 0;
    MAP_FOR_EACH (n, &z->waiting) {
        struct waiting *w = CONTAINER_OF(n, struct waiting, by_number);
        of_session_flush_zone(h->of, w->zone);
        w->flushed = ++z->n_flushed;
    }
    if (z->n_flushed)
        barrier_send(h);
}

void
host_zones_passed(struct hypervisor *h, uint32_t barrier)
{
    struct host_zones *z = h->zones;
    if (!z || !z->barrier || barrier != z->barrier || !h->is_reconciling)
        return;
    z->barrier = 0;
    MAP_FOR_EACH_SAFE (n, next, &z->waiting) {
        struct waiting *w = CONTAINER_OF(n, struct waiting, by_number);
        if (w->flushed > z->n_behind)
            continue;
        if (h->db)
            ovsdb_session_set_zone(h->db, w->number, w->zone);
        waiting_remove(z, w);
    }
    if (map_count(&z->waiting))
        barrier_send(h);
}

/* ---- what came before its zone was known ---- */

static bool
is_comer(const struct host_zones *z, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &z->comers, hash_u32(number)) {
        if (CONTAINER_OF(n, struct comer, by_number)->number == number)
            return true;
    }
    return false;
}

static void
comers_clear(struct host_zones *z)
{
    MAP_FOR_EACH_SAFE (n, next, &z->comers) {
        map_remove(&z->comers, n);
        free(CONTAINER_OF(n, struct comer, by_number));
    }
}

static void
zone_ready(void *aux, uint32_t number, uint16_t zone)
{
    struct hypervisor *h = aux;
    struct controller *c = hosts_controller(h->all);
    struct vnet_event event = { .kind = EVENT_ZONE, .number = h->number, .zone_of = number };
    runtime_set_zone(c->runtime, h->number, number, zone);
    if (is_comer(h->zones, number))
        zone_empty(h, number, zone);
    controller_fact_changed(c, &event);
}

static void
zone_forget(void *aux, uint32_t number)
{
    const struct hypervisor *h = aux;
    runtime_set_zone(hosts_controller(h->all)->runtime, h->number, number, 0);
}

static void
zone_starves(void *aux, uint32_t number, bool starves)
{
    struct hypervisor *h = aux;
    struct controller *c = hosts_controller(h->all);
    const struct object *o = model_get(c->model, number, OBJECT_NONE);
    h->zones->n_starving += starves ? 1 : -1;
    if (h->zones->n_starving)
        host_set_error(h, HOST_ERROR_ZONES, ZONES_TAKEN ": %zu so far", h->zones->n_starving);
    else
        host_clear_error(h, HOST_ERROR_ZONES);
    if (!o)
        return;
    if (starves)
        refusals_add(c->refusals, h->number, cookie_make(FEATURE_BASE, o->type, number), ZONES_TAKEN);
    else
        refusals_remove(c->refusals, h->number, cookie_make(FEATURE_BASE, o->type, number));
}

static const struct zone_table_ops zone_ops = {
    .is_live = zone_is_live,
    .store = zone_store,
    .ready = zone_ready,
    .forget = zone_forget,
    .starves = zone_starves,
};

static struct zone_table *
zones_of(struct hypervisor *h)
{
    if (!h->zones) {
        h->zones = mem_zalloc(sizeof *h->zones);
        h->zones->table = zone_table_new(&zone_ops, h);
        map_init(&h->zones->waiting);
        map_init(&h->zones->comers);
    }
    return h->zones->table;
}

void
host_zones_free(struct hypervisor *h)
{
    if (!h->zones)
        return;
    zone_table_free(h->zones->table);
    MAP_FOR_EACH_SAFE (n, next, &h->zones->waiting)
        waiting_remove(h->zones, CONTAINER_OF(n, struct waiting, by_number));
    map_done(&h->zones->waiting);
    comers_clear(h->zones);
    map_done(&h->zones->comers);
    free(h->zones);
    h->zones = NULL;
}

void
host_zones_told(struct hypervisor *h, const struct ovsdb_zone *zones, size_t n)
{
    bool is_first = !h->has_zones;
    h->has_zones = true;
    zone_table_told(zones_of(h), zones, n);
    if (is_first)
        host_lost_zones_told(h);
    comers_clear(h->zones); /* whoever has none is given an empty one */
    counting_zones_told(hosts_controller(h->all)->counting, h->number);
}

void
host_each_zone(const struct hypervisor *h, void (*each)(void *aux, uint32_t number, uint16_t zone), void *aux)
{
    if (h->zones)
        zone_table_each(h->zones->table, each, aux);
}

void
host_zones_unread(struct hypervisor *h)
{
    h->has_zones = false;
    if (h->zones)
        zone_table_unread(h->zones->table);
}

/* A host's interfaces are told before its zones: to a vnetd that has just started nobody's zone is known then. */
static void
comer_add(struct hypervisor *h, uint32_t number)
{
    zones_of(h);
    struct host_zones *z = h->zones;
    if (is_comer(z, number))
        return;
    struct comer *c = mem_zalloc(sizeof *c);
    c->number = number;
    map_insert(&z->comers, &c->by_number, hash_u32(number));
}

void
host_zone_empty(struct hypervisor *h, uint32_t number)
{
    uint16_t zone = h ? runtime_zone(hosts_controller(h->all)->runtime, h->number, number) : 0;
    if (zone)
        zone_empty(h, number, zone);
    else if (h && !h->has_zones)
        comer_add(h, number);
}

void
hosts_zone_wanted(void *aux, uint32_t host, uint32_t number)
{
    struct hypervisor *h = host_by_number(aux, host);
    if (h)
        zone_table_want(zones_of(h), number);
}

void
hosts_number_released(struct hosts *all, uint32_t number)
{
    for (struct hypervisor *h = hosts_first(all); h; h = hosts_next(all, h)) {
        if (h->zones)
            zone_table_drop(h->zones->table, number);
        host_lost_zone_released(h, number);
    }
}
