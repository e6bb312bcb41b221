/* The gateway's address of each subnet: answers echo, takes DHCP renewals, refuses the rest. The router's other rows, which depend on
 * no object, are the base feature's. */
#include <stdio.h>

#include "vnet/model/router_mac.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define ICMP 1
#define ICMP_ECHO_REQUEST 8
#define ICMP_ECHO_REPLY 0
#define UDP 17
#define DHCP_SERVER 67
#define ANSWER_TTL 64

struct gateway {
    uint32_t vni;
    struct ip ip;
};

static struct flow_builder *
begin(struct block *b, const struct gateway *g, uint16_t priority)
{
    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, priority);
    match_u64(fb, LAYOUT_VNI, g->vni);
    match_eth_dst(fb, ROUTER_MAC);
    match_ip_dst(fb, ip_prefix_host(g->ip));
    return fb;
}

/* Back to the sender, with the addresses swapped. */
static void
end_answered(struct block *b, const struct gateway *g)
{
    act_move(b->fb, of_field_whole(OF_ETH_SRC), of_field_whole(OF_ETH_DST));
    act_set_mac(b->fb, OF_ETH_SRC, ROUTER_MAC);
    act_move(b->fb, of_field_whole(OF_IPV4_SRC), of_field_whole(OF_IPV4_DST));
    act_set_ip(b->fb, OF_IPV4_SRC, g->ip);
    act_set(b->fb, of_field_whole(OF_IP_TTL), ANSWER_TTL);
    act_output_in_port(b->fb);
    block_flow_end(b);
}

/* Open vSwitch shows no ICMP type of fragments, so any first fragment to the gateway counts as an echo's: what is not one comes back to its
 * own sender, who alone can make sense of it. */
static void
echo_rows(struct block *b, const struct gateway *g)
{
    struct flow_builder *fb = begin(b, g, PRIORITY_GATEWAY_ANSWER);
    match_icmp(fb, IP_V4, ICMP_ECHO_REQUEST, -1);
    act_set(fb, of_field_whole(OF_ICMPV4_TYPE), ICMP_ECHO_REPLY);
    end_answered(b, g);

    fb = begin(b, g, PRIORITY_GATEWAY_ANSWER + 1);
    match_ip_proto(fb, IP_V4, ICMP);
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY | OF_FRAG_LATER);
    act_set(fb, of_field_whole(OF_ICMPV4_TYPE), ICMP_ECHO_REPLY);
    end_answered(b, g);

    fb = begin(b, g, PRIORITY_GATEWAY_ANSWER + 1);
    match_ip_proto(fb, IP_V4, ICMP);
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY | OF_FRAG_LATER, OF_FRAG_ANY | OF_FRAG_LATER);
    end_answered(b, g);
}

static void
gateway_flows(struct block *b, uint8_t type, uint32_t number)
{
    const struct subnet *subnet = model_subnet(b->view->model, number);
    const struct vpc *vpc = subnet ? model_vpc(b->view->model, subnet->vpc) : NULL;
    if (!vpc)
        return;

    struct gateway g = { vpc->vni, subnet_gateway(subnet) };
    echo_rows(b, &g);

    struct flow_builder *fb = begin(b, &g, PRIORITY_GATEWAY_ANSWER);
    match_u64(fb, LAYOUT_SUBNET, number);
    match_l4_dst(fb, IP_V4, UDP, DHCP_SERVER, UINT16_MAX);
    act_goto(fb, STAGE_DHCP);
    block_flow_end(b);

    fb = begin(b, &g, PRIORITY_GATEWAY_SELF);
    act_set(fb, LAYOUT_REASON, REASON_NO_PORT);
    act_goto(fb, STAGE_REJECT);
    block_flow_end(b);
}

static void
gateway_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_object(event, OBJECT_SUBNET, list, FEATURE_GATEWAY);
}

static void
gateway_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (vpc)
        blocks_referring(view, vpc, OBJECT_SUBNET, emit, aux);
}

static void
gateway_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words subnet = words_owner(view, spec);
    if (spec->priority == PRIORITY_GATEWAY_SELF)
        snprintf(text, size, "the gateway of subnet %s only answers echo requests and DHCP", subnet.text);
    else
        snprintf(text, size, "the gateway of subnet %s answers", subnet.text);
}

const struct feature feature_gateway = {
    .name = "gateway",
    .number = FEATURE_GATEWAY,
    .touches = gateway_touches,
    .blocks = gateway_blocks,
    .flows = gateway_flows,
    .explain = gateway_explain,
};
