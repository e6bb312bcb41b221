/* A VPC: a private network with addresses of its own, which may overlap with any other's. Comes with a main route table and a default
 * security group. */
#include "vnet/model/transaction_state.h"

#include "base/alloc.h"

static const struct field fields[] = {
    { .name = "cidr",
      .kind = FIELD_PREFIX,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct vpc, cidr),
      .help = "the addresses of its subnets, /8 to /28" },
    { .name = "vni",
      .kind = FIELD_UINT,
      .flags = FIELD_READ_ONLY | FIELD_ALWAYS,
      .offset = offsetof(struct vpc, vni),
      .min = 1,
      .max = VNI_MAX,
      .help = "network identifier in tunnels" },
    { .name = "balanced",
      .kind = FIELD_BOOL,
      .flags = FIELD_HIDDEN | FIELD_READ_ONLY,
      .offset = offsetof(struct vpc, is_balanced),
      .default_text = "false",
      .help = "it has a load balancer" },
    FIELD_ERROR,
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
    static const struct cidr_rule rule = { 8, 28, "10.0.0.0/16" };
    return cidr_check(as_vpc(o)->cidr, &rule, err);
}

bool
vpc_add_default_sg(struct transaction *t, const struct object *o, struct error *err)
{
    struct sg *sg = (struct sg *) (void *) object_new(&sg_class);
    sg->o.name = o->name ? mem_strdup(o->name) : NULL;
    sg->o.tenant = o->tenant;
    sg->vpc = o->number;
    sg->is_default = true;
    if (transaction_add(t, &sg->o, err))
        return true;
    return error_prefix(err, "its default security group, sg '%s'", o->name ? o->name : "");
}

static bool
add_main_rtb(struct transaction *t, const struct object *o, struct error *err)
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

static bool
added(struct transaction *t, const struct object *o, struct error *err)
{
    return add_main_rtb(t, o, err) && vpc_add_default_sg(t, o, err);
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
