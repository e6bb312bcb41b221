/* What the features of public addresses share: how a packet comes from a physical network, and how it leaves by one. */
#ifndef VNET_FEATURE_UPLINK_UPLINK_H
#define VNET_FEATURE_UPLINK_UPLINK_H 1

#include "vnet/pipeline/placement.h"

/* Begins a row of UPLINK_IN for what comes by this port with the pool's tag, or without one. */
struct flow_builder *uplink_in_flow(struct block *, uint16_t priority, const struct pool *, uint32_t uplink);

/* Ends a row of PUBLIC_OUT: out, tagged if the pool's network is, to that neighbour. */
void uplink_out_end(struct block *, const struct pool *, uint32_t uplink, struct mac neighbour);

/* Rows of a holder for a public address, whatever it is attached to: ARP is answered, packets go on to PUBLIC_IN with the mark whether they
 * are too big for 'mtu', and what the VPC's hosts send to it by tunnel goes to NAT_OUT. The same without ARP on the host that it has just left, whose
 * uplink is the placement's then. */
void public_address_rows(struct block *, const struct placement *, uint16_t mtu);

/* Of packets for the address once they have been translated: the path's MTU. Behind a NAT gateway they may be for any host: the smallest of all
 * that the model has (uplink.md says why not of the VPC's). */
uint16_t public_path_mtu(const struct block *, const struct placement *);

/* Fragments from outside that conntrack has translated come back to NAT_IN with their size looked at: ends the first row, begins the
 * second's actions (and its match) for those that do not fit: they wait for the responder, which takes them apart. */
void public_fragment_end(struct block *, uint16_t mtu);
void public_fragment_split(struct block *, const struct placement *, uint16_t mtu);

/* Before PUBLIC_OUT: what conntrack lets go may come out in the context of a packet whose size has been looked at, or that did not fit. Nothing where the
 * network takes all that guests send. */
void public_size_forget(struct block *, const struct pool *);

/* Ends a row of EGRESS: to the holder, here or on another host. At NAT_OUT eth_dst is the public address's MAC; on its way to another host what leaves
 * by its port's own address is as the guest has sent it, so that all is rewritten at once, at the holder. */
void egress_end(struct block *, const struct placement *);

#endif
