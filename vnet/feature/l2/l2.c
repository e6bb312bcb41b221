/* Neighbours and delivery: where each port of a VPC is, on every host that holds the VPC. */
#include <stdio.h>

#include "vnet/feature/sg/sg.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

static void
neighbour_rows(struct block *b, const struct port_facts *f)
{
    for (size_t i = 0; i < f->port->ips.n; i++) {
        struct ip ip = f->port->ips.v[i];
        if (ip.family != IP_V4)
            continue;
        struct flow_builder *fb = block_flow(b, STAGE_NEIGHBOUR, PRIORITY_ROW);
        match_u64(fb, LAYOUT_VNI, f->vpc->vni);
        match_u64(fb, LAYOUT_NEXT_HOP4, ip4_u32(ip));
        act_set_mac(fb, OF_ETH_DST, f->port->mac);
        act_goto(fb, STAGE_FORWARD);
        block_flow_end(b);
    }
}

static void
here_row(struct block *b, const struct port_facts *f)
{
    struct flow_builder *fb = block_flow(b, STAGE_FORWARD, PRIORITY_FORWARD_MAC);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_eth_dst(fb, f->port->mac);
    match_family(fb, IP_V4);
    sg_deliver_end(b, f);
}

/* Only for what a port of this host sends: nothing that came by tunnel leaves by tunnel. */
static void
elsewhere_row(struct block *b, const struct port_facts *f)
{
    struct flow_builder *fb = block_flow(b, STAGE_FORWARD, PRIORITY_FORWARD_MAC);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_u64(fb, LAYOUT_FROM_TUNNEL, 0);
    match_eth_dst(fb, f->port->mac);
    act_set(fb, LAYOUT_HOST, f->at.host);
    act_goto(fb, STAGE_TUNNEL_OUT);
    block_flow_end(b);
}

static void
l2_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_get(b->view, number, &f))
        return;

    neighbour_rows(b, &f);
    if (f.at.host == b->host && f.at.ofport)
        here_row(b, &f);
    else if (f.at.host && f.at.host != b->host)
        elsewhere_row(b, &f);
}

static void
l2_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_object(event, OBJECT_PORT, list, FEATURE_L2);
    if (event->kind == EVENT_BINDING && event->vpc) /* of a deleted port: its deletion says all */
        touch_add(list, FEATURE_L2, OBJECT_PORT, event->number, touch_vpc(event));
}

static void
l2_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (vpc)
        blocks_ports_of_vpc(view, vpc, emit, aux);
}

static void
l2_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words port = words_owner(view, spec);
    uint32_t host = runtime_binding(view->runtime, cookie_number(spec->cookie)).host;
    if (spec->table == STAGE_NEIGHBOUR)
        snprintf(text, size, "the next hop is %s", port.text);
    else
        snprintf(text, size, "%s is on host %s", port.text, words_object(view, OBJECT_HOST, host).text);
}

const struct feature feature_l2 = {
    .name = "l2",
    .number = FEATURE_L2,
    .touches = l2_touches,
    .blocks = l2_blocks,
    .flows = l2_flows,
    .explain = l2_explain,
};
