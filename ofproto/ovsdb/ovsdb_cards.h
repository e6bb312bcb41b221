/* The network cards of a bridge: the interfaces by which it reaches the world, as opposed to those of guests, of Open vSwitch itself and of tunnels.
 * Pure. */
#ifndef OFPROTO_OVSDB_OVSDB_CARDS_H
#define OFPROTO_OVSDB_OVSDB_CARDS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/ovsdb/ovsdb_rows.h"

/* By its type (ovs-vswitchd.conf.db(5), Interface) a device of the machine that Open vSwitch did not make, or one that DPDK or AF_XDP drives; and no
 * guest's: those carry external_ids:iface-id or attached-mac, or are made by the driver 'tun'. */
bool ovsdb_is_card(const struct ovsdb_interface_row *);

/* Nothing can leave by it: it has no carrier, is not set up, or could not be opened. False also if nothing is known of it. */
bool ovsdb_card_is_down(const struct ovsdb_interface_row *);

/* All cards of a bridge, those of bonds too. */
struct ovsdb_cards {
    size_t n, n_down;
    uint16_t mtu;   /* the least of those that are known; 0: none is */
    char names[48]; /* of the first that are down, escaped: "eth0, eth1" */
};
void ovsdb_cards_count(const struct ovsdb_rows *, const struct ovsdb_row *bridge, struct ovsdb_cards *);

/* It has cards, and all of them are down. */
bool ovsdb_cards_are_down(const struct ovsdb_cards *);

#endif
