/* MAC addresses that this network makes up for itself: of each public address, the same on whatever host holds it, so that it may move
 * between hosts without any neighbour having to learn another; and of each host as it asks the outside. No port may have one: a
 * receiver tells what a packet is for by VPC and MAC. */
#ifndef VNET_MODEL_PUBLIC_MAC_H
#define VNET_MODEL_PUBLIC_MAC_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define PUBLIC_MAC_OF_IP 0x0a76 /* first two bytes; the address, or the host's number, follows */
#define PUBLIC_MAC_OF_HOST 0x0a77

static inline struct mac
public_mac(uint16_t kind, uint32_t n)
{
    return (struct mac){ { kind >> 8, kind & 0xff, n >> 24, n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff } };
}

static inline struct mac
public_mac_of_ip(struct ip ip)
{
    return public_mac(PUBLIC_MAC_OF_IP, ip4_u32(ip));
}

static inline struct mac
public_mac_of_host(uint32_t number)
{
    return public_mac(PUBLIC_MAC_OF_HOST, number);
}

static inline bool
is_public_mac(struct mac m)
{
    return m.b[0] == PUBLIC_MAC_OF_IP >> 8 && (m.b[1] == (PUBLIC_MAC_OF_IP & 0xff) || m.b[1] == (PUBLIC_MAC_OF_HOST & 0xff));
}

#endif
