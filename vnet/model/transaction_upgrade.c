/* What an older version's intent lacks: default security groups, and the combination each port's groups are. A store that has them all is not
 * changed, so this may be asked at every start. */
#include "vnet/model/sg_set.h"

#include <string.h>

static bool
vpc_upgrade(struct transaction *t, const struct object *vpc, struct error *err)
{
    struct fact f = fact_default_sg(vpc->number);
    if (view_by_fact(t->model, VIEW_STAGED, &f) || vpc_add_default_sg(t, vpc, err))
        return true;
    return error_prefix(err, "vpc '%s'", vpc->name ? vpc->name : "");
}

static bool
has_its_set(const struct transaction *t, const struct port *p)
{
    const struct sg_set *set = view_sg_set(t->model, VIEW_STAGED, p->sg_set);
    if (!p->has_sg)
        return !p->sg_set;
    return set && p->sg.n == set->groups.n && !memcmp(p->sg.v, set->groups.v, p->sg.n * sizeof *p->sg.v);
}

static bool
port_upgrade(struct transaction *t, const struct object *port, struct error *err)
{
    return has_its_set(t, (const struct port *) (const void *) port) || transaction_replace(t, port, object_clone(port), err)
           || error_prefix(err, "port '%s'", port->name ? port->name : "");
}

/* Without ports it would stay for ever. */
static bool
set_upgrade(struct transaction *t, const struct object *set, struct error *err)
{
    return view_next_referrer(t->model, VIEW_STAGED, set->number, OBJECT_PORT, 0) || transaction_remove(t, set, err);
}

static bool
each(struct transaction *t, enum object_type type, bool (*upgrade)(struct transaction *, const struct object *, struct error *),
     struct error *err)
{
    const struct object *o;
    for (uint32_t after = 0; (o = model_next(t->model, type, after)); after = o->number)
        if (!upgrade(t, o, err))
            return false;
    return true;
}

bool
transaction_upgrade(struct transaction *t, struct error *err)
{
    return each(t, OBJECT_VPC, vpc_upgrade, err) && each(t, OBJECT_PORT, port_upgrade, err) && each(t, OBJECT_SG_SET, set_upgrade, err);
}
