#include "vnet/model/subnet_ip.h"

/* Of a subnet's addresses, from the first on: network, gateway, and one kept for DNS. Broadcast is kept too. */
#define KEPT_FIRST 3

bool
subnet_ip_take(struct transaction *t, uint32_t subnet, struct ip *ip, struct error *err)
{
    const struct subnet *s = view_subnet(t->model, VIEW_STAGED, subnet);
    uint32_t first = ip4_u32(ip_prefix_first(s->cidr)), last = ip4_u32(ip_prefix_last(s->cidr)), free_ip;
    char cidr[IP_PREFIX_STRLEN], title[TITLE_MAX];
    if (!ip_pool_find_free(&t->model->addresses, subnet, first + KEPT_FIRST, last - 1, &free_ip))
        return error_set(err, ERROR_EXHAUSTED, "%s has no free address left in %s", transaction_title(t, &s->o, title),
                         ip_prefix_format(s->cidr, cidr));
    *ip = ip4(free_ip);
    return true;
}

static const char *
kept_for(const struct subnet *s, struct ip ip)
{
    static const char *const words[KEPT_FIRST] = { "the network's", "the gateway's", "kept for DNS" };
    uint32_t at = ip4_u32(ip) - ip4_u32(ip_prefix_first(s->cidr));
    if (at < KEPT_FIRST)
        return words[at];
    return ip_equal(ip, ip_prefix_last(s->cidr)) ? "the broadcast address" : NULL;
}

bool
subnet_ip_check(struct transaction *t, uint32_t subnet, struct ip ip, struct error *err)
{
    const struct subnet *s = view_subnet(t->model, VIEW_STAGED, subnet);
    char text[IP_STRLEN], cidr[IP_PREFIX_STRLEN], title[TITLE_MAX];
    ip_format(ip, text);
    transaction_title(t, &s->o, title);
    if (!ip_prefix_contains(s->cidr, ip))
        return error_set(err, ERROR_INVALID, "ip '%s' is not in %s; write a free one of %s", text, title, ip_prefix_format(s->cidr, cidr));
    const char *why = kept_for(s, ip);
    if (why)
        return error_set(err, ERROR_INVALID, "ip '%s' is %s in %s; write another of %s", text, why, title, ip_prefix_format(s->cidr, cidr));
    return true;
}
