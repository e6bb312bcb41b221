#include "vnet/packet/icmp_echo.h"

#include <string.h>

#include "vnet/packet/checksum.h"
#include "vnet/packet/ipv4.h"

#define ICMP_HEADER 8

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8 };
enum { ICMP_CHECKSUM = 2, ICMP_ID = 4 };

/* Never 0, and as different as may be for neighbouring addresses. */
static uint16_t mask_of(struct ip private)
{
    uint16_t mask = ip4_u32(private) * UINT32_C(0x9e3779b1) >> 16;
    return mask ? mask : 1;
}

bool
icmp_echo_disguise(enum icmp_echo_side side, const uint8_t *frame, size_t n, struct bytes *out)
{
    struct ipv4_packet p;
    if (!ipv4_parse(frame, n, &p) || p.proto != IPV4_PROTO_ICMP || p.more_fragments || p.fragment_offset || p.payload_len < ICMP_HEADER
        || p.payload[0] != (side == ICMP_ECHO_SRC ? ECHO_REQUEST : ECHO_REPLY))
        return false;

    uint8_t *copy = bytes_extend(out, n), *icmp = copy + (p.payload - frame);
    memcpy(copy, frame, n);
    uint16_t was = get_be16(icmp + ICMP_ID), becomes = was ^ mask_of(side == ICMP_ECHO_SRC ? p.src : p.dst);
    uint32_t sum = (uint16_t) ~get_be16(icmp + ICMP_CHECKSUM);
    put_be16(icmp + ICMP_ID, becomes);
    put_be16(icmp + ICMP_CHECKSUM, checksum_finish(sum + (uint16_t) ~was + becomes)); /* RFC 1624 */
    return true;
}
