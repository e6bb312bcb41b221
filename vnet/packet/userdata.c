#include "vnet/packet/userdata.h"

#include <string.h>

#define VERSION 1

enum userdata_kind {
    USERDATA_LEASE = 1,
    USERDATA_ERROR = 2,
    USERDATA_INNER = 3,
    USERDATA_POOL = 4,
    USERDATA_SPLIT = 5,
    USERDATA_CHECKED = 6,
    USERDATA_ECHO = 7,
    USERDATA_RESET = 8,
    USERDATA_PORT = 9
};

struct head {
    enum userdata_kind kind;
    uint8_t prefix_len, detail;
    struct mac mac, router;
    struct ip gateway;
};

static void
head_put(struct bytes *b, const struct head *h)
{
    bytes_put_u8(b, VERSION);
    bytes_put_u8(b, h->kind);
    bytes_put_u8(b, h->prefix_len);
    bytes_put_u8(b, h->detail);
    bytes_put(b, h->mac.b, sizeof h->mac.b);
    bytes_put(b, h->router.b, sizeof h->router.b);
    bytes_put_be32(b, ip4_u32(h->gateway));
}

static struct mac
mac_get(struct bytes_reader *r)
{
    struct mac mac = { { 0 } };
    const uint8_t *p = reader_take(r, sizeof mac.b);
    if (p)
        memcpy(mac.b, p, sizeof mac.b);
    return mac;
}

static bool
head_get(struct bytes_reader *r, enum userdata_kind kind, struct head *h)
{
    if (reader_u8(r) != VERSION || reader_u8(r) != kind)
        return false;
    h->kind = kind;
    h->prefix_len = reader_u8(r);
    h->detail = reader_u8(r);
    h->mac = mac_get(r);
    h->router = mac_get(r);
    h->gateway = ip4(reader_be32(r));
    return !r->bad && h->prefix_len <= 32;
}

void
userdata_put_lease(struct bytes *b, const struct dhcp_lease *l)
{
    head_put(b, &(struct head){ USERDATA_LEASE, l->prefix_len, l->n_dns, l->mac, l->router, l->gateway });
    bytes_put_be32(b, ip4_u32(l->ip));
    bytes_put_be16(b, l->mtu);
    bytes_put_be32(b, l->lease_s);
    for (size_t i = 0; i < l->n_dns; i++)
        bytes_put_be32(b, ip4_u32(l->dns[i]));
    bytes_put(b, l->domain, strlen(l->domain));
}

bool
userdata_get_lease(const uint8_t *data, size_t n, struct dhcp_lease *l)
{
    struct bytes_reader r;
    struct head h;
    reader_init(&r, data, n);
    if (!head_get(&r, USERDATA_LEASE, &h) || h.detail > LIMIT_LIST)
        return false;

    *l = (struct dhcp_lease){ .mac = h.mac, .router = h.router, .gateway = h.gateway, .prefix_len = h.prefix_len };
    l->ip = ip4(reader_be32(&r));
    l->mtu = reader_be16(&r);
    l->lease_s = reader_be32(&r);
    for (l->n_dns = 0; l->n_dns < h.detail; l->n_dns++)
        l->dns[l->n_dns] = ip4(reader_be32(&r));

    size_t domain_len = reader_left(&r);
    if (r.bad || domain_len > DHCP_DOMAIN_MAX)
        return false;
    memcpy(l->domain, reader_take(&r, domain_len), domain_len);
    return true;
}

void
userdata_put_error(struct bytes *b, const struct icmp_error *e)
{
    head_put(b, &(struct head){ USERDATA_ERROR, e->prefix_len, e->kind, e->mac, e->router, e->gateway });
}

bool
userdata_get_error(const uint8_t *data, size_t n, struct icmp_error *e)
{
    struct bytes_reader r;
    struct head h;
    reader_init(&r, data, n);
    if (!head_get(&r, USERDATA_ERROR, &h) || reader_left(&r) || h.detail < ICMP_NET_UNREACHABLE || h.detail > ICMP_FRAGMENTATION_NEEDED)
        return false;
    *e = (struct icmp_error){ .kind = h.detail, .mac = h.mac, .router = h.router, .gateway = h.gateway, .prefix_len = h.prefix_len };
    return true;
}

void
userdata_put_inner(struct bytes *b, const struct icmp_inner *i)
{
    bytes_put_u8(b, VERSION);
    bytes_put_u8(b, USERDATA_INNER);
    bytes_put_u8(b, i->side);
    bytes_put_be32(b, ip4_u32(i->was));
    bytes_put_be32(b, ip4_u32(i->becomes));
}

bool
userdata_get_inner(const uint8_t *data, size_t n, struct icmp_inner *i)
{
    struct bytes_reader r;
    reader_init(&r, data, n);
    if (reader_u8(&r) != VERSION || reader_u8(&r) != USERDATA_INNER)
        return false;
    uint8_t side = reader_u8(&r);
    struct ip was = ip4(reader_be32(&r)), becomes = ip4(reader_be32(&r));
    if (r.bad || reader_left(&r) || (side != ICMP_INNER_SRC && side != ICMP_INNER_DST))
        return false;
    *i = (struct icmp_inner){ side, was, becomes };
    return true;
}

static void
number_put(struct bytes *b, enum userdata_kind kind, uint32_t number)
{
    bytes_put_u8(b, VERSION);
    bytes_put_u8(b, kind);
    bytes_put_be32(b, number);
}

static bool
number_get(const uint8_t *data, size_t n, enum userdata_kind kind, uint32_t *number)
{
    struct bytes_reader r;
    reader_init(&r, data, n);
    if (reader_u8(&r) != VERSION || reader_u8(&r) != kind)
        return false;
    *number = reader_be32(&r);
    return !r.bad && !reader_left(&r);
}

void
userdata_put_pool(struct bytes *b, uint32_t number)
{
    number_put(b, USERDATA_POOL, number);
}

void
userdata_put_port(struct bytes *b, uint32_t number)
{
    number_put(b, USERDATA_PORT, number);
}

bool
userdata_get_pool(const uint8_t *data, size_t n, uint32_t *number)
{
    return number_get(data, n, USERDATA_POOL, number);
}

void
userdata_put_checked(struct bytes *b, uint32_t port)
{
    number_put(b, USERDATA_CHECKED, port);
}

bool
userdata_get_checked(const uint8_t *data, size_t n, uint32_t *port)
{
    return number_get(data, n, USERDATA_CHECKED, port);
}

void
userdata_put_reset(struct bytes *b)
{
    bytes_put_u8(b, VERSION);
    bytes_put_u8(b, USERDATA_RESET);
}

bool
userdata_is_reset(const uint8_t *data, size_t n)
{
    return n == 2 && data[0] == VERSION && data[1] == USERDATA_RESET;
}

void
userdata_put_split(struct bytes *b, uint16_t mtu)
{
    bytes_put_u8(b, VERSION);
    bytes_put_u8(b, USERDATA_SPLIT);
    bytes_put_be16(b, mtu);
}

bool
userdata_get_split(const uint8_t *data, size_t n, uint16_t *mtu)
{
    struct bytes_reader r;
    reader_init(&r, data, n);
    if (reader_u8(&r) != VERSION || reader_u8(&r) != USERDATA_SPLIT)
        return false;
    *mtu = reader_be16(&r);
    return !r.bad && !reader_left(&r);
}

void
userdata_put_echo(struct bytes *b, enum icmp_echo_side side)
{
    bytes_put_u8(b, VERSION);
    bytes_put_u8(b, USERDATA_ECHO);
    bytes_put_u8(b, side);
}

bool
userdata_get_echo(const uint8_t *data, size_t n, enum icmp_echo_side *side)
{
    struct bytes_reader r;
    reader_init(&r, data, n);
    if (reader_u8(&r) != VERSION || reader_u8(&r) != USERDATA_ECHO)
        return false;
    uint8_t value = reader_u8(&r);
    *side = value == ICMP_ECHO_DST ? ICMP_ECHO_DST : ICMP_ECHO_SRC;
    return !r.bad && !reader_left(&r) && value == *side;
}
