/* Which blocks a change of groups or rules concerns. A port that has other groups changes its own block; and the hosts that come to have ports of
 * a group, or cease to, are the compiler's to know. */
#include "vnet/feature/sg/sg_private.h"

#include "vnet/pipeline/touch.h"

struct sg_touch {
    const struct view *view;
    struct touch_list *list;
    struct touch where; /* for touch_rule() */
    const struct sg_rule *changed;
};

static void
touch_rule(void *aux, const struct sg_rule *rule)
{
    const struct sg_touch *t = aux;
    touch_add(t->list, FEATURE_SG, OBJECT_SG_RULE, rule->o.number, t->where);
}

/* All rows on the port's own host by which packets leave it or come to it. */
static bool
touch_ways(void *aux, const struct object *port)
{
    const struct sg_touch *t = aux;
    uint32_t number = port->number, host = runtime_binding(t->view->runtime, number).host, eip = model_eip_of(t->view->model, number);
    const struct touch there = { TOUCH_HOST, host };
    if (!host)
        return true;
    touch_add(t->list, FEATURE_ADMIT, OBJECT_PORT, number, there);
    touch_add(t->list, FEATURE_L2, OBJECT_PORT, number, there);
    touch_add(t->list, FEATURE_SG, OBJECT_PORT, number, there);
    if (eip)
        touch_add(t->list, FEATURE_EIP, OBJECT_EIP, eip, there);
    return true;
}

static bool
touch_port_block(void *aux, const struct object *port)
{
    const struct sg_touch *t = aux;
    touch_add(t->list, FEATURE_SG, OBJECT_PORT, port->number, t->where);
    return true;
}

/* ---- a rule ---- */

static bool
allows_all(const struct sg_rule *rule)
{
    return rule->match.proto < 0 && !rule->peer && rule->cidr.ip.family == IP_V4 && !rule->cidr.len;
}

static void
touch_rival(void *aux, const struct sg_rule *other)
{
    const struct sg_touch *t = aux;
    if (sg_rule_may_take_from(t->changed, other))
        touch_rule(aux, other);
}

static void
touch_ways_of_set(void *aux, const struct sg_set *set)
{
    const struct sg_touch *t = aux;
    model_each_referrer(t->view->model, set->o.number, OBJECT_PORT, touch_ways, aux);
}

static void
rule_changed(struct sg_touch *t, const struct change *c)
{
    t->changed = (const void *) (c->after ? c->after : c->before);
    t->where = (struct touch){ TOUCH_SG, t->changed->sg };
    touch_rule(t, t->changed);
    if (sg_rule_may_have_rivals(t->changed))
        sg_each_rule(t->view, t->changed->sg, touch_rival, t);
    if (allows_all(t->changed))
        sg_each_set(t->view, t->changed->sg, touch_ways_of_set, t); /* its groups may be open now, or no longer */
}

/* ---- a group: became, or is no longer, the peer of rules ---- */

static void
touch_ports_of_set(void *aux, const struct sg_set *set)
{
    const struct sg_touch *t = aux;
    model_each_referrer(t->view->model, set->o.number, OBJECT_PORT, touch_port_block, aux);
}

static void
group_changed(struct sg_touch *t, const struct change *c)
{
    const struct sg *before = (const void *) c->before, *after = (const void *) c->after;
    if (before && after && (before->is_ingress_peer != after->is_ingress_peer || before->is_egress_peer != after->is_egress_peer))
        sg_each_set(t->view, c->number, touch_ports_of_set, t);
}

/* ---- a VPC has a balancer, or none any more ---- */

static bool
touch_subnet(void *aux, const struct object *subnet)
{
    const struct sg_touch *t = aux;
    model_each_referrer(t->view->model, subnet->number, OBJECT_PORT, touch_ways, aux);
    return true;
}

static void
vpc_changed(struct sg_touch *t, const struct change *c)
{
    const struct vpc *before = (const void *) c->before, *after = (const void *) c->after;
    if (before && after && before->is_balanced != after->is_balanced)
        model_each_referrer(t->view->model, c->number, OBJECT_SUBNET, touch_subnet, t);
}

void
sg_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    struct sg_touch t = { view, list, touch_vpc(event), NULL };
    const struct change *c;
    touch_object(event, OBJECT_PORT, list, FEATURE_SG);
    touch_local_port(view, event, list, FEATURE_SG);
    if ((c = event_object(event, OBJECT_SUBNET)) != NULL && c->before && c->after)
        touch_local_ports_of(view, c->number, list, FEATURE_SG);
    if ((c = event_object(event, OBJECT_VPC)) != NULL)
        vpc_changed(&t, c);
    if ((c = event_object(event, OBJECT_SG_RULE)) != NULL)
        rule_changed(&t, c);
    if ((c = event_object(event, OBJECT_SG)) != NULL)
        group_changed(&t, c);
}
