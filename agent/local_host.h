/* The host's own Open vSwitch, as its database tells: the host's name, its bridge. Only reads; what is configured there is vnetd's. */
#ifndef AGENT_LOCAL_HOST_H
#define AGENT_LOCAL_HOST_H 1

#include <event2/event.h>

#include "base/error.h"
#include "ofproto/ovsdb/ovsdb_session.h"

struct local_host;

/* 'told': facts are known, or have changed. */
typedef void local_host_told(void *aux, const struct ovsdb_facts *);
/* 'place': unix:FILE. */
struct local_host *local_host_new(struct event_base *, const char *place, local_host_told *, void *aux, struct error *) MUST_CHECK;
void local_host_free(struct local_host *);

#endif
