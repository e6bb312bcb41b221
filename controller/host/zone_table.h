/* The conntrack zones of one host: which number has which, and which is the next to give. Pure; the host's own store is the truth.
 *
 *              told: it has one
 *     (none) ------------------------------------> STORED ----dropped----+
 *       |  wanted                                     ^                  v
 *       +---------> WANTED --read, a zone--> STORING -+ told           GOING --told: it is gone--> (none), or WANTED if wanted again
 *
 * A zone is taken from the moment it is given until the host has told that it is gone. What somebody else removes or changes there is
 * stored again, since flows use it. */
#ifndef CONTROLLER_HOST_ZONE_TABLE_H
#define CONTROLLER_HOST_ZONE_TABLE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/ovsdb/ovsdb_session.h"

struct zone_table;

struct zone_table_ops {
    bool (*is_live)(void *aux, uint32_t number); /* else what is found of it is removed */
    /* On the host; zone 0: remove. 'is_fresh': nobody uses it, and it may hold another's connections, which are to be forgotten before it
     * is stored: so what is stored may be used, whoever stored it. */
    void (*store)(void *aux, uint32_t number, uint16_t zone, bool is_fresh);
    void (*ready)(void *aux, uint32_t number, uint16_t zone); /* the host has it */
    void (*forget)(void *aux, uint32_t number);               /* what was ready is no longer */
    /* All zones are taken, and it goes without until one is free; or no longer: it has been given one, or is gone. */
    void (*starves)(void *aux, uint32_t number, bool starves);
};

struct zone_table *zone_table_new(const struct zone_table_ops *, void *aux);
void zone_table_free(struct zone_table *); /* forgets all */

void zone_table_want(struct zone_table *, uint32_t number);
void zone_table_drop(struct zone_table *, uint32_t number); /* what had this number is gone */
/* All that the host has stored; the first time since zone_table_unread(), zones are given from then on. */
void zone_table_told(struct zone_table *, const struct ovsdb_zone *, size_t n);
void zone_table_unread(struct zone_table *);
/* Those that the host has stored, as far as it has told. */
void zone_table_each(const struct zone_table *, void (*each)(void *aux, uint32_t number, uint16_t zone), void *aux);

#endif
