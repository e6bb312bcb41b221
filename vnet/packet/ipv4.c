#include "vnet/packet/ipv4.h"

#include <string.h>

#include "vnet/packet/checksum.h"

#define ETHERTYPE_IPV4 0x0800
#define DONT_FRAGMENT 0x4000
#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK 0x1fff
#define FRAGMENT_UNIT 8
#define TTL 64

enum { OPTION_END = 0, OPTION_NONE = 1, OPTION_COPIED = 0x80 };

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
    *p = (struct ipv4_packet){
        .header = ip,
        .header_len = header_len,
        .payload = ip + header_len,
        .payload_len = (total_len < left ? total_len : left) - header_len,
        .total_len = total_len,
        .src = ip4(get_be32(ip + 12)),
        .dst = ip4(get_be32(ip + 16)),
        .ttl = ip[8],
        .proto = ip[9],
        .dont_fragment = fragment & DONT_FRAGMENT,
        .more_fragments = fragment & MORE_FRAGMENTS,
        .fragment_offset = fragment & OFFSET_MASK,
    };
    memcpy(p->eth_dst.b, frame, sizeof p->eth_dst.b);
    memcpy(p->eth_src.b, frame + 6, sizeof p->eth_src.b);
    return true;
}

/* Options that are not for every piece stay in the first: the others have 'no operation' in their place. */
static void
blank_first_options(uint8_t *options, size_t n)
{
    for (size_t at = 0; at < n && options[at] != OPTION_END;) {
        size_t len = options[at] == OPTION_NONE ? 1 : at + 1 < n ? options[at + 1] : 0;
        if (len < 1 || (len < 2 && options[at] != OPTION_NONE) || len > n - at)
            return;
        if (!(options[at] & OPTION_COPIED))
            memset(options + at, OPTION_NONE, len);
        at += len;
    }
}

static void
piece_header(uint8_t *ip, const struct ipv4_packet *p, size_t at, size_t len)
{
    bool is_last = at + len == p->payload_len;
    uint16_t flags = (p->dont_fragment ? DONT_FRAGMENT : 0) | (!is_last || p->more_fragments ? MORE_FRAGMENTS : 0);
    if (at)
        blank_first_options(ip + IPV4_HEADER, p->header_len - IPV4_HEADER);
    put_be16(ip + 2, p->header_len + len);
    put_be16(ip + 6, flags | (p->fragment_offset + at / FRAGMENT_UNIT));
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum_finish(checksum_add(0, ip, p->header_len)));
}

bool
ipv4_put_piece(struct bytes *out, const uint8_t *frame, size_t n, uint16_t mtu, unsigned i)
{
    struct ipv4_packet p;
    if (!ipv4_parse(frame, n, &p) || p.header_len + p.payload_len != p.total_len || p.header_len + FRAGMENT_UNIT > mtu)
        return false;

    size_t most = p.total_len <= mtu ? p.payload_len : (mtu - p.header_len) / FRAGMENT_UNIT * FRAGMENT_UNIT, at = i * most;
    if ((i && at >= p.payload_len) || p.fragment_offset + at / FRAGMENT_UNIT > OFFSET_MASK)
        return false;
    size_t len = p.payload_len - at < most ? p.payload_len - at : most;
    uint8_t *piece = bytes_extend(out, ETHERNET_HEADER + p.header_len + len);
    memcpy(piece, frame, ETHERNET_HEADER + p.header_len);
    memcpy(piece + ETHERNET_HEADER + p.header_len, p.payload + at, len);
    if (len < p.payload_len)
        piece_header(piece + ETHERNET_HEADER, &p, at, len);
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
