/* Routing on the sender's host: route table and destination give the next hop. Longest prefix by priority. */
#include <stdio.h>

#include "vnet/model/router_mac.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

static struct flow_builder *
begin(struct block *b, uint32_t rtb, struct ip_prefix prefix)
{
    struct flow_builder *fb = block_flow(b, STAGE_ROUTE, PRIORITY_ROUTE_PREFIX + prefix.len);
    match_u64(fb, LAYOUT_RTB, rtb);
    match_ip_dst(fb, prefix);
    return fb;
}

static void
end_routed(struct block *b, enum stage next)
{
    act_set_mac(b->fb, OF_ETH_SRC, ROUTER_MAC);
    act_dec_ttl(b->fb);
    act_goto(b->fb, next);
    block_flow_end(b);
}

static void
end_rejected(struct block *b, enum reason reason)
{
    act_set(b->fb, LAYOUT_REASON, reason);
    act_goto(b->fb, STAGE_REJECT);
    block_flow_end(b);
}

static void
rtb_flows(struct block *b, uint32_t number)
{
    const struct rtb *rtb = model_rtb(b->view->model, number);
    const struct vpc *vpc = rtb ? model_vpc(b->view->model, rtb->vpc) : NULL;
    if (!vpc)
        return;

    struct flow_builder *fb = begin(b, number, vpc->cidr);
    act_move(fb, of_field_whole(OF_IPV4_DST), LAYOUT_NEXT_HOP4);
    end_routed(b, STAGE_NEIGHBOUR);

    fb = block_flow(b, STAGE_ROUTE, PRIORITY_ROUTE_NONE);
    match_u64(fb, LAYOUT_RTB, number);
    end_rejected(b, REASON_NO_ROUTE);
}

static void
route_row(struct block *b, uint32_t number)
{
    const struct route *route = model_route(b->view->model, number);
    const struct port *port;
    if (!route || route->prefix.ip.family != IP_V4)
        return;

    switch (route->target.kind) {
    case TARGET_BLACKHOLE:
        begin(b, route->rtb, route->prefix);
        end_rejected(b, REASON_BLACKHOLE);
        break;
    case TARGET_PORT:
        port = model_port(b->view->model, route->target.number);
        if (!port)
            return;
        begin(b, route->rtb, route->prefix);
        act_set(b->fb, LAYOUT_NEXT_HOP4, ip4_u32(port_ip4(port)));
        end_routed(b, STAGE_NEIGHBOUR);
        break;
    case TARGET_NATGW:
        begin(b, route->rtb, route->prefix);
        act_set(b->fb, LAYOUT_WAY_OUT, route->target.number);
        end_routed(b, STAGE_EGRESS);
        break;
    case TARGET_IGW: /* the packet is changed where its public address is: feature eip */
        begin(b, route->rtb, route->prefix);
        act_set(b->fb, LAYOUT_WAY_OUT, 0);
        act_goto(b->fb, STAGE_EGRESS);
        block_flow_end(b);
        break;
    case TARGET_LB: /* no route's */
    case TARGET_NONE: break;
    }
}

static void
route_flows(struct block *b, uint8_t type, uint32_t number)
{
    if (type == OBJECT_RTB)
        rtb_flows(b, number);
    else
        route_row(b, number);
}

struct route_touch {
    const struct vnet_event *event;
    struct touch_list *list;
};

static bool
touch_each(void *aux, const struct object *o)
{
    const struct route_touch *t = aux;
    touch_add(t->list, FEATURE_ROUTE, o->type, o->number, touch_vpc(t->event));
    return true;
}

static void
route_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_object(event, OBJECT_RTB, list, FEATURE_ROUTE);
    touch_object(event, OBJECT_ROUTE, list, FEATURE_ROUTE);

    struct route_touch t = { event, list };
    const struct change *port = event_object(event, OBJECT_PORT), *vpc = event_object(event, OBJECT_VPC);
    if (port)
        model_each_referrer(view->model, port->number, OBJECT_ROUTE, touch_each, &t);
    else if (vpc)
        model_each_referrer(view->model, vpc->number, OBJECT_RTB, touch_each, &t);
}

struct table_emission {
    const struct view *view;
    block_emit *emit;
    void *aux;
};

static bool
emit_table(void *aux, const struct object *rtb)
{
    const struct table_emission *e = aux;
    e->emit(e->aux, OBJECT_RTB, rtb->number);
    blocks_referring(e->view, rtb->number, OBJECT_ROUTE, e->emit, e->aux);
    return true;
}

static void
route_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct table_emission e = { view, emit, aux };
    if (vpc)
        model_each_referrer(view->model, vpc, OBJECT_RTB, emit_table, &e);
}

static void
route_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words owner = words_owner(view, spec);
    const struct route *route = model_route(view->model, cookie_number(spec->cookie));
    if (route && route->target.kind == TARGET_PORT)
        snprintf(text, size, "route %s leads to %s", owner.text, words_object(view, OBJECT_PORT, route->target.number).text);
    else if (route && route->target.kind == TARGET_IGW)
        snprintf(text, size, "route %s leads to the internet gateway", owner.text);
    else if (route && route->target.kind == TARGET_NATGW)
        snprintf(text, size, "route %s leads to NAT gateway %s", owner.text, words_object(view, OBJECT_NATGW, route->target.number).text);
    else if (cookie_type(spec->cookie) == OBJECT_ROUTE)
        snprintf(text, size, "route %s is a blackhole", owner.text);
    else if (spec->priority == PRIORITY_ROUTE_NONE)
        snprintf(text, size, "route table %s has no route for it", owner.text);
    else
        snprintf(text, size, "route table %s: it is local in the VPC", owner.text);
}

const struct feature feature_route = {
    .name = "route",
    .number = FEATURE_ROUTE,
    .touches = route_touches,
    .blocks = route_blocks,
    .flows = route_flows,
    .explain = route_explain,
};
