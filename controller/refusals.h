/* What hosts' switches refuse, by object: the column 'error' of everything that has flows. A switch that refuses a flow, group or meter does without
 * it; everything else goes on, and who owns the object learns what is missing, and why. It is tried again by itself (ofproto/session/of_retry.c).
 *
 * A refusal is of a block: an object's part by one feature on one host. It is over when that host has confirmed that it takes everything of the
 * block (flow_table_next_accepted()), when the object is deleted, and when the host is. What belongs to no object that a user knows, a host's own
 * set, is told by the host's error only. Costs what changes. */
#ifndef CONTROLLER_REFUSALS_H
#define CONTROLLER_REFUSALS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "vnet/model/transaction.h"

struct controller;
struct refusals;

struct refusals *refusals_new(struct controller *);
void refusals_free(struct refusals *);

/* The host refuses something of the block for this reason, a sentence; the last one of a block is kept. */
void refusals_add(struct refusals *, uint32_t host, uint64_t cookie, const char *reason);
/* It refuses nothing of the block any more. True: nor of the object's others. */
bool refusals_remove(struct refusals *, uint32_t host, uint64_t cookie);
/* Call after the commit. */
void refusals_changed(struct refusals *, const struct change *);
void refusals_host_removed(struct refusals *, uint32_t host);

/* What the host has refused of an object for longest: why, and of which block; NULL: nothing. */
const char *refusals_of_host(const struct refusals *, uint32_t host, uint64_t *cookie);

/* New reference: the reason of the host that has refused something of the object for longest, and how many more hosts do; null: none. Hosts' names
 * are for who may see hosts. */
json_t *refusals_error(const struct refusals *, uint32_t object, bool names_hosts);

#endif
