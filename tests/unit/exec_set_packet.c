/* Random packets, and what their lookups of connections find. */
#include "tests/unit/exec_set.h"

static uint16_t
some_tcp_flags(struct set *s)
{
    static const uint16_t flags[] = { OF_TCP_SYN, OF_TCP_SYN | OF_TCP_ACK, OF_TCP_ACK, OF_TCP_RST, OF_TCP_FIN | OF_TCP_ACK | 0x100 };
    return flags[below(s, 5)];
}

static void
random_transport(struct set *s, struct exec_packet *p)
{
    static const uint8_t protos[] = { 1, 6, 17, 47 };
    uint8_t proto = p->field[OF_IP_PROTO] = protos[below(s, 4)];
    if (one_in(s, 6))
        p->field[OF_IP_FRAG] = OF_FRAG_ANY;
    if (proto == 1) {
        p->field[OF_ICMPV4_TYPE] = below(s, 2) * 8;
        p->field[OF_ICMPV4_CODE] = below(s, 2);
    } else if (proto != 47) {
        p->field[proto == 6 ? OF_TCP_SRC : OF_UDP_SRC] = some_l4(s);
        p->field[proto == 6 ? OF_TCP_DST : OF_UDP_DST] = some_l4(s);
        p->field[OF_TCP_FLAGS] = proto == 6 ? some_tcp_flags(s) : 0;
    }
}

/* Open vSwitch's trace translates to the flow's address whatever the state, so the state says so too. All lookups find the same, since
 * it does them in another order: what was forked waits until the rest of the packet's way is done, and here it goes first. */
static void
random_lookups(struct set *s, struct exec_packet *p)
{
    static const uint32_t states[] = { OF_CT_NEW, OF_CT_EST, OF_CT_EST | OF_CT_RPL };
    struct exec_ct found = { .state = states[below(s, 3)], .ip = NAT_IP };
    if (s->ct.nat == FLOW_NAT_SRC || s->ct.nat == FLOW_NAT_DST)
        found.state |= s->ct.nat == FLOW_NAT_SRC ? OF_CT_SNAT : OF_CT_DNAT;
    else if (one_in(s, 4) && !s->ct.n_sets) /* it would show a mark that an invalid packet cannot have */
        found.state = OF_CT_INV;
    else if (one_in(s, 3))
        return;
    for (p->n_ct_next = 0; p->n_ct_next < EXEC_CT_MAX; p->n_ct_next++)
        p->ct_next[p->n_ct_next] = found;
}

struct exec_packet
set_packet(struct set *s)
{
    struct exec_packet p = { .bytes = 64 };
    p.field[OF_IN_PORT] = 1 + below(s, N_PORTS);
    p.field[OF_ETH_SRC] = some_mac(s);
    p.field[OF_ETH_DST] = some_mac(s);
    p.field[OF_REG0] = below(s, 3);
    p.field[OF_METADATA] = below(s, 2) | (uint64_t) below(s, 2) << 32;
    p.field[OF_TUN_ID] = below(s, 2);
    p.field[OF_REG14] = below(s, 64);
    if (s->is_tracking) {
        p.field[OF_VLAN_TCI] = one_in(s, 2) ? 0x1001 + below(s, 2) : 0;
        random_lookups(s, &p);
    }
    if (one_in(s, s->is_tracking ? 16 : 4)) {
        p.field[OF_ETH_TYPE] = 0x0806;
        p.field[OF_ARP_OP] = 1 + below(s, 2);
        p.field[OF_ARP_SPA] = some_ip(s);
        p.field[OF_ARP_TPA] = some_ip(s);
        p.field[OF_ARP_SHA] = some_mac(s);
        p.field[OF_ARP_THA] = some_mac(s);
    } else if (one_in(s, 8)) {
        p.field[OF_ETH_TYPE] = 0x88cc;
    } else {
        p.field[OF_ETH_TYPE] = 0x0800;
        p.field[OF_IPV4_SRC] = some_ip(s);
        p.field[OF_IPV4_DST] = some_ip(s);
        p.field[OF_IP_TTL] = 1 + below(s, 3);
        random_transport(s, &p);
    }
    return p;
}
