/* What a flow tells the responder along with a packet, as bytes: all that the answer needs, so that whoever holds the controller id can
 * answer. Versioned: a responder takes the versions it knows and leaves others unanswered. Big-endian, compact:
 *
 *     version (1)  kind (1)  prefix length (1)  error kind or number of name servers (1)  MAC (6)  router's MAC (6)  gateway (4)
 *     a lease further: address (4)  MTU (2)  lease (4)  name servers (4 each)  domain (the rest)
 *
 *     version (1)  kind (1)  side of a quote (1)  address (4)  what it becomes (4)
 *     version (1)  kind (1)  number of a pool (4)
 *     version (1)  kind (1)  MTU (2)
 *     version (1)  kind (1)  number of a port (4)
 *     version (1)  kind (1)  side of an echo (1)
 *     version (1)  kind (1)
 */
#ifndef VNET_PACKET_USERDATA_H
#define VNET_PACKET_USERDATA_H 1

#include "vnet/packet/dhcp.h"
#include "vnet/packet/icmp.h"
#include "vnet/packet/icmp_echo.h"
#include "vnet/packet/icmp_inner.h"

void userdata_put_lease(struct bytes *, const struct dhcp_lease *);
void userdata_put_error(struct bytes *, const struct icmp_error *);
void userdata_put_inner(struct bytes *, const struct icmp_inner *);
void userdata_put_pool(struct bytes *, uint32_t number);  /* ARP of its upstream gateway */
void userdata_put_reset(struct bytes *);                  /* the sender is told by a reset */
void userdata_put_split(struct bytes *, uint16_t mtu);    /* the packet goes on in pieces */
void userdata_put_checked(struct bytes *, uint32_t port); /* its answer to a health check */
void userdata_put_echo(struct bytes *, enum icmp_echo_side);

void userdata_put_port(struct bytes *, uint32_t number); /* its guest speaks from its second place */

/* False: another version, another kind, or malformed. */
bool userdata_get_lease(const uint8_t *, size_t, struct dhcp_lease *);
bool userdata_get_error(const uint8_t *, size_t, struct icmp_error *);
bool userdata_get_inner(const uint8_t *, size_t, struct icmp_inner *);
bool userdata_get_pool(const uint8_t *, size_t, uint32_t *number);
bool userdata_is_reset(const uint8_t *, size_t);
bool userdata_get_split(const uint8_t *, size_t, uint16_t *mtu);
bool userdata_get_checked(const uint8_t *, size_t, uint32_t *port);
bool userdata_get_echo(const uint8_t *, size_t, enum icmp_echo_side *);

#endif
