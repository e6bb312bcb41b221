/* The flows that every host has and no object owns: where stages end, what all ports share. One block, number 0. */
#include <stdio.h>

#include "vnet/model/router_mac.h"
#include "vnet/pipeline/feature.h"
#include "vnet/pipeline/priority.h"

#define UDP 17
#define DHCP_SERVER 67

static const struct mac broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static void
end_rejected(struct block *b, enum reason reason)
{
    act_set(b->fb, LAYOUT_REASON, reason);
    act_goto(b->fb, STAGE_REJECT);
    block_flow_end(b);
}

static void
end_goto(struct block *b, enum stage stage)
{
    act_goto(b->fb, stage);
    block_flow_end(b);
}

static void
gateway_rows(struct block *b)
{
    for (uint8_t ttl = 0; ttl <= 1; ttl++) {
        struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_TTL);
        match_eth_dst(fb, ROUTER_MAC);
        match_ip_ttl(fb, IP_V4, ttl);
        end_rejected(b, REASON_TTL);
    }

    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_ROUTED);
    match_eth_dst(fb, ROUTER_MAC);
    end_goto(b, STAGE_ROUTE);

    fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_DHCP);
    match_eth_dst(fb, broadcast);
    match_ip_dst(fb, ip_prefix_host(ip4(UINT32_MAX)));
    match_l4_dst(fb, IP_V4, UDP, DHCP_SERVER, UINT16_MAX);
    end_goto(b, STAGE_DHCP);

    block_flow(b, STAGE_GATEWAY, PRIORITY_MISS);
    end_goto(b, STAGE_FORWARD);
}

/* The request becomes its answer. Whoever knew the target's MAC put it into eth_dst. */
static void
arp_answer_row(struct block *b)
{
    const struct of_field eth_src = of_field_whole(OF_ETH_SRC), eth_dst = of_field_whole(OF_ETH_DST);
    const struct of_field spa = of_field_whole(OF_ARP_SPA), tpa = of_field_whole(OF_ARP_TPA);
    const struct of_field sha = of_field_whole(OF_ARP_SHA);
    struct flow_builder *fb = block_flow(b, STAGE_FORWARD, PRIORITY_FORWARD_ARP);
    match_arp(fb, 0);
    act_set(fb, of_field_whole(OF_ARP_OP), 2);
    act_move(fb, sha, of_field_whole(OF_ARP_THA));
    act_move(fb, eth_dst, sha);
    act_move(fb, eth_src, eth_dst);
    act_move(fb, sha, eth_src);
    act_move(fb, tpa, LAYOUT_NEXT_HOP4);
    act_move(fb, spa, tpa);
    act_move(fb, LAYOUT_NEXT_HOP4, spa);
    act_output_in_port(fb);
    block_flow_end(b);
}

static void
size_rows(struct block *b)
{
    struct flow_builder *fb = block_flow(b, STAGE_SIZE, PRIORITY_ROW);
    match_u64(fb, LAYOUT_TOO_BIG, 0);
    act_output_field(fb, LAYOUT_OUT_PORT);
    block_flow_end(b);

    fb = block_flow(b, STAGE_SIZE, PRIORITY_ROW);
    match_u64(fb, LAYOUT_TOO_BIG, 1);
    match_family(fb, IP_V4);
    end_rejected(b, REASON_TOO_BIG);
}

static void
base_flows(struct block *b, uint8_t type, uint32_t number)
{
    gateway_rows(b);

    struct flow_builder *fb = block_flow(b, STAGE_NEIGHBOUR, PRIORITY_MISS);
    match_family(fb, IP_V4);
    end_rejected(b, REASON_NO_PORT);

    arp_answer_row(b);
    block_flow(b, STAGE_FORWARD, PRIORITY_MISS);
    end_rejected(b, REASON_NO_PORT);
    block_flow(b, STAGE_TUNNEL_OUT, PRIORITY_MISS);
    end_rejected(b, REASON_NO_PORT);

    block_flow(b, STAGE_EGRESS, PRIORITY_MISS);
    end_rejected(b, REASON_NO_ROUTE);
    fb = block_flow(b, STAGE_PUBLIC_IN, PRIORITY_MISS);
    match_u64(fb, LAYOUT_FROM_UPLINK, 0);
    end_goto(b, STAGE_PUBLIC_OUT);

    size_rows(b);
}

static void
base_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
}

static void
base_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (!vpc)
        emit(aux, 0, 0);
}

static const char *
base_words(const struct spec *spec)
{
    switch (spec->table) {
    case STAGE_GATEWAY:
        return spec->priority == PRIORITY_GATEWAY_TTL ? "the time to live is used up"
               : spec->priority == PRIORITY_MISS      ? "it stays in the subnet"
                                                      : "";
    case STAGE_NEIGHBOUR: return "no port has this address";
    case STAGE_FORWARD: return spec->priority == PRIORITY_FORWARD_ARP ? "ARP is answered" : "no bound port has this MAC";
    case STAGE_EGRESS: return "it has no public address to leave by";
    case STAGE_PUBLIC_IN: return "it goes to the outside";
    case STAGE_TUNNEL_OUT: return "there is no tunnel to that host";
    default: return "";
    }
}

static void
base_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    snprintf(text, size, "%s", base_words(spec));
}

const struct feature feature_base = {
    .name = "base",
    .number = FEATURE_BASE,
    .touches = base_touches,
    .blocks = base_blocks,
    .flows = base_flows,
    .explain = base_explain,
};
