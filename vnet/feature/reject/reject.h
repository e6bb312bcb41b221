/* Which counted drop a flow is: for whoever reads counters. All counted flows of a port have one cookie,
 * cookie_make(FEATURE_REJECT, OBJECT_PORT, number); those of a host, under the word 'tunnel', are among those of
 * cookie_make(FEATURE_TUNNEL, OBJECT_HOST, its number) on the host itself; those of a public address, under the words 'fragment' and 'icmp', are in NAT_OUT
 * and NAT_IN at its holder, among those of (FEATURE_EIP, OBJECT_EIP) or, if a NAT gateway has it, (FEATURE_NATGW, OBJECT_NATGW). */
#ifndef VNET_FEATURE_REJECT_H
#define VNET_FEATURE_REJECT_H 1

#include "vnet/pipeline/layout.h"

/* A flow's packets count under this reason; REASON_NONE: it counts nothing. Takes what a spec and a flow read back both have. */
enum reason reject_reason_of(uint64_t cookie, uint8_t table, uint16_t priority);

#endif
