/* ARP for IPv4 over Ethernet (RFC 826), tagged or not: what vnetd says and hears on a physical network. */
#ifndef VNET_PACKET_ARP_H
#define VNET_PACKET_ARP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_frame {
    struct mac eth_dst, eth_src;
    uint16_t vlan; /* 0: untagged */
    uint16_t op;
    struct mac sha, tha; /* sender's, target's */
    struct ip spa, tpa;
};

void arp_put(struct bytes *, const struct arp_frame *);
/* False: it is none, or cut short. What follows (padding) is left unread. */
bool arp_parse(const uint8_t *frame, size_t n, struct arp_frame *);

/* A request by 'mac' and 'sender' (0.0.0.0: it has no address of its own) for 'target', to all. With sender and target the same it is
 * an announcement. */
struct arp_frame arp_request(struct mac mac, struct ip sender, struct ip target, uint16_t vlan);

#endif
