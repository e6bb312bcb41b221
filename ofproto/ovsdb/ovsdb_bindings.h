/* Which interface of a host stands for each iface-id: the interfaces of the integration bridge that carry one, and what of
 * that has changed since it was last told. Pure; work is proportional to the rows that changed.
 * Of several interfaces with one iface-id the first by row UUID that has an OpenFlow port counts, else the first. */
#ifndef OFPROTO_OVSDB_OVSDB_BINDINGS_H
#define OFPROTO_OVSDB_OVSDB_BINDINGS_H 1

#include "ofproto/ovsdb/ovsdb_rows.h"
#include "ofproto/ovsdb/ovsdb_session.h"

struct ovsdb_bindings {
    struct map by_id;
    uint32_t basis;
    struct ovsdb_binding *touched;   /* to look at; empty between calls */
    struct ovsdb_binding *gone_list; /* owners of 'gone'; freed with the changes */

    /* What the last ovsdb_bindings_update() found; valid until ovsdb_bindings_told(). Texts are the rows'. */
    struct ovsdb_interface *changed;
    size_t n_changed, cap_changed;
    const char **gone;
    size_t n_gone, cap_gone;
    size_t n_contested; /* changed bindings with several interfaces; an example: */
    char contested[256];
};

void ovsdb_bindings_init(struct ovsdb_bindings *, uint32_t basis);
void ovsdb_bindings_done(struct ovsdb_bindings *); /* before ovsdb_rows_done() */

/* Looks at rows->dirty and empties it. 'bridge': the integration bridge's name, or NULL: nothing is bound. */
void ovsdb_bindings_update(struct ovsdb_bindings *, struct ovsdb_rows *, const char *bridge);
void ovsdb_bindings_told(struct ovsdb_bindings *);

#endif
