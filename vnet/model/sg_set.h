/* Combinations of security groups: one object for all ports that have exactly the same groups, so that what depends on a port's groups depends
 * on one number. Transactions keep them; work grows with the ports changed, never with those that are there. */
#ifndef VNET_MODEL_SG_SET_H
#define VNET_MODEL_SG_SET_H 1

#include "vnet/model/transaction_state.h"

/* The port's VPC's default group in place of a list that is not given, and the combination of what it has then, made if need be. */
bool sg_set_join(struct transaction *, struct port *, struct error *) MUST_CHECK;

/* Removes the combinations that no port has any more of those that a port of this transaction had. */
bool sg_sets_sweep(struct transaction *, struct error *) MUST_CHECK;

#endif
