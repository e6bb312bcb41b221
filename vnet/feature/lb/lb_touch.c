/* Which blocks a change of balancers, listeners, targets, their health and their ports concerns. All are of the VPC. */
#include "vnet/feature/lb/lb_private.h"

#include "vnet/pipeline/touch.h"

struct lb_touch {
    const struct view *view;
    struct touch_list *list;
    struct touch where;
};

static void
touch(const struct lb_touch *t, uint8_t type, uint32_t number)
{
    touch_add(t->list, FEATURE_LB, type, number, t->where);
}

static void
touch_listener(void *aux, uint32_t number)
{
    touch(aux, OBJECT_LISTENER, number);
}

/* A balancer's own rows follow from where its targets listen. */
static void
touch_listener_and_balancer(void *aux, uint32_t number)
{
    const struct lb_touch *t = aux;
    const struct listener *listener = model_listener(t->view->model, number);
    touch(t, OBJECT_LISTENER, number);
    if (listener)
        touch(t, OBJECT_LB, listener->lb);
}

/* A target's rows follow also from the health of the others. */
static void
touch_target(void *aux, uint32_t number)
{
    touch(aux, OBJECT_TARGET, number);
}

static void
touch_target_and_port(void *aux, uint32_t number)
{
    const struct lb_touch *t = aux;
    const struct target *target = model_target(t->view->model, number);
    touch(t, OBJECT_TARGET, number);
    if (target)
        touch(t, OBJECT_PORT, target->port);
}

static void
touch_group_of_target(void *aux, uint32_t number)
{
    const struct lb_touch *t = aux;
    const struct target *target = model_target(t->view->model, number);
    if (!target)
        return;
    lb_each_target(t->view, target->tg, touch_target, aux);
    lb_each_listener(t->view, target->tg, touch_listener, aux);
}

static void
target_changed(struct lb_touch *t, const struct change *c)
{
    const struct target *target = (const void *) (c->after ? c->after : c->before);
    touch(t, OBJECT_TARGET, c->number);
    touch(t, OBJECT_PORT, target->port);
    lb_each_target(t->view, target->tg, touch_target, t);
    lb_each_listener(t->view, target->tg, touch_listener_and_balancer, t);
}

static void
group_changed(struct lb_touch *t, const struct change *c)
{
    lb_each_target(t->view, c->number, touch_target_and_port, t);
    lb_each_listener(t->view, c->number, touch_listener_and_balancer, t);
}

static void
listener_changed(struct lb_touch *t, const struct change *c)
{
    const struct listener *before = (const void *) c->before, *after = (const void *) c->after;
    touch(t, OBJECT_LISTENER, c->number);
    touch(t, OBJECT_LB, after ? after->lb : before->lb);
    if (before)
        lb_each_target(t->view, before->tg, touch_target_and_port, t);
    if (after && (!before || before->tg != after->tg))
        lb_each_target(t->view, after->tg, touch_target_and_port, t);
}

static void
balancer_changed(struct lb_touch *t, const struct change *c)
{
    touch(t, OBJECT_LB, c->number);
    lb_each_listener(t->view, c->number, touch_listener, t);
}

static void
port_changed(struct lb_touch *t, uint32_t port)
{
    touch(t, OBJECT_PORT, port);
    lb_each_target(t->view, port, touch_target, t);
}

static bool
touch_ports_of_group(void *aux, const struct object *tg)
{
    const struct lb_touch *t = aux;
    lb_each_target(t->view, tg->number, touch_target_and_port, aux);
    return true;
}

/* Where there is no balancer a target's port has no rows. */
static void
vpc_changed(struct lb_touch *t, const struct change *c)
{
    const struct vpc *before = (const void *) c->before, *after = (const void *) c->after;
    touch(t, OBJECT_VPC, c->number);
    if (before && after && before->is_balanced != after->is_balanced)
        model_each_referrer(t->view->model, c->number, OBJECT_TG, touch_ports_of_group, t);
}

/* ---- elastic IPs ---- */

static void
touch_attached(const struct lb_touch *t, const struct eip *eip)
{
    uint32_t vpc = eip && eip->attached.kind == TARGET_LB ? view_vpc_of(t->view, OBJECT_LB, eip->attached.number) : 0;
    struct lb_touch there = { t->view, t->list, { TOUCH_VPC, vpc } };
    if (!vpc)
        return;
    touch(&there, OBJECT_LB, eip->attached.number);
    lb_each_listener(t->view, eip->attached.number, touch_listener, &there);
}

static void
touch_affected(void *aux, uint32_t eip)
{
    const struct lb_touch *t = aux;
    touch_attached(t, model_eip(t->view->model, eip));
}

static void
object_changed(struct lb_touch *t, const struct change *c)
{
    switch (c->type) {
    case OBJECT_VPC: vpc_changed(t, c); break;
    case OBJECT_PORT: port_changed(t, c->number); break;
    case OBJECT_LB: balancer_changed(t, c); break;
    case OBJECT_LISTENER: listener_changed(t, c); break;
    case OBJECT_TG: group_changed(t, c); break;
    case OBJECT_TARGET: target_changed(t, c); break;
    case OBJECT_EIP: touch_attached(t, (const void *) c->before); break;
    default: break;
    }
}

static bool is_target(const struct view *view, uint32_t port);

void
lb_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    struct lb_touch t = { view, list, touch_vpc(event) };
    placement_affected(view, event, touch_affected, &t);
    if (event->kind == EVENT_OBJECT)
        object_changed(&t, event->change);
    else if (event->kind == EVENT_BINDING && is_target(view, event->number))
        port_changed(&t, event->number);
    else if (event->kind == EVENT_TARGET)
        touch_group_of_target(&t, event->number);
}

static void
note_any(void *aux, uint32_t number)
{
    *(bool *) aux = true;
}

static bool
is_target(const struct view *view, uint32_t port)
{
    bool is_any = false;
    lb_each_target(view, port, note_any, &is_any);
    return is_any;
}
