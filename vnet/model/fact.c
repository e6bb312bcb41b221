/* Facts: what at most one object may state within a scope. Types state them in their hooks; the indices find objects by them. */
#include <string.h>

#include "base/map.h"
#include "vnet/model/object.h"

static struct fact
fact_of(enum fact_kind kind, uint32_t scope, const void *bytes, size_t n)
{
    struct fact f;
    memset(&f, 0, sizeof f);
    f.kind = kind;
    f.scope = scope;
    if (n)
        memcpy(f.b, bytes, n);
    return f;
}

struct fact
fact_mac(uint32_t vpc, struct mac mac)
{
    return fact_of(FACT_MAC, vpc, mac.b, sizeof mac.b);
}

struct fact
fact_ip(uint32_t subnet, struct ip ip)
{
    struct fact f = fact_of(FACT_IP, subnet, ip.b, sizeof ip.b);
    f.family = ip.family;
    return f;
}

struct fact
fact_vni(uint32_t vni)
{
    return fact_of(FACT_VNI, vni, NULL, 0);
}

struct fact
fact_main_rtb(uint32_t vpc)
{
    return fact_of(FACT_MAIN_RTB, vpc, NULL, 0);
}

struct fact
fact_route(uint32_t rtb, struct ip_prefix prefix)
{
    struct fact f = fact_of(FACT_ROUTE, rtb, prefix.ip.b, sizeof prefix.ip.b);
    f.family = prefix.ip.family;
    f.len = prefix.len;
    return f;
}

struct fact
fact_public_ip(struct ip ip)
{
    struct fact f = fact_of(FACT_PUBLIC_IP, PUBLIC_SCOPE, ip.b, sizeof ip.b);
    f.family = ip.family;
    return f;
}

struct fact
fact_attached(uint32_t holder)
{
    return fact_of(FACT_ATTACHED, holder, NULL, 0);
}

struct fact
fact_igw(uint32_t vpc)
{
    return fact_of(FACT_IGW, vpc, NULL, 0);
}

struct fact
fact_default_sg(uint32_t vpc)
{
    return fact_of(FACT_DEFAULT_SG, vpc, NULL, 0);
}

/* Of 24 bytes, 16 are the peer's address or number, then protocol and ports; 'bits' are what is not a number. */
struct fact
fact_sg_rule(const struct sg_rule *r)
{
    struct fact f = fact_of(FACT_SG_RULE, r->sg, r->cidr.ip.b, sizeof r->cidr.ip.b);
    const struct l4_match *match = &r->match;
    uint16_t lo = match->lo, hi = match->hi;
    f.family = r->cidr.ip.family;
    f.len = r->cidr.len;
    f.bits = r->is_ingress | (match->proto < 0) << 1 | (match->lo < 0) << 2 | (match->hi < 0) << 3;
    if (r->peer)
        memcpy(f.b, &r->peer, sizeof r->peer);
    f.b[16] = match->proto;
    memcpy(f.b + 17, &lo, sizeof lo);
    memcpy(f.b + 19, &hi, sizeof hi);
    return f;
}

struct fact
fact_listener(uint32_t lb, uint8_t proto, uint16_t port)
{
    uint8_t bytes[3] = { proto, port >> 8, port };
    return fact_of(FACT_LISTENER, lb, bytes, sizeof bytes);
}

struct fact
fact_target(uint32_t tg, uint32_t port)
{
    return fact_of(FACT_TARGET, tg, &port, sizeof port);
}

/* As many numbers as there is room for; of more, 192 bits of hash. */
struct fact
fact_sg_set(uint32_t vpc, const struct number_list *groups)
{
    struct fact f = fact_of(FACT_SG_SET, vpc, NULL, 0);
    size_t n = groups->n * sizeof *groups->v;
    f.len = groups->n;
    if (n <= sizeof f.b) {
        memcpy(f.b, groups->v, n);
        return f;
    }
    for (size_t i = 0; i < sizeof f.b / sizeof(uint64_t); i++) {
        uint64_t hash = hash_bytes64(groups->v, n, i + 1);
        memcpy(f.b + i * sizeof hash, &hash, sizeof hash);
    }
    return f;
}

size_t
object_facts(const struct object *o, struct fact facts[FACTS_MAX])
{
    const struct object_hooks *hooks = object_hooks(o->type);
    return hooks->facts ? hooks->facts(o, facts) : 0;
}
