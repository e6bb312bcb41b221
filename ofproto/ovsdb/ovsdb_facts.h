/* What a host says of itself in external_ids of its Open_vSwitch row, checked. Pure: rows in, facts out. */
#ifndef OFPROTO_OVSDB_OVSDB_FACTS_H
#define OFPROTO_OVSDB_OVSDB_FACTS_H 1

#include <stdbool.h>

#include "ofproto/ovsdb/ovsdb_rows.h"
#include "ofproto/ovsdb/ovsdb_session.h"

/* False: there is no Open_vSwitch row (yet). Equal facts are equal bytes. */
bool ovsdb_facts_derive(const struct ovsdb_rows *, struct ovsdb_facts *);

/* The datapath type that a bridge has: "" in the database means "system". */
const char *ovsdb_bridge_datapath_type(const struct ovsdb_bridge_row *);

#endif
