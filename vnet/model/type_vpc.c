/* A VPC: a private network with addresses of its own, which may overlap with any other's. Comes with a main route table. */
#include "vnet/model/transaction_state.h"

#include "base/alloc.h"

#define SHORTEST 8
#define LONGEST 28

static const struct field fields[] = {
    { .name = "cidr", .kind = FIELD_PREFIX, .flags = FIELD_REQUIRED, .offset = offsetof(struct vpc, cidr),
      .help = "the addresses of its subnets, /8 to /28" },
    { .name = "vni", .kind = FIELD_UINT, .flags = FIELD_READ_ONLY | FIELD_ALWAYS, .offset = offsetof(struct vpc, vni),
      .min = 1, .max = VNI_MAX, .help = "network identifier in tunnels" },
};

static const struct {
    struct ip_prefix range;
    const char *what;
} unusable[] = {
    { { { IP_V4, { 0 } }, 8 }, "'this network'" },
    { { { IP_V4, { 127 } }, 8 }, "loopback" },
    { { { IP_V4, { 169, 254 } }, 16 }, "link-local" },
    { { { IP_V4, { 224 } }, 3 }, "multicast and reserved" },
};

static const struct vpc *
as_vpc(const struct object *o)
{
    return (const struct vpc *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    out[0] = fact_vni(as_vpc(o)->vni);
    return 1;
}

static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    return before || transaction_take_vni(t, &((struct vpc *) (void *) o)->vni, err);
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    struct ip_prefix cidr = as_vpc(o)->cidr;
    char text[IP_PREFIX_STRLEN], range[IP_PREFIX_STRLEN];
    ip_prefix_format(cidr, text);
    if (cidr.ip.family != IP_V4)
        return error_set(err, ERROR_INVALID, "cidr '%s' is not IPv4; write one like 10.0.0.0/16", text);
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++)
        if (ip_prefix_overlaps(cidr, unusable[i].range))
            return error_set(err, ERROR_INVALID, "cidr '%s' has %s addresses (%s); write one like 10.0.0.0/16", text,
                             unusable[i].what, ip_prefix_format(unusable[i].range, range));
    if (cidr.len < SHORTEST || cidr.len > LONGEST)
        return error_set(err, ERROR_INVALID, "cidr '%s' is of length %u; write /%d to /%d", text, cidr.len, SHORTEST,
                         LONGEST);
    return true;
}

static bool
added(struct transaction *t, const struct object *o, struct error *err)
{
    struct rtb *rtb = (struct rtb *) (void *) object_new(&rtb_class);
    rtb->o.name = o->name ? mem_strdup(o->name) : NULL;
    rtb->o.tenant = o->tenant;
    rtb->vpc = o->number;
    rtb->is_main = true;
    if (transaction_add(t, &rtb->o, err))
        return true;
    return error_prefix(err, "its main route table, rtb '%s'", o->name ? o->name : "");
}

const struct object_class vpc_class = {
    .type = OBJECT_VPC,
    .name = "vpc",
    .size = sizeof(struct vpc),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a private network; its addresses may overlap with any other's",
};

const struct object_hooks vpc_hooks = { .facts = facts, .complete = complete, .check = check, .added = added };
