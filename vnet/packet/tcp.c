#include "vnet/packet/tcp.h"

#include "vnet/packet/checksum.h"

#define TCP_HEADER 20 /* without options */

/* Of the addresses and the length that the checksum covers besides (RFC 9293, 3.1). */
static uint32_t
pseudo_header_sum(const struct ipv4_answer *a, size_t length)
{
    uint8_t b[12] = { 0 };
    put_be32(b, ip4_u32(a->src));
    put_be32(b + 4, ip4_u32(a->dst));
    b[9] = IPV4_PROTO_TCP;
    put_be16(b + 10, length);
    return checksum_add(0, b, sizeof b);
}

void
tcp_put(struct bytes *out, const struct ipv4_answer *a, const struct tcp_segment *s)
{
    struct ipv4_answer ip = *a;
    ip.proto = IPV4_PROTO_TCP;
    uint8_t *p = ipv4_put(out, &ip, TCP_HEADER);
    put_be16(p, s->src_port);
    put_be16(p + 2, s->dst_port);
    put_be32(p + 4, s->seq);
    put_be32(p + 8, s->ack);
    p[12] = TCP_HEADER / 4 << 4;
    p[13] = s->flags;
    put_be16(p + 14, s->window);
    put_be16(p + 16, checksum_finish(checksum_add(pseudo_header_sum(a, TCP_HEADER), p, TCP_HEADER)));
}

bool
tcp_parse(const struct ipv4_packet *ip, struct tcp_segment *s)
{
    const uint8_t *p = ip->payload;
    if (ip->proto != IPV4_PROTO_TCP || ip->fragment_offset || ip->payload_len < TCP_HEADER || p[12] >> 4 < TCP_HEADER / 4)
        return false;
    *s = (struct tcp_segment){
        .src_port = get_be16(p),
        .dst_port = get_be16(p + 2),
        .seq = get_be32(p + 4),
        .ack = get_be32(p + 8),
        .flags = p[13],
        .window = get_be16(p + 14),
    };
    return true;
}

/* How many sequence numbers it takes. */
static uint32_t
segment_len(const struct ipv4_packet *ip, const struct tcp_segment *s)
{
    size_t headers = ip->header_len + (ip->payload[12] >> 4) * 4u;
    return (ip->total_len > headers ? ip->total_len - headers : 0) + !!(s->flags & TCP_FLAG_SYN) + !!(s->flags & TCP_FLAG_FIN);
}

bool
tcp_put_reset(struct bytes *out, const uint8_t *frame, size_t n)
{
    struct ipv4_packet ip;
    struct tcp_segment s;
    if (!ipv4_parse(frame, n, &ip) || !tcp_parse(&ip, &s) || s.flags & TCP_FLAG_RST)
        return false;
    const struct ipv4_answer back = { .eth_dst = ip.eth_src, .eth_src = ip.eth_dst, .src = ip.dst, .dst = ip.src };
    struct tcp_segment reset = { .src_port = s.dst_port, .dst_port = s.src_port, .flags = TCP_FLAG_RST };
    if (s.flags & TCP_FLAG_ACK) {
        reset.seq = s.ack;
    } else {
        reset.ack = s.seq + segment_len(&ip, &s);
        reset.flags |= TCP_FLAG_ACK;
    }
    tcp_put(out, &back, &reset);
    return true;
}
