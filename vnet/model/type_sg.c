/* A security group of a VPC: rules that say what its members may send and be sent. The default one comes and goes with the VPC and carries its
 * name; ports are in it unless they name others. */
#include "vnet/model/transaction_state.h"

static const struct field fields[] = {
    { .name = "vpc",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct sg, vpc),
      .ref_type = OBJECT_VPC,
      .help = "the VPC it is part of" },
    { .name = "default",
      .kind = FIELD_BOOL,
      .flags = FIELD_READ_ONLY,
      .offset = offsetof(struct sg, is_default),
      .default_text = "false",
      .help = "it came with its VPC, and goes with it" },
    { .name = "ingress_peer",
      .kind = FIELD_BOOL,
      .flags = FIELD_HIDDEN | FIELD_READ_ONLY,
      .offset = offsetof(struct sg, is_ingress_peer),
      .default_text = "false",
      .help = "ingress rules name it as their peer" },
    { .name = "egress_peer",
      .kind = FIELD_BOOL,
      .flags = FIELD_HIDDEN | FIELD_READ_ONLY,
      .offset = offsetof(struct sg, is_egress_peer),
      .default_text = "false",
      .help = "egress rules name it as their peer" },
};

static const struct sg *
as_sg(const struct object *o)
{
    return (const struct sg *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    if (!as_sg(o)->is_default)
        return 0;
    out[0] = fact_default_sg(as_sg(o)->vpc);
    return 1;
}

/* ---- the rules a new group has ---- */
static bool
add_rule(struct transaction *t, const struct sg *sg, bool is_ingress, struct error *err)
{
    struct sg_rule *r = (struct sg_rule *) (void *) object_new(&sg_rule_class);
    r->o.tenant = sg->o.tenant;
    r->sg = sg->o.number;
    r->is_ingress = is_ingress;
    r->match = (struct l4_match){ -1, -1, -1 };
    if (is_ingress)
        r->peer = sg->o.number;
    else
        r->cidr = (struct ip_prefix){ ip4(0), 0 };
    return transaction_add(t, &r->o, err);
}

static bool
added(struct transaction *t, const struct object *o, struct error *err)
{
    const struct sg *sg = as_sg(o);
    return (!sg->is_default || add_rule(t, sg, true, err)) && add_rule(t, sg, false, err);
}

static bool
removing(struct transaction *t, const struct object *o, struct error *err)
{
    char title[TITLE_MAX];
    if (!as_sg(o)->is_default)
        return true;
    return error_set(err, ERROR_CONFLICT, "it is the default group of %s and goes with it",
                     transaction_title(t, transaction_get(t, as_sg(o)->vpc, OBJECT_VPC), title));
}

static bool
goes_with_owner(const struct object *o)
{
    return as_sg(o)->is_default;
}

const struct object_class sg_class = {
    .type = OBJECT_SG,
    .name = "sg",
    .size = sizeof(struct sg),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a security group: what its members may send and be sent",
};

const struct object_hooks sg_hooks = { .facts = facts, .added = added, .removing = removing, .goes_with_owner = goes_with_owner };
