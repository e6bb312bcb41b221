#include "controller/host/held_zones.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/store/store.h"
#include "vnet/pipeline/placement.h"

struct held {
    struct map_node by_number;
    uint32_t number; /* of the balancer or NAT gateway */
    uint32_t host;   /* that was its address's last holder */
};

struct held_zones {
    struct controller *controller;
    struct map by_number;
};

struct held_zones *
held_zones_new(struct controller *c)
{
    struct held_zones *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_number);
    return all;
}

void
held_zones_free(struct held_zones *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_number)
        free(CONTAINER_OF(n, struct held, by_number));
    map_done(&all->by_number);
    free(all);
}

static struct held *
held_find(const struct held_zones *all, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->by_number, hash_u32(number)) {
        struct held *h = CONTAINER_OF(n, struct held, by_number);
        if (h->number == number)
            return h;
    }
    return NULL;
}

static struct held *
held_add(struct held_zones *all, uint32_t number)
{
    struct held *h = mem_zalloc(sizeof *h);
    h->number = number;
    map_insert(&all->by_number, &h->by_number, hash_u32(number));
    return h;
}

/* Host 0: it is gone. */
static void
held_store(const struct held_zones *all, uint32_t number, uint32_t host)
{
    char text[16];
    char *key = mem_printf("held/%u", number);
    snprintf(text, sizeof text, "%u", host);
    store_put_fact(all->controller->store, key, host ? text : NULL);
    free(key);
}

static void
held_end(struct held_zones *all, uint32_t number)
{
    struct held *h = held_find(all, number);
    if (!h)
        return;
    held_store(all, number, 0);
    map_remove(&all->by_number, &h->by_number);
    free(h);
}

static void
look(void *aux, uint32_t eip)
{
    struct held_zones *all = aux;
    const struct controller *c = all->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    struct placement p;
    if (!placement_get(&view, eip, &p) || p.port)
        return;
    uint32_t number = p.eip->attached.number, host = p.holder->number;
    struct held *h = held_find(all, number);
    if (h && h->host == host)
        return;
    if (h)
        hosts_zone_follows(c->hosts, host, number, false);
    else
        h = held_add(all, number);
    h->host = host;
    held_store(all, number, host);
}

void
held_zones_look(struct held_zones *all, const struct vnet_event *event)
{
    const struct controller *c = all->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    const struct change *change = event->kind == EVENT_OBJECT ? event->change : NULL;
    placement_affected(&view, event, look, all);
    if (change && !change->after && (change->type == OBJECT_LB || change->type == OBJECT_NATGW))
        held_end(all, change->number);
}

void
held_zones_remember(struct held_zones *all, uint32_t number, uint32_t host)
{
    const struct model *m = all->controller->model;
    if (model_lb(m, number) || model_natgw(m, number))
        held_add(all, number)->host = host;
    else
        held_store(all, number, 0);
}
