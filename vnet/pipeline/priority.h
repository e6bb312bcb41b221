/* Who wins inside a stage. Priorities are meetings between features, so they are named in one place; a stage not listed
 * here has rows of one priority only. */
#ifndef VNET_PIPELINE_PRIORITY_H
#define VNET_PIPELINE_PRIORITY_H 1

enum {
    PRIORITY_MISS = 0,  /* a stage's end, for what nothing else takes */
    PRIORITY_ROW = 100, /* where rows of a stage do not overlap */

    /* ADMIT: tagged frames never pass, so no other row looks at the tag. The counted drops each have a priority of
     * their own: it names the reason (reject.h). */
    PRIORITY_ADMIT_PEER = 210,   /* a known tunnel peer's */
    PRIORITY_ADMIT_UPLINK = 205, /* a port that leads to a physical network */
    PRIORITY_ADMIT_VLAN = 200,
    PRIORITY_ADMIT_TWIN = 195,       /* a tap to which a guest is about to come */
    PRIORITY_ADMIT_HAIRPIN = 117,    /* a target's answer to itself */
    PRIORITY_ADMIT_UNFILTERED = 115, /* what a port asks of its subnet's gateway */
    PRIORITY_ADMIT_DHCP = 110,       /* above the addresses: a port that may use any source asks by DHCP too */
    PRIORITY_ADMIT_OWN = 100,
    PRIORITY_ADMIT_IP = 51,
    PRIORITY_ADMIT_ARP = 50,
    PRIORITY_ADMIT_ETHERTYPE = 40,
    PRIORITY_ADMIT_MAC = 20,
    PRIORITY_ADMIT_TUNNEL = 10, /* a tunnel's port, no peer's address */

    /* TUNNEL_IN */
    PRIORITY_TUNNEL_IN_PUBLIC = 110, /* to the holder of a public address, which need not hold the VPC */

    /* TUNNEL_OUT */
    PRIORITY_TUNNEL_OUT_FITS = 110, /* its size has been looked at */

    /* UPLINK_IN */
    PRIORITY_UPLINK_IN_LEARN = 110,

    /* ARP */
    PRIORITY_ARP_OWN = 120, /* a guest asking for its own address hears nothing */
    PRIORITY_ARP_GATEWAY = 110,
    PRIORITY_ARP_SUBNET = 100,

    /* GATEWAY */
    PRIORITY_GATEWAY_ANSWER = 130,
    PRIORITY_GATEWAY_CHECK = 125, /* a target's answer to a health check */
    PRIORITY_GATEWAY_SELF = 120,  /* the rest of what is sent to the gateway's address */
    PRIORITY_GATEWAY_TTL = 110,
    PRIORITY_GATEWAY_BALANCER = 106, /* from a port that is not filtered: to a balancer; */
    PRIORITY_GATEWAY_LOCAL = 105,    /* elsewhere in the VPC; */
    PRIORITY_GATEWAY_TARGET = 104,   /* what may answer a connection by a balancer */
    PRIORITY_GATEWAY_DHCP = 100,     /* broadcast by a client that has its address */
    PRIORITY_GATEWAY_ROUTED = 100,

    /* ROUTE: plus the prefix's length, so the longest wins */
    PRIORITY_ROUTE_PREFIX = 100,
    PRIORITY_ROUTE_NONE = 10,

    /* NAT_OUT and NAT_IN */
    PRIORITY_NAT_TRACKED = 130, /* what conntrack has translated */
    PRIORITY_NAT_SPLIT = 125,   /* a translated fragment that does not fit */
    PRIORITY_NAT_FITS = 124,
    PRIORITY_NAT_FRAGMENT = 120, /* what conntrack shall translate */
    PRIORITY_NAT_STRAY = 115,    /* a fragment that conntrack gave up */
    PRIORITY_NAT_QUOTE = 112,    /* quotes a packet and is no error: a counted drop */
    PRIORITY_NAT_ERROR = 110,    /* an ICMP error: its quotation too; an echo: its identifier */
    PRIORITY_NAT_ROW = 100,
    PRIORITY_NATGW_ECHO = 95,      /* tracked, not translated: its identifier is another's */
    PRIORITY_NATGW_EXHAUSTED = 90, /* tracked, but not translated: a counted drop */

    /* PUBLIC_IN */
    PRIORITY_PUBLIC_ANSWER = 150, /* to the sender of what was too big */
    PRIORITY_PUBLIC_TOO_BIG = 140,
    PRIORITY_PUBLIC_BOGON = 135, /* from outside, pretending to come from inside */
    PRIORITY_PUBLIC_ERROR = 130,
    PRIORITY_PUBLIC_FRAGMENT = 120,
    PRIORITY_PUBLIC_ROW = 100,

    /* PUBLIC_OUT */
    PRIORITY_PUBLIC_OUT_SIZE = 130, /* by a narrow uplink: its size is to be looked at; */
    PRIORITY_PUBLIC_OUT_TOO_BIG = 120,
    PRIORITY_PUBLIC_OUT_NEIGHBOUR = 110,
    PRIORITY_PUBLIC_OUT_POOL = 100,

    /* EGRESS */
    PRIORITY_EGRESS_ORIGIN = 110, /* back the way its connection came */

    /* FORWARD */
    PRIORITY_FORWARD_HAIRPIN = 110, /* a target balanced to itself */
    PRIORITY_FORWARD_ARP = 200,
    PRIORITY_FORWARD_MAC = 100,
    PRIORITY_FORWARD_TUNNEL = 10, /* came by tunnel, for nobody here */

    /* SG. A packet from a port to itself goes to it. */
    PRIORITY_SG_INVALID = 120,
    PRIORITY_SG_INBOUND = 110,
    PRIORITY_SG_OUTBOUND = 100,

    /* SG_COMPARE */
    PRIORITY_COMPARE_EQUAL = 110, /* nothing is left of either */

    /* SG_DONE */
    PRIORITY_DONE_LISTENER = 150, /* new, to a balancer that listens */
    PRIORITY_DONE_COUNTED = 145,  /* of a connection by a listener that there is still */
    PRIORITY_DONE_BALANCED = 140, /* of a connection whose target a balancer chose */
    PRIORITY_DONE_EXTERNAL = 130, /* from outside, to a balancer that does not listen */
    PRIORITY_DONE_ORIGIN = 120,   /* of a connection that came by a balancer's elastic IP */
    PRIORITY_DONE_UNJUDGED = 110, /* of a port that is not filtered */

    /* LB_TARGET */
    PRIORITY_TARGET_ROW = 100,
    PRIORITY_TARGET_BACK = 20,  /* answers come back, whatever became of the target */
    PRIORITY_TARGET_RESET = 10, /* the target is gone */

    /* SG_MATCH: plus how narrow the rule is (sg_rule.c) */
    PRIORITY_SG_MATCH = 100,

    /* REJECT: plus the reason's number */
    PRIORITY_REJECT_REASON = 100,
};

#endif
