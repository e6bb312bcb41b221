/* Guests on the move between hosts: when their ports are bound to the new place, and how each move went (a flight recorder).
 *
 *                 the destination's agent says so          the guest's first packet there, or its host says it runs
 *     (nothing) ----------------------------> ANNOUNCED ---------------------------------------> MOVED ----> DONE
 *                                                 |                                                |       its former host has it no more
 *                                                 +-- it failed there --> UNDONE <-- it runs again where it was --+
 *
 * While ANNOUNCED the destination is armed (port_twin.c): all is in place there but nothing passes. It is so, too, while the guest runs there already
 * but the host has not shown all its interfaces: MOVED is one whose ports are all bound to where it runs. */
#ifndef CONTROLLER_INSTANCE_MIGRATIONS_H
#define CONTROLLER_INSTANCE_MIGRATIONS_H 1

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/uuid.h"

struct controller;
struct migrations;
struct sighting;

struct migrations *migrations_new(struct controller *);
void migrations_free(struct migrations *);

/* A domain with these ports is about to move to the host. The same again is the same migration; to where it is already, none. */
void migrations_announced(struct migrations *, uint32_t to, struct uuid domain, const struct uuid ports[], size_t n);
/* The guest has spoken from its armed place. */
void migrations_spoken(struct migrations *, uint32_t host, uint32_t port);
/* What a host says of a domain; or (is_gone) that it has it no more. */
void migrations_seen(struct migrations *, const struct sighting *, bool is_gone);
/* A host has told all that it has: who was about to move there and is not among them does not. */
void migrations_listed(struct migrations *, uint32_t host, bool (*has)(void *aux, struct uuid domain), void *aux);
/* A host shows the port's interface, or shows it otherwise than before: a binding that had to wait for it is made. */
void migrations_interface(struct migrations *, uint32_t host, uint32_t port);
/* Is it not known yet where the domain will be, or is? */
bool migrations_is_open(const struct migrations *, struct uuid domain);
/* The port's host has confirmed it. */
void migrations_confirmed(struct migrations *, uint32_t host, uint32_t port);

/* Those of a domain that are remembered, the oldest first. New reference. */
json_t *migrations_json(const struct migrations *, struct uuid domain);

#endif
