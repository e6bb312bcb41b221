/* Conntrack zones between flows and hosts: a block that wants one makes its host store one; once the host has it, and connections that an
 * earlier owner left in it are forgotten, the runtime shows it and the block is compiled again. Removed when what had the number is gone and
 * every host has confirmed that. */
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/host/zone_table.h"
#include "controller/retired.h"

struct host_zones {
    struct zone_table *table;
    uint16_t *unflushed;                 /* given while its switch was away */
    size_t n_unflushed, cap_unflushed;
};

static bool zone_is_live(void *aux, uint32_t number)
{
    const struct hypervisor *h = aux;
    const struct controller *c = hosts_controller(h->all);
    return model_get(c->model, number, OBJECT_NONE) || retired_has(c->retired, number);
}

static void zone_store(void *aux, uint32_t number, uint16_t zone)
{
    const struct hypervisor *h = aux;
    if (h->db)
        ovsdb_session_set_zone(h->db, number, zone);
}

/* Flows that use the zone are sent after this. */
static void zone_flush(struct hypervisor *h, uint16_t zone)
{
    struct host_zones *z = h->zones;
    if (h->is_reconciling) {
        of_session_flush_zone(h->of, zone);
        return;
    }
    z->unflushed = mem_grow(z->unflushed, &z->cap_unflushed, z->n_unflushed + 1, sizeof *z->unflushed);
    z->unflushed[z->n_unflushed++] = zone;
}

static void zone_ready(void *aux, uint32_t number, uint16_t zone, bool is_fresh)
{
    struct hypervisor *h = aux;
    struct controller *c = hosts_controller(h->all);
    struct vnet_event event = { .kind = EVENT_ZONE, .number = h->number, .zone_of = number };
    if (is_fresh)
        zone_flush(h, zone);
    runtime_set_zone(c->runtime, h->number, number, zone);
    controller_fact_changed(c, &event);
}

static void zone_forget(void *aux, uint32_t number)
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

static struct zone_table *zones_of(struct hypervisor *h)
{
    if (!h->zones) {
        h->zones = mem_zalloc(sizeof *h->zones);
        h->zones->table = zone_table_new(&zone_ops, h);
    }
    return h->zones->table;
}

void host_zones_free(struct hypervisor *h)
{
    if (!h->zones)
        return;
    zone_table_free(h->zones->table);
    free(h->zones->unflushed);
    free(h->zones);
    h->zones = NULL;
}

void host_zones_told(struct hypervisor *h, const struct ovsdb_zone *zones, size_t n)
{
    h->has_zones = true;
    zone_table_told(zones_of(h), zones, n);
}

void host_zones_unread(struct hypervisor *h)
{
    h->has_zones = false;
    if (h->zones)
        zone_table_unread(h->zones->table);
}

void host_zones_flush(struct hypervisor *h)
{
    struct host_zones *z = h->zones;
    for (size_t i = 0; z && i < z->n_unflushed; i++)
        of_session_flush_zone(h->of, z->unflushed[i]);
    if (z)
        z->n_unflushed = 0;
}

void hosts_zone_wanted(void *aux, uint32_t host, uint32_t number)
{
    struct hypervisor *h = host_by_number(aux, host);
    if (h)
        zone_table_want(zones_of(h), number);
}

void hosts_number_released(struct hosts *all, uint32_t number)
{
    for (struct hypervisor *h = hosts_first(all); h; h = hosts_next(all, h))
        if (h->zones)
            zone_table_drop(h->zones->table, number);
}
