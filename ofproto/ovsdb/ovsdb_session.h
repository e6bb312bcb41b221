/* One host's OVSDB connection (RFC 7047 over JSON-RPC 1.0): reads what the host is and which interfaces it has, and keeps
 * the bridge, controller, tunnel and patch ports that its owner wants. Knows nothing of VPCs.
 *
 *     SCHEMA ----> MONITOR ----> FACTS (told to the owner) <----> TRANSACTING (configuration differs from what is wanted)
 *     any state --error, silence, close--> CLOSED
 *
 * Level-triggered: facts are re-derived from the monitored rows after every update, and the configuration is compared with what
 * is wanted after every update; one transaction is in flight at a time. Bridges, ports and interfaces that are not ours are
 * never changed, beyond our patch ports on uplink bridges and what the owner asks for by name. Rows of ours carry external_ids:vnet=1.
 * Only a few columns are monitored (the table in ovsdb_update.c), none of which changes by itself on a quiet host. */
#ifndef OFPROTO_OVSDB_OVSDB_SESSION_H
#define OFPROTO_OVSDB_OVSDB_SESSION_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/uuid.h"
#include "ofproto/session/endpoint.h"

#define OVSDB_UPLINKS_MAX 16
#define OVSDB_NAME_MAX 64

/* What external_ids of the Open_vSwitch row say (cli.md, 'A hypervisor joins'), parsed and checked. */
struct ovsdb_facts {
    struct uuid row; /* of the Open_vSwitch row: the host's identity across reboots */
    char system_id[OVSDB_NAME_MAX];
    struct ip encap_ip;
    char encap_type[8]; /* "geneve" or "vxlan" */
    uint16_t mtu;
    char bridge[16];       /* Linux interface name: at most 15 characters */
    char datapath_type[8]; /* "system" or "netdev" */
    bool is_gateway;
    size_t n_uplinks;
    struct ovsdb_uplink {
        char network[OVSDB_NAME_MAX];
        char bridge[16];
    } uplinks[OVSDB_UPLINKS_MAX];
    char error[256]; /* "": fine. Else a sentence: which key is missing or wrong, or which bridge has
                                          * another datapath type; the other fields then may be unset */
};

/* One Interface row of the integration bridge that carries external_ids:iface-id. */
struct ovsdb_interface {
    const char *name;
    const char *iface_id;
    uint32_t ofport;          /* 0: none yet */
    const char *error;        /* the row's error column, or NULL */
    const char *attached_mac; /* external_ids:attached-mac as it is, the guest's; or NULL */
    bool is_up;               /* its device is, as far as vswitchd knows by now (admin_state) */
};

/* Ports of ours on the integration bridge: OpenFlow numbers, 0 while the switch has not given one. */
struct ovsdb_ports {
    uint32_t geneve, vxlan;
    uint32_t patch[OVSDB_UPLINKS_MAX];    /* integration side of the patch to facts.uplinks[i] */
    bool is_patch_due[OVSDB_UPLINKS_MAX]; /* the port is there, and the switch has not yet said of it what its number is */
};

/* What the network cards in the bridge of an uplink say. */
struct ovsdb_uplink_state {
    bool is_down;   /* it has cards, and nothing can leave by any of them; a bridge without one is never down */
    uint16_t mtu;   /* the least of its cards'; 0: not known */
    char cards[48]; /* that are down: their names, escaped, as many as fit */
};

/* The configuration wanted. */
struct ovsdb_wanted {
    uint64_t dpid;            /* other_config:datapath-id */
    char controllers[2][128]; /* targets, "ssl:192.0.2.100:6653"; "" unused */
    bool geneve, vxlan;       /* which flow-based tunnel ports */
    /* Tunnel ports to single peers that carry BFD (Open vSwitch sends none on flow-based ports): gateways and hosts that use them. */
    size_t n_peers;
    struct ovsdb_peer {
        struct ip ip;
        bool is_vxlan;
        uint32_t number;
    } * peers;       /* rising by number, the peer host's; copied */
    uint32_t bfd_ms; /* interval of sending and expected of the peer */
};

/* What BFD says of a peer (Interface.bfd_status). */
enum ovsdb_peer_state { OVSDB_PEER_UNKNOWN, OVSDB_PEER_UP, OVSDB_PEER_DOWN };

/* A conntrack zone stored in external_ids of the integration bridge, "vnet-zone-NUMBER" = ZONE. */
struct ovsdb_zone {
    uint32_t number;
    uint16_t zone;
};

struct ovsdb_session;

struct ovsdb_session_ops {
    /* Facts are known for the first time, or have changed. False with *err: the session is closed with that reason. While they
     * have an error, interfaces of the bridge last known are told on, but nothing is configured. */
    bool (*facts)(void *aux, struct ovsdb_session *, const struct ovsdb_facts *, struct error *);
    /* The complete set of our interfaces, after anything in it changed (the first time: after facts was accepted and ovsdb_session_want() called). Borrowed
     * arrays. 'changed' lists the indices that are new or differ from the last call, 'gone' the iface-ids no longer there, so
     * that work is proportional to the change. */
    void (*interfaces)(void *aux, struct ovsdb_session *, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
                       size_t n_gone, bool is_first);
    void (*ports)(void *aux, struct ovsdb_session *, const struct ovsdb_ports *);
    /* What the cards say of each of facts.uplinks, in that order: before the first ports(), and when it or the list changes. NULL: nobody cares. */
    void (*uplinks)(void *aux, struct ovsdb_session *, const struct ovsdb_uplink_state *);
    /* BFD to the peer with this number changed its mind. */
    void (*peer)(void *aux, struct ovsdb_session *, uint32_t number, enum ovsdb_peer_state);
    /* The link by which tunnels to peers leave has lost its carrier, or is not known to any more (as at first). NULL: nobody cares. */
    void (*underlay)(void *aux, struct ovsdb_session *, bool is_down);
    /* All zones that the host has stored: before the first ports(), and when they change. Borrowed. */
    void (*zones)(void *aux, struct ovsdb_session *, const struct ovsdb_zone *, size_t n);
    /* The host's database holds the configuration: nothing differs from what is wanted ('reason' is ""). Or something was
     * refused or cannot be had: 'reason' is a sentence; it is tried again when rows change, or after a growing wait. */
    void (*configured)(void *aux, struct ovsdb_session *, bool ok, const char *reason);
    void (*closed)(void *aux, struct ovsdb_session *, const char *reason); /* last call; the session is freed after it */
};

struct ovsdb_session *ovsdb_session_new(struct event_base *, struct bufferevent *take, const struct endpoint_peer *,
                                        const struct ovsdb_session_ops *, void *aux);
void ovsdb_session_close(struct ovsdb_session *, const char *reason); /* calls closed() from the loop */
void *ovsdb_session_aux(const struct ovsdb_session *);
void ovsdb_session_set_aux(struct ovsdb_session *, void *aux);
const struct endpoint_peer *ovsdb_session_peer(const struct ovsdb_session *);

/* What the owner wants from now on; compared soon, from the loop, and after every update. Cheap if it is what it was. */
void ovsdb_session_want(struct ovsdb_session *, const struct ovsdb_wanted *);
/* Instead of it: the owner only watches. All is told, nothing is configured; of peers there are none. */
void ovsdb_session_watch(struct ovsdb_session *);
/* Asks once that an interface of the bridge get this OpenFlow port number (ofport_request), if by then it has that iface-id still: interfaces()
 * tells what came of it. Open vSwitch gives an interface that holds the number another one, if it has not been asked for. */
void ovsdb_session_request_ofport(struct ovsdb_session *, const char *name, const char *iface_id, uint32_t ofport);
/* Asks once that the port of the bridge whose interface has this iface-id (a UUID in whatever case) be removed: interfaces() tells when it is. False:
 * there is none. */
bool ovsdb_session_remove_port(struct ovsdb_session *, const char *iface_id);
/* Does an interface of the bridge, of whatever kind, have that number? */
bool ovsdb_session_ofport_is_taken(const struct ovsdb_session *, uint32_t ofport);
/* Stores a zone, or with zone 0 forgets it; zones() tells when the host has it. Not part of 'wanted': the host's store is the truth. */
void ovsdb_session_set_zone(struct ovsdb_session *, uint32_t number, uint16_t zone);

#endif
