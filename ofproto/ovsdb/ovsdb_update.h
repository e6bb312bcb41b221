/* From the wire to the mirror: which columns are asked for, and what a monitor's reply, 'update' (RFC 7047) or 'update2'
 * (ovsdb-server(7), only differences) does to the rows. One table of columns drives all of it. Pure. */
#ifndef OFPROTO_OVSDB_OVSDB_UPDATE_H
#define OFPROTO_OVSDB_OVSDB_UPDATE_H 1

#include "base/json.h"
#include "ofproto/ovsdb/ovsdb_rows.h"

enum ovsdb_dialect { OVSDB_UPDATE1, OVSDB_UPDATE2 };

/* The third parameter of 'monitor' and 'monitor_cond': tables and columns. A new reference. */
json_t *ovsdb_update_monitored(void);

/* Applies <table-updates>. False: it has a wrong type somewhere, or is too big; rows then hold a part of it and are of no use. */
bool ovsdb_update_apply(struct ovsdb_rows *, enum ovsdb_dialect, const json_t *updates, struct error *) MUST_CHECK;

#endif
