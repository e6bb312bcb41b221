/* ARP requests: finds whose MAC is asked for; the base feature's row in FORWARD makes the answer of it. */
#include <stdio.h>

#include "vnet/model/router_mac.h"
#include "vnet/pipeline/port_facts.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define ARP_REQUEST 1

static void
subnet_flows(struct block *b, uint32_t number)
{
    const struct subnet *subnet = model_subnet(b->view->model, number);
    if (!subnet)
        return;

    struct flow_builder *fb = block_flow(b, STAGE_ARP, PRIORITY_ARP_GATEWAY);
    match_u64(fb, LAYOUT_SUBNET, number);
    match_arp(fb, ARP_REQUEST);
    match_arp_tpa(fb, ip_prefix_host(subnet_gateway(subnet)));
    act_set_mac(fb, OF_ETH_DST, ROUTER_MAC);
    act_goto(fb, STAGE_FORWARD);
    block_flow_end(b);

    fb = block_flow(b, STAGE_ARP, PRIORITY_ARP_SUBNET);
    match_u64(fb, LAYOUT_SUBNET, number);
    match_arp(fb, ARP_REQUEST);
    match_arp_tpa(fb, subnet->cidr);
    act_move(fb, of_field_whole(OF_ARP_TPA), LAYOUT_NEXT_HOP4);
    act_goto(fb, STAGE_NEIGHBOUR);
    block_flow_end(b);
}

/* A guest that asks for its own address (announcement, duplicate detection) must not be told that it is taken. */
static void
port_flows(struct block *b, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_local(b, number, &f))
        return;

    for (size_t i = 0; i < f.port->ips.n; i++) {
        if (f.port->ips.v[i].family != IP_V4)
            continue;
        struct flow_builder *fb = block_flow(b, STAGE_ARP, PRIORITY_ARP_OWN);
        match_u64(fb, LAYOUT_PORT, number);
        match_arp_tpa(fb, ip_prefix_host(f.port->ips.v[i]));
        block_flow_end(b);
    }
}

static void
arp_flows(struct block *b, uint8_t type, uint32_t number)
{
    if (type == OBJECT_SUBNET)
        subnet_flows(b, number);
    else
        port_flows(b, number);
}

static void
arp_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_object(event, OBJECT_SUBNET, list, FEATURE_ARP);
    touch_local_port(view, event, list, FEATURE_ARP);
}

static void
arp_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (vpc)
        blocks_referring(view, vpc, OBJECT_SUBNET, emit, aux);
    else
        blocks_local_ports(view, host, emit, aux);
}

static void
arp_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words owner = words_owner(view, spec);
    if (spec->priority == PRIORITY_ARP_OWN)
        snprintf(text, size, "%s asks for its own address, which needs no answer", owner.text);
    else if (spec->priority == PRIORITY_ARP_GATEWAY)
        snprintf(text, size, "it asks for the gateway of subnet %s", owner.text);
    else
        snprintf(text, size, "it asks for an address of subnet %s", owner.text);
}

const struct feature feature_arp = {
    .name = "arp",
    .number = FEATURE_ARP,
    .touches = arp_touches,
    .blocks = arp_blocks,
    .flows = arp_flows,
    .explain = arp_explain,
};
