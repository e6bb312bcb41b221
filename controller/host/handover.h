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
 * places do not wait for each other: what a host has made is counted apart (made_seq) from up to where it is whole (confirmed_seq).
 *
 * Nobody waits for a host that is not connected, nor where the old holder is dead, nor when the address is taken away: that is done at once. NAT gateways'
 * and balancers' addresses do not wait either: their connections are in the old holder's conntrack, and end with the move or begin anew at the new one
 * (lb.md). */
#ifndef CONTROLLER_HOST_HANDOVER_H
#define CONTROLLER_HOST_HANDOVER_H 1

#include <stdbool.h>
#include <stdint.h>

#include "vnet/pipeline/feature.h"

#define HANDOVER_MS 1000

struct controller;
struct handovers;
struct hypervisor;

/* What is held back on a host since one change, by how many addresses; 'until' is what it must confirm when none does any more. */
struct holdback {
    struct holdback *next; /* of another change */
    uint64_t since, until; /* until 0: still held back */
    uint64_t moved;        /* the last change that moved one of them on; 0: none did */
    size_t n;
};

struct handovers *handovers_new(struct controller *);
void handovers_free(struct handovers *);

/* Anything changed: model and runtime show it, the compiler has not been told, the sequence number is the change's. */
void handovers_look(struct handovers *, const struct vnet_event *);
/* The host's switch has confirmed all that was made for it up to 'seq': the number up to which it is whole. */
uint64_t handovers_confirmed(struct handovers *, struct hypervisor *, uint64_t seq);
/* Has the host confirmed all up to 'seq', and does it keep nothing any more of what 'change' moved away from it? What it keeps of other changes is not
 * asked about. */
bool host_has_made(const struct hypervisor *, uint64_t seq, uint64_t change);
/* Nothing is to be expected of it for now. */
void handovers_host_lost(struct handovers *, struct hypervisor *);

#endif
