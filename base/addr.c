/* Addresses as plain values. Every room uses them: the model for what users write, flows for what is matched,
 * packets for what is answered.
 *
 * Invariant: bytes of an 'struct ip' beyond its family's length are zero, so that comparing all 16 is right. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"

bool
mac_parse(const char *s, struct mac *mac)
{
    struct mac parsed;
    for (int i = 0; i < 6; i++) {
        if (i && *s++ != ':')
            return false;
        int byte = text_hex_byte(s);
        if (byte < 0)
            return false;
        parsed.b[i] = byte;
        s += 2;
    }
    if (*s)
        return false;
    *mac = parsed;
    return true;
}

char *
mac_format(struct mac m, char buf[MAC_STRLEN])
{
    snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m.b[0], m.b[1], m.b[2], m.b[3], m.b[4], m.b[5]);
    return buf;
}

uint64_t
mac_to_u64(struct mac m)
{
    uint64_t n = 0;
    for (int i = 0; i < 6; i++)
        n = n << 8 | m.b[i];
    return n;
}

struct mac
mac_from_u64(uint64_t n)
{
    struct mac m;
    for (int i = 5; i >= 0; i--, n >>= 8)
        m.b[i] = n;
    return m;
}

bool
mac_equal(struct mac a, struct mac b)
{
    return !memcmp(a.b, b.b, sizeof a.b);
}

bool
mac_is_zero(struct mac m)
{
    return !mac_to_u64(m);
}

bool
mac_is_unicast(struct mac m)
{
    return !(m.b[0] & 1) && !mac_is_zero(m);
}

static size_t
family_bytes(uint8_t family)
{
    return family == IP_V4 ? 4 : family == IP_V6 ? 16 : 0;
}

struct ip
ip4(uint32_t n)
{
    return (struct ip){ IP_V4, { n >> 24, n >> 16, n >> 8, n } };
}

uint32_t
ip4_u32(struct ip ip)
{
    return (uint32_t) ip.b[0] << 24 | ip.b[1] << 16 | ip.b[2] << 8 | ip.b[3];
}

bool
ip_parse(const char *s, struct ip *ip)
{
    struct ip parsed = { strchr(s, ':') ? IP_V6 : IP_V4, { 0 } };
    if (inet_pton(parsed.family == IP_V6 ? AF_INET6 : AF_INET, s, parsed.b) != 1)
        return false;
    *ip = parsed;
    return true;
}

char *
ip_format(struct ip ip, char buf[IP_STRLEN])
{
    if (ip.family == IP_NONE)
        return strcpy(buf, "none");
    inet_ntop(ip.family == IP_V6 ? AF_INET6 : AF_INET, ip.b, buf, IP_STRLEN);
    return buf;
}

bool
ip_equal(struct ip a, struct ip b)
{
    return !ip_compare(a, b);
}

int
ip_compare(struct ip a, struct ip b)
{
    return a.family != b.family ? a.family - b.family : memcmp(a.b, b.b, sizeof a.b);
}

uint32_t
ip_hash(struct ip ip, uint32_t basis)
{
    return hash_bytes(ip.b, family_bytes(ip.family), basis);
}

bool
ip_add(struct ip *ip, uint64_t n)
{
    struct ip sum = *ip;
    uint64_t carry = n;
    for (int i = (int) family_bytes(ip->family) - 1; i >= 0; i--) {
        uint64_t digit = sum.b[i] + (carry & 0xff);
        sum.b[i] = digit;
        carry = (carry >> 8) + (digit >> 8);
    }
    if (carry)
        return false;
    *ip = sum;
    return true;
}

/* 1 to 3 digits, no leading zero. */
static bool
prefix_len_parse(const char *s, unsigned max, uint8_t *len)
{
    size_t digits = strspn(s, "0123456789");
    if (!digits || digits > 3 || s[digits] || (s[0] == '0' && digits > 1))
        return false;
    unsigned long n = strtoul(s, NULL, 10);
    *len = n;
    return n <= max;
}

bool
ip_prefix_parse(const char *s, struct ip_prefix *prefix, bool *has_host_bits)
{
    if (has_host_bits)
        *has_host_bits = false;

    const char *slash = strchr(s, '/');
    char address[IP_STRLEN];
    if (!slash || (size_t) (slash - s) >= sizeof address)
        return false;
    memcpy(address, s, slash - s);
    address[slash - s] = '\0';

    struct ip_prefix p;
    if (!ip_parse(address, &p.ip) || !prefix_len_parse(slash + 1, family_bytes(p.ip.family) * 8, &p.len))
        return false;
    if (!ip_equal(p.ip, ip_prefix_first(p))) {
        if (has_host_bits)
            *has_host_bits = true;
        return false;
    }
    *prefix = p;
    return true;
}

char *
ip_prefix_format(struct ip_prefix p, char buf[IP_PREFIX_STRLEN])
{
    char address[IP_STRLEN];
    snprintf(buf, IP_PREFIX_STRLEN, "%s/%u", ip_format(p.ip, address), p.len);
    return buf;
}

bool
ip_prefix_equal(struct ip_prefix a, struct ip_prefix b)
{
    return a.len == b.len && ip_equal(a.ip, b.ip);
}

bool
ip_prefix_contains(struct ip_prefix p, struct ip ip)
{
    if (p.ip.family != ip.family || ip.family == IP_NONE)
        return false;
    return ip_equal(ip_prefix_first(p), ip_prefix_first((struct ip_prefix){ ip, p.len }));
}

bool
ip_prefix_covers(struct ip_prefix outer, struct ip_prefix inner)
{
    return outer.len <= inner.len && ip_prefix_contains(outer, inner.ip);
}

bool
ip_prefix_overlaps(struct ip_prefix a, struct ip_prefix b)
{
    return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

struct ip
ip_prefix_mask(struct ip_prefix p)
{
    struct ip mask = { p.ip.family, { 0 } };
    int bits = p.len;
    for (size_t i = 0; i < family_bytes(mask.family) && bits > 0; i++, bits -= 8)
        mask.b[i] = bits >= 8 ? 0xff : 0xff << (8 - bits);
    return mask;
}

struct ip
ip_prefix_first(struct ip_prefix p)
{
    struct ip mask = ip_prefix_mask(p), first = p.ip;
    for (size_t i = 0; i < sizeof first.b; i++)
        first.b[i] &= mask.b[i];
    return first;
}

struct ip
ip_prefix_last(struct ip_prefix p)
{
    struct ip mask = ip_prefix_mask(p), last = p.ip;
    for (size_t i = 0; i < family_bytes(last.family); i++)
        last.b[i] |= ~mask.b[i];
    return last;
}

struct ip_prefix
ip_prefix_host(struct ip ip)
{
    return (struct ip_prefix){ ip, family_bytes(ip.family) * 8 };
}
