/* Conntrack zones between flows and hosts: a block that wants one makes its host store one, once connections that an earlier owner left in
 * it are forgotten; when the host has it the runtime shows it and the block is compiled again. Removed when what had the number is gone
 * and every host has confirmed that. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/host/zone_table.h"
#include "controller/instance/counting.h"
#include "controller/retired.h"

struct comer {
    struct map_node by_number;
    uint32_t number;
};

struct host_zones {
    struct zone_table *table;
    struct ovsdb_zone *waiting; /* for its switch, which is to forget what is in them first */
    size_t n_waiting, cap_waiting;
    struct map comers; /* came before the host told of any zone; one of theirs is emptied when it does */
};

static bool
zone_is_live(void *aux, uint32_t number)
{
    const struct hypervisor *h = aux;
    const struct controller *c = hosts_controller(h->all);
    return model_get(c->model, number, OBJECT_NONE) || retired_has(c->retired, number);
}

static struct ovsdb_zone *
waiting_find(const struct host_zones *z, uint32_t number)
{
    for (size_t i = 0; i < z->n_waiting; i++)
        if (z->waiting[i].number == number)
            return &z->waiting[i];
    return NULL;
}

static void
waiting_set(struct host_zones *z, uint32_t number, uint16_t zone)
{
    struct ovsdb_zone *w = waiting_find(z, number);
    if (w && !zone) {
        *w = z->waiting[--z->n_waiting];
    } else if (zone) {
        if (!w) {
            z->waiting = mem_grow(z->waiting, &z->cap_waiting, z->n_waiting + 1, sizeof *z->waiting);
            w = &z->waiting[z->n_waiting++];
        }
        *w = (struct ovsdb_zone){ number, zone };
    }
}

static void
zone_store(void *aux, uint32_t number, uint16_t zone, bool is_fresh)
{
    struct hypervisor *h = aux;
    bool has_switch = h->of && h->is_reconciling;
    waiting_set(h->zones, number, is_fresh && !has_switch ? zone : 0);
    if (is_fresh && !has_switch)
        return;
    if (is_fresh)
        of_session_flush_zone(h->of, zone);
    if (h->db)
        ovsdb_session_set_zone(h->db, number, zone);
}

/* Before the flows that use it are there; or, if the switch is not, before it gets any. */
static void
zone_empty(struct hypervisor *h, uint32_t number, uint16_t zone)
{
    if (h->of && h->is_reconciling)
        of_session_flush_zone(h->of, zone);
    else
        waiting_set(h->zones, number, zone);
}

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

static const struct zone_table_ops zone_ops = {
    .is_live = zone_is_live,
    .store = zone_store,
    .ready = zone_ready,
    .forget = zone_forget,
};

static struct zone_table *
zones_of(struct hypervisor *h)
{
    if (!h->zones) {
        h->zones = mem_zalloc(sizeof *h->zones);
        h->zones->table = zone_table_new(&zone_ops, h);
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
    free(h->zones->waiting);
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

void
host_zones_flush(struct hypervisor *h)
{
    struct host_zones *z = h->zones;
    for (size_t i = 0; z && i < z->n_waiting; i++) {
        of_session_flush_zone(h->of, z->waiting[i].zone);
        if (h->db)
            ovsdb_session_set_zone(h->db, z->waiting[i].number, z->waiting[i].zone);
    }
    if (z)
        z->n_waiting = 0;
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
