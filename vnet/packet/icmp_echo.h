/* Identifiers of ICMP echoes behind a shared address. Two guests may ask one destination under the same identifier; where conntrack cannot
 * tell them apart (Open vSwitch's own does not translate identifiers), the second one's is disguised: made another by what follows from
 * its private address, so that whoever sees the answer on its way back to that address can undo it. Keeps no state. */
#ifndef VNET_PACKET_ICMP_ECHO_H
#define VNET_PACKET_ICMP_ECHO_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Which of the packet's addresses is the private one. In userdata: never change a number. */
enum icmp_echo_side { ICMP_ECHO_SRC = 1 /* a request that leaves */, ICMP_ECHO_DST = 2 /* an answer that has come back */ };

/* Appends the untagged frame with the other identifier: applied to the answer, the guest's own again. False, 'out' unchanged: no
 * echo request (SRC) or echo reply (DST), or a fragment of one. */
bool icmp_echo_disguise(enum icmp_echo_side, const uint8_t *frame, size_t n, struct bytes *out);

#endif
