/* A route table of a VPC. The main one comes and goes with the VPC; subnets use it unless they name another. */
#include "vnet/model/transaction_state.h"

static const struct field fields[] = {
    { .name = "vpc",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct rtb, vpc),
      .ref_type = OBJECT_VPC,
      .help = "the VPC it is part of" },
    { .name = "main",
      .kind = FIELD_BOOL,
      .flags = FIELD_READ_ONLY,
      .offset = offsetof(struct rtb, is_main),
      .default_text = "false",
      .help = "it came with its VPC, and goes with it" },
    FIELD_ERROR,
};

static const struct rtb *
as_rtb(const struct object *o)
{
    return (const struct rtb *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    if (!as_rtb(o)->is_main)
        return 0;
    out[0] = fact_main_rtb(as_rtb(o)->vpc);
    return 1;
}

static bool
removing(struct transaction *t, const struct object *o, struct error *err)
{
    char title[TITLE_MAX];
    if (!as_rtb(o)->is_main)
        return true;
    return error_set(err, ERROR_CONFLICT, "it is the main route table of %s and goes with it",
                     transaction_title(t, transaction_get(t, as_rtb(o)->vpc, OBJECT_VPC), title));
}

static bool
goes_with_owner(const struct object *o)
{
    return as_rtb(o)->is_main;
}

const struct object_class rtb_class = {
    .type = OBJECT_RTB,
    .name = "rtb",
    .size = sizeof(struct rtb),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a route table; that the VPC's own range is local goes without saying",
};

const struct object_hooks rtb_hooks = { .facts = facts, .removing = removing, .goes_with_owner = goes_with_owner };
