/* Which hosts hold which VPCs and which combinations of security groups: because a port is bound there or is about to come there, or because
 * what is held there sends to all of a VPC. */
#include "vnet/pipeline/compiler_private.h"
#include "vnet/pipeline/placement.h"

/* The combination of security groups that a port has; 0: none, or there is no such port. */
static uint32_t
set_of_port(const struct compiler *c, uint32_t number)
{
    const struct port *port = model_port(c->view.model, number);
    return port ? port->sg_set : 0;
}

/* The VPC of an object of any type; 0: there is none, or no such object. */
static uint32_t
vpc_of_number(const struct compiler *c, uint32_t number)
{
    const struct object *o = model_get(c->view.model, number, OBJECT_NONE);
    return o ? view_vpc_of(&c->view, o->type, number) : 0;
}

static void
place_port(struct compiler *c, uint32_t port, uint32_t host)
{
    presence_place(c->presence, port, host, view_vpc_of(&c->view, OBJECT_PORT, port));
    presence_place(c->sets, port, host, set_of_port(c, port));
}

/* Who holds a VPC for a port's second place. */
static uint64_t
twin_key(uint32_t port)
{
    return UINT64_C(1) << 32 | port;
}

struct placing {
    struct compiler *c;
    uint32_t host;
};

static void
place_each_port(void *aux, uint32_t port, uint32_t ofport)
{
    const struct placing *p = aux;
    place_port(p->c, port, p->host);
}

static void
place_each_twin(void *aux, uint32_t port, uint32_t ofport)
{
    const struct placing *p = aux;
    presence_place(p->c->presence, twin_key(port), p->host, view_vpc_of(&p->c->view, OBJECT_PORT, port));
    presence_place(p->c->sets, twin_key(port), p->host, set_of_port(p->c, port));
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
    presence_place(c->presence, number, placement_host(&c->view, number), vpc_of_number(c, number));
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

/* What a host holds besides what it has anyway: VPCs, or combinations of security groups. */
struct holding_kind {
    struct presence *presence;
    void (*dirty)(struct compiler *, struct attached *, uint32_t held);
};

/* What holds something on a host (a port, a NAT gateway) is there now: so may that have come, or gone. */
static void
presence_update(const struct touch_list *list, const struct holding_kind *kind, uint64_t who, uint32_t host, uint32_t held)
{
    struct compiler *c = list->c;
    uint32_t was = presence_host_of(kind->presence, who);
    bool arrived = presence_place(kind->presence, who, host, held);
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
vpc_presence_update(const struct touch_list *list, uint64_t who, uint32_t host, uint32_t vpc)
{
    presence_update(list, &(struct holding_kind){ list->c->presence, compiler_dirty_all }, who, host, vpc);
}

static void
port_presence_update(const struct touch_list *list, uint32_t port)
{
    struct compiler *c = list->c;
    uint32_t vpc = view_vpc_of(&c->view, OBJECT_PORT, port), set = set_of_port(c, port);
    uint32_t host = runtime_binding(c->view.runtime, port).host, twin = runtime_twin(c->view.runtime, port).host;
    const struct holding_kind sets = { c->sets, compiler_dirty_set };
    vpc_presence_update(list, port, host, vpc);
    vpc_presence_update(list, twin_key(port), twin, vpc);
    presence_update(list, &sets, port, host, set);
    presence_update(list, &sets, twin_key(port), twin, set);
}

static void
sender_presence_update(const struct touch_list *list, uint32_t number)
{
    vpc_presence_update(list, number, placement_host(&list->c->view, number), vpc_of_number(list->c, number));
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
        port_presence_update(list, change->number);
    else if (change && (change->type == OBJECT_NATGW || change->type == OBJECT_LB))
        sender_presence_update(list, change->number);
    else if (change && change->type == OBJECT_EIP)
        eip_presence_update(list, (const void *) change->before);
    placement_affected(&list->c->view, event, affected_presence_update, list);
}
