/* Conntrack zones by the number of what they belong to, as a bridge's external_ids hold them: "vnet-zone-NUMBER" = ZONE. Pure. Used twice:
 * as a bridge's mirror (ovsdb_rows.h), and for what is to be stored next (ovsdb_session.c), where zone 0 stands for none.
 * Bytes of keys and values come from a host: what is not written as we write it is not ours. */
#ifndef OFPROTO_OVSDB_OVSDB_ZONES_H
#define OFPROTO_OVSDB_OVSDB_ZONES_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/map.h"

struct ovsdb_zone;
struct ovsdb_bridge_row;

struct ovsdb_zones {
    struct map by_number;
    uint32_t basis;
    uint64_t n_changes;
};

void ovsdb_zones_init(struct ovsdb_zones *, uint32_t basis);
void ovsdb_zones_done(struct ovsdb_zones *);
void ovsdb_zones_clear(struct ovsdb_zones *);
size_t ovsdb_zones_bytes(const struct ovsdb_zones *);

uint16_t ovsdb_zones_get(const struct ovsdb_zones *, uint32_t number);      /* 0: none */
void ovsdb_zones_set(struct ovsdb_zones *, uint32_t number, uint16_t zone); /* 0: no longer there */
struct ovsdb_zone *ovsdb_zones_list(const struct ovsdb_zones *, size_t *n); /* rising by number; free() it */

bool ovsdb_zone_key_parse(const char *key, uint32_t *number);
uint16_t ovsdb_zone_value_parse(const char *value); /* 0: it is none */

/* Wishes: zone 0 asks that there be none. */
void ovsdb_zones_wish(struct ovsdb_zones *wishes, uint32_t number, uint16_t zone);
/* Appends what changes the bridge so that it fulfils the wishes; those that it fulfils already are dropped. */
void ovsdb_zones_compare(struct ovsdb_zones *wishes, const struct ovsdb_bridge_row *, json_t *ops);

#endif
