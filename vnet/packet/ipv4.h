/* Reading and writing Ethernet frames with IPv4: what the responders share. */
#ifndef VNET_PACKET_IPV4_H
#define VNET_PACKET_IPV4_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

#define ETHERNET_HEADER 14
#define IPV4_HEADER 20 /* without options */

#define IPV4_PROTO_ICMP 1
#define IPV4_PROTO_TCP 6
#define IPV4_PROTO_UDP 17

/* An untagged IPv4 frame, header lengths checked: pointers into it. */
struct ipv4_packet {
    struct mac eth_dst, eth_src;
    const uint8_t *header; /* 'header_len' bytes, options included */
    size_t header_len;
    const uint8_t *payload; /* as much as is there and belongs to the packet */
    size_t payload_len;
    size_t total_len; /* as the header says */
    struct ip src, dst;
    uint8_t ttl, proto;
    bool dont_fragment, more_fragments;
    uint16_t fragment_offset; /* in 8 bytes */
};

/* False if it is not one. A frame cut short is one as long as its IP header is whole. */
bool ipv4_parse(const uint8_t *frame, size_t n, struct ipv4_packet *);

/* A packet that is too big for what comes next, as pieces of which no header with its payload is longer than 'mtu' (RFC 791, 3.2); it may
 * be a fragment itself. Appends the frame of the i-th piece: the packet itself if it fits. False, 'out' unchanged: there is no such piece,
 * or the frame is no whole IPv4 packet, or cannot be taken apart. Whether it may be (DF) is the caller's to know. */
bool ipv4_put_piece(struct bytes *out, const uint8_t *frame, size_t n, uint16_t mtu, unsigned i);

struct ipv4_answer {
    struct mac eth_dst, eth_src;
    struct ip src, dst;
    uint8_t proto;
};

/* Appends Ethernet and IP header, and room for the payload, which the caller fills in: returns it, all zero, valid until 'out' changes. */
uint8_t *ipv4_put(struct bytes *out, const struct ipv4_answer *, size_t payload_len);

void put_be16(uint8_t *, uint16_t);
void put_be32(uint8_t *, uint32_t);
uint16_t get_be16(const uint8_t *);
uint32_t get_be32(const uint8_t *);

#endif
