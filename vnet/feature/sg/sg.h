/* Security groups, as the features see them that take packets from ports and bring packets to them. */
#ifndef VNET_FEATURE_SG_SG_H
#define VNET_FEATURE_SG_SG_H 1

#include "vnet/pipeline/port_facts.h"

/* Does a rule of each direction allow everything? Then the groups filter nothing, and nothing is tracked. Set 0 is 'none': open. */
bool sg_set_is_open(const struct view *, uint32_t set);

/* Does a rule of the port's groups let anybody connect to that port of layer 4? Without groups anybody may. Costs their rules. */
bool sg_lets_in(const struct view *, const struct port *, uint8_t proto, uint16_t l4_port);

/* Ends a row of ADMIT for IPv4 that a port sends: through its groups if they filter, then GATEWAY; context set as for that. */
void sg_leave_end(struct block *, const struct port_facts *);

/* Ends a row that brings an IPv4 packet to a port that is bound here: through its groups if they filter, then out. */
void sg_deliver_end(struct block *, const struct port_facts *);

/* Has the host store the zone that the port will want when it comes here, if it will want one. */
void sg_prepare(struct block *, const struct port_facts *);

/* What a port's packets carry on their way from it: VPC, port, subnet and route table. */
void sg_set_context(struct block *, const struct port_facts *);

#endif
