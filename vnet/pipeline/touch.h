/* What features have in common when they say which blocks a change touches, and which blocks a host has: most blocks are either of a
 * VPC (on every host that holds it) or of a local port (on the host where the port is bound). */
#ifndef VNET_PIPELINE_TOUCH_H
#define VNET_PIPELINE_TOUCH_H 1

#include "vnet/pipeline/feature.h"

/* The event's change if it is one of an object of this type, else NULL. */
const struct change *event_object(const struct vnet_event *, enum object_type);

/* The hosts that hold the changed object's VPC; all of them if it cannot be told any more. */
struct touch touch_vpc(const struct vnet_event *);

/* The changed object's own block, on its VPC's hosts, if it is of this type. */
void touch_object(const struct vnet_event *, enum object_type, struct touch_list *, uint8_t feature);

/* The block of a port on its own host: the port changed, or its binding. */
void touch_local_port(const struct view *, const struct vnet_event *, struct touch_list *, uint8_t feature);

/* The blocks of a subnet's bound ports, each on its own host. */
void touch_local_ports_of(const struct view *, uint32_t subnet, struct touch_list *, uint8_t feature);

/* Emits the ports bound on a host; every object of a type that refers to 'owner'; every port of a VPC. */
void blocks_local_ports(const struct view *, uint32_t host, block_emit *, void *aux);
void blocks_referring(const struct view *, uint32_t owner, enum object_type, block_emit *, void *aux);
void blocks_ports_of_vpc(const struct view *, uint32_t vpc, block_emit *, void *aux);

#endif
