/* Since when each domain is as it is, over a restart of the agent: libvirt does not tell. A file in the --state-dir has it (since_file.h). A domain
 * that is found in the same run (libvirt's id of it), state and reason as then has been in them since then. */
#ifndef AGENT_SINCE_H
#define AGENT_SINCE_H 1

#include <event2/event.h>

#include "agent/domains.h"

struct since;

/* 'domains' is borrowed. What the file has wrong is logged, with its name, and nothing of it is used. */
struct since *since_new(struct event_base *, const char *file, const struct domains *);
void since_free(struct since *); /* writes what is still to be written; NULL is fine */

/* The domain has been read: for the first time, its 'since' is the file's. */
void since_read(struct since *, struct domain *);
/* All domains have been read: others are gone. */
void since_whole(struct since *);
/* A domain may have changed: the file is written soon. */
void since_changed(struct since *);

#endif
