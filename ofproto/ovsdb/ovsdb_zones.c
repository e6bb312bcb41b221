#include "ofproto/ovsdb/ovsdb_zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/ovsdb/ovsdb_ops.h"
#include "ofproto/ovsdb/ovsdb_session.h"

#define PREFIX "vnet-zone-"
#define KEY_MAX sizeof PREFIX "4294967295"

struct entry {
    struct map_node node;
    struct ovsdb_zone z;
};

void
ovsdb_zones_init(struct ovsdb_zones *zones, uint32_t basis)
{
    *zones = (struct ovsdb_zones){ .basis = basis };
    map_init(&zones->by_number);
}

void
ovsdb_zones_clear(struct ovsdb_zones *zones)
{
    if (!map_count(&zones->by_number))
        return;
    MAP_FOR_EACH_SAFE (n, next, &zones->by_number) {
        map_remove(&zones->by_number, n);
        free(CONTAINER_OF(n, struct entry, node));
    }
    zones->n_changes++;
}

void
ovsdb_zones_done(struct ovsdb_zones *zones)
{
    ovsdb_zones_clear(zones);
    map_done(&zones->by_number);
}

size_t
ovsdb_zones_bytes(const struct ovsdb_zones *zones)
{
    return map_count(&zones->by_number) * (sizeof(struct entry) + 16);
}

static uint32_t
slot(const struct ovsdb_zones *zones, uint32_t number)
{
    return hash_bytes(&number, sizeof number, zones->basis);
}

static struct entry *
entry_find(const struct ovsdb_zones *zones, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &zones->by_number, slot(zones, number)) {
        struct entry *e = CONTAINER_OF(n, struct entry, node);
        if (e->z.number == number)
            return e;
    }
    return NULL;
}

uint16_t
ovsdb_zones_get(const struct ovsdb_zones *zones, uint32_t number)
{
    const struct entry *e = entry_find(zones, number);
    return e ? e->z.zone : 0;
}

void
ovsdb_zones_wish(struct ovsdb_zones *zones, uint32_t number, uint16_t zone)
{
    struct entry *e = entry_find(zones, number);
    if (!e) {
        e = mem_zalloc(sizeof *e);
        e->z.number = number;
        map_insert(&zones->by_number, &e->node, slot(zones, number));
    }
    e->z.zone = zone;
    zones->n_changes++;
}

static void
entry_remove(struct ovsdb_zones *zones, struct entry *e)
{
    map_remove(&zones->by_number, &e->node);
    free(e);
    zones->n_changes++;
}

void
ovsdb_zones_set(struct ovsdb_zones *zones, uint32_t number, uint16_t zone)
{
    struct entry *e = entry_find(zones, number);
    if (zone && (!e || e->z.zone != zone))
        ovsdb_zones_wish(zones, number, zone);
    else if (e && !zone)
        entry_remove(zones, e);
}

static int
zone_compare(const void *a, const void *b)
{
    const struct ovsdb_zone *za = a, *zb = b;
    return (za->number > zb->number) - (za->number < zb->number);
}

struct ovsdb_zone *
ovsdb_zones_list(const struct ovsdb_zones *zones, size_t *n)
{
    struct ovsdb_zone *list = mem_alloc((map_count(&zones->by_number) + 1) * sizeof *list);
    *n = 0;
    MAP_FOR_EACH (node, &zones->by_number)
        list[(*n)++] = CONTAINER_OF(node, struct entry, node)->z;
    qsort(list, *n, sizeof *list, zone_compare);
    return list;
}

/* ---- text ---- */

/* A decimal as printf writes it, 1 to 'max'. */
static uint32_t
decimal_parse(const char *text, uint32_t max)
{
    size_t n = strlen(text);
    if (!n || n > 10 || text[0] == '0' || strspn(text, "0123456789") != n)
        return 0;
    unsigned long long value = strtoull(text, NULL, 10);
    return value <= max ? (uint32_t) value : 0;
}

bool
ovsdb_zone_key_parse(const char *key, uint32_t *number)
{
    *number = strncmp(key, PREFIX, strlen(PREFIX)) ? 0 : decimal_parse(key + strlen(PREFIX), UINT32_MAX);
    return *number;
}

uint16_t
ovsdb_zone_value_parse(const char *value)
{
    return decimal_parse(value, UINT16_MAX);
}

/* ---- wishes ---- */

/* Whatever number of zones is stored, it is one operation: a database changes a row once for it. */
struct wished {
    struct ovsdb_pair *pairs;  /* to be there */
    char (*texts)[2][KEY_MAX]; /* what they point to */
    size_t n;
    json_t *gone; /* keys */
};

static void
wished_add(struct wished *w, const struct ovsdb_zone *wish)
{
    char(*text)[KEY_MAX] = w->texts[w->n];
    snprintf(text[0], KEY_MAX, PREFIX "%u", wish->number);
    snprintf(text[1], KEY_MAX, "%u", wish->zone);
    if (wish->zone)
        w->pairs[w->n++] = (struct ovsdb_pair){ text[0], text[1] };
    else
        json_array_append_new(w->gone, json_string(text[0]));
}

static void
wished_append(struct wished *w, const struct ovsdb_bridge_row *bridge, json_t *ops)
{
    if (json_array_size(w->gone))
        ovsdb_ops_mutate(ops, OVSDB_BRIDGE, ovsdb_where_uuid(bridge->row.uuid),
                         ovsdb_mutation("external_ids", "delete", json_pack("[s,O]", "set", w->gone)));
    if (w->n)
        ovsdb_ops_mutate(ops, OVSDB_BRIDGE, ovsdb_where_uuid(bridge->row.uuid), ovsdb_mutation_keys("external_ids", w->pairs, w->n));
}

void
ovsdb_zones_compare(struct ovsdb_zones *wishes, const struct ovsdb_bridge_row *bridge, json_t *ops)
{
    size_t n = map_count(&wishes->by_number);
    if (!n)
        return;
    struct wished wished = { mem_alloc(n * sizeof *wished.pairs), mem_alloc(n * sizeof *wished.texts), 0, json_array() };
    MAP_FOR_EACH_SAFE (node, next, &wishes->by_number) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (ovsdb_zones_get(&bridge->zones, e->z.number) == e->z.zone)
            entry_remove(wishes, e);
        else
            wished_add(&wished, &e->z);
    }
    wished_append(&wished, bridge, ops);
    json_decref(wished.gone);
    free(wished.texts);
    free(wished.pairs);
}
