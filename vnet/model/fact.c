/* Facts: what at most one object may state within a scope. Types state them in their hooks; the indices find objects by them. */
#include <string.h>

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

size_t
object_facts(const struct object *o, struct fact facts[FACTS_MAX])
{
    const struct object_hooks *hooks = object_hooks(o->type);
    return hooks->facts ? hooks->facts(o, facts) : 0;
}
