/* The packet that an ICMP error quotes (RFC 792) has the addresses as they were where the error was made. Where an address is translated,
 * the quote is translated back, or whoever sent the packet does not recognise it: traceroute and path MTU discovery stop at the translator. The
 * error's own header is not touched: flows rewrite it.
 *
 *     an error from outside about what a guest sent:       the quoted source is its public address -> its private one
 *     a guest's error about what it got from outside:      the quoted destination is its private address -> its public one
 */
#ifndef VNET_PACKET_ICMP_INNER_H
#define VNET_PACKET_ICMP_INNER_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum icmp_inner_side { ICMP_INNER_SRC = 1, ICMP_INNER_DST = 2 }; /* in userdata: never change a number */

struct icmp_inner {
    enum icmp_inner_side side; /* of the quoted packet */
    struct ip was, becomes;    /* IPv4 */
};

/* Appends the frame (untagged or with one tag) with its quote rewritten and the checksums that this changes: ICMP's, the quoted header's, and
 * the quoted TCP's or UDP's if it is there. A checksum that was wrong stays wrong. False, 'out' unchanged: not a whole ICMP error of
 * type 3, 11 or 12 (fragments are not), or its quote is malformed or does not have the address 'was' on that side. */
bool icmp_inner_rewrite(const struct icmp_inner *, const uint8_t *frame, size_t n, struct bytes *out);

#endif
