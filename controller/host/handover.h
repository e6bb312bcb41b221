/* A port's public address that goes to another place goes to the new one first: the hosts that serve the old place keep its rows until the
 * new one's switch has confirmed.
 *
 *                    a change moves the address                     all new hosts have confirmed, or one
 *                    (it waits for hosts that are new to it)        of them was lost, or HANDOVER_MS are over
 *     at its place ---------------------------------> handed over ------------------------------> at its new place
 *          ^                                            |     ^                                          |
 *          |                                            +-----+ it moves again: its clock goes on        |
 *          +---------------------------------------------------------------------------------------------+
 *
 * What waits on an old host is the address's block alone (compiler_hold()); whatever else changes there is sent meanwhile. So two addresses that change
 * places do not wait for each other: what a host has made is counted apart from up to where it is whole (holdback.h).
 *
 * Nobody waits for a host that is not connected, nor where the old holder or its uplink is dead, nor when the address is taken away: that is done at
 * once. NAT gateways' and balancers' addresses do not wait either: their connections are in the old holder's conntrack, and end with the move or begin
 * anew at the new one (lb.md). */
#ifndef CONTROLLER_HOST_HANDOVER_H
#define CONTROLLER_HOST_HANDOVER_H 1

#include <stdbool.h>
#include <stdint.h>

#include "vnet/pipeline/feature.h"

#define HANDOVER_MS 1000

struct controller;
struct handovers;
struct hypervisor;

struct handovers *handovers_new(struct controller *);
void handovers_free(struct handovers *);

/* Anything changed: model and runtime show it, the compiler has not been told, the sequence number is the change's. */
void handovers_look(struct handovers *, const struct vnet_event *);
/* The host's switch has confirmed all that was made for it up to 'seq': the number up to which it is whole. */
uint64_t handovers_confirmed(struct handovers *, struct hypervisor *, uint64_t seq);
/* Nothing is to be expected of it for now. */
void handovers_host_lost(struct handovers *, struct hypervisor *);

#endif
