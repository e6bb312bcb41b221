/* Which hosts watch each other by BFD: every two gateways, and a gateway and each host that uses it: one that has a port whose public address
 * the gateway holds, or holds a VPC whose NAT gateway it is. Follows intent and facts; what a change concerns is looked at a little later,
 * in turns of the loop, so that it holds up no flows. */
#ifndef CONTROLLER_HOST_HOST_PEERS_H
#define CONTROLLER_HOST_HOST_PEERS_H 1

#include "ofproto/ovsdb/ovsdb_session.h"
#include "vnet/pipeline/feature.h"

struct controller;
struct host_peers;

struct host_peers *host_peers_new(struct controller *);
void host_peers_free(struct host_peers *);

/* After model, runtime and compiler know of it. */
void host_peers_changed(struct host_peers *, const struct vnet_event *);

/* The tunnel ports that a host should have: a new array, for free(). */
struct ovsdb_peer *host_peers_list(const struct host_peers *, uint32_t host, size_t *n);

#endif
