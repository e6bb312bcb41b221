/* The MAC address of every gateway, the same on every host and in every subnet, so that a guest's neighbour cache never goes stale.
 * No port may have it: a receiver tells a VPC's ports apart by MAC. */
#ifndef VNET_MODEL_ROUTER_MAC_H
#define VNET_MODEL_ROUTER_MAC_H 1

#include "base/addr.h"

#define ROUTER_MAC_TEXT "02:76:6e:00:00:01"
#define ROUTER_MAC ((struct mac){ { 0x02, 0x76, 0x6e, 0x00, 0x00, 0x01 } })

#endif
