/* The host that a public address has just left. When the new place has confirmed and is about to announce itself, the outside still sends to the old
 * one for a moment: what is on its way, what a switch sends that the announcement has not reached yet, or that what left by the old place last has
 * misled. So for TRAIL_MS the old place goes on, but for ARP (feature eip): what comes there is translated there and goes to its port's host.
 *
 *     handed over ---> the last host is the trail ---TRAIL_MS are over---> none
 *                        ^                  |
 *                        +--handed over-----+  its clock begins again, for the host that it has left now
 *
 * It is no fact that outlives vnetd: after a restart there are no trails. */
#ifndef CONTROLLER_HOST_TRAILS_H
#define CONTROLLER_HOST_TRAILS_H 1

#include <stdint.h>

#define TRAIL_MS 5000 /* five announcements are made by then */

struct controller;
struct trails;

struct trails *trails_new(struct controller *);
void trails_free(struct trails *);

/* The elastic IP has left that host for another. The sequence number is one that no host has confirmed yet. */
void trails_leave(struct trails *, uint32_t eip, uint32_t host);

#endif
