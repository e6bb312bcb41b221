/* Numbers of deleted objects. A number is not used again until every host has confirmed the deletion, since its flows carry the number
 * in their cookies. A host that is away holds numbers back until it returns or is deleted. */
#ifndef CONTROLLER_RETIRED_H
#define CONTROLLER_RETIRED_H 1

#include "vnet/model/transaction.h"

struct controller;
struct retired;

struct retired *retired_new(struct controller *);
void retired_free(struct retired *);

/* Those of the changes that are deletions; they have the controller's present sequence number. */
void retired_add(struct retired *, const struct change *, size_t n);
void retired_load(struct retired *, uint32_t number); /* of an earlier run: free once every host has confirmed anything */
bool retired_has(const struct retired *, uint32_t number);
void retired_check(struct retired *); /* a host has confirmed more, or was deleted */

#endif
