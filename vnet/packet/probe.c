#include "vnet/packet/probe.h"

#include "vnet/packet/checksum.h"
#include "vnet/packet/tcp.h"

#define ICMP_HEADER 8
#define ICMP_ECHO_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
#define QUOTED_PAYLOAD 8 /* what an ICMP error quotes at least */
#define WINDOW 65535

static struct ipv4_answer
header(const struct probe *p, uint8_t proto)
{
    return (struct ipv4_answer){ p->mac, p->router, p->gateway, p->ip, proto };
}

static uint16_t
own_port(const struct probe *p)
{
    return PROBE_PORT | (p->cookie & (uint16_t) ~PROBE_PORT_MASK);
}

static void
echo_put(struct bytes *out, const struct probe *p)
{
    struct ipv4_answer a = header(p, IPV4_PROTO_ICMP);
    uint8_t *icmp = ipv4_put(out, &a, ICMP_HEADER);
    icmp[0] = ICMP_ECHO_REQUEST;
    put_be32(icmp + 4, p->cookie);
    put_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER)));
}

void
probe_put(struct bytes *out, const struct probe *p)
{
    if (p->kind == PROBE_ICMP) {
        echo_put(out, p);
        return;
    }
    struct ipv4_answer a = header(p, IPV4_PROTO_TCP);
    tcp_put(
        out, &a,
        &(struct tcp_segment){ .src_port = own_port(p), .dst_port = p->port, .seq = p->cookie, .flags = TCP_FLAG_SYN, .window = WINDOW });
}

/* ---- answers ---- */

/* Nobody is there to go on with it. The sequence number is the one that its sender waits for. */
static void
reset_put(struct bytes *out, const struct probe *p, const struct tcp_segment *s)
{
    struct ipv4_answer a = header(p, IPV4_PROTO_TCP);
    tcp_put(out, &a, &(struct tcp_segment){ .src_port = s->dst_port, .dst_port = s->src_port, .seq = s->ack, .flags = TCP_FLAG_RST });
}

static bool
is_answering_segment(const struct ipv4_packet *ip, struct tcp_segment *s)
{
    return tcp_parse(ip, s) && (s->dst_port & PROBE_PORT_MASK) == PROBE_PORT && s->flags & TCP_FLAG_ACK;
}

static enum probe_answer
judge_segment(const struct probe *p, const struct ipv4_packet *ip, struct bytes *reset)
{
    struct tcp_segment s;
    if (p->kind != PROBE_TCP || !is_answering_segment(ip, &s) || s.src_port != p->port)
        return PROBE_NONE;
    bool fits = s.dst_port == own_port(p) && s.ack == p->cookie + 1;
    if (s.flags & TCP_FLAG_RST)
        return fits ? PROBE_REFUSED : PROBE_NONE;
    reset_put(reset, p, &s);
    return fits && s.flags & TCP_FLAG_SYN ? PROBE_ALIVE : PROBE_NONE;
}

/* Is it the start of what probe_put() made? */
static bool
is_ours(const struct probe *p, const uint8_t *quote, size_t n)
{
    if (n < IPV4_HEADER || quote[0] >> 4 != 4)
        return false;
    size_t header_len = (quote[0] & 0xf) * 4u;
    uint8_t proto = p->kind == PROBE_TCP ? IPV4_PROTO_TCP : IPV4_PROTO_ICMP;
    if (header_len < IPV4_HEADER || n < header_len + QUOTED_PAYLOAD || quote[9] != proto || get_be32(quote + 12) != ip4_u32(p->gateway)
        || get_be32(quote + 16) != ip4_u32(p->ip))
        return false;
    const uint8_t *payload = quote + header_len;
    if (p->kind == PROBE_ICMP)
        return payload[0] == ICMP_ECHO_REQUEST && get_be32(payload + 4) == p->cookie;
    return get_be16(payload) == own_port(p) && get_be16(payload + 2) == p->port && get_be32(payload + 4) == p->cookie;
}

static enum probe_answer
judge_icmp(const struct probe *p, const struct ipv4_packet *ip)
{
    const uint8_t *icmp = ip->payload;
    if (ip->payload_len < ICMP_HEADER)
        return PROBE_NONE;
    if (icmp[0] == ICMP_UNREACHABLE)
        return is_ours(p, icmp + ICMP_HEADER, ip->payload_len - ICMP_HEADER) ? PROBE_REFUSED : PROBE_NONE;
    return p->kind == PROBE_ICMP && icmp[0] == ICMP_ECHO_REPLY && !icmp[1] && get_be32(icmp + 4) == p->cookie ? PROBE_ALIVE : PROBE_NONE;
}

static bool
is_whole(const uint8_t *frame, size_t n, struct ipv4_packet *ip)
{
    return ipv4_parse(frame, n, ip) && !ip->more_fragments && !ip->fragment_offset;
}

static bool
is_from_target(const struct probe *p, const uint8_t *frame, size_t n, struct ipv4_packet *ip)
{
    return is_whole(frame, n, ip) && ip_equal(ip->src, p->ip) && ip_equal(ip->dst, p->gateway);
}

/* Of a probe by TCP and one by ICMP it is at the same place. */
static bool
quoted_cookie(const uint8_t *quote, size_t n, uint32_t *cookie)
{
    size_t header_len = n ? (quote[0] & 0xf) * 4u : 0;
    if (header_len < IPV4_HEADER || n < header_len + QUOTED_PAYLOAD)
        return false;
    *cookie = get_be32(quote + header_len + 4);
    return true;
}

bool
probe_cookie(const uint8_t *frame, size_t n, uint32_t *cookie)
{
    struct ipv4_packet ip;
    struct tcp_segment s;
    if (!is_whole(frame, n, &ip))
        return false;
    if (ip.proto == IPV4_PROTO_TCP) {
        bool is_answer = is_answering_segment(&ip, &s);
        *cookie = is_answer ? s.ack - 1 : 0;
        return is_answer;
    }
    if (ip.proto != IPV4_PROTO_ICMP || ip.payload_len < ICMP_HEADER)
        return false;
    if (ip.payload[0] == ICMP_UNREACHABLE)
        return quoted_cookie(ip.payload + ICMP_HEADER, ip.payload_len - ICMP_HEADER, cookie);
    *cookie = get_be32(ip.payload + 4);
    return ip.payload[0] == ICMP_ECHO_REPLY;
}

bool
probe_reset(const struct probe *p, const uint8_t *frame, size_t n, struct bytes *reset)
{
    struct ipv4_packet ip;
    struct tcp_segment s;
    if (!is_from_target(p, frame, n, &ip) || !is_answering_segment(&ip, &s) || s.flags & TCP_FLAG_RST)
        return false;
    reset_put(reset, p, &s);
    return true;
}

enum probe_answer
probe_judge(const struct probe *p, const uint8_t *frame, size_t n, struct bytes *reset)
{
    struct ipv4_packet ip;
    if (!is_from_target(p, frame, n, &ip))
        return PROBE_NONE;
    if (ip.proto == IPV4_PROTO_TCP)
        return judge_segment(p, &ip, reset);
    return ip.proto == IPV4_PROTO_ICMP ? judge_icmp(p, &ip) : PROBE_NONE;
}
