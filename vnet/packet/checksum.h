/* The Internet checksum (RFC 1071), and packet headers in network order. */
#ifndef VNET_PACKET_CHECKSUM_H
#define VNET_PACKET_CHECKSUM_H 1

#include <stddef.h>
#include <stdint.h>

/* Sums 16-bit words of 'data' onto 'sum'; an odd last byte counts as followed by 0, so only the last piece may be odd. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t n);
/* The checksum field's value for what was summed. */
uint16_t checksum_finish(uint32_t sum);

#endif
