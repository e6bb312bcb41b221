/* The internet gateway of a VPC: without one no route leads out of it. A VPC has at most one, and it is called by the VPC's name. */
#include "vnet/model/transaction_state.h"

static const struct field fields[] = {
    { .name = "vpc",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct igw, vpc),
      .ref_type = OBJECT_VPC,
      .help = "the VPC it leads out of" },
};

static const struct igw *
as_igw(const struct object *o)
{
    return (const struct igw *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    out[0] = fact_igw(as_igw(o)->vpc);
    return 1;
}

static void
label(const struct model *m, const struct object *o, char buf[OBJECT_LABEL_MAX])
{
    const struct object *vpc = object_anywhere(m, as_igw(o)->vpc);
    if (vpc)
        object_label_write(m, vpc, buf);
    else
        uuid_format(o->id, buf);
}

static const struct object *
find(const struct model *m, enum view v, uint32_t tenant, const char *text)
{
    const struct object *vpc = view_find(m, v, OBJECT_VPC, tenant, text);
    struct fact f = fact_igw(vpc ? vpc->number : 0);
    return vpc ? view_get(m, v, view_by_fact(m, v, &f), OBJECT_IGW) : NULL;
}

const struct object_class igw_class = {
    .type = OBJECT_IGW,
    .name = "igw",
    .size = sizeof(struct igw),
    .has_tenant = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a VPC's internet gateway, which its routes may lead to; called by the VPC's name",
};

const struct object_hooks igw_hooks = { .facts = facts, .label = label, .find = find };
