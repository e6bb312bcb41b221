/* TCP segments without payload (RFC 9293): written whole, and read as far as their fixed header goes. */
#ifndef VNET_PACKET_TCP_H
#define VNET_PACKET_TCP_H 1

#include "vnet/packet/ipv4.h"

enum tcp_flag { TCP_FLAG_FIN = 0x01, TCP_FLAG_SYN = 0x02, TCP_FLAG_RST = 0x04, TCP_FLAG_ACK = 0x10 };

struct tcp_segment {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t flags; /* enum tcp_flag; others as they come */
    uint16_t window;
};

/* Appends the frame; the answer's 'proto' is TCP whatever it says. */
void tcp_put(struct bytes *out, const struct ipv4_answer *, const struct tcp_segment *);

/* False: no TCP, a later fragment, or cut short. The checksum is not looked at: a guest's own interface may leave it to hardware that
 * is not there. */
bool tcp_parse(const struct ipv4_packet *, struct tcp_segment *);

/* Appends the reset that answers a segment for a connection that is not there (RFC 9293, 3.5.2). False: it is no TCP, or a reset itself. */
bool tcp_put_reset(struct bytes *out, const uint8_t *frame, size_t n);

#endif
