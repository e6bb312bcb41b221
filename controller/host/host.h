/* A hypervisor as vnetd sees it: its two sessions, what it said of itself, its flow table and how far it has confirmed.
 *
 *                facts accepted            both sessions, own ports known,       confirmed >= wanted
 *                (and object created)      table compiled
 *     UNKNOWN -------------------> JOINED -----------------------------> RUNNING ---------------> realised
 *        ^                           ^                                      |
 *        |                           +----- a session closed ---------------+   (facts and bindings are remembered)
 *        +--- host-del
 *
 * A table is compiled from remembered facts while the host is away, so that a reconnecting switch is compared with what it should hold
 * at once. Reconciliation starts only when the host's own OVSDB has been read whole (an incomplete view never deletes). */
#ifndef CONTROLLER_HOST_HOST_H
#define CONTROLLER_HOST_HOST_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/uuid.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/ovsdb/ovsdb_session.h"
#include "ofproto/session/of_session.h"
#include "vnet/pipeline/feature.h"
#include "vnet/pipeline/runtime.h"

struct controller;
struct hosts;

/* The aux of a session, from accept to closed(). */
struct link {
    struct hosts *all;
    struct link *next, *prev; /* of all sessions, known hosts' or not */
    struct ovsdb_session *db; /* one of these is what it is about */
    struct of_session *of;
    struct hypervisor *host; /* NULL: not known yet, or no longer this host's session */
    struct endpoint_listener *listener;
    struct flow_table *table; /* of a deleted host: lives as long as the session that uses it */
    struct link **ending;     /* an OpenFlow session told to close: where its host remembers it */
};

/* What can be wrong with a host, each until its cause is gone. The first is shown. */
enum host_error {
    HOST_ERROR_FACTS,
    HOST_ERROR_CLAIMED,
    HOST_ERROR_LISTENER,
    HOST_ERROR_CONFIG,
    HOST_ERROR_CONFLICT,
    HOST_ERROR_REFUSED,
    HOST_ERROR_UNDERLAY,
    HOST_ERROR_UPLINK,
    HOST_ERROR_SWITCH,
    HOST_ERROR_ZONES,
    N_HOST_ERRORS
};

struct place;
struct handover;
struct holdback;

struct hypervisor {
    struct hosts *all;
    struct map_node by_number, by_name;
    uint32_t number; /* of its object; 0 until that is created */
    uint64_t dpid;
    char *name;

    struct ovsdb_session *db; /* NULL: not connected */
    struct of_session *of;
    struct link *ending;      /* its last OpenFlow session, until closed(): a table serves one session at a time */
    struct ovsdb_facts facts; /* valid while has_facts: of this or the last connection */
    struct ovsdb_ports ports;
    struct host_uplink {
        struct ovsdb_uplink of;
        struct ovsdb_uplink_state state;
        char down[48];            /* its cards when all of them were down last, as in 'state' */
        int64_t up_since_ms;      /* of one that counts as dead: its cards have been up since then (monotonic); 0: they are not */
    } uplinks[OVSDB_UPLINKS_MAX]; /* as last told, on this or the last connection */
    size_t n_uplinks;
    struct event *uplink_rises; /* when it runs out, one of them may live again */
    bool has_facts, has_ports, has_interfaces, has_zones, is_configured;
    struct host_zones *zones;      /* host_zones.c's; NULL: none was spoken of */
    struct lost_zones *lost_zones; /* lost_zones.c's; NULL: there were none */
    struct host_view {
        uint32_t peer;
        enum ovsdb_peer_state state;
    } * views; /* what BFD says there of others; none UNKNOWN */
    size_t n_views, cap_views;
    bool is_underlay_down;  /* so its Open vSwitch says on this connection: its tunnels' link has no carrier */
    int64_t alive_since_ms; /* of a dead gateway: its peers reach it since then; 0: they do not */
    int64_t doubt_since_ms; /* of one that lives: it is dead since then, and that is doubtful; 0: it is not */

    struct flow_table *table;     /* desired flows; NULL until attached to the compiler */
    struct hypervisor *next_turn; /* in the queue of those that have something to compile, if has_turn */
    bool has_turn;
    bool has_conflict;   /* a block could not be entered since the table was last complete */
    bool is_reconciling; /* of_session_reconcile() was called on this connection */
    uint64_t whole_seq;  /* up to here the table is compiled whole: no block waits for a zone */
    uint64_t wanted_seq;
    uint64_t made_seq;          /* as confirmed_seq, but what it keeps of public addresses that move away counts as done (holdback.h) */
    struct holdback *holdbacks; /* what it keeps of them; NULL: nothing */
    struct handover *arriving;  /* those that wait for it to confirm */
    uint64_t confirmed_seq;     /* 0: its switch has not been read back on this connection, or never */
    uint64_t collected;         /* the last hosts_collect() that noted it */
    uint64_t n_connections;     /* of its switch so far; the last one began then (monotonic) */
    int64_t connected_ms;
    int64_t quiet_wall_ms; /* when its database or its agent last went (since 1970); 0: neither has yet */
    struct uuid agent_run; /* of its agent that reported last, and the number of that report (report_order.h) */
    int64_t agent_report;
    int64_t lost_ms;      /* when it last lost one (monotonic); 0: it has not yet */
    uint64_t sent_before; /* modifications sent on earlier connections */

    struct place *building; /* ports on it that wait for its confirmation (binding.c) */

    char *errors[N_HOST_ERRORS]; /* NULL: none */
    uint64_t refused;            /* the block that HOST_ERROR_REFUSED names */
    struct event *missed;        /* when it runs out, its switch should have connected */
    struct event *claimed;       /* until it runs out, somebody else has lately claimed what is this host's */
};

struct hosts *hosts_new(struct controller *);
/* Ends all sessions; what reads by them is told. Nothing but hosts_free() may follow. */
void hosts_close(struct hosts *);
void hosts_free(struct hosts *);
/* Listens for OVSDB and OpenFlow as the options say. */
bool hosts_listen(struct hosts *, struct error *) MUST_CHECK;

struct hypervisor *host_by_number(const struct hosts *, uint32_t number);
struct hypervisor *host_by_name(const struct hosts *, const char *name);
struct hypervisor *hosts_first(const struct hosts *);
struct hypervisor *hosts_next(const struct hosts *, const struct hypervisor *);

/* OVSDB and OpenFlow are up. */
bool host_is_connected(const struct hypervisor *);
/* Everything that concerned it is installed. */
bool host_is_realised(const struct hypervisor *);
uint64_t host_mods_sent(const struct hypervisor *);
const char *host_error(const struct hypervisor *); /* "": none */

/* The host's table must show sequence number 'seq'; compiles and sends from the loop. */
void host_concern(struct hypervisor *, uint64_t seq);
/* From now on, hosts that are concerned are noted; their numbers, each once, until the next hosts_collect(). */
void hosts_collect(struct hosts *);
const uint32_t *hosts_collected(struct hosts *, size_t *n);

/* The model's host object appeared (also at start), changed or went. */
void hosts_object_changed(struct hosts *, uint32_t number);
void hosts_object_added(struct hosts *, uint32_t number);
void hosts_object_removed(struct hosts *, uint32_t number);

/* Anything changed; call after model, runtime and compiler know of it. And what had this number is gone everywhere. */
void hosts_changed(struct hosts *, const struct vnet_event *);
void hosts_number_released(struct hosts *, uint32_t number);
/* A new place first: moves hosts that hold a public address which the change concerns to the front of the queue of those that compile. Call before
 * compiler_changed(). */
void hosts_put_holders_first(struct hosts *, const struct vnet_event *);

/* A remembered fact of an earlier run. */
void hosts_remember(struct hosts *, uint32_t number, const char *value);

/* ---- between the files of this folder ---- */
void link_free(struct link *); /* at the end of closed() */
void host_free(struct hypervisor *);
/* A switch more (1) or less (-1) is connected: how many are now. */
size_t hosts_count_switch(struct hosts *, int by);
bool hosts_are_closing(const struct hosts *); /* sessions that end now mean nothing */
struct hypervisor *host_get_or_add(struct hosts *, const char *name);
void host_set_error(struct hypervisor *, enum host_error, const char *format, ...) __attribute__((format(printf, 3, 4)));
void host_clear_error(struct hypervisor *, enum host_error);
/* Its database is configured and its switch is not there, or one of both has changed: that the switch stays away is an error after some seconds. */
void host_expect_switch(struct hypervisor *);
/* What was known of ports goes on for uplinks of the same network on the same bridge, and for no other: their numbers are other networks' ports, or free for
 * anybody's. Of the first facts since vnetd's start all that is remembered stands until ports() tells. */
void host_set_facts(struct hypervisor *, const struct ovsdb_facts *);
void host_tell_runtime(struct hypervisor *); /* facts or ports changed: runtime, store, compiler */
/* What its database says of each of its facts' uplinks; MTU of one, and whether it counts as dead, by that and what was known so far (NULL: nothing), else
 * as it was known (its port too); and its error is made to name those that are dead. */
void host_uplinks_told(struct hypervisor *, const struct ovsdb_uplink_state *);
struct runtime_uplink host_uplink_state(struct hypervisor *, const struct ovsdb_uplink *, const struct runtime_host *known);
void host_report_uplinks(struct hypervisor *);
void host_consider_reconcile(struct hypervisor *);
void host_want(struct hypervisor *); /* the OVSDB configuration it should have */
void hosts_note_concerned(struct hypervisor *);
/* A host is reached by this encapsulation from now on (by: 1), or no longer (-1); which ones are in use concerns every host. */
void hosts_count_encap(struct hosts *, enum encap, int by);
bool hosts_use_encap(const struct hosts *, enum encap);
uint16_t hosts_ovsdb_port(const struct hosts *);                   /* of the first --ovsdb listener with TLS; 0: there is none */
uint16_t hosts_openflow_port(const struct hosts *, size_t option); /* where the option's listener listens */
void host_forget_runtime(struct hypervisor *);                     /* others can no longer reach it */
/* A gateway died or lives again. False: it is so already. */
bool host_set_dead(struct hypervisor *, bool is_dead);
/* What a host sees of its peers; sessions that come and go change who is heard. */
void host_saw_peer(struct hypervisor *, uint32_t peer, enum ovsdb_peer_state);
void host_keep_views(struct hypervisor *, const struct ovsdb_peer *, size_t n); /* of these only; they rise by number */
void host_forget_views(struct hypervisor *);
void hosts_judge_gateways(struct hosts *); /* soon */
void hosts_judge_gateways_in(struct hosts *, int ms);
void hosts_judge_now(struct hosts *);
/* Conntrack zones: what its OVSDB tells; a new connection has told nothing yet; its switch can forget what is in new ones; it has passed a barrier. */
void host_zones_told(struct hypervisor *, const struct ovsdb_zone *, size_t n);
void host_zones_unread(struct hypervisor *);
void host_zones_flush(struct hypervisor *);
void host_zones_passed(struct hypervisor *, uint32_t barrier);
/* What has this number has just come to the host. Has it been here before, then its zone still has connections of that time: to conntrack, which has not
 * followed them, a packet of one that went on elsewhere is a wrong one, and so is the first of a new one from the same port. If the host has
 * not told yet which zone that is: when it does. */
void host_zone_empty(struct hypervisor *, uint32_t number);
void host_zones_free(struct hypervisor *);
void host_each_zone(const struct hypervisor *, void (*each)(void *aux, uint32_t number, uint16_t zone),
                    void *aux);                                    /* that is stored there */
void hosts_zone_wanted(void *aux, uint32_t host, uint32_t number); /* as compiler_on_zone_wanted() calls it */
/* Zones that have lost their place in connections, since these go by them for now (lost_zones.c): what flows say, as compiler_on_zone_follows() calls it,
 * and held_zones.c; its database has told all zones; its switch is about to be read back, or has said what it can, has confirmed; what had the number, the
 * host are gone. */
void hosts_zone_follows(void *aux, uint32_t host, uint32_t number, bool follows);
void host_lost_zones_told(struct hypervisor *);
void host_lost_zones_flush(struct hypervisor *);
void host_lost_zones_confirmed(struct hypervisor *);
void host_lost_zone_released(struct hypervisor *, uint32_t number);
void host_lost_zones_forget(struct hypervisor *); /* in the store, too */
void host_lost_zones_free(struct hypervisor *);
/* One of an earlier run ("lost/HOST/NUMBER" in the store), once all objects and hosts are there. */
void hosts_remember_lost_zone(struct hosts *, uint32_t host, uint32_t number);
struct host_peers *hosts_peers(const struct hosts *);
/* Hosts that have something to compile, in the order in which it was found, new holders of public addresses first. One is served in a round of the
 * loop, so that what it was given to send is on its way before the next one is compiled. */
struct compile_queue {
    struct event *round, *turn;
    struct hypervisor *first, **last;
    bool is_fresh;      /* no turn since it was last empty */
    bool has_favourite; /* the first one has been put there, since somebody waits for it */
};
void compile_queue_init(struct compile_queue *, struct event_base *);
void compile_queue_done(struct compile_queue *);
struct compile_queue *hosts_compile_queue(struct hosts *);
void host_leave_compile_queue(struct hypervisor *);
void host_attach(struct hypervisor *);
/* Ends the OpenFlow session, if there is one; a new one is reconciled only after the old one's closed(). */
void host_end_openflow(struct hypervisor *, const char *reason);
/* Stops compiling for the host. */
void host_detach(struct hypervisor *);
struct controller *hosts_controller(const struct hosts *);
struct links *hosts_links(const struct hosts *);
extern const struct ovsdb_session_ops host_ovsdb_ops;
extern const struct of_session_ops host_openflow_ops;

#endif
