/* Which ranges of addresses may be given to a network: of IPv4, of a fitting length, and of addresses that hosts can have. */
#include "vnet/model/object.h"

static const struct {
    struct ip_prefix range;
    const char *what;
} unusable[] = {
    { { { IP_V4, { 0 } }, 8 }, "'this network'" },
    { { { IP_V4, { 127 } }, 8 }, "loopback" },
    { { { IP_V4, { 169, 254 } }, 16 }, "link-local" },
    { { { IP_V4, { 224 } }, 3 }, "multicast and reserved" },
};

bool
cidr_check(struct ip_prefix cidr, const struct cidr_rule *rule, struct error *err)
{
    char text[IP_PREFIX_STRLEN], range[IP_PREFIX_STRLEN];
    ip_prefix_format(cidr, text);
    if (cidr.ip.family != IP_V4)
        return error_set(err, ERROR_INVALID, "cidr '%s' is not IPv4; write one like %s", text, rule->example);
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++)
        if (ip_prefix_overlaps(cidr, unusable[i].range))
            return error_set(err, ERROR_INVALID, "cidr '%s' has %s addresses (%s); write one like %s", text, unusable[i].what,
                             ip_prefix_format(unusable[i].range, range), rule->example);
    if (cidr.len < rule->shortest || cidr.len > rule->longest)
        return error_set(err, ERROR_INVALID, "cidr '%s' is of length %u; write /%u to /%u", text, cidr.len, rule->shortest, rule->longest);
    return true;
}
