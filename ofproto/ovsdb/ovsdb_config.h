/* What must be changed in a host's database so that it holds what is wanted. Pure: rows, facts and wishes in, operations of one
 * transaction out; none if nothing differs. Applied to the rows, they leave nothing to change.
 *
 * Ours, and changed as needed: the integration bridge (created if absent, never deleted), its controllers, ports named vnet-*,
 * vp-* and vq-* that carry external_ids:vnet=1, and back-off and connection mode of the manager that led the host here. */
#ifndef OFPROTO_OVSDB_OVSDB_CONFIG_H
#define OFPROTO_OVSDB_OVSDB_CONFIG_H 1

#include "base/json.h"
#include "ofproto/ovsdb/ovsdb_rows.h"
#include "ofproto/ovsdb/ovsdb_session.h"

struct ovsdb_config {
    json_t *ops;         /* an array, perhaps empty; the caller's reference */
    char complaint[256]; /* what cannot be had, a sentence; "": all can */
};

/* 'facts' are without error. 'local_ip' is our address that the host came to, "" if it has none. */
void ovsdb_config_compare(const struct ovsdb_rows *, const struct ovsdb_facts *, const struct ovsdb_wanted *, const char *local_ip,
                          struct ovsdb_config *);

/* OpenFlow numbers of our ports, as far as the switch has given them. */
void ovsdb_config_ports(const struct ovsdb_rows *, const struct ovsdb_facts *, struct ovsdb_ports *);

#define OVSDB_GENEVE_PORT "vnet-geneve"
#define OVSDB_VXLAN_PORT "vnet-vxlan"

/* The patch port to an uplink: side 'p' on the integration bridge, 'q' on the uplink's. Both carry every VLAN, tagged. */
void ovsdb_config_patch_name(const struct ovsdb_uplink *, char side, char name[16]);

/* The tunnel port to a peer, by its number; and what its BFD says, which needs no memory: a switch that was once up counts flaps. */
void ovsdb_config_peer_name(uint32_t number, char name[16]);
enum ovsdb_peer_state ovsdb_config_peer_state(const struct ovsdb_rows *, const struct ovsdb_facts *, uint32_t number);

#endif
