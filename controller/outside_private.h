/* Outside from inside: outside.c ties the parts, announcements.c speaks for public addresses, upstream.c with gateways, exhaustion.c watches
 * NAT gateways. */
#ifndef CONTROLLER_OUTSIDE_PRIVATE_H
#define CONTROLLER_OUTSIDE_PRIVATE_H 1

#include "base/addr.h"
#include "controller/controller.h"
#include "controller/host/host_reach.h"
#include "controller/outside.h"

/* ---- outside.c ---- */
/* Calls announcements_host_ready() and upstreams_host_ready() once the host has confirmed more, or has connected again. */
void outside_watch_host(struct outside *, uint32_t host);

/* ---- announcements.c ---- */
struct announcements *announcements_new(struct outside *, struct controller *);
void announcements_free(struct announcements *);
void announcements_look(struct announcements *, uint32_t eip); /* where is it now? */
void announcements_host_ready(struct announcements *, uint32_t host);
struct outside_place announcements_place(const struct announcements *, uint32_t eip);
/* A public address of the pool that the host holds; false: none. */
bool announcements_held(const struct announcements *, uint32_t pool, uint32_t host, struct ip *);

/* ---- upstream.c ---- */
struct upstreams *upstreams_new(struct outside *, struct controller *, const struct announcements *);
void upstreams_free(struct upstreams *);
void upstreams_look(struct upstreams *, uint32_t pool); /* it is there, has changed, or is gone */
void upstreams_hurry(struct upstreams *);               /* hosts came to reach physical networks, or no longer do */
void upstreams_host_ready(struct upstreams *);
bool upstreams_is_lost(const struct upstreams *, uint32_t pool);
void upstreams_heard(struct upstreams *, uint32_t host, const struct packet_in *);

/* ---- exhaustion.c ---- */
struct exhaustion *exhaustion_new(struct controller *);
/* The store is read: these gateways' flows have been counting before. */
void exhaustion_begin(struct exhaustion *);
void exhaustion_free(struct exhaustion *);

#endif
