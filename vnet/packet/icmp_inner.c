#include "vnet/packet/icmp_inner.h"

#include <string.h>

#include "vnet/packet/checksum.h"
#include "vnet/packet/ipv4.h"

#define ETHERTYPE_VLAN 0x8100
#define VLAN_TAG 4
#define ICMP_HEADER 8
#define OFFSET_MASK 0x1fff

/* Offsets in an IPv4 header, and of the checksums in TCP's and UDP's. */
enum { IP_LENGTH = 2, IP_FRAGMENT = 6, IP_PROTO = 9, IP_CHECKSUM = 10, IP_SRC = 12, IP_DST = 16, TCP_CHECKSUM = 16, UDP_CHECKSUM = 6 };

/* Where things are in a frame; 0: not there. */
struct quote {
    size_t icmp;
    size_t header;
    size_t address;
    size_t transport_checksum;
    bool is_udp;
};

static bool
is_error(uint8_t type)
{
    return type == 3 || type == 11 || type == 12;
}

/* The quote's TCP or UDP checksum, if the quote reaches that far and is of a packet's beginning. */
static void
find_transport(struct quote *q, const uint8_t *inner, size_t header_len, size_t len)
{
    uint8_t proto = inner[IP_PROTO];
    size_t at = header_len + (proto == IPV4_PROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM), total = get_be16(inner + IP_LENGTH);
    if ((proto != IPV4_PROTO_TCP && proto != IPV4_PROTO_UDP) || get_be16(inner + IP_FRAGMENT) & OFFSET_MASK || at + 2 > len
        || at + 2 > total)
        return;
    q->is_udp = proto == IPV4_PROTO_UDP;
    if (!q->is_udp || get_be16(inner + at)) /* a UDP checksum of 0 is none */
        q->transport_checksum = q->header + at;
}

static bool
find_quote(const struct icmp_inner *i, const uint8_t *frame, size_t n, struct quote *q)
{
    struct ipv4_packet p;
    size_t tag = n > ETHERNET_HEADER + VLAN_TAG && get_be16(frame + 12) == ETHERTYPE_VLAN ? VLAN_TAG : 0;
    if (!ipv4_parse(frame + tag, n - tag, &p) || p.proto != IPV4_PROTO_ICMP || p.more_fragments || p.fragment_offset
        || p.header_len + p.payload_len != p.total_len || p.payload_len < ICMP_HEADER + IPV4_HEADER || !is_error(p.payload[0]))
        return false;

    const uint8_t *inner = p.payload + ICMP_HEADER;
    size_t len = p.payload_len - ICMP_HEADER, header_len = (inner[0] & 0xf) * 4u;
    if (inner[0] >> 4 != 4 || header_len < IPV4_HEADER || header_len > len || get_be16(inner + IP_LENGTH) < header_len)
        return false;
    *q = (struct quote){ .icmp = (size_t) (p.payload - frame), .header = (size_t) (inner - frame) };
    q->address = q->header + (i->side == ICMP_INNER_SRC ? IP_SRC : IP_DST);
    find_transport(q, inner, header_len, len);
    return get_be32(frame + q->address) == ip4_u32(i->was);
}

/* A 16-bit word changes; so do the sums over it (RFC 1624). */
static void
word_set(uint8_t *p, uint16_t value, uint8_t *const checksums[], size_t n)
{
    uint16_t was = get_be16(p);
    put_be16(p, value);
    for (size_t i = 0; i < n; i++) {
        uint32_t sum = (uint16_t) ~get_be16(checksums[i]);
        put_be16(checksums[i], checksum_finish(sum + (uint16_t) ~was + value));
    }
}

/* The checksum field itself is among what ICMP sums over. */
static void
quote_rewrite(uint8_t *frame, const struct quote *q, uint32_t address)
{
    uint8_t *icmp_sum = frame + q->icmp + 2;
    uint8_t header_sum[2], transport_sum[2] = { 0 };
    uint8_t *over_address[] = { header_sum, transport_sum, icmp_sum };
    memcpy(header_sum, frame + q->header + IP_CHECKSUM, 2);
    if (q->transport_checksum)
        memcpy(transport_sum, frame + q->transport_checksum, 2);
    for (int half = 0; half < 2; half++)
        word_set(frame + q->address + 2 * half, (uint16_t) (address >> (half ? 0 : 16)), over_address, 3);

    word_set(frame + q->header + IP_CHECKSUM, get_be16(header_sum), &icmp_sum, 1);
    if (!q->transport_checksum)
        return;
    uint16_t sum = get_be16(transport_sum);
    word_set(frame + q->transport_checksum, q->is_udp && !sum ? UINT16_MAX : sum, &icmp_sum, 1);
}

bool
icmp_inner_rewrite(const struct icmp_inner *i, const uint8_t *frame, size_t n, struct bytes *out)
{
    struct quote q;
    if (!find_quote(i, frame, n, &q))
        return false;
    uint8_t *copy = bytes_extend(out, n);
    memcpy(copy, frame, n);
    quote_rewrite(copy, &q, ip4_u32(i->becomes));
    return true;
}
