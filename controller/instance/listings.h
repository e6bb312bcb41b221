/* Which hosts' agents have listed their domains, and when that is a whole view: only then may what nobody has listed be taken for gone. A domain may have
 * moved to a host that is not heard of yet.
 *
 * A host counts as heard of when it has listed, or is connected: then its interfaces are known, if it has no agent. What waits does so
 * for one host that is not heard of, and is looked at again with that, and with each listing. */
#ifndef CONTROLLER_INSTANCE_LISTINGS_H
#define CONTROLLER_INSTANCE_LISTINGS_H 1

#include <stdbool.h>
#include <stdint.h>

struct controller;
struct listings;

/* 'settled': the host has listed, and the view is whole; is_late: not at once. 'heard': the host that listings_are_all_heard() has missed is
 * connected, or any was deleted; not called for one that lists. */
struct listings *listings_new(struct controller *, void (*settled)(void *aux, uint32_t host, bool is_late), void (*heard)(void *aux),
                              void *aux);
void listings_free(struct listings *);
void listings_add(struct listings *, uint32_t host);
/* Has it listed, since vnetd started? */
bool listings_has(const struct listings *, uint32_t host);
/* Are all hosts heard of? With 'is_now' a host that has listed and is not connected, nor its agent, is not. */
bool listings_are_all_heard(struct listings *, bool is_now);
/* A host that was deleted is waited for no more. */
void listings_remove(struct listings *, uint32_t host);
/* It is connected now. */
void listings_host_heard(struct listings *, uint32_t host);

#endif
