#include "vnet/pipeline/touch.h"

const struct change *
event_object(const struct vnet_event *event, enum object_type type)
{
    return event->kind == EVENT_OBJECT && event->change->type == type ? event->change : NULL;
}

struct touch
touch_vpc(const struct vnet_event *event)
{
    return (struct touch){ event->vpc ? TOUCH_VPC : TOUCH_EVERYWHERE, event->vpc };
}

void
touch_object(const struct vnet_event *event, enum object_type type, struct touch_list *list, uint8_t feature)
{
    const struct change *change = event_object(event, type);
    if (change)
        touch_add(list, feature, type, change->number, touch_vpc(event));
}

static void
touch_port_on(struct touch_list *list, uint8_t feature, uint32_t port, uint32_t host)
{
    if (host)
        touch_add(list, feature, OBJECT_PORT, port, (struct touch){ TOUCH_HOST, host });
}

void
touch_local_port(const struct view *view, const struct vnet_event *event, struct touch_list *list, uint8_t feature)
{
    const struct change *change = event_object(event, OBJECT_PORT);
    if (change) {
        touch_port_on(list, feature, change->number, runtime_binding(view->runtime, change->number).host);
    } else if (event->kind == EVENT_BINDING) {
        touch_port_on(list, feature, event->number, event->before.host);
        touch_port_on(list, feature, event->number, event->after.host);
    }
}

struct ports_touch {
    const struct view *view;
    struct touch_list *list;
    uint8_t feature;
};

static bool
touch_each_port(void *aux, const struct object *port)
{
    const struct ports_touch *t = aux;
    touch_port_on(t->list, t->feature, port->number, runtime_binding(t->view->runtime, port->number).host);
    return true;
}

void
touch_local_ports_of(const struct view *view, uint32_t subnet, struct touch_list *list, uint8_t feature)
{
    struct ports_touch t = { view, list, feature };
    model_each_referrer(view->model, subnet, OBJECT_PORT, touch_each_port, &t);
}

struct emission {
    const struct view *view;
    enum object_type type;
    block_emit *emit;
    void *aux;
};

static void
emit_port(void *aux, uint32_t port, uint32_t ofport)
{
    const struct emission *e = aux;
    e->emit(e->aux, OBJECT_PORT, port);
}

void
blocks_local_ports(const struct view *view, uint32_t host, block_emit *emit, void *aux)
{
    struct emission e = { view, OBJECT_PORT, emit, aux };
    runtime_each_port_on(view->runtime, host, emit_port, &e);
}

static void
emit_number(void *aux, uint32_t number)
{
    const struct emission *e = aux;
    e->emit(e->aux, e->type, number);
}

void
blocks_referring(const struct view *view, uint32_t owner, enum object_type type, block_emit *emit, void *aux)
{
    struct emission e = { view, type, emit, aux };
    model_each_referring_number(view->model, owner, type, emit_number, &e);
}

static bool
emit_ports_of_subnet(void *aux, const struct object *subnet)
{
    const struct emission *e = aux;
    blocks_referring(e->view, subnet->number, OBJECT_PORT, e->emit, e->aux);
    return true;
}

void
blocks_ports_of_vpc(const struct view *view, uint32_t vpc, block_emit *emit, void *aux)
{
    struct emission e = { view, OBJECT_PORT, emit, aux };
    model_each_referrer(view->model, vpc, OBJECT_SUBNET, emit_ports_of_subnet, &e);
}
