/* The OpenFlow fields that flows match, set and move: one list for matches, actions, packets and explanations.
 * A 'struct of_field' names a field or a run of its bits, so that a register can be shared by several uses. */
#ifndef OFPROTO_FLOW_FIELD_H
#define OFPROTO_FLOW_FIELD_H 1

#include <stdint.h>

/*      id              libopenvswitch          bits */
/* clang-format off */
#define OF_FIELD_LIST(X)                            \
    X(OF_IN_PORT,       MFF_IN_PORT_OXM,        32) \
    X(OF_METADATA,      MFF_METADATA,           64) \
    X(OF_TUN_ID,        MFF_TUN_ID,             64) \
    X(OF_TUN_SRC,       MFF_TUN_SRC,            32) \
    X(OF_TUN_DST,       MFF_TUN_DST,            32) \
    X(OF_REG0,          MFF_REG0,               32) \
    X(OF_REG1,          MFF_REG1,               32) \
    X(OF_REG2,          MFF_REG2,               32) \
    X(OF_REG3,          MFF_REG3,               32) \
    X(OF_REG4,          MFF_REG4,               32) \
    X(OF_REG5,          MFF_REG5,               32) \
    X(OF_REG6,          MFF_REG6,               32) \
    X(OF_REG7,          MFF_REG7,               32) \
    X(OF_REG8,          MFF_REG8,               32) \
    X(OF_REG9,          MFF_REG9,               32) \
    X(OF_REG10,         MFF_REG10,              32) \
    X(OF_REG11,         MFF_REG11,              32) \
    X(OF_REG12,         MFF_REG12,              32) \
    X(OF_REG13,         MFF_REG13,              32) \
    X(OF_REG14,         MFF_REG14,              32) \
    X(OF_REG15,         MFF_REG15,              32) \
    X(OF_ETH_SRC,       MFF_ETH_SRC,            48) \
    X(OF_ETH_DST,       MFF_ETH_DST,            48) \
    X(OF_ETH_TYPE,      MFF_ETH_TYPE,           16) \
    X(OF_VLAN_TCI,      MFF_VLAN_TCI,           16) \
    X(OF_IP_PROTO,      MFF_IP_PROTO,            8) \
    X(OF_IP_TTL,        MFF_IP_TTL,              8) \
    X(OF_IP_FRAG,       MFF_IP_FRAG,             8) /* OF_FRAG_* below */ \
    X(OF_IPV4_SRC,      MFF_IPV4_SRC,           32) \
    X(OF_IPV4_DST,      MFF_IPV4_DST,           32) \
    X(OF_TCP_SRC,       MFF_TCP_SRC,            16) \
    X(OF_TCP_DST,       MFF_TCP_DST,            16) \
    X(OF_TCP_FLAGS,     MFF_TCP_FLAGS,          12) /* OF_TCP_* bits below; matched only */ \
    X(OF_UDP_SRC,       MFF_UDP_SRC,            16) \
    X(OF_UDP_DST,       MFF_UDP_DST,            16) \
    X(OF_ICMPV4_TYPE,   MFF_ICMPV4_TYPE,         8) \
    X(OF_ICMPV4_CODE,   MFF_ICMPV4_CODE,         8) \
    X(OF_ARP_OP,        MFF_ARP_OP,             16) \
    X(OF_ARP_SPA,       MFF_ARP_SPA,            32) \
    X(OF_ARP_TPA,       MFF_ARP_TPA,            32) \
    X(OF_ARP_SHA,       MFF_ARP_SHA,            48) \
    X(OF_ARP_THA,       MFF_ARP_THA,            48) \
    X(OF_CT_STATE,      MFF_CT_STATE,           32) \
    X(OF_CT_ZONE,       MFF_CT_ZONE,            16) \
    X(OF_CT_MARK,       MFF_CT_MARK,            32) \
    X(OF_CT_LABEL,      MFF_CT_LABEL,           64) /* the low half; the high one is left alone */ \
    X(OF_CT_NW_PROTO,   MFF_CT_NW_PROTO,         8) \
    X(OF_CT_NW_SRC,     MFF_CT_NW_SRC,          32) \
    X(OF_CT_NW_DST,     MFF_CT_NW_DST,          32) \
    X(OF_CT_TP_SRC,     MFF_CT_TP_SRC,          16) \
    X(OF_CT_TP_DST,     MFF_CT_TP_DST,          16)
/* clang-format on */

enum of_field_id {
#define X(ID, MFF, BITS) ID,
    OF_FIELD_LIST(X)
#undef X
        N_OF_FIELDS
};

/* Values of OF_IP_FRAG (bits). Later fragments carry no transport header. */
#define OF_FRAG_ANY 1 /* a fragment, first or later */
#define OF_FRAG_LATER 2

/* Bits of OF_TCP_FLAGS (RFC 9293, 3.1). */
#define OF_TCP_FIN 0x01
#define OF_TCP_SYN 0x02
#define OF_TCP_RST 0x04
#define OF_TCP_PSH 0x08
#define OF_TCP_ACK 0x10
#define OF_TCP_URG 0x20

/* Bits of OF_CT_STATE (ovs-fields(7), ct_state). */
#define OF_CT_NEW 0x01
#define OF_CT_EST 0x02
#define OF_CT_REL 0x04
#define OF_CT_RPL 0x08
#define OF_CT_INV 0x10
#define OF_CT_TRK 0x20
#define OF_CT_SNAT 0x40
#define OF_CT_DNAT 0x80

struct of_field {
    enum of_field_id id;
    uint8_t ofs;  /* lowest bit used */
    uint8_t bits; /* how many; 1..64 */
};

unsigned of_field_bits(enum of_field_id); /* width of the whole field */
struct of_field of_field_whole(enum of_field_id);

/* The last number of a real port, and OpenFlow's reserved ports (OpenFlow 1.5, 7.2.1; Open vSwitch has no others beyond 0xff00). */
#define OF_PORT_MAX 0xfeffu
#define OF_PORT_IN_PORT 0xfffffff8u
#define OF_PORT_CONTROLLER 0xfffffffdu
#define OF_PORT_LOCAL 0xfffffffeu
#define OF_PORT_ANY 0xffffffffu

#endif
