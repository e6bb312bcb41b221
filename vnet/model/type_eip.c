/* An elastic IP: a public address that is a tenant's until it gives it back, wherever it is attached meanwhile. It is called by its
 * address, which nothing else has; a port, NAT gateway or load balancer has at most one. */
#include "vnet/model/transaction_state.h"

#include "vnet/model/field_value.h"

static const struct field fields[] = {
    { .name = "ip",
      .kind = FIELD_IP,
      .flags = FIELD_ALWAYS,
      .offset = offsetof(struct eip, ip),
      .help = "a free address of the pool unless given" },
    { .name = "pool",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_ANY_TENANT,
      .offset = offsetof(struct eip, pool),
      .ref_type = OBJECT_POOL,
      .help = "the pool it is from" },
    { .name = "attached",
      .kind = FIELD_TARGET,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct eip, attached),
      .min = 1u << TARGET_NONE | 1u << TARGET_PORT | 1u << TARGET_NATGW | 1u << TARGET_LB,
      .help = "port:NAME, natgw:NAME or lb:NAME; from one to another only by moving it" },
    { .name = "host", .kind = FIELD_RUNTIME, .ref_type = OBJECT_HOST, .help = "where it is answered for" },
    { .name = "announced_at", .kind = FIELD_RUNTIME, .help = "when that host last told the physical network" },
    { .name = "drops", .kind = FIELD_RUNTIME, .help = "packets dropped, by reason, while a port has it" },
    FIELD_ERROR,
};

static const struct eip *
as_eip(const struct object *o)
{
    return (const struct eip *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    const struct eip *e = as_eip(o);
    size_t n = 0;
    if (e->ip.family != IP_NONE)
        out[n++] = fact_public_ip(e->ip);
    if (e->attached.kind != TARGET_NONE)
        out[n++] = fact_attached(e->attached.number);
    return n;
}

static void
label(const struct model *m, const struct object *o, char buf[OBJECT_LABEL_MAX])
{
    ip_format(as_eip(o)->ip, buf);
}

static const struct object *
find(const struct model *m, enum view v, uint32_t tenant, const char *text)
{
    struct ip ip;
    if (!ip_parse(text, &ip))
        return NULL;
    struct fact f = fact_public_ip(ip);
    const struct object *o = view_get(m, v, view_by_fact(m, v, &f), OBJECT_EIP);
    return o && o->tenant == tenant ? o : NULL;
}

/* ---- its address ---- */
static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct eip *e = (struct eip *) (void *) o;
    const struct pool *p = view_pool(t->model, VIEW_STAGED, e->pool);
    struct ip_range usable[2];
    size_t n = pool_usable(p, usable);
    uint32_t free_ip;
    char title[TITLE_MAX], range[IP_RANGE_TEXT_MAX];
    if (e->ip.family != IP_NONE)
        return true;
    for (size_t i = 0; i < n; i++)
        if (ip_pool_find_free(&t->model->addresses, PUBLIC_SCOPE, ip4_u32(usable[i].first), ip4_u32(usable[i].last), &free_ip)) {
            e->ip = ip4(free_ip);
            return true;
        }
    return error_set(err, ERROR_EXHAUSTED, "%s has no free address left in %s", transaction_title(t, &p->o, title),
                     ip_range_format(p->range, range));
}

/* Whose an address of the pool is that nobody may have; NULL: nobody's. */
static const char *
kept_for(const struct pool *p, struct ip ip)
{
    if (ip_equal(ip, p->gateway))
        return "the upstream gateway's";
    if (ip_equal(ip, ip_prefix_first(p->cidr)))
        return "the network's";
    return ip_equal(ip, ip_prefix_last(p->cidr)) ? "the broadcast address" : NULL;
}

static bool
check_ip(struct transaction *t, const struct eip *e, struct error *err)
{
    const struct pool *p = view_pool(t->model, VIEW_STAGED, e->pool);
    char text[IP_STRLEN], range[IP_RANGE_TEXT_MAX], title[TITLE_MAX];
    ip_format(e->ip, text);
    ip_range_format(p->range, range);
    transaction_title(t, &p->o, title);
    if (!ip_prefix_contains(p->cidr, e->ip))
        return error_set(err, ERROR_INVALID, "ip '%s' is not in %s; write a free one of %s, or leave it out", text, title, range);
    const char *why = kept_for(p, e->ip);
    if (why)
        return error_set(err, ERROR_INVALID, "ip '%s' is %s in %s; write a free one of %s, or leave it out", text, why, title, range);
    if (ip_compare(e->ip, p->range.first) < 0 || ip_compare(e->ip, p->range.last) > 0)
        return error_set(err, ERROR_INVALID, "ip '%s' is not in the range of %s; write a free one of %s, or leave it out", text, title,
                         range);
    return true;
}

/* ---- what it is attached to ---- */
static bool
check_move(struct transaction *t, const struct eip *before, const struct eip *e, struct error *err)
{
    char title[TITLE_MAX];
    if (before->attached.kind == TARGET_NONE || e->attached.kind == TARGET_NONE || before->attached.number == e->attached.number
        || t->may_move)
        return true;
    return error_set(err, ERROR_CONFLICT, "it is attached to %s; detach it first, or move it with --move",
                     transaction_title(t, transaction_get(t, before->attached.number, OBJECT_NONE), title));
}

static bool
check_holder(struct transaction *t, const struct eip *e, struct error *err)
{
    char title[TITLE_MAX], other_title[TITLE_MAX];
    struct fact f = fact_attached(e->attached.number);
    uint32_t number = e->attached.kind == TARGET_NONE ? 0 : view_by_fact(t->model, VIEW_STAGED, &f);
    if (!number || number == e->o.number)
        return true;
    return error_set(err, ERROR_CONFLICT, "%s has %s already; detach that first",
                     transaction_title(t, transaction_get(t, e->attached.number, OBJECT_NONE), title),
                     transaction_title(t, transaction_get(t, number, OBJECT_EIP), other_title));
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct eip *e = as_eip(o);
    return (before ? check_move(t, as_eip(before), e, err) : check_ip(t, e, err)) && check_holder(t, e, err);
}

static bool
removing(struct transaction *t, const struct object *o, struct error *err)
{
    const struct target_ref *attached = &as_eip(o)->attached;
    char title[TITLE_MAX];
    if (attached->kind == TARGET_NONE)
        return true;
    return error_set(err, ERROR_CONFLICT, "it is attached to %s; eip-detach it first",
                     transaction_title(t, transaction_get(t, attached->number, OBJECT_NONE), title));
}

const struct object_class eip_class = {
    .type = OBJECT_EIP,
    .name = "eip",
    .size = sizeof(struct eip),
    .has_tenant = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "an elastic IP: a public address that stays the tenant's; called by its address",
};

const struct object_hooks eip_hooks = {
    .facts = facts, .complete = complete, .check = check, .removing = removing, .label = label, .find = find
};
