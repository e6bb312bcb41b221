/* Between the files of this folder. */
#ifndef VNET_FEATURE_EIP_EIP_PRIVATE_H
#define VNET_FEATURE_EIP_EIP_PRIVATE_H 1

#include "vnet/pipeline/placement.h"

/* What becomes of a packet that waits at a public address: an ICMP error whose quote is to be translated, or one too big for the guest. */
bool eip_resume(const struct packet_in *, unsigned i, struct bytes *out);

/* Rows of a host that serves the address: what is too big for its uplink is told so, or taken apart. None if that takes all that guests may send. */
void eip_narrow_rows(struct block *, const struct placement *);

#endif
