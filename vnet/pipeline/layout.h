/* Where everything is kept while a packet crosses the pipeline, and how cookies are made: decided once, here. No feature invents its
 * own register, metadata bit or cookie. What is marked 'room' is kept free for what the design names.
 *
 *   metadata  0..23  VNI of the VPC            32     arrived by tunnel            33     arrived from a physical network
 *             (rest: room)
 *   reg0      next hop, IPv4                   reg0-3 = xxreg0: next hop, IPv6 (room)
 *             in the SG stages, which come before and after that: reg0 the narrowest rule so far that allows it, reg1 one of the local port's
 *             security groups, reg2 one of the other end's; reg3 bit 0: the other end began the connection, bit 1: the packet goes to the
 *             port, bit 2: from a port that is not filtered but may talk to a balancer, bit 3: from outside to a balancer, bit 4: its port
 *             is not filtered, bits 16..31: that port's zone
 *   reg4-7    = xxreg1: original IPv6 destination (room); reg4: original IPv4 destination, reg5 0..15: port, of what goes to a balancer
 *             while SG looks for a rule: reg6 another rule that allows it, reg7 how narrow that is, reg4 and reg5 what is left to compare of
 *             that and of reg11 (sg_judge.c)
 *   reg8      number of the port the packet came from (0: not from a local port)
 *   reg9      number of its subnet
 *   reg10     number of the route table that decides; later that of the pool by whose network it leaves
 *   reg11     number of the destination's host; while SG looks for a rule: how narrow the one in reg0 is
 *   reg12     0..7 reason (enum reason)        8 too big for the tunnel
 *             9..12 traffic class (room)       13..14 migration state (room)       15     has been with the responder
 *   reg13     0..15 OpenFlow port to leave by (a tunnel's, a filtered port's)     16..31 MTU of the path (to
 *             a physical network: 0 until it has been looked at)
 *             (of what is sent to a target that is gone: 0..15 the port it was meant for)
 *   reg14     the target that a balancer chose
 *   reg15     what a route leads out by: NAT gateway's number, 0: internet gateway; of what goes back by the elastic IP of a balancer, that
 *             one's number
 *   ct_mark   in a port's zone: bit 0, a balancer chose the target; bit 1, it came by a balancer's elastic IP
 *             in a NAT gateway's zone: 1, the echo's identifier is another outside             (rest: room)
 *   ct_label  0..31 number of that elastic IP    32..63 number of that target
 *
 *   cookie    63..56 feature   55..48 object type   47..32 spare   31..0 object number (0: shared)
 */
#ifndef VNET_PIPELINE_LAYOUT_H
#define VNET_PIPELINE_LAYOUT_H 1

#include <stddef.h>
#include <stdint.h>

#include "ofproto/flow/field.h"

#define LAYOUT_VNI \
    (struct of_field) { OF_METADATA, 0, 24 }
#define LAYOUT_FROM_TUNNEL \
    (struct of_field) { OF_METADATA, 32, 1 }
#define LAYOUT_VNI_AND_TUNNEL \
    (struct of_field) { OF_METADATA, 0, 33 } /* both; not from a tunnel */
#define LAYOUT_FROM_UPLINK \
    (struct of_field) { OF_METADATA, 33, 1 }
#define LAYOUT_NEXT_HOP4 \
    (struct of_field) { OF_REG0, 0, 32 }
#define LAYOUT_SG_GROUP \
    (struct of_field) { OF_REG1, 0, 32 }
#define LAYOUT_SG_PEER \
    (struct of_field) { OF_REG2, 0, 32 }
#define LAYOUT_SG_FOUND \
    (struct of_field) { OF_REG0, 0, 32 }
#define LAYOUT_SG_FOUND_RANK \
    (struct of_field) { OF_REG11, 0, 32 }
#define LAYOUT_SG_CANDIDATE \
    (struct of_field) { OF_REG6, 0, 32 }
#define LAYOUT_SG_RANK \
    (struct of_field) { OF_REG7, 0, 32 }
#define LAYOUT_SG_REST \
    (struct of_field) { OF_REG4, 0, 32 } /* of RANK */
#define LAYOUT_SG_FOUND_REST \
    (struct of_field) { OF_REG5, 0, 32 } /* of FOUND_RANK */
#define LAYOUT_SG_INGRESS \
    (struct of_field) { OF_REG3, 0, 1 }
#define LAYOUT_SG_INBOUND \
    (struct of_field) { OF_REG3, 1, 1 }
#define LAYOUT_SG_STATE \
    (struct of_field) { OF_REG3, 0, 32 } /* all of it: */
#define SG_INGRESS 1u
#define SG_INBOUND 2u
#define SG_WATCHED 4u
#define SG_EXTERNAL 8u
#define SG_UNJUDGED 16u
#define SG_ZONE(ZONE) ((uint32_t) (ZONE) << 16)
#define LAYOUT_WATCHED \
    (struct of_field) { OF_REG3, 2, 1 }
#define LAYOUT_EXTERNAL \
    (struct of_field) { OF_REG3, 3, 1 }
#define LAYOUT_UNJUDGED \
    (struct of_field) { OF_REG3, 4, 1 }
#define LAYOUT_ZONE \
    (struct of_field) { OF_REG3, 16, 16 }
#define LAYOUT_ORIGINAL_DST4 \
    (struct of_field) { OF_REG4, 0, 32 }
#define LAYOUT_ORIGINAL_DST_PORT \
    (struct of_field) { OF_REG5, 0, 16 }
#define LAYOUT_TARGET \
    (struct of_field) { OF_REG14, 0, 32 }
#define LAYOUT_ORIGIN \
    (struct of_field) { OF_REG15, 0, 32 }
#define LAYOUT_CT_BALANCED \
    (struct of_field) { OF_CT_MARK, 0, 1 }
#define LAYOUT_CT_ORIGINATED \
    (struct of_field) { OF_CT_MARK, 1, 1 }
#define LAYOUT_CT_ORIGIN \
    (struct of_field) { OF_CT_LABEL, 0, 32 }
#define LAYOUT_CT_TARGET \
    (struct of_field) { OF_CT_LABEL, 32, 32 }
#define LAYOUT_PORT \
    (struct of_field) { OF_REG8, 0, 32 }
#define LAYOUT_SUBNET \
    (struct of_field) { OF_REG9, 0, 32 }
#define LAYOUT_RTB \
    (struct of_field) { OF_REG10, 0, 32 }
#define LAYOUT_POOL \
    (struct of_field) { OF_REG10, 0, 32 }
#define LAYOUT_WAY_OUT \
    (struct of_field) { OF_REG15, 0, 32 }
#define LAYOUT_HOST \
    (struct of_field) { OF_REG11, 0, 32 }
#define LAYOUT_REASON \
    (struct of_field) { OF_REG12, 0, 8 }
#define LAYOUT_TOO_BIG \
    (struct of_field) { OF_REG12, 8, 1 }
#define LAYOUT_ANSWERED \
    (struct of_field) { OF_REG12, 15, 1 }
#define LAYOUT_OUT_PORT \
    (struct of_field) { OF_REG13, 0, 16 }
#define LAYOUT_PATH_MTU \
    (struct of_field) { OF_REG13, 16, 16 }

/* Why a packet is not delivered as it is. Drops are counted under these words in the 'drops' column of what drops. */
/* clang-format off */
#define REASON_LIST(X)                                                       \
    X(REASON_NONE,       0, "")                                              \
    X(REASON_MAC,        1, "mac")        /* foreign source MAC */           \
    X(REASON_IP,         2, "ip")         /* foreign source address */       \
    X(REASON_ARP,        3, "arp")        /* ARP that is not the port's */   \
    X(REASON_VLAN,       4, "vlan")       /* tagged */                       \
    X(REASON_ETHERTYPE,  5, "ethertype")  /* neither IPv4 nor ARP */         \
    X(REASON_NO_PORT,    6, "no-port")    /* in the VPC, but no such port */ \
    X(REASON_NO_ROUTE,   7, "no-route")                                      \
    X(REASON_BLACKHOLE,  8, "blackhole")                                     \
    X(REASON_SG,         9, "sg")         /* no security group allows it */  \
    X(REASON_TTL,       10, "ttl")        /* answered: time exceeded */      \
    X(REASON_TOO_BIG,   11, "too-big")    /* answered: fragmentation needed */ \
    X(REASON_TUNNEL,    12, "tunnel")     /* a host's: unknown source or VNI */ \
    X(REASON_FRAGMENT,  13, "fragment")   /* a public address's: could not be put together */ \
    X(REASON_METER,     14, "meter")      /* the same: more than the responder takes */ \
    X(REASON_ICMP,      15, "icmp")       /* a public address's: a redirect or source quench */
/* clang-format on */

enum reason {
#define X(ID, NUMBER, WORD) ID = NUMBER,
    REASON_LIST(X)
#undef X
        REASON_MAX
};

const char *reason_word(enum reason);

static inline uint64_t
cookie_make(uint8_t feature, uint8_t type, uint32_t number)
{
    return (uint64_t) feature << 56 | (uint64_t) type << 48 | number;
}
static inline uint8_t
cookie_feature(uint64_t c)
{
    return c >> 56;
}
static inline uint8_t
cookie_type(uint64_t c)
{
    return c >> 48;
}
static inline uint32_t
cookie_number(uint64_t c)
{
    return (uint32_t) c;
}

/* Cookies by which to ask a switch for flows of objects numbered first..last, those of one feature and type: at most COOKIE_BLOCKS masks, which
 * together take in no more than twice as many numbers. Returns how many. */
struct cookie_block {
    uint64_t cookie, mask;
    uint32_t first, last; /* the part of the numbers that this one is asked for */
};
#define COOKIE_BLOCKS 2
size_t cookie_blocks(uint8_t feature, uint8_t type, uint32_t first, uint32_t last, struct cookie_block[COOKIE_BLOCKS]);

/* Bytes that Geneve without options or VXLAN takes from the underlay's MTU over IPv4: outer IP 20, UDP 8, header 8, inner Ethernet 14. */
#define LAYOUT_TUNNEL_OVERHEAD 50

/* The controller id that answers packets; whoever answers takes it (NXT_SET_CONTROLLER_ID). */
#define LAYOUT_CONTROLLER_ID 1

/* The id that vnetd has while a host's agent answers. What vnetd itself must hear goes to both: it has one of them. */
#define LAYOUT_CONTROLLER_ID_VNETD 2

#endif
