/* A route: where packets to a prefix go. It has no name of its own and is called RTB/PREFIX. */
#include "vnet/model/transaction_state.h"

#include <stdio.h>
#include <string.h>

static const struct field fields[] = {
    { .name = "rtb",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct route, rtb),
      .ref_type = OBJECT_RTB,
      .help = "the route table it is in" },
    { .name = "prefix",
      .kind = FIELD_PREFIX,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct route, prefix),
      .help = "destinations; the longest matching prefix wins" },
    { .name = "target",
      .kind = FIELD_TARGET,
      .flags = FIELD_REQUIRED | FIELD_MUTABLE,
      .offset = offsetof(struct route, target),
      .min = 1u << TARGET_PORT | 1u << TARGET_IGW | 1u << TARGET_NATGW | 1u << TARGET_BLACKHOLE,
      .help = "igw, natgw:NAME, port:NAME or blackhole" },
    FIELD_ERROR,
};

static const struct route *
as_route(const struct object *o)
{
    return (const struct route *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    out[0] = fact_route(as_route(o)->rtb, as_route(o)->prefix);
    return 1;
}

static void
label(const struct model *m, const struct object *o, char buf[OBJECT_LABEL_MAX])
{
    char rtb_label[OBJECT_LABEL_MAX], prefix[IP_PREFIX_STRLEN];
    const struct object *rtb = object_anywhere(m, as_route(o)->rtb);
    ip_prefix_format(as_route(o)->prefix, prefix);
    if (rtb)
        snprintf(buf, OBJECT_LABEL_MAX, "%.*s/%s", LIMIT_NAME, object_label_write(m, rtb, rtb_label), prefix);
    else
        uuid_format(o->id, buf);
}

static const struct object *
find(const struct model *m, enum view v, uint32_t tenant, const char *text)
{
    const char *slash = strchr(text, '/');
    char rtb_name[LIMIT_NAME + 1];
    struct ip_prefix prefix;
    if (!slash || (size_t) (slash - text) >= sizeof rtb_name || !ip_prefix_parse(slash + 1, &prefix, NULL))
        return NULL;
    memcpy(rtb_name, text, slash - text);
    rtb_name[slash - text] = '\0';

    const struct object *rtb = view_find(m, v, OBJECT_RTB, tenant, rtb_name);
    struct fact f = fact_route(rtb ? rtb->number : 0, prefix);
    return rtb ? view_get(m, v, view_by_fact(m, v, &f), OBJECT_ROUTE) : NULL;
}

/* 'igw' is the internet gateway of the table's VPC. */
static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct route *r = (struct route *) (void *) o;
    uint32_t vpc = view_rtb(t->model, VIEW_STAGED, r->rtb)->vpc;
    struct fact f = fact_igw(vpc);
    char title[TITLE_MAX];
    if (r->target.kind != TARGET_IGW)
        return true;
    r->target.number = view_by_fact(t->model, VIEW_STAGED, &f);
    if (r->target.number)
        return true;
    return error_set(err, ERROR_INVALID, "target 'igw' needs an internet gateway, which %s has not; make it with igw-add first",
                     transaction_title(t, transaction_get(t, vpc, OBJECT_VPC), title));
}

static bool
check_prefix(struct transaction *t, const struct vpc *vpc, struct ip_prefix prefix, struct error *err)
{
    char text[IP_PREFIX_STRLEN], title[TITLE_MAX];
    ip_prefix_format(prefix, text);
    if (prefix.ip.family != IP_V4)
        return error_set(err, ERROR_INVALID, "prefix '%s' is not IPv4, and %s has no IPv6", text, transaction_title(t, &vpc->o, title));
    if (ip_prefix_equal(prefix, vpc->cidr))
        return error_set(err, ERROR_INVALID, "prefix '%s' is the local route of %s; write a longer or a shorter one", text,
                         transaction_title(t, &vpc->o, title));
    return true;
}

static bool
check_target(struct transaction *t, const struct vpc *vpc, const struct target_ref *target, struct error *err)
{
    const struct object *o = target->number ? transaction_get(t, target->number, OBJECT_NONE) : NULL;
    const struct port *port = target->kind == TARGET_PORT ? view_port(t->model, VIEW_STAGED, target->number) : NULL;
    const struct natgw *natgw = target->kind == TARGET_NATGW ? (const struct natgw *) (const void *) o : NULL;
    char title[TITLE_MAX], target_title[TITLE_MAX];
    if ((!port || port->vpc == vpc->o.number) && (!natgw || natgw->vpc == vpc->o.number))
        return true;
    return error_set(err, ERROR_INVALID, "target %s is in another VPC; name a %s of %s", transaction_title(t, o, target_title),
                     object_class(o->type)->name, transaction_title(t, &vpc->o, title));
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct route *r = as_route(o);
    const struct rtb *rtb = view_rtb(t->model, VIEW_STAGED, r->rtb);
    const struct vpc *vpc = view_vpc(t->model, VIEW_STAGED, rtb->vpc);
    return check_prefix(t, vpc, r->prefix, err) && check_target(t, vpc, &r->target, err);
}

const struct object_class route_class = {
    .type = OBJECT_ROUTE,
    .name = "route",
    .size = sizeof(struct route),
    .has_tenant = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "where packets to a prefix go; called RTB/PREFIX",
};

const struct object_hooks route_hooks = { .facts = facts, .complete = complete, .check = check, .label = label, .find = find };
