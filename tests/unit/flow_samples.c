/* One flow for each helper: a table of small functions, each of which adds one thing to a flow. */
#include "tests/unit/flow_samples.h"

#include <assert.h>
#include <string.h>

static const struct mac mac1 = { { 0x02, 1, 2, 3, 4, 5 } };
static const struct mac mac_mask = { { 0xff, 0xff, 0xff, 0, 0, 0 } };

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;
    bool ok = ip_prefix_parse(text, &p, NULL);
    assert(ok);
    return p;
}

static struct of_field
part(enum of_field_id id, unsigned ofs, unsigned bits)
{
    return (struct of_field){ .id = id, .ofs = ofs, .bits = bits };
}

#define SAMPLE(NAME, ...) \
    static void NAME(struct flow_builder *fb) { __VA_ARGS__ }

SAMPLE(in_port, match_in_port(fb, 7);)
SAMPLE(in_port_local, match_in_port(fb, OF_PORT_LOCAL);)
SAMPLE(reg_whole, match_u64(fb, of_field_whole(OF_REG3), 0xdeadbeef);)
SAMPLE(reg_zero, match_u64(fb, of_field_whole(OF_REG4), 0);)
SAMPLE(reg_pair, match_u64(fb, of_field_whole(OF_REG4), 1); match_u64(fb, of_field_whole(OF_REG5), 2);)
SAMPLE(reg_parts, match_u64(fb, part(OF_REG6, 4, 12), 0xabc); match_u64(fb, part(OF_REG6, 31, 1), 1);)
SAMPLE(reg_masked, match_masked(fb, part(OF_REG15, 8, 16), 0x1200, 0xff00);)
SAMPLE(metadata, match_u64(fb, of_field_whole(OF_METADATA), 0x123456789abcdefULL);)
SAMPLE(metadata_part, match_u64(fb, part(OF_METADATA, 0, 24), 77);)
SAMPLE(tun_id, match_u64(fb, of_field_whole(OF_TUN_ID), 4711);)
SAMPLE(tun_src, match_u64(fb, of_field_whole(OF_TUN_SRC), 0xc0000201);)
SAMPLE(tun_dst, match_u64(fb, of_field_whole(OF_TUN_DST), 0xc0000202);)
SAMPLE(eth_src, match_eth_src(fb, mac1);)
SAMPLE(eth_dst, match_eth_dst(fb, mac1);)
SAMPLE(eth_dst_masked, match_eth_dst_masked(fb, mac1, mac_mask);)
SAMPLE(eth_dst_none, match_eth_dst_masked(fb, mac1, (struct mac){ { 0 } });)
SAMPLE(eth_src_field, match_u64(fb, of_field_whole(OF_ETH_SRC), 0x020102030405);)
SAMPLE(eth_type, match_eth_type(fb, 0x88cc);)
SAMPLE(vlan_present, match_vlan_present(fb);)
SAMPLE(no_vlan, match_no_vlan(fb);)
SAMPLE(vlan_id, match_vlan_id(fb, 4095);)
SAMPLE(vlan_id_of_ip, match_vlan_id(fb, 1); match_ip_dst(fb, prefix("203.0.113.5/32"));)
SAMPLE(vlan_tci, match_u64(fb, of_field_whole(OF_VLAN_TCI), 0x1005);)
SAMPLE(family4, match_family(fb, IP_V4);)
SAMPLE(family6, match_family(fb, IP_V6);)
SAMPLE(proto, match_ip_proto(fb, IP_V4, 47);)
SAMPLE(proto_field, match_family(fb, IP_V6); match_u64(fb, of_field_whole(OF_IP_PROTO), 6);)
SAMPLE(ip_src, match_ip_src(fb, prefix("10.1.2.3/32"));)
SAMPLE(ip_src_net, match_ip_src(fb, prefix("10.1.2.0/24"));)
SAMPLE(ip_dst_net, match_ip_dst(fb, prefix("10.1.0.0/16"));)
SAMPLE(ip_dst_field, match_u64(fb, of_field_whole(OF_IPV4_DST), 0x0a000001);)
SAMPLE(ip_dst_all, match_ip_dst(fb, prefix("0.0.0.0/0")); match_in_port(fb, 3);)
SAMPLE(ip6_src, match_ip_src(fb, prefix("2001:db8::1/128"));)
SAMPLE(ip6_dst_net, match_ip_dst(fb, prefix("2001:db8::/32"));)
SAMPLE(ttl, match_ip_ttl(fb, IP_V4, 1);)
SAMPLE(ttl_zero, match_ip_ttl(fb, IP_V4, 0);)
SAMPLE(frag_any, match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);)
SAMPLE(frag_first, match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY | OF_FRAG_LATER);)
SAMPLE(frag_later, match_ip_frag(fb, IP_V4, OF_FRAG_LATER, OF_FRAG_LATER);)
SAMPLE(frag_not_later, match_ip_frag(fb, IP_V4, 0, OF_FRAG_LATER);)
SAMPLE(tcp_src, match_l4_src(fb, IP_V4, 6, 80, 0xffff);)
SAMPLE(tcp_dst_masked, match_l4_dst(fb, IP_V4, 6, 0x0400, 0xfc00);)
SAMPLE(tcp_flags, match_tcp_flags(fb, IP_V4, OF_TCP_SYN, OF_TCP_SYN | OF_TCP_ACK);)
SAMPLE(tcp_flags6, match_tcp_flags(fb, IP_V6, OF_TCP_RST | 0x800, 0xfff); match_l4_dst(fb, IP_V6, 6, 443, 0xffff);)
SAMPLE(tcp_flags_field, match_family(fb, IP_V4); match_u64(fb, part(OF_TCP_FLAGS, 2, 1), 1);)
SAMPLE(tcp_any, match_l4_dst(fb, IP_V4, 6, 0, 0);)
SAMPLE(tcp6_dst, match_l4_dst(fb, IP_V6, 6, 443, 0xffff);)
SAMPLE(udp_dst, match_l4_dst(fb, IP_V4, 17, 53, 0xffff);)
SAMPLE(sctp_dst, match_l4_dst(fb, IP_V4, 132, 53, 0xffff);)
SAMPLE(udp_field, match_family(fb, IP_V4); match_u64(fb, of_field_whole(OF_UDP_SRC), 68);)
SAMPLE(tcp_field, match_family(fb, IP_V4); match_u64(fb, of_field_whole(OF_TCP_DST), 0);)
SAMPLE(icmp, match_icmp(fb, IP_V4, 8, -1);)
SAMPLE(icmp_code, match_icmp(fb, IP_V4, 3, 4);)
SAMPLE(icmp6, match_icmp(fb, IP_V6, 128, 0);)
SAMPLE(icmp_field, match_u64(fb, of_field_whole(OF_ICMPV4_TYPE), 11);)
SAMPLE(arp, match_arp(fb, 0);)
SAMPLE(arp_request, match_arp(fb, 1);)
SAMPLE(arp_spa, match_arp(fb, 2); match_arp_spa(fb, prefix("10.0.0.1/32"));)
SAMPLE(arp_tpa, match_arp_tpa(fb, prefix("10.0.0.0/24"));)
SAMPLE(arp_sha, match_arp_sha(fb, mac1);)
SAMPLE(arp_tha_field, match_u64(fb, of_field_whole(OF_ARP_THA), 0x020102030405);)
SAMPLE(arp_op_field, match_u64(fb, of_field_whole(OF_ARP_OP), 2);)
SAMPLE(ct_state, match_family(fb, IP_V4); match_ct_state(fb, OF_CT_TRK | OF_CT_EST, OF_CT_TRK | OF_CT_EST | OF_CT_INV);)
SAMPLE(ct_zone, match_u64(fb, of_field_whole(OF_CT_ZONE), 9);)
SAMPLE(ct_mark, match_masked(fb, of_field_whole(OF_CT_MARK), 2, 3);)
SAMPLE(ct_label, match_u64(fb, of_field_whole(OF_CT_LABEL), 0x123456789abcdef0ULL);)
SAMPLE(ct_label_part, match_u64(fb, part(OF_CT_LABEL, 60, 4), 0); match_masked(fb, part(OF_CT_LABEL, 8, 16), 0x1200, 0xff00);)
SAMPLE(ct_nw_proto, match_family(fb, IP_V4); match_u64(fb, of_field_whole(OF_CT_NW_PROTO), 6);)
SAMPLE(ct_nw_src, match_family(fb, IP_V4); match_u64(fb, of_field_whole(OF_CT_NW_SRC), 0x0a000001);
       match_ct_state(fb, OF_CT_TRK | OF_CT_EST, OF_CT_TRK | OF_CT_EST);)
SAMPLE(ct_nw_dst, match_family(fb, IP_V4); match_masked(fb, of_field_whole(OF_CT_NW_DST), 0x0a000000, 0xff000000);)
SAMPLE(ct_tp, match_family(fb, IP_V4); match_u64(fb, of_field_whole(OF_CT_NW_PROTO), 6); match_u64(fb, of_field_whole(OF_CT_TP_SRC), 1024);
       match_u64(fb, of_field_whole(OF_CT_TP_DST), 80);)
SAMPLE(conj_id, match_conj_id(fb, 0x01020304);)
SAMPLE(many, match_in_port(fb, 3); match_u64(fb, of_field_whole(OF_METADATA), 5); match_eth_src(fb, mac1);
       match_ip_src(fb, prefix("10.0.0.9/32")); match_l4_dst(fb, IP_V4, 6, 80, 0xffff); match_no_vlan(fb);
       match_u64(fb, of_field_whole(OF_TUN_ID), 1); match_u64(fb, of_field_whole(OF_REG0), 1); match_u64(fb, of_field_whole(OF_REG15), 1);)

SAMPLE(output, act_output(fb, 5);)
SAMPLE(output_local, act_output(fb, OF_PORT_LOCAL);)
SAMPLE(output_in_port, act_output_in_port(fb);)
SAMPLE(output_field, act_output_field(fb, of_field_whole(OF_REG1));)
SAMPLE(output_field_part, act_output_field(fb, part(OF_REG1, 0, 16));)
SAMPLE(set_reg, act_set(fb, of_field_whole(OF_REG7), 0x12345678);)
SAMPLE(set_reg_part, act_set(fb, part(OF_REG8, 3, 7), 0x55);)
SAMPLE(set_metadata, act_set(fb, of_field_whole(OF_METADATA), 99);)
SAMPLE(set_metadata_part, act_set(fb, part(OF_METADATA, 0, 24), 99);)
SAMPLE(set_tunnel, act_set(fb, of_field_whole(OF_TUN_ID), 99); act_set(fb, of_field_whole(OF_TUN_DST), 0xc0000201);)
SAMPLE(set_in_port, act_set(fb, of_field_whole(OF_IN_PORT), 0);)
SAMPLE(set_mac, act_set_mac(fb, OF_ETH_SRC, mac1); act_set_mac(fb, OF_ETH_DST, mac1);)
SAMPLE(set_ip, match_family(fb, IP_V4); act_set_ip(fb, OF_IPV4_SRC, ip4(0x0a000001)); act_set_ip(fb, OF_IPV4_DST, ip4(1));
       act_set(fb, of_field_whole(OF_IP_TTL), 64);)
SAMPLE(set_port, match_ip_proto(fb, IP_V4, 6); act_set(fb, of_field_whole(OF_TCP_DST), 8080);)
SAMPLE(set_icmp, match_ip_proto(fb, IP_V4, 1); act_set(fb, of_field_whole(OF_ICMPV4_TYPE), 0);)
SAMPLE(set_arp, match_arp(fb, 1); act_set(fb, of_field_whole(OF_ARP_OP), 2); act_set_ip(fb, OF_ARP_SPA, ip4(1));
       act_set_mac(fb, OF_ARP_SHA, mac1); act_move(fb, of_field_whole(OF_ARP_SPA), of_field_whole(OF_ARP_TPA));)
SAMPLE(move_mac, act_move(fb, of_field_whole(OF_ETH_SRC), of_field_whole(OF_ETH_DST));)
SAMPLE(move_reg, act_move(fb, part(OF_REG1, 0, 16), part(OF_REG2, 16, 16));)
SAMPLE(move_tunnel, act_move(fb, part(OF_TUN_ID, 0, 24), part(OF_METADATA, 0, 24));)
SAMPLE(dec_ttl, match_family(fb, IP_V4); act_dec_ttl(fb);)
SAMPLE(meter, act_meter(fb, SAMPLE_METER); act_output(fb, 1);)
SAMPLE(group, act_group(fb, SAMPLE_GROUP);)
SAMPLE(pkt_larger, act_check_pkt_larger(fb, 1464, part(OF_REG9, 17, 1));)
SAMPLE(controller, act_controller(fb, 1, "abcdefghijk", 11);)
SAMPLE(controller_zero, act_controller(fb, 0, "12345678", 8);)
SAMPLE(controller_pause, act_set(fb, of_field_whole(OF_REG1), 1); act_controller_pause(fb, 1, "abcdefghijk", 11); act_goto(fb, 250);)
SAMPLE(push_vlan, act_push_vlan(fb, 4095); act_output(fb, 1);)
SAMPLE(pop_vlan, match_vlan_id(fb, 7); act_pop_vlan(fb); act_push_vlan(fb, 1); act_goto(fb, 250);)
SAMPLE(ct, match_family(fb, IP_V4); act_ct(fb, &(struct flow_ct){ .zone = 65535, .table = 250 });)
SAMPLE(ct_commit, match_family(fb, IP_V4); act_ct(fb, &(struct flow_ct){ .zone = 1, .table = 3, .is_commit = true }); act_output(fb, 1);)
SAMPLE(ct_known, match_family(fb, IP_V4); act_ct(fb, &(struct flow_ct){ .zone = 7, .table = 250, .nat = FLOW_NAT_KNOWN });)
SAMPLE(ct_known_commit, match_family(fb, IP_V4);
       act_ct(fb, &(struct flow_ct){ .zone = 7, .table = 250, .is_commit = true, .nat = FLOW_NAT_KNOWN });)
SAMPLE(ct_src, match_family(fb, IP_V4); act_set(fb, of_field_whole(OF_REG1), 1);
       act_ct(fb, &(struct flow_ct){ .zone = 7, .table = 250, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(0xcb007105) });
       act_set(fb, of_field_whole(OF_REG1), 2);)
SAMPLE(ct_src_ports, match_family(fb, IP_V4); act_ct(fb, &(struct flow_ct){ .zone = 7,
                                                                            .table = 250,
                                                                            .is_commit = true,
                                                                            .nat = FLOW_NAT_SRC,
                                                                            .ip = ip4(0xcb007105),
                                                                            .port_lo = 1024,
                                                                            .port_hi = 65535 });)
SAMPLE(ct_src_port, match_family(fb, IP_V4);
       act_ct(fb, &(struct flow_ct){
                      .zone = 7, .table = 250, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(1), .port_lo = 1024, .port_hi = 1024 });)
SAMPLE(ct_src_port_lo, match_family(fb, IP_V4);
       act_ct(fb, &(struct flow_ct){ .zone = 7, .table = 250, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(1), .port_lo = 1024 });)
SAMPLE(ct_dst, match_family(fb, IP_V4); act_ct(fb, &(struct flow_ct){ .is_commit = true, .nat = FLOW_NAT_DST, .ip = ip4(0x0a000005) });)
SAMPLE(ct_zone_field, match_family(fb, IP_V4); act_ct(fb, &(struct flow_ct){ .zone_field = part(OF_REG5, 8, 16), .table = 250 });)
SAMPLE(ct_same_zone, match_family(fb, IP_V4);
       act_ct(fb, &(struct flow_ct){ .zone_field = of_field_whole(OF_CT_ZONE), .table = FLOW_CT_NO_TABLE, .is_commit = true });)
SAMPLE(ct_no_table, match_family(fb, IP_V4);
       act_ct(fb, &(struct flow_ct){ .zone = 3, .table = FLOW_CT_NO_TABLE, .is_commit = true, .is_forced = true }); act_output(fb, 1);)
SAMPLE(ct_no_table_nat, match_family(fb, IP_V4);
       act_ct(fb,
              &(struct flow_ct){
                  .zone = 7, .table = FLOW_CT_NO_TABLE, .is_commit = true, .nat = FLOW_NAT_DST, .ip = ip4(0x0a000005), .port_lo = 8080 });
       act_output(fb, 1);)
SAMPLE(ct_sets, match_family(fb, IP_V4);
       const struct flow_ct_set sets[] = {
           { .field = of_field_whole(OF_CT_MARK), .value = 0xdeadbeef }, { .field = part(OF_CT_LABEL, 4, 12), .value = 0xabc },
           { .field = part(OF_CT_LABEL, 32, 32), .from = of_field_whole(OF_REG7) },
       };
       act_ct(fb, &(struct flow_ct) { .zone = 1, .table = 250, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(1), .sets = sets,
                                      .n_sets = 3 });)
SAMPLE(ct_sets_whole, match_family(fb, IP_V4);
       const struct flow_ct_set sets[] = {
           { .field = of_field_whole(OF_CT_LABEL), .value = 0x123456789abcdef0ULL }, { .field = part(OF_CT_MARK, 0, 8), .value = 7 },
           { .field = part(OF_CT_MARK, 8, 16), .from = part(OF_METADATA, 24, 16) },
       };
       act_ct(fb, &(struct flow_ct) { .zone = 1, .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = sets, .n_sets = 3 });
       act_goto(fb, 250);)
SAMPLE(move_ct, match_family(fb, IP_V4); match_ct_state(fb, OF_CT_TRK | OF_CT_EST, OF_CT_TRK | OF_CT_EST);
       act_move(fb, part(OF_CT_STATE, 0, 8), part(OF_REG1, 0, 8)); act_move(fb, of_field_whole(OF_CT_ZONE), part(OF_REG1, 16, 16));
       act_move(fb, of_field_whole(OF_CT_MARK), of_field_whole(OF_REG2)); act_move(fb, part(OF_CT_LABEL, 32, 32), of_field_whole(OF_REG3));
       act_move(fb, of_field_whole(OF_CT_NW_SRC), of_field_whole(OF_REG4));)
SAMPLE(ct_clear, match_family(fb, IP_V4); act_ct_clear(fb);
       act_ct(fb,
              &(struct flow_ct){
                  .zone = 7, .table = 250, .is_commit = true, .nat = FLOW_NAT_DST, .ip = ip4(0x0a000005), .port_lo = 80, .port_hi = 81 });)
SAMPLE(conjunction, act_conjunction(fb, 10, 1, 2); act_conjunction(fb, 11, 2, 3);)
SAMPLE(resubmit, act_resubmit(fb, 200); act_output(fb, 1);)
SAMPLE(go_to, act_goto(fb, 250);)
SAMPLE(set_and_goto, act_set(fb, of_field_whole(OF_REG0), 1); act_meter(fb, SAMPLE_METER); act_goto(fb, 251);)
SAMPLE(drop, (void) fb;)

static void (*const samples[])(struct flow_builder *) = {
    in_port,
    in_port_local,
    reg_whole,
    reg_zero,
    reg_pair,
    reg_parts,
    reg_masked,
    metadata,
    metadata_part,
    tun_id,
    tun_src,
    tun_dst,
    eth_src,
    eth_dst,
    eth_dst_masked,
    eth_dst_none,
    eth_src_field,
    eth_type,
    vlan_present,
    no_vlan,
    vlan_tci,
    vlan_id,
    vlan_id_of_ip,
    family4,
    family6,
    proto,
    proto_field,
    ip_src,
    ip_src_net,
    ip_dst_net,
    ip_dst_field,
    ip_dst_all,
    ip6_src,
    ip6_dst_net,
    ttl,
    ttl_zero,
    frag_any,
    frag_first,
    frag_later,
    frag_not_later,
    tcp_src,
    tcp_dst_masked,
    tcp_flags,
    tcp_flags6,
    tcp_flags_field,
    tcp_any,
    tcp6_dst,
    udp_dst,
    sctp_dst,
    udp_field,
    tcp_field,
    icmp,
    icmp_code,
    icmp6,
    icmp_field,
    arp,
    arp_request,
    arp_spa,
    arp_tpa,
    arp_sha,
    arp_tha_field,
    arp_op_field,
    ct_state,
    ct_zone,
    ct_mark,
    ct_label,
    ct_label_part,
    ct_nw_proto,
    ct_nw_src,
    ct_nw_dst,
    ct_tp,
    conj_id,
    many,
    output,
    output_local,
    output_in_port,
    output_field,
    output_field_part,
    set_reg,
    set_reg_part,
    set_metadata,
    set_metadata_part,
    set_tunnel,
    set_in_port,
    set_mac,
    set_ip,
    set_port,
    set_icmp,
    set_arp,
    move_mac,
    move_reg,
    move_tunnel,
    dec_ttl,
    meter,
    group,
    pkt_larger,
    controller,
    controller_zero,
    conjunction,
    resubmit,
    go_to,
    set_and_goto,
    controller_pause,
    push_vlan,
    pop_vlan,
    ct,
    ct_commit,
    ct_known,
    ct_known_commit,
    ct_src,
    ct_src_ports,
    ct_src_port,
    ct_src_port_lo,
    ct_dst,
    ct_zone_field,
    ct_same_zone,
    ct_no_table,
    ct_no_table_nat,
    ct_sets,
    ct_sets_whole,
    move_ct,
    ct_clear,
    drop,
};

size_t
flow_samples(struct flow_builder *fb, struct arena *arena, const struct spec *specs[], size_t max)
{
    size_t n = sizeof samples / sizeof samples[0];
    assert(n <= max);
    for (size_t i = 0; i < n; i++) {
        flow_begin(fb, 10 + i % 3, 100 + i, 0x0102000000000000ULL + i);
        samples[i](fb);
        specs[i] = flow_end(fb, arena);
    }
    return n;
}

/* ---- groups ---- */

static void
group_small(struct flow_builder *fb, uint32_t id)
{
    const struct of_field source = of_field_whole(OF_IPV4_SRC);
    group_begin(fb, id, 1, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_HASH, .fields = &source, .n_fields = 1 });
    bucket_begin(fb, 5, 100);
    act_output(fb, 1);
    bucket_begin(fb, 9, 50);
    act_output(fb, 1);
}

static void
group_of_targets(struct flow_builder *fb, uint32_t id)
{
    const struct of_field fields[] = {
        of_field_whole(OF_UDP_DST),  of_field_whole(OF_UDP_SRC),  of_field_whole(OF_TCP_SRC),  of_field_whole(OF_TCP_DST),
        of_field_whole(OF_IP_PROTO), of_field_whole(OF_IPV4_DST), of_field_whole(OF_IPV4_SRC),
    };
    group_begin(fb, id, 2, &(struct flow_group){ FLOW_GROUP_SELECT_HASH, fields, 7, 0x123456789abcdef0ULL });
    for (uint32_t i = 0; i < 3; i++) {
        bucket_begin(fb, 0xdeadbe00 + i, 1);
        act_set(fb, part(OF_REG1, 0, 16), i);
        act_move(fb, of_field_whole(OF_REG2), of_field_whole(OF_REG3));
        act_resubmit(fb, 40);
    }
    bucket_begin(fb, FLOW_BUCKET_ID_MAX, 0);
}

static void
group_of_parts(struct flow_builder *fb, uint32_t id)
{
    const struct of_field fields[] = { part(OF_IPV4_SRC, 8, 24), part(OF_REG4, 3, 7), part(OF_CT_LABEL, 60, 4) };
    const struct flow_ct_set set = { .field = of_field_whole(OF_CT_MARK), .value = 77 };
    group_begin(fb, id, 3, &(struct flow_group){ FLOW_GROUP_SELECT_HASH, fields, 3, 0 });
    bucket_begin(fb, 0, 65535);
    act_set_mac(fb, OF_ETH_DST, mac1);
    act_ct(fb, &(struct flow_ct){ .zone = 3,
                                  .table = 40,
                                  .is_commit = true,
                                  .nat = FLOW_NAT_DST,
                                  .ip = ip4(0x0a000005),
                                  .port_lo = 80,
                                  .sets = &set,
                                  .n_sets = 1 });
    bucket_begin(fb, 1, 1);
    act_ct_clear(fb);
}

static void
group_by_datapath(struct flow_builder *fb, uint32_t id)
{
    group_begin(fb, id, 4, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_DP_HASH, .seed = 5 });
    for (uint32_t i = 1; i <= 3; i++) {
        bucket_begin(fb, i, i);
        act_resubmit(fb, 40);
    }
}

static void
group_of_all(struct flow_builder *fb, uint32_t id)
{
    group_begin(fb, id, 5, &(struct flow_group){ .kind = FLOW_GROUP_ALL });
    bucket_begin(fb, 1, 0);
    act_pop_vlan(fb);
    act_dec_ttl(fb);
    act_set(fb, of_field_whole(OF_TUN_DST), 0xc0000201);
    act_output(fb, 1);
    bucket_begin(fb, 2, 0);
    act_output_in_port(fb);
    bucket_begin(fb, 7, 0);
    act_group(fb, SAMPLE_GROUP);
}

static void
group_of_nothing(struct flow_builder *fb, uint32_t id)
{
    group_begin(fb, id, 6, &(struct flow_group){ .kind = FLOW_GROUP_ALL });
}

static void
group_by_datapath_of_nothing(struct flow_builder *fb, uint32_t id)
{
    group_begin(fb, id, 7, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_DP_HASH });
}

static void
group_large(struct flow_builder *fb, uint32_t id)
{
    const struct of_field fields[] = { of_field_whole(OF_IPV4_SRC), of_field_whole(OF_TCP_SRC) };
    group_begin(fb, id, 8, &(struct flow_group){ FLOW_GROUP_SELECT_HASH, fields, 2, 0 });
    for (uint32_t i = 0; i < FLOW_BUCKETS_MAX; i++) {
        bucket_begin(fb, 0x1000 + i, 1);
        act_set(fb, of_field_whole(OF_REG1), i);
        act_resubmit(fb, 40);
    }
}

void
group_samples(struct flow_builder *fb, struct arena *arena, const struct spec *specs[GROUP_SAMPLES])
{
    static void (*const groups[GROUP_SAMPLES])(struct flow_builder *, uint32_t id) = {
        group_small, group_of_targets, group_of_parts, group_by_datapath, group_of_all, group_of_nothing, group_by_datapath_of_nothing,
        group_large,
    };
    for (uint32_t i = 0; i < GROUP_SAMPLES; i++) {
        groups[i](fb, SAMPLE_GROUP + i);
        specs[i] = group_end(fb, arena);
    }
}
