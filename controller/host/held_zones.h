/* Whose connections are at the holder of a public address: a balancer's from outside, a NAT gateway's. When that address moves they go by the zone that
 * its old holder has of it, and conntrack there loses its place in them; so a host that comes to hold the address is taken to have lost it (see
 * lost_zones.c), and forgets what it knows of an earlier time before it gets the flows.
 *
 * The last holder is kept in the store ("held/NUMBER"): while nobody holds the address nothing goes by, and a host that gets back what nobody had
 * meanwhile still has its place, a restart of vnetd or not. */
#ifndef CONTROLLER_HOST_HELD_ZONES_H
#define CONTROLLER_HOST_HELD_ZONES_H 1

#include <stdint.h>

#include "vnet/pipeline/feature.h"

struct controller;
struct held_zones;

struct held_zones *held_zones_new(struct controller *);
void held_zones_free(struct held_zones *);

/* Of an earlier run, once all objects and hosts are there. */
void held_zones_remember(struct held_zones *, uint32_t number, uint32_t host);
/* Anything changed: model and runtime show it, the compiler has not been told. */
void held_zones_look(struct held_zones *, const struct vnet_event *);

#endif
