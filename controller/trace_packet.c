/* The packets that a trace begins with, and what a user may ask for. */
#include <netinet/in.h>
#include <string.h>

#include "controller/trace_private.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define VLAN_PRESENT 0x1000
#define ARP_REQUEST 1
#define ICMP_ECHO_REQUEST 8
#define SOURCE_PORT 49152
#define PACKET_TTL 64
#define PACKET_BYTES 98 /* of ping's default; small enough for any tunnel */

static void
packet_base(const struct trace *t, struct exec_packet *p, uint16_t eth_type)
{
    *p = (struct exec_packet){ .bytes = PACKET_BYTES };
    p->field[OF_IN_PORT] = t->sender.ofport;
    p->field[OF_VLAN_TCI] = t->sender.vlan ? VLAN_PRESENT | t->sender.vlan : 0;
    p->field[OF_ETH_SRC] = mac_to_u64(t->sender.mac);
    p->field[OF_ETH_TYPE] = eth_type;
}

void
trace_packet_ask(const struct trace *t, struct ip next_hop, struct exec_packet *ask)
{
    packet_base(t, ask, ETHERTYPE_ARP);
    ask->field[OF_ETH_DST] = TRACE_BROADCAST_MAC;
    ask->field[OF_ARP_OP] = ARP_REQUEST;
    ask->field[OF_ARP_SHA] = ask->field[OF_ETH_SRC];
    ask->field[OF_ARP_SPA] = ip4_u32(t->sender.asks_as);
    ask->field[OF_ARP_TPA] = ip4_u32(next_hop);
}

void
trace_packet_make(struct trace *t, uint64_t eth_dst)
{
    const struct trace_packet *w = t->wanted;
    struct exec_packet *p = &t->packet;
    packet_base(t, p, ETHERTYPE_IPV4);
    p->field[OF_ETH_DST] = eth_dst;
    p->field[OF_IP_PROTO] = w->proto;
    p->field[OF_IP_TTL] = PACKET_TTL;
    p->field[OF_IPV4_SRC] = ip4_u32(t->sender.ip);
    p->field[OF_IPV4_DST] = ip4_u32(w->dst);
    switch (w->proto) {
    case IPPROTO_ICMP: p->field[OF_ICMPV4_TYPE] = ICMP_ECHO_REQUEST; break;
    case IPPROTO_TCP:
        p->field[OF_TCP_SRC] = SOURCE_PORT;
        p->field[OF_TCP_DST] = w->port;
        break;
    default:
        p->field[OF_UDP_SRC] = SOURCE_PORT;
        p->field[OF_UDP_DST] = w->port;
        break;
    }
}

bool
trace_packet_parse(const json_t *json, struct trace_packet *p, struct error *err)
{
    const char *proto = json_member_string(json, "proto"), *dst = json_member_string(json, "dst");
    int64_t port = json_member_int(json, "port", 0);
    bool is_icmp = proto && !strcmp(proto, "icmp"), is_tcp = proto && !strcmp(proto, "tcp");
    *p = (struct trace_packet){ .proto = is_icmp ? IPPROTO_ICMP : is_tcp ? IPPROTO_TCP : IPPROTO_UDP };
    if (!is_icmp && !is_tcp && (!proto || strcmp(proto, "udp")))
        return error_set(err, ERROR_INVALID, "packet: proto '%.100s': must be icmp, tcp or udp", proto ? proto : "");
    if (!dst || !ip_parse(dst, &p->dst) || p->dst.family != IP_V4)
        return error_set(err, ERROR_INVALID, "packet: dst '%.100s': must be an IPv4 address", dst ? dst : "");
    if (!is_icmp && (port < 1 || port > UINT16_MAX))
        return error_set(err, ERROR_INVALID, "packet: port: %s needs a number from 1 to 65535", proto);
    p->port = is_icmp ? 0 : port;
    return true;
}
