/* The builder's matches. Each writes into libopenvswitch's 'struct match', whose encoder puts the fields in its own
 * order, so that the order of calls does not matter. Matching other bits of a field again adds to it; matching the
 * same bits with another value is a bug of the caller's. */
#include "ofproto/flow/flow_builder.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/ofp-port.h>
#include <openvswitch/packets.h>

#include "ofproto/flow/flow_builder_private.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd

static struct eth_addr
eth_addr_from(struct mac mac)
{
    struct eth_addr ea;
    memcpy(&ea, mac.b, sizeof ea);
    return ea;
}

static ovs_be32
be32_from(struct ip ip)
{
    ovs_be32 value;
    assert(ip.family == IP_V4);
    memcpy(&value, ip.b, sizeof value);
    return value;
}

static struct in6_addr
in6_from(struct ip ip)
{
    struct in6_addr in6;
    assert(ip.family == IP_V6);
    memcpy(&in6, ip.b, sizeof in6);
    return in6;
}

void
match_eth_type(struct flow_builder *fb, uint16_t type)
{
    struct match *m = &fb->match;
    assert(!m->wc.masks.dl_type || m->flow.dl_type == htons(type));
    match_set_default_packet_type(m);
    match_set_dl_type(m, htons(type));
}

void
match_family(struct flow_builder *fb, enum ip_family family)
{
    assert(family == IP_V4 || family == IP_V6);
    match_eth_type(fb, family == IP_V4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
}

void
match_ip_proto(struct flow_builder *fb, enum ip_family family, uint8_t proto)
{
    struct match *m = &fb->match;
    match_family(fb, family);
    assert(!m->wc.masks.nw_proto || m->flow.nw_proto == proto);
    match_set_nw_proto(m, proto);
}

/* Matches the family and protocol of a transport field that was named without them; the family must be known. */
static void
match_transport(struct flow_builder *fb, uint8_t proto)
{
    ovs_be16 type = fb->match.flow.dl_type;
    assert(type == htons(ETHERTYPE_IPV4) || type == htons(ETHERTYPE_IPV6));
    match_ip_proto(fb, type == htons(ETHERTYPE_IPV4) ? IP_V4 : IP_V6, proto);
}

static void
match_prerequisites(struct flow_builder *fb, const struct mf_field *mf)
{
    match_add_ethernet_prereq(&fb->match, mf);
    switch (mf->prereqs) {
    case MFP_ARP: match_eth_type(fb, ETHERTYPE_ARP); break;
    case MFP_IPV4: match_family(fb, IP_V4); break;
    case MFP_IPV6: match_family(fb, IP_V6); break;
    case MFP_IP_ANY: assert(fb->match.wc.masks.dl_type); break;
    case MFP_TCP: match_transport(fb, IPPROTO_TCP); break;
    case MFP_UDP: match_transport(fb, IPPROTO_UDP); break;
    case MFP_ICMPV4: match_ip_proto(fb, IP_V4, IPPROTO_ICMP); break;
    default: /* none, or of conntrack: flow_end() */ break;
    }
}

/* Adds 'value' under 'mask' (bits of the whole field) to what is matched already. */
static void
match_add(struct flow_builder *fb, const struct mf_field *mf, uint64_t value, uint64_t mask)
{
    union mf_value v, m;
    mf_get(mf, &fb->match, &v, &m);
    uint64_t old_value = field_value_get(mf, &v), old_mask = field_value_get(mf, &m);
    assert(!((old_value ^ value) & old_mask & mask));

    char *error = NULL;
    field_value_set(mf, &v, old_value | value);
    field_value_set(mf, &m, old_mask | mask);
    mf_set(mf, &v, &m, &fb->match, &error);
    assert(!error);
    match_prerequisites(fb, mf);
}

static void
match_register(struct flow_builder *fb, unsigned i, uint32_t value, uint32_t mask)
{
    uint32_t *old_value = &fb->match.flow.regs[i], *old_mask = &fb->match.wc.masks.regs[i];
    assert(!((*old_value ^ value) & *old_mask & mask));
    *old_value |= value;
    *old_mask |= mask;
}

void
match_masked(struct flow_builder *fb, struct of_field f, uint64_t value, uint64_t mask)
{
    uint64_t field = field_mask(f);
    assert(f.ofs + f.bits <= of_field_bits(f.id) && !((value | mask) & ~(field >> f.ofs)));
    mask <<= f.ofs;
    value = value << f.ofs & mask;
    if (!mask)
        return;
    if (f.id >= OF_REG0 && f.id <= OF_REG15)
        match_register(fb, f.id - OF_REG0, value, mask);
    else
        match_add(fb, field_mf(f.id), value, mask);
}

void
match_u64(struct flow_builder *fb, struct of_field f, uint64_t value)
{
    match_masked(fb, f, value, field_mask(f) >> f.ofs);
}

void
match_in_port(struct flow_builder *fb, uint32_t ofport)
{
    ofp_port_t port;
    enum ofperr error = ofputil_port_from_ofp11(htonl(ofport), &port);
    assert(!error);
    match_set_in_port(&fb->match, port);
}

void
match_eth_src(struct flow_builder *fb, struct mac mac)
{
    match_set_default_packet_type(&fb->match);
    match_set_dl_src(&fb->match, eth_addr_from(mac));
}

void
match_eth_dst(struct flow_builder *fb, struct mac mac)
{
    match_set_default_packet_type(&fb->match);
    match_set_dl_dst(&fb->match, eth_addr_from(mac));
}

void
match_eth_dst_masked(struct flow_builder *fb, struct mac mac, struct mac mask)
{
    if (mac_is_zero(mask))
        return;
    match_set_default_packet_type(&fb->match);
    match_set_dl_dst_masked(&fb->match, eth_addr_from(mac), eth_addr_from(mask));
}

void
match_vlan_present(struct flow_builder *fb)
{
    match_set_default_packet_type(&fb->match);
    match_set_vlan_vid_masked(&fb->match, htons(OFPVID12_PRESENT), htons(OFPVID12_PRESENT));
}

void
match_vlan_id(struct flow_builder *fb, uint16_t vid)
{
    assert(vid && vid < 4096);
    match_set_vlan_vid(&fb->match, htons(vid | OFPVID12_PRESENT));
}

void
match_no_vlan(struct flow_builder *fb)
{
    match_set_default_packet_type(&fb->match);
    match_set_vlan_vid(&fb->match, 0);
}

void
match_ip_src(struct flow_builder *fb, struct ip_prefix prefix)
{
    match_family(fb, prefix.ip.family);
    if (prefix.ip.family == IP_V4) {
        match_set_nw_src_masked(&fb->match, be32_from(prefix.ip), be32_from(ip_prefix_mask(prefix)));
    } else {
        struct in6_addr ip = in6_from(prefix.ip), mask = in6_from(ip_prefix_mask(prefix));
        match_set_ipv6_src_masked(&fb->match, &ip, &mask);
    }
}

void
match_ip_dst(struct flow_builder *fb, struct ip_prefix prefix)
{
    match_family(fb, prefix.ip.family);
    if (prefix.ip.family == IP_V4) {
        match_set_nw_dst_masked(&fb->match, be32_from(prefix.ip), be32_from(ip_prefix_mask(prefix)));
    } else {
        struct in6_addr ip = in6_from(prefix.ip), mask = in6_from(ip_prefix_mask(prefix));
        match_set_ipv6_dst_masked(&fb->match, &ip, &mask);
    }
}

void
match_ip_ttl(struct flow_builder *fb, enum ip_family family, uint8_t ttl)
{
    match_family(fb, family);
    match_set_nw_ttl(&fb->match, ttl);
}

void
match_ip_frag(struct flow_builder *fb, enum ip_family family, uint8_t value, uint8_t mask)
{
    assert(!(value & ~mask) && !(mask & ~(OF_FRAG_ANY | OF_FRAG_LATER)));
    match_family(fb, family);
    match_set_nw_frag_masked(&fb->match, value, mask);
}

static void
match_l4(struct flow_builder *fb, enum ip_family family, uint8_t proto)
{
    assert(proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP);
    match_ip_proto(fb, family, proto);
}

void
match_l4_src(struct flow_builder *fb, enum ip_family family, uint8_t proto, uint16_t port, uint16_t mask)
{
    match_l4(fb, family, proto);
    match_set_tp_src_masked(&fb->match, htons(port), htons(mask));
}

void
match_l4_dst(struct flow_builder *fb, enum ip_family family, uint8_t proto, uint16_t port, uint16_t mask)
{
    match_l4(fb, family, proto);
    match_set_tp_dst_masked(&fb->match, htons(port), htons(mask));
}

void
match_tcp_flags(struct flow_builder *fb, enum ip_family family, uint16_t value, uint16_t mask)
{
    match_l4(fb, family, IPPROTO_TCP);
    match_masked(fb, of_field_whole(OF_TCP_FLAGS), value, mask);
}

void
match_icmp(struct flow_builder *fb, enum ip_family family, uint8_t type, int code)
{
    match_ip_proto(fb, family, family == IP_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    match_set_icmp_type(&fb->match, type);
    if (code >= 0)
        match_set_icmp_code(&fb->match, code);
}

void
match_arp(struct flow_builder *fb, uint16_t op)
{
    assert(op <= UINT8_MAX); /* all that Open vSwitch looks at */
    match_eth_type(fb, ETHERTYPE_ARP);
    if (op)
        match_set_nw_proto(&fb->match, op);
}

void
match_arp_spa(struct flow_builder *fb, struct ip_prefix prefix)
{
    match_eth_type(fb, ETHERTYPE_ARP);
    match_set_nw_src_masked(&fb->match, be32_from(prefix.ip), be32_from(ip_prefix_mask(prefix)));
}

void
match_arp_tpa(struct flow_builder *fb, struct ip_prefix prefix)
{
    match_eth_type(fb, ETHERTYPE_ARP);
    match_set_nw_dst_masked(&fb->match, be32_from(prefix.ip), be32_from(ip_prefix_mask(prefix)));
}

void
match_arp_sha(struct flow_builder *fb, struct mac mac)
{
    match_eth_type(fb, ETHERTYPE_ARP);
    match_set_arp_sha(&fb->match, eth_addr_from(mac));
}

void
match_ct_state(struct flow_builder *fb, uint32_t value, uint32_t mask)
{
    match_masked(fb, of_field_whole(OF_CT_STATE), value, mask);
}

void
match_conj_id(struct flow_builder *fb, uint32_t id)
{
    match_set_conj_id(&fb->match, id);
}
