#include "vnet/packet/dhcp.h"

#include <string.h>

#include "vnet/packet/checksum.h"
#include "vnet/packet/dhcp_request.h"
#include "vnet/packet/ipv4.h"

#define UDP_HEADER 8
#define SERVER_PORT 67
#define CLIENT_PORT 68
#define BOOTREPLY 2
#define MESSAGE_MIN 300  /* RFC 1542, 2.1: old relays and clients drop shorter ones */
#define MESSAGE_MAX 1236 /* whatever the client allows, fits a 1280-byte path */

static const struct mac broadcast_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

struct reply {
    const struct dhcp_lease *lease;
    const struct dhcp_request *request;
    uint8_t type;
    uint8_t message[MESSAGE_MAX];
    size_t n, max; /* bytes used; most that may be used, without the end mark */
};

/* An option that no longer fits is left out. */
static void
option_put(struct reply *r, uint8_t code, const void *value, size_t len)
{
    if (len > UINT8_MAX || r->n + 2 + len > r->max)
        return;
    r->message[r->n++] = code;
    r->message[r->n++] = len;
    memcpy(r->message + r->n, value, len);
    r->n += len;
}

static void
option_put_u32(struct reply *r, uint8_t code, uint32_t value)
{
    uint8_t v[4];
    put_be32(v, value);
    option_put(r, code, v, sizeof v);
}

static void
dns_put(struct reply *r)
{
    const struct dhcp_lease *l = r->lease;
    uint8_t v[UINT8_MAX];
    size_t n = 0;
    for (size_t i = 0; i < l->n_dns && n + 4 <= sizeof v && r->n + 2 + n + 4 <= r->max; i++, n += 4)
        put_be32(v + n, ip4_u32(l->dns[i]));
    if (n)
        option_put(r, OPTION_DNS, v, n);
}

/* The default route: destination 0 bits long, then its router. A client that takes these takes no option 3. */
static void
routes_put(struct reply *r)
{
    uint8_t v[5] = { 0 };
    put_be32(v + 1, ip4_u32(r->lease->gateway));
    option_put(r, OPTION_ROUTES, v, sizeof v);
}

static void
parameter_put(struct reply *r, uint8_t code)
{
    const struct dhcp_lease *l = r->lease;
    switch (code) {
    case OPTION_MASK: option_put_u32(r, code, ip4_u32(ip_prefix_mask((struct ip_prefix){ l->ip, l->prefix_len }))); break;
    case OPTION_ROUTES: routes_put(r); break;
    case OPTION_ROUTER: option_put_u32(r, code, ip4_u32(l->gateway)); break;
    case OPTION_MTU:
        if (l->mtu)
            option_put(r, code, (uint8_t[]){ l->mtu >> 8, l->mtu & 0xff }, 2);
        break;
    case OPTION_DNS: dns_put(r); break;
    case OPTION_DOMAIN:
        if (l->domain[0])
            option_put(r, code, l->domain, strlen(l->domain));
        break;
    }
}

/* Mask before routers (RFC 2132, 3.3), routes before the router that they replace (RFC 3442); what a guest cannot do without is told whether
 * or not it asks. The rest as it asks, in its order; all of it if it asks for nothing in particular. */
static void
parameters_put(struct reply *r)
{
    static const uint8_t always[] = { OPTION_MASK, OPTION_ROUTES, OPTION_ROUTER, OPTION_MTU };
    static const uint8_t wanted[] = { OPTION_DNS, OPTION_DOMAIN };
    for (size_t i = 0; i < sizeof always; i++)
        parameter_put(r, always[i]);

    const struct dhcp_request *q = r->request;
    bool is_put[sizeof wanted] = { false };
    for (size_t i = 0; i < q->n_parameters; i++) {
        const uint8_t *w = memchr(wanted, q->parameters[i], sizeof wanted);
        if (w && !is_put[w - wanted]) {
            is_put[w - wanted] = true;
            parameter_put(r, *w);
        }
    }
    for (size_t i = 0; i < sizeof wanted && !q->n_parameters; i++)
        parameter_put(r, wanted[i]);
}

static void
times_put(struct reply *r)
{
    uint32_t lease_s = r->lease->lease_s;
    option_put_u32(r, OPTION_LEASE, lease_s);
    option_put_u32(r, OPTION_T1, lease_s / 2);
    option_put_u32(r, OPTION_T2, (uint64_t) lease_s * 7 / 8);
}

static void
reply_fill(struct reply *r)
{
    const struct dhcp_request *q = r->request;
    uint8_t *m = r->message;
    memcpy(m, q->message, DHCP_SECS);
    m[DHCP_OP] = BOOTREPLY;
    m[3] = 0;
    put_be16(m + DHCP_FLAGS, q->flags);
    memcpy(m + DHCP_CHADDR, q->message + DHCP_CHADDR, 16);
    put_be32(m + DHCP_COOKIE, DHCP_MAGIC);
    r->n = DHCP_OPTIONS;

    option_put(r, OPTION_TYPE, &r->type, 1);
    option_put_u32(r, OPTION_SERVER, ip4_u32(r->lease->gateway));
    if (q->client_id)
        option_put(r, q->client_id[0], q->client_id + 2, q->client_id[1]);
    if (r->type == DHCP_NAK)
        return;

    if (q->type != DHCP_DISCOVER)
        put_be32(m + DHCP_CIADDR, ip4_u32(q->client_ip));
    if (q->type != DHCP_INFORM) {
        put_be32(m + DHCP_YIADDR, ip4_u32(r->lease->ip));
        times_put(r);
    }
    parameters_put(r);
}

/* RFC 2131, 4.1: to the address that the client has, or all, or the address it gets. */
static struct ipv4_answer
reply_addresses(const struct reply *r)
{
    const struct dhcp_request *q = r->request;
    struct ipv4_answer a = { r->lease->mac, r->lease->router, r->lease->gateway, r->lease->ip, IPV4_PROTO_UDP };
    bool has_address = ip4_u32(q->client_ip) != 0;
    if (r->type == DHCP_NAK || (!has_address && q->flags & DHCP_BROADCAST)) {
        a.eth_dst = broadcast_mac;
        a.dst = ip4(UINT32_MAX);
    }
    return a;
}

static void
reply_send(struct reply *r, struct bytes *out)
{
    r->message[r->n++] = OPTION_END;
    size_t len = r->n > MESSAGE_MIN ? r->n : MESSAGE_MIN, udp_len = UDP_HEADER + len;
    struct ipv4_answer a = reply_addresses(r);
    uint8_t *udp = ipv4_put(out, &a, udp_len);
    put_be16(udp, SERVER_PORT);
    put_be16(udp + 2, CLIENT_PORT);
    put_be16(udp + 4, udp_len);
    memcpy(udp + UDP_HEADER, r->message, len);

    uint32_t sum = checksum_add(0, udp - 8, 8); /* the addresses */
    uint16_t checksum = checksum_finish(checksum_add(sum + IPV4_PROTO_UDP + udp_len, udp, udp_len));
    put_be16(udp + 6, checksum ? checksum : UINT16_MAX);
}

/* What a REQUEST is about: taking an offer and asking again after a reboot name the address as an option, renewing in ciaddr. */
static uint8_t
request_verdict(const struct dhcp_lease *l, const struct dhcp_request *q)
{
    struct ip wanted = q->requested_ip.family == IP_V4 ? q->requested_ip : q->client_ip;
    if (q->server.family == IP_V4 && !ip_equal(q->server, l->gateway))
        return 0;
    return ip_equal(wanted, l->ip) ? DHCP_ACK : DHCP_NAK;
}

/* The answer's type; 0: none. */
static uint8_t
verdict(const struct dhcp_lease *l, const struct dhcp_request *q)
{
    switch (q->type) {
    case DHCP_DISCOVER: return DHCP_OFFER;
    case DHCP_REQUEST: return request_verdict(l, q);
    case DHCP_INFORM: return ip_equal(q->client_ip, l->ip) ? DHCP_ACK : 0;
    default: return 0;
    }
}

bool
dhcp_answer(const struct dhcp_lease *lease, const uint8_t *frame, size_t n, struct bytes *out)
{
    struct dhcp_request request;
    if (!dhcp_request_parse(frame, n, &request) || !mac_equal(request.client, lease->mac))
        return false;

    struct reply reply = { .lease = lease, .request = &request, .type = verdict(lease, &request) };
    if (!reply.type)
        return false;
    size_t max = request.max_size - IPV4_HEADER - UDP_HEADER;
    reply.max = (max < MESSAGE_MAX ? max : MESSAGE_MAX) - 1;
    reply_fill(&reply);
    reply_send(&reply, out);
    return true;
}
