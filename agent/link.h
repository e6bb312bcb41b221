/* The agent's side of vnetd: keeps the stream of instructions open, tells what has changed, asks what hooks want to know. While vnetd is away
 * nothing is lost: what it does not know is told when it is back. */
#ifndef AGENT_LINK_H
#define AGENT_LINK_H 1

#include "agent/api_client.h"
#include "agent/domains.h"
#include "agent/underlay.h"

struct vnetd_link;

/* 'turned': vnetd is there now, or it has gone or did not answer (each time that it does not). */
typedef void link_turned(void *aux, bool is_up);
struct vnetd_link *vnetd_link_new(struct event_base *, const struct api_server *, struct domains *, struct error *) MUST_CHECK;
void vnetd_link_on_turn(struct vnetd_link *, link_turned *, void *aux);
void vnetd_link_free(struct vnetd_link *);

/* The host's name is known (again); nothing is asked before. */
void vnetd_link_set_host(struct vnetd_link *, const char *name);
bool vnetd_link_is_up(const struct vnetd_link *);

/* The table of domains has changed: what is untold is told soon. 'is_whole': the table is all that libvirt has. */
void vnetd_link_tell(struct vnetd_link *, bool is_whole);
/* The agent answers guests now, or no longer. */
void vnetd_link_set_answering(struct vnetd_link *, bool is_answering);
/* What the host's kernel says of the device with the tunnel address. */
void vnetd_link_set_underlay(struct vnetd_link *, const struct underlay_facts *);
/* What conntrack.h tells, with the next report. */
void vnetd_link_set_connections(struct vnetd_link *, json_t *take);
/* Called when vnetd begins to want that, and when it no longer does, or is away. */
typedef void link_counting(void *aux, bool is_wanted);
void vnetd_link_on_counting(struct vnetd_link *, link_counting *, void *aux);
/* The table is not whole any more, until vnetd_link_tell() says so. */
void vnetd_link_not_whole(struct vnetd_link *);

/* Declares the domain's ports now. err NULL: fine, or vnetd is away. */
typedef void link_declared(void *aux, const struct error *err);
void vnetd_link_declare(struct vnetd_link *, struct domain *, unsigned timeout_ms, link_declared *, void *aux);
/* Until the domain's ports are in place on this host, or the time is over. */
typedef void link_waited(void *aux, bool is_ready);
void vnetd_link_wait(struct vnetd_link *, const struct domain *, unsigned timeout_ms, link_waited *, void *aux);

#endif
