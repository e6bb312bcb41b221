/* Which hosts hold which VPCs and which security groups: because a port is bound there or is about to come there, or because what is held
 * there sends to all of a VPC. */
#include "vnet/pipeline/compiler_private.h"
#include "vnet/pipeline/placement.h"

/* The VPC of an object of any type; 0: there is none, or no such object. */
static uint32_t
vpc_of_number(const struct compiler *c, uint32_t number)
{
    const struct object *o = model_get(c->view.model, number, OBJECT_NONE);
    return o ? view_vpc_of(&c->view, o->type, number) : 0;
}

/* A port, or its second place, is on this host: so are its VPC and its groups. */
static void
place_port(struct compiler *c, struct presence_reason why, uint32_t host)
{
    const struct port *port = model_port(c->view.model, why.number);
    presence_place(c->presence, why, host, view_vpc_of(&c->view, OBJECT_PORT, why.number));
    for (size_t i = 0; port && i < port->sg.n; i++) {
        why.group = port->sg.v[i];
        presence_place(c->groups, why, host, why.group);
    }
}

struct placing {
    struct compiler *c;
    uint32_t host;
};

static void
place_each_port(void *aux, uint32_t port, uint32_t ofport)
{
    const struct placing *p = aux;
    place_port(p->c, (struct presence_reason){ .number = port }, p->host);
}

static void
place_each_twin(void *aux, uint32_t port, uint32_t ofport)
{
    const struct placing *p = aux;
    place_port(p->c, (struct presence_reason){ .number = port, .is_twin = true }, p->host);
}

static void
place_host(struct compiler *c, uint32_t host)
{
    struct placing p = { c, host };
    runtime_each_port_on(c->view.runtime, host, place_each_port, &p);
    runtime_each_twin_on(c->view.runtime, host, place_each_twin, &p);
}

static void
place_each_host(void *aux, const struct runtime_host *host)
{
    place_host(aux, host->number);
}

/* The holder of a NAT gateway's or balancer's address sends to every port of the VPC, so it holds that as if a port were there. */
static void
place_sender(void *aux, uint32_t number)
{
    struct compiler *c = aux;
    presence_place(c->presence, (struct presence_reason){ .number = number }, placement_host(&c->view, number), vpc_of_number(c, number));
}

void
compiler_place_all(struct compiler *c)
{
    placement_each_sender(&c->view, place_sender, c);
    runtime_each_host(c->view.runtime, place_each_host, c);
}

void
compiler_place_on(struct compiler *c, uint32_t host)
{
    place_host(c, host);
    placement_each_sender(&c->view, place_sender, c);
}

/* ---- changes ---- */

/* What a host holds besides what it has anyway: VPCs, or security groups. */
struct holding_kind {
    struct presence *presence;
    void (*dirty)(struct compiler *, struct attached *, uint32_t held);
};

/* What holds something on a host (a port, a NAT gateway) is there now: so may that have come, or gone. */
static void
presence_update(const struct touch_list *list, const struct holding_kind *kind, struct presence_reason why, uint32_t host, uint32_t held)
{
    struct compiler *c = list->c;
    uint32_t was = presence_host_of(kind->presence, why);
    bool arrived = presence_place(kind->presence, why, host, held);
    struct attached *here = attached_find(c, host), *there = attached_find(c, was);

    if (arrived && here) {
        kind->dirty(c, here, held);
        compiler_tell_concerned(list, here);
    }
    if (there && presence_is_leaving_any(kind->presence, was))
        compiler_tell_concerned(list, there);
    while (!there && presence_take_leaving(kind->presence, was))
        continue;
}

static void
vpc_presence_update(const struct touch_list *list, struct presence_reason why, uint32_t host, uint32_t vpc)
{
    presence_update(list, &(struct holding_kind){ list->c->presence, compiler_dirty_all }, why, host, vpc);
}

/* Both places of a port hold what it has. */
static void
port_vpc_update(const struct touch_list *list, uint32_t port)
{
    const struct view *view = &list->c->view;
    uint32_t vpc = view_vpc_of(view, OBJECT_PORT, port);
    vpc_presence_update(list, (struct presence_reason){ .number = port }, runtime_binding(view->runtime, port).host, vpc);
    vpc_presence_update(list, (struct presence_reason){ .number = port, .is_twin = true }, runtime_twin(view->runtime, port).host, vpc);
}

static void
port_group_update(const struct touch_list *list, uint32_t port, uint32_t group, bool has_it)
{
    const struct runtime *runtime = list->c->view.runtime;
    const struct holding_kind groups = { list->c->groups, compiler_dirty_group };
    struct presence_reason why = { .number = port, .group = group };
    presence_update(list, &groups, why, has_it ? runtime_binding(runtime, port).host : 0, group);
    why.is_twin = true;
    presence_update(list, &groups, why, has_it ? runtime_twin(runtime, port).host : 0, group);
}

static void
port_presence_update(const struct touch_list *list, uint32_t number)
{
    const struct port *port = model_port(list->c->view.model, number);
    port_vpc_update(list, number);
    for (size_t i = 0; port && i < port->sg.n; i++)
        port_group_update(list, number, port->sg.v[i], true);
}

static bool
has_group(const struct port *port, uint32_t group)
{
    for (size_t i = 0; port && i < port->sg.n; i++)
        if (port->sg.v[i] == group)
            return true;
    return false;
}

/* Groups that it had and has no more are found in what it was. */
static void
port_changed(const struct touch_list *list, const struct change *change)
{
    const struct port *before = (const void *) change->before, *after = (const void *) change->after;
    port_presence_update(list, change->number);
    for (size_t i = 0; before && i < before->sg.n; i++)
        if (!has_group(after, before->sg.v[i]))
            port_group_update(list, change->number, before->sg.v[i], false);
}

static void
sender_presence_update(const struct touch_list *list, uint32_t number)
{
    vpc_presence_update(list, (struct presence_reason){ .number = number }, placement_host(&list->c->view, number),
                        vpc_of_number(list->c, number));
}

static void
eip_presence_update(const struct touch_list *list, const struct eip *eip)
{
    if (eip && (eip->attached.kind == TARGET_NATGW || eip->attached.kind == TARGET_LB))
        sender_presence_update(list, eip->attached.number);
}

static void
affected_presence_update(void *aux, uint32_t eip)
{
    const struct touch_list *list = aux;
    eip_presence_update(list, model_eip(list->c->view.model, eip));
}

void
compiler_place_changed(struct touch_list *list, const struct vnet_event *event)
{
    const struct change *change = event->kind == EVENT_OBJECT ? event->change : NULL;
    if (event->kind == EVENT_BINDING || event->kind == EVENT_TWIN)
        port_presence_update(list, event->number);
    else if (change && change->type == OBJECT_PORT)
        port_changed(list, change);
    else if (change && (change->type == OBJECT_NATGW || change->type == OBJECT_LB))
        sender_presence_update(list, change->number);
    else if (change && change->type == OBJECT_EIP)
        eip_presence_update(list, (const void *) change->before);
    placement_affected(&list->c->view, event, affected_presence_update, list);
}
