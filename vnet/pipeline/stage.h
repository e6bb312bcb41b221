/* The pipeline as one table: which stage is which OpenFlow table, in which order. Only this file knows table numbers. Gaps are room
 * for stages to come. A packet from a VM to a VM on another host, routed:
 *
 *   ADMIT - GATEWAY - ROUTE - NEIGHBOUR - FORWARD - TUNNEL_OUT - SIZE  ~~~tunnel~~~  ADMIT - TUNNEL_IN - FORWARD
 *
 *   stage       what it decides                                                     shared
 *   ADMIT       who sends: port (anti-spoofing, drop reasons) or a known tunnel peer
 *   TUNNEL_IN   VNI of a packet from a tunnel -> VPC
 *   UPLINK_IN   from a physical network: ARP and packets for a public address held here
 *   ARP         ARP requests: for the gateway, for an address of the subnet
 *   GATEWAY     to the router's MAC: echo, DHCP, TTL; else plain L2
 *   ROUTE       route table and destination -> next hop, blackhole, no route (longest prefix by priority)
 *   EGRESS      leaves the VPC: by whose public address, and which host holds that
 *   NEIGHBOUR   VPC and next hop -> destination MAC
 *   FORWARD     VPC and destination MAC -> local port, or the host it is on; answers ARP
 *   NAT_OUT     at the holder of a public address: private source -> public
 *   PUBLIC_IN   public destination held here -> NAT_IN; else, from inside, out
 *   NAT_IN      public destination -> private, and to where its port is
 *   PUBLIC_OUT  public destination -> next hop on the physical network, and out, if that takes its size
 *   TUNNEL_OUT  destination's host -> tunnel, its port, MTU
 *   SIZE        small enough: out; else answered
 *   LB_BACK     to a port that is not filtered: is it of a connection that a balancer may have made?
 *   SG          a tracked packet: which port's connection it is, and whether that port began it
 *   SG_JUDGE    -> SG_PEER, SG_GROUP: the narrowest rule that allows it -> SG_RULE
 *   SG_PEER     the other end's address -> SG_GROUP for each of its security groups that rules name, and back
 *   SG_GROUP    the port -> SG_MATCH for each of its security groups, and back
 *   SG_MATCH    a group of the port's, direction, a group of the other end's or its address, protocol and ports -> a rule that allows it
 *   SG_NARROWER the first that is found is kept; the next ones:
 *   SG_COMPARE  kept instead of the one before if it is narrower
 *   SG_RULE     allowed by that rule; counts
 *   SG_DONE     allowed: on its way, or to the port; a new connection is remembered, or a balancer chooses its target
 *   LB_TARGET   of a balanced connection: its target, if that still is one; counts
 *   LB_NEW      the target just chosen: translated and on its way; counts connections
 *   DHCP        a port's DHCP questions -> responder
 *   REJECT      counts drops by (port, reason), sends to the responder what deserves an ICMP error
 */
#ifndef VNET_PIPELINE_STAGE_H
#define VNET_PIPELINE_STAGE_H 1

#include <stdbool.h>
#include <stdint.h>

/*        id                table  name          shared (conjunctions) */
/* clang-format off */
#define STAGE_LIST(X)                                   \
    X(STAGE_ADMIT,           0, "admit",       false)   \
    X(STAGE_TUNNEL_IN,       5, "tunnel-in",   false)   \
    X(STAGE_UPLINK_IN,       7, "uplink-in",   false)   \
    X(STAGE_ARP,            10, "arp",         false)   \
    X(STAGE_GATEWAY,        15, "gateway",     false)   \
    X(STAGE_ROUTE,          20, "route",       false)   \
    X(STAGE_EGRESS,         22, "egress",      false)   \
    X(STAGE_NEIGHBOUR,      25, "neighbour",   false)   \
    X(STAGE_FORWARD,        30, "forward",     false)   \
    X(STAGE_NAT_OUT,        31, "nat-out",     false)   \
    X(STAGE_PUBLIC_IN,      32, "public-in",   false)   \
    X(STAGE_NAT_IN,         33, "nat-in",      false)   \
    X(STAGE_PUBLIC_OUT,     34, "public-out",  false)   \
    X(STAGE_TUNNEL_OUT,     35, "tunnel-out",  false)   \
    X(STAGE_LB_BACK,        36, "lb-back",     false)   \
    X(STAGE_SIZE,           40, "size",        false)   \
    X(STAGE_SG,             41, "sg",          false)   \
    X(STAGE_SG_PEER,        42, "sg-peer",     false)   \
    X(STAGE_SG_RULE,        43, "sg-rule",     false)   \
    X(STAGE_SG_DONE,        44, "sg-done",     false)   \
    X(STAGE_DHCP,           45, "dhcp",        false)   \
    X(STAGE_LB_TARGET,      46, "lb-target",   false)   \
    X(STAGE_LB_NEW,         47, "lb-new",      false)   \
    X(STAGE_SG_MATCH,       48, "sg-match",    false)   \
    X(STAGE_SG_JUDGE,       49, "sg-judge",    false)   \
    X(STAGE_REJECT,         50, "reject",      false)   \
    X(STAGE_SG_GROUP,       51, "sg-group",    false)   \
    X(STAGE_SG_NARROWER,    52, "sg-narrower", false)   \
    X(STAGE_SG_COMPARE,     53, "sg-compare",  false)
/* clang-format on */

enum stage {
#define X(ID, TABLE, NAME, SHARED) ID = TABLE,
    STAGE_LIST(X)
#undef X
        STAGE_MAX = 254
};

const char *stage_name(uint8_t table); /* NULL: not a stage of ours */
bool stage_is_shared(uint8_t table);
const uint8_t *stage_tables(unsigned *n); /* all table numbers, rising */

#endif
