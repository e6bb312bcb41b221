/* Has the link that a host's tunnels leave by lost its carrier? From what Open vSwitch says in the host's database. Pure. */
#ifndef OFPROTO_OVSDB_OVSDB_UNDERLAY_H
#define OFPROTO_OVSDB_OVSDB_UNDERLAY_H 1

#include <stdbool.h>

#include "ofproto/ovsdb/ovsdb_rows.h"

/* True: all devices by which our tunnel ports to single peers leave are known to be down. A bridge's own interface is down if all network cards in
 * that bridge are. False also if nothing is known. */
bool ovsdb_underlay_is_down(const struct ovsdb_rows *);

#endif
