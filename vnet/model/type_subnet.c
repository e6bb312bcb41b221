/* A subnet: a range of its VPC's addresses, with a gateway, a route table and DHCP options. */
#include "vnet/model/transaction_state.h"

#include <string.h>

#define LONGEST 29
#define DNS_MAX 8
#define DOMAIN_MAX 253
#define DOMAIN_LABEL_MAX 63

static const struct subnet *
as_subnet(const struct object *o)
{
    return (const struct subnet *) (const void *) o;
}

struct ip
subnet_gateway(const struct subnet *s)
{
    struct ip ip = ip_prefix_first(s->cidr);
    ip_add(&ip, 1);
    return ip;
}

static json_t *
derive_gateway(const struct model *m, const struct object *o)
{
    char text[IP_STRLEN];
    return json_string(ip_format(subnet_gateway(as_subnet(o)), text));
}

static const struct field fields[] = {
    { .name = "vpc",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct subnet, vpc),
      .ref_type = OBJECT_VPC,
      .help = "the VPC it is part of" },
    { .name = "cidr",
      .kind = FIELD_PREFIX,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct subnet, cidr),
      .help = "part of the VPC's, /29 or wider; subnets do not overlap" },
    { .name = "gateway",
      .kind = FIELD_IP,
      .flags = FIELD_READ_ONLY,
      .derive = derive_gateway,
      .help = "the router's address: the first one" },
    { .name = "rtb",
      .kind = FIELD_REF,
      .flags = FIELD_MUTABLE | FIELD_ALWAYS,
      .offset = offsetof(struct subnet, rtb),
      .ref_type = OBJECT_RTB,
      .help = "route table; the VPC's main one unless given" },
    { .name = "dns",
      .kind = FIELD_IP_LIST,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct subnet, dns),
      .help = "name servers given to guests; none unless given" },
    { .name = "domain",
      .kind = FIELD_STRING,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct subnet, domain),
      .help = "domain name given to guests" },
    { .name = "lease",
      .kind = FIELD_UINT,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct subnet, lease),
      .min = 1,
      .max = UINT32_MAX,
      .default_text = "3600",
      .help = "DHCP lease, in seconds" },
    FIELD_ERROR,
};

static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct subnet *s = (struct subnet *) (void *) o;
    struct fact main_rtb = fact_main_rtb(s->vpc);
    if (!s->rtb)
        s->rtb = view_by_fact(t->model, VIEW_STAGED, &main_rtb);
    return true;
}

static bool
check_cidr(struct transaction *t, const struct subnet *s, struct error *err)
{
    const struct vpc *vpc = view_vpc(t->model, VIEW_STAGED, s->vpc);
    char text[IP_PREFIX_STRLEN], other_text[IP_PREFIX_STRLEN], title[TITLE_MAX];
    ip_prefix_format(s->cidr, text);
    if (!ip_prefix_covers(vpc->cidr, s->cidr))
        return error_set(err, ERROR_INVALID, "cidr '%s' is not within %s, which has %s", text, transaction_title(t, &vpc->o, title),
                         ip_prefix_format(vpc->cidr, other_text));
    if (s->cidr.len > LONGEST)
        return error_set(err, ERROR_INVALID, "cidr '%s' is too small; write /%d or wider", text, LONGEST);

    uint32_t number =
        view_range_overlapping(t->model, VIEW_STAGED, s->vpc, ip4_u32(ip_prefix_first(s->cidr)), ip4_u32(ip_prefix_last(s->cidr)));
    const struct subnet *other = view_subnet(t->model, VIEW_STAGED, number);
    if (other && other->o.number != s->o.number)
        return error_set(err, ERROR_CONFLICT, "cidr '%s' overlaps %s, which has %s; write a range that is free", text,
                         transaction_title(t, &other->o, title), ip_prefix_format(other->cidr, other_text));
    return true;
}

static bool
check_rtb(struct transaction *t, const struct subnet *s, struct error *err)
{
    const struct rtb *rtb = view_rtb(t->model, VIEW_STAGED, s->rtb);
    char title[TITLE_MAX];
    if (rtb->vpc != s->vpc)
        return error_set(err, ERROR_INVALID, "rtb '%s' is of another VPC; name one of %s", rtb->o.name ? rtb->o.name : "",
                         transaction_title(t, transaction_get(t, s->vpc, OBJECT_VPC), title));
    return true;
}

static bool
check_dns(const struct subnet *s, struct error *err)
{
    char text[IP_STRLEN];
    if (s->dns.n > DNS_MAX)
        return error_set(err, ERROR_INVALID, "dns has %zu addresses; give at most %d", s->dns.n, DNS_MAX);
    for (size_t i = 0; i < s->dns.n; i++) {
        struct ip ip = s->dns.v[i];
        if (ip.family != IP_V4 || !ip.b[0] || ip.b[0] >= 224)
            return error_set(err, ERROR_INVALID, "dns '%s' is no IPv4 unicast address", ip_format(ip, text));
    }
    return true;
}

static bool
is_domain(const char *s)
{
    if (strlen(s) > DOMAIN_MAX)
        return false;
    for (;;) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
        if (!n || n > DOMAIN_LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
            return false;
        s += n;
        if (!*s)
            return true;
        if (*s++ != '.')
            return false;
    }
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct subnet *s = as_subnet(o);
    if (!check_cidr(t, s, err) || !check_rtb(t, s, err) || !check_dns(s, err))
        return false;
    if (s->domain && !is_domain(s->domain))
        return error_set(err, ERROR_INVALID, "domain '%.100s' is no domain name; write one like example.com", s->domain);
    return true;
}

const struct object_class subnet_class = {
    .type = OBJECT_SUBNET,
    .name = "subnet",
    .size = sizeof(struct subnet),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a range of its VPC's addresses, with a gateway, a route table and DHCP options",
};

const struct object_hooks subnet_hooks = { .complete = complete, .check = check };
