#include "vnet/packet/ipv4.h"

#include <string.h>

#include "vnet/packet/checksum.h"

#define ETHERTYPE_IPV4 0x0800
#define DONT_FRAGMENT 0x4000
#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK 0x1fff
#define TTL 64

void
put_be16(uint8_t *p, uint16_t value)
{
    p[0] = value >> 8;
    p[1] = value;
}

void
put_be32(uint8_t *p, uint32_t value)
{
    put_be16(p, value >> 16);
    put_be16(p + 2, value);
}

uint16_t
get_be16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

uint32_t
get_be32(const uint8_t *p)
{
    return (uint32_t) get_be16(p) << 16 | get_be16(p + 2);
}

bool
ipv4_parse(const uint8_t *frame, size_t n, struct ipv4_packet *p)
{
    if (n < ETHERNET_HEADER + IPV4_HEADER || get_be16(frame + 12) != ETHERTYPE_IPV4)
        return false;

    const uint8_t *ip = frame + ETHERNET_HEADER;
    size_t left = n - ETHERNET_HEADER, header_len = (ip[0] & 0xf) * 4u, total_len = get_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header_len < IPV4_HEADER || header_len > left || total_len < header_len)
        return false;

    uint16_t fragment = get_be16(ip + 6);
    *p = (struct ipv4_packet) {
        .header = ip,
        .header_len = header_len,
        .payload = ip + header_len,
        .payload_len = (total_len < left ? total_len : left) - header_len,
        .total_len = total_len,
        .src = ip4(get_be32(ip + 12)),
        .dst = ip4(get_be32(ip + 16)),
        .ttl = ip[8],
        .proto = ip[9],
        .more_fragments = fragment & MORE_FRAGMENTS,
        .fragment_offset = fragment & OFFSET_MASK,
    };
    memcpy(p->eth_dst.b, frame, sizeof p->eth_dst.b);
    memcpy(p->eth_src.b, frame + 6, sizeof p->eth_src.b);
    return true;
}

uint8_t *
ipv4_put(struct bytes *out, const struct ipv4_answer *a, size_t payload_len)
{
    uint8_t *frame = bytes_extend_zero(out, ETHERNET_HEADER + IPV4_HEADER + payload_len);
    memcpy(frame, a->eth_dst.b, sizeof a->eth_dst.b);
    memcpy(frame + 6, a->eth_src.b, sizeof a->eth_src.b);
    put_be16(frame + 12, ETHERTYPE_IPV4);

    uint8_t *ip = frame + ETHERNET_HEADER;
    ip[0] = 4 << 4 | IPV4_HEADER / 4;
    put_be16(ip + 2, IPV4_HEADER + payload_len);
    put_be16(ip + 6, DONT_FRAGMENT);
    ip[8] = TTL;
    ip[9] = a->proto;
    put_be32(ip + 12, ip4_u32(a->src));
    put_be32(ip + 16, ip4_u32(a->dst));
    put_be16(ip + 10, checksum_finish(checksum_add(0, ip, IPV4_HEADER)));
    return ip + IPV4_HEADER;
}
