/* A hypervisor that is not there: the database and the switch of one, as far as vnetd can tell. sim_database.c is the OVSDB server (monitor,
 * transact), sim_switch.c the OpenFlow 1.5 side (handshake, empty dumps, bundles, barriers, echo), which counts what it is sent.
 *
 * With 'has_switch' false only the database is played: the switch may be a real one, which takes the datapath id from here. */
#ifndef TOOLS_BENCH_SIM_HOST_H
#define TOOLS_BENCH_SIM_HOST_H 1

#include "base/bytes.h"
#include "ofproto/ovsdb/jsonrpc.h"
#include "tools/bench/daemon.h"

struct bufferevent;

/* What a switch has been sent. */
struct sim_switch {
    struct bufferevent *bev; /* NULL: not connected */
    uint64_t dpid;
    struct bytes input;
    uint64_t n_mods, n_commits;
    uint64_t n_bundled; /* in the open bundle */
};

struct sim_interface {
    char row[40], port[40]; /* UUIDs */
};

struct sim_host {
    const struct bench *bench;
    const struct daemon *daemon;
    char name[16], encap_ip[20];
    bool has_switch;

    json_t *tables; /* table -> UUID -> row */
    struct bufferevent *bev;
    struct jsonrpc_framer framer;
    bool is_monitored;
    unsigned n_rows, next_ofport;
    struct sim_interface *interfaces;
    size_t n_interfaces, cap_interfaces;

    struct sim_switch of;
};

/* The i-th host of a network; not connected. */
void sim_host_init(struct sim_host *, const struct bench *, unsigned i, bool has_switch);
/* Before it connects: a bridge 'br-ex' that reaches this physical network. */
void sim_host_add_uplink(struct sim_host *, const char *network);
void sim_host_done(struct sim_host *);
void sim_host_connect(struct sim_host *, const struct daemon *);
void sim_host_disconnect(struct sim_host *);

/* Plugs an interface in and returns its index; ofport 0: the switch has not given one yet. */
size_t sim_host_plug(struct sim_host *, const char *iface_id, uint32_t ofport);
void sim_host_set_ofport(struct sim_host *, size_t interface, uint32_t ofport);
void sim_host_unplug(struct sim_host *, size_t interface); /* its index is not used again */

/* The datapath id that vnetd gave, or 0. */
uint64_t sim_host_dpid(const struct sim_host *);

/* ---- between the files ---- */
void sim_switch_connect(struct sim_switch *, const struct bench *, uint16_t port);
void sim_switch_done(struct sim_switch *);
/* A paused one leaves unread what it is sent, so that it takes no time from what is measured: its real like would be another machine. */
void sim_switch_pause(struct sim_switch *, bool is_paused);
struct bufferevent *sim_connect(const struct bench *, uint16_t port);
void sim_hurry(int fd); /* small messages leave at once, as from Open vSwitch and vnetd */

#endif
