#include "vnet/packet/dhcp_request.h"

#include <string.h>

#include "vnet/packet/ipv4.h"

#define UDP_HEADER 8
#define SERVER_PORT 67
#define CLIENT_PORT 68
#define BOOTREQUEST 1
#define HTYPE_ETHERNET 1
#define MAX_SIZE_LEAST 576
#define OPTION_CLIENT_ID 61
#define IN_FILE 1
#define IN_SNAME 2

/* The UDP payload of a whole datagram to a server. Checksums are not looked at: guests leave them to their network card. */
static const uint8_t *
message_find(const uint8_t *frame, size_t n, size_t *len)
{
    struct ipv4_packet p;
    if (!ipv4_parse(frame, n, &p) || p.proto != IPV4_PROTO_UDP || p.more_fragments || p.fragment_offset
        || p.header_len + p.payload_len != p.total_len || p.payload_len < UDP_HEADER)
        return NULL;
    size_t udp_len = get_be16(p.payload + 4);
    if (get_be16(p.payload + 2) != SERVER_PORT || udp_len > p.payload_len || udp_len < UDP_HEADER + DHCP_OPTIONS)
        return NULL;
    *len = udp_len - UDP_HEADER;
    return p.payload + UDP_HEADER;
}

static bool
address_take(const uint8_t *value, uint8_t len, struct ip *ip)
{
    if (len != 4)
        return false;
    *ip = ip4(get_be32(value));
    return true;
}

/* One option; 'value' follows its code and length. False: its length is not what its code asks for. */
static bool
option_take(struct dhcp_request *r, const uint8_t *value, uint8_t *overload)
{
    uint8_t code = value[-2], len = value[-1];
    switch (code) {
    case OPTION_TYPE: r->type = value[0]; return len == 1;
    case OPTION_REQUESTED_IP: return address_take(value, len, &r->requested_ip);
    case OPTION_SERVER: return address_take(value, len, &r->server);
    case OPTION_OVERLOAD: *overload = value[0]; return len == 1;
    case OPTION_MAX_SIZE:
        if (len == 2 && get_be16(value) > r->max_size)
            r->max_size = get_be16(value);
        return len == 2;
    case OPTION_PARAMETERS:
        r->parameters = value;
        r->n_parameters = len;
        return true;
    case OPTION_CLIENT_ID: r->client_id = value - 2; return len > 0;
    default: return true;
    }
}

static bool
options_parse(struct dhcp_request *r, const uint8_t *p, size_t n, uint8_t *overload)
{
    const uint8_t *end = p + n;
    while (p < end && *p != OPTION_END) {
        if (*p == OPTION_PAD) {
            p++;
            continue;
        }
        if (end - p < 2 || end - p - 2 < p[1] || (!p[1] && (*p == OPTION_TYPE || *p == OPTION_OVERLOAD)))
            return false;
        if (!option_take(r, p + 2, overload))
            return false;
        p += 2 + p[1];
    }
    return true;
}

bool
dhcp_request_parse(const uint8_t *frame, size_t n, struct dhcp_request *r)
{
    size_t len;
    const uint8_t *m = message_find(frame, n, &len);
    if (!m || m[DHCP_OP] != BOOTREQUEST || m[DHCP_HTYPE] != HTYPE_ETHERNET || m[DHCP_HLEN] != 6 || get_be32(m + DHCP_COOKIE) != DHCP_MAGIC)
        return false;

    *r = (struct dhcp_request){
        .message = m,
        .client_ip = ip4(get_be32(m + DHCP_CIADDR)),
        .flags = get_be16(m + DHCP_FLAGS),
        .max_size = MAX_SIZE_LEAST,
    };
    memcpy(r->client.b, m + DHCP_CHADDR, sizeof r->client.b);

    uint8_t overload = 0, ignored = 0;
    if (!options_parse(r, m + DHCP_OPTIONS, len - DHCP_OPTIONS, &overload))
        return false;
    if (overload & IN_FILE && !options_parse(r, m + DHCP_FILE, DHCP_COOKIE - DHCP_FILE, &ignored))
        return false;
    if (overload & IN_SNAME && !options_parse(r, m + DHCP_SNAME, DHCP_FILE - DHCP_SNAME, &ignored))
        return false;
    return r->type != 0;
}
