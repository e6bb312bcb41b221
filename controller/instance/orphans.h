/* What is left over: interfaces that no port, or no running domain, has; declared ports whose domain is nowhere. Only listed: who sees them decides. */
#ifndef CONTROLLER_INSTANCE_ORPHANS_H
#define CONTROLLER_INSTANCE_ORPHANS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct controller;
struct object;

#define ORPHAN_HOST_AWAY "its host is away, and no other has the domain that declared it"

/* An interface that nothing has, or a declared port. Valid until hosts or the model change. */
struct orphan {
    bool is_port;
    uint32_t number;      /* the port's; of an interface, that of the host that shows it */
    const char *iface_id; /* "": it is a port */
    uint32_t host;
    const struct object *o; /* the port that it is, or that the interface names; NULL: there is none */
    const char *reason;
};

/* All, in order; free() it, NULL if '*n' is 0. Of domains it speaks only where the host's agent is there, or the host is away altogether. */
struct orphan *orphans_find(const struct controller *, size_t *n);
/* < 0, 0, > 0: interfaces by host and id, then ports. */
int orphan_compare(const struct orphan *, const struct orphan *);
/* {"kind": "interface"|"port", "host", "id", "name", "reason"}. New reference. */
json_t *orphan_json(const struct controller *, const struct orphan *);
/* All as an array. New reference. */
json_t *orphans_json(const struct controller *);

#endif
