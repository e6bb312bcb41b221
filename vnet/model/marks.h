/* Marks: what an object carries because others refer to it, so that whoever needs to know learns by its own change when that begins and when
 * it ends, and never has to walk who refers. Transactions keep them. */
#ifndef VNET_MODEL_MARKS_H
#define VNET_MODEL_MARKS_H 1

#include "vnet/model/transaction_state.h"

/* Groups that rules name as their peer, VPCs that have a load balancer: of what the transaction adds or removes. */
bool marks_keep(struct transaction *, struct error *) MUST_CHECK;

#endif
