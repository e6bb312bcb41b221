/* ovs-vswitchd writes into a tunnel's Interface.status which device the route to its remote_ip names, and whether that has a carrier
 * (ovs-vswitchd.conf.db(5)). Where that device is a bridge of Open vSwitch it always has one; there the cards in the bridge count, by link_state. */
#include "ofproto/ovsdb/ovsdb_underlay.h"

#include <string.h>

static bool
is_word(const char *value, const char *word)
{
    return value && !strcmp(value, word);
}

static bool
is_card(const struct ovsdb_interface_row *i)
{
    return !i->type || is_word(i->type, "system");
}

struct cards {
    size_t n, n_down;
};

static void
count_cards(const struct ovsdb_rows *rows, const struct ovsdb_row *parent, struct cards *cards)
{
    for (const struct ovsdb_ref *ref = parent->refs; ref; ref = ref->next) {
        if (ref->table != OVSDB_PORT && ref->table != OVSDB_INTERFACE)
            continue;
        const struct ovsdb_row *child = ovsdb_rows_find(rows, ref->table, ref->child);
        const struct ovsdb_interface_row *i = (const void *) child;
        if (child && child->table == OVSDB_PORT) {
            count_cards(rows, child, cards);
        } else if (child && is_card(i)) {
            cards->n++;
            cards->n_down += is_word(i->link_state, "down");
        }
    }
}

static bool
is_device_down(const struct ovsdb_rows *rows, const char *device, const char *carrier)
{
    struct cards cards = { 0 };
    const struct ovsdb_row *bridge = ovsdb_rows_named(rows, OVSDB_BRIDGE, device);
    if (bridge)
        count_cards(rows, bridge, &cards);
    return is_word(carrier, "down") || (cards.n && cards.n == cards.n_down);
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
