#include "vnet/packet/icmp.h"

#include <string.h>

#include "vnet/packet/checksum.h"
#include "vnet/packet/ipv4.h"

#define ICMP_HEADER 8
#define ANSWER_MAX 576 /* RFC 1812, 4.3.2.3: as much of the original as fits */
#define QUOTED_PAYLOAD_MIN 8

/* An ICMP message that asks or answers a question; everything else is, or may be, an error. */
static bool
icmp_type_is_query(uint8_t type)
{
    static const uint8_t queries[] = { 0, 8, 9, 10, 13, 14, 15, 16, 17, 18, 42, 43 };
    return memchr(queries, type, sizeof queries) != NULL;
}

/* Does the address stand for exactly one host? (RFC 1122, 3.2.1.3) */
static bool
address_is_one_host(struct ip ip)
{
    uint32_t address = ip4_u32(ip);
    uint8_t net = address >> 24;
    return net != 0 && net != 127 && net < 224;
}

static bool
is_subnet_broadcast(const struct icmp_error *e, struct ip ip)
{
    return e->prefix_len < 31 && ip_equal(ip_prefix_last((struct ip_prefix){ e->gateway, e->prefix_len }), ip);
}

static bool
deserves_answer(const struct icmp_error *e, const struct ipv4_packet *p)
{
    if (p->fragment_offset || p->payload_len < QUOTED_PAYLOAD_MIN)
        return false;
    if (p->eth_dst.b[0] & 1 || !address_is_one_host(p->src) || is_subnet_broadcast(e, p->src))
        return false;
    if (ip4_u32(p->dst) >> 28 == 0xe || ip4_u32(p->dst) == UINT32_MAX || is_subnet_broadcast(e, p->dst))
        return false;
    return p->proto != IPV4_PROTO_ICMP || icmp_type_is_query(p->payload[0]);
}

static void
put_kind(uint8_t *icmp, const struct icmp_error *e)
{
    switch (e->kind) {
    case ICMP_NET_UNREACHABLE:
        icmp[0] = 3;
        icmp[1] = 0;
        break;
    case ICMP_TIME_EXCEEDED:
        icmp[0] = 11;
        icmp[1] = 0;
        break;
    case ICMP_FRAGMENTATION_NEEDED:
        icmp[0] = 3;
        icmp[1] = 4;
        put_be16(icmp + 6, e->mtu);
        break;
    }
}

static void
header_sum(uint8_t *ip, size_t header_len)
{
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum_finish(checksum_add(0, ip, header_len)));
}

/* The sender shall recognise what it sent. */
static void
undo_routing(uint8_t *ip, size_t header_len)
{
    if (ip[8] == UINT8_MAX)
        return;
    ip[8]++;
    header_sum(ip, header_len);
}

/* A 16-bit word changes, and with it a checksum over it (RFC 1624). */
static void
word_set(uint8_t *word, uint16_t value, uint8_t *sum)
{
    if (sum)
        put_be16(sum, checksum_finish((uint16_t) ~get_be16(sum) + (uint32_t) (uint16_t) ~get_be16(word) + value));
    put_be16(word, value);
}

/* The quoted TCP's or UDP's checksum; NULL: not quoted, or (UDP) none. */
static uint8_t *
transport_sum(uint8_t *transport, uint8_t proto, size_t len)
{
    size_t at = proto == IPV4_PROTO_TCP ? 16 : 6;
    if (at + 2 > len || (proto == IPV4_PROTO_UDP && !get_be16(transport + at)))
        return NULL;
    return transport + at;
}

static void
undo_translation(uint8_t *ip, const struct ipv4_packet *p, size_t quoted, const struct icmp_error *e)
{
    uint8_t *transport = ip + p->header_len, *sum = transport_sum(transport, p->proto, quoted - p->header_len);
    word_set(ip + 16, e->sent_to >> 16, sum);
    word_set(ip + 18, (uint16_t) e->sent_to, sum);
    word_set(transport + 2, e->sent_to_port, sum);
    if (sum && p->proto == IPV4_PROTO_UDP && !get_be16(sum))
        put_be16(sum, UINT16_MAX);
    header_sum(ip, p->header_len);
}

static bool
is_translated(const struct icmp_error *e, const struct ipv4_packet *p)
{
    return e->sent_to && (p->proto == IPV4_PROTO_TCP || p->proto == IPV4_PROTO_UDP);
}

bool
icmp_error_answer(const struct icmp_error *e, const uint8_t *frame, size_t n, struct bytes *out)
{
    struct ipv4_packet p;
    if (!ipv4_parse(frame, n, &p) || !deserves_answer(e, &p))
        return false;

    size_t quoted = p.header_len + p.payload_len, room = ANSWER_MAX - IPV4_HEADER - ICMP_HEADER;
    if (quoted > room)
        quoted = room;
    struct ipv4_answer a = { e->mac, e->router, e->gateway, p.src, IPV4_PROTO_ICMP };
    uint8_t *icmp = ipv4_put(out, &a, ICMP_HEADER + quoted);
    put_kind(icmp, e);
    memcpy(icmp + ICMP_HEADER, p.header, quoted);
    if (mac_equal(p.eth_src, e->router))
        undo_routing(icmp + ICMP_HEADER, p.header_len);
    if (is_translated(e, &p))
        undo_translation(icmp + ICMP_HEADER, &p, quoted, e);
    put_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + quoted)));
    return true;
}
