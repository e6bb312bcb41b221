/* Whether rules name a group as their peer, as a mark on the group: whoever needs the addresses of its members learns by the group's change
 * when they become of use and when they no longer are. */
#ifndef VNET_MODEL_SG_PEER_H
#define VNET_MODEL_SG_PEER_H 1

#include "vnet/model/transaction_state.h"

/* Marks the peers of the rules that the transaction adds or removes. */
bool sg_peers_mark(struct transaction *, struct error *) MUST_CHECK;

#endif
