/* ovs-vswitchd writes into a tunnel's Interface.status which device the route to its remote_ip names, and whether that has a carrier
 * (ovs-vswitchd.conf.db(5)). Where that device is a bridge of Open vSwitch it always has one; there the network cards in the bridge count
 * (ovsdb_cards.h). */
#include "ofproto/ovsdb/ovsdb_underlay.h"

#include <string.h>

#include "ofproto/ovsdb/ovsdb_cards.h"

static bool
is_word(const char *value, const char *word)
{
    return value && !strcmp(value, word);
}

static bool
is_device_down(const struct ovsdb_rows *rows, const char *device, const char *carrier)
{
    struct ovsdb_cards cards;
    ovsdb_cards_count(rows, ovsdb_rows_named(rows, OVSDB_BRIDGE, device), &cards);
    return is_word(carrier, "down") || ovsdb_cards_are_down(&cards);
}

bool
ovsdb_underlay_is_down(const struct ovsdb_rows *rows)
{
    const char *seen = NULL;
    for (const struct ovsdb_port_row *port = rows->ours; port; port = port->next_ours)
        for (const struct ovsdb_ref *ref = port->row.refs; ref; ref = ref->next) {
            const struct ovsdb_interface_row *i = (const void *) ovsdb_rows_find(rows, OVSDB_INTERFACE, ref->child);
            const char *device = i ? i->status[OVSDB_EGRESS] : NULL;
            if (!device || is_word(seen, device))
                continue;
            if (!is_device_down(rows, device, i->status[OVSDB_EGRESS_CARRIER]))
                return false;
            seen = device;
        }
    return seen;
}
