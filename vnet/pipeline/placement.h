/* Which host holds a public address: pure, from intent and facts. The port's own host if that reaches the pool's physical network, else one of
 * the gateways that do, chosen by rendezvous hashing over those alive: when one dies only what it held moves, spread over the
 * others. An uplink that is down counts as none. If nobody is left that is alive and has one that is up, it is the port's own host if that has one at all,
 * else one of the gateways that are alive, where public addresses still reach each other; if all are dead, as if all were alive: better a place that may
 * come back than none.
 *
 * What a NAT gateway or a balancer sends goes to every port of its VPC: its holder holds the VPC too.
 *
 * An elastic IP is served while what it is attached to has a subnet that routes to the internet gateway, and that (a port) is bound. */
#ifndef VNET_PIPELINE_PLACEMENT_H
#define VNET_PIPELINE_PLACEMENT_H 1

#include "vnet/pipeline/feature.h"

struct placement {
    const struct eip *eip;
    const struct pool *pool;
    const struct port *port; /* one of these is what it is attached to */
    const struct natgw *natgw;
    const struct lb *lb;
    const struct subnet *subnet; /* of that */
    const struct vpc *vpc;
    struct binding at;                 /* the port's */
    const struct runtime_host *holder; /* never NULL */
    uint32_t uplink;                   /* OpenFlow port on the holder */
};

/* False: the elastic IP is not there, not attached, or not served anywhere. */
bool placement_get(const struct view *, uint32_t eip, struct placement *);
/* Of what an elastic IP is attached to. */
bool placement_of(const struct view *, uint32_t holder, struct placement *);
/* The host that holds the address of a NAT gateway or balancer, and so its VPC; 0: none. */
uint32_t placement_host(const struct view *, uint32_t number);
/* Calls 'each' for every object that placement_host() is for. */
void placement_each_sender(const struct view *, void (*each)(void *aux, uint32_t number), void *aux);

/* The way by which a host reaches a physical network, up or down; NULL: it does not. Its patch port; 0: none. */
const struct runtime_uplink *runtime_uplink(const struct runtime_host *, const char *network);
uint32_t runtime_uplink_port(const struct runtime_host *, const char *network);
/* The MTU of that way, if it is less than what guests may send by it, those of other hosts included; 0: all fits, or it is not known. */
uint16_t runtime_narrow_uplink(const struct runtime_host *, const char *network);

/* The hosts that reach a physical network, and those of them whose uplink is up; gateways among them. Visits all hosts. */
struct network_reach {
    unsigned n_hosts, n_up, n_gateways, n_gateways_up;
};
struct network_reach runtime_network_reach(const struct runtime *, const char *network);

/* Does a change of a host's facts (NULL: unknown) move public addresses, or what is known of their way? Is the host a gateway, so that addresses
 * of others hang on it? Are its ways to physical networks others now? Did the one to this network go up or down, or
 * does it take packets of another size now? */
bool placement_depends(const struct runtime_host *before, const struct runtime_host *after);
bool placement_gateway_changed(const struct runtime_host *before, const struct runtime_host *after);
bool placement_uplinks_differ(const struct runtime_host *before, const struct runtime_host *after);
bool placement_link_differs(const struct runtime_host *before, const struct runtime_host *after, const char *network);

/* Calls 'each' for every elastic IP that a change may concern where it is held or used, some perhaps twice. Costs what it visits: all for a gateway, but
 * those of a network alone if just its uplink there changes; for another host those of its ports, and by its MTU those of NAT gateways and
 * balancers. */
void placement_affected(const struct view *, const struct vnet_event *, void (*each)(void *aux, uint32_t eip), void *aux);

#endif
