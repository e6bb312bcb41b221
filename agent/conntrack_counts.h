/* Connections that balancers have given to targets, counted by what vnetd asks: whose zone, which target, and where they went to first. Pure. */
#ifndef AGENT_CONNTRACK_COUNTS_H
#define AGENT_CONNTRACK_COUNTS_H 1

#include "agent/conntrack_line.h"
#include "base/json.h"

#define CONNTRACK_COUNTS_MAX 50000 /* as many as vnetd takes */

struct conntrack_counts;

struct conntrack_counts *conntrack_counts_new(void);
void conntrack_counts_free(struct conntrack_counts *);

/* Those that are not open do not count. False with *err: too many different ones. */
bool conntrack_counts_add(struct conntrack_counts *, const struct conntrack_entry *, struct error *) MUST_CHECK;

/* [[ZONE, TARGET, PROTO, IP, PORT, N], ...]. New reference. */
json_t *conntrack_counts_json(const struct conntrack_counts *);

#endif
