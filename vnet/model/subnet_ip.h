/* Addresses of a subnet that ports and load balancers have: each at most one holder. */
#ifndef VNET_MODEL_SUBNET_IP_H
#define VNET_MODEL_SUBNET_IP_H 1

#include "vnet/model/transaction_state.h"

/* The lowest free one. Network, gateway, the second and the broadcast address are never handed out. */
bool subnet_ip_take(struct transaction *, uint32_t subnet, struct ip *, struct error *) MUST_CHECK;

/* May something in the subnet have it? Whether something has it already is for its facts to say. */
bool subnet_ip_check(struct transaction *, uint32_t subnet, struct ip, struct error *) MUST_CHECK;

#endif
