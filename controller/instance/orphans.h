/* What is left over: interfaces that no port, or no running domain, has; declared ports whose domain is nowhere. Only listed: who sees them decides. */
#ifndef CONTROLLER_INSTANCE_ORPHANS_H
#define CONTROLLER_INSTANCE_ORPHANS_H 1

#include "base/json.h"

struct controller;

#define ORPHAN_HOST_AWAY "its host is away, and no other has the domain that declared it"

/* [{"kind": "interface"|"port", "host", "id", "name", "reason"}]; of domains it speaks only where the host's agent is there, or
 * the host is away altogether. New reference. */
json_t *orphans_json(const struct controller *);

#endif
