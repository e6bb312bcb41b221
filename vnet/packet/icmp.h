/* ICMP errors about a guest's packets (RFC 792, 1122, 1812): bytes in, bytes out. Sent by the gateway of the guest's subnet, never about
 * ICMP errors, later fragments, broadcasts or packets from no single host. */
#ifndef VNET_PACKET_ICMP_H
#define VNET_PACKET_ICMP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

/* The types that are errors and quote what they are about: unreachable, time exceeded, parameter problem (RFC 792). */
static const uint8_t icmp_error_types[] = { 3, 11, 12 };
#define N_ICMP_ERROR_TYPES sizeof icmp_error_types
/* Those that quote a packet, too, and that nobody far away has a use for: source quench (obsolete, RFC 6633), redirect (for hosts on one link). */
static const uint8_t icmp_quoting_types[] = { 4, 5 };
#define N_ICMP_QUOTING_TYPES sizeof icmp_quoting_types

enum icmp_error_kind { /* in userdata: never change a number */
                       ICMP_NET_UNREACHABLE = 1,
                       ICMP_TIME_EXCEEDED = 2,
                       ICMP_FRAGMENTATION_NEEDED = 3
};

struct icmp_error {
    enum icmp_error_kind kind;
    struct mac mac; /* of the port that the packet came from */
    struct mac router;
    struct ip gateway;
    uint8_t prefix_len; /* of its subnet */
    uint16_t mtu;       /* ICMP_FRAGMENTATION_NEEDED: what fits; not in userdata */
    uint32_t sent_to; /* where the port sent it before it was translated (IPv4), and the TCP or UDP port; 0: it was not. Not in userdata */
    uint16_t sent_to_port;
};

/* Appends the answer to 'frame', which may have been routed already (from the router's MAC, time to live one less) or translated: undone in the quote.
 * False, 'out' unchanged, if it deserves none. */
bool icmp_error_answer(const struct icmp_error *, const uint8_t *frame, size_t n, struct bytes *out);

#endif
