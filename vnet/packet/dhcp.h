/* A DHCPv4 responder without state (RFC 2131, 2132, 3442): bytes in, bytes out. The port owns its address whether or not its guest has
 * asked, so every lease is the same promise again and nothing needs remembering. */
#ifndef VNET_PACKET_DHCP_H
#define VNET_PACKET_DHCP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/limits.h"

#define DHCP_DOMAIN_MAX 255 /* an option's length */

/* All that answers to one port are made of. */
struct dhcp_lease {
    struct mac mac;
    struct mac router;
    struct ip ip;
    struct ip gateway; /* also the server's identifier */
    uint8_t prefix_len;
    uint16_t mtu; /* 0: not told */
    uint32_t lease_s;
    uint8_t n_dns;
    struct ip dns[LIMIT_LIST];        /* IPv4 */
    char domain[DHCP_DOMAIN_MAX + 1]; /* "": none */
};

/* Appends the answer to 'frame'. False, 'out' unchanged, if there is none: not a request of this port's client, malformed, meant for
 * another server, or DECLINE and RELEASE, which need none. */
bool dhcp_answer(const struct dhcp_lease *, const uint8_t *frame, size_t n, struct bytes *out);

#endif
