/* Builds flow specs: begin, matches, actions, end. One builder is reused for many flows; what it returns lives in
 * the caller's arena. It is a thin face of libopenvswitch's match and action types and of its encoder, so that what
 * is built is canonical (spec.h) by construction.
 *
 *     flow_begin(fb, 30, 100, cookie);
 *     match_u64(fb, of_field_whole(OF_METADATA), vni);
 *     match_ip_dst(fb, prefix);
 *     act_set(fb, of_field_whole(OF_REG1), 7);
 *     act_goto(fb, 40);
 *     specs[n++] = flow_end(fb, arena);
 *
 * Prerequisites (eth_type, ip_proto, for the OF_CT_NW_* and OF_CT_TP_* fields ct_state=+trk-inv) are set by the helper
 * that needs them; only the transport fields (OF_TCP_DST ...) want the family first. A contradiction is an assertion.
 * Actions are one list, executed in order; no 'actions' at all is a drop. */
#ifndef OFPROTO_FLOW_BUILDER_H
#define OFPROTO_FLOW_BUILDER_H 1

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "ofproto/flow/field.h"
#include "ofproto/flow/spec.h"

struct flow_builder;

struct flow_builder *flow_builder_new(void);
void flow_builder_free(struct flow_builder *);

void flow_begin(struct flow_builder *, uint8_t table, uint16_t priority, uint64_t cookie);
void flow_shared(struct flow_builder *);       /* see flow_table.h, 'shared' */
void flow_tell_removal(struct flow_builder *); /* see spec.h, 'tells_removal'; not of a shared one */
const struct spec *flow_end(struct flow_builder *, struct arena *);

/* ---- matches ---- */
void match_u64(struct flow_builder *, struct of_field, uint64_t value);
void match_masked(struct flow_builder *, struct of_field, uint64_t value, uint64_t mask);
void match_in_port(struct flow_builder *, uint32_t ofport);
void match_eth_src(struct flow_builder *, struct mac);
void match_eth_dst(struct flow_builder *, struct mac);
void match_eth_dst_masked(struct flow_builder *, struct mac, struct mac mask);
void match_eth_type(struct flow_builder *, uint16_t);
void match_vlan_present(struct flow_builder *);
void match_no_vlan(struct flow_builder *);
void match_vlan_id(struct flow_builder *, uint16_t vid);  /* tagged with 1..4095, any priority */
void match_family(struct flow_builder *, enum ip_family); /* eth_type of IPv4 or IPv6 */
void match_ip_proto(struct flow_builder *, enum ip_family, uint8_t proto);
void match_ip_src(struct flow_builder *, struct ip_prefix); /* sets eth_type; IPv4 or IPv6; /0 matches the family */
void match_ip_dst(struct flow_builder *, struct ip_prefix);
void match_ip_ttl(struct flow_builder *, enum ip_family, uint8_t ttl);
void match_ip_frag(struct flow_builder *, enum ip_family, uint8_t value, uint8_t mask); /* OF_FRAG_* */
void match_l4_src(struct flow_builder *, enum ip_family, uint8_t proto, uint16_t port, uint16_t mask);
void match_l4_dst(struct flow_builder *, enum ip_family, uint8_t proto, uint16_t port, uint16_t mask);
void match_tcp_flags(struct flow_builder *, enum ip_family, uint16_t value, uint16_t mask); /* OF_TCP_FIN ... */
void match_icmp(struct flow_builder *, enum ip_family, uint8_t type, int code);             /* code < 0: any */
void match_arp(struct flow_builder *, uint16_t op);                                         /* op 0: any */
void match_arp_spa(struct flow_builder *, struct ip_prefix);
void match_arp_tpa(struct flow_builder *, struct ip_prefix);
void match_arp_sha(struct flow_builder *, struct mac);
void match_ct_state(struct flow_builder *, uint32_t value, uint32_t mask);
void match_conj_id(struct flow_builder *, uint32_t id);

/* ---- actions ---- */
void act_output(struct flow_builder *, uint32_t ofport);
void act_output_in_port(struct flow_builder *);
void act_output_field(struct flow_builder *, struct of_field port);
void act_set(struct flow_builder *, struct of_field, uint64_t value);
void act_set_mac(struct flow_builder *, enum of_field_id, struct mac);
void act_set_ip(struct flow_builder *, enum of_field_id, struct ip);
void act_move(struct flow_builder *, struct of_field from, struct of_field to); /* equal widths */
void act_dec_ttl(struct flow_builder *);
void act_meter(struct flow_builder *, uint32_t meter);
void act_group(struct flow_builder *, uint32_t group);
void act_check_pkt_larger(struct flow_builder *, uint16_t bytes, struct of_field bit);              /* Ethernet header included */
void act_controller(struct flow_builder *, uint16_t controller_id, const void *userdata, size_t n); /* n > 0 */
/* The same, but the packet waits: the actions that follow run when the answer comes (packet_resume_encode()), on the packet that it brings. */
void act_controller_pause(struct flow_builder *, uint16_t controller_id, const void *userdata, size_t n);
void act_push_vlan(struct flow_builder *, uint16_t vid);
void act_pop_vlan(struct flow_builder *);

/* Written into the connection's entry when it is committed (also again, by a later commit): OF_CT_MARK, OF_CT_LABEL, or bits of them.
 * From a field as wide as 'field' if 'from' has bits, else 'value'. */
struct flow_ct_set {
    struct of_field field;
    uint64_t value;
    struct of_field from;
};

/* Connection tracking (ovs-actions(7), ct): looks the packet up in the zone and goes on in 'table'; what follows in the list does not see
 * its state. FLOW_CT_NO_TABLE: it goes on in the list only. If it was translated, the packet on the wire is (and any later lookup of
 * the tracker's sees that), but matches and actions of the same pass see its fields as they were. */
#define FLOW_CT_NO_TABLE 0xff
struct flow_ct {
    uint16_t zone;
    uint8_t table;
    bool is_commit;
    enum { FLOW_NAT_NONE, FLOW_NAT_KNOWN /* as the connection has it */, FLOW_NAT_SRC, FLOW_NAT_DST } nat;
    struct ip ip;               /* FLOW_NAT_SRC, FLOW_NAT_DST; these need is_commit */
    uint16_t port_lo, port_hi;  /* 0: ports stay if they can */
    bool is_forced;             /* needs is_commit: a connection that is known the other way round is forgotten, and this is a new one */
    struct of_field zone_field; /* 16 bits: the zone is what they hold; no bits: 'zone'. Not of the mark or label */
    const struct flow_ct_set *sets; /* need is_commit */
    size_t n_sets;
};
void act_ct(struct flow_builder *, const struct flow_ct *);
void act_ct_clear(struct flow_builder *);
void act_conjunction(struct flow_builder *, uint32_t id, uint8_t clause, uint8_t n_clauses); /* clause: 1..n_clauses */
void act_resubmit(struct flow_builder *, uint8_t table);
void act_goto(struct flow_builder *, uint8_t table); /* last; the table is greater than the flow's own */

/* ---- meters and groups ---- */
/* A group is built as a flow is: begin, buckets with actions, end.
 *
 *     group_begin(fb, 7, cookie, &(struct flow_group) { FLOW_GROUP_SELECT_HASH, fields, n_fields });
 *     bucket_begin(fb, 1, 1);
 *     act_set(fb, of_field_whole(OF_REG1), 7);
 *     act_resubmit(fb, 40);
 *     specs[n++] = group_end(fb, arena);
 *
 * A bucket's actions work on a copy of the packet. They are pop_vlan, push_vlan and dec_ttl, each once and in this order, then any number
 * of act_set() and act_move(), then one of output, resubmit, ct, ct_clear or group; all else is an assertion. None at all: a drop.
 *
 * SELECT_HASH takes the live bucket whose hash of its id, the seed and the packet's fields, times its weight, is the highest. So a bucket
 * that leaves moves only its own packets, and shares are true only between equal weights: a bucket put several times, under several ids,
 * has several shares. SELECT_DP_HASH has a table of the buckets by weight and takes the datapath's own hash of the packet, which
 * recirculates for it. A change of the group forgets its buckets' counters, whatever they are. */
struct flow_group {
    enum { FLOW_GROUP_ALL, FLOW_GROUP_SELECT_HASH, FLOW_GROUP_SELECT_DP_HASH } kind;
    const struct of_field *fields; /* SELECT_HASH: what is hashed, at least one; one that a packet has not is passed over */
    size_t n_fields;
    uint64_t seed;
};
#define FLOW_BUCKET_ID_MAX 0xffffff00u
#define FLOW_BUCKETS_MAX 1024 /* of act_set() and resubmit; one message holds a group */
void group_begin(struct flow_builder *, uint32_t id, uint64_t cookie, const struct flow_group *);
/* Ids are unique in the group. Of a select group, a bucket of weight 0 takes no packet; of the others all have weight 0. */
void bucket_begin(struct flow_builder *, uint32_t bucket_id, uint16_t weight);
const struct spec *group_end(struct flow_builder *, struct arena *);

/* Drops beyond 'rate' packets a second with 'burst' packets of slack. */
const struct spec *meter_spec(struct arena *, uint64_t cookie, uint32_t id, uint32_t rate_pps, uint32_t burst);

#endif
