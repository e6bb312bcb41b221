/* What a transaction checks of whole objects, whatever their type: names and facts are unique, what is referred to stays, quotas
 * hold. */
#include "vnet/model/transaction_state.h"

#include <stdio.h>
#include <string.h>

#define NAMED_MAX 5

static const char *
tenant_name(const struct transaction *t, uint32_t tenant)
{
    const struct object *o = transaction_get(t, tenant, OBJECT_TENANT);
    return o ? o->name : TENANT_DEFAULT_NAME;
}

static bool
check_name(struct transaction *t, const struct object *o, struct error *err)
{
    const struct object *other = o->name ? view_by_name(t->model, VIEW_STAGED, o->type, o->tenant, o->name) : NULL;
    if (!other || other->number == o->number)
        return true;
    if (!o->tenant)
        return error_set(err, ERROR_CONFLICT, "it exists already");
    return error_set(err, ERROR_CONFLICT, "it exists already in tenant '%s'", tenant_name(t, o->tenant));
}

/* Whose it is, but never what another tenant has of its own. */
static bool
refuse_public_ip(struct transaction *t, struct ip ip, const struct object *other, uint32_t tenant, struct error *err)
{
    char text[IP_STRLEN];
    ip_format(ip, text);
    if (other->tenant != tenant)
        return error_set(err, ERROR_CONFLICT, "ip '%s' is in use by another tenant's elastic IP; write a free one, or leave it out", text);
    return error_set(err, ERROR_CONFLICT, "ip '%s' is in use by an elastic IP of tenant '%s'; write a free one, or leave it out", text,
                     tenant_name(t, tenant));
}

static bool
refuse_fact(struct transaction *t, const struct fact *f, const struct object *o, uint32_t number, struct error *err)
{
    char title[TITLE_MAX], text[IP_STRLEN];
    struct ip ip = { .family = f->family };
    struct mac mac;
    const struct object *other = transaction_get(t, number, OBJECT_NONE);
    transaction_title(t, other, title);
    switch ((enum fact_kind) f->kind) {
    case FACT_IP:
        memcpy(ip.b, f->b, sizeof ip.b);
        return error_set(err, ERROR_CONFLICT, "ip '%s' is taken by %s; write a free one, or leave it out", ip_format(ip, text), title);
    case FACT_MAC:
        memcpy(mac.b, f->b, sizeof mac.b);
        return error_set(err, ERROR_CONFLICT, "mac '%s' is taken by %s of the same VPC; write another, or leave it out",
                         mac_format(mac, text), title);
    case FACT_PUBLIC_IP: memcpy(ip.b, f->b, sizeof ip.b); return refuse_public_ip(t, ip, other, o->tenant, err);
    case FACT_ROUTE:
    case FACT_IGW:
    case FACT_LISTENER:
    case FACT_TARGET: return error_set(err, ERROR_CONFLICT, "it exists already");
    case FACT_SG_RULE: return error_set(err, ERROR_CONFLICT, "%s says the same", title);
    case FACT_VNI:
    case FACT_MAIN_RTB:
    case FACT_DEFAULT_SG:
    case FACT_SG_SET:
    case FACT_ATTACHED: break;
    }
    return error_set(err, ERROR_INTERNAL, "%s is in the way", title);
}

static bool
check_facts(struct transaction *t, const struct object *o, struct error *err)
{
    struct fact facts[FACTS_MAX];
    size_t n = object_facts(o, facts);
    for (size_t i = 0; i < n; i++) {
        uint32_t number = view_by_fact(t->model, VIEW_STAGED, &facts[i]);
        if (number && number != o->number)
            return refuse_fact(t, &facts[i], o, number, err);
    }
    return true;
}

static bool
check_id(struct transaction *t, const struct object *o, struct error *err)
{
    char id[UUID_STRLEN];
    const struct object *other = view_by_id(t->model, VIEW_STAGED, o->id);
    if (!other || other->number == o->number)
        return true;
    return error_set(err, ERROR_CONFLICT, "id '%s' is taken by another object; write another, or leave it out", uuid_format(o->id, id));
}

bool
transaction_check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct object_hooks *hooks = object_hooks(o->type);
    return (before || (check_name(t, o, err) && check_id(t, o, err))) && (!hooks->check || hooks->check(t, before, o, err))
           && check_facts(t, o, err);
}

/* ---- removal ---- */
bool
object_goes_with(const struct object *o, uint32_t owner)
{
    const struct object_class *class = object_class(o->type);
    const struct object_hooks *hooks = object_hooks(o->type);
    for (size_t i = 0; i < class->n_fields; i++) {
        const struct field *f = &class->fields[i];
        if (f->flags & FIELD_OWNER && *(const uint32_t *) field_in(o, f) == owner)
            return !hooks->goes_with_owner || hooks->goes_with_owner(o);
    }
    return hooks->goes_with && hooks->goes_with(o, owner);
}

bool
object_has_owner(const struct object *o)
{
    const struct object_class *class = object_class(o->type);
    for (size_t i = 0; i < class->n_fields; i++)
        if (class->fields[i].flags & FIELD_OWNER && object_goes_with(o, *(const uint32_t *) field_in(o, &class->fields[i])))
            return true;
    return false;
}

/* Up to five that refer to 'target' and do not go with it. */
struct referrers {
    char text[400];
    size_t n, used;
    bool has_more;
};

static void
referrer_name(const struct transaction *t, struct referrers *r, const struct object *o)
{
    char title[TITLE_MAX];
    if (r->n == NAMED_MAX || r->used >= sizeof r->text) {
        r->has_more = true;
        return;
    }
    r->used += snprintf(r->text + r->used, sizeof r->text - r->used, "%s%s", r->n++ ? ", " : "", transaction_title(t, o, title));
}

static struct referrers
referrers_find(const struct transaction *t, uint32_t target)
{
    struct referrers r = { .n = 0 };
    for (const struct object_class *class = NULL; !r.has_more && (class = object_class_next(class));) {
        uint32_t number = class->is_hidden ? UINT32_MAX : 0; /* what users do not see goes by itself */
        while (!r.has_more && (number = view_next_referrer(t->model, VIEW_STAGED, target, class->type, number))) {
            const struct object *o = transaction_get(t, number, class->type);
            if (!object_goes_with(o, target))
                referrer_name(t, &r, o);
        }
    }
    return r;
}

/* Asked of the removed object itself; what goes with it is not asked 'removing', but must not be referred to from elsewhere either. */
bool
transaction_check_removable(struct transaction *t, const struct object *o, struct error *err)
{
    struct referrers r = referrers_find(t, o->number);
    if (!r.n)
        return true;
    return error_set(err, ERROR_CONFLICT, "%s%s still refer%s to it; delete or change %s first", r.text, r.has_more ? " and more" : "",
                     r.n == 1 ? "s" : "", r.n == 1 ? "that" : "them");
}

/* ---- quotas ---- */
static size_t
counted(const struct transaction *t, enum view view, uint32_t tenant, enum object_type type)
{
    return view_count(t->model, view, tenant, type) - view_count_lingering(t->model, view, tenant, type);
}

static bool
check_quota(const struct transaction *t, const struct object *o, struct error *err)
{
    const struct tenant *tenant = (const struct tenant *) (const void *) transaction_get(t, o->tenant, OBJECT_TENANT);
    const struct object_class *class = object_class(o->type);
    const struct uint_map_item *quota = tenant ? uint_map_find(&tenant->quotas, class->name) : NULL;
    size_t n = counted(t, VIEW_STAGED, o->tenant, o->type);
    if (!quota || n <= quota->value || n <= counted(t, VIEW_COMMITTED, o->tenant, o->type))
        return true;
    return error_set(err, ERROR_QUOTA,
                     "tenant '%s': quota of %u for type '%s' is used up: there would be %zu; delete some, or have "
                     "an admin raise it",
                     tenant->o.name, quota->value, class->name, n);
}

/* New, or deleted before and there again. */
static bool
is_added(const struct change *c)
{
    const struct object_hooks *hooks = object_hooks(c->type);
    bool was_there = c->before && !(hooks->is_lingering && hooks->is_lingering(c->before));
    return c->after && c->after->tenant && !was_there;
}

bool
transaction_check_quotas(const struct transaction *t, struct error *err)
{
    for (size_t i = 0; i < t->n_changes; i++)
        if (is_added(&t->changes[i]) && !check_quota(t, t->changes[i].after, err))
            return false;
    return true;
}
