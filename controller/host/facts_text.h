/* A host's facts as the store remembers them: "ENCAP_IP ENCAP MTU GENEVE_PORT VXLAN_PORT IS_GATEWAY IS_DEAD", then " NETWORK:PORT" for each
 * uplink, then "/MTU" if that is known, "/down" if it is; facts of old end with VXLAN_PORT. Pure. */
#ifndef CONTROLLER_HOST_FACTS_TEXT_H
#define CONTROLLER_HOST_FACTS_TEXT_H 1

#include "vnet/pipeline/runtime.h"

char *facts_text(const struct runtime_host *); /* free() it */
/* All but the number. False: it is no such text. */
bool facts_text_parse(const char *, struct runtime_host *);

/* Left out when it has no port yet, or is one too many. */
void facts_uplink_add(struct runtime_host *, const struct runtime_uplink *but_network, const char *network);

#endif
