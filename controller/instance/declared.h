/* Ports that a domain's XML declares: made when its agent says so, changed with it, removed when the domain is gone. */
#ifndef CONTROLLER_INSTANCE_DECLARED_H
#define CONTROLLER_INSTANCE_DECLARED_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/uuid.h"

struct controller;
struct model;
struct sighting;

/* An agent's declaration (controller/api/README.md): ports are made, and all that the domain has are expected on the host. 'done' is called from
 * the loop, or from here if nothing is to be made; err NULL: fine. */
typedef void declared_done(void *aux, const struct error *err);
void declared_take(struct controller *, uint32_t host, const json_t *declaration, declared_done *, void *aux);

/* The domain has moved to this host while it ran: its declared ports are said to be of here. */
void declared_moved(struct controller *, uint32_t host, struct uuid domain, const struct uuid ports[], size_t n);

/* The domain is gone from its last host: the ports it declared are to go (removals.h), those of its interfaces, as that host had seen them (NULL: never),
 * and others that are said to be of there. */
void declared_remove(struct controller *, uint32_t host, struct uuid domain, const struct sighting *last);
/* The same for every domain of that host's declared ports that 'is_known' does not know; but a port that is bound to another host is that one's to speak of,
 * and is_late, a while after the host has listed its domains, one that is bound there is not taken either. */
void declared_remove_unknown(struct controller *, uint32_t host, bool is_late, bool (*is_known)(void *aux, struct uuid), void *aux);

/* Does an elastic IP, a route or a target refer to the port? */
bool declared_is_referred_to(const struct model *, uint32_t port);

/* Between declared.c and declared_owner.c: an operation on a port, to be completed. New reference. */
json_t *declared_op(const char *kind, const char *name);

#endif
