/* A health check's packet and what a target says to it: bytes in, bytes out. The packet comes from the gateway of the target's subnet, which
 * has no TCP of its own, so every answer that means a connection is ended by a reset.
 *
 *     TCP    SYN           ->  SYN+ACK: alive (reset), RST: refused, ICMP unreachable: refused
 *     ICMP   echo request  ->  echo reply: alive,                    ICMP unreachable: refused
 *
 * The cookie is in the packet and in whatever answers it: an answer to another probe, or one made up, is none. */
#ifndef VNET_PACKET_PROBE_H
#define VNET_PACKET_PROBE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

/* Probes are sent from these ports, by the cookie: a probe that follows another is another connection. */
#define PROBE_PORT 0xff00
#define PROBE_PORT_MASK 0xff00

struct probe {
    enum probe_kind { PROBE_TCP, PROBE_ICMP } kind;
    struct mac mac, router; /* the target's, and whom the packet comes from */
    struct ip ip, gateway;  /* likewise, IPv4 */
    uint16_t port;          /* PROBE_TCP: the target's */
    uint32_t cookie;
};

/* Appends the frame. */
void probe_put(struct bytes *out, const struct probe *);

enum probe_answer { PROBE_NONE, PROBE_ALIVE, PROBE_REFUSED };

/* The cookie of the probe that a frame would answer, if it is an answer. False: it can be none. */
bool probe_cookie(const uint8_t *frame, size_t n, uint32_t *cookie);

/* What a frame of the target says to the probe. To a segment that the target shall not wait after, of this probe or an earlier one, a reset
 * is appended. */
enum probe_answer probe_judge(const struct probe *, const uint8_t *frame, size_t n, struct bytes *reset);

/* Such a reset alone, where no probe is under way; of the probe only the addresses count. False, 'reset' unchanged: the frame calls for none. */
bool probe_reset(const struct probe *, const uint8_t *frame, size_t n, struct bytes *reset);

#endif
