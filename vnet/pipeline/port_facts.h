/* All that a block about a port looks up: the port, what it hangs on, and where it is. */
#ifndef VNET_PIPELINE_PORT_FACTS_H
#define VNET_PIPELINE_PORT_FACTS_H 1

#include "vnet/pipeline/feature.h"

struct port_facts {
    const struct port *port;
    const struct subnet *subnet;
    const struct vpc *vpc;
    struct binding at; /* host 0: nowhere */
};

/* False if there is no such port. */
bool port_facts_get(const struct view *, uint32_t port, struct port_facts *);

/* False unless the port is bound on the block's own host and has an OpenFlow port there. */
bool port_facts_local(const struct block *, uint32_t port, struct port_facts *);

#endif
