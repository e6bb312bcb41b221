/* Networks of any size, told to a vnetd: one VPC 'v' with ports p0, p1, ... in as many subnets as they need. */
#ifndef TOOLS_BENCH_NETWORK_H
#define TOOLS_BENCH_NETWORK_H 1

#include "tools/bench/sim_host.h"

#define NETWORK_SUBNET_PORTS 4000 /* ports of one /20 */

/* Operations that make the VPC and its first n ports; for a model or for the API. New reference. */
json_t *network_ops(unsigned n_ports);
json_t *network_port_op(unsigned i); /* one more port, in a subnet that is there */

struct network {
    const struct bench *bench;
    struct daemon daemon;
    struct sim_host *hosts;
    unsigned n_hosts, n_ports;
    const char *uplink; /* physical network of all hosts that join; NULL: none */
};

/* vnetd with the ports, no host. */
void network_start(struct network *, const struct bench *, const char *name, unsigned n_ports);
/* Hosts join, and all ports are plugged in, spread over them; returns when every host has confirmed. */
void network_add_hosts(struct network *, unsigned n);
/* Two hosts: h0, whose switch is a real one ('sw' is started, without a controller), and h1, which has a database but no switch. */
struct real_switch;
void network_add_real(struct network *, struct real_switch *sw);
/* Ports first..last-1 are plugged in on h1. */
void network_plug_elsewhere(struct network *, unsigned first, unsigned last);
void network_stop(struct network *);

/* Returns once vnetd has nothing left to do. */
void network_wait_quiet(const struct network *);

/* Returns once every host is connected and has confirmed everything. */
void network_wait_realised(const struct network *);
void network_wait_host(const struct network *, unsigned host); /* likewise of one */
unsigned network_host_of(const struct network *, unsigned port);
uint64_t network_flows(const struct network *); /* on all hosts together */
uint64_t network_host_flows(const struct network *, unsigned host);

/* Returns when every host has seen one more commit than at the last network_mark(). */
void network_wait_commits(const struct network *, const uint64_t before[]);
void network_mark(const struct network *, uint64_t before[]);

/* {"type": ..., "name": ..., "where": {column: value}} for daemon_wait_begin(). */
json_t *network_wish(const char *type, const char *name, const char *column, const char *value);

#endif
