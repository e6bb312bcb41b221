/* Declared ports whose domain is gone, and which are still to be removed: at once if nothing speaks against it, else owed until it does no more.
 *
 *   what keeps a port                                             when it is looked at again
 *   another host shows its interface, or is told that it comes     that interface goes
 *   a host is not heard of that the domain may be on               it is heard of
 *   a migration of the domain is under way                         its host lists what it has
 *   an elastic IP, a route or a target refers to it                the transaction that takes the last of them away
 *
 * A domain that is seen again, or declares the port anew, owes nothing. In memory only: after a restart of vnetd full reports say what is gone. */
#ifndef CONTROLLER_INSTANCE_REMOVALS_H
#define CONTROLLER_INSTANCE_REMOVALS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "vnet/model/transaction.h"

struct controller;
struct removals;

struct removals *removals_new(struct controller *);
void removals_free(struct removals *);

/* The port's domain is gone, 'from' this host last: what that one still shows keeps nothing now. 'has_left': it has said that the domain moves. */
void removals_add(struct removals *, uint32_t port, struct uuid domain, uint32_t from, bool has_left);
/* It is declared anew. */
void removals_forget(struct removals *, uint32_t port);

/* A host does not show the port's interface any more, or it comes no more. */
void removals_interface_gone(struct removals *, uint32_t port);
/* After the model shows it. */
void removals_changed(struct removals *, const struct change *);
/* A host is heard of, or exists no more: looks at all that are owed. */
void removals_look(struct removals *);

#endif
