/* The physical networks, as far as vnetd itself speaks there: it announces public addresses from the hosts that hold them, learns the MAC
 * address of each pool's upstream gateway, and tells of NAT gateways that run out of ports. Follows intent and facts level-triggered:
 * after each change it looks where the addresses concerned are now. */
#ifndef CONTROLLER_OUTSIDE_H
#define CONTROLLER_OUTSIDE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "ofproto/flow/packet_in.h"
#include "vnet/pipeline/feature.h"

struct controller;
struct outside;

struct outside *outside_new(struct controller *);
void outside_free(struct outside *);

/* A gateway's MAC of an earlier run ("pool/NUMBER"); once everything is loaded: begins. What changes before is seen then. */
void outside_remember(struct outside *, uint32_t pool, const char *value);
void outside_begin(struct outside *);

/* After model, runtime and compiler know of it, and hosts concerned want more. */
void outside_changed(struct outside *, const struct vnet_event *);

/* An ARP frame of an upstream gateway, sent to us by a host's flow with userdata_put_pool(). Hostile until checked; not ours: ignored. */
void outside_packet_in(struct controller *, uint32_t host, const struct packet_in *);

/* Where a public address is, and when it was last announced there (since 1970); host 0: nowhere, announced_ms 0: not yet. During a change: as
 * it was before. */
struct outside_place {
    uint32_t host;      /* that holds it */
    uint32_t port_host; /* of the port that it is attached to; 0: of none */
    int64_t announced_ms;
};
struct outside_place outside_place(const struct outside *, uint32_t eip);

/* The pool's upstream gateway has left PROBE_LOST_AFTER questions unanswered and not answered since. */
bool outside_gateway_is_lost(const struct outside *, uint32_t pool);

#endif
