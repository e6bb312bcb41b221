/* The host's own Open vSwitch, as its database tells: the host's name, its bridge, its guests' interfaces. What is configured there is vnetd's; here
 * only an interface's OpenFlow port number is asked for. */
#ifndef AGENT_LOCAL_HOST_H
#define AGENT_LOCAL_HOST_H 1

#include <event2/event.h>

#include "base/error.h"
#include "ofproto/ovsdb/ovsdb_session.h"

struct local_host;

struct local_host_ops {
    /* They are known, or have changed. */
    void (*facts)(void *aux, const struct ovsdb_facts *);
    /* As ovsdb_session_ops.interfaces; 'is_first' of each connection. */
    void (*interfaces)(void *aux, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone, size_t n_gone,
                       bool is_first);
};
/* 'place': unix:FILE. */
struct local_host *local_host_new(struct event_base *, const char *place, const struct local_host_ops *, void *aux,
                                  struct error *) MUST_CHECK;
void local_host_free(struct local_host *);

/* As those of ovsdb_session.h; while the database is away nothing is requested, and every number may be taken. */
void local_host_request_ofport(struct local_host *, const char *interface, const char *iface_id, uint32_t ofport);
bool local_host_ofport_is_taken(const struct local_host *, uint32_t ofport);

#endif
