/* Has the link that a host's tunnels leave by lost its carrier? From what Open vSwitch says in the host's database. Pure. */
#ifndef OFPROTO_OVSDB_OVSDB_UNDERLAY_H
#define OFPROTO_OVSDB_OVSDB_UNDERLAY_H 1

#include <stdbool.h>

#include "ofproto/ovsdb/ovsdb_rows.h"

/* True: all devices by which our tunnel ports to single peers leave are known to be down. A bridge's own interface is down if all network cards in
 * that bridge are. False also if nothing is known, and if a route by another device took the place of the tunnels' own: a card that is set down loses
 * its route, and Open vSwitch then names the default route's card. Which device has the tunnel address the database does not say; the agent knows. */
bool ovsdb_underlay_is_down(const struct ovsdb_rows *);

#endif
