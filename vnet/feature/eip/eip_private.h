/* Between the files of this folder. */
#ifndef VNET_FEATURE_EIP_EIP_PRIVATE_H
#define VNET_FEATURE_EIP_EIP_PRIVATE_H 1

#include "vnet/pipeline/feature.h"

/* What becomes of a packet that waits at a public address: an ICMP error whose quote is to be translated, or one too big for the guest. */
bool eip_resume(const struct packet_in *, unsigned i, struct bytes *out);

#endif
