/* A pool: public addresses on a physical network, with the upstream router. It belongs to no tenant, and each may take addresses of it.
 *
 * Pools never overlap, so a public address alone says which pool it is of. The range is always there: without one given it is all of
 * the CIDR that may be handed out, less the gateway where that is at an end. */
#include "vnet/model/transaction_state.h"

#include <string.h>

#include "base/limits.h"
#include "vnet/model/field_value.h"

static const struct field fields[] = {
    { .name = "cidr",
      .kind = FIELD_PREFIX,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct pool, cidr),
      .help = "the network's addresses, /8 to /30; pools do not overlap" },
    { .name = "uplink",
      .kind = FIELD_STRING,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct pool, uplink),
      .help = "the physical network it is on, as hosts name it in vnet-uplinks" },
    { .name = "gateway",
      .kind = FIELD_IP,
      .flags = FIELD_ALWAYS,
      .offset = offsetof(struct pool, gateway),
      .help = "the upstream router; the first address unless given" },
    { .name = "gateway_mac", .kind = FIELD_RUNTIME, .help = "the upstream router's MAC address, as last learnt" },
    { .name = "range",
      .kind = FIELD_IP_RANGE,
      .flags = FIELD_MUTABLE | FIELD_ALWAYS,
      .offset = offsetof(struct pool, range),
      .help = "what may be handed out; all but network, gateway and broadcast address unless given" },
    { .name = "vlan",
      .kind = FIELD_UINT,
      .offset = offsetof(struct pool, vlan),
      .min = 1,
      .max = 4094,
      .help = "VLAN on the physical network; untagged unless given" },
    FIELD_ERROR,
};

static const struct pool *
as_pool(const struct object *o)
{
    return (const struct pool *) (const void *) o;
}

size_t
pool_usable(const struct pool *p, struct ip_range usable[2])
{
    uint32_t first = ip4_u32(p->range.first), last = ip4_u32(p->range.last), gateway = ip4_u32(p->gateway);
    size_t n = 0;
    first += first == ip4_u32(ip_prefix_first(p->cidr));
    last -= last == ip4_u32(ip_prefix_last(p->cidr));
    if (gateway < first || gateway > last) {
        usable[n++] = (struct ip_range){ ip4(first), ip4(last) };
        return first <= last ? n : 0;
    }
    if (first < gateway)
        usable[n++] = (struct ip_range){ ip4(first), ip4(gateway - 1) };
    if (gateway < last)
        usable[n++] = (struct ip_range){ ip4(gateway + 1), ip4(last) };
    return n;
}

/* The CIDR may be wrong as yet: what is made of a wrong one is never looked at. */
static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct pool *p = (struct pool *) (void *) o;
    uint32_t first = ip4_u32(ip_prefix_first(p->cidr)) + 1, last = ip4_u32(ip_prefix_last(p->cidr)) - 1;
    if (p->gateway.family == IP_NONE)
        p->gateway = ip4(first);
    if (p->range.first.family == IP_NONE) {
        uint32_t gateway = ip4_u32(p->gateway);
        p->range = (struct ip_range){ ip4(first + (gateway == first)), ip4(last - (gateway == last)) };
    }
    return true;
}

static bool
check_cidr(struct transaction *t, const struct pool *p, struct error *err)
{
    static const struct cidr_rule rule = { 8, 30, "203.0.113.0/24" };
    char text[IP_PREFIX_STRLEN], other_text[IP_PREFIX_STRLEN], title[TITLE_MAX];
    if (!cidr_check(p->cidr, &rule, err))
        return false;
    const struct pool *other = view_pool(
        t->model, VIEW_STAGED,
        view_range_overlapping(t->model, VIEW_STAGED, PUBLIC_SCOPE, ip4_u32(ip_prefix_first(p->cidr)), ip4_u32(ip_prefix_last(p->cidr))));
    if (!other || other->o.number == p->o.number)
        return true;
    return error_set(err, ERROR_CONFLICT, "cidr '%s' overlaps %s, which has %s; write a range that is free",
                     ip_prefix_format(p->cidr, text), transaction_title(t, &other->o, title), ip_prefix_format(other->cidr, other_text));
}

static bool
check_uplink(const struct pool *p, struct error *err)
{
    size_t n = p->uplink ? strlen(p->uplink) : 0;
    if (!n || n > LIMIT_NAME)
        return error_set(err, ERROR_INVALID, "uplink has %zu characters; write 1 to %d", n, LIMIT_NAME);
    if (!name_has_fit_characters(p->uplink))
        return error_set(err, ERROR_INVALID, "uplink '%s' may only have letters, digits, '-', '_' and '.'", p->uplink);
    return true;
}

static bool
check_gateway(const struct pool *p, struct error *err)
{
    char text[IP_STRLEN], cidr[IP_PREFIX_STRLEN];
    ip_format(p->gateway, text);
    ip_prefix_format(p->cidr, cidr);
    if (!ip_prefix_contains(p->cidr, p->gateway))
        return error_set(err, ERROR_INVALID, "gateway '%s' is not in %s; write an address of it", text, cidr);
    bool is_network = ip_equal(p->gateway, ip_prefix_first(p->cidr));
    if (is_network || ip_equal(p->gateway, ip_prefix_last(p->cidr)))
        return error_set(err, ERROR_INVALID, "gateway '%s' is the %s address of %s; write another of it", text,
                         is_network ? "network" : "broadcast", cidr);
    return true;
}

static bool
check_range(const struct pool *p, struct error *err)
{
    char text[IP_RANGE_TEXT_MAX], cidr[IP_PREFIX_STRLEN];
    struct ip_range usable[2];
    ip_range_format(p->range, text);
    ip_prefix_format(p->cidr, cidr);
    if (!ip_prefix_contains(p->cidr, p->range.first) || !ip_prefix_contains(p->cidr, p->range.last))
        return error_set(err, ERROR_INVALID, "range '%s' is not within %s; write a part of it", text, cidr);
    if (!pool_usable(p, usable))
        return error_set(err, ERROR_INVALID,
                         "range '%s' has nothing to hand out: network, gateway and broadcast address of %s are not; "
                         "write a wider one",
                         text, cidr);
    return true;
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct pool *p = as_pool(o);
    return check_cidr(t, p, err) && check_uplink(p, err) && check_gateway(p, err) && check_range(p, err);
}

const struct object_class pool_class = {
    .type = OBJECT_POOL,
    .name = "pool",
    .size = sizeof(struct pool),
    .has_name = true,
    .is_public = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "public addresses on a physical network, for any tenant to use",
};

const struct object_hooks pool_hooks = { .complete = complete, .check = check };
