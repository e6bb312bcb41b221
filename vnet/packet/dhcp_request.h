/* A client's DHCP message, parsed within limits. Private to vnet/packet. */
#ifndef VNET_PACKET_DHCP_REQUEST_H
#define VNET_PACKET_DHCP_REQUEST_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* RFC 2131, figure 1: offsets in a message. */
enum {
    DHCP_OP = 0,
    DHCP_HTYPE = 1,
    DHCP_HLEN = 2,
    DHCP_XID = 4,
    DHCP_SECS = 8,
    DHCP_FLAGS = 10,
    DHCP_CIADDR = 12,
    DHCP_YIADDR = 16,
    DHCP_GIADDR = 24,
    DHCP_CHADDR = 28,
    DHCP_SNAME = 44,
    DHCP_FILE = 108,
    DHCP_COOKIE = 236,
    DHCP_OPTIONS = 240
};
#define DHCP_MAGIC 0x63825363u
#define DHCP_BROADCAST 0x8000

enum dhcp_option {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_DOMAIN = 15,
    OPTION_MTU = 26,
    OPTION_REQUESTED_IP = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_MAX_SIZE = 57,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_ROUTES = 121,
    OPTION_END = 255
};

enum dhcp_type { DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK, DHCP_NAK, DHCP_RELEASE, DHCP_INFORM };

struct dhcp_request {
    const uint8_t *message; /* at least DHCP_OPTIONS bytes */
    uint8_t type;
    struct mac client;
    struct ip client_ip;    /* ciaddr; 0.0.0.0: none */
    struct ip requested_ip; /* IP_NONE: not said */
    struct ip server;       /* IP_NONE: not said */
    uint16_t flags;
    uint16_t max_size;         /* of an answer's IP packet; never below 576 */
    const uint8_t *parameters; /* options asked for, in order */
    uint8_t n_parameters;
    const uint8_t *client_id; /* the option whole, to be given back (RFC 6842); NULL: none */
};

/* From an Ethernet frame. False: not a well-formed request to a DHCP server. */
bool dhcp_request_parse(const uint8_t *frame, size_t n, struct dhcp_request *);

#endif
