/* A load balancer: an address of a subnet behind which listeners spread connections over target groups. */
#include "vnet/model/subnet_ip.h"

static const char *const affinities[] = { [LB_AFFINITY_NONE] = "none", [LB_AFFINITY_SOURCE] = "source" };

static const struct field fields[] = {
    { .name = "subnet",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct lb, subnet),
      .ref_type = OBJECT_SUBNET,
      .help = "the subnet its address is of" },
    { .name = "ip",
      .kind = FIELD_IP,
      .flags = FIELD_ALWAYS,
      .offset = offsetof(struct lb, ip),
      .help = "its address; a free one unless given" },
    { .name = "affinity",
      .kind = FIELD_ENUM,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct lb, affinity),
      .words = affinities,
      .max = LB_AFFINITY_SOURCE,
      .default_text = "none",
      .help = "source: all connections of a client go to one target; none: each to any" },
    FIELD_ERROR,
};

static const struct lb *
as_lb(const struct object *o)
{
    return (const struct lb *) (const void *) o;
}

static void
link_vpc(const struct model *m, enum view v, struct object *o)
{
    struct lb *lb = (struct lb *) (void *) o;
    const struct subnet *s = view_subnet(m, v, lb->subnet);
    lb->vpc = s ? s->vpc : 0;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    out[0] = fact_ip(as_lb(o)->subnet, as_lb(o)->ip);
    return 1;
}

static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct lb *lb = (struct lb *) (void *) o;
    return lb->ip.family != IP_NONE || subnet_ip_take(t, lb->subnet, &lb->ip, err);
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    return before || subnet_ip_check(t, as_lb(o)->subnet, as_lb(o)->ip, err);
}

const struct object_class lb_class = {
    .type = OBJECT_LB,
    .name = "lb",
    .size = sizeof(struct lb),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a load balancer: an address whose connections go to targets",
};

const struct object_hooks lb_hooks = { .link = link_vpc, .facts = facts, .complete = complete, .check = check };
