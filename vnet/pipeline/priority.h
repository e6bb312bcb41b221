/* Who wins inside a stage. Priorities are meetings between features, so they are named in one place; a stage not listed
 * here has rows of one priority only. */
#ifndef VNET_PIPELINE_PRIORITY_H
#define VNET_PIPELINE_PRIORITY_H 1

enum {
    PRIORITY_MISS = 0,          /* a stage's end, for what nothing else takes */
    PRIORITY_ROW = 100,         /* where rows of a stage do not overlap */

    /* ADMIT: tagged frames never pass, so no other row looks at the tag. The counted drops each have a priority of
     * their own: it names the reason (reject.h). */
    PRIORITY_ADMIT_VLAN = 200,
    PRIORITY_ADMIT_DHCP = 110,  /* above the addresses: a port that may use any source asks by DHCP too */
    PRIORITY_ADMIT_OWN = 100,
    PRIORITY_ADMIT_IP = 51,
    PRIORITY_ADMIT_ARP = 50,
    PRIORITY_ADMIT_ETHERTYPE = 40,
    PRIORITY_ADMIT_MAC = 20,
    PRIORITY_ADMIT_TUNNEL = 10, /* a tunnel's port, no peer's address */

    /* ARP */
    PRIORITY_ARP_OWN = 120,     /* a guest asking for its own address hears nothing */
    PRIORITY_ARP_GATEWAY = 110,
    PRIORITY_ARP_SUBNET = 100,

    /* GATEWAY */
    PRIORITY_GATEWAY_ANSWER = 130,
    PRIORITY_GATEWAY_SELF = 120,        /* the rest of what is sent to the gateway's address */
    PRIORITY_GATEWAY_TTL = 110,
    PRIORITY_GATEWAY_DHCP = 100,        /* broadcast by a client that has its address */
    PRIORITY_GATEWAY_ROUTED = 100,

    /* ROUTE: plus the prefix's length, so the longest wins */
    PRIORITY_ROUTE_PREFIX = 100,
    PRIORITY_ROUTE_NONE = 10,

    /* FORWARD */
    PRIORITY_FORWARD_ARP = 200,
    PRIORITY_FORWARD_MAC = 100,
    PRIORITY_FORWARD_TUNNEL = 10,       /* came by tunnel, for nobody here */

    /* REJECT: plus the reason's number */
    PRIORITY_REJECT_REASON = 100,
};

#endif
