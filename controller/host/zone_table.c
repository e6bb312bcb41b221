#include "controller/host/zone_table.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

#define ZONES 65536 /* 0 is nobody's */

enum zone_state { ZONE_WANTED, ZONE_STORING, ZONE_STORED, ZONE_GOING };

struct entry {
    struct map_node node; /* by number */
    uint32_t number;
    uint16_t zone; /* 0: none that is its own */
    enum zone_state state;
    bool is_wanted_again; /* GOING */
    bool is_starving;     /* WANTED: none was free */
    bool is_told;         /* in the list that is being taken */
};

struct zone_table {
    const struct zone_table_ops *ops;
    void *aux;
    struct map entries;
    uint64_t *taken; /* bits; NULL: none is */
    uint32_t lowest; /* no zone below it is free */
    uint32_t n_starving;
    bool is_read;
};

static void
entry_set_starving(struct zone_table *t, struct entry *e, bool is_starving)
{
    if (e->is_starving == is_starving)
        return;
    e->is_starving = is_starving;
    t->n_starving += is_starving ? 1 : -1;
    t->ops->starves(t->aux, e->number, is_starving);
}

struct zone_table *
zone_table_new(const struct zone_table_ops *ops, void *aux)
{
    struct zone_table *t = mem_zalloc(sizeof *t);
    t->ops = ops;
    t->aux = aux;
    t->lowest = 1;
    map_init(&t->entries);
    return t;
}

void
zone_table_free(struct zone_table *t)
{
    if (!t)
        return;
    MAP_FOR_EACH_SAFE (n, next, &t->entries) {
        struct entry *e = CONTAINER_OF(n, struct entry, node);
        if (e->state == ZONE_STORED)
            t->ops->forget(t->aux, e->number);
        free(e);
    }
    map_done(&t->entries);
    free(t->taken);
    free(t);
}

/* ---- which are taken ---- */

static bool
is_taken(const struct zone_table *t, uint32_t zone)
{
    return t->taken && t->taken[zone / 64] >> zone % 64 & 1;
}

static void
zone_take(struct zone_table *t, struct entry *e, uint16_t zone)
{
    if (!t->taken)
        t->taken = mem_zalloc(ZONES / 8);
    t->taken[zone / 64] |= UINT64_C(1) << zone % 64;
    e->zone = zone;
}

static void
zone_release(struct zone_table *t, struct entry *e)
{
    if (!e->zone)
        return;
    t->taken[e->zone / 64] &= ~(UINT64_C(1) << e->zone % 64);
    if (e->zone < t->lowest)
        t->lowest = e->zone;
    e->zone = 0;
}

/* Gives it the lowest free one, if the host has told which are. */
static void
zone_give(struct zone_table *t, struct entry *e)
{
    while (t->is_read && t->lowest < ZONES && is_taken(t, t->lowest))
        t->lowest++;
    if (!t->is_read)
        return;
    entry_set_starving(t, e, t->lowest == ZONES);
    if (t->lowest == ZONES)
        return;
    zone_take(t, e, t->lowest);
    e->state = ZONE_STORING;
    t->ops->store(t->aux, e->number, e->zone, true);
}

/* ---- entries ---- */

static struct entry *
entry_find(const struct zone_table *t, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &t->entries, hash_u32(number)) {
        struct entry *e = CONTAINER_OF(n, struct entry, node);
        if (e->number == number)
            return e;
    }
    return NULL;
}

static struct entry *
entry_add(struct zone_table *t, uint32_t number)
{
    struct entry *e = mem_zalloc(sizeof *e);
    e->number = number;
    map_insert(&t->entries, &e->node, hash_u32(number));
    return e;
}

static void
entry_remove(struct zone_table *t, struct entry *e)
{
    zone_release(t, e);
    entry_set_starving(t, e, false);
    map_remove(&t->entries, &e->node);
    free(e);
}

void
zone_table_want(struct zone_table *t, uint32_t number)
{
    struct entry *e = entry_find(t, number);
    if (!e)
        zone_give(t, entry_add(t, number));
    else if (e->state == ZONE_GOING)
        e->is_wanted_again = true;
}

void
zone_table_drop(struct zone_table *t, uint32_t number)
{
    struct entry *e = entry_find(t, number);
    if (!e)
        return;
    e->is_wanted_again = false;
    if (e->state == ZONE_WANTED) {
        entry_remove(t, e);
        return;
    }
    if (e->state == ZONE_STORED)
        t->ops->forget(t->aux, number);
    if (e->state != ZONE_GOING && t->is_read)
        t->ops->store(t->aux, number, 0, false);
    e->state = ZONE_GOING;
}

/* ---- what the host tells ---- */

/* It has one that was not known here. */
static void
entry_found(struct zone_table *t, struct entry *e, uint16_t zone, bool is_wanted)
{
    entry_set_starving(t, e, false);
    if (t->ops->is_live(t->aux, e->number) && !is_taken(t, zone)) {
        zone_take(t, e, zone);
        e->state = ZONE_STORED;
        t->ops->ready(t->aux, e->number, zone);
        return;
    }
    e->state = ZONE_GOING;
    e->is_wanted_again = is_wanted;
    t->ops->store(t->aux, e->number, 0, false);
}

static void
entry_told(struct zone_table *t, const struct ovsdb_zone *z, bool is_first)
{
    struct entry *e = entry_find(t, z->number);
    bool is_known = e;
    if (!e)
        e = entry_add(t, z->number);
    e->is_told = true;
    if (e->state == ZONE_WANTED) {
        entry_found(t, e, z->zone, is_known);
    } else if (e->state == ZONE_STORING && z->zone == e->zone) {
        e->state = ZONE_STORED;
        t->ops->ready(t->aux, e->number, e->zone);
    } else if (e->state == ZONE_STORED ? z->zone != e->zone : is_first) {
        t->ops->store(t->aux, e->number, e->state == ZONE_GOING ? 0 : e->zone, e->state == ZONE_STORING);
    }
}

/* The host has none. */
static void
entry_missing(struct zone_table *t, struct entry *e, bool is_first)
{
    if (e->state == ZONE_GOING && !e->is_wanted_again) {
        entry_remove(t, e);
    } else if (e->state == ZONE_GOING || e->state == ZONE_WANTED) {
        zone_release(t, e);
        e->state = ZONE_WANTED;
        zone_give(t, e);
    } else if (e->state == ZONE_STORED || is_first) {
        t->ops->store(t->aux, e->number, e->zone, e->state == ZONE_STORING);
    }
}

/* What has gone just now may have left zones to those that were looked at before. */
static void
feed_starving(struct zone_table *t)
{
    if (!t->n_starving || t->lowest == ZONES)
        return;
    MAP_FOR_EACH (node, &t->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (e->is_starving)
            zone_give(t, e);
    }
}

void
zone_table_told(struct zone_table *t, const struct ovsdb_zone *zones, size_t n)
{
    bool is_first = !t->is_read;
    t->is_read = true;
    MAP_FOR_EACH (node, &t->entries)
        CONTAINER_OF(node, struct entry, node)->is_told = false;
    for (size_t i = 0; i < n; i++)
        entry_told(t, &zones[i], is_first);
    MAP_FOR_EACH_SAFE (node, next, &t->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (!e->is_told)
            entry_missing(t, e, is_first);
    }
    feed_starving(t);
}

void
zone_table_unread(struct zone_table *t)
{
    t->is_read = false;
}

void
zone_table_each(const struct zone_table *t, void (*each)(void *aux, uint32_t number, uint16_t zone), void *aux)
{
    MAP_FOR_EACH (node, &t->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (e->state == ZONE_STORED)
            each(aux, e->number, e->zone);
    }
}
